//! What the agent made of memory answers with: sites, plans, operations, numbers.
//!
//! Invariant: same question, same answer; nothing here looks at a clock or a machine.

use lalapanel::domain::account::{AccountName, Role};
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::id::{OperationId, SiteId};
use lalapanel::domain::log::{LogFile, LogFilter, LogPlace};
use lalapanel::domain::name::Hostname;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::secret::Token;
use lalapanel::domain::setting::Serving;
use lalapanel::domain::site::{NewSiteKind, Site, SiteKind};
use lalapanel::domain::time::Timestamp;
use lalapanel::rpc::log::{LogRecord, LogView};
use lalapanel::rpc::php::{ExtensionsView, PhpVersionView, PhpView, RepositoryView, SupportView};
use lalapanel::rpc::protocol::Reply;
use lalapanel::rpc::trash::Trashed;
use lalapanel::rpc::view::{
    AuditEntry, OperationState, OperationStepView, OperationSummary, OperationView, PlanStepView,
    PlanView, ServiceView, SessionView, SiteView, StatusView, StepState, TlsView,
};

use super::{State, databases, settings};

pub(crate) fn sign_in(state: &mut State, name: AccountName, now: Timestamp) -> Reply {
    let number = u8::try_from(state.sessions.len() + 1).unwrap();
    let session = Token::from_random([number; 32]);
    state.sessions.push(session.reveal().to_owned());
    let mut view = person(now);
    view.name = name;
    let device = Some(Token::from_random([0xde; 32]));
    Reply::SignedIn {
        session,
        view,
        device,
    }
}

pub(crate) fn person(now: Timestamp) -> SessionView {
    SessionView {
        name: AccountName::parse("mara").unwrap(),
        role: Role::Owner,
        idle_end: now.plus_seconds(1800),
        absolute_end: now.plus_seconds(43_200),
    }
}

pub(crate) fn find<'a>(state: &'a State, hostname: &Hostname) -> Result<&'a SiteView, Fault> {
    state
        .sites
        .iter()
        .find(|site| site.hostname == *hostname)
        .ok_or_else(|| {
            Fault::new(
                Code::SiteNotFound,
                format!("{hostname} is not a site here"),
                "look at Sites",
            )
        })
}

pub(crate) fn operations(state: &State, hostname: Option<&Hostname>) -> Vec<OperationSummary> {
    state
        .operations
        .values()
        .rev()
        .map(|view| view.summary.clone())
        .filter(|one| hostname.is_none() || one.hostname.as_ref() == hostname)
        .collect()
}

/// A site as the agent would show it.
pub(crate) fn site(
    hostname: &str,
    php: Option<PhpVersion>,
    enabled: bool,
    created: Timestamp,
) -> SiteView {
    let kind = php.map_or(SiteKind::Static { spa: false }, |php| SiteKind::Php { php });
    let hostname = Hostname::parse(hostname).unwrap();
    let mut made = Site::new(SiteId::FIRST, hostname, kind, created);
    made.enabled = enabled;
    view(&made)
}

fn view(site: &Site) -> SiteView {
    let mut view = SiteView {
        hostname: site.hostname.clone(),
        hostname_unicode: site.hostname.unicode(),
        r#type: String::new(),
        php: None,
        aliases: Vec::new(),
        redirected_names: Vec::new(),
        enabled: site.enabled,
        serving: Serving::Live,
        document_root: HostPath::parse("/").unwrap(),
        user: "lala-s1001".to_owned(),
        tls: TlsView {
            state: "off".to_owned(),
            issuer: None,
            not_after: None,
            names: Vec::new(),
        },
        databases: Vec::new(),
        created: site.created,
        settings: std::collections::BTreeMap::new(),
        visitors: Vec::new(),
        operations: Vec::new(),
        drift: Vec::new(),
    };
    settings::show(&mut view, site);
    view
}

