//! The ways into DNS: keeping, listing and forgetting them, and what an order gets of one.
//!
//! Invariant: a secret that came in goes into a file of root's and into errands of the courier; no answer holds it.

use crate::agent::holder::Holder;
use crate::domain::dns::{DnsName, ProofRecord};
use crate::domain::dns_way::{ByProgram, DnsWay};
use crate::domain::fault::{Code, Fault};
use crate::domain::issuance::Issuance;
use crate::domain::name::Hostname;
use crate::host::Host;
use crate::ops::engine::Engine;
use crate::ops::{dns_program, dns_ways};
use crate::rpc::certificate_view::DnsView;
use crate::rpc::courier::{Clean, DnsWork, Errand, Report};
use crate::rpc::protocol::{Answer, Reply, Request};
use crate::system::{addresses, courier};

/// Answers requests about them.
pub(super) fn answer(engine: &Engine, request: Request) -> Answer {
    match request {
        Request::DnsPut { name, server } => {
            dns_ways::put(engine.host(), &name, &DnsWay::Update(server))?;
            Ok(Reply::Done {})
        }
        Request::DnsProgram { name, program } => {
            dns_program::check(engine.host(), &program)?;
            let way = DnsWay::Program(ByProgram { program });
            dns_ways::put(engine.host(), &name, &way)?;
            Ok(Reply::Done {})
        }
        Request::DnsRemove { name } => {
            let used = users(engine, &name)?;
            if used.is_empty() {
                dns_ways::remove(engine.host(), &name)?;
                Ok(Reply::Done {})
            } else {
                Err(in_use(&name, &used))
            }
        }
        _ => list(engine).map(Reply::Dns),
    }
}

fn list(engine: &Engine) -> Result<Vec<DnsView>, Fault> {
    let mut views = Vec::new();
    for name in dns_ways::names(engine.host())? {
        let (server, key, program) = match dns_ways::find(engine.host(), &name)? {
            DnsWay::Update(update) => (Some(update.server), Some(update.key), None),
            DnsWay::Program(by) => (None, None, Some(by.program)),
        };
        let sites = users(engine, &name)?;
        views.push(DnsView {
            name,
            server,
            key,
            program,
            sites,
        });
    }
    Ok(views)
}

/// Those in the trash as well: they come back with it.
fn users(engine: &Engine, name: &DnsName) -> Result<Vec<Hostname>, Fault> {
    let (sites, trash) = (engine.store().sites()?, engine.store().trash()?);
    let all = sites.iter().chain(trash.iter().map(|one| &one.site));
    let users = all.filter(|site| site.tls.dns.as_ref() == Some(name));
    Ok(users.map(|site| site.hostname.clone()).collect())
}

fn in_use(name: &DnsName, used: &[Hostname]) -> Fault {
    let names: Vec<String> = used.iter().take(3).map(ToString::to_string).collect();
    let first = used.first().map_or("SITE", Hostname::as_str);
    Fault::new(
        Code::DnsUsed,
        format!(
            "The names of {} site(s) are proved by `{name}`: {}",
            used.len(),
            names.join(", ")
        ),
        format!("have them proved in another way first: `lalapanel site set {first} tls.dns=`"),
    )
}

/// What an order or a removal needs; none for a holder whose names are proved over port 80.
pub(super) fn work(host: &dyn Host, holder: &Holder) -> Result<Option<Box<DnsWork>>, Fault> {
    let Some(name) = holder.dns() else {
        return Ok(None);
    };
    let way = dns_ways::find(host, name)?;
    if let DnsWay::Program(by) = &way {
        dns_program::check(host, &by.program)?;
    }
    Ok(Some(Box::new(DnsWork {
        way,
        resolvers: addresses::resolvers(host),
        now: host.now(),
    })))
}

