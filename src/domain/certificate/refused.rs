//! Why a certificate or a key is refused, in one sentence each, with what to do next.
//!
//! Invariant: no sentence holds anything of a key.

/// What kind of file somebody gave instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A request for a certificate.
    Request,
    /// A PKCS 7 bundle.
    Pkcs7,
    /// A private key.
    Key,
    /// A certificate.
    Certificate,
    /// Something else.
    Other,
}

/// Why it is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No certificate in it.
    #[error("there is no certificate in this file")]
    NoCertificate,
    /// Too large or too many.
    #[error("the certificate file is larger than a chain of 6 certificates ever is")]
    TooLarge,
    /// It holds something else as well.
    #[error("the certificate file holds {}", words(*.0))]
    NotOnlyCertificates(Shape),
    /// One of them cannot be read.
    #[error("certificate {number} in the file cannot be read")]
    Unreadable {
        /// Counted from 1.
        number: usize,
    },
    /// The key belongs to none of them.
    #[error("this key does not belong to this certificate")]
    OtherKey,
    /// It has ended.
    #[error("this certificate ended on {on}")]
    Expired {
        /// When.
        on: String,
    },
    /// It has not begun.
    #[error("this certificate is good only from {from} on")]
    NotYet {
        /// When.
        from: String,
    },
    /// It is for other names.
    #[error("this certificate is not for {wanted}, only for {names}")]
    OtherNames {
        /// The site's own name.
        wanted: String,
        /// Those it is for.
        names: String,
    },
    /// It has no names that browsers read.
    #[error("this certificate names no website")]
    NoNames,
    /// It is not for servers.
    #[error("this certificate is not meant for web servers")]
    NotForServers,
    /// OpenSSL of Debian and Ubuntu refuses it.
    #[error("this certificate is too weak: {why}")]
    Weak {
        /// `a key of 1024 bits`.
        why: String,
    },
    /// No key in it.
    #[error("there is no private key in this file")]
    NoKey,
    /// The key is encrypted.
    #[error("the private key is protected by a passphrase, which nginx could not ask for")]
    Encrypted,
    /// The key cannot be read.
    #[error("the private key cannot be read, or is of a kind that browsers do not accept")]
    UnreadableKey,
    /// It is not a key alone.
    #[error("the key file holds {}", words(*.0))]
    NotOnlyAKey(Shape),
}

impl Refused {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoCertificate => {
                "choose the file that begins with `-----BEGIN CERTIFICATE-----`; a binary one is converted with `openssl x509 -inform der -in FILE -out chain.pem`"
            }
            Self::TooLarge => {
                "give the site's certificate and its intermediates only, not a list of all authorities"
            }
            Self::NotOnlyCertificates(Shape::Pkcs7) => {
                "convert it first: `openssl pkcs7 -print_certs -in FILE -out chain.pem`"
            }
            Self::NotOnlyCertificates(Shape::Request) => {
                "a request is what an authority is sent; give the certificate that came back"
            }
            Self::NotOnlyCertificates(_) => {
                "give a file with certificates only, and the key in a file of its own"
            }
            Self::Unreadable { .. } => "copy the file again as a whole, from BEGIN to END",
            Self::OtherKey => "choose the key file that was made with it",
            Self::Expired { .. } | Self::NotYet { .. } => {
                "ask for a new certificate; if the date looks right, check the clock of this server with `date -u`"
            }
            Self::OtherNames { .. } | Self::NoNames => {
                "choose a certificate that names this site, or upload it to the site it is for"
            }
            Self::NotForServers | Self::Weak { .. } => {
                "ask the authority for a new one for a web server, with a key of 2048 bits RSA or P-256"
            }
            Self::NoKey => "choose the file that has `PRIVATE KEY` in its first line",
            Self::Encrypted => {
                "take the passphrase off with `openssl pkey -in key.pem -out plain.pem`, then give `plain.pem`"
            }
            Self::UnreadableKey => "give an RSA key of 2048 to 4096 bits, P-256, P-384 or P-521",
            Self::NotOnlyAKey(_) => "give a file that holds the private key alone",
        }
    }
}

fn words(shape: Shape) -> &'static str {
    match shape {
        Shape::Request => "a certificate request, not a certificate",
        Shape::Pkcs7 => "a PKCS 7 bundle, which nginx does not read",
        Shape::Key => "a private key as well",
        Shape::Certificate => "a certificate",
        Shape::Other => "something else as well",
    }
}
