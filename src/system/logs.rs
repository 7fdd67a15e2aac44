//! Reads a site's logs: backwards from their end, and what is new since a place. Rotation in between loses nothing.
//!
//! Invariant: never more than a window is read for one question, and no link is followed, whoever made it.

use crate::domain::log::{LogFile, LogFilter, LogPlace};
use crate::domain::path::HostPath;
use crate::host::{Host, HostError, HostResult};
use crate::rpc::log::{LogRecord, LogView};
use crate::system::log_record;

/// The most bytes read for one question.
const WINDOW: usize = 1 << 20;
/// The first try: enough for a page of an ordinary log.
const FIRST: usize = 64 << 10;
/// The most records of one answer.
pub const MOST_RECORDS: usize = 500;
/// The most text of one answer. Less than half a frame: quotes and backslashes double on the wire.
const MOST_TEXT: usize = 400 << 10;

/// A log of a site.
pub struct Log<'a> {
    /// The machine it is on.
    pub host: &'a dyn Host,
    /// Which.
    pub file: LogFile,
    /// Where it is.
    pub path: HostPath,
    /// Whose it is: the user that writes it.
    pub writer: u32,
}

/// A file as it was found.
#[derive(Clone)]
struct Found {
    path: HostPath,
    inode: u64,
    size: u64,
    uid: u32,
}

/// What a window gave.
struct Taken {
    /// The oldest first, each with where it begins.
    records: Vec<(u64, LogRecord)>,
    /// Where the last whole line ends.
    end: u64,
    /// Where what was not looked at ends; none at the beginning of the file.
    rest: Option<u64>,
}