pub(crate) fn plan(state: &State, change: &Change) -> Result<PlanView, Fault> {
    let fallback = Hostname::parse("server.example").unwrap();
    let name = change.hostname().unwrap_or(&fallback);
    refuse(state, change, name)?;
    let step = |title: &str, target: String| PlanStepView {
        title: title.to_owned(),
        target,
        command: None,
        diff: None,
    };
    let mut steps = match change {
        Change::SiteCreate(_) => vec![
            step("Create the Unix user", "lala-s1001".to_owned()),
            step(
                "Create the directories of the site",
                format!("/var/www/{name}"),
            ),
            step(
                "Write the PHP-FPM pool",
                "/etc/lalapanel/php/s1001.conf".to_owned(),
            ),
            step(
                "Start PHP-FPM for this site",
                "lalapanel-php@s1001.socket".to_owned(),
            ),
            step(
                "Write the nginx file",
                format!("/etc/nginx/sites-available/{name}"),
            ),
            step(
                "Switch the nginx file on",
                format!("/etc/nginx/sites-enabled/{name}"),
            ),
            step("Check the nginx configuration", String::new()),
            step("Reload nginx", "nginx.service".to_owned()),
            step("Ask the site for its first page", format!("http://{name}/")),
        ],
        Change::DatabaseCreate { .. }
        | Change::DatabaseDelete { .. }
        | Change::DatabaseRestore { .. }
        | Change::DatabaseImport { .. }
        | Change::DatabasePassword { .. }
        | Change::DatabaseAccess(_)
        | Change::DatabaseSitePassword { .. } => databases::steps(change),
        Change::SiteSet { .. } | Change::SitePurge { .. } => {
            settings::steps(find(state, name)?, change)?
        }
        _ => vec![
            step(
                "Remove the link to the nginx file",
                format!("/etc/nginx/sites-enabled/{name}"),
            ),
            step("Reload nginx", "nginx.service".to_owned()),
        ],
    };
    if let Some(reload) = steps.len().checked_sub(2) {
        steps[reload].command = Some("/usr/bin/systemctl reload nginx.service".to_owned());
        let write = steps.len() / 2;
        let diff = format!(
            "--- /dev/null\n+++ {name}\n@@ -0,0 +1,4 @@\n+server {{\n+  listen 80;\n+  server_name {name};\n+}}\n"
        );
        steps[write].diff.get_or_insert(diff);
    }
    if state.world > 0 {
        steps.push(step("Something new", format!("world {}", state.world)));
    }
    Ok(PlanView {
        title: title(change),
        hash: format!(
            "{:064x}",
            steps.iter().fold(state.world as usize, |sum, step| {
                let text = format!("{}{}{:?}", step.title, step.target, step.diff);
                text.bytes().fold(sum, |sum, byte| {
                    sum.wrapping_mul(31).wrapping_add(usize::from(byte))
                })
            })
        ),
        steps,
        notes: vec!["PHP for this site may use up to 512 MB; 900 MB is free.".to_owned()],
    })
}

fn refuse(state: &State, change: &Change, name: &Hostname) -> Result<(), Fault> {
    if let Change::SiteRestore { .. } | Change::SiteDiscard { .. } = change {
        let is_taken = state.sites.iter().any(|site| site.hostname == *name);
        if is_taken && matches!(change, Change::SiteRestore { .. }) {
            return Err(Fault::new(
                Code::HostnameTaken,
                format!("{name} is already served by the site {name}"),
                "put this one back under another name",
            ));
        }
    } else if let Change::SiteRename {
        name: wanted,
        hostname,
        ..
    }
    | Change::SiteClone {
        name: wanted,
        hostname,
        ..
    } = change
    {
        find(state, hostname)?;
        if find(state, wanted).is_ok() {
            return Err(Fault::new(
                Code::HostnameTaken,
                format!("{wanted} is already served by a site here"),
                "choose another hostname",
            ));
        }
    } else if let Change::SiteCreate(new) = change {
        if state.sites.iter().any(|site| site.hostname == new.hostname) {
            return Err(Fault::new(
                Code::HostnameTaken,
                format!("`{name}` is already served by a site here"),
                "remove it there, or choose another hostname",
            ));
        }
    } else if change.hostname().is_some() {
        find(state, name)?;
    }
    databases::refuse(state, change)
}

pub(crate) fn title(change: &Change) -> String {
    let word = match change {
        Change::SiteCreate(_) => "Create",
        Change::SiteEnable { .. } => "Put online",
        Change::SiteDisable { .. } => "Take offline",
        Change::SiteLogs { .. } => "Put the logs back of",
        Change::SiteDelete { .. } | Change::SiteDiscard { .. } => "Delete",
        Change::SiteRestore { .. } => "Put back",
        Change::SiteRename { .. } => "Rename",
        Change::SiteClone { .. } => "Clone another site as",
        Change::SiteSet { .. } => "Change",
        Change::SiteVisitor { .. } => "Change the visitors of",
        Change::SiteSnippet { .. } => "Change the nginx directives of",
        Change::SiteDrift { .. } => "Decide about the changed files of",
        Change::SitePurge { .. } => "Forget the kept pages of",
        Change::SitePhp { .. } => "Switch the PHP of",
        Change::DatabaseCreate { .. } => "Create",
        Change::DatabaseDelete { .. } => "Delete",
        Change::DatabaseRestore { .. } => "Put back",
        Change::DatabaseImport { .. } => "Replace what is in",
        Change::DatabaseAccess(_) => "Change who may use",
        Change::DatabasePassword { .. } | Change::DatabaseSitePassword { .. } => {
            "Make a new password of"
        }
        Change::Service { .. } => "Restart",
        Change::PhpInstall { .. } => "Install",
        Change::PhpRemove { .. } => "Remove",
        Change::PhpExtensionInstall { .. } => "Install",
        Change::PhpExtensionRemove { .. } => "Remove",
        Change::PhpRepository { .. } => "Turn on or off",
        Change::CertificateInstall { .. } => "Install a certificate for",
        Change::CertificateRemove { .. } => "Remove the certificate of",
        Change::PanelSet { .. } => "Change the settings of",
        Change::PanelTrial { .. } => "Decide about",
    };
    format!("{word} {}", change.subject())
}

