//! One order: key and request are made here, the courier takes the request to the authority, and what it brings back is checked.
//!
//! Invariant: the key never leaves this process; a chain that is not for this key and these very names is refused.

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use crate::acme::words;
use crate::domain::authority::{Authority, DirectoryUrl, KeyText};
use crate::domain::certificate::{Chain, PrivateKey, Refused, Source};
use crate::domain::dns::ProofRecord;
use crate::domain::fault::{Code, Fault};
use crate::domain::issuance::Attempt;
use crate::domain::order::{Moment, Problem, ProblemKind};
use crate::domain::site_name::SiteName;
use crate::domain::time::Timestamp;
use crate::host::{Host, HostResult};
use crate::ops::authority_keys;
use crate::ops::engine::Engine;
use crate::rpc::courier::{DnsWork, Order, Ordered};
use crate::system::{addresses, courier};

/// Let's Encrypt allows so many names in one certificate.
const MOST_NAMES: usize = 100;
/// No browser accepts one that lives longer.
const MOST_DAYS: u64 = 400;
const DAY_MILLIS: u64 = 86_400_000;

/// Why an order came to nothing.
pub(super) enum Stopped {
    /// The authority, or the way to it.
    Outside(Problem),
    /// This server.
    Here(Fault),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Here(fault)
    }
}

impl Stopped {
    /// As it counts for the next try.
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::Outside(problem) => problem.clone(),
            Self::Here(fault) => Problem::new(ProblemKind::Refused, &fault.title),
        }
    }

    /// As people read it.
    pub(super) fn told(self, directory: Option<&DirectoryUrl>, next: Option<Timestamp>) -> Fault {
        match self {
            Self::Outside(problem) => {
                let authority = directory.map_or("The authority", DirectoryUrl::name);
                words::fault(&problem, authority, next)
            }
            Self::Here(fault) => fault,
        }
    }
}

/// A random number.
pub(super) fn seed(host: &dyn Host) -> HostResult<u64> {
    let mut bytes = [0_u8; 8];
    host.random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// An order.
pub(super) struct Ordering<'a> {
    engine: &'a Engine,
    authority: &'a Authority,
    /// The first of them is the one that counts.
    names: Vec<SiteName>,
    look_first: bool,
    dns: Option<Box<DnsWork>>,
}

impl<'a> Ordering<'a> {
    /// One that looks from here first.
    pub(super) fn new(engine: &'a Engine, authority: &'a Authority, names: Vec<SiteName>) -> Self {
        Self {
            engine,
            authority,
            names,
            look_first: true,
            dns: None,
        }
    }

    /// The same, with its names proved in DNS.
    #[must_use]
    pub(super) fn by_dns(self, dns: Option<Box<DnsWork>>) -> Self {
        Self { dns, ..self }
    }

    /// The same; whether it looks is said.
    #[must_use]
    pub(super) fn look_first(self, look_first: bool) -> Self {
        Self { look_first, ..self }
    }

    /// The chain and its key. A name beside the site's own that cannot be proved does not keep the others from theirs. What stays
    /// in DNS goes into `left`.
    pub(super) fn run(
        &self,
        attempt: &mut Attempt,
        left: &mut Vec<ProofRecord>,
    ) -> Result<(String, PrivateKey), Stopped> {
        let mut names = self.names.clone();
        names.truncate(MOST_NAMES);
        loop {
            attempt.names.clone_from(&names);
            attempt.authority = Some(self.authority.directory.clone());
            let key = PrivateKey::generate().map_err(|error| unmade(&error))?;
            let ordered = self.send(&names, &key, left)?;
            attempt.moments.extend(ordered.moments);
            match ordered.outcome {
                Ok(chain) => {
                    checked(&chain, &key, &names, self.engine.host().now())?;
                    return Ok((chain, key));
                }
                Err(problem) => {
                    let dead = self.droppable(&problem).cloned();
                    let Some(dead) = dead.filter(|dead| names.contains(dead)) else {
                        return Err(Stopped::Outside(problem));
                    };
                    names.retain(|name| *name != dead);
                    attempt.moments.push(Moment {
                        after: attempt.moments.last().map_or(0, |last| last.after),
                        what: format!("{dead} is left out for now; the other names go on"),
                    });
                }
            }
        }
    }