impl Log<'_> {
    /// The newest `wanted` records before a place, or before the end.
    pub fn read(
        &self,
        filter: &LogFilter,
        wanted: usize,
        before: Option<LogPlace>,
    ) -> HostResult<LogView> {
        let wanted = wanted.min(MOST_RECORDS);
        let current = self.look(&self.path)?;
        let mut view = self.empty(current.as_ref().is_some_and(|found| self.is_live(found)));
        let mut budget = WINDOW;
        let mut records = Vec::new();
        for (found, end) in self.sources(current.as_ref(), before)? {
            let left = wanted.saturating_sub(records.len());
            if budget == 0 || (left == 0 && wanted > 0) {
                view.older = Some(place(&found, end));
                break;
            }
            let mut taken = self.backwards(&found, end, left, filter, &mut budget)?;
            if found.path == self.path && before.is_none() {
                view.newer = Some(place(&found, taken.end));
            }
            taken.records.append(&mut records);
            records = taken.records;
            view.older = taken.rest.map(|rest| place(&found, rest));
            if view.older.is_some() {
                break;
            }
        }
        view.records = records.into_iter().map(|(_, record)| record).collect();
        Ok(view)
    }

    /// What came after a place, the oldest first. Where more came than a window holds, it is passed over, unless `whole`
    /// is asked for: then the answer is a part, and the next question gets the next.
    pub fn newer(&self, filter: &LogFilter, after: LogPlace, whole: bool) -> HostResult<LogView> {
        let current = self.look(&self.path)?;
        let mut view = self.empty(current.as_ref().is_some_and(|found| self.is_live(found)));
        view.newer = Some(after);
        let Some(now) = current else {
            return self.rest_of_rotated(view, filter, after, whole);
        };
        if now.inode == after.inode {
            return self.forward(view, &now, after.offset, filter, whole);
        }
        view = self.rest_of_rotated(view, filter, after, whole)?;
        // Why the size: nginx writes to the old file until it is told to open the new one.
        let is_rotated = self
            .look(&self.rotated())?
            .is_some_and(|old| holds(&old, after));
        if view.newer == Some(after) && (now.size > 0 || !is_rotated) {
            return self.forward(view, &now, 0, filter, whole);
        }
        Ok(view)
    }

    /// `nginx -t` makes a file that was deleted anew, as root, and nginx goes on in the deleted one.
    fn is_live(&self, found: &Found) -> bool {
        found.size > 0 || found.uid == self.writer
    }

    fn rotated(&self) -> HostPath {
        self.path.parent().join(&format!("{}.1", self.path.name()))
    }

    fn look(&self, path: &HostPath) -> HostResult<Option<Found>> {
        match self.host.read_part(path, 0, 0) {
            Ok(part) => Ok(Some(Found {
                path: path.clone(),
                inode: part.inode,
                size: part.size,
                uid: part.uid,
            })),
            Err(HostError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn empty(&self, exists: bool) -> LogView {
        LogView {
            file: self.file,
            path: self.path.clone(),
            exists,
            records: Vec::new(),
            older: None,
            newer: None,
            skipped: 0,
        }
    }

    /// The files to read backwards, the newest first, each with where to begin.
    fn sources(
        &self,
        current: Option<&Found>,
        before: Option<LogPlace>,
    ) -> HostResult<Vec<(Found, u64)>> {
        let files = [current.cloned(), self.look(&self.rotated())?];
        let mut files: Vec<Found> = files.into_iter().flatten().collect();
        let Some(before) = before else {
            return Ok(files.into_iter().map(whole_of).collect());
        };
        let Some(first) = files.iter().position(|file| file.inode == before.inode) else {
            return Ok(Vec::new());
        };
        let mut sources: Vec<(Found, u64)> = files.drain(first..).map(whole_of).collect();
        if let Some((found, end)) = sources.first_mut() {
            *end = found.size.min(before.offset);
        }
        Ok(sources)
    }

    /// At most `wanted` records before `end`, from a window that grows until they are found.
    fn backwards(
        &self,
        found: &Found,
        end: u64,
        wanted: usize,
        filter: &LogFilter,
        budget: &mut usize,
    ) -> HostResult<Taken> {
        let mut size = FIRST.min(*budget);
        loop {
            let from = end.saturating_sub(size as u64);
            let length = usize::try_from(end - from).unwrap_or(usize::MAX);
            let part = self.host.read_part(&found.path, from, length)?;
            if part.inode != found.inode {
                return Ok(Taken {
                    records: Vec::new(),
                    end,
                    rest: None,
                });
            }
            let taken = self.newest(&part.bytes, from, wanted, filter);
            let is_enough = taken.records.len() >= wanted && taken.end > from;
            if is_enough || from == 0 || size >= *budget {
                *budget -= size;
                return Ok(taken);
            }
            size = size.saturating_mul(4).min(*budget);
        }
    }

    fn newest(&self, bytes: &[u8], from: u64, wanted: usize, filter: &LogFilter) -> Taken {
        let (skip, whole) = whole_lines(bytes, from > 0);
        let start = from + skip as u64;
        let end = start + whole.len() as u64;
        let mut records: Vec<(u64, LogRecord)> = Vec::new();
        let (mut text, mut first) = (0, None);
        for (at, raw) in log_record::split(self.file, whole, from == 0)
            .into_iter()
            .rev()
        {
            let at = start + at as u64;
            if records.len() >= wanted || text > MOST_TEXT {
                return taken(records, end, first);
            }
            first = Some(at);
            if let Some(record) = log_record::read(self.file, raw, filter) {
                text += weight(&record);
                records.push((at, record));
            }
        }
        let rest = (from > 0).then(|| first.unwrap_or(from));
        taken(records, end, rest)
    }

    fn rest_of_rotated(
        &self,
        view: LogView,
        filter: &LogFilter,
        after: LogPlace,
        whole: bool,
    ) -> HostResult<LogView> {
        match self.look(&self.rotated())? {
            Some(old) if holds(&old, after) => {
                self.forward(view, &old, after.offset, filter, whole)
            }
            _ => Ok(view),
        }
    }

    fn forward(
        &self,
        mut view: LogView,
        found: &Found,
        offset: u64,
        filter: &LogFilter,
        whole: bool,
    ) -> HostResult<LogView> {
        // A file that was emptied in place begins anew.
        let offset = if found.size < offset { 0 } else { offset };
        let is_flood = !whole && found.size - offset > WINDOW as u64;
        let from = if is_flood {
            found.size - (FIRST * 4) as u64
        } else {
            offset
        };
        let part = self.host.read_part(&found.path, from, WINDOW)?;
        if part.inode != found.inode {
            return Ok(view);
        }
        let (skip, lines) = whole_lines(&part.bytes, is_flood);
        let start = from + skip as u64;
        view.skipped = start - offset;
        let mut end = start + lines.len() as u64;
        let mut text = 0;
        for (at, raw) in log_record::split(self.file, lines, true) {
            if view.records.len() >= MOST_RECORDS || text > MOST_TEXT {
                end = start + at as u64;
                break;
            }
            if let Some(record) = log_record::read(self.file, raw, filter) {
                text += weight(&record);
                view.records.push(record);
            }
        }
        view.newer = Some(LogPlace {
            inode: found.inode,
            offset: end,
        });
        Ok(view)
    }
}

/// Why the size too: the inode of a file that was deleted is given to another one.
fn holds(found: &Found, place: LogPlace) -> bool {
    found.inode == place.inode && found.size >= place.offset
}

fn place(found: &Found, offset: u64) -> LogPlace {
    LogPlace {
        inode: found.inode,
        offset,
    }
}

fn whole_of(found: Found) -> (Found, u64) {
    let size = found.size;
    (found, size)
}

fn taken(mut records: Vec<(u64, LogRecord)>, end: u64, rest: Option<u64>) -> Taken {
    records.reverse();
    Taken { records, end, rest }
}

fn weight(record: &LogRecord) -> usize {
    record.text.len() + record.note.len() + 160
}

/// Leaves out the line that is still being written and, where the window begins inside a line, the end of that line.
/// A line that is longer than a window counts as whole: it would never be shown otherwise.
fn whole_lines(bytes: &[u8], begins_inside: bool) -> (usize, &[u8]) {
    let is_end = |byte: &u8| *byte == b'\n';
    let Some(last) = bytes.iter().rposition(is_end) else {
        let whole = if bytes.len() >= WINDOW { bytes } else { &[] };
        return (0, whole);
    };
    let first = match bytes.iter().position(is_end) {
        Some(first) if begins_inside => first + 1,
        _ => 0,
    };
    (first, bytes.get(first..=last).unwrap_or_default())
}

#[cfg(test)]
mod tests;
