//! The panel's own certificate, read once at start.
//!
//! Invariant: the key is read from where systemd or the configuration put it, and is never shown, not even in an error.

use std::path::{Path, PathBuf};

use poem::listener::{RustlsCertificate, RustlsConfig};

/// Where certificate and key lie: the credentials systemd passed, else the configured paths.
pub(super) fn files(certificate: &Path, key: &Path) -> (PathBuf, PathBuf) {
    let passed = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    match passed {
        Some(directory) if directory.join("panel.crt").is_file() => {
            (directory.join("panel.crt"), directory.join("panel.key"))
        }
        _ => (certificate.to_owned(), key.to_owned()),
    }
}

/// Reads both files; an error names the file.
pub(super) fn read(
    certificate: &Path,
    key: &Path,
) -> Result<RustlsConfig, (PathBuf, std::io::Error)> {
    let chain = bytes(certificate)?;
    let secret = bytes(key)?;
    Ok(RustlsConfig::new().fallback(RustlsCertificate::new().cert(chain).key(secret)))
}

fn bytes(path: &Path) -> Result<Vec<u8>, (PathBuf, std::io::Error)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this floor may not see the Host port; these are its own two files, read once before any request"
    )]
    std::fs::read(path).map_err(|error| (path.to_owned(), error))
}
