//! Who may issue for a name, as its CAA records say (RFC 8659): looked up here before an authority is asked.
//!
//! Invariant: only what DNS certainly says forbids anything; a server that is silent or in trouble is the authority's to judge.

use std::net::IpAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::CAA;
use hickory_proto::rr::{RData, RecordType};

use crate::acme::dns::zone::Source;
use crate::domain::dns::RecordName;
use crate::domain::site_name::SiteName;
use crate::domain::text;

/// A value is cut here.
const LONGEST: usize = 120;
/// More are not read.
const MOST: usize = 50;

/// The records that count for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Where they stand: at the name, or above it.
    pub at: RecordName,
    rules: Vec<Rule>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    critical: bool,
    tag: String,
    value: String,
}

/// Whom one looks for, and how it would look at the name.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What the authority calls itself in such records.
    pub identities: &'a [String],
    /// `http-01` or `dns-01`.
    pub method: &'static str,
}

/// The records for a name: its own, or those of the nearest name above it that has any; none where nobody says anything.
pub async fn rules(resolvers: &[IpAddr], name: &SiteName) -> Option<Rules> {
    let source = Source::resolvers(resolvers);
    let mut at = RecordName::parse(name.hostname().as_str()).ok()?;
    loop {
        let answer = source.ask(&at, RecordType::CAA).await.ok()?;
        if !matches!(
            answer.response_code,
            ResponseCode::NoError | ResponseCode::NXDomain
        ) {
            return None;
        }
        // Aliases are followed by the resolver; what stands at their end counts for the name.
        let found = answer
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                RData::CAA(caa) => Some(rule(caa)),
                _ => None,
            });
        let rules: Vec<Rule> = found.take(MOST).collect();
        if !rules.is_empty() {
            return Some(Rules { at, rules });
        }
        let (_, above) = at.as_str().split_once('.')?;
        at = RecordName::parse(above).ok()?;
    }
}

fn rule(caa: &CAA) -> Rule {
    Rule {
        critical: caa.issuer_critical,
        tag: caa.tag.to_ascii_lowercase(),
        value: String::from_utf8_lossy(&caa.value).into_owned(),
    }
}

impl Rules {
    /// Why the authority will refuse: the record, what it says, and what it would have to say; none where it may issue.
    #[must_use]
    pub fn forbid(&self, name: &SiteName, asked: Asked<'_>) -> Option<String> {
        let known = [
            "issue",
            "issuewild",
            "issuemail",
            "issuevmc",
            "iodef",
            "contactemail",
            "contactphone",
        ];
        let strange = self
            .rules
            .iter()
            .find(|rule| rule.critical && !known.contains(&rule.tag.as_str()));
        if let Some(rule) = strange {
            return Some(format!(
                "the CAA record of {} is {}, which no authority may pass over",
                self.at,
                rule.shown()
            ));
        }
        let of = |tag: &str| -> Vec<&Rule> {
            self.rules.iter().filter(|rule| rule.tag == tag).collect()
        };
        let (wild, plain) = (of("issuewild"), of("issue"));
        let is_star = matches!(name, SiteName::Wildcard(_));
        let (tag, counting) = if is_star && !wild.is_empty() {
            ("issuewild", wild)
        } else {
            ("issue", plain)
        };
        if counting.is_empty() || counting.iter().any(|rule| rule.allows(asked)) {
            return None;
        }
        let found: Vec<String> = counting.iter().map(|rule| rule.shown()).collect();
        let wanted = asked.identities.first().map_or("", String::as_str);
        let with_method = counting.iter().any(|rule| rule.names(asked.identities));
        let method = if with_method {
            format!("; validationmethods={}", asked.method)
        } else {
            String::new()
        };
        Some(format!(
            "the CAA record of {} is {}; wanted is {tag} \"{}{method}\"",
            self.at,
            found.join(" and "),
            text::shown(wanted, LONGEST),
        ))
    }
}

impl Rule {
    /// The authority, before any parameters.
    fn issuer(&self) -> &str {
        self.value.split(';').next().unwrap_or_default().trim()
    }

    fn names(&self, identities: &[String]) -> bool {
        identities
            .iter()
            .any(|one| one.eq_ignore_ascii_case(self.issuer()))
    }

    /// By name, and by the way to prove where that is said (RFC 8657). An account that it is bound to is the authority's to compare.
    fn allows(&self, asked: Asked<'_>) -> bool {
        let methods = self.value.split(';').skip(1).find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            (key.trim() == "validationmethods").then(|| value.trim())
        });
        let is_method =
            methods.is_none_or(|all| all.split(',').any(|one| one.trim() == asked.method));
        self.names(asked.identities) && is_method
    }

    fn shown(&self) -> String {
        format!(
            "{} \"{}\"",
            text::shown(&self.tag, LONGEST),
            text::shown(&self.value, LONGEST)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(all: &[(&str, &str)]) -> Rules {
        let rule = |(tag, value): &(&str, &str)| Rule {
            critical: tag.starts_with('!'),
            tag: tag.trim_start_matches('!').to_owned(),
            value: (*value).to_owned(),
        };
        Rules {
            at: RecordName::parse("example.org").unwrap(),
            rules: all.iter().map(rule).collect(),
        }
    }

    fn told(all: &[(&str, &str)], name: &str) -> Option<String> {
        let identities = ["letsencrypt.org".to_owned()];
        let asked = Asked {
            identities: &identities,
            method: "http-01",
        };
        rules(all).forbid(&SiteName::parse(name).unwrap(), asked)
    }

    #[test]
    fn an_authority_issues_where_a_record_names_it_or_none_is_about_issuing() {
        for all in [
            [("issue", "letsencrypt.org")].as_slice(),
            &[
                ("issue", "other.example"),
                ("issue", " LetsEncrypt.org ; a=b"),
            ],
            &[("iodef", "mailto:a@example.org")],
            &[("issue", "letsencrypt.org; validationmethods=dns-01,http-01")],
            &[("issuewild", ";")],
            &[("!issue", "letsencrypt.org")],
        ] {
            assert_eq!(told(all, "a.example.org"), None, "{all:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_record_what_it_says_and_what_is_wanted() {
        let words = told(&[("issue", "other.example")], "a.example.org").unwrap();
        assert_eq!(
            words,
            "the CAA record of example.org is issue \"other.example\"; wanted is issue \"letsencrypt.org\""
        );
        assert!(told(&[("issue", ";")], "a.example.org").is_some());
        assert!(
            told(&[("!tbs", "x")], "a.example.org")
                .unwrap()
                .contains("tbs \"x\"")
        );
        let words = told(
            &[("issue", "letsencrypt.org; validationmethods=dns-01")],
            "a.example.org",
        );
        assert!(words.unwrap().ends_with("validationmethods=http-01\""));
    }

    #[test]
    fn for_a_star_its_own_records_count_where_there_are_any() {
        let both = [("issue", "letsencrypt.org"), ("issuewild", "other.example")];
        assert_eq!(told(&both, "example.org"), None);
        assert!(
            told(&both, "*.example.org")
                .unwrap()
                .contains("wanted is issuewild")
        );
        assert_eq!(told(&[("issue", "letsencrypt.org")], "*.example.org"), None);
        assert_eq!(
            told(
                &[("issuewild", "letsencrypt.org"), ("issue", ";")],
                "*.example.org"
            ),
            None
        );
    }
}
