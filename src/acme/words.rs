//! What people read when an order failed: one sentence, and what to do.
//!
//! Invariant: every kind of problem has its words; the authority's own stand beside them as detail, never alone.

use crate::domain::fault::{Code, Fault};
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::time::Timestamp;

/// The fault people read; `authority` is its name, `next` is when the panel tries again by itself.
#[must_use]
pub fn fault(problem: &Problem, authority: &str, next: Option<Timestamp>) -> Fault {
    let name = problem.name.as_ref();
    let name = name.map_or_else(|| "this site".to_owned(), ToString::to_string);
    let (title, hint) = words(problem.kind, &name, authority);
    let hint = match next {
        Some(next) => format!("{hint}; Lala tries again at {next}"),
        None => hint,
    };
    Fault::new(Code::CertificateUnissued, title, hint).detail(problem.detail.clone())
}

fn words(kind: ProblemKind, name: &str, authority: &str) -> (String, String) {
    let own = |title: String, hint: &str| (title, hint.to_owned());
    match kind {
        ProblemKind::Unreachable => own(
            format!("{authority} does not answer at the moment"),
            "nothing is wrong here, unless this server reaches nothing else either (`curl -I https://deb.debian.org`)",
        ),
        ProblemKind::Slow => own(
            format!("{authority} answers too slowly at the moment"),
            "nothing has to be done here",
        ),
        ProblemKind::Untrusted => own(
            format!("The certificate of {authority} itself is not trusted here"),
            "for an authority of your own, name its root in `acme.ca_file` of `/etc/lalapanel/config.toml`; otherwise see whether the clock of this server is right (`date`)",
        ),
        ProblemKind::Garbled => own(
            format!("What {authority} answered was not understood"),
            "see whether `acme.directory` in `/etc/lalapanel/config.toml` is the directory of an authority",
        ),
        ProblemKind::Busy => own(
            format!("{authority} is out of order at the moment"),
            "nothing is wrong here",
        ),
        ProblemKind::Limited => own(
            format!("{authority} allows no more tries for {name} for now"),
            "wait: the words below say until when",
        ),
        ProblemKind::BindingMissing => own(
            format!("{authority} wants an external account (EAB)"),
            "make one there, and write its `eab_kid` and `eab_hmac_key` into `[acme]` of `/etc/lalapanel/config.toml`",
        ),
        ProblemKind::BindingRefused => own(
            format!("{authority} does not accept the external account (EAB)"),
            "compare `eab_kid` and `eab_hmac_key` in `[acme]` of `/etc/lalapanel/config.toml` with what it gave you",
        ),
        ProblemKind::Account => own(
            format!("{authority} does not accept the account of this panel"),
            "see its own words below",
        ),
        ProblemKind::Terms => own(
            format!("{authority} has new terms of service"),
            "read them where the words below say",
        ),
        ProblemKind::Nonce => own(
            format!("{authority} kept refusing what it had asked for itself"),
            "nothing is wrong here",
        ),
        ProblemKind::Dns => own(
            format!("{name} does not exist in DNS, or its DNS server does not answer"),
            "at your DNS provider, add an A record with the address of this server",
        ),
        ProblemKind::Connection => own(
            format!("{authority} could not reach port 80 of {name}"),
            "see whether its A and AAAA records name this server, and open port 80 in your provider's firewall",
        ),
        ProblemKind::Response => own(
            format!("Something else answered for {name}"),
            "see whether its A and AAAA records name this server, and that no old server or proxy still uses this name",
        ),
        ProblemKind::Unwritten => own(
            format!("The record that proves {name} could not be written into DNS"),
            "see the words below; `lalapanel cert dns list` shows where records are written",
        ),
        ProblemKind::Unspread => own(
            format!("Not every DNS server shows the record that proves {name}"),
            "see whether the servers named below get changes of the zone from its primary",
        ),
        ProblemKind::Unseen => own(
            format!("{authority} did not find the record that proves {name} in DNS"),
            "see whether the servers that the registry names for this zone are those that the record was written to",
        ),
        ProblemKind::Caa => own(
            format!("The CAA record of {name} does not allow {authority}"),
            "at your DNS provider, add the authority to the CAA record, or upload a certificate",
        ),
        ProblemKind::Name => own(
            format!("{authority} issues no certificate for {name}"),
            "use another name, or upload a certificate",
        ),
        ProblemKind::Proof => own(
            format!("{authority} does not accept this way to prove {name}"),
            "prove it in DNS (`lalapanel cert dns --help`), or upload a certificate for this site",
        ),
        ProblemKind::Request => own(
            format!("{authority} refused the request for {name}"),
            "see its own words below, and report it with the version of the panel",
        ),
        ProblemKind::Late => own(
            format!("{authority} did not come to an end in time"),
            "nothing has to be done here",
        ),
        ProblemKind::Refused => own(
            format!("{authority} refused {name}"),
            "see its own words below",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_order_is_a_sentence_with_a_next_step() {
        let problem = Problem::new(ProblemKind::Connection, "Timeout during connect")
            .of(&crate::domain::site_name::SiteName::parse("shop.example").unwrap());
        let next = Timestamp::parse("2026-11-23T12:30:00Z").unwrap();
        let fault = fault(&problem, "Let's Encrypt", Some(next));
        assert!(fault.title.contains("port 80 of shop.example"));
        assert!(fault.hint.contains("firewall") && fault.hint.contains("again at 2026-11-23"));
        assert_eq!(fault.detail, "Timeout during connect");
    }
}
