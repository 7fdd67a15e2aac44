//! `lalapanel site create --install`: the archive is fetched, or looked at and handed over; the administrator's password is made and
//! shown once.
//!
//! Invariant: the agent gets the digest of the archive and the hash of the password; what an archive was checked against is said.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::Args;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::Output;
use crate::cli::{database, prompt, site_visitor};
use crate::domain::fault::{Code, Fault};
use crate::domain::secret::{Password, hex};
use crate::domain::wordpress::{
    AdminEmail, AdminName, ArchiveDigest, NewWordpress, SiteTitle, archives,
};
use crate::host::linux::LinuxHost;
use crate::host::{Host, Mode, Owner};
use crate::rpc::protocol::{Reply, Request};

/// As much as the agent reads.
const LONGEST: u64 = 100 << 20;
/// The agent is asked for a fetched archive so often, each time with some patience of its own.
const MOST_ROUNDS: usize = 40;

/// What a new WordPress needs.
#[derive(Debug, Args)]
pub struct Wordpress {
    /// Install WordPress: from wordpress.org (or the mirror of the settings), with a database, secret keys and an administrator
    #[arg(long, requires = "admin_email")]
    pub install: bool,
    /// Not from there, but from this archive, .tar.gz
    #[arg(long, value_name = "FILE", requires = "install")]
    pub archive: Option<String>,
    /// The SHA-256 the archive must have; without it, FILE.sha256 or FILE.sha1 beside it is compared
    #[arg(long, value_name = "HEX", requires = "install")]
    pub sha256: Option<String>,
    /// The site's title; its hostname where none is given
    #[arg(long, requires = "install")]
    pub title: Option<String>,
    /// The administrator's name
    #[arg(long, value_name = "NAME", default_value = "admin")]
    pub admin_name: String,
    /// The administrator's e-mail address
    #[arg(long, value_name = "ADDRESS", requires = "install")]
    pub admin_email: Option<String>,
    /// Read the administrator's password from the first line of this file; `-` is standard input. Otherwise one is made
    #[arg(long, value_name = "FILE", requires = "install")]
    pub admin_password_file: Option<String>,
}

/// An archive that the agent has, and the administrator's password where it was made here.
pub(super) struct Prepared {
    /// For the agent.
    pub(super) new: NewWordpress,
    password: Option<Password>,
    checked: String,
    /// Taken away again at the end.
    _handed_over: Option<HandedOver>,
}

