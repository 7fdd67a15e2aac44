//! What an authority's refusal means: its error types (RFC 8555, §6.7), and what stands in its words.
//!
//! Invariant: whatever it says ends as one of our own kinds; nothing of it decides anything else.

use crate::domain::order::ProblemKind;

/// The kind behind an error type, which stands with or without its long beginning.
pub(super) fn kind(type_: &str, status: Option<u16>, detail: &str) -> ProblemKind {
    let short = type_.rsplit(':').next().unwrap_or_default();
    match short {
        "rateLimited" => ProblemKind::Limited,
        "serverInternal" => ProblemKind::Busy,
        "externalAccountRequired" => ProblemKind::BindingMissing,
        "accountDoesNotExist" => ProblemKind::Account,
        "userActionRequired" => ProblemKind::Terms,
        "badNonce" => ProblemKind::Nonce,
        "dns" => ProblemKind::Dns,
        "connection" | "tls" => ProblemKind::Connection,
        "incorrectResponse" => ProblemKind::Response,
        "caa" => ProblemKind::Caa,
        "rejectedIdentifier" | "unsupportedIdentifier" => ProblemKind::Name,
        "badCSR" | "badPublicKey" => ProblemKind::Request,
        _ => match status {
            Some(429) => ProblemKind::Limited,
            Some(500..=599) => ProblemKind::Busy,
            _ if is_about_binding(detail) => ProblemKind::BindingRefused,
            _ => ProblemKind::Refused,
        },
    }
}

/// A failed proof: there, `unauthorized` means that somebody else answered.
pub(super) fn kind_of_proof(type_: &str, detail: &str) -> ProblemKind {
    if type_.ends_with(":unauthorized") {
        ProblemKind::Response
    } else {
        match kind(type_, None, detail) {
            // Pebble says so.
            ProblemKind::Connection if detail.contains("could not resolve") => ProblemKind::Dns,
            kind => kind,
        }
    }
}

fn is_about_binding(detail: &str) -> bool {
    let low = detail.to_ascii_lowercase();
    low.contains("external account") || low.contains("eab")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_protocol_have_their_kinds() {
        let of = |short: &str| kind(&format!("urn:x:acme:error:{short}"), None, "");
        assert_eq!(of("rateLimited"), ProblemKind::Limited);
        assert_eq!(of("externalAccountRequired"), ProblemKind::BindingMissing);
        assert_eq!(of("caa"), ProblemKind::Caa);
        assert_eq!(of("something new"), ProblemKind::Refused);
        assert_eq!(kind("", Some(503), ""), ProblemKind::Busy);
        let words = "the HMAC of the external account binding does not verify";
        assert_eq!(
            kind("x:unauthorized", None, words),
            ProblemKind::BindingRefused
        );
        assert_eq!(
            kind_of_proof("x:connection", "could not resolve URL"),
            ProblemKind::Dns
        );
        assert_eq!(
            kind_of_proof("x:unauthorized", "404"),
            ProblemKind::Response
        );
    }
}
