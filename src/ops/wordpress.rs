//! A new site with WordPress in it: unpacked by the site, with a database and secrets of its own, and its installer finished.
//!
//! Invariant: nobody but the panel ever meets the open installer, since nginx does not show the site before; no secret that
//! is made here is in a plan or in the journal.

use crate::domain::archive::FetchedArchive;
use crate::domain::database::{DatabaseHash, DatabaseName};
use crate::domain::database_access::Terms;
use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::path::{HostPath, SitePath};
use crate::domain::secret::{Password, Token};
use crate::domain::site::Site;
use crate::domain::text::shown;
use crate::domain::wordpress::{ArchiveDigest, NewWordpress};
use crate::host::Host;
use crate::host::job::{Act, Job};
use crate::ops::site_parts::Steps;
use crate::ops::step::{Step, WordpressInstall};
use crate::ops::{database, jobs, wordpress_archive};
use crate::render;
use crate::system::{database as sql, fastcgi, wordpress as installer};

/// The installer makes twelve tables and asks itself over the network, in vain.
const INSTALL_MILLIS: u64 = 120_000;

/// An archive that nobody brought cannot be unpacked.
pub(super) fn refuse_absent(new: &NewWordpress, facts: &Facts) -> Result<(), Fault> {
    if facts.occupied.contains(&new.archive.file()) {
        return Ok(());
    }
    Err(Fault::new(
        Code::WordpressArchive,
        "there is no archive of WordPress to install from",
        "have it fetched anew, or give one with `--archive wordpress.tar.gz`, as wordpress.org offers it",
    ))
}

/// What is known of the archive, where it was fetched.
fn fetched<'f>(new: &NewWordpress, facts: &'f Facts) -> Option<&'f FetchedArchive> {
    let fetched = facts.archive.as_ref()?;
    (fetched.archive == new.archive).then_some(fetched)
}

/// For people, beforehand: what was fetched, from where, and what it was compared with.
pub(super) fn told(new: &NewWordpress, facts: &Facts) -> Option<String> {
    fetched(new, facts).map(FetchedArchive::sentence)
}

/// Everything before PHP runs: files, database, configuration.
pub(super) fn files(
    steps: &mut Steps,
    site: &Site,
    new: &NewWordpress,
    name: &DatabaseName,
    facts: &Facts,
) {
    let archive = new.archive.clone();
    let short: String = archive.as_str().chars().take(12).collect();
    let what = fetched(new, facts).map_or_else(|| "WordPress".to_owned(), FetchedArchive::name);
    steps.add(
        format!("Unpack {what} as the site's user, from the archive {short}…"),
        Step::UnpackWordpress {
            site: site.id,
            base: site.root(),
            archive,
        },
    );
    database::make(steps, name);
    steps.add(
        "Make the database user, a password and secret keys, and write wp-config.php",
        Step::ConfigureWordpress {
            site: site.id,
            base: site.root(),
            hostname: site.hostname.clone(),
            database: name.clone(),
        },
    );
}

/// Once PHP runs and before nginx shows the site.
pub(super) fn install(
    steps: &mut Steps,
    site: &Site,
    new: &NewWordpress,
    name: &DatabaseName,
    facts: &Facts,
) {
    let socket = match facts.services {
        ServiceManager::Systemd => site.php_socket(),
        ServiceManager::Sysv => site.shared_php_socket(),
    };
    steps.add(
        format!(
            "Run WordPress's installer and make the administrator {}",
            new.admin
        ),
        Step::InstallWordpress(Box::new(WordpressInstall {
            hostname: site.hostname.clone(),
            socket,
            document_root: site.document_root(),
            database: name.clone(),
            new: new.clone(),
        })),
    );
}

/// Does a step about WordPress; nothing for others.
pub(super) fn act(host: &dyn Host, step: &Step) -> Result<(), Fault> {
    match step {
        Step::UnpackWordpress {
            site,
            base,
            archive,
        } => unpack(host, |act| Job::new(*site, base, act), archive),
        Step::ConfigureWordpress {
            site,
            base,
            hostname,
            database,
        } => configure(host, |act| Job::new(*site, base, act), hostname, database),
        Step::InstallWordpress(install) => run(host, install),
        _ => Ok(()),
    }
}

/// Compares the archive with the digest it was asked for by, and has the site's worker unpack it.
fn unpack(
    host: &dyn Host,
    job_of: impl FnOnce(Act) -> Job,
    archive: &ArchiveDigest,
) -> Result<(), Fault> {
    if wordpress_archive::sums(host, &archive.file())?.sha256 != archive.as_str() {
        return Err(Fault::new(
            Code::WordpressArchive,
            "the archive is not the one that was asked for",
            "give it again with `--archive`",
        ));
    }
    let path = site_path("htdocs")?;
    let act = Act::Unpack {
        archive: archive.file(),
        path,
    };
    jobs::run(host, &job_of(act))
}

/// Makes the user and the secrets, and writes them where only the site can read them.
fn configure(
    host: &dyn Host,
    job_of: impl FnOnce(Act) -> Job,
    hostname: &Hostname,
    name: &DatabaseName,
) -> Result<(), Fault> {
    let password = made(host)?;
    let mut seed = [0; 32];
    host.random(&mut seed)?;
    let (user, hash) = (name.user(), DatabaseHash::of(&password));
    sql::create_user(host, &user, &hash, name, &Terms::default())?;
    sql::set_password(host, &user, &hash)?;
    let text = render::wordpress::config(hostname, name, &password, &Token::from_random(seed));
    let path = site_path("htdocs/wp-config.php")?;
    jobs::run(host, &job_of(Act::PutSecret { path, text }))
}

/// Fills in the installer's form, looks whether the administrator is there, and gives it the password that was asked for.
fn run(host: &dyn Host, install: &WordpressInstall) -> Result<(), Fault> {
    let (name, new) = (&install.database, &install.new);
    let root = &install.document_root;
    let request = installer::install_request(&install.hostname, root, new, &made(host)?);
    let answer = host.exchange(&install.socket, &request, 4 << 20, INSTALL_MILLIS)?;
    let is_there = |names: Vec<String>| names.iter().any(|one| one == new.admin.as_str());
    if !installer::users(host, name).is_ok_and(is_there) {
        return Err(unfinished(&answer, root));
    }
    installer::set_admin_hash(host, name, &new.admin, new)?;
    installer::set_permalinks(host, name)?;
    Ok(())
}

fn unfinished(answer: &[u8], root: &HostPath) -> Fault {
    let page = fastcgi::page(answer);
    let status = page.status.map_or_else(
        || "no answer".to_owned(),
        |status| format!("the installer answered with status {status}"),
    );
    let why = fastcgi::culprit(&page.errors, root).unwrap_or_else(|| shown(&page.errors, 300));
    Fault::new(
        Code::WordpressFailed,
        "WordPress's installer did not finish",
        "take another version of WordPress or of PHP (`--php`), then try again",
    )
    .detail(if why.is_empty() {
        status
    } else {
        format!("{status}: {why}")
    })
}

fn made(host: &dyn Host) -> Result<Password, Fault> {
    let mut bytes = [0; 32];
    host.random(&mut bytes)?;
    Ok(Password::from_random(bytes))
}

pub(super) fn site_path(text: &str) -> Result<SitePath, Fault> {
    SitePath::parse(text).map_err(|bad| {
        Fault::new(
            Code::HostFailed,
            bad.to_string(),
            "report it with the version of the panel",
        )
    })
}