    fn droppable<'p>(&self, problem: &'p Problem) -> Option<&'p SiteName> {
        let is_about_it = matches!(
            problem.kind,
            ProblemKind::Dns
                | ProblemKind::Connection
                | ProblemKind::Response
                | ProblemKind::Caa
                | ProblemKind::Name
                | ProblemKind::Unwritten
                | ProblemKind::Unseen
        );
        let name = problem.name.as_ref().filter(|_| is_about_it)?;
        (self.names.first() != Some(name)).then_some(name)
    }

    fn send(
        &self,
        names: &[SiteName],
        key: &PrivateKey,
        left: &mut Vec<ProofRecord>,
    ) -> Result<Ordered, Fault> {
        let host = self.engine.host();
        let order = Order {
            authority: self.authority.clone(),
            account: self.account()?,
            names: names.to_vec(),
            request: request(names, key)?,
            seed: seed(host)?,
            look_first: self.look_first,
            resolvers: addresses::resolvers(host),
            dns: self.dns.clone(),
        };
        let (ordered, stays) = courier::order(host, order);
        left.extend(stays);
        ordered
    }

    /// RSA, since the protocol crate signs with nothing else.
    fn account(&self) -> Result<KeyText, Fault> {
        let binding = self.authority.binding.as_ref();
        let kid = binding.map_or("", |binding| binding.kid.as_str());
        let account = format!("{} {kid}", self.authority.directory);
        authority_keys::find_or_make(self.engine.host(), &account, || {
            let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
            key.map(|key| key.serialize_pem())
                .map_err(|error| unmade(&error))
        })
    }
}

/// No name in the subject: it may be longer than a subject may be, and nobody reads it any more.
fn request(names: &[SiteName], key: &PrivateKey) -> Result<String, Fault> {
    let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
    let pair = key.pair().map_err(|refused| refused_here(&refused))?;
    let made = CertificateParams::new(texts).and_then(|mut parameters| {
        parameters.distinguished_name = DistinguishedName::new();
        parameters.serialize_request(&pair)?.pem()
    });
    made.map_err(|error| unmade(&error))
}

/// For this key, these very names, now, and not for ever.
fn checked(chain: &str, key: &PrivateKey, names: &[SiteName], now: Timestamp) -> Result<(), Fault> {
    let source = Source::Uploaded;
    let read = Chain::parse(chain, key).and_then(|chain| chain.certificate(source));
    let certificate = read.map_err(|refused| refused_here(&refused))?;
    let mut own = certificate.names.clone();
    let mut wanted = names.to_vec();
    own.sort();
    wanted.sort();
    let life = certificate.not_after.millis_since(certificate.not_before);
    let why = if own != wanted || !certificate.addresses.is_empty() {
        "it is for other names than were ordered"
    } else if !certificate.is_current(now) {
        "it is not good now: see whether the clock of this server is right (`date`)"
    } else if life > MOST_DAYS * DAY_MILLIS {
        "it lives longer than browsers accept"
    } else {
        return Ok(());
    };
    Err(unusable(why))
}

fn refused_here(refused: &Refused) -> Fault {
    unusable(&refused.to_string())
}

fn unusable(why: &str) -> Fault {
    Fault::new(
        Code::CertificateUnissued,
        "The authority sent a certificate that cannot be used",
        "the one in use stays; Lala tries again by itself",
    )
    .detail(why)
}

fn unmade(error: &rcgen::Error) -> Fault {
    Fault::new(
        Code::HostFailed,
        "a key or a request could not be made",
        "report it with the version of the panel",
    )
    .detail(error.to_string())
}
