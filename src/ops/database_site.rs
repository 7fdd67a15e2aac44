//! Another password for a database, written into the file of the site that uses it.
//!
//! Invariant: the password is made when the step acts and is in no plan, no journal and no answer; root opens no file of the site;
//! where the home page answers worse afterwards, the file and the password are as before.

use crate::domain::database::{Database, DatabaseHash, DatabaseName, DatabaseUser};
use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::SitePath;
use crate::domain::secret::Password;
use crate::domain::site::Site;
use crate::domain::site_login::{Finding, LoginFile, NAMES, SiteLogin};
use crate::domain::text::shown;
use crate::host::job::{Act, Job, JobResult};
use crate::host::{Host, HostError, HostResult, Mode};
use crate::ops::plan::Plan;
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::ops::step::{LoginEdit, ServiceAct, Step};
use crate::ops::undo::Undo;
use crate::ops::{jobs, wordpress};
use crate::render;
use crate::store::Store;
use crate::system::{database as sql, service};

/// Where the former file is kept while the operation runs: in the site's base, for the site alone.
const FORMER: &str = "former";
const KEPT: &str = "former/file";

/// What is planned on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFacts {
    services: ServiceManager,
    files: Vec<LoginFile>,
}

/// The database and the site whose program uses it.
fn target<'s>(name: &DatabaseName, state: &'s State) -> Result<(&'s Database, &'s Site), Fault> {
    let found = state.database(name)?;
    let refused = |title: String, hint: &str| Err(Fault::new(Code::DatabaseSiteFile, title, hint));
    let site = state.sites.iter().find(|one| Some(one.id) == found.site);
    match site {
        None => refused(
            format!("the database {name} belongs to no site that is served"),
            "leave `--edit-site` out, and give the new password to what uses the database",
        ),
        Some(site) if site.kind.php().is_none() => refused(
            format!(
                "{} runs no PHP, so nothing here has its program read a file again",
                site.hostname
            ),
            "leave `--edit-site` out, and give the new password to the program",
        ),
        Some(site) => Ok((found, site)),
    }
}

/// Has the site's worker look into the site's files; nothing is changed.
pub fn look(host: &dyn Host, name: &DatabaseName, state: &State) -> Result<SiteFacts, Fault> {
    let (found, site) = target(name, state)?;
    // A MariaDB that is silent is told before anything else.
    sql::exists(host, name)?;
    let files = logins(host, site, found)?;
    Ok(SiteFacts {
        services: service::manager(host)?,
        files,
    })
}

/// What the files of a site say of a database.
pub(super) fn logins(
    host: &dyn Host,
    site: &Site,
    found: &Database,
) -> Result<Vec<LoginFile>, Fault> {
    let act = Act::FindLogin {
        paths: candidates(site)?,
        login: SiteLogin {
            database: found.name.clone(),
            users: found.users.clone(),
        },
    };
    match host.job(&Job::new(site.id, &site.root(), act))? {
        JobResult::Logins(files) => Ok(files),
        JobResult::Failed { reason, .. } => Err(unread(site, &reason)),
        _ => Err(unread(site, "another answer than was asked for")),
    }
}

fn unread(site: &Site, reason: &str) -> Fault {
    Fault::new(
        Code::HostFailed,
        format!("the files of {} could not be looked into", site.hostname),
        "look at what is named, then try again",
    )
    .detail(shown(reason, 200))
}

/// Both names in the document root, and in each directory above it that is the site's.
fn candidates(site: &Site) -> Result<Vec<SitePath>, Fault> {
    let mut directory = "htdocs".to_owned();
    let mut paths = Vec::new();
    let inner = site.settings.web.directory.iter();
    let inner = inner.flat_map(SitePath::components);
    let mut inner = inner.map(str::to_owned);
    loop {
        for name in NAMES {
            paths.push(wordpress::site_path(&format!("{directory}/{name}"))?);
        }
        match inner.next() {
            Some(part) => directory = format!("{directory}/{part}"),
            None => return Ok(paths),
        }
    }
}

