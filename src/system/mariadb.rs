//! MariaDB: what must hold on a server that this panel set up, and whether it would start.
//!
//! Invariant: statements are constants and safe to run twice.

use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult};

/// No account without a name, no `test` database, root from this machine only. Debian's package does the same; this asserts it.
pub const SECURE: &[&str] = &[
    "DELETE FROM mysql.global_priv WHERE User = ''",
    "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host NOT IN ('localhost', '127.0.0.1', '::1')",
    "DELETE FROM mysql.db WHERE Db = 'test' OR Db = 'test\\\\_%'",
    "DROP DATABASE IF EXISTS test",
    "FLUSH PRIVILEGES",
];

/// What MariaDB finds wrong with its options, without being started.
pub fn complaint(host: &dyn Host) -> HostResult<Option<String>> {
    let arguments = ["--user=mysql", "--verbose", "--help"];
    let tried = host.run(&Command::new(Program::Mariadbd, arguments))?;
    if tried.is_success() {
        return Ok(None);
    }
    let mut lines = tried.stderr.lines();
    let wrong = lines.find(|line| line.contains("[ERROR]"));
    Ok(Some(wrong.unwrap_or(&tried.stderr).to_owned()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_a_person_made_is_named() {
        for statement in super::SECURE {
            assert!(!statement.contains(';'), "one statement each: {statement}");
        }
    }
}
