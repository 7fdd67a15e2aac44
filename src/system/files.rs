//! Small files of the system, read as text.
//!
//! Invariant: links are followed at most eight times, and only lexically: a path never climbs above the root.

use crate::domain::path::HostPath;
use crate::host::{Host, HostError, HostResult, Node};

const LIMIT: usize = 4 * 1024 * 1024;
const HOPS: usize = 8;

/// The text of a file; `None` where nothing is there.
pub(super) fn text(host: &dyn Host, path: &HostPath) -> HostResult<Option<String>> {
    match host.read(path, LIMIT) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(HostError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text of a small file whose absence or oddity means only that something is not known.
pub(super) fn text_or_empty(host: &dyn Host, path: &'static str) -> String {
    text(host, &HostPath::fixed(path))
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Where a path leads once links at its end are followed; `None` where it leads nowhere.
pub(super) fn followed(host: &dyn Host, path: &HostPath) -> HostResult<Option<HostPath>> {
    let mut at = path.clone();
    for _ in 0..HOPS {
        match host.stat(&at)?.map(|meta| meta.node) {
            None => return Ok(None),
            Some(Node::Link { target }) => match joined(&at.parent(), &target) {
                Some(next) => at = next,
                None => return Ok(None),
            },
            Some(_) => return Ok(Some(at)),
        }
    }
    Ok(None)
}

/// A path as written in a link or an `include`, seen from a directory.
pub(super) fn joined(directory: &HostPath, written: &str) -> Option<HostPath> {
    let mut parts: Vec<&str> = if written.starts_with('/') {
        Vec::new()
    } else {
        directory
            .as_str()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect()
    };
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    HostPath::parse(&format!("/{}", parts.join("/"))).ok()
}

/// Removes a directory of ours with the files in it; nothing happens where there is none.
pub fn destroy(host: &dyn Host, directory: &HostPath) -> HostResult<()> {
    for name in host.list(directory)? {
        host.remove(&directory.join(&name))?;
    }
    if host.stat(directory)?.is_some() {
        host.remove(directory)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_path_is_seen_from_its_directory_and_never_climbs_above_the_root() {
        let from = HostPath::fixed("/etc/nginx/sites-enabled");
        for (written, seen) in [
            ("../sites-available/a", "/etc/nginx/sites-available/a"),
            ("/x/y", "/x/y"),
            ("./b", "/etc/nginx/sites-enabled/b"),
            ("../../../../../z", "/z"),
        ] {
            assert_eq!(joined(&from, written).unwrap().as_str(), seen);
        }
    }
}