/// Plans it.
pub fn plan(name: &DatabaseName, state: &State, facts: &SiteFacts) -> Result<Plan, Fault> {
    let (_, site) = target(name, state)?;
    let (path, user) = the_file(name, site, &facts.files)?;
    let hostname = &site.hostname;
    let mut steps = Steps::default();
    if site.enabled {
        before(&mut steps, site, facts.services);
    }
    edit(&mut steps, site, name, user, path)?;
    if site.enabled {
        after(&mut steps, site, facts.services);
    }
    let title = format!("Give {name} a new password, and write it into {path} of {hostname}");
    let plan = Plan::new(title, "db password")
        .steps(steps.into_list())
        .about(hostname)
        .note("Nobody is shown the password: the site reads it from its file.")
        .note(format!(
            "Other programs that sign in to {name} as {user} cannot do so any more."
        ));
    Ok(if site.enabled {
        plan.note("Requests that run meanwhile may fail for a moment. Where the home page answers worse afterwards, the file and the password are put back.")
    } else {
        plan.note(format!(
            "{hostname} is offline, so it is not tried whether it answers."
        ))
    })
}

/// The one file that fits, and the user that it names.
fn the_file<'f>(
    name: &DatabaseName,
    site: &Site,
    files: &'f [LoginFile],
) -> Result<(&'f SitePath, &'f DatabaseUser), Fault> {
    let fits = files.iter().filter_map(|file| match &file.finding {
        Finding::Fits { user } => Some((&file.path, user)),
        _ => None,
    });
    let fits: Vec<(&SitePath, &DatabaseUser)> = fits.collect();
    let refused = |title: String, hint: &str| Err(Fault::new(Code::DatabaseSiteFile, title, hint));
    let without =
        "change it yourself: leave `--edit-site` out, and write the new password where it belongs";
    match fits.as_slice() {
        [one] => return Ok(*one),
        [] => {}
        [(one, _), (other, _), ..] => {
            return refused(
                format!(
                    "both {one} and {other} of {} hold a password of {name}",
                    site.hostname
                ),
                "remove the one that is not used, then try again",
            );
        }
    }
    let told = files.iter().find_map(|file| {
        let path = &file.path;
        Some(match &file.finding {
            Finding::Absent | Finding::Other | Finding::Fits { .. } => return None,
            Finding::Elsewhere => format!("{path} names a database on another server"),
            Finding::Unclear => format!(
                "in {path} the database, its user or the password is no plain text between quotes, or stands there twice"
            ),
            Finding::Unfit { what } => format!("{path} is {}", shown(what, 80)),
        })
    });
    let other = files.iter().find(|file| file.finding == Finding::Other);
    let title = told.or_else(|| {
        other.map(|file| {
            format!(
                "{} does not name the database {name} and its user",
                file.path
            )
        })
    });
    let title =
        title.unwrap_or_else(|| format!("{} has no wp-config.php and no .env", site.hostname));
    refused(title, without)
}

/// How its PHP is restarted: the socket stays open, so visitors wait.
fn php(site: &Site, services: ServiceManager, when: When) -> Option<Step> {
    let version = site.kind.php()?;
    let (unit, act) = match (services, when) {
        (ServiceManager::Systemd, When::Now) => {
            (render::systemd::php_service_name(site), ServiceAct::Restart)
        }
        (ServiceManager::Systemd, When::Undone) => {
            let unit = render::systemd::php_service_name(site);
            (unit, ServiceAct::RestartOnUndo)
        }
        (ServiceManager::Sysv, When::Now) => (format!("php{version}-fpm"), ServiceAct::Reload),
        (ServiceManager::Sysv, When::Undone) => {
            (format!("php{version}-fpm"), ServiceAct::ReloadOnUndo)
        }
    };
    Some(Step::Service {
        services,
        unit,
        act,
    })
}

#[derive(Clone, Copy)]
enum When {
    Now,
    Undone,
}

