//! How people reach the panel from outside: its address, and the fingerprint of its certificate.
//!
//! Invariant: no address is ever built from what a browser sent.

use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Token;
use crate::host::Host;
use crate::rpc::view::PanelView;
use crate::system::config::Config;
use crate::system::{addresses, machine, panel_certificate};

/// How the panel is reached at this moment.
pub type Reach = Arc<dyn Fn() -> Panel + Send + Sync>;

/// The panel's public address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panel {
    /// Its name, or the server's address where it has none.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The server's name, as pages show it.
    pub server: String,
    /// Names and addresses it may be opened by.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Panel {
    /// From what the administrator set and what the machine is.
    #[must_use]
    pub fn of(host: &dyn Host, config: &Config) -> Self {
        let addresses = addresses::own(host);
        let name = config.panel.hostname.as_ref().map(ToString::to_string);
        let address = addresses.first().map(ToString::to_string);
        let hosts = name.iter().cloned();
        Self {
            hosts: hosts
                .chain(addresses.iter().map(ToString::to_string))
                .collect(),
            host: name.or(address).unwrap_or_else(|| "localhost".to_owned()),
            port: config.panel.port,
            server: machine::hostname(host),
            trusted_proxies: config.panel.trusted_proxies.clone(),
        }
    }

    /// What the web process is told.
    #[must_use]
    pub fn view(&self) -> PanelView {
        PanelView {
            server: self.server.clone(),
            hosts: self.hosts.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
        }
    }

    /// The panel's address.
    #[must_use]
    pub fn url(&self) -> String {
        let (host, port) = (&self.host, self.port);
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        format!("https://{host}:{port}/")
    }

    /// The address of the page that takes a one-time link.
    #[must_use]
    pub fn start_url(&self, link: &Token) -> String {
        format!("{}start?link={}", self.url(), link.reveal())
    }
}

/// SHA-256 of the panel's certificate, as browsers show it.
pub fn fingerprint(host: &dyn Host) -> Result<String, Fault> {
    let missing = || {
        Fault::new(
            Code::HostFailed,
            "The panel's certificate could not be read",
            "run `lalapanel install` again; it makes a missing certificate anew",
        )
    };
    let pem = panel_certificate::shown(host).map_err(|_| missing())?;
    panel_certificate::fingerprint(&pem).map_err(|_| missing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_link_can_be_opened_as_it_is() {
        let link = Token::from_random([1; 32]);
        let url = |host: &str| {
            let host = host.to_owned();
            let panel = Panel {
                host,
                port: 8443,
                ..Panel::default()
            };
            panel.start_url(&link)
        };
        let tail = format!(":8443/start?link={}", link.reveal());
        assert_eq!(url("panel.example"), format!("https://panel.example{tail}"));
        assert_eq!(url("2001:db8::1"), format!("https://[2001:db8::1]{tail}"));
    }
}