pub(crate) fn begun(
    id: OperationId,
    plan: &PlanView,
    change: &Change,
    now: Timestamp,
) -> OperationView {
    OperationView {
        summary: OperationSummary {
            id,
            title: plan.title.clone(),
            change: change.word().to_owned(),
            hostname: change.hostname().cloned(),
            renamed_from: None,
            actor: "mara".to_owned(),
            state: OperationState::Working,
            began: now,
            ended: None,
            done: 0,
            steps: u32::try_from(plan.steps.len()).unwrap(),
        },
        sequence: 1,
        steps: plan
            .steps
            .iter()
            .map(|step| OperationStepView {
                title: step.title.clone(),
                target: step.target.clone(),
                state: StepState::Waiting,
                began: None,
                ended: None,
                note: None,
            })
            .collect(),
        fault: None,
        remaining: Vec::new(),
        recovered: false,
        trashed: match change {
            Change::DatabaseDelete { name, now: false } => Some(Trashed::Database(name.clone())),
            _ => None,
        },
    }
}

pub(crate) fn take_effect(state: &mut State, change: &Change, now: Timestamp) {
    match change {
        Change::PanelSet { .. } | Change::PanelTrial { .. } => {}
        Change::SiteCreate(new) => {
            let newest = PhpVersion::new(8, 4);
            let kind = match new.kind.clone() {
                NewSiteKind::Php { php } => SiteKind::Php {
                    php: php.unwrap_or(newest),
                },
                NewSiteKind::Wordpress { php } => SiteKind::Wordpress {
                    php: php.unwrap_or(newest),
                },
                NewSiteKind::Laravel { php } => SiteKind::Laravel {
                    php: php.unwrap_or(newest),
                },
                NewSiteKind::Static { spa } => SiteKind::Static { spa },
                NewSiteKind::Proxy { target } => SiteKind::Proxy { target },
                NewSiteKind::Redirect { target, code } => SiteKind::Redirect { target, code },
            };
            let mut made = Site::new(SiteId::FIRST, new.hostname.clone(), kind, now);
            made.aliases.clone_from(&new.aliases);
            made.redirected.clone_from(&new.redirected);
            state.sites.push(view(&made));
            state.wordpress = new.wordpress.as_deref().cloned();
        }
        Change::SiteSet { hostname, values } => {
            let mut sites = state.sites.iter_mut();
            if let Some(site) = sites.find(|site| site.hostname == *hostname) {
                *site = settings::with(site, values).unwrap();
            }
        }
        Change::SiteVisitor {
            hostname,
            name,
            hash,
        } => settings::let_pass(state, hostname, name, hash.as_ref()),
        Change::SitePurge { .. }
        | Change::SiteSnippet { .. }
        | Change::SiteDrift { .. }
        | Change::Service { .. }
        | Change::PhpInstall { .. }
        | Change::PhpRemove { .. }
        | Change::PhpExtensionInstall { .. }
        | Change::PhpExtensionRemove { .. }
        | Change::PhpRepository { .. }
        | Change::CertificateInstall { .. }
        | Change::CertificateRemove { .. } => {}
        Change::DatabaseCreate { .. }
        | Change::DatabaseDelete { .. }
        | Change::DatabaseRestore { .. }
        | Change::DatabaseImport { .. }
        | Change::DatabasePassword { .. }
        | Change::DatabaseAccess(_)
        | Change::DatabaseSitePassword { .. } => databases::take_effect(state, change, now),
        Change::SitePhp { hostname, php } => {
            for site in &mut state.sites {
                if site.hostname == *hostname {
                    site.php = Some(*php);
                }
            }
        }
        Change::SiteDelete { hostname, .. } => {
            state.sites.retain(|site| site.hostname != *hostname);
        }
        Change::SiteRestore { site: id, hostname } => {
            state.trash.retain(|gone| gone.number != *id);
            state.sites.push(site(hostname.as_str(), None, true, now));
        }
        Change::SiteDiscard { site, .. } => state.trash.retain(|gone| gone.number != *site),
        Change::SiteLogs { .. } => {}
        Change::SiteRename { hostname, name, .. } => {
            for site in &mut state.sites {
                if site.hostname == *hostname {
                    site.hostname = name.clone();
                    site.hostname_unicode = name.unicode();
                }
            }
        }
        Change::SiteClone { hostname, name, .. } => {
            let mut clone = find(state, hostname).unwrap().clone();
            clone.hostname = name.clone();
            clone.hostname_unicode = name.unicode();
            state.sites.push(clone);
        }
        Change::SiteEnable { hostname } | Change::SiteDisable { hostname } => {
            let enabled = matches!(change, Change::SiteEnable { .. });
            for site in state
                .sites
                .iter_mut()
                .filter(|site| site.hostname == *hostname)
            {
                site.enabled = enabled;
            }
        }
    }
}

