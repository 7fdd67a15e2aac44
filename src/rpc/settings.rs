//! Settings of the panel as people see them.
//!
//! Invariant: no secret of the configuration file is among them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::authority::Failures;
use crate::domain::name::Hostname;
use crate::domain::panel_setting::PanelSetting;
use crate::domain::time::Timestamp;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsView {
    /// The name people open the panel by; none means by address.
    pub hostname: Option<Hostname>,
    /// Its HTTPS port.
    pub port: u16,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where the authority may write to.
    pub email: Option<String>,
    /// The directory of the certificate authority; none means Let's Encrypt.
    pub directory: Option<String>,
    /// The directory of a second authority, for when the first fails.
    #[serde(default)]
    pub fallback_directory: Option<String>,
    /// After how many failures of the first; none means after three.
    #[serde(default)]
    pub fallback_after: Option<Failures>,
    /// The address that is being tried.
    pub trial: Option<TrialView>,
}

/// An address that is being tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialView {
    /// Its name; none means by address.
    pub hostname: Option<Hostname>,
    /// Its port.
    pub port: u16,
    /// Then the former one comes back.
    pub until: Timestamp,
}

impl SettingsView {
    /// Keys with their values, as they are typed.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let proxies = PanelSetting::TrustedProxies(self.trusted_proxies.clone()).text();
        let hostname = PanelSetting::Hostname(self.hostname.clone()).text();
        let second = self.fallback_directory.clone().unwrap_or_default();
        let after = PanelSetting::FallbackAfter(self.fallback_after).text();
        vec![
            ("panel.hostname", hostname),
            ("panel.port", self.port.to_string()),
            ("acme.email", self.email.clone().unwrap_or_default()),
            ("acme.directory", self.directory.clone().unwrap_or_default()),
            ("acme.fallback_directory", second),
            ("acme.fallback_after", after),
            ("panel.trusted_proxies", proxies),
        ]
    }
}
