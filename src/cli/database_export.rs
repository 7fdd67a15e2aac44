//! `lalapanel db export NAME FILE`: the agent pours, the file is written here, with the rights of whoever typed it.
//!
//! Invariant: a file has its name only once it is whole and on the disk, and none that is there is replaced unasked.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output};
use crate::cli::progress::{Watched, amount};
use crate::domain::database::DatabaseName;
use crate::domain::dump_format::DumpFormat;
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;
use crate::rpc::database::ExportedView;
use crate::rpc::packer::Packer;
use crate::rpc::protocol::{Reply, Request};

/// A database to write out.
#[derive(Debug, Args)]
pub struct Export {
    /// Its name
    pub name: String,
    /// Where to: a name that ends in .sql, .sql.gz or .sql.zst; `-` is standard output
    pub file: String,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Runs it.
pub(super) fn run(
    name: &DatabaseName,
    typed: &Export,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let request = Request::DatabaseExport { name: name.clone() };
    if typed.file == "-" {
        if output.is_json() {
            return Err(wrong_file(
                "the database and a JSON document cannot both go to standard output",
                "give the name of a file, or leave `--json` out",
            ));
        }
        let whole = whole(agent.pour(request, output.raw())?)?;
        tell_beside(&whole, output);
        return Ok(Exit::Done);
    }
    let Some(format) = DumpFormat::of_name(&typed.file) else {
        return Err(wrong_file(
            &format!("`{}` says no format", shown(&typed.file, 200)),
            "end the name in .sql, .sql.gz or .sql.zst, or write `-` for standard output",
        ));
    };
    let partial = Partial::create(Path::new(&typed.file), typed.force)?;
    let (whole, size) = fill(partial, format, request, agent, output)?;
    tell_beside(&whole, output);
    output.line(format!(
        "{name} is in {}: {} of SQL{}",
        shown(&typed.file, 400),
        amount(whole.bytes),
        match format {
            DumpFormat::Plain => String::new(),
            DumpFormat::Gzip | DumpFormat::Zstd => format!(", {} packed", amount(size)),
        }
    ));
    output.document(&json!({
        "name": name,
        "file": typed.file,
        "format": format,
        "bytes": size,
        "sql_bytes": whole.bytes,
        "beside": whole.beside,
        "unimported": whole.unimported,
    }));
    Ok(Exit::Done)
}

/// The answer, and the size of the file.
fn fill(
    partial: Partial,
    format: DumpFormat,
    request: Request,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Result<(ExportedView, u64), Fault> {
    let target = partial.target.clone();
    let failed = |error: std::io::Error| unwritable(&target, &error);
    let file = partial.file.try_clone().map_err(failed)?;
    let mut packer = Packer::new(format, BufWriter::new(file)).map_err(failed)?;
    let mut watched = Watched::new(&mut packer, output);
    let answer = agent.pour(request, &mut watched);
    output.clear_unfinished();
    let whole = whole(answer?)?;
    let buffered = packer.finish().map_err(failed)?;
    let file = buffered
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    partial.name_it()?;
    Ok((whole, size))
}

fn whole(reply: Reply) -> Result<ExportedView, Fault> {
    match reply {
        Reply::Exported(whole) => Ok(whole),
        other => Err(unexpected(other)),
    }
}

fn tell_beside(whole: &ExportedView, output: &mut Output) {
    if !whole.beside.is_empty() {
        output.note(format!(
            "These tables know no transactions; if something wrote to them meanwhile, they are of a later moment than the rest: {}",
            shown(&whole.beside.join(", "), 400)
        ));
    }
    if !whole.unimported.is_empty() {
        output.note(format!(
            "All of it is written out, but `lalapanel db import` will refuse it because of these (docs/databases.md says how it goes in by hand): {}",
            shown(&whole.unimported.join(", "), 400)
        ));
    }
}

/// A file under another name until it is whole; removed where it does not become so.
struct Partial {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    force: bool,
}

impl Partial {
    fn create(target: &Path, force: bool) -> Result<Self, Fault> {
        let name = target.file_name().and_then(|name| name.to_str());
        let Some(name) = name else {
            return Err(wrong_file("this is no name of a file", "give a whole path"));
        };
        if !force && target.symlink_metadata().is_ok() {
            return Err(taken(target));
        }
        let temporary = format!(".{name}.{}.partial", std::process::id());
        let temporary = target.with_file_name(temporary);
        // What is in a database is nobody else's business.
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary);
        let file = opened.map_err(|error| unwritable(target, &error))?;
        Ok(Self {
            file,
            temporary,
            target: target.to_owned(),
            force,
        })
    }

    /// Gives it its name, in one step.
    fn name_it(self) -> Result<(), Fault> {
        // A second name, unlike a rename, never replaces what came there meanwhile.
        match std::fs::hard_link(&self.temporary, &self.target) {
            Ok(()) => {}
            Err(error) if error.kind() != ErrorKind::AlreadyExists => self.rename()?,
            Err(_) if self.force => self.rename()?,
            Err(_) => return Err(taken(&self.target)),
        }
        let directory = match self.target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let flushed = File::open(directory).and_then(|directory| directory.sync_all());
        flushed.map_err(|error| unwritable(&self.target, &error))
    }

    /// Over what was to be replaced, or on a file system that knows no second names.
    #[expect(
        clippy::disallowed_methods,
        reason = "a person's own file, renamed with the person's own rights"
    )]
    fn rename(&self) -> Result<(), Fault> {
        std::fs::rename(&self.temporary, &self.target)
            .map_err(|error| unwritable(&self.target, &error))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = nix::unistd::unlink(&self.temporary);
    }
}

fn taken(target: &Path) -> Fault {
    wrong_file(
        &format!("`{}` exists already", shown(&target.to_string_lossy(), 400)),
        "choose another name, or replace it with `--force`",
    )
}

fn unwritable(target: &Path, error: &std::io::Error) -> Fault {
    wrong_file(
        &format!(
            "`{}` cannot be written",
            shown(&target.to_string_lossy(), 400)
        ),
        "see whether the directory exists and has room (`df -h`), then try again",
    )
    .detail(error.to_string())
}

fn wrong_file(title: &str, hint: &str) -> Fault {
    Fault::new(Code::DatabaseFile, title, hint)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_once_it_is_whole_and_replaces_none_unasked() {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("shop.sql");
        let partial = Partial::create(&target, false).unwrap();
        assert!(!target.exists());
        drop(partial);
        assert!(names(scratch.path()).is_empty(), "nothing is left of it");
        let mut partial = Partial::create(&target, false).unwrap();
        partial.file.write_all(b"one").unwrap();
        partial.name_it().unwrap();
        assert_eq!(names(scratch.path()), ["shop.sql"]);
        let refused = Partial::create(&target, false).err().unwrap();
        assert_eq!(refused.code, Code::DatabaseFile);
        let mut partial = Partial::create(&target, true).unwrap();
        partial.file.write_all(b"two").unwrap();
        partial.name_it().unwrap();
        assert_eq!(names(scratch.path()), ["shop.sql"]);
        // One that came meanwhile.
        let other = scratch.path().join("other.sql");
        let partial = Partial::create(&other, false).unwrap();
        File::create(&other).unwrap();
        assert!(partial.name_it().is_err());
        assert_eq!(names(scratch.path()), ["other.sql", "shop.sql"]);
    }
}
