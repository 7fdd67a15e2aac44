//! What each change is called.
//!
//! Invariant: a change has the words of the command that asks for it.

use crate::domain::change::Change;
use crate::domain::panel_setting::TrialVerb;
use crate::domain::service::ServiceVerb;

impl Change {
    /// The name of the change in the audit trail and in lists.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::SiteCreate(_) => "site create",
            Self::SiteEnable { .. } => "site enable",
            Self::SiteDisable { .. } => "site disable",
            Self::SiteLogs { .. } => "site logs",
            Self::SiteDelete { .. } => "site delete",
            Self::SiteRestore { .. } => "site restore",
            Self::SiteDiscard { .. } => "site discard",
            Self::SiteRename { .. } => "site rename",
            Self::SiteClone { .. } => "site clone",
            Self::SiteSet { .. } => "site set",
            Self::SiteSnippet { .. } => "site snippet",
            Self::SiteDrift { .. } => "site drift",
            Self::SitePurge { .. } => "site purge",
            Self::SiteVisitor { .. } => "site visitor",
            Self::CertificateInstall { .. } => "cert install",
            Self::CertificateRemove { .. } => "cert remove",
            Self::SitePhp { .. } => "site php",
            Self::PhpInstall { .. } => "php install",
            Self::PhpRemove { .. } => "php remove",
            Self::PhpExtensionInstall { .. } => "php extension install",
            Self::PhpExtensionRemove { .. } => "php extension remove",
            Self::PhpRepository { .. } => "php repository",
            Self::Service { verb, .. } => match verb {
                ServiceVerb::Start => "service start",
                ServiceVerb::Stop => "service stop",
                ServiceVerb::Restart => "service restart",
            },
            Self::DatabaseCreate { .. } => "db create",
            Self::DatabaseDelete { .. } => "db delete",
            Self::DatabaseRestore { .. } => "db restore",
            Self::DatabaseImport { .. } => "db import",
            Self::DatabasePassword { .. } | Self::DatabaseSitePassword { .. } => "db password",
            Self::DatabaseAccess(change) => change.act.word(),
            Self::PanelSet { .. } => "settings set",
            Self::PanelTrial { verb } => match verb {
                TrialVerb::Keep => "settings keep",
                TrialVerb::Back => "settings back",
                TrialVerb::Longer => "settings longer",
            },
        }
    }
}
