//! Whether a program of the owner's may write records: it and everything above it belong to root, and nobody else may change them.
//!
//! Invariant: looked at before it is kept and again before each order; what only root can change in between is root's own affair.

use crate::domain::dns_way::HookProgram;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::host::{Host, Node};

const OTHERS_WRITE: u32 = 0o022;
const RUNS: u32 = 0o111;

/// Refuses one that somebody else could replace.
pub fn check(host: &dyn Host, program: &HookProgram) -> Result<(), Fault> {
    let path = program.path();
    let Some(found) = host.stat(&path)? else {
        return Err(refused(&path, "is not there", "put it there first"));
    };
    match found.node {
        Node::File { .. } if found.mode.0 & RUNS != 0 => {}
        Node::File { .. } => {
            let hint = format!("make it executable: `chmod 755 {path}`");
            return Err(refused(&path, "cannot be executed", &hint));
        }
        _ => {
            let hint = "name the file itself: links and directories are not followed";
            return Err(refused(&path, "is no file", hint));
        }
    }
    let mut at = path;
    loop {
        let Some(found) = host.stat(&at)? else {
            return Err(refused(&at, "is not there", "put it there first"));
        };
        let is_link = matches!(found.node, Node::Link { .. });
        if is_link {
            let hint = "name the file itself: links and directories are not followed";
            return Err(refused(&at, "is a link", hint));
        }
        if found.owner.uid != 0 || found.mode.0 & OTHERS_WRITE != 0 {
            let hint = format!("let root alone change it: `chown root {at}`, `chmod go-w {at}`");
            return Err(refused(&at, "may be changed by others than root", &hint));
        }
        if at.as_str() == "/" {
            return Ok(());
        }
        at = at.parent();
    }
}

fn refused(path: &HostPath, why: &str, hint: &str) -> Fault {
    Fault::new(Code::DnsInvalid, format!("`{path}` {why}"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::host::{Mode, Owner};

    #[test]
    fn only_what_root_alone_can_change_is_run() {
        let host = MemoryHost::new(Machine::debian());
        let (folder, program) = (
            HostPath::fixed("/opt/hooks"),
            HookProgram::parse("/opt/hooks/dns").unwrap(),
        );
        let path = program.path();
        let told = || check(&host, &program).map_err(|fault| fault.title);
        for path in [HostPath::fixed("/opt"), folder.clone()] {
            host.make_dir(&path, Owner::ROOT, Mode(0o755)).unwrap();
        }
        assert!(told().unwrap_err().contains("not there"));
        let write = |owner, mode| host.write(&path, b"#!", owner, Mode(mode)).unwrap();
        write(Owner::ROOT, 0o644);
        assert!(told().unwrap_err().contains("executed"));
        write(Owner::ROOT, 0o775);
        assert!(told().unwrap_err().contains("others than root"));
        write(Owner { uid: 1001, gid: 0 }, 0o755);
        assert!(told().unwrap_err().contains("others than root"));
        write(Owner::ROOT, 0o755);
        assert_eq!(told(), Ok(()));
        host.make_dir(&folder, Owner::ROOT, Mode(0o777)).unwrap();
        assert!(told().unwrap_err().starts_with("`/opt/hooks`"));
    }
}
