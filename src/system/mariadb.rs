//! MariaDB: what must hold on a server that this panel set up.
//!
//! Invariant: statements are constants and safe to run twice.

/// No account without a name, no `test` database, root from this machine only. Debian's package does the same; this asserts it.
pub const SECURE: &[&str] = &[
    "DELETE FROM mysql.global_priv WHERE User = ''",
    "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host NOT IN ('localhost', '127.0.0.1', '::1')",
    "DELETE FROM mysql.db WHERE Db = 'test' OR Db = 'test\\\\_%'",
    "DROP DATABASE IF EXISTS test",
    "FLUSH PRIVILEGES",
];

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_a_person_made_is_named() {
        for statement in super::SECURE {
            assert!(!statement.contains(';'), "one statement each: {statement}");
        }
    }
}
