//! `lalapanel db …`
//!
//! Invariant: a password is made and hashed here and printed once; the agent and the journal see its hash alone.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::agent::{Ask, unexpected};
use crate::cli::database_export::{self, Export};
use crate::cli::database_import::{self, Import};
use crate::cli::database_show;
use crate::cli::database_trash::{self, Delete, Restore};
use crate::cli::database_users::{self, Repair};
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::site::parse;
use crate::cli::{Outcome, change, prompt};
use crate::domain::change::Change;
use crate::domain::database::{DatabaseHash, DatabaseName, DatabaseUser};
use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Password;
use crate::domain::text::shown;
use crate::domain::tree_size::bytes;
use crate::rpc::database::DatabaseView;
use crate::rpc::protocol::{Reply, Request};

/// What can be done with databases.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a database with a user of the same name; the password is shown once
    Create(Create),
    /// All databases of this panel
    List {
        /// Those in the trash
        #[arg(long)]
        trash: bool,
    },
    /// One database
    Show {
        /// Its name
        name: String,
    },
    /// Delete a database: to the trash for 7 days, or for good
    Delete(Delete),
    /// Put a database back from the trash
    Restore(Restore),
    /// Give the user of a database a new password, which is shown once
    Password(NewPassword),
    /// Further users of a database
    #[command(subcommand)]
    User(database_users::Verb),
    /// Give the users of a database the rights again that they should have, and take all others
    Repair(Repair),
    /// Write a database into a file: one moment of it, whole or not at all
    Export(Export),
    /// Replace what is in a database by a dump: loaded beside it first, then put in its place in one step
    Import(Import),
}

/// A new database.
#[derive(Debug, Args)]
pub struct Create {
    /// Its name: a letter, then letters, digits and _
    pub name: String,
    /// The site it belongs to; with the site it goes to the trash and comes back
    #[arg(long, value_name = "H")]
    pub site: Option<String>,
    /// Read the password from the first line of this file; `-` is standard input. Otherwise one is made
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// A database whose user gets another password.
#[derive(Debug, Args)]
pub struct NewPassword {
    /// Its name
    pub name: String,
    /// Read the password from the first line of this file; `-` is standard input. Otherwise one is made
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// Make one and write it into the site's `wp-config.php` or `.env` as well; where the home page answers worse then, all is put back
    #[arg(long, conflicts_with = "password_file")]
    pub edit_site: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::Create(typed) => create(typed, agent, output),
        Verb::List { trash: false } => list(agent, output),
        Verb::List { trash: true } => database_trash::list(agent, output),
        Verb::Show { name } => database_show::run(&parse_name(name)?, agent, output),
        Verb::Delete(typed) => {
            database_trash::delete(&parse_name(&typed.name)?, typed, agent, output)
        }
        Verb::Restore(typed) => {
            database_trash::restore(&parse_name(&typed.name)?, typed.plan, agent, output)
        }
        Verb::Password(typed) => password(typed, agent, output),
        Verb::User(verb) => database_users::run(verb, agent, output),
        Verb::Repair(typed) => database_users::repair(typed, agent, output),
        Verb::Import(typed) => {
            database_import::run(&parse_name(&typed.name)?, typed, agent, output)
        }
        Verb::Export(typed) => {
            database_export::run(&parse_name(&typed.name)?, typed, agent, output)
        }
    }
}

pub(super) fn parse_name(text: &str) -> Result<DatabaseName, Fault> {
    DatabaseName::parse(text).map_err(|bad| {
        Fault::new(
            Code::DatabaseInvalid,
            format!("{bad}: `{}`", shown(text, 80)),
            "write it like shop_db",
        )
    })
}

/// A password of this machine's randomness.
pub(super) fn made() -> Result<Password, Fault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| {
        Fault::new(
            Code::HostFailed,
            "the system gave no random numbers",
            "try again; if it stays so, look at `dmesg`",
        )
    })?;
    Ok(Password::from_random(bytes))
}

/// The password typed, or one that was made: then it has to be shown.
pub(super) fn given_or_made(file: Option<&str>) -> Result<(Password, bool), Fault> {
    match file {
        Some(file) => prompt::password(Some(file)).map(|given| (given, false)),
        None => made().map(|made| (made, true)),
    }
}

