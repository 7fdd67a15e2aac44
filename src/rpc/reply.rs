//! What the agent answers.
//!
//! Invariant: a reply holds no secret but those its asker asked for: a session, a device, a one-time link.

use serde::{Deserialize, Serialize};

use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::domain::notify_setting::SecretId;
use crate::domain::secret::Token;
use crate::domain::token::TokenView;
use crate::rpc::certificate_view::{CertificateView, DepositedView, DnsView};
use crate::rpc::database::{DatabaseDetail, DatabaseView, ExportedView, LoadedView};
use crate::rpc::log::LogView;
use crate::rpc::monitor::MonitorView;
use crate::rpc::nginx_view::{ForeignView, NginxView};
use crate::rpc::notify::{NotifyView, TrialView};
use crate::rpc::php::PhpView;
use crate::rpc::settings::SettingsView;
use crate::rpc::trash::TrashedView;
use crate::rpc::uptime::UptimesView;
use crate::rpc::view::{
    AccountView, ArchiveView, AuditEntry, DoctorReport, HomeView, OperationSummary, OperationView,
    PanelView, PlanView, SessionView, SiteOptions, SiteView, StatusView,
};

/// What the agent answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done, nothing to tell.
    Done {},
    /// To `Ping`.
    Pong {
        /// The agent's version.
        version: String,
    },
    /// To `Panel`.
    Panel(PanelView),
    /// To `Status`.
    Status(StatusView),
    /// To `SetupComplete` and `Login`: the new session, once.
    SignedIn {
        /// For the cookie.
        session: Token,
        /// Who it is.
        view: SessionView,
        /// For the cookie by which the next sign-in tells this browser from a stranger's.
        #[serde(default)]
        device: Option<Token>,
    },
    /// To `AccountPassword` of somebody signed in: the browser stays known under the new password.
    StaysKnown {
        /// For the cookie.
        device: Option<Token>,
    },
    /// To `Session`.
    Session(SessionView),
    /// To `AdminLink`.
    Link {
        /// The whole address, ready to open.
        url: String,
        /// When it stops working.
        expires: crate::domain::time::Timestamp,
        /// SHA-256 of the panel's certificate, to compare with what the browser shows.
        fingerprint: String,
    },
    /// To `AccountList`.
    Accounts(Vec<AccountView>),
    /// To `TokenList`.
    Tokens(Vec<TokenView>),
    /// To `TokenCreate`: the token, once.
    TokenMade {
        /// For whoever asked for it.
        token: Token,
        /// What is known of it.
        view: TokenView,
    },
    /// To `Home`.
    Home(Box<HomeView>),
    /// To `SiteList`.
    Sites(Vec<SiteView>),
    /// To `SiteTrash`.
    Trash(Vec<TrashedView>),
    /// To `SiteShow`.
    Site(Box<SiteView>),
    /// To `SiteNginx`.
    Nginx(Box<NginxView>),
    /// To `ForeignSites`.
    Foreign(Vec<ForeignView>),
    /// To `CertificateList`.
    Certificates(Vec<CertificateView>),
    /// To `CertificateShow`.
    Certificate(Box<CertificateView>),
    /// To `CertificateRenew`: the sites whose orders have begun.
    Issuing(Vec<Hostname>),
    /// To `DnsList`.
    Dns(Vec<DnsView>),
    /// To `CertificateDeposit`.
    Deposited(Box<DepositedView>),
    /// To `SiteOptions`.
    SiteOptions(SiteOptions),
    /// To `WordpressFetch`.
    Archive(Box<ArchiveView>),
    /// To `PhpList`.
    Php(Box<PhpView>),
    /// To `DatabaseList`.
    Databases(Vec<DatabaseView>),
    /// To `DatabaseShow`.
    Database(Box<DatabaseDetail>),
    /// To `DatabaseExport`, after its pieces: it is whole.
    Exported(ExportedView),
    /// To `DatabaseLoad`.
    Loaded(LoadedView),
    /// To `Preview`.
    Plan(Box<PlanView>),
    /// To `Apply`: it has begun (or had begun before, under this id).
    Began {
        /// Follow it by this id.
        operation: OperationId,
    },
    /// To `Apply`: there was nothing to do.
    Unchanged {},
    /// To `LogRead` and `LogFollow`.
    Log(Box<LogView>),
    /// To `OperationList`.
    Operations(Vec<OperationSummary>),
    /// To `OperationShow`, `OperationFollow`, `OperationCheck`.
    Operation(Box<OperationView>),
    /// To `AuditList`.
    Audit(Vec<AuditEntry>),
    /// To `AuditVerify`.
    AuditSound {
        /// How many entries were checked.
        entries: u64,
    },
    /// To `SettingsShow`.
    Settings(Box<SettingsView>),
    /// To `Monitor`.
    Monitor(Box<MonitorView>),
    /// To `Uptime`.
    Uptime(Box<UptimesView>),
    /// To `NotifyStatus`.
    Notify(Box<NotifyView>),
    /// To `NotifyStage`: where they are kept.
    NotifyStaged {
        /// The number.
        id: SecretId,
    },
    /// To `NotifyTest`: each way that is set.
    NotifyTried(Vec<TrialView>),
    /// To `Doctor`.
    Doctor(DoctorReport),
}
