//! What the doctor says of databases: one that somebody removed, and users that may do other things than the panel gave them.
//!
//! Invariant: it only looks; where MariaDB does not answer, another finding says so, and nothing is guessed here.

use crate::domain::database::{Database, DatabaseUser};
use crate::domain::database_inside::{Granted, lost_user};
use crate::domain::fault::Fault;
use crate::host::{Host, HostResult};
use crate::ops::state::State;
use crate::rpc::view::{Finding, Level};
use crate::store::Store;
use crate::system::{database, database_facts};

/// One finding for each database that is not as it should be; a single good one where all are.
pub(super) fn findings(host: &dyn Host, store: &Store) -> Result<Vec<Finding>, Fault> {
    let state = State::read(store)?;
    let all: Vec<&Database> = state
        .databases
        .iter()
        .chain(&state.trashed_databases)
        .collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    // A MariaDB that is silent is told by the finding about the service.
    Ok(look(host, &all).unwrap_or_default())
}

fn look(host: &dyn Host, all: &[&Database]) -> HostResult<Vec<Finding>> {
    let names = database::look(host)?.names;
    let mut found = Vec::new();
    for one in all {
        if !names.iter().any(|name| name == one.name.as_str()) {
            found.push(missing(one));
            continue;
        }
        let differing = database_facts::differing(host, one)?;
        found.extend(differing.iter().map(|granted| changed(one, granted)));
    }
    if found.is_empty() {
        let title = "every database is there, and its users may do what the panel gave them";
        found.push(finding(Level::Ok, title.to_owned(), String::new()));
    }
    Ok(found)
}

fn missing(database: &Database) -> Finding {
    let name = &database.name;
    finding(
        Level::Warning,
        format!("MariaDB has no database {name} any more: somebody removed it beside the panel"),
        format!("forget it with `lalapanel db delete {name} --now`, or bring it back from a copy"),
    )
}

fn changed(database: &Database, granted: &Granted) -> Finding {
    let (name, user) = (&database.name, &granted.user);
    let what = match (granted.missing.len(), granted.more.len()) {
        (0, more) => format!("{more} grant(s) are not from the panel"),
        (missing, 0) => format!("{missing} of its grants are missing"),
        (missing, more) => {
            format!("{missing} of its grants are missing, and {more} are not from the panel")
        }
    };
    finding(
        Level::Warning,
        format!("somebody changed what the database user {user} may do: {what}"),
        if granted.missing.iter().any(|line| line == &lost_user(user)) {
            again(database, user)
        } else {
            format!("see `lalapanel db show {name}`; put right with `lalapanel db repair {name}`")
        },
    )
}

/// A user that is gone comes back with another password.
fn again(database: &Database, user: &DatabaseUser) -> String {
    let name = &database.name;
    if *user == name.user() {
        format!("make it again with `lalapanel db password {name}`")
    } else {
        format!("make it again with `lalapanel db user password {name} {user}`")
    }
}

fn finding(level: Level, title: String, hint: String) -> Finding {
    Finding {
        check: "databases".to_owned(),
        level,
        title,
        hint,
        site: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::database::DatabaseName;
    use crate::domain::time::Timestamp;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::ops::database::of;

    fn host() -> MemoryHost {
        MemoryHost::new(Machine::debian_with_web())
    }

    fn shop() -> Database {
        let name = DatabaseName::parse("shop_db").unwrap();
        of(&name, None, Timestamp::from_millis(1))
    }

    #[test]
    fn what_somebody_granted_or_removed_is_told_with_the_way_back() {
        let host = host();
        host.change(|machine| {
            machine.mariadb.databases.insert("shop_db".to_owned());
            machine
                .mariadb
                .users
                .entry("shop_db".to_owned())
                .or_default();
        });
        let all = [&shop()];
        let grants = |host: &MemoryHost, rows: &[&str]| {
            let rows = rows.iter().map(|&row| vec![row.to_owned()]).collect();
            host.set_rows("SHOW GRANTS FOR 'shop_db'@'localhost'", rows);
        };
        let usage = "GRANT USAGE ON *.* TO `shop_db`@`localhost` IDENTIFIED BY PASSWORD '*00'";
        let own = r"GRANT ALL PRIVILEGES ON `shop\_db`.* TO `shop_db`@`localhost`";
        grants(&host, &[usage, own]);
        assert_eq!(look(&host, &all).unwrap()[0].level, Level::Ok);
        grants(&host, &[usage]);
        let found = look(&host, &all).unwrap();
        assert_eq!(found[0].level, Level::Warning);
        assert!(found[0].title.contains("1 of its grants are missing"));
        assert!(found[0].hint.ends_with("`lalapanel db repair shop_db`"));
        host.change(|machine| machine.mariadb.users.clear());
        let found = look(&host, &all).unwrap();
        assert!(found[0].hint.ends_with("`lalapanel db password shop_db`"));
        host.change(|machine| machine.mariadb.databases.clear());
        let found = look(&host, &all).unwrap();
        assert!(found[0].title.contains("has no database shop_db any more"));
    }

    #[test]
    fn without_a_database_nothing_is_said() {
        let store = Store::in_memory().unwrap();
        assert!(findings(&host(), &store).unwrap().is_empty());
    }
}