/// Looks at everything that was typed, and then has the archive brought to where the agent finds it.
pub(super) fn prepare(
    typed: &Wordpress,
    hostname: &str,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Result<Prepared, Fault> {
    let title = SiteTitle::parse(typed.title.as_deref().unwrap_or(hostname));
    let title = title.map_err(|bad| wrong(&bad, "--title"))?;
    let admin = AdminName::parse(&typed.admin_name).map_err(|bad| wrong(&bad, "--admin-name"))?;
    let email = AdminEmail::parse(typed.admin_email.as_deref().unwrap_or_default());
    let email = email.map_err(|bad| wrong(&bad, "--admin-email"))?;
    let (password, is_made) = match &typed.admin_password_file {
        Some(file) => (prompt::password(Some(file))?, false),
        None => (database::made()?, true),
    };
    let hash = site_visitor::hash(&password)?;
    let (archive, checked, handed_over) = match &typed.archive {
        Some(path) => handed_over(typed, path)?,
        None => fetched(typed, agent, output)?,
    };
    Ok(Prepared {
        new: NewWordpress {
            archive,
            title,
            admin,
            email,
            hash,
        },
        password: is_made.then_some(password),
        checked,
        _handed_over: handed_over,
    })
}

type Archive = (ArchiveDigest, String, Option<HandedOver>);

fn handed_over(typed: &Wordpress, path: &str) -> Result<Archive, Fault> {
    let bytes = read(path)?;
    let (archive, checked) = check(typed, path, &bytes)?;
    let handed_over = HandedOver::new(&archive, &bytes)?;
    Ok((archive, format!("The archive {checked}"), Some(handed_over)))
}

/// Has it fetched, and waits for it as long as it is on its way.
fn fetched(typed: &Wordpress, agent: &mut dyn Ask, output: &mut Output) -> Result<Archive, Fault> {
    for round in 0..MOST_ROUNDS {
        let view = match agent.ask(Request::WordpressFetch {})? {
            Reply::Archive(view) => *view,
            other => return Err(unexpected(other)),
        };
        let Some(fetched) = view.fetched else {
            if round == 0 {
                output.note(format!("Fetching WordPress from {}…", view.url));
            }
            agent.pause();
            continue;
        };
        let wanted = typed.sha256.as_deref();
        let own = fetched.archive.as_str();
        if let Some(wanted) = wanted.filter(|wanted| !wanted.eq_ignore_ascii_case(own)) {
            return Err(
                archive_fault("what was fetched is not the archive of that SHA-256")
                    .detail(format!("it has {own}, and {wanted} was given")),
            );
        }
        let checked = fetched.sentence();
        return Ok((fetched.archive, checked, None));
    }
    Err(archive_fault("the archive does not come").detail("it is on its way for too long"))
}

fn wrong(bad: &dyn std::fmt::Display, flag: &str) -> Fault {
    let hint = format!("give it with `{flag}`");
    Fault::new(Code::RequestInvalid, bad.to_string(), hint)
}

/// Why not through the host port: this is the person's own file, opened with the person's own rights.
fn read(path: &str) -> Result<Vec<u8>, Fault> {
    let unreadable = |error: std::io::Error| {
        Fault::new(
            Code::WordpressArchive,
            format!("`{path}` cannot be read"),
            "give the path of the archive from wordpress.org",
        )
        .detail(error.to_string())
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(archive_fault("the archive is larger than 100 MB"));
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(archive_fault("the archive is no .tar.gz"));
    }
    Ok(bytes)
}

fn archive_fault(title: &str) -> Fault {
    Fault::new(
        Code::WordpressArchive,
        title,
        "take https://wordpress.org/latest.tar.gz, and the checksum beside it",
    )
}

/// The archive's digest, and in words what it was compared with.
fn check(typed: &Wordpress, path: &str, bytes: &[u8]) -> Result<(ArchiveDigest, String), Fault> {
    let own = hex(&Sha256::digest(bytes));
    let archive = ArchiveDigest::parse(&own).map_err(|bad| wrong(&bad, "--sha256"))?;
    let beside = |ending: &str| {
        let file = format!("{path}.{ending}");
        Path::new(&file).exists().then_some(file)
    };
    let (expected, found, source) = if let Some(given) = &typed.sha256 {
        (given.clone(), own, "the SHA-256 that was given".to_owned())
    } else if let Some(file) = beside("sha256") {
        (first_word(&file)?, own, file)
    } else if let Some(file) = beside("sha1") {
        (first_word(&file)?, hex(&Sha1::digest(bytes)), file)
    } else {
        let words = format!("was compared with no checksum; its SHA-256 is {own}");
        return Ok((archive, words));
    };
    if expected.eq_ignore_ascii_case(&found) {
        return Ok((archive, format!("is as {source} says")));
    }
    Err(
        archive_fault("the archive is damaged, or not the one its checksum is of")
            .detail(format!("it has {found}, and {source} says {expected}")),
    )
}

fn first_word(file: &str) -> Result<String, Fault> {
    let text = prompt::text_of(file)?;
    Ok(text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned())
}

/// Puts the archive where the agent looks for it. It is taken away again when this value goes.
struct HandedOver(LinuxHost, ArchiveDigest);

impl HandedOver {
    fn new(archive: &ArchiveDigest, bytes: &[u8]) -> Result<Self, Fault> {
        let host = LinuxHost::system(false).map_err(|error| {
            archive_fault("the archive cannot be handed over").detail(error.to_string())
        })?;
        host.make_dir(&archives(), Owner::ROOT, Mode(0o700))?;
        host.write(&archive.file(), bytes, Owner::ROOT, Mode(0o600))?;
        Ok(Self(host, archive.clone()))
    }
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        let _ = self.0.remove(&self.1.file());
        let _ = self.0.remove(&archives());
    }
}

impl Prepared {
    /// Says what the archive was compared with, before anything is done.
    pub(super) fn announce(&self, output: &mut Output) {
        output.note(&self.checked);
    }

    /// Prints how to sign in; the password this once.
    pub(super) fn tell(&self, url: &str, output: &mut Output) -> Value {
        let mut text = format!("  WordPress {url}wp-admin/\n  name      {}", self.new.admin);
        if let Some(password) = &self.password {
            let _ = write!(
                text,
                "\n  password  {}  (shown only this once)",
                password.reveal()
            );
        }
        output.line(text);
        json!({
            "url": format!("{url}wp-admin/"),
            "admin": self.new.admin,
            "password": self.password.as_ref().map(Password::reveal),
            "archive": self.new.archive,
            "archive_check": self.checked,
        })
    }
}