/// One request in a log.
pub(crate) fn record(text: &str, status: u16) -> LogRecord {
    LogRecord {
        time: Some("2026-11-23T00:50:48+00:00".to_owned()),
        status: Some(status),
        level: None,
        text: text.to_owned(),
        note: "192.0.2.7 · 157 B · 0.012 s · curl/8".to_owned(),
        cut: 0,
    }
}

/// The records after the first `from`.
pub(crate) fn log(state: &State, file: LogFile, filter: &LogFilter, from: usize) -> Reply {
    let fits = |record: &&LogRecord| {
        let status = filter.status.as_ref();
        let text = filter.text.as_ref();
        status.is_none_or(|status| record.status.is_some_and(|found| status.fits(found)))
            && text.is_none_or(|text| record.text.contains(text.as_str()))
    };
    let records = state.log.iter().skip(from).filter(fits).cloned().collect();
    Reply::Log(Box::new(LogView {
        file,
        path: HostPath::fixed("/var/log/lalapanel/shop.example/access.log"),
        exists: state.log_trouble != "deleted",
        records,
        older: None,
        newer: Some(LogPlace {
            inode: 7,
            offset: state.log.len() as u64,
        }),
        skipped: 0,
    }))
}

pub(crate) fn status(state: &State) -> StatusView {
    let service = |name: &str, healthy| ServiceView {
        name: name.to_owned(),
        state: if healthy { "active" } else { "inactive" }.to_owned(),
        healthy,
    };
    StatusView {
        version: "0.1.0".to_owned(),
        distribution: "Debian GNU/Linux 13 (trixie)".to_owned(),
        service_manager: "systemd".to_owned(),
        services: vec![
            service("nginx", true),
            service("mariadb", false),
            service("lalapanel-agent", true),
        ],
        php: vec![PhpVersion::new(8, 4), PhpVersion::new(8, 2)],
        sites: u32::try_from(state.sites.len()).unwrap(),
        sites_enabled: 0,
        agent_memory: 9_400_000,
        stuck: Vec::new(),
    }
}

pub(crate) fn audit(now: Timestamp) -> Vec<AuditEntry> {
    let entry = |number, action: &str, object: &str, result: &str| AuditEntry {
        number,
        time: now,
        actor: "mara".to_owned(),
        from: "198.51.100.7".parse().ok(),
        action: action.to_owned(),
        object: object.to_owned(),
        result: result.to_owned(),
        operation: None,
    };
    vec![
        entry(214, "site create", "shop.example", "ok"),
        entry(213, "login", "mara", "ok"),
        entry(212, "login", "mara", "session.refused"),
    ]
}

pub(crate) fn php(state: &State) -> PhpView {
    let version = |minor: u8, installed: bool, own: bool| PhpVersionView {
        version: PhpVersion::new(8, minor),
        extensions: ExtensionsView {
            installed: vec!["curl".to_owned(), "mysql".to_owned()],
            available: vec!["redis".to_owned()],
        },
        installed,
        available: true,
        package: format!("8.{minor}.11-1"),
        origin: if own { "Debian" } else { "deb.sury.org" }.to_owned(),
        distribution: own.then(|| SupportView {
            until: "2030-06-30".to_owned(),
            is_over: false,
            words: "supported by Debian until 9 August 2028, then by Debian LTS until 30 June 2030"
                .to_owned(),
        }),
        upstream: Some(SupportView {
            until: format!("202{}-12-31", minor + 4),
            is_over: minor < 2,
            words: format!(
                "security fixes of php.net until 31 December 202{}",
                minor + 4
            ),
        }),
        sites: state
            .sites
            .iter()
            .filter(|site| site.php == Some(PhpVersion::new(8, minor)))
            .map(|site| site.hostname.clone())
            .collect(),
    };
    PhpView {
        versions: vec![
            version(5, false, false),
            version(4, true, true),
            version(2, true, false),
        ],
        repository: RepositoryView {
            enabled: true,
            possible: true,
            fingerprint: "15058500A0235D97F5D10063B188E2B695BD4743".to_owned(),
            explanation: vec!["It is run by one person, and not by Debian.".to_owned()],
        },
    }
}
