//! A way into DNS: a server that takes signed updates, or a program of the owner's.
//!
//! Invariant: a program is an absolute path of plain characters, outside of every place that others than root write to.

use serde::{Deserialize, Serialize};

use crate::domain::dns::UpdateServer;
use crate::domain::parsed_text;
use crate::domain::path::HostPath;

/// Places of people, of sites, of the panel, and those that anybody may write to.
const NOT_BELOW: [&str; 11] = [
    "/home/",
    "/root/",
    "/var/www/",
    "/tmp/",
    "/var/tmp/",
    "/run/",
    "/dev/",
    "/proc/",
    "/sys/",
    "/var/lib/lalapanel/",
    "/etc/lalapanel/",
];
const LONGEST: usize = 255;

/// A program that writes records into DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HookProgram(String);

/// The text is no such program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a program is an absolute path of letters, digits, `.`, `_`, `-` and `/`, not in a home, below a site, in /tmp, /run or a place of the panel's"
)]
pub struct BadHookProgram;

impl HookProgram {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, BadHookProgram> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
        let is_one = HostPath::parse(text).is_ok()
            && text != "/"
            && text.len() <= LONGEST
            && text.bytes().all(is_plain)
            && !NOT_BELOW.iter().any(|place| text.starts_with(place));
        if is_one {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadHookProgram)
        }
    }

    /// As a path of the host.
    #[must_use]
    pub fn path(&self) -> HostPath {
        HostPath::parse(&self.0).unwrap_or_else(|_| HostPath::fixed("/nonexistent"))
    }
}

parsed_text!(HookProgram, BadHookProgram);

/// A way into DNS, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DnsWay {
    /// By signed updates.
    Update(UpdateServer),
    /// By a program.
    Program(ByProgram),
}

/// By a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByProgram {
    /// Which.
    pub program: HookProgram,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_a_plain_path_that_only_root_writes_to() {
        for good in ["/usr/local/sbin/dns-hook", "/opt/hooks/a_b.sh"] {
            assert_eq!(HookProgram::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "/",
            "hook",
            "./hook",
            "/opt/../tmp/hook",
            "/home/mara/hook",
            "/var/www/s/hook",
            "/tmp/hook",
            "/opt/a b",
            "/opt/a;b",
            "/opt/$HOME",
            "/etc/lalapanel/hook",
            "/opt//hook",
        ] {
            assert!(HookProgram::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_kept_before_there_were_programs_is_read_as_before() {
        let kept = r#"{"server":"192.0.2.1","key":{"name":"k","algorithm":"hmac-sha256"},"secret":"c2VjcmV0LXNlY3JldA=="}"#;
        assert!(matches!(
            serde_json::from_str(kept).unwrap(),
            DnsWay::Update(_)
        ));
        let program = r#"{"program":"/opt/hook"}"#;
        assert!(matches!(
            serde_json::from_str(program).unwrap(),
            DnsWay::Program(_)
        ));
        assert!(serde_json::from_str::<DnsWay>(r#"{"program":"/tmp/hook"}"#).is_err());
    }
}