fn create(typed: &Create, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let name = parse_name(&typed.name)?;
    let (password, is_made) = given_or_made(typed.password_file.as_deref())?;
    let wanted = Change::DatabaseCreate {
        hostname: typed.site.as_deref().map(parse).transpose()?,
        hash: DatabaseHash::of(&password),
        name: name.clone(),
    };
    let tell = |agent: &mut dyn Ask, output: &mut Output| {
        let view = find(&name, agent)?;
        Ok(told(&view, is_made.then_some(&password), output))
    };
    change::run_and_tell(&wanted, typed.plan, None, agent, output, &tell)
}

fn password(typed: &NewPassword, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let name = parse_name(&typed.name)?;
    if typed.edit_site {
        let wanted = Change::DatabaseSitePassword { name };
        return change::run(&wanted, typed.plan, None, agent, output);
    }
    let (password, is_made) = given_or_made(typed.password_file.as_deref())?;
    let wanted = Change::DatabasePassword {
        name: name.clone(),
        hash: DatabaseHash::of(&password),
    };
    let tell = |agent: &mut dyn Ask, output: &mut Output| {
        let view = find(&name, agent)?;
        Ok(told(&view, is_made.then_some(&password), output))
    };
    change::run_and_tell(&wanted, typed.plan, None, agent, output, &tell)
}

/// Prints how to reach a database, and its password where it was made here: this once.
pub(super) fn told(view: &DatabaseView, password: Option<&Password>, output: &mut Output) -> Value {
    let user = view.users.first().map(ToString::to_string);
    let mut document = json!(view);
    if let Value::Object(fields) = &mut document {
        fields.insert("user".to_owned(), json!(user));
        fields.insert("host".to_owned(), json!("localhost"));
    }
    output.line(format!("  database  {}", view.name));
    output.line(format!("  user      {}", user.unwrap_or_default()));
    output.line("  host      localhost");
    if let Some(password) = password {
        output.line(format!(
            "  password  {}  (shown only this once)",
            password.reveal()
        ));
        if let Value::Object(fields) = &mut document {
            fields.insert("password".to_owned(), json!(password.reveal()));
        }
    }
    document
}

/// All of them, those in the trash too.
pub(super) fn look(agent: &mut dyn Ask) -> Result<Vec<DatabaseView>, Fault> {
    match agent.ask(Request::DatabaseList {})? {
        Reply::Databases(views) => Ok(views),
        other => Err(unexpected(other)),
    }
}

/// One database as it is now.
pub(super) fn find(name: &DatabaseName, agent: &mut dyn Ask) -> Result<DatabaseView, Fault> {
    let found = look(agent)?.into_iter().find(|one| one.name == *name);
    found.ok_or_else(|| {
        Fault::new(
            Code::DatabaseNotFound,
            format!("there is no database {name} of this panel"),
            "see `lalapanel db list`",
        )
    })
}

pub(super) fn site_of(view: &DatabaseView) -> String {
    let site = view.site.as_ref().map(ToString::to_string);
    let site = site.unwrap_or_else(|| "-".to_owned());
    if view.locked {
        format!("{site} (in the trash)")
    } else {
        site
    }
}

pub(super) fn users_of(view: &DatabaseView) -> String {
    let users: Vec<&str> = view.users.iter().map(DatabaseUser::as_str).collect();
    users.join(" ")
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let mut views = look(agent)?;
    views.retain(|view| view.trash.is_none());
    output.document(&json!({ "databases": views }));
    if views.is_empty() {
        output.line("There is no database yet; make one with `lalapanel db create shop_db`");
        return Ok(Exit::Done);
    }
    let mut rows = vec![
        ["NAME", "SITE", "USER", "SIZE", "CREATED"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(views.iter().map(|view| {
        vec![
            view.name.to_string(),
            site_of(view),
            users_of(view),
            size_of(view.bytes),
            moment(view.created),
        ]
    }));
    for row in table(&rows) {
        output.line(row);
    }
    match views.iter().filter_map(|view| view.sized).min() {
        Some(at) => output.line(format!("Sizes as of {}", moment(at))),
        None => output.line("Sizes are not known: MariaDB has not answered yet"),
    }
    Ok(Exit::Done)
}

/// `-` where it is not known.
pub(super) fn size_of(size: Option<u64>) -> String {
    size.map_or_else(|| "-".to_owned(), bytes)
}
