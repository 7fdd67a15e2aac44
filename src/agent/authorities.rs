//! The authorities of the settings: the first, one for trying, and a second one for when the first fails.
//!
//! Invariant: an authority that the settings describe wrongly never keeps the other from being asked.

use crate::domain::authority::{
    Authority, Binding, DirectoryUrl, Failures, KeyText, PRODUCTION, STAGING,
};
use crate::domain::certificate::{Certificate, Source};
use crate::domain::fault::{Code, Fault};
use crate::domain::issuance::Issuance;
use crate::domain::order::ProblemKind;
use crate::domain::path::HostPath;
use crate::host::Host;
use crate::system::config::{self, Acme};

/// A file of roots is no larger.
const ROOTS: usize = 256 * 1024;

/// Whom an order may go to.
pub(super) struct Authorities {
    /// The one that is asked first.
    pub(super) first: Authority,
    second: Option<Result<Authority, Fault>>,
    after: Failures,
}

impl Authorities {
    /// Those of the settings; `test` has it done by one for trying, and by no other.
    pub(super) fn read(host: &dyn Host, settings: &Acme, test: bool) -> Result<Self, Fault> {
        let directory = settings.directory.as_deref().unwrap_or(PRODUCTION);
        let directory = if test && directory == PRODUCTION {
            STAGING
        } else {
            directory
        };
        let first = Written {
            prefix: "",
            directory,
            email: settings.email.as_ref(),
            roots: settings.ca_file.as_ref(),
            kid: settings.eab_kid.as_ref(),
            key: settings.eab_hmac_key.as_ref(),
        };
        let second = settings.fallback_directory.as_deref();
        let second = second.filter(|second| !test && *second != directory);
        let second = second.map(|directory| {
            Written {
                prefix: "fallback_",
                directory,
                email: settings.email.as_ref(),
                roots: settings.fallback_ca_file.as_ref(),
                kid: settings.fallback_eab_kid.as_ref(),
                key: settings.fallback_eab_hmac_key.as_ref(),
            }
            .read(host)
        });
        Ok(Self {
            first: first.read(host)?,
            second,
            after: settings.fallback_after.unwrap_or(Failures::USUAL),
        })
    }

    /// The second one, as far as it can be used.
    pub(super) fn second(&self) -> Option<Result<&Authority, Fault>> {
        let second = self.second.as_ref()?;
        Some(second.as_ref().map_err(Clone::clone))
    }

    /// Those that can be asked.
    pub(super) fn usable(&self) -> impl Iterator<Item = &Authority> {
        let second = self.second.as_ref().and_then(|one| one.as_ref().ok());
        std::iter::once(&self.first).chain(second)
    }

    /// Who issued a certificate; the first one where nobody knows.
    pub(super) fn issuer(&self, shown: &Certificate, issuance: Option<&Issuance>) -> &Authority {
        let remembered = issuance.and_then(|one| one.issuer.as_ref());
        let is_issuer = |one: &&Authority| match (remembered, &shown.source) {
            (Some(directory), Source::Acme { .. }) => one.directory == *directory,
            (None, Source::Acme { ca, .. }) => one.directory.name() == ca,
            (_, Source::Uploaded) => false,
        };
        self.usable().find(is_issuer).unwrap_or(&self.first)
    }

    /// Whether the second one is asked where the first one has just failed: after enough failures in a row, for a certificate that
    /// is the second one's already, and where the first allows no more for now. A name that leads elsewhere fails there as well.
    pub(super) fn goes_on(
        &self,
        problem: ProblemKind,
        before: &Issuance,
        shown: Option<&Certificate>,
    ) -> bool {
        let failures = before.refusals.saturating_add(1);
        let is_seconds = shown.is_some_and(|shown| {
            self.issuer(shown, Some(before)).directory != self.first.directory
        });
        self.second.is_some()
            && problem.is_the_authoritys()
            && (failures >= self.after.number() || is_seconds || problem == ProblemKind::Limited)
    }

    /// What to do about a failure there; the second authority has keys of its own in the settings.
    pub(super) fn with_keys(&self, fault: Fault, authority: &DirectoryUrl) -> Fault {
        let second = self.second().and_then(Result::ok);
        let is_second = second.is_some_and(|one| one.directory == *authority);
        let names_keys = ["acme.", "eab_"].iter().any(|key| fault.hint.contains(key));
        if !is_second || !names_keys {
            return fault;
        }
        let hint = format!(
            "{}; the keys of the second authority begin with `fallback_`",
            fault.hint
        );
        Fault { hint, ..fault }
    }
}

/// Nobody is left to ask.
pub(super) fn none_left() -> Fault {
    Fault::new(
        Code::ConfigInvalid,
        "No certificate authority allows more for now",
        "wait: Lala tries again by itself",
    )
}

