//! What people are shown: plain data the agent computes, and the pages and the CLI print.
//!
//! Invariant: no secret and no hash of one is in a view; counts are integers, times are UTC.

use serde::{Deserialize, Serialize};

use crate::domain::account::{AccountName, Role};
use crate::domain::archive::{ArchiveUrl, FetchedArchive};
use crate::domain::fault::Fault;
use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::site_name::SiteName;
use crate::domain::time::Timestamp;
use crate::domain::visitor::VisitorName;
use crate::rpc::nginx_view::DriftView;
use crate::rpc::trash::Trashed;

pub use crate::rpc::home_view::{HomeView, Need, Usage};

/// What the web process needs to know of the configuration, which it cannot read itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelView {
    /// The server's name, as pages show it.
    pub server: String,
    /// Names and addresses the panel may be opened by.
    pub hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

/// Who is signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionView {
    /// The account.
    pub name: AccountName,
    /// Its role.
    pub role: Role,
    /// When it ends if nothing is clicked any more.
    pub idle_end: Timestamp,
    /// When it ends in any case.
    pub absolute_end: Timestamp,
}

/// One account in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountView {
    /// Its name.
    pub name: AccountName,
    /// Its role.
    pub role: Role,
    /// When it was made.
    pub created: Timestamp,
    /// Its last sign-in.
    pub last_login: Option<Timestamp>,
    /// It may not sign in.
    pub disabled: bool,
}

/// One service the panel manages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceView {
    /// As the service manager names it.
    pub name: String,
    /// `active`, `inactive`, `failed`, …
    pub state: String,
    /// Whether that is as it should be.
    pub healthy: bool,
}

/// The answer to `lalapanel status`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusView {
    /// Of the panel.
    pub version: String,
    /// `Debian GNU/Linux 13 (trixie)`.
    pub distribution: String,
    /// `systemd` or `init scripts`.
    pub service_manager: String,
    /// nginx, MariaDB, the panel's own.
    pub services: Vec<ServiceView>,
    /// Installed PHP versions.
    pub php: Vec<PhpVersion>,
    /// How many sites there are.
    pub sites: u32,
    /// How many of them are online.
    pub sites_enabled: u32,
    /// Resident bytes of the agent.
    pub agent_memory: u64,
    /// Operations that need a person.
    pub stuck: Vec<OperationId>,
}

/// A site as people and scripts see it; field names are the contract's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SiteView {
    /// Canonical name, A-labels.
    pub hostname: Hostname,
    /// The same as its owner would write it.
    pub hostname_unicode: String,
    /// `php`, `wordpress`, `laravel`, `static`, `proxy`, `redirect`.
    pub r#type: String,
    /// The PHP version of a PHP site.
    pub php: Option<PhpVersion>,
    /// Further names.
    pub aliases: Vec<SiteName>,
    /// Names whose visitors are sent to the canonical one.
    #[serde(default)]
    pub redirected_names: Vec<SiteName>,
    /// False while it is offline.
    pub enabled: bool,
    /// What visitors get while it is enabled.
    #[serde(default)]
    pub serving: crate::domain::setting::Serving,
    /// What nginx serves.
    pub document_root: HostPath,
    /// Its Unix user.
    pub user: String,
    /// Its certificate.
    pub tls: TlsView,
    /// Its databases.
    pub databases: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Every setting that its type has, by key; empty in lists.
    #[serde(default)]
    pub settings: std::collections::BTreeMap<String, String>,
    /// Who may pass its protected paths, by name; empty in lists.
    #[serde(default)]
    pub visitors: Vec<VisitorName>,
    /// Its last operations, newest first; empty in lists.
    #[serde(default)]
    pub operations: Vec<OperationSummary>,
    /// Owned files that differ from what the panel wrote; empty in lists.
    #[serde(default)]
    pub drift: Vec<DriftView>,
}

impl SiteView {
    /// What runs it, in words.
    #[must_use]
    pub fn runs(&self) -> String {
        match (self.r#type.as_str(), self.php) {
            ("wordpress", Some(php)) => format!("WordPress, PHP {php}"),
            ("laravel", Some(php)) => format!("Front controller, PHP {php}"),
            (_, Some(php)) => format!("PHP {php}"),
            ("proxy", None) => "Application behind a proxy".to_owned(),
            ("redirect", None) => "Redirect".to_owned(),
            _ => "Static files".to_owned(),
        }
    }
}

