//! The whole privileged surface on one page.
//!
//! Invariant: a new request does not compile until `agent/policy.rs` says who may call it and how it is audited.

pub use crate::rpc::reply::Reply;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::account::AccountName;
use crate::domain::certificate::{Fingerprint, PrivateKey};
use crate::domain::change::Change;
use crate::domain::database::DatabaseName;
use crate::domain::database_job::ImportId;
use crate::domain::dns::{DnsName, UpdateServer};
use crate::domain::dns_way::HookProgram;
use crate::domain::fault::Fault;
use crate::domain::id::OperationId;
use crate::domain::log::{LogFile, LogFilter, LogPlace};
use crate::domain::name::Hostname;
use crate::domain::notify_setting::{NotifySecrets, SecretId};
use crate::domain::sample::Range;
use crate::domain::secret::{Password, Token};
use crate::domain::token::{Scope, TokenName};

/// One frame to the agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The session of the person behind it; none before sign-in, and none from the root shell.
    #[serde(default)]
    pub session: Option<Token>,
    /// The token of the program behind it. Who brings one is nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Token>,
    /// Where that person connects from, as the web process saw it; used for limits and the audit trail.
    #[serde(default)]
    pub from: Option<IpAddr>,
    /// What is asked.
    pub request: Request,
}

