//! Where a record belongs: aliases followed, its zone found, the servers of that zone, and which of them show it.
//!
//! Invariant: what DNS says is read as our own types and in bounds; no answer sends us anywhere but to a port 53.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::Message;
use hickory_proto::rr::{RData, RecordType};
use tokio::time::timeout;

use crate::acme::dns::wire::{ask, plain_name};
use crate::domain::dns::{ProofRecord, RecordName};

/// Aliases of aliases.
const MOST_ALIASES: usize = 8;
/// Servers of a zone, and addresses of each.
const MOST_SERVERS: usize = 13;
const MOST_ADDRESSES: usize = 4;
const LOOK_UP: Duration = Duration::from_secs(5);

/// Whoever is asked: a zone's own server, or resolvers that ask others.
#[derive(Debug, Clone)]
pub(super) struct Source {
    servers: Vec<SocketAddr>,
    recursive: bool,
}

impl Source {
    /// Servers that know zones of their own; only what they know themselves counts.
    pub(super) fn own(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            recursive: false,
        }
    }

    /// Resolvers.
    pub(super) fn resolvers(servers: &[IpAddr]) -> Self {
        Self {
            servers: servers.iter().map(|ip| SocketAddr::new(*ip, 53)).collect(),
            recursive: true,
        }
    }

    /// Who is asked, and whether they ask others.
    pub(super) fn into_parts(self) -> (Vec<SocketAddr>, bool) {
        (self.servers, self.recursive)
    }

    /// The first answer.
    pub(super) async fn ask(&self, name: &RecordName, kind: RecordType) -> Result<Message, String> {
        let mut silence = "no server is known".to_owned();
        for server in &self.servers {
            match ask(*server, name, kind, self.recursive).await {
                Ok(answer) => return Ok(answer),
                Err(why) => silence = format!("{server}: {why}"),
            }
        }
        Err(silence)
    }

    /// Where a name leads in the end. A resolver that says nothing leads nowhere else.
    pub(super) async fn follow(&self, name: RecordName) -> Result<RecordName, String> {
        let mut name = name;
        for _ in 0..MOST_ALIASES {
            let Ok(answer) = self.ask(&name, RecordType::CNAME).await else {
                return Ok(name);
            };
            let next = answer.answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if plain_name(&record.name).as_ref() == Some(&name) => {
                    plain_name(&target.0)
                }
                _ => None,
            });
            match next {
                Some(next) => name = next,
                None => return Ok(name),
            }
        }
        Err(format!("the aliases of {name} lead in a circle"))
    }

    /// The zone a name is in.
    pub(super) async fn zone(&self, name: &RecordName) -> Result<RecordName, String> {
        let answer = self.ask(name, RecordType::SOA).await?;
        let counts = self.recursive || answer.authoritative;
        let zone = answer
            .answers
            .iter()
            .chain(&answer.authorities)
            .filter(|record| counts && record.record_type() == RecordType::SOA)
            .find_map(|record| plain_name(&record.name));
        zone.filter(|zone| is_below(name, zone))
            .ok_or_else(|| format!("it has no zone that {name} is in"))
    }

    /// The addresses of a zone's servers.
    pub(super) async fn servers(&self, zone: &RecordName) -> Result<Vec<SocketAddr>, String> {
        let answer = self.ask(zone, RecordType::NS).await?;
        let names = answer
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                RData::NS(name) => plain_name(&name.0),
                _ => None,
            });
        let mut found: Vec<SocketAddr> = Vec::new();
        for name in names.take(MOST_SERVERS) {
            let own = glue(&answer, &name);
            let addresses = if own.is_empty() {
                looked_up(name.as_str(), 53).await
            } else {
                own
            };
            for address in addresses.into_iter().take(MOST_ADDRESSES) {
                if !found.contains(&address) {
                    found.push(address);
                }
            }
        }
        Ok(found)
    }
}

/// The addresses that came with the answer.
fn glue(answer: &Message, name: &RecordName) -> Vec<SocketAddr> {
    let own = answer.additionals.iter().filter_map(|record| {
        let ip: IpAddr = match &record.data {
            RData::A(address) => address.0.into(),
            RData::AAAA(address) => address.0.into(),
            _ => return None,
        };
        let is_its = plain_name(&record.name).as_ref() == Some(name);
        is_its.then(|| SocketAddr::new(ip, 53))
    });
    own.collect()
}

/// By the resolver of the system; nothing where it knows none.
pub(super) async fn looked_up(host: &str, port: u16) -> Vec<SocketAddr> {
    match timeout(LOOK_UP, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// Whether a server shows a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Yes,
    No,
    /// It does not answer.
    Silent,
}

/// Looks once.
pub(super) async fn shows(server: SocketAddr, record: &ProofRecord, recursive: bool) -> Shown {
    let (name, text) = (&record.name, &record.value);
    let Ok(answer) = ask(server, name, RecordType::TXT, recursive).await else {
        return Shown::Silent;
    };
    let has = answer.answers.iter().any(|record| match &record.data {
        RData::TXT(found) => found.txt_data.concat() == text.as_str().as_bytes(),
        _ => false,
    });
    if has { Shown::Yes } else { Shown::No }
}

pub(super) fn is_below(name: &RecordName, zone: &RecordName) -> bool {
    let front = name.as_str().strip_suffix(zone.as_str());
    front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_its_own_name_and_those_below_it() {
        let name = |text: &str| RecordName::parse(text).unwrap();
        let zone = name("shop.example");
        assert!(is_below(&zone, &zone) && is_below(&name("_a.b.shop.example"), &zone));
        assert!(!is_below(&name("myshop.example"), &zone) && !is_below(&name("example"), &zone));
    }
}
