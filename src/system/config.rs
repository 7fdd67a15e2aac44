//! `/etc/lalapanel/config.toml`: what an administrator may set by hand.
//!
//! Invariant: an unknown key or a wrong value stops the agent with the line that is wrong; nothing is guessed.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::archive::ArchiveUrl;
use crate::domain::authority::{DirectoryUrl, Failures};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::panel_setting::{MailAddress, PanelSetting};
use crate::domain::path::HostPath;
use crate::domain::uptime::Every;
use crate::host::{Host, HostError};
use crate::system::notify::Notify;

pub(super) const LIMIT: usize = 256 * 1024;
/// Where people look for a panel.
pub const DEFAULT_PORT: u16 = 8443;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The panel itself.
    #[serde(default)]
    pub panel: Panel,
    /// Certificates.
    #[serde(default)]
    pub acme: Acme,
    /// WordPress.
    #[serde(default, skip_serializing_if = "Wordpress::is_unset")]
    pub wordpress: Wordpress,
    /// Who is told of what needs somebody.
    #[serde(default, skip_serializing_if = "Notify::is_unset")]
    pub notify: Notify,
    /// How sites are looked at from outside.
    #[serde(default, skip_serializing_if = "Uptime::is_unset")]
    pub uptime: Uptime,
}

/// Section `[uptime]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uptime {
    /// So often each site is looked at.
    #[serde(default)]
    pub every_seconds: Every,
}

impl Uptime {
    fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

/// Section `[panel]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// The name people open the panel by; none means by address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<Hostname>,
    /// Its HTTPS port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<IpAddr>,
}

/// Section `[acme]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// The directory of the certificate authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Where the authority may write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Roots to trust for the directory's own HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<HostPath>,
    /// Do not look from here first whether the names of an order lead to this server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_preflight: bool,
    /// The key id of an external account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eab_kid: Option<String>,
    /// The key of an external account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eab_hmac_key: Option<String>,
    /// The directory of a second authority, for when the first fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_directory: Option<String>,
    /// After how many failures of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_after: Option<Failures>,
    /// Roots to trust for the second directory's own HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_ca_file: Option<HostPath>,
    /// The key id of an external account at the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_eab_kid: Option<String>,
    /// The key of an external account at the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_eab_hmac_key: Option<String>,
}

/// Section `[wordpress]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wordpress {
    /// Where the archive is fetched from, with its checksum at the same address and `.sha256` or `.sha1` after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_url: Option<ArchiveUrl>,
    /// Roots to trust for that server's HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<HostPath>,
}

impl Wordpress {
    fn is_unset(&self) -> bool {
        *self == Self::default()
    }

    /// Where the archive is fetched from.
    #[must_use]
    pub fn url(&self) -> ArchiveUrl {
        self.archive_url
            .clone()
            .unwrap_or_else(ArchiveUrl::official)
    }
}

impl Default for Panel {
    fn default() -> Self {
        Self {
            hostname: None,
            port: DEFAULT_PORT,
            trusted_proxies: Vec::new(),
        }
    }
}

fn default_port() -> u16 {
    DEFAULT_PORT
}

fn unread(why: &str) -> Fault {
    Fault::new(
        Code::ConfigInvalid,
        format!("`{}` cannot be read", file()),
        "mend the line named below, then restart the panel",
    )
    .detail(without_secrets(why))
}

