//! A change as one line for the root shell.
//!
//! Invariant: no password and no hash of one is in a line.

use crate::domain::change::{Change, DriftChoice, OldName};
use crate::domain::database_access::{AccessAct, ConnectionLimit, DatabaseAccess};
use crate::domain::notify_setting::NotifyKey;
use crate::domain::panel_setting::PanelSetting;
use crate::domain::setting::Assignment;
use crate::domain::site::{NewSite, NewSiteKind};
use crate::domain::text::quoted;

/// The same change as one line for the root shell.
pub(in crate::web) fn command(change: &Change) -> String {
    match change {
        Change::SiteCreate(site) => create(site),
        Change::SiteEnable { hostname } => format!("lalapanel site enable {hostname}"),
        Change::SiteDisable { hostname } => format!("lalapanel site disable {hostname}"),
        Change::SiteLogs { hostname } => format!("lalapanel log {hostname} --restore"),
        Change::SiteDelete { hostname, now } => {
            let now = if *now { " --now" } else { "" };
            format!("lalapanel site delete {hostname}{now}")
        }
        Change::SiteRestore { site, hostname } => {
            format!("lalapanel site restore {site} --as {hostname}")
        }
        Change::SiteRename {
            hostname,
            name,
            old,
        } => {
            let old = match old {
                OldName::Redirect => String::new(),
                other => format!(" --old {}", other.word()),
            };
            format!("lalapanel site rename {hostname} {name}{old}")
        }
        Change::SiteClone {
            hostname,
            name,
            databases,
        } => {
            let databases = if *databases { " --databases" } else { "" };
            format!("lalapanel site clone {hostname} {name}{databases}")
        }
        Change::SiteDiscard { site, .. } => format!("lalapanel site delete {site} --now"),
        Change::SiteVisitor {
            hostname,
            name,
            hash,
        } => {
            let verb = if hash.is_some() { "add" } else { "remove" };
            format!("lalapanel site visitor {verb} {hostname} {name}")
        }
        Change::SiteSnippet { hostname, .. } => {
            format!("lalapanel site snippet {hostname} --file -")
        }
        Change::SiteDrift { hostname, choice } => {
            format!("lalapanel site drift {hostname} --{}", word_of(*choice))
        }
        Change::SitePurge { hostname } => format!("lalapanel site purge {hostname}"),
        Change::SiteSet { hostname, values } => {
            let values: Vec<String> = values.iter().map(argument).collect();
            format!("lalapanel site set {hostname} {}", values.join(" "))
        }
        Change::CertificateInstall { hostname, .. } => {
            format!("lalapanel cert upload {hostname} --chain FILE --key FILE")
        }
        Change::CertificateRemove { hostname } => format!("lalapanel cert remove {hostname}"),
        Change::SitePhp { hostname, php } => format!("lalapanel site php {hostname} {php}"),
        Change::PhpInstall { php } | Change::PhpRemove { php } => {
            format!("lalapanel {} {php}", change.word())
        }
        Change::Service { service, .. } => {
            format!("lalapanel {} {}", change.word(), service.unit())
        }
        Change::PhpExtensionInstall { php, extension }
        | Change::PhpExtensionRemove { php, extension } => {
            format!("lalapanel {} {php} {extension}", change.word())
        }
        Change::PhpRepository { enabled } => {
            let word = if *enabled { "enable" } else { "disable" };
            format!("lalapanel php repository {word}")
        }
        Change::DatabaseCreate { .. }
        | Change::DatabaseDelete { .. }
        | Change::DatabaseRestore { .. }
        | Change::DatabaseImport { .. }
        | Change::DatabasePassword { .. }
        | Change::DatabaseAccess(_)
        | Change::DatabaseSitePassword { .. } => database(change),
        Change::PanelSet { values } if is_of_notify(values) => notify(values),
        Change::PanelSet { values } => {
            let of = |value: &PanelSetting| quoted(&format!("{}={}", value.key(), value.text()));
            let values: Vec<String> = values.iter().map(of).collect();
            format!("lalapanel settings set {}", values.join(" "))
        }
        Change::PanelTrial { verb } => format!("lalapanel settings {}", verb.word()),
    }
}

fn is_of_notify(values: &[PanelSetting]) -> bool {
    let is_one = |value: &PanelSetting| matches!(value, PanelSetting::Notify(_));
    !values.is_empty() && values.iter().all(is_one)
}

