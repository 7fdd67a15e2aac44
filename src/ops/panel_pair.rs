//! The panel's own certificate from an authority: put in place in one step, and kept only if the panel then shows it.
//!
//! Invariant: whatever fails, the panel shows what it showed before; chain and key are one file, so no crash can part them.

use zeroize::Zeroizing;

use crate::domain::certificate::{Certificate, Chain, PrivateKey, Source};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::host::{Host, HostError, HostResult, Owner};
use crate::ops::pairs::{self, Checked};
use crate::system::{handshake, panel_certificate, users};

const LIMIT: usize = 128 * 1024;
/// The web process looks at its files once a second, and may have to be started first.
const SEEN_MILLIS: u64 = 15_000;

/// Where the panel is reached.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// By this name.
    pub hostname: &'a Hostname,
    /// On this port.
    pub port: u16,
}

/// Checks a chain and its key as those of sites are checked, puts them in place, and shakes hands with the panel. To be called
/// while the engine is held.
pub fn install(
    host: &dyn Host,
    place: Place<'_>,
    chain: &str,
    key: &PrivateKey,
    source: Source,
) -> Result<Certificate, Fault> {
    let Checked {
        chain,
        key,
        certificate,
    } = pairs::check(host, place.hostname, chain, key, source, host.now())?;
    let before = bytes(host)?;
    let text = Zeroizing::new(format!("{}{}", chain.text(), key.reveal()));
    put(host, text.as_bytes())?;
    let seen = handshake::see(host, place.hostname, place.port, chain.leaf(), SEEN_MILLIS);
    match seen {
        Ok(Ok(())) => Ok(certificate),
        Ok(Err(why)) => Err(back(host, before.as_deref(), unseen(place, &why))),
        Err(error) => Err(back(host, before.as_deref(), error.into())),
    }
}

/// What the panel shows of an authority's; none where it signed its own.
pub fn find(host: &dyn Host, source: Source) -> Result<Option<Certificate>, Fault> {
    let Some(text) = panel_certificate::issued(host)? else {
        return Ok(None);
    };
    // One that cannot be read is passed over by the panel as well.
    let read = Chain::stored(&text).and_then(|chain| chain.certificate(source));
    Ok(read.ok())
}

/// What lies where the panel's first certificate was made: somebody may have put another one there.
pub fn first(host: &dyn Host) -> Result<Option<Certificate>, Fault> {
    let bytes = match host.read(&panel_certificate::certificate_file(), LIMIT) {
        Ok(bytes) => bytes,
        Err(HostError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let chain = Chain::stored(&String::from_utf8_lossy(&bytes));
    let read = chain.and_then(|chain| chain.certificate(Source::Uploaded));
    Ok(read.ok())
}

fn bytes(host: &dyn Host) -> HostResult<Option<Zeroizing<Vec<u8>>>> {
    match host.read(&panel_certificate::issued_file(), LIMIT) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(HostError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn put(host: &dyn Host, bytes: &[u8]) -> HostResult<()> {
    let gid = users::group(host, users::WEB)?.unwrap_or(0);
    let owner = Owner { uid: 0, gid };
    let path = panel_certificate::issued_file();
    host.write(&path, bytes, owner, panel_certificate::LENT)
}

fn back(host: &dyn Host, before: Option<&Vec<u8>>, fault: Fault) -> Fault {
    let path = panel_certificate::issued_file();
    let gone = match before {
        Some(bytes) => put(host, bytes),
        None => host.remove(&path),
    };
    match gone {
        Ok(()) => fault,
        Err(error) => fault.detail(format!("`{path}` could not be put back: {error}")),
    }
}

fn unseen(place: Place<'_>, why: &str) -> Fault {
    Fault::new(
        Code::CertificateUnseen,
        format!(
            "the panel does not show its new certificate for {}",
            place.hostname
        ),
        "the one before is back; see `systemctl status lalapanel-web`, then try again",
    )
    .detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::{leaf_of, samples};
    use crate::host::Mode;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    /// A panel that runs with its first certificate.
    fn panel() -> MemoryHost {
        let host = MemoryHost::new(Machine::debian());
        host.set_now(samples::now());
        let directory = panel_certificate::directory();
        for path in [directory.parent(), directory] {
            host.make_dir(&path, Owner::ROOT, Mode(0o711)).unwrap();
        }
        let (first, _) = samples::self_signed("panel.example");
        let file = panel_certificate::certificate_file();
        host.write(&file, first.as_bytes(), Owner::ROOT, Mode(0o644))
            .unwrap();
        host
    }

    fn acme() -> Source {
        Source::Acme {
            ca: "ca.example".to_owned(),
            test: false,
        }
    }

    fn put_in(
        host: &MemoryHost,
        name: &str,
        chain: &str,
        key: &PrivateKey,
    ) -> Result<Certificate, Fault> {
        let hostname = Hostname::parse(name).unwrap();
        let place = Place {
            hostname: &hostname,
            port: 8443,
        };
        install(host, place, chain, key, acme())
    }

    #[test]
    fn what_an_authority_issued_is_shown_in_place_of_the_first_and_lies_in_one_file() {
        let host = panel();
        let (chain, key) = samples::self_signed("panel.example");
        assert!(find(&host, acme()).unwrap().is_none());
        let certificate = put_in(&host, "panel.example", &chain, &key).unwrap();
        assert_eq!(find(&host, acme()).unwrap(), Some(certificate));
        let shown = String::from_utf8(panel_certificate::shown(&host).unwrap()).unwrap();
        assert_eq!(leaf_of(&shown), leaf_of(&chain));
        assert!(!shown.contains("PRIVATE"));
        let meta = host
            .stat(&panel_certificate::issued_file())
            .unwrap()
            .unwrap();
        assert_eq!((meta.owner.uid, meta.mode), (0, panel_certificate::LENT));
    }

    #[test]
    fn one_for_another_name_or_with_another_key_is_refused_before_anything_changes() {
        let host = panel();
        let (chain, key) = samples::self_signed("other.example");
        let (_, another) = samples::self_signed("panel.example");
        for (name, key) in [("panel.example", &key), ("other.example", &another)] {
            let fault = put_in(&host, name, &chain, key).unwrap_err();
            assert_eq!(fault.code, Code::CertificateRefused);
            assert!(find(&host, acme()).unwrap().is_none());
        }
    }

    #[test]
    fn one_that_the_panel_does_not_show_gives_way_to_what_was_there() {
        let host = panel();
        let (chain, key) = samples::self_signed("panel.example");
        put_in(&host, "panel.example", &chain, &key).unwrap();
        let before = panel_certificate::shown(&host).unwrap();
        // Without its first certificate the panel does not start.
        host.remove(&panel_certificate::certificate_file()).unwrap();
        let (next, key) = samples::self_signed("panel.example");
        let fault = put_in(&host, "panel.example", &next, &key).unwrap_err();
        assert_eq!(fault.code, Code::CertificateUnseen);
        assert_eq!(panel_certificate::shown(&host).unwrap(), before);
        host.remove(&panel_certificate::issued_file()).unwrap();
        assert!(put_in(&host, "panel.example", &next, &key).is_err());
        assert!(find(&host, acme()).unwrap().is_none());
    }
}