/// The certificate of a site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TlsView {
    /// `off`, `placeholder`, `uploaded`, `issued`, or `test` for one that browsers do not trust.
    pub state: String,
    /// Who signed it.
    pub issuer: Option<String>,
    /// When it ends.
    pub not_after: Option<Timestamp>,
    /// For which names.
    pub names: Vec<SiteName>,
}

/// An archive of WordPress to install from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArchiveView {
    /// Where one is fetched from.
    pub url: ArchiveUrl,
    /// The one that was fetched from there and is fresh.
    pub fetched: Option<FetchedArchive>,
    /// Whether one is on its way.
    pub is_coming: bool,
}

/// What a new site may choose from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SiteOptions {
    /// Installed PHP versions, newest first.
    pub php: Vec<PhpVersion>,
    /// WordPress.
    pub archive: ArchiveView,
}

/// A plan as people see it before anything runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanView {
    /// `Create shop.example`.
    pub title: String,
    /// SHA-256 over the plan; `Apply` runs only if it is still the same.
    pub hash: String,
    /// What will happen, in order.
    pub steps: Vec<PlanStepView>,
    /// What the person should know beforehand.
    pub notes: Vec<String>,
}

/// One step of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanStepView {
    /// `Write the nginx file of shop.example`.
    pub title: String,
    /// The file, unit, user or package concerned.
    pub target: String,
    /// The exact command, where one runs.
    pub command: Option<String>,
    /// A unified diff, where a file changes.
    pub diff: Option<String>,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Steps are running.
    Working,
    /// A step failed; earlier ones are being undone.
    Undoing,
    /// Everything was done.
    Done,
    /// Everything was undone; the server is as before.
    Undone,
    /// An undo failed; a person is needed.
    Stuck,
}

impl OperationState {
    /// The word on a pill: ui words, sentence case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Working => "Working",
            Self::Undoing => "Undoing",
            Self::Done => "Done",
            Self::Undone => "Undone",
            Self::Stuck => "Needs you",
        }
    }

    /// True when nothing more will happen by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Undone | Self::Stuck)
    }
}

/// How far one step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Running now.
    Working,
    /// Done.
    Done,
    /// It did not work.
    Failed,
    /// Was done, and undone again.
    Undone,
}

impl StepState {
    /// The word beside the icon.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Working => "Working",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Undone => "Undone",
        }
    }
}

/// One line in a list of operations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationSummary {
    /// Its id.
    pub id: OperationId,
    /// `Create shop.example`.
    pub title: String,
    /// `site create`.
    pub change: String,
    /// The site concerned.
    pub hostname: Option<Hostname>,
    /// The name the site had before this operation renamed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<Hostname>,
    /// Who asked.
    pub actor: String,
    /// How far it is.
    pub state: OperationState,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Steps done so far.
    pub done: u32,
    /// Steps in all.
    pub steps: u32,
}

/// One operation in full.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationView {
    /// The line of the list.
    pub summary: OperationSummary,
    /// How many journal events there are; grows with every event, also across restarts.
    pub sequence: u64,
    /// Every step with its state.
    pub steps: Vec<OperationStepView>,
    /// Why it was undone or is stuck.
    pub fault: Option<Fault>,
    /// What a person must run when it is stuck.
    pub remaining: Vec<String>,
    /// True where the agent recovered it after a crash or a power cut.
    pub recovered: bool,
    /// What it moved to the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<Trashed>,
}

/// One step of an operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationStepView {
    /// In words.
    pub title: String,
    /// File, unit, user or package.
    pub target: String,
    /// How far it is.
    pub state: StepState,
    /// When it began.
    pub began: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What it found: `200 in 180 ms`.
    #[serde(default)]
    pub note: Option<String>,
}

/// One entry of the audit trail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Place in the chain, from 1.
    pub number: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: String,
    /// From which address.
    pub from: Option<std::net::IpAddr>,
    /// Which request.
    pub action: String,
    /// On what.
    pub object: String,
    /// `ok`, or a fault code.
    pub result: String,
    /// The operation it began.
    pub operation: Option<OperationId>,
}

/// The answer to `lalapanel doctor`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DoctorReport {
    /// Every check, in a fixed order.
    pub findings: Vec<Finding>,
}

/// One check of the doctor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// A stable name such as `nginx.configuration`.
    pub check: String,
    /// How bad.
    pub level: Level,
    /// What is so.
    pub title: String,
    /// What to do; empty where all is well.
    pub hint: String,
    /// The site concerned, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Hostname>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, with less safety or room than there should be.
    Warning,
    /// Needs a person.
    Problem,
}
