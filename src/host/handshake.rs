//! A TLS handshake as a visitor makes one, to see which certificate is shown. Nothing is asked and nothing is trusted.
//!
//! Invariant: it goes to this machine alone, ends within a few seconds, and gives back a certificate and nothing else.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme,
};

use crate::domain::name::Hostname;

const WAIT: Duration = Duration::from_secs(5);

/// No certificate was seen.
#[derive(Debug, thiserror::Error)]
pub enum NoHandshake {
    /// Nobody listens, or too slowly.
    #[error("the port does not answer: {0}")]
    Silent(#[from] std::io::Error),
    /// The other side ended it.
    #[error("the handshake failed: {0}")]
    Refused(#[from] rustls::Error),
    /// The name cannot stand in a handshake.
    #[error("this name cannot be asked for")]
    Name,
}

/// The certificate that this machine shows for a name on a port, in DER.
pub fn shown(hostname: &Hostname, port: u16) -> Result<Vec<u8>, NoHandshake> {
    with(hostname, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

fn with(hostname: &Hostname, address: SocketAddr) -> Result<Vec<u8>, NoHandshake> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let seen = Arc::new(Seen {
        leaf: Mutex::default(),
        provider: provider.clone(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    let name = ServerName::try_from(hostname.as_str().to_owned()).map_err(|_| NoHandshake::Name)?;
    let mut connection = ClientConnection::new(Arc::new(config), name)?;
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(own_words)?;
    }
    connection.send_close_notify();
    let _ = connection.complete_io(&mut stream);
    let leaf = seen.leaf.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(leaf.clone())
}

/// rustls hides its own errors in those of reading.
fn own_words(error: std::io::Error) -> NoHandshake {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(refused) => NoHandshake::Refused(refused.clone()),
        None => NoHandshake::Silent(error),
    }
}

/// Takes any certificate, since it only wants to see it; that the other side has its key is proved by its signature.
#[derive(Debug)]
struct Seen {
    leaf: Mutex<Vec<u8>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.leaf.lock().unwrap_or_else(PoisonError::into_inner) = leaf.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::{leaf_of, samples};
    use rustls_pki_types::PrivateKeyDer;
    use rustls_pki_types::pem::PemObject as _;
    use std::net::TcpListener;
    use tokio_rustls::rustls::{ServerConfig, ServerConnection};

    #[test]
    fn the_certificate_that_is_shown_is_the_one_that_is_seen() {
        let (text, key) = samples::self_signed("shop.example");
        let leaf = leaf_of(&text).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(leaf.clone())],
                PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
            while connection.is_handshaking() {
                connection.complete_io(&mut stream).unwrap();
            }
        });
        let hostname = Hostname::parse("shop.example").unwrap();
        assert_eq!(with(&hostname, address).unwrap(), leaf);
        server.join().unwrap();
        assert!(matches!(
            with(&hostname, address),
            Err(NoHandshake::Silent(_))
        ));
    }
}
