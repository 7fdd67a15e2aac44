//! How a site speaks HTTPS, and where the certificate that nginx shows lies.
//!
//! Invariant: no private key is in here; a site names its certificate by fingerprint and finds both files by it.

use serde::{Deserialize, Serialize};

use crate::domain::certificate::{Certificate, Fingerprint};
use crate::domain::dns::DnsName;
use crate::domain::id::SiteId;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;

/// Who sees to the certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Nobody: the site speaks plain HTTP.
    #[default]
    Off,
    /// The panel gets one and renews it.
    Auto,
    /// Its owner brought one.
    Uploaded,
}

impl TlsMode {
    /// The word in settings and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Auto => "auto",
            Self::Uploaded => "uploaded",
        }
    }
}

/// How a site speaks HTTPS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Who sees to the certificate.
    pub mode: TlsMode,
    /// Whether browsers shall come by HTTPS alone, for a year from each visit (RFC 6797).
    pub hsts: bool,
    /// Whether visitors may come by HTTP/3 (RFC 9114) as well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub http3: bool,
    /// By which way into DNS its names are proved; none where they are over port 80.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsName>,
    /// The certificate it shows; none while it shows a placeholder that it signed itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

impl Tls {
    /// True where nothing of it was ever set.
    #[must_use]
    pub fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

/// Where every pair of certificate and key lies, each in a directory of its own that never changes.
#[must_use]
pub fn pairs() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/pairs")
}

/// Where the links are by which nginx finds the pair of a site.
#[must_use]
pub fn links() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/certificates")
}

/// The name of the directory of one certificate: two sites that show the same one have a copy each.
#[must_use]
pub fn pair_name(site: SiteId, fingerprint: &Fingerprint) -> String {
    let short = fingerprint.as_str().get(..32).unwrap_or_default();
    format!("{site}-{short}")
}

/// The certificate with its intermediates, in such a directory.
#[must_use]
pub fn chain_file(pair: &HostPath) -> HostPath {
    pair.join("fullchain.pem")
}

/// The private key, in such a directory.
#[must_use]
pub fn key_file(pair: &HostPath) -> HostPath {
    pair.join("privkey.pem")
}

impl Site {
    /// True where nginx answers for it on port 443.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls.mode != TlsMode::Off
    }

    /// True where nginx answers for it on UDP port 443 as well.
    #[must_use]
    pub fn speaks_http3(&self) -> bool {
        self.has_tls() && self.tls.http3
    }

    /// The name of the directory whose pair it shows; none without TLS.
    #[must_use]
    pub fn pair_name(&self) -> Option<String> {
        self.has_tls().then(|| match &self.tls.certificate {
            Some(certificate) => pair_name(self.id, &certificate.fingerprint),
            None => format!("{}-placeholder", self.id),
        })
    }

    /// That directory.
    #[must_use]
    pub fn pair(&self) -> Option<HostPath> {
        Some(pairs().join(&self.pair_name()?))
    }

    /// The link by which nginx finds it: replaced in one `rename(2)`, so that no pair is ever mixed.
    #[must_use]
    pub fn certificate_link(&self) -> HostPath {
        links().join(self.hostname.as_str())
    }

    /// The certificate that visitors may be sent to; none while it is a placeholder or of an authority for trying.
    #[must_use]
    pub fn trusted(&self) -> Option<&Certificate> {
        let certificate = self.tls.certificate.as_ref();
        certificate.filter(|certificate| self.has_tls() && certificate.is_for_visitors())
    }

    /// True where visitors of this name are sent from HTTP to HTTPS.
    #[must_use]
    pub fn is_secure(&self, name: &SiteName) -> bool {
        self.trusted()
            .is_some_and(|certificate| certificate.covers(name))
    }

    /// The names that its certificate does not cover; none while there is no certificate to speak of.
    #[must_use]
    pub fn uncovered(&self) -> Vec<SiteName> {
        match (&self.tls.certificate, self.has_tls()) {
            (Some(certificate), true) => self
                .names()
                .filter(|name| !certificate.covers(name))
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::{Source, samples};
    use crate::domain::name::Hostname;
    use crate::domain::site::SiteKind;
    use crate::domain::time::Timestamp;

    fn site() -> Site {
        Site::new(
            SiteId::FIRST,
            Hostname::parse("shop.example").unwrap(),
            SiteKind::Static { spa: false },
            Timestamp::from_millis(0),
        )
    }

    #[test]
    fn a_site_shows_a_placeholder_until_it_has_a_certificate() {
        let mut site = site();
        assert_eq!(site.pair(), None);
        site.tls.mode = TlsMode::Auto;
        assert_eq!(
            site.pair().unwrap().as_str(),
            "/var/lib/lalapanel/pairs/s1001-placeholder"
        );
        site.tls.certificate = Some(samples::certificate(&["shop.example"], 90));
        assert_eq!(site.pair().unwrap().name().len(), "s1001-".len() + 32);
        site.tls.mode = TlsMode::Off;
        assert_eq!(site.pair(), None);
    }

    #[test]
    fn visitors_are_sent_to_https_only_where_their_browser_accepts_it() {
        let mut site = site();
        site.aliases = vec![SiteName::parse("other.example").unwrap()];
        site.tls.mode = TlsMode::Auto;
        let own = SiteName::parse("shop.example").unwrap();
        assert!(!site.is_secure(&own) && site.uncovered().is_empty());
        let mut certificate = samples::certificate(&["shop.example"], 90);
        site.tls.certificate = Some(certificate.clone());
        assert!(site.is_secure(&own));
        assert_eq!(site.uncovered(), site.aliases);
        assert!(!site.is_secure(site.aliases.first().unwrap()));
        certificate.source = Source::Acme {
            ca: "Somebody's staging".to_owned(),
            test: true,
        };
        site.tls.certificate = Some(certificate);
        assert!(!site.is_secure(&own));
    }
}
