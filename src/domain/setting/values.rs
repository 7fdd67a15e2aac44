//! The values behind the settings of a site, with their defaults.
//!
//! Invariant: numbers are within the range of their field, texts are parsed types.

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::network::Network;
use crate::domain::path::SitePath;
use crate::domain::php_extension::OptionalExtension;
use crate::domain::visitor::Visitor;
use crate::domain::web_target::{Destination, RedirectCode, UrlPath};

/// How a site answers at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Serving {
    /// As it should.
    #[default]
    Live,
    /// 503 with a page that says it is being worked on; the owner's own address may pass.
    Maintenance,
    /// 503 with a page that says it is suspended.
    Suspended,
}

/// One redirect of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectRule {
    /// From here.
    pub from: UrlPath,
    /// Also everything below.
    pub prefix: bool,
    /// To there.
    pub to: Destination,
    /// With this status.
    pub code: RedirectCode,
}

/// Which page of the site's own is shown for a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorPage {
    /// 400 to 599.
    pub status: u16,
    /// The page.
    pub page: UrlPath,
}

/// Whether nginx keeps answers of PHP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// No.
    #[default]
    Off,
    /// For seconds, for visitors without cookies.
    Micro,
    /// By the rules of WordPress.
    Wordpress,
}

/// Which security headers are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderSet {
    /// What breaks nothing.
    #[default]
    Standard,
    /// No framing, no sensors.
    Strict,
    /// None.
    Off,
}

/// The header in which a proxy in front tells the visitor's address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RealIpHeader {
    /// `X-Forwarded-For`
    #[default]
    ForwardedFor,
    /// `X-Real-IP`
    RealIp,
    /// `CF-Connecting-IP`
    Cloudflare,
}

/// How nginx serves a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches that people set"
)]
pub struct WebSettings {
    /// The directory below htdocs that is served; none for htdocs itself.
    pub directory: Option<SitePath>,
    /// The largest upload, in MB: nginx's body limit, `upload_max_filesize` and `post_max_size` follow.
    pub upload_max: u32,
    /// Redirects of paths.
    pub redirects: Vec<RedirectRule>,
    /// Pages for errors.
    pub error_pages: Vec<ErrorPage>,
    /// Answers kept by nginx.
    pub cache: Cache,
    /// For so many seconds.
    pub cache_seconds: u32,
    /// Grows by one when the cache is emptied: the old pages are never found again.
    pub cache_generation: u32,
    /// Compression.
    pub gzip: bool,
    /// Compression by brotli, where nginx has the module.
    pub brotli: bool,
    /// Security headers.
    pub headers: HeaderSet,
    /// Proxies in front, whose word about the visitor's address is believed.
    pub real_ip_from: Vec<Network>,
    /// In which header.
    pub real_ip_header: RealIpHeader,
    /// Other sites may not show images of this one.
    pub hotlink_protection: bool,
    /// Sites that may all the same.
    pub hotlink_allowed: Vec<Hostname>,
    /// Programs that are sent away, by a part of their name.
    pub blocked_agents: Vec<String>,
    /// XML-RPC of WordPress.
    pub xmlrpc: bool,
    /// The page that is looked at from outside; none where nobody is to look.
    pub uptime_path: Option<UrlPath>,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            directory: None,
            upload_max: 64,
            redirects: Vec::new(),
            error_pages: Vec::new(),
            cache: Cache::Off,
            cache_seconds: 10,
            cache_generation: 0,
            gzip: true,
            brotli: true,
            headers: HeaderSet::Standard,
            real_ip_from: Vec::new(),
            real_ip_header: RealIpHeader::ForwardedFor,
            hotlink_protection: false,
            hotlink_allowed: Vec::new(),
            blocked_agents: Vec::new(),
            xmlrpc: false,
            uptime_path: UrlPath::parse("/").ok(),
        }
    }
}

/// Who may see a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessSettings {
    /// Only these, where any are named.
    pub allow: Vec<Network>,
    /// Not these.
    pub deny: Vec<Network>,
    /// These may see the site during maintenance.
    pub maintenance_allow: Vec<Network>,
    /// Paths that ask for a name and a password.
    pub protected: Vec<UrlPath>,
    /// Names with the hashes of their passwords (crypt(5)).
    pub visitors: Vec<Visitor>,
    /// Login pages answer an address only a few times a minute.
    pub login_limit: bool,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            maintenance_allow: Vec::new(),
            protected: Vec::new(),
            visitors: Vec::new(),
            login_limit: true,
        }
    }
}

/// Which functions PHP does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionPreset {
    /// PHP has all of them.
    #[default]
    None,
    /// No programs can be started.
    Shell,
    /// The same, and no information about the machine.
    Strict,
}

/// How PHP-FPM keeps its processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolMode {
    /// Started when visitors come.
    #[default]
    Ondemand,
    /// Some always wait.
    Dynamic,
    /// All always run.
    Static,
}

/// How the PHP of a site runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches that people set"
)]
pub struct PhpSettings {
    /// MB a request may use.
    pub memory_limit: u32,
    /// Seconds a request may take, by the clock on the wall.
    pub max_execution_time: u32,
    /// Seconds for reading what the visitor sends.
    pub max_input_time: u32,
    /// Fields of a form.
    pub max_input_vars: u32,
    /// Errors in the page.
    pub display_errors: bool,
    /// `Europe/Berlin`
    pub timezone: String,
    /// Compiled code is kept.
    pub opcache: bool,
    /// MB for it.
    pub opcache_memory: u32,
    /// Changed files are noticed.
    pub opcache_validate: bool,
    /// Functions that are not there.
    pub functions: FunctionPreset,
    /// Installed extensions that are not loaded.
    pub without: Vec<OptionalExtension>,
    /// PHP may open addresses like files.
    pub allow_url_fopen: bool,
    /// PHP sees the site's own directory only.
    pub open_basedir: bool,
    /// Seconds until an unused session is forgotten.
    pub session_lifetime: u32,
    /// How processes are kept.
    pub mode: PoolMode,
    /// Processes at most.
    pub children: u32,
    /// Requests after which a process is replaced.
    pub max_requests: u32,
    /// Seconds after which an idle process ends.
    pub idle_timeout: u32,
}

impl Default for PhpSettings {
    fn default() -> Self {
        Self {
            memory_limit: 256,
            max_execution_time: 60,
            max_input_time: 60,
            max_input_vars: 1000,
            display_errors: false,
            timezone: String::new(),
            opcache: true,
            opcache_memory: 128,
            opcache_validate: true,
            functions: FunctionPreset::None,
            without: Vec::new(),
            allow_url_fopen: true,
            open_basedir: true,
            session_lifetime: 1440,
            mode: PoolMode::Ondemand,
            children: 8,
            max_requests: 1000,
            idle_timeout: 30,
        }
    }
}

/// What a site may use of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerLimits {
    /// MB of all its processes.
    pub memory: u32,
    /// Hundredths of one processor; 0 for no limit.
    pub cpu: u32,
    /// Processes and threads.
    pub tasks: u32,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            memory: 1024,
            cpu: 0,
            tasks: 64,
        }
    }
}
