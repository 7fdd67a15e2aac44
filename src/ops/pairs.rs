//! Pairs of certificate and private key: each lies in a directory of its own, complete before anything refers to it.
//!
//! Invariant: a pair never changes in place and no plan holds a key: plans only move the link by which nginx finds a pair, so
//! the journal has nothing to keep secret, and certificate and key are never of two pairs.

use crate::domain::certificate::{Certificate, Chain, Fingerprint, PrivateKey, Refused, Source};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::domain::tls;
use crate::host::{Host, HostError, HostResult, Mode, Node, Owner};
use crate::ops::undo::{Before, Undo};
use crate::store::Store;
use crate::system::self_signed;

const DIRECTORY: Mode = Mode(0o700);
const SECRET: Mode = Mode(0o600);
/// A chain of six and a bit.
const LIMIT: usize = 128 * 1024;

/// A pair that was put down, with what people should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposited {
    /// What it says.
    pub certificate: Certificate,
    /// `It does not cover www.shop.example.`
    pub notes: Vec<String>,
}

/// Checks a certificate and its key for a site and puts them down in a directory of their own. Nothing refers to it yet:
/// installing is [`crate::ops::certificate_install`]'s.
pub fn deposit(
    host: &dyn Host,
    site: &Site,
    chain: &str,
    key: &PrivateKey,
    source: Source,
    now: Timestamp,
) -> Result<Deposited, Fault> {
    let Checked {
        chain,
        key,
        certificate,
    } = check(host, &site.hostname, chain, key, source, now)?;
    let pair = tls::pairs().join(&tls::pair_name(site.id, &certificate.fingerprint));
    let put = || put_down(host, &pair, &chain.text(), key.reveal());
    // The place for pairs goes while it is empty, perhaps between two of our steps.
    match put() {
        Err(HostError::Missing { .. }) => put()?,
        other => other?,
    }
    let notes = notes(site, &certificate, &chain);
    Ok(Deposited { certificate, notes })
}

/// A pair that fits, is for a name, and is good now.
pub(super) struct Checked {
    pub(super) chain: Chain,
    pub(super) key: PrivateKey,
    pub(super) certificate: Certificate,
}

/// Refuses what no browser would accept for this name; takes a missing intermediate from where it is known.
pub(super) fn check(
    host: &dyn Host,
    hostname: &Hostname,
    chain: &str,
    key: &PrivateKey,
    source: Source,
    now: Timestamp,
) -> Result<Checked, Fault> {
    let key = key.checked()?;
    let chain = Chain::parse(chain, &key)?;
    let chain = completed(host, chain)?;
    let certificate = chain.certificate(source)?;
    certificate.refuse_for(hostname, now)?;
    Ok(Checked {
        chain,
        key,
        certificate,
    })
}

fn notes(site: &Site, certificate: &Certificate, chain: &Chain) -> Vec<String> {
    let mut notes = Vec::new();
    let open: Vec<String> = site
        .names()
        .filter(|name| !certificate.covers(name))
        .map(|name| name.to_string())
        .collect();
    if !open.is_empty() {
        notes.push(format!(
            "It does not cover {}: visitors of that name stay on plain HTTP.",
            open.join(", ")
        ));
    }
    if certificate.self_signed {
        notes
            .push("It signed itself: browsers warn, so visitors are not sent to HTTPS.".to_owned());
    } else if chain.may_be_incomplete() {
        notes.push(format!(
            "The file holds no certificate of {}: if browsers or programs complain, add the intermediate behind the certificate.",
            certificate.issuer
        ));
    }
    if chain.unrelated() > 0 {
        notes.push(format!(
            "{} certificates of the file have nothing to do with this one and are left out.",
            chain.unrelated()
        ));
    }
    notes
}

/// Takes an intermediate that the file did not bring from the chains of other sites.
fn completed(host: &dyn Host, mut chain: Chain) -> HostResult<Chain> {
    if !chain.may_be_incomplete() {
        return Ok(chain);
    }
    for name in host.list(&tls::pairs())? {
        let known = text(host, &tls::chain_file(&tls::pairs().join(&name)))?;
        if let Some(known) = known {
            chain = chain.completed(&known);
        }
        if !chain.may_be_incomplete() {
            break;
        }
    }
    Ok(chain)
}

/// The key first: a chain marks a pair that is whole.
fn put_down(host: &dyn Host, pair: &HostPath, chain: &str, key: &str) -> HostResult<()> {
    host.make_dir(&pair.parent(), Owner::ROOT, DIRECTORY)?;
    host.make_dir(pair, Owner::ROOT, DIRECTORY)?;
    host.write(&tls::key_file(pair), key.as_bytes(), Owner::ROOT, SECRET)?;
    host.write(
        &tls::chain_file(pair),
        chain.as_bytes(),
        Owner::ROOT,
        SECRET,
    )
}

/// What a pair that was put down says.
pub fn find(
    host: &dyn Host,
    site: &Site,
    fingerprint: &Fingerprint,
    source: Source,
) -> Result<Certificate, Fault> {
    let pair = tls::pairs().join(&tls::pair_name(site.id, fingerprint));
    let text = text(host, &tls::chain_file(&pair))?.ok_or_else(|| lost(&site.hostname))?;
    let chain = Chain::stored(&text)?;
    chain.certificate(source).map_err(Fault::from)
}

