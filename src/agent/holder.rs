//! Who shows a certificate that the panel may get: a site, or the panel itself under its own name.
//!
//! Invariant: a certificate that somebody put into the panel's place by hand is never replaced unasked.

use crate::domain::authority::PRODUCTION;
use crate::domain::certificate::{Certificate, Source};
use crate::domain::dns::DnsName;
use crate::domain::fault::Fault;
use crate::domain::id::SiteId;
use crate::domain::issuance::Issuance;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;
use crate::host::Host;
use crate::ops::panel_pair::{self, Place};
use crate::schedule::renewals::Shown;
use crate::system::config::Acme;

/// One of both.
pub(super) enum Holder {
    /// A site.
    Site(Box<Site>),
    /// The panel.
    Panel(Box<PanelHolder>),
}

/// The panel as it is at this moment.
pub(super) struct PanelHolder {
    /// Its name.
    pub(super) hostname: Hostname,
    port: u16,
    /// What it shows that did not sign itself.
    pub(super) certificate: Option<Certificate>,
    auto: bool,
}

impl PanelHolder {
    /// Looks at what the panel shows.
    pub(super) fn look(
        host: &dyn Host,
        hostname: &Hostname,
        port: u16,
        settings: &Acme,
    ) -> Result<Self, Fault> {
        let name = SiteName::Exact(hostname.clone());
        let issued = panel_pair::find(host, issued())?;
        // After a change of name, that of the old one counts for nothing.
        let issued = issued.filter(|one| one.covers(&name));
        let (certificate, is_own) = match issued {
            Some(issued) => (Some(issued), true),
            None => match panel_pair::first(host)? {
                Some(first) if !first.self_signed => (Some(first), false),
                _ => (None, true),
            },
        };
        let directory = settings.directory.as_deref().unwrap_or(PRODUCTION);
        Ok(Self {
            auto: is_own && (directory != PRODUCTION || hostname.is_public()),
            hostname: hostname.clone(),
            port,
            certificate,
        })
    }

    /// One that the panel sees to.
    #[cfg(test)]
    pub(super) fn with(hostname: Hostname, port: u16, certificate: Option<Certificate>) -> Self {
        Self {
            hostname,
            port,
            certificate,
            auto: true,
        }
    }

    /// Where it is reached.
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            hostname: &self.hostname,
            port: self.port,
        }
    }

    /// As it counts for when to order.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown {
            auto: self.auto,
            certificate: self.certificate.as_ref(),
        }
    }

    /// What is remembered of orders, unless it is of another name.
    pub(super) fn own(&self, issuance: Option<Issuance>) -> Option<Issuance> {
        issuance.filter(|one| {
            let name = one.last.as_ref().and_then(|last| last.names.first());
            name.is_none_or(|name| *name.hostname() == self.hostname)
        })
    }
}

/// What is in the file for it came from an authority; its name is in the certificate.
fn issued() -> Source {
    Source::Acme {
        ca: String::new(),
        test: false,
    }
}

impl Holder {
    /// By which number what is known of its orders is kept.
    pub(super) fn id(&self) -> SiteId {
        match self {
            Self::Site(site) => site.id,
            Self::Panel(_) => SiteId::PANEL,
        }
    }

    /// Its own name.
    pub(super) fn hostname(&self) -> &Hostname {
        match self {
            Self::Site(site) => &site.hostname,
            Self::Panel(panel) => &panel.hostname,
        }
    }

    /// By which way into DNS its names are proved; none where they are over port 80.
    pub(super) fn dns(&self) -> Option<&DnsName> {
        match self {
            Self::Site(site) => site.tls.dns.as_ref(),
            Self::Panel(_) => None,
        }
    }