/// Everything that can be asked of the agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Is the agent there?
    Ping {},
    /// By which names is the panel open, and which proxies are believed? Asked by the web process at its start.
    Panel {},
    /// Versions, services, counts, memory.
    Status {},
    /// Is this one-time link still good?
    SetupCheck {
        /// The token in the link.
        link: Token,
    },
    /// Use the one-time link: make the owner account, or give an existing account a new password, and sign in.
    SetupComplete {
        /// The token in the link.
        link: Token,
        /// The account to make or to recover.
        name: AccountName,
        /// Its password.
        password: Password,
    },
    /// Sign in.
    Login {
        /// As typed; a name that cannot exist is answered like a wrong password.
        name: String,
        /// As typed.
        password: Password,
        /// What this browser was given when it signed in before.
        #[serde(default)]
        device: Option<Token>,
    },
    /// Sign out.
    Logout {},
    /// Who is signed in? Answers `session.required` where nobody is.
    Session {
        /// True for streams and refreshes, which do not keep a session alive.
        #[serde(default)]
        passive: bool,
    },
    /// Make a new one-time link.
    AdminLink {},
    /// Forget failed sign-ins.
    AdminUnban {
        /// Of one address, or of all.
        #[serde(default)]
        address: Option<IpAddr>,
    },
    /// All accounts.
    AccountList {},
    /// Make an account.
    AccountCreate {
        /// Its name.
        name: AccountName,
        /// Its password.
        password: Password,
    },
    /// Give an account a new password; its sessions end.
    AccountPassword {
        /// Whose: one's own, or for root on this server anybody's.
        name: AccountName,
        /// The new one.
        password: Password,
        /// The one it has now; asked of everybody but root, so that a stolen session cannot lock its owner out.
        #[serde(default)]
        current: Option<Password>,
    },
    /// Say again who one is: asked for before changes that are not for whoever finds a browser open.
    Confirm {
        /// One's own password.
        password: Password,
    },
    /// Delete an account; the last one stays.
    AccountDelete {
        /// Whose.
        name: AccountName,
    },
    /// Keep an account from signing in and end its sessions, or let it sign in again; one that may stays.
    AccountDisable {
        /// Whose.
        name: AccountName,
        /// False lets it sign in again.
        disabled: bool,
    },
    /// The tokens of programs.
    TokenList {},
    /// Make a token, which is answered once.
    TokenCreate {
        /// Its name.
        name: TokenName,
        /// In whose name it asks.
        account: AccountName,
        /// What it may.
        scope: Scope,
        /// After so many days it stops working; none means never.
        days: Option<u32>,
    },
    /// Forget a token.
    TokenRevoke {
        /// Which.
        name: TokenName,
    },
    /// The first page.
    Home {},
    /// All sites.
    SiteList {},
    /// The sites in the trash.
    SiteTrash {},
    /// One site.
    SiteShow {
        /// Its name or an alias.
        hostname: Hostname,
    },
    /// What nginx reads of a site, and its owner's own directives.
    SiteNginx {
        /// Its name or an alias.
        hostname: Hostname,
    },
    /// The servers of nginx here that are not Lala's.
    ForeignSites {},
    /// What a new site may choose from.
    SiteOptions {},
    /// Have the archive of WordPress fetched, where none is at hand; answered once it is here, or after 20 s.
    WordpressFetch {},
    /// Every certificate that a site shows.
    CertificateList {},
    /// What one site shows by HTTPS.
    CertificateShow {
        /// Its name or an alias.
        hostname: Hostname,
    },
    /// Check a certificate with its key and put both down for a site; nothing shows it before `Change::CertificateInstall`.
    CertificateDeposit {
        /// For which site.
        hostname: Hostname,
        /// The certificate and its intermediates, PEM.
        chain: String,
        /// Its private key, PEM.
        key: PrivateKey,
    },
    /// Order a certificate for a site now, whatever it shows.
    CertificateIssue {
        /// For which.
        hostname: Hostname,
        /// From an authority for trying, which browsers do not trust.
        staging: bool,
    },
    /// What an order would do, without placing one.
    CertificatePlan {
        /// For which site.
        hostname: Hostname,
        /// From an authority for trying.
        staging: bool,
        /// The way into DNS it would be proved by from then on; none leaves what is set.
        dns: Option<DnsName>,
    },
    /// Order where a certificate is due.
    CertificateRenew {
        /// For which site; none means all of them.
        hostname: Option<Hostname>,
        /// Also where none is due.
        force: bool,
    },
    /// Destroy what was put down for a site and is not shown.
    CertificateDiscard {
        /// Of which site.
        hostname: Hostname,
        /// Which.
        fingerprint: Fingerprint,
    },
    /// The ways into DNS by which names are proved.
    DnsList {},
    /// Keep a way into DNS, in place of the one of this name.
    DnsPut {
        /// What it is called here.
        name: DnsName,
        /// Where updates go, and what they are signed with.
        server: UpdateServer,
    },
    /// Keep a program as a way into DNS, in place of the one of this name.
    DnsProgram {
        /// What it is called here.
        name: DnsName,
        /// Which.
        program: HookProgram,
    },
    /// Forget a way into DNS that no site uses.
    DnsRemove {
        /// Which.
        name: DnsName,
    },
    /// PHP versions: installed, available, how long they are supported, which sites use them.
    PhpList {},
    /// All databases.
    DatabaseList {},
    /// One database: what is in it, and whether its users may do what the panel says.
    DatabaseShow {
        /// Which.
        name: DatabaseName,
    },
    /// Write a database out as SQL: answered with pieces (`rpc::stream`) before the answer itself.
    DatabaseExport {
        /// Which.
        name: DatabaseName,
    },
    /// Load a dump beside the database it is for: its pieces (`rpc::stream`) follow the call. `Change::DatabaseImport` puts it in place.
    DatabaseLoad {
        /// For which.
        name: DatabaseName,
        /// Also where its last line is missing.
        unfinished: bool,
    },
    /// Forget a dump that was loaded and not put in place.
    DatabaseDiscard {
        /// For which database.
        name: DatabaseName,
        /// Which.
        import: ImportId,
    },
    /// What would this change do? Changes nothing.
    Preview {
        /// The change.
        change: Change,
    },
    /// Do it, if the plan is still the one that was seen.
    Apply {
        /// The change.
        change: Change,
        /// The hash of the plan the person saw; none means "whatever the plan is now" (CLI).
        #[serde(default)]
        plan: Option<String>,
        /// Minted by the form, so that a second press of the button lands on the same operation.
        #[serde(default)]
        operation: Option<OperationId>,
    },
    /// A part of a site's log.
    LogRead {
        /// Whose.
        hostname: Hostname,
        /// Which.
        file: LogFile,
        /// Only such records.
        #[serde(default)]
        filter: LogFilter,
        /// At most so many; 500 is the cap.
        lines: u32,
        /// The newest before this place; none means the newest of all.
        #[serde(default)]
        before: Option<LogPlace>,
    },
    /// What came into a log after a place, answered once there is something, or after 15 s without.
    LogFollow {
        /// Whose.
        hostname: Hostname,
        /// Which.
        file: LogFile,
        /// Only such records.
        #[serde(default)]
        filter: LogFilter,
        /// The place seen last; none means what comes from now on.
        #[serde(default)]
        after: Option<LogPlace>,
        /// Every record, in as many answers as it takes; otherwise a flood is passed over.
        #[serde(default)]
        whole: bool,
    },
    /// The newest operations first.
    OperationList {
        /// At most so many; 500 is the cap.
        limit: u32,
    },
    /// One operation with its plan and its steps.
    OperationShow {
        /// Which.
        id: OperationId,
    },
    /// The same, answered once its sequence is above `after`, or after 15 s without news.
    OperationFollow {
        /// Which.
        id: OperationId,
        /// The last sequence seen.
        after: u64,
    },
    /// Look at a stuck operation again, after a person ran what was missing.
    OperationCheck {
        /// Which.
        id: OperationId,
    },
    /// The newest audit entries first.
    AuditList {
        /// At most so many; 500 is the cap.
        limit: u32,
    },
    /// Is the chain of audit entries unbroken?
    AuditVerify {},
    /// Looks at host and state.
    Doctor {},
    /// The settings of the panel itself.
    SettingsShow {},
    /// What was seen of the machine.
    Monitor {
        /// How far back.
        range: Range,
    },
    /// How sites look from outside.
    Uptime {
        /// One of them, with its single looks; none means all.
        hostname: Option<Hostname>,
    },
    /// Who is told of what needs somebody, and how that goes.
    NotifyStatus {},
    /// Keep secrets of these settings until a change puts them in place.
    NotifyStage {
        /// Those that were typed.
        secrets: NotifySecrets,
        /// Where those are that were typed before.
        #[serde(default)]
        kept: Option<SecretId>,
    },
    /// Tell them something for a try, and say what came back.
    NotifyTest {},
}

impl Request {
    /// True where pieces (`rpc::stream`) follow the call, or come before the answer.
    #[must_use]
    pub fn is_poured(&self) -> bool {
        matches!(
            self,
            Self::DatabaseExport { .. } | Self::DatabaseLoad { .. }
        )
    }
}

/// One frame from the agent.
pub type Answer = Result<Reply, Fault>;