/// Removes what orders left in DNS. Where its way is gone, there is nothing left to try.
pub(super) fn clean(engine: &Engine, holder: &Holder) -> Result<(), Fault> {
    let (host, store) = (engine.host(), engine.store());
    let Some(before) = store.issuance(holder.id())? else {
        return Ok(());
    };
    let records = before.left_in_dns;
    let left = match work(host, holder) {
        Ok(Some(dns)) => removed(host, *dns, records.clone())?,
        Ok(None) => Vec::new(),
        Err(fault) if fault.code == Code::DnsUnknown => Vec::new(),
        Err(fault) => return Err(fault),
    };
    if let Some(mut now) = store.issuance(holder.id())? {
        let is_done = |one: &ProofRecord| records.contains(one) && !left.contains(one);
        now.left_in_dns.retain(|one| !is_done(one));
        store.put_issuance(holder.id(), &now)?;
    }
    Ok(())
}

/// What could not be removed.
fn removed(
    host: &dyn Host,
    dns: DnsWork,
    records: Vec<ProofRecord>,
) -> Result<Vec<ProofRecord>, Fault> {
    let errand = Errand::Clean(Box::new(Clean { dns, records }));
    match courier::send(host, &errand)? {
        Report::Cleaned { left } => Ok(left),
        _ => Err(courier::beside_the_point()),
    }
}

/// Whether an order left something behind.
pub(super) fn is_unclean(issuance: Option<&Issuance>) -> bool {
    issuance.is_some_and(|one| !one.left_in_dns.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::domain::authority::KeyText;
    use crate::domain::dns::{DnsServer, RecordName, TsigAlgorithm, UpdateKey, UpdateServer};
    use crate::domain::path::HostPath;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::host::{Mode, Owner};
    use crate::render::golden::php_site;
    use crate::store::Store;

    const SECRET: &str = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";

    fn engine() -> Engine {
        let host = MemoryHost::new(Machine::debian());
        let state = HostPath::fixed("/var/lib/lalapanel");
        host.make_dir(&state, Owner::ROOT, Mode(0o700)).unwrap();
        Engine::new(Arc::new(host), Store::in_memory().unwrap())
    }

    fn put(name: &DnsName) -> Request {
        Request::DnsPut {
            name: name.clone(),
            server: UpdateServer {
                server: DnsServer::parse("192.0.2.1").unwrap(),
                key: UpdateKey {
                    name: RecordName::parse("lala-key").unwrap(),
                    algorithm: TsigAlgorithm::Sha256,
                },
                secret: KeyText::new(SECRET.to_owned()),
            },
        }
    }

    #[test]
    fn a_secret_comes_in_and_goes_to_the_courier_alone() {
        let (engine, name) = (engine(), DnsName::parse("bind").unwrap());
        answer(&engine, put(&name)).unwrap();
        let shown = format!("{:?}", answer(&engine, Request::DnsList {}).unwrap());
        assert!(shown.contains("192.0.2.1") && !shown.contains(SECRET));
        let mut site = php_site();
        assert!(
            work(engine.host(), &Holder::Site(Box::new(site.clone())))
                .unwrap()
                .is_none()
        );
        site.tls.dns = Some(name);
        let work = work(engine.host(), &Holder::Site(Box::new(site)))
            .unwrap()
            .unwrap();
        let DnsWay::Update(server) = work.way else {
            panic!("it was kept as a server");
        };
        assert_eq!(server.secret.reveal(), SECRET);
    }

    #[test]
    fn a_way_that_a_site_uses_stays() {
        let (engine, name) = (engine(), DnsName::parse("bind").unwrap());
        answer(&engine, put(&name)).unwrap();
        let mut site = php_site();
        site.tls.dns = Some(name.clone());
        engine.store().put_site(&site).unwrap();
        let remove = || Request::DnsRemove { name: name.clone() };
        let fault = answer(&engine, remove()).unwrap_err();
        assert_eq!(fault.code, Code::DnsUsed);
        assert!(fault.hint.contains("tls.dns="));
        site.tls.dns = None;
        engine.store().put_site(&site).unwrap();
        answer(&engine, remove()).unwrap();
        assert_eq!(
            answer(&engine, remove()).unwrap_err().code,
            Code::DnsUnknown
        );
    }
}