/// Secrets come from files there.
fn notify(values: &[PanelSetting]) -> String {
    let of = |value: &PanelSetting| {
        let PanelSetting::Notify(one) = value else {
            return None;
        };
        let option = one.key().word().replace('_', "-");
        if !one.key().is_secret() {
            return Some(format!("--{option} {}", quoted(one.text())));
        }
        if one.key() == NotifyKey::WebhookUrl && one.value().is_empty() {
            return Some("--no-webhook".to_owned());
        }
        // Where one goes, what it belongs to goes as well.
        (!one.value().is_empty()).then(|| format!("--{option}-file FILE"))
    };
    let options: Vec<String> = values.iter().filter_map(of).collect();
    format!("lalapanel notify set {}", options.join(" "))
}

fn database(change: &Change) -> String {
    match change {
        Change::DatabaseCreate { name, hostname, .. } => {
            let site = hostname.as_ref().map(|site| format!(" --site {site}"));
            format!("lalapanel db create {name}{}", site.unwrap_or_default())
        }
        Change::DatabaseDelete { name, now } => {
            let now = if *now { " --now" } else { "" };
            format!("lalapanel db delete {name}{now}")
        }
        Change::DatabaseRestore { name } => format!("lalapanel db restore {name}"),
        Change::DatabaseImport { name, .. } => format!("lalapanel db import {name} FILE"),
        Change::DatabasePassword { name, .. } => format!("lalapanel db password {name}"),
        Change::DatabaseSitePassword { name } => {
            format!("lalapanel db password {name} --edit-site")
        }
        Change::DatabaseAccess(change) => access(change),
        _ => "lalapanel db list".to_owned(),
    }
}

fn access(change: &DatabaseAccess) -> String {
    let name = &change.name;
    let verb = change.act.word();
    let limit = |limit: ConnectionLimit| format!(" --max-connections {}", limit.number());
    match &change.act {
        AccessAct::Add { user, terms, .. } => {
            let some = Some(terms.connections).filter(|some| some.number() > 0);
            let limit = some.map(limit).unwrap_or_default();
            let rights = &terms.rights;
            format!("lalapanel {verb} {name} {user} --rights {rights}{limit}")
        }
        AccessAct::Set {
            user,
            rights,
            connections,
        } => {
            let rights = rights.as_ref().map(|rights| format!(" --rights {rights}"));
            let limit = connections.map(limit).unwrap_or_default();
            let rights = rights.unwrap_or_default();
            format!("lalapanel {verb} {name} {user}{rights}{limit}")
        }
        AccessAct::Password { user, .. } | AccessAct::Remove { user } => {
            format!("lalapanel {verb} {name} {user}")
        }
        AccessAct::Repair {} => format!("lalapanel {verb} {name}"),
    }
}

fn create(site: &NewSite) -> String {
    let kind = match &site.kind {
        NewSiteKind::Php { php } => version(*php),
        NewSiteKind::Wordpress { php } => format!(" --type wordpress{}", version(*php)),
        NewSiteKind::Laravel { php } => format!(" --type laravel{}", version(*php)),
        NewSiteKind::Static { spa: false } => " --type static".to_owned(),
        NewSiteKind::Static { spa: true } => " --type spa".to_owned(),
        NewSiteKind::Proxy { target } => format!(" --type proxy --target {target}"),
        NewSiteKind::Redirect { target, code } => {
            format!(
                " --type redirect --target {target} --code {}",
                code.as_str()
            )
        }
    };
    let mut line = format!("lalapanel site create {}{kind}", site.hostname);
    for alias in &site.aliases {
        line.push_str(" --alias ");
        line.push_str(&alias.to_string());
    }
    for name in &site.redirected {
        line.push_str(" --redirect-from ");
        line.push_str(&name.to_string());
    }
    if site.wordpress.is_some() {
        line.push_str(" --install");
    }
    if site.database.is_some() {
        line.push_str(" --database");
    }
    line
}

/// `KEY=VALUE`; lists go on one line where their parser takes commas.
fn argument(value: &Assignment) -> String {
    let one_line = value.key() != "redirects";
    let text = if one_line {
        value.value().replace('\n', ",")
    } else {
        value.value().to_owned()
    };
    quoted(&format!("{}={text}", value.key()))
}

fn word_of(choice: DriftChoice) -> &'static str {
    match choice {
        DriftChoice::Keep => "keep",
        DriftChoice::Restore => "restore",
        DriftChoice::Leave => "leave",
    }
}

fn version(php: Option<crate::domain::php::PhpVersion>) -> String {
    php.map(|php| format!(" --php {php}")).unwrap_or_default()
}
