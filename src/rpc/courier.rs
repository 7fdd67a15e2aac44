//! What the agent may have the courier do, and what it brings back: the whole surface of the one process with a network.
//!
//! Invariant: an errand names no file, and no program but the one by which the owner writes into DNS; what comes back is data, which the agent checks before it uses it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::archive::{ArchiveUrl, Checksum, WordpressVersion};
use crate::domain::authority::{Authority, DirectoryUrl, KeyText};
use crate::domain::dns::ProofRecord;
use crate::domain::dns_way::DnsWay;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::notify::{MailAddress, MailHost, MailSecurity, Recipients, WebhookUrl};
use crate::domain::order::{Moment, Problem};
use crate::domain::renewal_info::{RenewalId, Window};
use crate::domain::site_name::SiteName;
use crate::domain::time::Timestamp;
use crate::domain::uptime::Met;
use crate::domain::web_target::UrlPath;

/// Where the agent hands over errands. Root alone may connect.
pub const SOCKET: &str = "/run/lalapanel/courier.sock";
/// Where nginx asks for the answers to an authority's challenges.
pub const CHALLENGES: &str = "/run/lalapanel/challenge.sock";

/// The longest part of what is fetched.
pub const LONGEST_PART: usize = 64 * 1024;

/// One thing to do in the outside world. A connection carries one errand and one return, then it is closed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Errand {
    /// Is it there?
    Ping {},
    /// Get a certificate. Before the return comes a frame for each record in DNS, before it is written.
    Order(Box<Order>),
    /// Remove records of proofs that an order left in DNS.
    Clean(Box<Clean>),
    /// Bring an archive. Before the return it comes in parts: four bytes of length (big-endian), then that many bytes; a part of
    /// length 0 ends it, whether it is whole or not.
    Fetch(Box<Fetch>),
    /// Ask when an authority would have a certificate renewed.
    Renewal(Box<RenewalQuestion>),
    /// Hand a letter to a mail server.
    Mail(Box<Mail>),
    /// Tell an address that programs listen at.
    Webhook(Box<Webhook>),
    /// Look at sites as a visitor does.
    Look {
        /// At which; no more than `MOST_SIGHTS`.
        sights: Vec<Sight>,
    },
}

/// So many sites are looked at together.
pub const MOST_SIGHTS: usize = 16;

/// One page to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// Whose.
    pub hostname: Hostname,
    /// By HTTPS.
    pub https: bool,
    /// Which.
    pub path: UrlPath,
}

impl Sight {
    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.hostname, self.path)
    }
}

/// What was met there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// An answer, or why there was none.
    pub met: Met,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
    /// How long it took.
    pub millis: u32,
}

impl Seen {
    /// Nothing was found out.
    pub const UNKNOWN: Self = Self {
        met: Met::Unknown,
        status: 0,
        millis: 0,
    };
}

/// A letter, and the server that takes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server.
    pub server: MailHost,
    /// Its port.
    pub port: u16,
    /// How the way there is closed.
    pub security: MailSecurity,
    /// Roots to trust for it beside the usual ones, as PEM.
    pub roots: Option<String>,
    /// Who we are there, with a password.
    pub login: Option<(String, KeyText)>,
    /// What this server calls itself.
    pub name: String,
    /// From whom.
    pub from: MailAddress,
    /// For whom.
    pub to: Recipients,
    /// A random number, by which the letter is known.
    pub id: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// What is told to a program. It is signed already: the secret stays with the agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where.
    pub url: WebhookUrl,
    /// Roots to trust for it beside the usual ones, as PEM.
    pub roots: Option<String>,
    /// When it was signed, in seconds since 1970.
    pub time: u64,
    /// HMAC-SHA256 over the time, a dot and the body, in hexadecimal; none without a secret.
    pub signature: Option<String>,
    /// JSON.
    pub body: String,
}

/// A certificate an authority is asked about; it is public, and no account is needed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalQuestion {
    /// Whom.
    pub directory: DirectoryUrl,
    /// Roots to trust for its HTTPS beside the usual ones, as PEM.
    pub roots: Option<String>,
    /// About which.
    pub certificate: RenewalId,
}

/// What it says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalAnswer {
    /// When; none where it says nothing of the kind.
    pub window: Option<Window>,
    /// After how many seconds it may be asked again.
    pub retry_after: Option<u64>,
}

/// A certificate to get. The key it is for stays with the agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// From whom.
    pub authority: Authority,
    /// The key of our account there, as PEM.
    pub account: KeyText,
    /// For which names.
    pub names: Vec<SiteName>,
    /// The request, signed with the certificate's key, as PEM.
    pub request: String,
    /// A random number, by which waiting times are spread.
    pub seed: u64,
    /// Whether to look from here first, and to leave the authority alone where it cannot go well.
    #[serde(default)]
    pub look_first: bool,
    /// Who knows what DNS says, for that look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<IpAddr>,
    /// How names are proved in DNS; none where they are over port 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Box<DnsWork>>,
}

/// What it takes to write into DNS, for one errand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsWork {
    /// Who takes the records.
    pub way: DnsWay,
    /// Who knows where a name leads.
    pub resolvers: Vec<IpAddr>,
    /// What time it is, for signatures.
    pub now: Timestamp,
}

/// Records to remove.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clean {
    /// Where.
    pub dns: DnsWork,
    /// Which.
    pub records: Vec<ProofRecord>,
}

/// An archive to bring, with the checksum that its publisher puts beside it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// From where.
    pub url: ArchiveUrl,
    /// Roots to trust for that server's HTTPS beside the usual ones, as PEM.
    pub roots: Option<String>,
    /// At most so many bytes.
    pub most: u64,
}

/// What was brought.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// What the publisher says it should be; whether it is, the agent looks.
    pub published: Checksum,
    /// What the archive calls itself.
    pub version: Option<WordpressVersion>,
    /// How long it is.
    pub bytes: u64,
}

/// How an order ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// Records that could not be removed from DNS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<ProofRecord>,
    /// The chain as PEM, or why there is none.
    pub outcome: Result<String, Problem>,
}

impl Errand {
    /// How long it may take, in seconds; after that the courier gives up by itself.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        match self {
            Self::Ping {} => 5,
            Self::Order(order) if order.dns.is_some() => 660,
            Self::Order(_) => 240,
            Self::Clean(_) => 90,
            Self::Fetch(_) => 300,
            Self::Renewal(_) => 30,
            Self::Mail(_) | Self::Webhook(_) => 25,
            // Twice, with a pause between.
            Self::Look { .. } => 30,
        }
    }
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// To `Ping`.
    Pong {
        /// The courier's version.
        version: String,
    },
    /// To `Order`.
    Ordered(Box<Ordered>),
    /// While an order runs: this record is about to be written.
    Writing(Box<ProofRecord>),
    /// To `Clean`.
    Cleaned {
        /// What could not be removed.
        left: Vec<ProofRecord>,
    },
    /// To `Fetch`.
    Fetched(Box<Fetched>),
    /// To `Renewal`.
    Renewal(Box<RenewalAnswer>),
    /// To `Look`: each in its place.
    Looked(Vec<Seen>),
    /// To `Mail` and `Webhook`: it was taken.
    Delivered {
        /// What the other side answered.
        answer: String,
    },
}

/// One frame from the courier.
pub type Return = Result<Report, Fault>;
