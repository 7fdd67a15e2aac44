//! Writes a database out as SQL: as it was at one moment, with routines, events and triggers.
//!
//! Invariant: nothing is called whole before the dump's own last line was seen and its program ended well; whatever happens, the
//! database user it ran as is dropped, at the latest when the agent starts again.

use std::collections::VecDeque;
use std::io::Write;

use crate::domain::database::DatabaseName;
use crate::domain::database_job::JobUser;
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;
use crate::host::Host;
use crate::host::exec::Output;
use crate::ops::state::State;
use crate::store::Store;
use crate::system::{database, database_job};

/// The last line of a dump, where it names no date.
const END: &[u8] = b"\n-- Dump completed\n";

/// A dump that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Bytes of SQL.
    pub bytes: u64,
    /// Tables of engines that know no transactions, which may be of another moment than the rest.
    pub beside: Vec<String>,
    /// What it holds besides tables, which `db import` does not take.
    pub unimported: Vec<String>,
}

/// Writes a database of this panel to `to`.
pub fn export(
    host: &dyn Host,
    store: &Store,
    name: &DatabaseName,
    to: &mut dyn Write,
) -> Result<Exported, Fault> {
    State::read(store)?.database(name)?;
    if !database::exists(host, name)? {
        return Err(gone(name));
    }
    let beside = database_job::tables_beside(host, name)?;
    let unimported = database_job::besides_tables(host, name.as_str())?;
    let mut number = [0; 8];
    host.random(&mut number)?;
    let user = JobUser::for_export(number);
    let login = database_job::make_reader(host, user, name)?;
    let mut counted = Counted::new(to);
    let ended = host.dump(&login, &mut counted);
    // What cannot be dropped now goes at the next start of the agent.
    let dropped = database_job::drop_user(host, &login.user);
    let output = ended?;
    if !output.is_success() || !counted.is_whole() {
        return Err(unfinished(name, &output));
    }
    dropped?;
    Ok(Exported {
        bytes: counted.bytes,
        beside,
        unimported,
    })
}

pub(super) fn gone(name: &DatabaseName) -> Fault {
    Fault::new(
        Code::DatabaseNotFound,
        format!("MariaDB has no database {name} any more"),
        "somebody dropped it; bring it back from a backup, or delete it here too",
    )
}

pub(super) fn unfinished(name: &DatabaseName, output: &Output) -> Fault {
    let lines = output.stderr.lines().map(str::trim);
    let culprit = lines.rev().find(|line| !line.is_empty());
    Fault::new(
        Code::DatabaseUnexported,
        format!("the database {name} could not be written out whole"),
        "mend what the detail names (a view of a table that is gone, a damaged table), then export again",
    )
    .detail(shown(
        culprit.unwrap_or("mariadb-dump ended without its last line"),
        400,
    ))
}

/// Passes bytes on, counts them, and remembers the last.
struct Counted<'a> {
    to: &'a mut dyn Write,
    bytes: u64,
    last: VecDeque<u8>,
}

impl<'a> Counted<'a> {
    fn new(to: &'a mut dyn Write) -> Self {
        let last = VecDeque::with_capacity(END.len());
        Self { to, bytes: 0, last }
    }

    fn is_whole(&self) -> bool {
        self.last.iter().eq(END)
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.bytes += u64::try_from(count).unwrap_or(u64::MAX);
        let written = bytes.get(..count).unwrap_or_default();
        let news = written.get(written.len().saturating_sub(END.len())..);
        self.last.extend(news.unwrap_or_default());
        let surplus = self.last.len().saturating_sub(END.len());
        self.last.drain(..surplus);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(pieces: &[&[u8]]) -> bool {
        let mut to = Vec::new();
        let mut counted = Counted::new(&mut to);
        for piece in pieces {
            counted.write_all(piece).unwrap();
        }
        let (bytes, whole) = (counted.bytes, counted.is_whole());
        assert_eq!(bytes, to.len() as u64);
        assert_eq!(to, pieces.concat());
        whole
    }

    #[test]
    fn a_dump_is_whole_by_its_last_line_alone_however_it_arrives() {
        assert!(is_whole(&[b"INSERT;\n-- Dump completed\n"]));
        assert!(is_whole(&[b"INSERT;\n-- Dump", b" compl", b"", b"eted\n"]));
        assert!(!is_whole(&[b"INSERT;\n-- Dump completed"]));
        assert!(!is_whole(&[b"INSERT;\n-- Dump completed\n", b"\n"]));
        assert!(!is_whole(&[b"-- Dump completed\n"]));
        assert!(!is_whole(&[]));
    }
}
