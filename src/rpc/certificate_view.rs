//! Certificates as they go over the wire to pages and the command line.
//!
//! Invariant: nothing here is a secret; a key comes in by a request and never goes out.

use serde::{Deserialize, Serialize};

use crate::domain::certificate::Certificate;
use crate::domain::dns::{DnsName, DnsServer, UpdateKey};
use crate::domain::dns_way::HookProgram;
use crate::domain::name::Hostname;
use crate::domain::site_name::SiteName;
use crate::domain::tls::TlsMode;
use crate::rpc::issuance::IssuanceView;

/// What a site shows by HTTPS, or the panel.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own for scripts"
)]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CertificateView {
    /// Whose.
    pub hostname: Hostname,
    /// True for the panel's own.
    #[serde(default)]
    pub panel: bool,
    /// `off`, `placeholder`, `uploaded`, `issued`, or `test` for one that browsers do not trust.
    pub state: String,
    /// Who sees to it.
    pub mode: TlsMode,
    /// Whether visitors are sent to HTTPS.
    pub https_only: bool,
    /// Whether browsers are told to come by HTTPS alone.
    pub hsts: bool,
    /// Names of the site that it does not cover.
    pub uncovered: Vec<SiteName>,
    /// True once it is not good any more.
    pub has_ended: bool,
    /// Whole days until it ends.
    pub days_left: Option<u64>,
    /// By which way into DNS its names are proved; none where they are over port 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsName>,
    /// Which authority issued it to the panel; none where none did.
    #[serde(default)]
    pub authority: Option<String>,
    /// What it says; none for a placeholder.
    pub certificate: Option<Certificate>,
    /// How it stands with getting one; none where nothing was ever tried nor is to be.
    #[serde(default)]
    pub order: Option<IssuanceView>,
}

impl CertificateView {
    /// Why a name with a star is not in it; none where that is not so.
    #[must_use]
    pub fn needs_dns(&self) -> Option<String> {
        let is_star = |name: &&SiteName| matches!(name, SiteName::Wildcard(_));
        let star = self.uncovered.iter().find(is_star)?;
        self.dns.is_none().then(|| {
            format!(
                "{star} has to be proved in DNS: `lalapanel cert dns add`, then `lalapanel cert issue {} --dns NAME`",
                self.hostname
            )
        })
    }
}

/// A way into DNS, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsView {
    /// What it is called here.
    pub name: DnsName,
    /// Where updates go; none for a program.
    pub server: Option<DnsServer>,
    /// What they are signed with; none for a program.
    pub key: Option<UpdateKey>,
    /// The program that writes the records.
    #[serde(default)]
    pub program: Option<HookProgram>,
    /// The sites whose names are proved by it.
    pub sites: Vec<Hostname>,
}

/// A certificate that was put down for a site and is not shown yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DepositedView {
    /// For which site.
    pub hostname: Hostname,
    /// What it says.
    pub certificate: Certificate,
    /// What people should know before they install it.
    pub notes: Vec<String>,
}
