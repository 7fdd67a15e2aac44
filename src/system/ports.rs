//! Who listens on a TCP port, from the kernel's own tables.
//!
//! Invariant: looking only; the program is found through the files it has open, which takes root.

use crate::domain::path::HostPath;
use crate::host::{Host, Node};
use crate::system::files;

/// State 0A of `/proc/net/tcp` is LISTEN (`include/net/tcp_states.h`).
const LISTEN: &str = "0A";

/// True where something listens on the port, on any address.
#[must_use]
pub fn is_taken(host: &dyn Host, port: u16) -> bool {
    !sockets(host, port).is_empty()
}

/// The names of the programs that listen on a port; empty where nobody does or where it cannot be seen.
#[must_use]
pub fn listeners(host: &dyn Host, port: u16) -> Vec<String> {
    let sockets = sockets(host, port);
    if sockets.is_empty() {
        return Vec::new();
    }
    let processes = host.list(&HostPath::fixed("/proc")).unwrap_or_default();
    let mut names: Vec<String> = processes
        .iter()
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
        .map(|name| HostPath::fixed("/proc").join(name))
        .filter(|process| holds(host, process, &sockets))
        .map(|process| name(host, &process))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn sockets(host: &dyn Host, port: u16) -> Vec<String> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .flat_map(|table| listening(&files::text_or_empty(host, table), port))
        .collect()
}

/// The inodes of listening sockets: `sl local_address rem_address st … inode`.
fn listening(table: &str, port: u16) -> Vec<String> {
    let wanted = format!(":{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == LISTEN;
        is_it.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
    };
    table.lines().filter_map(inode).collect()
}

fn holds(host: &dyn Host, process: &HostPath, sockets: &[String]) -> bool {
    let handles = process.join("fd");
    let open = host.list(&handles).unwrap_or_default();
    open.iter().any(|handle| {
        let meta = host.stat(&handles.join(handle)).ok().flatten();
        matches!(meta.map(|meta| meta.node), Some(Node::Link { target }) if sockets.contains(&target))
    })
}

fn name(host: &dyn Host, process: &HostPath) -> String {
    let text = files::text(host, &process.join("comm")).ok().flatten();
    crate::domain::text::shown(text.unwrap_or_default().trim(), 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_on_that_very_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n   1: 0100007F:0050 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1\n";
        assert_eq!(listening(table, 80), ["socket:[4711]"]);
        assert!(listening(table, 443).is_empty());
    }
}