    /// Its own name first. Names with a star need a proof in DNS; what one of them covers is not ordered beside it, which
    /// authorities refuse.
    pub(super) fn names(&self) -> Vec<SiteName> {
        let mut names = vec![SiteName::Exact(self.hostname().clone())];
        if let Self::Site(site) = self {
            for name in site.names() {
                let is_ordered = matches!(name, SiteName::Exact(_)) || self.dns().is_some();
                if is_ordered && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let stars: Vec<SiteName> = names
            .iter()
            .filter(|name| matches!(name, SiteName::Wildcard(_)))
            .cloned()
            .collect();
        names.retain(|name| !stars.iter().any(|star| covers(star, name)));
        names
    }

    /// What is remembered of its orders, as far as it counts.
    pub(super) fn own(&self, issuance: Option<Issuance>) -> Option<Issuance> {
        match self {
            Self::Site(_) => issuance,
            Self::Panel(panel) => panel.own(issuance),
        }
    }

    /// False for a site that is offline: nobody is shown its certificate.
    pub(super) fn is_enabled(&self) -> bool {
        match self {
            Self::Site(site) => site.enabled,
            Self::Panel(_) => true,
        }
    }

    /// As it counts for when to order.
    pub(super) fn shown(&self) -> Shown<'_> {
        match self {
            Self::Site(site) => site.as_ref().into(),
            Self::Panel(panel) => panel.shown(),
        }
    }

    /// Why one that is for trying only is not installed; none where it may be.
    pub(super) fn refuses_tests(&self) -> Option<&'static str> {
        match self {
            Self::Site(site) => site
                .trusted()
                .map(|_| "the site has one that browsers trust"),
            Self::Panel(_) => Some("the panel never shows one that is for trying only"),
        }
    }
}

/// True where a certificate for the star is good for the name: one label stands in its place.
fn covers(star: &SiteName, name: &SiteName) -> bool {
    let SiteName::Exact(name) = name else {
        return false;
    };
    let above = name.as_str().split_once('.').map(|(_, above)| above);
    above == Some(star.hostname().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::render::golden::php_site;
    use crate::system::panel_certificate;

    fn looked(host: &MemoryHost, name: &str, directory: Option<&str>) -> PanelHolder {
        let settings = Acme {
            directory: directory.map(str::to_owned),
            ..Acme::default()
        };
        PanelHolder::look(host, &Hostname::parse(name).unwrap(), 8443, &settings).unwrap()
    }

    #[test]
    fn a_name_that_no_public_authority_knows_is_not_ordered_there_unasked() {
        let host = MemoryHost::new(Machine::debian());
        let own = Some("https://ca.example:14000/dir");
        assert!(looked(&host, "panel.example.org.uk", None).auto);
        assert!(!looked(&host, "panel.example", None).auto);
        assert!(looked(&host, "panel.example", own).auto);
    }

    #[test]
    fn what_somebody_put_there_is_left_alone_and_an_issued_one_is_renewed() {
        let host = MemoryHost::new(Machine::debian());
        let authority = samples::Authority::new();
        let (chain, _) = authority.issue(&["panel.example.org.uk"], 30);
        let put = |path, text: &str| host.change(|machine| machine.tree.put_text(&path, text));
        put(panel_certificate::certificate_file(), &chain);
        let found = looked(&host, "panel.example.org.uk", None);
        assert!(!found.auto && found.certificate.is_some());
        put(panel_certificate::issued_file(), &chain);
        let found = looked(&host, "panel.example.org.uk", None);
        assert!(found.auto && found.certificate.is_some());
        assert!(Holder::Panel(Box::new(found)).refuses_tests().is_some());
        put(panel_certificate::certificate_file(), "");
        let renamed = looked(&host, "other.example.org.uk", None);
        assert!(renamed.auto && renamed.certificate.is_none());
    }

    #[test]
    fn a_site_is_ordered_for_under_its_own_name_first_and_without_stars() {
        let mut site = php_site();
        let names = |site: &Site| Holder::Site(Box::new(site.clone())).names();
        let before = names(&site).len();
        site.aliases
            .push(SiteName::parse("*.shop.example").unwrap());
        assert_eq!(names(&site).len(), before);
        let own = SiteName::Exact(site.hostname.clone());
        assert_eq!(names(&site).first(), Some(&own));
    }

    #[test]
    fn with_a_proof_in_dns_stars_are_ordered_and_take_in_the_names_they_cover() {
        let mut site = php_site();
        let name = |text: &str| SiteName::parse(text).unwrap();
        site.aliases = ["*.shop.example", "www.shop.example", "a.b.shop.example"]
            .map(name)
            .to_vec();
        site.redirected.clear();
        site.tls.dns = Some(DnsName::parse("bind").unwrap());
        let names = Holder::Site(Box::new(site)).names();
        let wanted = ["shop.example", "*.shop.example", "a.b.shop.example"].map(name);
        assert_eq!(names, wanted);
    }
}
