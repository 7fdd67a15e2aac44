//! Which certificate a visitor sees: a handshake over TCP with the port 443 of this machine.
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

/// The fingerprint of the certificate shown for a name, or why there is none.
pub fn certificate(host: &dyn Host, hostname: &Hostname) -> HostResult<Result<String, String>> {
    let command = Command::new(Program::Lalapanel, [VERB, hostname.as_str()]).within(15);
    let output = host.run(&command)?;
    Ok(if output.is_success() {
        Ok(output.stdout.trim().to_owned())
    } else {
        Err(shown(output.stderr.trim(), 200))
    })
}
