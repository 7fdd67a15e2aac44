//! The panel's own certificate: read at start, and again once its files are others, while connections go on.
//!
//! Invariant: a pair that cannot be used never takes the place of one that can; the key is never shown, not even in an error.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// The files are looked at by a handshake, and not more often than this.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a pair cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// One of the files.
    #[error("could not read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no PEM of the kind it should be.
    #[error("`{}` does not hold what it should", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// The key is not that of the certificate, or of a kind unknown here.
    #[error("the certificate and its key cannot be used")]
    Unfit(#[from] tokio_rustls::rustls::Error),
}

/// Where certificate and key are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// PEM chain, the server's own first.
    pub(super) certificate: PathBuf,
    /// PEM key.
    pub(super) key: PathBuf,
    /// A chain with its key behind it, which goes before both while it can be used.
    pub(super) issued: PathBuf,
}

/// TLS as the panel speaks it, with the pair in these files, whichever they hold at the time of a handshake.
pub(super) fn config(files: Files) -> Result<ServerConfig, PairError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let current = Current::read(files, Arc::clone(&provider))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(current));
    config.alpn_protocols = vec!["h2".into(), "http/1.1".into()];
    // All of ours are strong; but a client that prefers the weakest of them gets the strongest it has.
    config.ignore_client_order = true;
    Ok(config)
}

/// When a file was written, its inode and its size; none where it cannot be looked at.
type Stamp = Option<(i64, i64, u64, u64)>;

#[derive(Debug)]
struct Held {
    pair: Arc<CertifiedKey>,
    stamps: [Stamp; 3],
    looked: Instant,
}

/// The pair in use.
#[derive(Debug)]
struct Current {
    files: Files,
    provider: Arc<CryptoProvider>,
    held: Mutex<Held>,
}

impl Current {
    fn read(files: Files, provider: Arc<CryptoProvider>) -> Result<Self, PairError> {
        // Before the files: what is written meanwhile is read again.
        let stamps = files.stamps();
        let held = Held {
            pair: Arc::new(files.pair(&provider)?),
            stamps,
            looked: Instant::now(),
        };
        Ok(Self {
            files,
            provider,
            held: Mutex::new(held),
        })
    }

    fn pair(&self, now: Instant) -> Arc<CertifiedKey> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(held.looked) >= PAUSE {
            held.looked = now;
            let stamps = self.files.stamps();
            // Between the two files of a renewal the pair does not fit; the next look finds them both.
            if stamps != held.stamps
                && let Ok(pair) = self.files.pair(&self.provider)
            {
                held.pair = Arc::new(pair);
                held.stamps = stamps;
            }
        }
        Arc::clone(&held.pair)
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair(Instant::now()))
    }
}

impl Files {
    fn stamps(&self) -> [Stamp; 3] {
        [&self.certificate, &self.key, &self.issued].map(|path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.mtime(), meta.mtime_nsec(), meta.ino(), meta.len()))
        })
    }

    /// What an authority issued; where there is nothing of that kind or it cannot be used, the first pair.
    fn pair(&self, provider: &CryptoProvider) -> Result<CertifiedKey, PairError> {
        read(&self.issued, &self.issued, provider)
            .or_else(|_| read(&self.certificate, &self.key, provider))
    }
}

fn read(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, PairError> {
    let of = |path: &Path, source| PairError::Pem {
        path: path.to_owned(),
        source,
    };
    let chain = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| of(certificate, error))?;
    let pair = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|error| of(key, error))?;
    Ok(CertifiedKey::from_der(chain, pair, provider)?)
}

fn bytes(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, PairError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this floor may not see the Host port; these are its own two files"
    )]
    let read = std::fs::read(path);
    read.map(zeroize::Zeroizing::new)
        .map_err(|source| PairError::Read {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "two files in a fresh directory, renewed as another process would"
)]
mod tests {
    use super::*;

    struct Renewed {
        directory: tempfile::TempDir,
        current: Current,
        begun: Instant,
    }

    fn put(directory: &Path, name: &str, text: &str) {
        std::fs::write(directory.join("new"), text).unwrap();
        std::fs::rename(directory.join("new"), directory.join(name)).unwrap();
    }

    fn made() -> (String, String, Vec<u8>) {
        let made = rcgen::generate_simple_self_signed(vec!["panel.example".to_owned()]).unwrap();
        let der = made.cert.der().to_vec();
        (made.cert.pem(), made.signing_key.serialize_pem(), der)
    }

    fn renewed() -> (Renewed, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key, der) = made();
        put(directory.path(), "panel.crt", &certificate);
        put(directory.path(), "panel.key", &key);
        let files = Files {
            certificate: directory.path().join("panel.crt"),
            key: directory.path().join("panel.key"),
            issued: directory.path().join("issued.pem"),
        };
        let current = Current::read(files, Arc::new(aws_lc_rs::default_provider())).unwrap();
        let begun = current.held.lock().unwrap().looked;
        let renewed = Renewed {
            directory,
            current,
            begun,
        };
        (renewed, der)
    }

    impl Renewed {
        fn shown(&self, seconds: u64) -> Vec<u8> {
            let pair = self.current.pair(self.begun + Duration::from_secs(seconds));
            pair.cert[0].to_vec()
        }
    }

    #[test]
    fn a_renewed_pair_is_used_by_the_next_handshake_a_second_later() {
        let (panel, first) = renewed();
        let (certificate, key, second) = made();
        put(panel.directory.path(), "panel.key", &key);
        // The old certificate stands beside the new key.
        assert_eq!(panel.shown(1), first);
        put(panel.directory.path(), "panel.crt", &certificate);
        assert_eq!(panel.shown(1), first);
        assert_eq!(panel.shown(2), second);
    }

    #[test]
    fn a_pair_that_cannot_be_used_changes_nothing() {
        let (panel, first) = renewed();
        put(panel.directory.path(), "panel.crt", "not a certificate");
        assert_eq!(panel.shown(1), first);
        std::fs::remove_file(panel.directory.path().join("panel.key")).unwrap();
        assert_eq!(panel.shown(2), first);
        let (certificate, key, third) = made();
        put(panel.directory.path(), "panel.crt", &certificate);
        put(panel.directory.path(), "panel.key", &key);
        assert_eq!(panel.shown(3), third);
    }

    #[test]
    fn what_an_authority_issued_goes_first_while_it_can_be_used() {
        let (panel, first) = renewed();
        let (certificate, key, issued) = made();
        put(panel.directory.path(), "issued.pem", &certificate);
        assert_eq!(panel.shown(1), first, "without its key");
        put(
            panel.directory.path(),
            "issued.pem",
            &format!("{certificate}{key}"),
        );
        assert_eq!(panel.shown(2), issued);
        let (another, key, next) = made();
        put(
            panel.directory.path(),
            "issued.pem",
            &format!("{another}{key}"),
        );
        assert_eq!(panel.shown(3), next);
        std::fs::remove_file(panel.directory.path().join("issued.pem")).unwrap();
        assert_eq!(panel.shown(4), first);
    }

    #[test]
    fn at_the_start_a_key_of_another_certificate_is_an_error_that_shows_nothing_of_it() {
        let (panel, _) = renewed();
        let (_, key, _) = made();
        put(panel.directory.path(), "panel.key", &key);
        let error = config(panel.current.files.clone()).err().unwrap();
        assert!(matches!(error, PairError::Unfit(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("BEGIN"));
    }
}
