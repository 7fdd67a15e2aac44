//! Which certificate a visitor sees: a handshake over TCP with a port of this machine.
//!
//! Invariant: the agent has no network; the handshake is made by this program run beside it, which says a fingerprint and no more.

use sha2::{Digest, Sha256};

use crate::domain::name::Hostname;
use crate::domain::secret::hex;
use crate::domain::text::shown;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult};

/// The verb of this program that shakes hands.
pub const VERB: &str = "handshake";

/// The fingerprint of a certificate, as [`certificate`] tells it.
#[must_use]
pub fn print(der: &[u8]) -> String {
    hex(&Sha256::digest(der))
}

/// Where sites are.
pub const HTTPS: u16 = 443;

/// The fingerprint of the certificate shown for a name on a port, or why there is none.
pub fn certificate(
    host: &dyn Host,
    hostname: &Hostname,
    port: u16,
) -> HostResult<Result<String, String>> {
    let port = port.to_string();
    let command = Command::new(Program::Lalapanel, [VERB, hostname.as_str(), &port]).within(15);
    let output = host.run(&command)?;
    Ok(if output.is_success() {
        Ok(output.stdout.trim().to_owned())
    } else {
        Err(shown(output.stderr.trim(), 200))
    })
}

/// Shakes hands until the certificate is the wanted one (DER), at most for so long; otherwise why it was not seen.
pub fn see(
    host: &dyn Host,
    hostname: &Hostname,
    port: u16,
    wanted: &[u8],
    millis: u64,
) -> HostResult<Result<(), String>> {
    let wanted = print(wanted);
    let deadline = host.now().millis().saturating_add(millis);
    let mut wait = 50;
    loop {
        let seen = certificate(host, hostname, port)?;
        if seen.as_ref().is_ok_and(|seen| *seen == wanted) {
            return Ok(Ok(()));
        }
        if host.now().millis() >= deadline {
            let other = || "another certificate is shown".to_owned();
            return Ok(Err(seen.err().unwrap_or_else(other)));
        }
        host.pause(wait);
        wait = (wait * 2).min(500);
    }
}
