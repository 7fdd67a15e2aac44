//! The application behind a proxy site.
//!
//! Invariant: an address or a socket that stands in an nginx file as it is; never a name to be resolved, never a socket of the system.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::path::HostPath;

/// The application behind a proxy site.
///
/// Why no hostname: one that does not resolve keeps nginx from starting, with every site of the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProxyTarget {
    /// An IP address and a port.
    Address(SocketAddr),
    /// A Unix socket.
    Socket(HostPath),
}

/// The text is not such a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProxyTarget {
    /// Neither form.
    #[error(
        "write an IP address with a port, such as 127.0.0.1:3000, or a socket, such as unix:/run/app/app.sock"
    )]
    Form,
    /// A hostname.
    #[error(
        "write the IP address instead of the name: a name that does not resolve would keep nginx from starting with all sites"
    )]
    Name,
    /// TLS to the application.
    #[error("the way to the application is plain HTTP: write http://, or leave it out")]
    Scheme,
    /// A socket of the system itself.
    #[error(
        "this socket belongs to the system or to the panel; name the one that your application listens on"
    )]
    Forbidden,
}

/// Sockets through which a visitor would reach more than an application.
const FORBIDDEN: [&str; 8] = [
    "/run/lalapanel",
    "/run/dbus",
    "/run/systemd",
    "/run/mysqld",
    "/run/docker.sock",
    "/run/containerd",
    "/run/snapd.socket",
    "/run/php",
];

impl ProxyTarget {
    /// Reads `127.0.0.1:3000`, `http://[::1]:3000`, `unix:/run/app/app.sock`.
    pub fn parse(text: &str) -> Result<Self, BadProxyTarget> {
        let text = text.trim();
        if text.starts_with("https://") {
            return Err(BadProxyTarget::Scheme);
        }
        let text = text
            .strip_prefix("http://")
            .unwrap_or(text)
            .trim_end_matches('/');
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::socket(path);
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => Ok(Self::Address(address)),
            Ok(_) => Err(BadProxyTarget::Form),
            Err(_) => {
                let name = text.split_once(':').map_or(text, |(name, _)| name);
                let is_name = name == "localhost" || Hostname::parse(name).is_ok();
                Err(if is_name {
                    BadProxyTarget::Name
                } else {
                    BadProxyTarget::Form
                })
            }
        }
    }

    fn socket(path: &str) -> Result<Self, BadProxyTarget> {
        let path = HostPath::parse(path).map_err(|_| BadProxyTarget::Form)?;
        let plain = path
            .as_str()
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
        if !plain || path.as_str().len() > 100 {
            return Err(BadProxyTarget::Form);
        }
        let short = path
            .as_str()
            .strip_prefix("/var")
            .filter(|rest| rest.starts_with("/run/"));
        let seen =
            HostPath::parse(short.unwrap_or(path.as_str())).map_err(|_| BadProxyTarget::Form)?;
        if FORBIDDEN
            .iter()
            .any(|bad| HostPath::fixed(bad).contains(&seen))
        {
            return Err(BadProxyTarget::Forbidden);
        }
        Ok(Self::Socket(path))
    }
}

impl std::fmt::Display for ProxyTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Socket(path) => write!(f, "unix:{path}"),
        }
    }
}

impl TryFrom<String> for ProxyTarget {
    type Error = BadProxyTarget;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ProxyTarget> for String {
    fn from(target: ProxyTarget) -> Self {
        target.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_proxy_goes_to_an_address_or_an_applications_own_socket() {
        for (typed, stored) in [
            ("127.0.0.1:3000", "127.0.0.1:3000"),
            ("http://127.0.0.1:3000/", "127.0.0.1:3000"),
            ("[::1]:80", "[::1]:80"),
            ("unix:/run/app/app.sock", "unix:/run/app/app.sock"),
        ] {
            assert_eq!(ProxyTarget::parse(typed).unwrap().to_string(), stored);
        }
        for (typed, why) in [
            ("localhost:3000", BadProxyTarget::Name),
            ("app.example:80", BadProxyTarget::Name),
            ("https://127.0.0.1:1", BadProxyTarget::Scheme),
            ("127.0.0.1", BadProxyTarget::Form),
            ("127.0.0.1:0", BadProxyTarget::Form),
            ("127.0.0.1:3000/x", BadProxyTarget::Form),
            ("unix:/run/lalapanel/agent.sock", BadProxyTarget::Forbidden),
            (
                "unix:/var/run/lalapanel/agent.sock",
                BadProxyTarget::Forbidden,
            ),
            ("unix:/run/docker.sock", BadProxyTarget::Forbidden),
            (
                "unix:/run/../run/lalapanel/agent.sock",
                BadProxyTarget::Form,
            ),
            ("unix:/run/a b", BadProxyTarget::Form),
        ] {
            assert_eq!(ProxyTarget::parse(typed), Err(why), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_safe_in_a_word(text in "[ -~]{0,40}|unix:/[ -~]{0,20}") {
            if let Ok(target) = ProxyTarget::parse(&text) {
                let strange = target.to_string().contains(['"', '\'', '\\', '$', ';', '{', '}', ' ', '\n']);
                prop_assert!(!strange);
            }
        }
    }
}
