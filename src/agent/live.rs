//! The settings of the panel as they are now: read at the start, and again once they were changed.
//!
//! Invariant: a file that cannot be read changes nothing; what was known goes on to count.

use std::sync::Arc;

use crate::agent::panel::Panel;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::panel_setting::Trial;
use crate::domain::shared::Shared;
use crate::host::Host;
use crate::rpc::settings::{SettingsView, TrialView};
use crate::system::config::Config;
use crate::system::{machine, panel_trial};

/// The settings. Clones share them.
#[derive(Clone)]
pub struct LiveSettings {
    config: Shared<Config>,
}

impl LiveSettings {
    /// As they were read.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config: Shared::new(config),
        }
    }

    /// As they are.
    #[must_use]
    pub fn now(&self) -> Arc<Config> {
        self.config.now()
    }

    /// Reads them again.
    pub fn refresh(&self, host: &dyn Host) {
        if let Ok(config) = Config::read(host) {
            self.config.put(config);
        }
    }

    /// No site may have these: the panel's own name, also one that is tried, and what this machine calls itself.
    #[must_use]
    pub fn names(&self, host: &dyn Host) -> Vec<Hostname> {
        let mut names: Vec<Hostname> = self.now().panel.hostname.iter().cloned().collect();
        names.extend(tried(host));
        names.extend(Hostname::parse(&machine::hostname(host)));
        names.dedup();
        names
    }

    /// How people reach the panel now; read anew, since the web process asks when it starts after a change.
    #[must_use]
    pub fn panel(&self, host: &dyn Host) -> Panel {
        self.refresh(host);
        let mut panel = Panel::of(host, &self.now());
        panel.hosts.extend(tried(host).map(|name| name.to_string()));
        panel
    }

    /// What people are shown of them.
    pub fn view(&self, host: &dyn Host) -> Result<SettingsView, Fault> {
        let config = self.now();
        let trial = panel_trial::now(host)?;
        Ok(SettingsView {
            hostname: config.panel.hostname.clone(),
            port: config.panel.port,
            trusted_proxies: config.panel.trusted_proxies.clone(),
            email: config.acme.email.clone(),
            directory: config.acme.directory.clone(),
            fallback_directory: config.acme.fallback_directory.clone(),
            fallback_after: config.acme.fallback_after,
            trial: trial.map(|Trial { to, until, .. }| TrialView {
                hostname: to.hostname,
                port: to.port.number(),
                until,
            }),
        })
    }
}

fn tried(host: &dyn Host) -> Option<Hostname> {
    panel_trial::now(host).ok()??.to.hostname
}
