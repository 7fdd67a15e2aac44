//! The keys of our accounts at certificate authorities: a file each, beside the state and never in it.
//!
//! Invariant: a key is kept before it is first used, so that no account is made twice for one authority; root alone reads it, and
//! no copy of the state holds it.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::domain::authority::KeyText;
use crate::domain::path::HostPath;
use crate::domain::secret::hex;
use crate::host::{Host, HostError, HostResult, Mode, Owner};
use crate::system::files;

const DIRECTORY: Mode = Mode(0o700);
const SECRET: Mode = Mode(0o600);
const LIMIT: usize = 16 * 1024;

/// Two orders at once make one account.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn directory() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/authorities")
}

/// `account` says which authority, and which external account there.
fn file(account: &str) -> HostPath {
    let name = hex(&Sha256::digest(account));
    directory().join(&format!("{}.pem", name.get(..32).unwrap_or(&name)))
}

/// The key of an account; where there is none yet, `make` makes it.
pub fn find_or_make<E: From<HostError>>(
    host: &dyn Host,
    account: &str,
    make: impl FnOnce() -> Result<String, E>,
) -> Result<KeyText, E> {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let path = file(account);
    match host.read(&path, LIMIT) {
        Ok(bytes) => return Ok(KeyText::new(String::from_utf8_lossy(&bytes).into_owned())),
        Err(HostError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let key = KeyText::new(make()?);
    host.make_dir(&directory(), Owner::ROOT, DIRECTORY)?;
    host.write(&path, key.reveal().as_bytes(), Owner::ROOT, SECRET)?;
    Ok(key)
}

/// Destroys all of them.
pub fn destroy(host: &dyn Host) -> HostResult<()> {
    files::destroy(host, &directory())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn the_first_key_of_an_account_stays_until_all_are_destroyed() {
        let host = MemoryHost::new(Machine::debian());
        let state = directory().parent();
        host.make_dir(&state, Owner::ROOT, DIRECTORY).unwrap();
        let key = |account: &str, text: &str| {
            let made = find_or_make::<HostError>(&host, account, || Ok(text.to_owned()));
            made.unwrap().reveal().to_owned()
        };
        assert_eq!(key("one", "a"), "a");
        assert_eq!(key("one", "b"), "a");
        assert_eq!(key("other", "c"), "c");
        destroy(&host).unwrap();
        assert_eq!(host.stat(&directory()).unwrap(), None);
        destroy(&host).unwrap();
    }
}
