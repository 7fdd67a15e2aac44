//! `lalapanel db import NAME FILE`: unpacked here, loaded by the agent beside the database, then put in its place.
//!
//! Invariant: what was loaded and not put in place is forgotten again, whatever the reason.

use std::fs::File;
use std::io::{BufReader, Read};

use clap::Args;
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::Output;
use crate::cli::progress::{Watched, amount};
use crate::cli::{Outcome, change, plan, prompt};
use crate::domain::change::Change;
use crate::domain::database::DatabaseName;
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;
use crate::rpc::database::LoadedView;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::unpacker::unpacked;

/// A database to read in.
#[derive(Debug, Args)]
pub struct Import {
    /// Its name
    pub name: String,
    /// Where from: SQL, plain or packed by gzip or zstd; `-` is standard input
    pub file: String,
    /// Also take a dump without the line `-- Dump completed` at its end
    #[arg(long)]
    pub unfinished: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Load it, print what would change, forget it again
    #[arg(long)]
    pub plan: bool,
}

/// Runs it.
pub(super) fn run(
    name: &DatabaseName,
    typed: &Import,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let from = open(&typed.file)?;
    let request = Request::DatabaseLoad {
        name: name.clone(),
        unfinished: typed.unfinished,
    };
    let mut watched = Watched::new(from, output);
    let answer = agent.fill(request, &mut watched);
    output.clear_unfinished();
    let loaded = match answer? {
        Reply::Loaded(loaded) => loaded,
        other => return Err(unexpected(other)),
    };
    output.note(format!(
        "{} of SQL, {} tables, are loaded beside {name}",
        amount(loaded.bytes),
        loaded.tables
    ));
    let outcome = put_in_place(name, typed, &loaded, agent, output);
    if typed.plan || outcome.is_err() {
        let (name, import) = (name.clone(), loaded.import);
        let _ = agent.ask(Request::DatabaseDiscard { name, import });
    }
    outcome
}

fn put_in_place(
    name: &DatabaseName,
    typed: &Import,
    loaded: &LoadedView,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let wanted = Change::DatabaseImport {
        name: name.clone(),
        import: loaded.import.clone(),
    };
    let told = json!({ "name": name, "tables": loaded.tables, "sql_bytes": loaded.bytes });
    let tell = |_: &mut dyn Ask, _: &mut Output| Ok(told.clone());
    let asks = !typed.plan && !typed.yes && !output.is_json() && typed.file != "-";
    if !asks || !prompt::is_possible() {
        return change::run_and_tell(&wanted, typed.plan, None, agent, output, &tell);
    }
    let Some(seen) = change::preview(&wanted, agent)? else {
        return change::nothing_to_do(&wanted, agent, output);
    };
    plan::print(&seen, output);
    if prompt::line(&format!("Type {name} to replace what is in it: "))? != name.as_str() {
        return Err(Fault::new(
            Code::DatabaseConfirmation,
            format!("Replacing what is in {name} needs your word"),
            "type its name, or add `--yes`",
        ));
    }
    change::run_and_tell(&wanted, false, Some(seen.hash), agent, output, &tell)
}

/// The SQL in a file, by what is in it and not by its name.
fn open(path: &str) -> Result<Box<dyn Read>, Fault> {
    let unreadable = |error: std::io::Error| {
        Fault::new(
            Code::DatabaseFile,
            format!("`{}` cannot be read", shown(path, 400)),
            "give the path of a dump: .sql, .sql.gz or .sql.zst",
        )
        .detail(error.to_string())
    };
    if path == "-" {
        return unpacked(Box::new(std::io::stdin())).map_err(unreadable);
    }
    let file = File::open(path).map_err(unreadable)?;
    unpacked(Box::new(BufReader::new(file))).map_err(unreadable)
}
