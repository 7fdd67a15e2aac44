//! What only the panel itself needs of a host: its program, its certificate, files its services make.
//!
//! Invariant: the key is made while the step acts, so no plan and no journal ever holds it.

use std::net::IpAddr;

use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::host::exec::Program;
use crate::host::{Host, HostResult, Mode, Owner};
use crate::ops::undo::{Before, Undo};
use crate::system::{panel_certificate, users};

/// A program with debugging symbols is larger than one that is released.
const PROGRAM_LIMIT: usize = 1024 * 1024 * 1024;

/// Where units expect the program.
#[must_use]
pub fn program() -> HostPath {
    HostPath::fixed(Program::Lalapanel.path())
}

/// Whether two files hold the same program.
pub fn is_same(host: &dyn Host, one: &HostPath, other: &HostPath) -> HostResult<bool> {
    Ok(host.read(one, PROGRAM_LIMIT)? == host.read(other, PROGRAM_LIMIT)?)
}

/// Absent before: gone afterwards. Present before: never touched, and never read into the journal.
pub(super) fn claim(host: &dyn Host, path: &HostPath) -> HostResult<Undo> {
    Ok(match host.stat(path)? {
        Some(_) => Undo::Nothing,
        None => Undo::Restore {
            path: path.clone(),
            before: Before::Absent,
        },
    })
}

/// The way back of [`certify`].
pub(super) fn certificate_undo(host: &dyn Host) -> HostResult<Undo> {
    let undos = vec![
        claim(host, &panel_certificate::certificate_file())?,
        claim(host, &panel_certificate::key_file())?,
    ];
    Ok(Undo::All { undos })
}

/// Makes key and certificate, unless both are there.
pub(super) fn certify(host: &dyn Host, name: &str, addresses: &[IpAddr]) -> Result<(), Fault> {
    let (certificate, key) = (
        panel_certificate::certificate_file(),
        panel_certificate::key_file(),
    );
    let is_there = |path| host.stat(path).map(|meta| meta.is_some());
    if is_there(&certificate)? && is_there(&key)? {
        return Ok(());
    }
    let made = panel_certificate::make(name, addresses, host.now()).map_err(|error| {
        Fault::new(
            Code::HostFailed,
            error.to_string(),
            "see whether the clock of this server is right (`date`), then try again",
        )
    })?;
    // The key first: a certificate without its key would look finished to the next run.
    host.write(&key, made.key.as_bytes(), Owner::ROOT, Mode(0o600))?;
    let text = made.certificate.as_bytes();
    host.write(&certificate, text, Owner::ROOT, Mode(0o644))?;
    panel_certificate::lend(host, users::group(host, users::WEB)?).map_err(Fault::from)
}

/// Copies the program in place, by one rename: processes that run the former one keep it.
pub(super) fn place_program(host: &dyn Host, from: &HostPath) -> Result<(), Fault> {
    let bytes = host.read(from, PROGRAM_LIMIT)?;
    host.write(&program(), &bytes, Owner::ROOT, Mode(0o755))
        .map_err(Fault::from)
}
