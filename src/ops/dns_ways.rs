//! The ways into DNS: a file each, beside the state and never in it, since each holds the secret of a key.
//!
//! Invariant: root alone reads them; nothing but an errand of the courier ever gets a secret out of them.

use crate::domain::dns::DnsName;
use crate::domain::dns_way::DnsWay;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::domain::setting::Assignment;
use crate::host::{Host, HostError, HostResult, Mode, Owner};
use crate::system::files;

const DIRECTORY: Mode = Mode(0o700);
const SECRET: Mode = Mode(0o600);
const LIMIT: usize = 16 * 1024;
const ENDING: &str = ".json";

fn directory() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/dns")
}

fn file(name: &DnsName) -> HostPath {
    directory().join(&format!("{name}{ENDING}"))
}

/// Keeps one, in place of what had its name.
pub fn put(host: &dyn Host, name: &DnsName, way: &DnsWay) -> Result<(), Fault> {
    let bytes = serde_json::to_vec(way).map_err(|error| unreadable(name, &error.to_string()))?;
    host.make_dir(&directory(), Owner::ROOT, DIRECTORY)?;
    host.write(&file(name), &bytes, Owner::ROOT, SECRET)?;
    Ok(())
}

/// One of them.
pub fn find(host: &dyn Host, name: &DnsName) -> Result<DnsWay, Fault> {
    match host.read(&file(name), LIMIT) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| unreadable(name, &error.to_string()))
        }
        Err(HostError::Missing { .. }) => Err(unknown(name)),
        Err(error) => Err(error.into()),
    }
}

/// Refuses a setting that names one that is not there.
pub fn refuse_unknown(host: &dyn Host, values: &[Assignment]) -> Result<(), Fault> {
    let mut named = values.iter().filter(|value| value.key() == "tls.dns");
    named.try_for_each(|value| match DnsName::parse(value.value().trim()) {
        Ok(name) => find(host, &name).map(|_| ()),
        // None at all is fine, and what is no name is told by the setting itself.
        Err(_) => Ok(()),
    })
}

/// The names of all of them.
pub fn names(host: &dyn Host) -> HostResult<Vec<DnsName>> {
    let mut names: Vec<DnsName> = host
        .list(&directory())?
        .iter()
        .filter_map(|name| DnsName::parse(name.strip_suffix(ENDING)?).ok())
        .collect();
    names.sort();
    Ok(names)
}

/// Destroys one.
pub fn remove(host: &dyn Host, name: &DnsName) -> Result<(), Fault> {
    find(host, name)?;
    host.remove(&file(name))?;
    Ok(())
}

/// Destroys all of them.
pub fn destroy(host: &dyn Host) -> HostResult<()> {
    files::destroy(host, &directory())
}

fn unknown(name: &DnsName) -> Fault {
    Fault::new(
        Code::DnsUnknown,
        format!("There is no way into DNS that is called `{name}`"),
        "see `lalapanel cert dns list`, or add it with `lalapanel cert dns add`",
    )
}

fn unreadable(name: &DnsName, why: &str) -> Fault {
    Fault::new(
        Code::DnsUnknown,
        format!("The way into DNS that is called `{name}` cannot be read"),
        "add it anew with `lalapanel cert dns add`",
    )
    .detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authority::KeyText;
    use crate::domain::dns::{DnsServer, RecordName, TsigAlgorithm, UpdateKey, UpdateServer};
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn a_way_is_kept_for_root_alone_until_it_is_removed() {
        let host = MemoryHost::new(Machine::debian());
        host.make_dir(&directory().parent(), Owner::ROOT, DIRECTORY)
            .unwrap();
        let name = DnsName::parse("bind").unwrap();
        let server = DnsWay::Update(UpdateServer {
            server: DnsServer::parse("192.0.2.1").unwrap(),
            key: UpdateKey {
                name: RecordName::parse("lala-key").unwrap(),
                algorithm: TsigAlgorithm::Sha512,
            },
            secret: KeyText::new("c2VjcmV0LXNlY3JldC1zZWNyZXQ=".to_owned()),
        });
        assert_eq!(find(&host, &name).unwrap_err().code, Code::DnsUnknown);
        assert_eq!(names(&host).unwrap(), []);
        let set = |value: &str| [Assignment::new("tls.dns", value).unwrap()];
        let fault = refuse_unknown(&host, &set("bind")).unwrap_err();
        assert!(fault.title.contains("`bind`") && fault.hint.contains("cert dns add"));
        assert!(refuse_unknown(&host, &set("")).is_ok());
        put(&host, &name, &server).unwrap();
        assert!(refuse_unknown(&host, &set("bind")).is_ok());
        let kept = host.stat(&file(&name)).unwrap().unwrap();
        assert_eq!((kept.mode, kept.owner), (SECRET, Owner::ROOT));
        assert_eq!(find(&host, &name).unwrap(), server);
        assert_eq!(names(&host).unwrap(), std::slice::from_ref(&name));
        remove(&host, &name).unwrap();
        assert!(remove(&host, &name).is_err());
        put(&host, &name, &server).unwrap();
        destroy(&host).unwrap();
        assert_eq!(host.stat(&directory()).unwrap(), None);
    }
}
