//! Every address below `/api/v1`, on one page: how it is asked, what it does, what it reads, and what the agent is asked for it.
//!
//! Invariant: the document at `openapi.json` is made from this table and from nothing else; what is not listed here does not exist.

use poem::http::Method;
use serde_json::json;

use crate::domain::change::{Change, DriftChoice};
use crate::domain::database::DatabaseHash;
use crate::domain::database_access::AccessAct;
use crate::domain::fault::Fault;
use crate::domain::id::{OperationId, SiteId};
use crate::domain::log::{LogFile, LogFilter};
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::sample::Range;
use crate::domain::service::{Service, ServiceVerb};
use crate::rpc::protocol::Request;
use crate::web::api::body::{self, invalid, only};
use crate::web::api::{Input, Wish};
use crate::web::refusal::Refusal;
use crate::web::routes::parts;

/// One address with one method.
pub(super) struct Row {
    pub(super) method: Method,
    /// Below the prefix; `{name}` stands for one part.
    pub(super) path: &'static str,
    /// In a few words.
    pub(super) does: &'static str,
    pub(super) makes: Makes,
    /// What can stand after `?`, with its meaning.
    pub(super) query: &'static [(&'static str, &'static str)],
    /// An example of the body; none where there is no body.
    pub(super) body: Option<&'static str>,
    pub(super) build: fn(&Input) -> Result<Wish, Fault>,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Makes {
    /// It is only looked at.
    Look,
    /// An operation, or with `?plan=true` what it would do.
    Change,
    /// An errand without a plan.
    Errand,
}

macro_rules! rows {
    ($($method:ident $path:literal $makes:ident $does:literal $query:expr, $body:expr, $build:expr;)*) => {
        /// The table.
        pub(super) static ROWS: &[Row] = &[$(Row {
            method: Method::$method,
            path: $path,
            does: $does,
            makes: Makes::$makes,
            query: $query,
            body: $body,
            build: $build,
        }),*];
    };
}

type Query = &'static [(&'static str, &'static str)];
const NONE: Query = &[];
const LIMIT: Query = &[("limit", "At most so many; 500 is the cap")];
const LINES: Query = &[
    ("lines", "At most so many; 500 is the cap"),
    ("status", "Only such answers: 404, or 5xx"),
    ("text", "Only what holds this text"),
];
const RANGE: Query = &[("range", "How far back: hour, day, week, month or year")];
const AFTER: Query = &[(
    "after",
    "Answer once the operation's sequence is above this, or after 15 s",
)];
const NOW: Query = &[("now", "true: for good, past the trash")];
const NAMED: Query = &[(
    "hostname",
    "The name the site had, so that it is the right one",
)];

rows! {
    GET "status" Look "Versions, services, counts, memory" NONE, None, |_| Ok(Wish::Ask(Request::Status {}));
    GET "doctor" Look "What is not as it should be, and what to do" NONE, None, |_| Ok(Wish::Ask(Request::Doctor {}));
    GET "monitor" Look "Figures of the machine: processors, memory, disk, network" RANGE, None, |input| {
        let range = match input.query.text("range") {
            "" => Range::default(),
            text => Range::parse(text).ok_or_else(|| invalid("`range` is hour, day, week, month or year"))?,
        };
        Ok(Wish::Ask(Request::Monitor { range }))
    };
    GET "uptime" Look "Sites as they look from outside" NONE, None, |_| Ok(Wish::Ask(Request::Uptime { hostname: None }));
    GET "sites/{host}/uptime" Look "One site as it looks from outside, with the looks of a day" NONE, None, |input| Ok(Wish::Ask(Request::Uptime { hostname: Some(input.host()?) }));
    GET "notify" Look "Who is told of what needs somebody, and how that goes" NONE, None, |_| Ok(Wish::Ask(Request::NotifyStatus {}));
    POST "notify/test" Errand "Tell everybody something for a try" NONE, None, |_| Ok(Wish::Ask(Request::NotifyTest {}));
    GET "sites" Look "All sites" NONE, None, |_| Ok(Wish::Ask(Request::SiteList {}));
    POST "sites" Change "Make a site" NONE,
        Some(r#"{"hostname":"shop.example","type":"php","aliases":["www.shop.example"],"tls":"off","database":true}"#), body::create_site;
    GET "sites/{host}" Look "One site" NONE, None, |input| Ok(Wish::Ask(Request::SiteShow { hostname: input.host()? }));
    PATCH "sites/{host}" Change "Change settings of a site" NONE,
        Some(r#"{"php.memory_limit":"256M","www":"redirect"}"#), body::set;
    DELETE "sites/{host}" Change "Move a site to the trash, or delete it for good" NOW, None, |input| {
        change(Change::SiteDelete { hostname: input.host()?, now: input.query.text("now") == "true" })
    };
    POST "sites/{host}/enable" Change "Put a site back online" NONE, None, |input| change(Change::SiteEnable { hostname: input.host()? });
    POST "sites/{host}/disable" Change "Take a site offline" NONE, None, |input| change(Change::SiteDisable { hostname: input.host()? });
    POST "sites/{host}/purge" Change "Forget the finished pages that nginx keeps" NONE, None, |input| change(Change::SitePurge { hostname: input.host()? });
    POST "sites/{host}/rename" Change "Give a site another hostname; `old` is redirect, alias or drop" NONE,
        Some(r#"{"name":"new.example","old":"redirect"}"#), body::rename;
    POST "sites/{host}/clone" Change "Make a site with the settings and a copy of the files of this one, and of its `databases`" NONE,
        Some(r#"{"name":"copy.example","databases":true}"#), body::clone;
    PUT "sites/{host}/php" Change "Have a site run by another installed PHP version" NONE,
        Some(r#"{"version":"8.2"}"#), |input| change(Change::SitePhp { hostname: input.host()?, php: only(input, "version")? });
    GET "sites/{host}/nginx" Look "What nginx reads of a site" NONE, None, |input| Ok(Wish::Ask(Request::SiteNginx { hostname: input.host()? }));
    POST "sites/{host}/drift" Change "Decide about files that were changed by hand: restore or leave" NONE,
        Some(r#"{"choice":"restore"}"#), |input| {
            let (hostname, choice): (Hostname, DriftChoice) = (input.host()?, only(input, "choice")?);
            change(Change::SiteDrift { hostname, choice })
        };
    GET "sites/{host}/log/{file}" Look "What a site logs: access, error, php or slow" LINES, None, log;
    POST "sites/{host}/log/restore" Change "Put back log files that were deleted" NONE, None, |input| change(Change::SiteLogs { hostname: input.host()? });
    GET "sites/{host}/certificate" Look "What a site shows by HTTPS" NONE, None, |input| Ok(Wish::Ask(Request::CertificateShow { hostname: input.host()? }));
    PUT "sites/{host}/certificate" Change "Have a site show a certificate of your own" NONE,
        Some(r#"{"chain":"-----BEGIN CERTIFICATE-----\n…","key":"-----BEGIN PRIVATE KEY-----\n…"}"#), body::certificate;
    DELETE "sites/{host}/certificate" Change "Take a site's certificate away" NONE, None, |input| change(Change::CertificateRemove { hostname: input.host()? });
    POST "sites/{host}/certificate/issue" Errand "Order a certificate now; follow it at the certificate" NONE,
        Some(r#"{"staging":false}"#), |input| {
            Ok(Wish::Ask(Request::CertificateIssue { hostname: input.host()?, staging: only(input, "staging")? }))
        };
    GET "trash" Look "The sites in the trash" NONE, None, |_| Ok(Wish::Ask(Request::SiteTrash {}));
    POST "trash/{site}/restore" Change "Put a site back, under this name" NONE,
        Some(r#"{"hostname":"shop.example"}"#), |input| change(Change::SiteRestore { site: site(input)?, hostname: only(input, "hostname")? });
    DELETE "trash/{site}" Change "Delete a site in the trash for good" NAMED, None, |input| {
        let hostname = Hostname::parse(input.query.text("hostname")).map_err(|bad| invalid(&bad.to_string()))?;
        change(Change::SiteDiscard { site: site(input)?, hostname })
    };
    GET "certificates" Look "Every certificate that a site shows" NONE, None, |_| Ok(Wish::Ask(Request::CertificateList {}));
    POST "certificates/renew" Errand "Order where a certificate is due; `force`: everywhere" NONE,
        Some(r#"{"force":false}"#), |input| Ok(Wish::Ask(Request::CertificateRenew { hostname: None, force: only(input, "force")? }));
    GET "databases" Look "All databases" NONE, None, |_| Ok(Wish::Ask(Request::DatabaseList {}));
    POST "databases" Change "Make a database with a user of the same name; its password is answered once" NONE,
        Some(r#"{"name":"shop_db","site":"shop.example"}"#), body::create_database;
    GET "databases/{name}" Look "One database" NONE, None, |input| {
        Ok(Wish::Ask(Request::DatabaseShow { name: input.part(0)? }))
    };
    POST "databases/{name}/password" Change "Give the user of a database a new password, which is answered once" NONE, None, |input| {
        let password = body::made()?;
        let change = Change::DatabasePassword { name: input.part(0)?, hash: DatabaseHash::of(&password) };
        Ok(Wish::Change(change, body::told(Some(&password))))
    };
    POST "databases/{name}/site-password" Change "Make a new password, and write it into the site's wp-config.php or .env" NONE, None, |input| change(Change::DatabaseSitePassword { name: input.part(0)? });
    DELETE "databases/{name}" Change "Move a database to the trash, or delete it for good" NOW, None, |input| {
        change(Change::DatabaseDelete { name: input.part(0)?, now: input.query.text("now") == "true" })
    };
    POST "databases/{name}/restore" Change "Put a database back from the trash" NONE, None, |input| change(Change::DatabaseRestore { name: input.part(0)? });
    POST "databases/{name}/repair" Change "Give the users of a database the rights again that they should have" NONE, None, |input| body::access(input, AccessAct::Repair {}, None);
    POST "databases/{name}/users" Change "Make a further user of a database; `rights` is all, read-only, read-write or names with commas; its password is answered once" NONE,
        Some(r#"{"user":"shop_reader","rights":"read-only","max_connections":5}"#), body::add_user;
    PATCH "databases/{name}/users/{user}" Change "Change what a user of a database may do; what is not given stays" NONE,
        Some(r#"{"rights":"read-write","max_connections":0}"#), body::set_user;
    POST "databases/{name}/users/{user}/password" Change "Give a user of a database a new password, which is answered once" NONE, None, body::user_password;
    DELETE "databases/{name}/users/{user}" Change "Remove a further user of a database" NONE, None, |input| {
        body::access(input, AccessAct::Remove { user: input.part(1)? }, None)
    };
    GET "php" Look "PHP versions, installed and available" NONE, None, |_| Ok(Wish::Ask(Request::PhpList {}));
    PUT "php/repository" Change "Take PHP packages from the extra repository as well" NONE,
        Some(r#"{"enabled":true}"#), |input| change(Change::PhpRepository { enabled: only(input, "enabled")? });
    PUT "php/{version}" Change "Install a PHP version" NONE, None, |input| change(Change::PhpInstall { php: input.part::<PhpVersion>(0)? });
    DELETE "php/{version}" Change "Remove a PHP version that no site uses" NONE, None, |input| change(Change::PhpRemove { php: input.part::<PhpVersion>(0)? });
    PUT "php/{version}/extensions/{extension}" Change "Install an extension of a PHP version" NONE, None, |input| {
        change(Change::PhpExtensionInstall { php: input.part(0)?, extension: input.part(1)? })
    };
    DELETE "php/{version}/extensions/{extension}" Change "Remove an extension of a PHP version" NONE, None, |input| {
        change(Change::PhpExtensionRemove { php: input.part(0)?, extension: input.part(1)? })
    };
    POST "services/{name}/{verb}" Change "Start, stop or restart nginx, mariadb or lalapanel-web" NONE, None, |input| {
        let verb = ServiceVerb::ALL.into_iter().find(|verb| Some(verb.word()) == input.parts.get(1).map(String::as_str));
        let verb = verb.ok_or_else(|| invalid("a service is started, stopped or restarted: start, stop, restart"))?;
        change(Change::Service { service: service(input)?, verb })
    };
    GET "operations" Look "The newest operations first" LIMIT, None, |input| Ok(Wish::Ask(Request::OperationList { limit: input.number("limit", 50)? }));
    GET "operations/{id}" Look "One operation with its plan and its steps" AFTER, None, |input| {
        let id: OperationId = input.part(0)?;
        Ok(Wish::Ask(match input.query.text("after") {
            "" => Request::OperationShow { id },
            _ => Request::OperationFollow { id, after: input.number("after", 0)? },
        }))
    };
    POST "operations/{id}/check" Errand "Look again at one that was stuck" NONE, None, |input| Ok(Wish::Ask(Request::OperationCheck { id: input.part(0)? }));
    GET "audit" Look "The newest audit entries first" LIMIT, None, |input| Ok(Wish::Ask(Request::AuditList { limit: input.number("limit", 50)? }));
    GET "audit/verify" Look "Is the chain of audit entries unbroken?" NONE, None, |_| Ok(Wish::Ask(Request::AuditVerify {}));
    GET "accounts" Look "Accounts of people" NONE, None, |_| Ok(Wish::Ask(Request::AccountList {}));
    GET "tokens" Look "Tokens of programs" NONE, None, |_| Ok(Wish::Ask(Request::TokenList {}));
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the end of rows that can fail before"
)]
fn change(change: Change) -> Result<Wish, Fault> {
    Ok(Wish::Change(change, json!({})))
}

fn service(input: &Input) -> Result<Service, Fault> {
    let text = input.parts.first().map_or("", String::as_str);
    Service::parse(text).map_err(|bad| invalid(&bad.to_string()))
}

/// `s1001`, as documents write it.
fn site(input: &Input) -> Result<SiteId, Fault> {
    let text = input.parts.first().map_or("", String::as_str);
    let number = text.strip_prefix('s').unwrap_or(text).parse().ok();
    number
        .map(SiteId::new)
        .ok_or_else(|| invalid("a site in the trash is named by its id, such as s1001"))
}

fn log(input: &Input) -> Result<Wish, Fault> {
    let file = input.parts.get(1).and_then(|text| LogFile::parse(text));
    let file = file.ok_or_else(|| invalid("a log is access, error, php or slow"))?;
    let given = |name: &str| Some(input.query.text(name)).filter(|text| !text.is_empty());
    let filter = LogFilter {
        status: given("status")
            .map(str::parse)
            .transpose()
            .map_err(|_| invalid("`status` is like 404 or 5xx"))?,
        text: given("text")
            .map(str::parse)
            .transpose()
            .map_err(|_| invalid("`text` is one line of at most 200 letters"))?,
    };
    Ok(Wish::Ask(Request::LogRead {
        hostname: input.host()?,
        file,
        filter,
        lines: input.number("lines", 50)?,
        before: None,
    }))
}

/// Looks a request up; a fixed part goes before an open one.
pub(super) fn find(method: &Method, path: &str) -> Result<(&'static Row, Vec<String>), Refusal> {
    let wanted = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let matches = ROWS
        .iter()
        .filter_map(|row| Some((row, parts(row.path, path)?)));
    let mut matches: Vec<(&'static Row, Vec<String>)> = matches.collect();
    if matches.is_empty() {
        return Err(Refusal::NOT_FOUND);
    }
    matches.retain(|(row, _)| row.method == *wanted);
    let fewest = matches.into_iter().min_by_key(|(_, parts)| parts.len());
    fewest.ok_or(Refusal::METHOD_NOT_ALLOWED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::form::Fields;

    /// What stands for each open part of a path in the tests.
    fn filled(path: &str) -> String {
        path.replace("{host}", "shop.example")
            .replace("{file}", "access")
            .replace("{extension}", "apcu")
            .replace("{site}", "s1001")
            .replace("services/{name}/{verb}", "services/nginx/restart")
            .replace("{name}", "shop_db")
            .replace("{user}", "shop_reader")
            .replace("{version}", "8.2")
            .replace("{id}", "01HF7YAT00000G40R40M30E209")
    }

    fn built(row: &Row, body: &str) -> Result<Wish, Fault> {
        let parts = parts(row.path, &filled(row.path)).unwrap();
        let query = Fields::parse(b"hostname=shop.example");
        (row.build)(&Input {
            parts,
            query,
            body: serde_json::from_str(body).unwrap(),
        })
    }

    #[test]
    fn every_row_is_found_by_its_path_and_its_example_is_understood() {
        for row in ROWS {
            let (found, _) = find(&row.method, &filled(row.path)).ok().unwrap();
            assert_eq!(found.path, row.path);
            assert!(
                built(row, row.body.unwrap_or("null")).is_ok(),
                "{} {}",
                row.method,
                row.path
            );
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_refused_wherever_a_body_is_read() {
        for row in ROWS {
            let Some(example) = row.body else { continue };
            let more = example.replacen('{', r#"{"unheard_of":true,"#, 1);
            let fault = built(row, &more)
                .err()
                .unwrap_or_else(|| panic!("{} {}", row.method, row.path));
            assert!(fault.title.contains("unheard_of"), "{}", fault.title);
        }
    }

    #[test]
    fn what_is_no_name_and_what_is_no_address_goes_nowhere() {
        let row = ROWS.iter().find(|row| row.path == "sites/{host}").unwrap();
        let parts = vec!["../etc".to_owned()];
        let input = Input {
            parts,
            query: Fields::default(),
            body: json!(null),
        };
        assert!((row.build)(&input).is_err());
        for path in ["", "sites/", "sites/a/b/c/d", "Sites", "sites/a.example/"] {
            assert!(
                matches!(find(&Method::GET, path), Err(Refusal::Notice(_))),
                "{path}"
            );
        }
        let refused = find(&Method::PUT, "sites").err().unwrap();
        assert_eq!(refused.status().as_u16(), 405);
    }
}