/// The reader's words show the line that is wrong, and what stands in it may be nobody's business.
fn without_secrets(words: &str) -> String {
    let is_secret = |key: &str| {
        let key = key.to_ascii_lowercase();
        ["pas", "secret", "key", "webhook"]
            .iter()
            .any(|word| key.contains(word))
    };
    let shown = words.lines().map(|line| match line.split_once('=') {
        Some((key, _)) if is_secret(key) => format!("{key}= (hidden)"),
        _ => line.to_owned(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Where the file is.
#[must_use]
pub fn file() -> HostPath {
    HostPath::fixed("/etc/lalapanel/config.toml")
}

impl Config {
    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let config: Self = toml::from_str(text).map_err(|error| unread(&error.to_string()))?;
        config.notify.check().map_err(unread)?;
        Ok(config)
    }

    /// Reads the file; the defaults where there is none.
    pub fn read(host: &dyn Host) -> Result<Self, Fault> {
        match host.read(&file(), LIMIT) {
            Ok(bytes) => Self::parse(&String::from_utf8_lossy(&bytes)),
            Err(HostError::Missing { .. }) => Ok(Self::default()),
            Err(error) => Err(Fault::new(
                Code::ConfigInvalid,
                error.to_string(),
                "see whether the file can be read, then restart the panel",
            )),
        }
    }

    /// The value a setting has now.
    #[must_use]
    pub fn value(&self, of: &PanelSetting) -> PanelSetting {
        // What was written by hand and is none counts as not set.
        let directory = || DirectoryUrl::parse(self.acme.directory.as_deref()?).ok();
        let email = || MailAddress::parse(self.acme.email.as_deref()?).ok();
        match of {
            PanelSetting::Hostname(_) => PanelSetting::Hostname(self.panel.hostname.clone()),
            PanelSetting::Port(wanted) => {
                PanelSetting::Port(self.panel.port.try_into().unwrap_or(*wanted))
            }
            PanelSetting::Email(_) => PanelSetting::Email(email()),
            PanelSetting::Directory(_) => PanelSetting::Directory(directory()),
            PanelSetting::FallbackDirectory(_) => {
                let second = self.acme.fallback_directory.as_deref();
                PanelSetting::FallbackDirectory(
                    second.and_then(|url| DirectoryUrl::parse(url).ok()),
                )
            }
            PanelSetting::FallbackAfter(_) => PanelSetting::FallbackAfter(self.acme.fallback_after),
            PanelSetting::TrustedProxies(_) => {
                PanelSetting::TrustedProxies(self.panel.trusted_proxies.clone())
            }
            PanelSetting::Notify(setting) => PanelSetting::Notify(self.notify.value(setting.key())),
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let body = toml::to_string(self).unwrap_or_default();
        format!(
            "# Settings of Lala Panel. After a change: systemctl restart lalapanel-agent lalapanel-web\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_written_and_read_back() {
        let mut config = Config::default();
        config.panel.hostname = Some(Hostname::parse("panel.example").unwrap());
        config.acme.email = Some("admin@example.org".to_owned());
        assert_eq!(Config::parse(&config.text()).unwrap(), config);
    }

    #[test]
    fn an_archive_of_wordpress_is_taken_from_its_makers_or_by_https_from_a_mirror() {
        assert_eq!(Config::default().wordpress.url(), ArchiveUrl::official());
        let mirror = "[wordpress]\narchive_url = \"https://mirror.example/latest.tar.gz\"\n";
        let config = Config::parse(mirror).unwrap();
        assert_eq!(config.wordpress.url().host(), "mirror.example");
        assert_eq!(Config::parse(&config.text()).unwrap(), config);
        assert!(Config::parse(&mirror.replace("https", "http")).is_err());
    }

    #[test]
    fn an_unknown_key_is_named() {
        let fault = Config::parse("[panel]\nprot = 8443\n").unwrap_err();
        assert!(fault.detail.contains("prot"), "{}", fault.detail);
    }

    #[test]
    fn a_line_that_is_wrong_is_named_without_its_secret() {
        for text in [
            "[notify]\nsmtp_pasword = \"canary\"\n",
            "[notify]\nsmtp_password = \"canary\" x\n",
            "[notify]\nwebhook_url = \"http://a.example/canary\"\n",
        ] {
            let fault = Config::parse(text).unwrap_err();
            assert!(!fault.detail.contains("canary"), "{}", fault.detail);
            assert!(fault.detail.contains("line 2"), "{}", fault.detail);
        }
    }

    #[test]
    fn a_second_authority_is_asked_after_some_failures_and_not_after_none() {
        let config = |number: u32| Config::parse(&format!("[acme]\nfallback_after = {number}\n"));
        assert_eq!(config(5).unwrap().acme.fallback_after.unwrap().number(), 5);
        assert!(config(0).is_err() && config(13).is_err());
    }

    #[test]
    fn an_empty_file_means_the_defaults() {
        assert_eq!(Config::parse("").unwrap().panel.port, 8443);
    }
}