fn lost(hostname: &Hostname) -> Fault {
    Fault::new(
        Code::CertificateMissing,
        format!("this certificate for {hostname} is not there any more"),
        "give the certificate and its key again",
    )
}

/// The first certificate of a pair; `None` where it cannot be read.
pub fn leaf(host: &dyn Host, pair: &HostPath) -> HostResult<Option<Vec<u8>>> {
    let text = text(host, &tls::chain_file(pair))?;
    Ok(text.and_then(|text| crate::domain::certificate::leaf_of(&text)))
}

fn text(host: &dyn Host, path: &HostPath) -> HostResult<Option<String>> {
    match host.read(path, LIMIT) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(HostError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The way back of [`make_placeholder`]: what it makes goes again, and is never read into the journal.
pub(super) fn placeholder_undo(host: &dyn Host, pair: &HostPath) -> HostResult<Undo> {
    if host.stat(pair)?.is_some() {
        return Ok(Undo::Nothing);
    }
    let absent = |path: HostPath| Undo::Restore {
        path,
        before: Before::Absent,
    };
    Ok(Undo::All {
        undos: vec![
            absent(tls::chain_file(pair)),
            absent(tls::key_file(pair)),
            absent(pair.clone()),
        ],
    })
}

/// Makes a key and a certificate that signed itself, unless they are there: nginx starts only where every file is.
pub(super) fn make_placeholder(
    host: &dyn Host,
    pair: &HostPath,
    hostname: &Hostname,
) -> Result<(), Fault> {
    if host.stat(&tls::chain_file(pair))?.is_some() {
        return Ok(());
    }
    let made = self_signed::placeholder(hostname, host.now()).map_err(|error| {
        Fault::new(
            Code::HostFailed,
            error.to_string(),
            "see whether the clock of this server is right (`date`), then try again",
        )
    })?;
    host.make_dir(pair, Owner::ROOT, DIRECTORY)?;
    let key = made.key.as_bytes();
    host.write(&tls::key_file(pair), key, Owner::ROOT, SECRET)?;
    host.write(
        &tls::chain_file(pair),
        made.certificate.as_bytes(),
        Owner::ROOT,
        SECRET,
    )
    .map_err(Fault::from)
}

/// Destroys the pairs of sites that are gone for good. Safe beside operations: a site that is being made is not in the state
/// yet, but its operation is open.
pub fn sweep(host: &dyn Host, store: &Store) -> Result<(), Fault> {
    let there = waiting(host)?;
    if there.is_empty() || !store.unfinished()?.is_empty() {
        return Ok(());
    }
    for (site, pair) in there {
        if !store.is_known(site)? {
            destroy(host, &pair)?;
        }
    }
    Ok(())
}

/// Destroys the pairs that no site shows, has in the trash, or is about to show. To be called while the engine is held, or at a
/// moment when no pair waits to be installed.
pub fn tidy(host: &dyn Host, store: &Store) -> Result<(), Fault> {
    let mut wanted: Vec<String> = store.sites()?.iter().filter_map(Site::pair_name).collect();
    let trash = store.trash()?;
    wanted.extend(trash.iter().filter_map(|trashed| trashed.site.pair_name()));
    for link in host.list(&tls::links())? {
        let meta = host.stat(&tls::links().join(&link))?;
        if let Some(Node::Link { target }) = meta.map(|meta| meta.node) {
            wanted.extend(target.rsplit('/').next().map(str::to_owned));
        }
    }
    for (_, pair) in waiting(host)? {
        if !wanted.iter().any(|name| name == pair.name()) {
            destroy(host, &pair)?;
        }
    }
    Ok(())
}

/// Destroys one that was put down for a site, unless the site shows it.
pub fn discard(host: &dyn Host, site: &Site, fingerprint: &Fingerprint) -> Result<(), Fault> {
    let name = tls::pair_name(site.id, fingerprint);
    if site.pair_name().as_ref() == Some(&name) {
        return Ok(());
    }
    destroy(host, &tls::pairs().join(&name))?;
    close(host)
}

/// Removes the places for pairs and links while they are empty. To be called while the engine is held.
pub fn close(host: &dyn Host) -> Result<(), Fault> {
    for place in [tls::links(), tls::pairs()] {
        if host.stat(&place)?.is_none() {
            continue;
        }
        match host.remove(&place) {
            Ok(()) | Err(HostError::NotEmpty { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn waiting(host: &dyn Host) -> HostResult<Vec<(SiteId, HostPath)>> {
    let names = host.list(&tls::pairs())?;
    let found = names.iter().filter_map(|name| {
        let (site, _) = name.strip_prefix('s')?.split_once('-')?;
        let number = site.parse().ok()?;
        Some((SiteId::new(number), tls::pairs().join(name)))
    });
    Ok(found.collect())
}

fn destroy(host: &dyn Host, pair: &HostPath) -> Result<(), Fault> {
    for path in [tls::chain_file(pair), tls::key_file(pair), pair.clone()] {
        host.remove(&path)?;
    }
    Ok(())
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::new(
            Code::CertificateRefused,
            refused.to_string(),
            refused.hint(),
        )
    }
}
