//! What a person may say when installing: on the command line, or in a file of answers with the same words.
//!
//! Invariant: a flag wins over an answer, and an answer nobody knows is an error that names it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::account::AccountName;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::panel_setting::{MailAddress, PanelPort};
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::host::Host;
use crate::render::panel::PanelFile;

const LIMIT: usize = 64 * 1024;

/// The flags of `lalapanel install`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstallOptions {
    /// Only show what would be done.
    pub plan: bool,
    /// Do not ask.
    pub yes: bool,
    /// One JSON document instead of words.
    pub json: bool,
    /// A file of answers.
    pub answers: Option<PathBuf>,
    /// The panel's name.
    pub hostname: Option<Hostname>,
    /// Where a certificate authority may write to.
    pub email: Option<String>,
    /// PHP versions; none means the distribution's own.
    pub php: Vec<PhpVersion>,
    /// The first account.
    pub admin: Option<AccountName>,
    /// Where its password is.
    pub admin_password_file: Option<PathBuf>,
    /// The panel's HTTPS port.
    pub port: Option<u16>,
    /// The manual page and the completion of commands, which the command line knows.
    pub handbook: Vec<PanelFile>,
}

/// The flags of `lalapanel uninstall`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own"
)]
pub struct RemoveOptions {
    /// Only show what would be done.
    pub plan: bool,
    /// Do not ask.
    pub yes: bool,
    /// One JSON document instead of words.
    pub json: bool,
    /// All sites, the packages that came with the panel, and the state as well.
    pub purge: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    hostname: Option<Hostname>,
    email: Option<String>,
    #[serde(default)]
    php: Vec<PhpVersion>,
    admin: Option<AccountName>,
    admin_password_file: Option<PathBuf>,
    port: Option<u16>,
}

impl InstallOptions {
    /// The same with what the file of answers adds, checked as far as one can without looking at the host.
    pub fn complete(mut self, host: &dyn Host) -> Result<Self, Fault> {
        if let Some(file) = self.answers.take() {
            let bytes = read(host, &file, LIMIT)?;
            self = self.with_answers(&String::from_utf8_lossy(&bytes), &file)?;
        }
        self.check()?;
        Ok(self)
    }

    fn with_answers(self, text: &str, file: &Path) -> Result<Self, Fault> {
        let answers: Answers = toml::from_str(text).map_err(|error| {
            Fault::new(
                Code::AnswersInvalid,
                format!("the answers in `{}` cannot be used", file.display()),
                "its keys are hostname, email, php, admin, admin_password_file and port, as TOML",
            )
            .detail(error.to_string().trim().to_owned())
        })?;
        Ok(Self {
            hostname: self.hostname.or(answers.hostname),
            email: self.email.or(answers.email),
            php: if self.php.is_empty() {
                answers.php
            } else {
                self.php
            },
            admin: self.admin.or(answers.admin),
            admin_password_file: self.admin_password_file.or(answers.admin_password_file),
            port: self.port.or(answers.port),
            ..self
        })
    }

    fn check(&self) -> Result<(), Fault> {
        let invalid = |title: &str, hint: &str| Err(Fault::new(Code::AnswersInvalid, title, hint));
        if self.admin.is_some() != self.admin_password_file.is_some() {
            return invalid(
                "an account needs a name and a password",
                "give both `--admin NAME` and `--admin-password-file FILE`, or neither: then a one-time link is printed",
            );
        }
        if self
            .email
            .as_deref()
            .is_some_and(|email| MailAddress::parse(email).is_err())
        {
            return invalid(
                "the e-mail address is not one",
                "write it as in admin@example.org",
            );
        }
        if self
            .port
            .is_some_and(|port| PanelPort::try_from(port).is_err())
        {
            return invalid(
                "this port is not free for the panel",
                "80 and 443 are the sites', 22 is SSH's; leave `--port` out for 8443",
            );
        }
        Ok(())
    }
}

/// Reads a file a person named, relative to where they are.
pub(super) fn read(host: &dyn Host, file: &Path, limit: usize) -> Result<Vec<u8>, Fault> {
    let unreadable = |detail: String| {
        Fault::new(
            Code::AnswersInvalid,
            format!("`{}` cannot be read", file.display()),
            "check the name, and that root may read it",
        )
        .detail(detail)
    };
    let whole = std::path::absolute(file).map_err(|error| unreadable(error.to_string()))?;
    let path =
        HostPath::parse(&whole.to_string_lossy()).map_err(|error| unreadable(error.to_string()))?;
    host.read(&path, limit)
        .map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(options: InstallOptions, text: &str) -> Result<InstallOptions, Fault> {
        options.with_answers(text, Path::new("answers.toml"))
    }

    #[test]
    fn a_flag_wins_over_an_answer() {
        let options = InstallOptions {
            port: Some(9443),
            ..InstallOptions::default()
        };
        let text = "hostname = \"panel.example\"\nport = 8443\nphp = [\"8.2\"]\n";
        let options = answered(options, text).unwrap();
        assert_eq!(options.port, Some(9443));
        assert_eq!(options.hostname.unwrap().as_str(), "panel.example");
        assert_eq!(options.php, [PhpVersion::new(8, 2)]);
    }

    #[test]
    fn an_unknown_answer_is_named() {
        let fault = answered(InstallOptions::default(), "hostnam = \"a.example\"\n").unwrap_err();
        assert_eq!(fault.code, Code::AnswersInvalid);
        assert!(fault.detail.contains("hostnam"), "{}", fault.detail);
    }

    #[test]
    fn a_wrong_value_is_named() {
        let fault = answered(InstallOptions::default(), "hostname = \"a b\"\n").unwrap_err();
        assert!(fault.detail.contains("hostname"), "{}", fault.detail);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for options in [
            InstallOptions {
                admin: Some(AccountName::parse("mara").unwrap()),
                ..InstallOptions::default()
            },
            InstallOptions {
                email: Some("mara".to_owned()),
                ..InstallOptions::default()
            },
            InstallOptions {
                port: Some(80),
                ..InstallOptions::default()
            },
        ] {
            let fault = options.check().unwrap_err();
            assert_eq!(fault.code, Code::AnswersInvalid);
        }
        let fine = InstallOptions {
            email: Some("mara@example.org".to_owned()),
            ..InstallOptions::default()
        };
        assert!(fine.check().is_ok());
    }
}
