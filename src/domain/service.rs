//! The services of this server that a person may start, stop and restart.
//!
//! Invariant: there are three of them. The agent is none: it would have to survive its own end to say how that went.

use serde::{Deserialize, Serialize};

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Serves the sites.
    Nginx,
    /// The databases.
    Mariadb,
    /// This panel in the browser.
    Web,
}

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceVerb {
    /// Start it.
    Start,
    /// Stop it, until it is started again or the server boots.
    Stop,
    /// Stop and start it.
    Restart,
}

/// The text names no such service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the services are nginx, mariadb and lalapanel-web")]
pub struct UnknownService;

impl Service {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nginx, Self::Mariadb, Self::Web];

    /// As the service manager names it.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Mariadb => "mariadb",
            Self::Web => "lalapanel-web",
        }
    }

    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, UnknownService> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.unit() == text).ok_or(UnknownService)
    }
}

impl ServiceVerb {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Start, Self::Stop, Self::Restart];

    /// As it is typed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_one_of_those_that_are_listed() {
        for one in Service::ALL {
            assert_eq!(Service::parse(one.unit()), Ok(one));
        }
        for other in ["", "ssh", "nginx.service", "lalapanel-agent", "--help"] {
            assert_eq!(Service::parse(other), Err(UnknownService), "{other:?}");
        }
    }
}