fn before(steps: &mut Steps, site: &Site, services: ServiceManager) {
    let hostname = site.hostname.clone();
    steps.add("Load the home page", Step::LookAtHome { hostname });
    if let Some(step) = php(site, services, When::Undone) {
        steps.add("Restart the PHP of the site if this is undone", step);
    }
}

fn edit(
    steps: &mut Steps,
    site: &Site,
    name: &DatabaseName,
    user: &DatabaseUser,
    path: &SitePath,
) -> Result<(), Fault> {
    let empty = Act::Empty {
        path: wordpress::site_path(FORMER)?,
    };
    steps
        .add(
            "Make a place for the former file, for the site alone",
            Step::MakeSiteDirectory {
                site: site.id,
                base: site.root(),
                name: FORMER.to_owned(),
                gid: site.id.uid(),
                mode: Mode(0o700),
            },
        )
        .add(
            "Have nothing in it yet",
            Step::Job(Job::new(site.id, &site.root(), empty)),
        )
        .add(
            format!("Make a password, give it to the database user {user}, and write it into {path} as the site's user"),
            Step::EditLogin(Box::new(LoginEdit {
                site: site.id,
                base: site.root(),
                path: path.clone(),
                database: name.clone(),
                user: user.clone(),
            })),
        );
    Ok(())
}

/// PHP keeps what it has read of a file for some seconds: it begins anew, then the home page is what visitors see.
fn after(steps: &mut Steps, site: &Site, services: ServiceManager) {
    let hostname = site.hostname.clone();
    let socket = match services {
        ServiceManager::Systemd => site.php_socket(),
        ServiceManager::Sysv => site.shared_php_socket(),
    };
    if let Some(step) = php(site, services, When::Now) {
        steps.add("Restart the PHP of the site; visitors wait meanwhile", step);
    }
    steps
        .add("Wait until it answers", Step::PingPhp { socket })
        .add("Load the home page again", Step::CompareHome { hostname });
}

/// Captures the way back: the hash of the old password, and the file that will be kept.
pub(super) fn look_back(host: &dyn Host, edit: &LoginEdit) -> HostResult<Undo> {
    let user = edit.user.clone();
    let hash = sql::user(host, &user)?.and_then(|was| was.hash);
    let hash = hash.ok_or_else(|| HostError::Sql {
        detail: format!("the user {user} is not there, or signs in without a password"),
    })?;
    let kept = SitePath::parse(KEPT).map_err(|bad| HostError::Sql {
        detail: bad.to_string(),
    })?;
    let path = edit.path.clone();
    let back = Job::new(edit.site, &edit.base, Act::PutBack { path, kept });
    Ok(Undo::All {
        undos: vec![Undo::Job(back), Undo::SetDatabasePassword { user, hash }],
    })
}

/// Makes the password, gives it to MariaDB, and has the worker write it.
pub(super) fn act(host: &dyn Host, edit: &LoginEdit) -> Result<(), Fault> {
    let mut bytes = [0; 32];
    host.random(&mut bytes)?;
    let password = Password::from_random(bytes);
    sql::set_password(host, &edit.user, &DatabaseHash::of(&password))?;
    let act = Act::EditLogin {
        path: edit.path.clone(),
        kept: wordpress::site_path(KEPT)?,
        login: SiteLogin {
            database: edit.database.clone(),
            users: vec![edit.user.clone()],
        },
        password,
    };
    jobs::run(host, &Job::new(edit.site, &edit.base, act))
}

/// Removes the former files of operations that have ended. To be called while the engine is held.
pub fn close(host: &dyn Host, store: &Store) -> Result<(), Fault> {
    let databases = store.databases()?;
    for site in store.sites()?.iter() {
        let has_one = databases.iter().any(|one| one.site == Some(site.id));
        if has_one && host.stat(&site.root().join(FORMER))?.is_some() {
            if !(store.unfinished()?.is_empty() && store.stuck()?.is_empty()) {
                return Ok(());
            }
            jobs::remove_site_directory(host, site.id, &site.root(), FORMER)?;
        }
    }
    Ok(())
}
