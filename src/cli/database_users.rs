//! `lalapanel db user …` and `db repair`: further users of a database, what each may do, and grants put right.
//!
//! Invariant: a password is made and hashed here and printed once, as that of the database's own user is.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::agent::Ask;
use crate::cli::database::{find, given_or_made, parse_name};
use crate::cli::output::Output;
use crate::cli::{Outcome, change};
use crate::domain::change::Change;
use crate::domain::database::{DatabaseHash, DatabaseName, DatabaseUser};
use crate::domain::database_access::{AccessAct, ConnectionLimit, DatabaseAccess, Rights, Terms};
use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Password;
use crate::domain::text::shown;

/// What can be done with users of a database.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a further user, for this database alone; the password is shown once
    Add(Add),
    /// Change what a user may do, or how many connections it may have
    Set(Set),
    /// Give a user a new password, which is shown once
    Password(NewPassword),
    /// Remove a further user, and end its connections
    Remove(Whom),
}

/// A further user.
#[derive(Debug, Args)]
pub struct Add {
    /// The database
    pub database: String,
    /// The user's name: a letter, then letters, digits and _
    pub name: String,
    /// all, read-only, read-write, or names with commas: select,insert,create-view
    #[arg(long, default_value = "all")]
    pub rights: String,
    /// At most so many connections at once; 0 for no limit of its own
    #[arg(long, value_name = "N", default_value = "0")]
    pub max_connections: String,
    /// Read the password from the first line of this file; `-` is standard input. Otherwise one is made
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Other terms; what is not given stays.
#[derive(Debug, Args)]
pub struct Set {
    /// The database
    pub database: String,
    /// The user
    pub name: String,
    /// all, read-only, read-write, or names with commas: select,insert,create-view
    #[arg(long, required_unless_present = "max_connections")]
    pub rights: Option<String>,
    /// At most so many connections at once; 0 for no limit of its own
    #[arg(long, value_name = "N")]
    pub max_connections: Option<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// A user that gets another password.
#[derive(Debug, Args)]
pub struct NewPassword {
    /// The database
    pub database: String,
    /// The user
    pub name: String,
    /// Read the password from the first line of this file; `-` is standard input. Otherwise one is made
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// A user.
#[derive(Debug, Args)]
pub struct Whom {
    /// The database
    pub database: String,
    /// The user
    pub name: String,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// A database whose grants are put right.
#[derive(Debug, Args)]
pub struct Repair {
    /// Its name
    pub name: String,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Runs one.
pub(super) fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::Add(typed) => add(typed, agent, output),
        Verb::Set(typed) => {
            let act = AccessAct::Set {
                user: parse_user(&typed.name)?,
                rights: typed.rights.as_deref().map(parse_rights).transpose()?,
                connections: typed.max_connections.as_deref().map(limit).transpose()?,
            };
            apply(
                &parse_name(&typed.database)?,
                act,
                typed.plan,
                None,
                agent,
                output,
            )
        }
        Verb::Password(typed) => password(typed, agent, output),
        Verb::Remove(typed) => {
            let user = parse_user(&typed.name)?;
            let (name, act) = (parse_name(&typed.database)?, AccessAct::Remove { user });
            apply(&name, act, typed.plan, None, agent, output)
        }
    }
}

/// Puts grants right.
pub(super) fn repair(typed: &Repair, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let name = parse_name(&typed.name)?;
    apply(&name, AccessAct::Repair {}, typed.plan, None, agent, output)
}

fn add(typed: &Add, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (name, user) = (parse_name(&typed.database)?, parse_user(&typed.name)?);
    let terms = Terms {
        rights: parse_rights(&typed.rights)?,
        connections: limit(&typed.max_connections)?,
    };
    let (password, is_made) = given_or_made(typed.password_file.as_deref())?;
    let hash = DatabaseHash::of(&password);
    let act = AccessAct::Add { user, hash, terms };
    let shown = is_made.then_some(&password);
    apply(&name, act, typed.plan, shown, agent, output)
}

fn password(typed: &NewPassword, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (name, user) = (parse_name(&typed.database)?, parse_user(&typed.name)?);
    let (password, is_made) = given_or_made(typed.password_file.as_deref())?;
    let hash = DatabaseHash::of(&password);
    let shown = is_made.then_some(&password);
    let act = AccessAct::Password { user, hash };
    apply(&name, act, typed.plan, shown, agent, output)
}

fn apply(
    name: &DatabaseName,
    act: AccessAct,
    plan: bool,
    password: Option<&Password>,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let told_of = match &act {
        AccessAct::Add { user, .. } | AccessAct::Password { user, .. } => Some(user.clone()),
        _ => None,
    };
    let wanted = Change::DatabaseAccess(DatabaseAccess {
        name: name.clone(),
        act,
    });
    let tell = |agent: &mut dyn Ask, output: &mut Output| {
        let mut document = json!(find(name, agent)?);
        if let (Value::Object(fields), Some(user)) = (&mut document, &told_of) {
            fields.insert("user".to_owned(), json!(user));
            fields.insert("host".to_owned(), json!("localhost"));
            output.line(format!("  database  {name}"));
            output.line(format!("  user      {user}"));
            output.line("  host      localhost");
            if let Some(password) = password {
                let password = password.reveal();
                output.line(format!("  password  {password}  (shown only this once)"));
                fields.insert("password".to_owned(), json!(password));
            }
        }
        Ok(document)
    };
    change::run_and_tell(&wanted, plan, None, agent, output, &tell)
}

fn invalid(title: String, hint: &str) -> Fault {
    Fault::new(Code::DatabaseInvalid, title, hint)
}

fn parse_user(text: &str) -> Result<DatabaseUser, Fault> {
    DatabaseUser::parse(text).map_err(|bad| {
        let bad = bad
            .to_string()
            .replace("a database's name", "a user's name");
        invalid(
            format!("{bad}: `{}`", shown(text, 80)),
            "write it like shop_reader",
        )
    })
}

fn parse_rights(text: &str) -> Result<Rights, Fault> {
    Rights::parse(text).map_err(|bad| {
        invalid(
            format!("`{}` is no right: {bad}", shown(text, 80)),
            "write `--rights read-only`",
        )
    })
}

fn limit(text: &str) -> Result<ConnectionLimit, Fault> {
    let hint = "write `--max-connections 10`";
    ConnectionLimit::parse(text).map_err(|bad| invalid(bad.to_string(), hint))
}