/// Where to try first after a failure; none where the authority has no such place.
pub(super) fn trial(authority: &Authority) -> Option<Authority> {
    let is_real = authority.directory.as_str() == PRODUCTION;
    let directory = DirectoryUrl::parse(STAGING).ok().filter(|_| is_real)?;
    Some(Authority {
        directory,
        ..authority.clone()
    })
}

/// One, as it stands in the settings.
struct Written<'a> {
    prefix: &'static str,
    directory: &'a str,
    email: Option<&'a String>,
    roots: Option<&'a HostPath>,
    kid: Option<&'a String>,
    key: Option<&'a String>,
}

impl Written<'_> {
    fn read(&self, host: &dyn Host) -> Result<Authority, Fault> {
        let directory = DirectoryUrl::parse(self.directory)
            .map_err(|bad| self.unset("directory", &bad.to_string()))?;
        let binding = match (self.kid, self.key) {
            (Some(kid), Some(key)) => Some(Binding {
                kid: kid.clone(),
                key: KeyText::new(key.clone()),
            }),
            (None, None) => None,
            _ => {
                let words = "the key id and the key of an external account belong together";
                return Err(self.unset("eab_kid", words));
            }
        };
        let roots = match self.roots {
            Some(path) => {
                let bytes = host.read(path, ROOTS);
                let bytes = bytes.map_err(|error| self.unset("ca_file", &error.to_string()))?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            None => None,
        };
        Ok(Authority {
            directory,
            email: self.email.cloned(),
            roots,
            binding,
        })
    }

    fn unset(&self, key: &str, why: &str) -> Fault {
        Fault::new(
            Code::ConfigInvalid,
            format!("`acme.{}{key}` cannot be used", self.prefix),
            format!(
                "mend it in `{}`, then restart the panel; files in homes are closed to it",
                config::file()
            ),
        )
        .detail(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    const FIRST: &str = "https://ca.example/dir";
    const SECOND: &str = "https://other.example/dir";

    fn read(change: impl FnOnce(&mut Acme)) -> Authorities {
        let mut settings = Acme {
            directory: Some(FIRST.to_owned()),
            fallback_directory: Some(SECOND.to_owned()),
            ..Acme::default()
        };
        change(&mut settings);
        Authorities::read(&MemoryHost::new(Machine::debian()), &settings, false).unwrap()
    }

    fn of(ca: &str) -> Certificate {
        let mut certificate = samples::certificate(&["shop.example"], 30);
        certificate.source = Source::Acme {
            ca: ca.to_owned(),
            test: false,
        };
        certificate
    }

    #[test]
    fn the_second_is_asked_after_the_third_failure_of_the_first_and_not_for_a_name_that_leads_elsewhere()
     {
        let both = read(|_| {});
        let failed = |refusals| Issuance {
            refusals,
            ..Issuance::default()
        };
        let asks = |kind, refusals| both.goes_on(kind, &failed(refusals), None);
        assert!(!asks(ProblemKind::Unreachable, 0) && !asks(ProblemKind::Unreachable, 1));
        assert!(asks(ProblemKind::Unreachable, 2) && asks(ProblemKind::Limited, 0));
        assert!(!asks(ProblemKind::Dns, 9) && !asks(ProblemKind::Connection, 9));
        let at_once = read(|settings| settings.fallback_after = Failures::try_from(1).ok());
        assert!(at_once.goes_on(ProblemKind::Busy, &failed(0), None));
        let alone = read(|settings| settings.fallback_directory = None);
        assert!(!alone.goes_on(ProblemKind::Busy, &failed(9), None));
        let twice = read(|settings| settings.fallback_directory = Some(FIRST.to_owned()));
        assert!(!twice.goes_on(ProblemKind::Busy, &failed(9), None));
    }

    #[test]
    fn a_certificate_of_the_second_goes_back_to_the_first_and_is_renewed_by_its_issuer_where_that_fails()
     {
        let both = read(|_| {});
        let fresh = Issuance::default();
        let (own, others) = (of("ca.example"), of("other.example"));
        assert_eq!(both.issuer(&own, None).directory.as_str(), FIRST);
        assert_eq!(both.issuer(&others, None).directory.as_str(), SECOND);
        assert!(!both.goes_on(ProblemKind::Busy, &fresh, Some(&own)));
        assert!(both.goes_on(ProblemKind::Busy, &fresh, Some(&others)));
        let remembered = Issuance {
            issuer: DirectoryUrl::parse(SECOND).ok(),
            ..Issuance::default()
        };
        assert!(both.goes_on(ProblemKind::Busy, &remembered, Some(&of(""))));
    }

    #[test]
    fn a_second_one_that_is_described_wrongly_does_not_stop_the_first() {
        let both = read(|settings| settings.fallback_eab_kid = Some("kid".to_owned()));
        assert_eq!(both.first.directory.as_str(), FIRST);
        let fault = both.second().unwrap().unwrap_err();
        assert!(fault.title.contains("acme.fallback_eab_kid"));
        assert_eq!(both.usable().count(), 1);
    }
}
