//! Database users and databases that live for one export or import.
//!
//! Invariant: what such a user may do is written here and nowhere else: to read one database, or to fill one that is the import's own.

use crate::domain::database::{DatabaseHash, DatabaseName, GrantPattern};
use crate::domain::database_job::{JobLogin, JobUser, Scratch};
use crate::domain::secret::Password;
use crate::host::{Host, HostError, HostResult};

/// Makes a user that may read everything in one database, and nothing elsewhere.
pub fn make_reader(host: &dyn Host, user: JobUser, name: &DatabaseName) -> HostResult<JobLogin> {
    let mut secret = [0; 32];
    host.random(&mut secret)?;
    let password = Password::from_random(secret);
    let hash = DatabaseHash::of(&password);
    let made = host.sql(&format!(
        "CREATE USER IF NOT EXISTS {user} IDENTIFIED VIA mysql_native_password USING '{hash}'"
    ));
    let granted = made.and_then(|_| grant(host, &user, name));
    if let Err(error) = granted {
        let _ = drop_user(host, &user);
        return Err(error);
    }
    Ok(JobLogin {
        user,
        password,
        database: name.to_string(),
    })
}

/// Makes a user that may make and fill tables in the database of one import, and do nothing else: no views, triggers, routines
/// or events, which would run as somebody later.
pub fn make_writer(host: &dyn Host, scratch: &Scratch) -> HostResult<JobLogin> {
    let mut number = [0; 8];
    host.random(&mut number)?;
    let user = JobUser::for_import(number);
    writer(host, user, scratch.to_string(), &scratch.pattern())
}

/// The same for a database of ours that is being made.
pub fn make_filler(host: &dyn Host, user: JobUser, name: &DatabaseName) -> HostResult<JobLogin> {
    writer(
        host,
        user,
        name.to_string(),
        &GrantPattern(name).to_string(),
    )
}

fn writer(host: &dyn Host, user: JobUser, database: String, pattern: &str) -> HostResult<JobLogin> {
    let mut secret = [0; 32];
    host.random(&mut secret)?;
    let password = Password::from_random(secret);
    let hash = DatabaseHash::of(&password);
    let made = host.sql(&format!(
        "CREATE USER IF NOT EXISTS {user} IDENTIFIED VIA mysql_native_password USING '{hash}'"
    ));
    let granted = made.and_then(|_| {
        host.sql(&format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES, CREATE TEMPORARY TABLES ON {pattern}.* TO {user}"
        ))
    });
    if let Err(error) = granted {
        let _ = drop_user(host, &user);
        return Err(error);
    }
    Ok(JobLogin {
        user,
        password,
        database,
    })
}

/// Makes the database of an import, with the character set of the one it is for.
pub fn make_scratch(host: &dyn Host, scratch: &Scratch) -> HostResult<()> {
    host.sql(&format!(
        "CREATE DATABASE `{scratch}` CHARACTER SET utf8mb4"
    ))
    .map(drop)
}

/// Drops it, with everything in it.
pub fn drop_scratch(host: &dyn Host, scratch: &Scratch) -> HostResult<()> {
    host.sql(&format!("DROP DATABASE IF EXISTS `{scratch}`"))
        .map(drop)
}

fn first_column(rows: Vec<Vec<String>>) -> Vec<String> {
    let first = rows.into_iter().filter_map(|row| row.into_iter().next());
    first.collect()
}

/// The databases of imports that are there.
pub fn scratches(host: &dyn Host) -> HostResult<Vec<Scratch>> {
    let names = first_column(host.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")?);
    Ok(names
        .into_iter()
        .filter_map(|name| Scratch::parse(&name))
        .collect())
}

/// The tables of a database: one of ours, or of an import.
pub fn tables(host: &dyn Host, database: &str) -> HostResult<Vec<String>> {
    let rows = host.sql(&format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{database}' AND TABLE_TYPE <> 'VIEW' ORDER BY 1"
    ))?;
    Ok(first_column(rows))
}

/// What is in a database besides tables: views, triggers, routines and events, which no renaming moves.
pub fn besides_tables(host: &dyn Host, database: &str) -> HostResult<Vec<String>> {
    let rows = host.sql(&format!(
        "SELECT CONCAT('view ', TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '{database}' \
         UNION ALL SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '{database}' \
         UNION ALL SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_NAME) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '{database}' \
         UNION ALL SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '{database}' LIMIT 100"
    ))?;
    Ok(first_column(rows))
}

/// Moves tables from one database into another, all of them or none. Waits half a minute for whoever uses one of them.
pub fn rename(host: &dyn Host, moves: &[Move<'_>]) -> HostResult<()> {
    let pairs = moves.iter().flat_map(|one| {
        let pair = move |table: &String| {
            let table = table.replace('`', "``");
            format!("`{}`.`{table}` TO `{}`.`{table}`", one.from, one.to)
        };
        one.tables.iter().map(pair)
    });
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() {
        return Ok(());
    }
    // Why a limit: a statement that nobody waits for any more must not happen an hour later.
    let pairs = pairs.join(", ");
    host.sql(&format!(
        "SET STATEMENT lock_wait_timeout=30 FOR RENAME TABLE {pairs}"
    ))
    .map(drop)
}

/// Tables of one database that go into another.
#[derive(Debug)]
pub struct Move<'a> {
    /// From here.
    pub from: &'a str,
    /// To here.
    pub to: &'a str,
    /// Which.
    pub tables: &'a [String],
}

fn grant(host: &dyn Host, user: &JobUser, name: &DatabaseName) -> HostResult<()> {
    let pattern = GrantPattern(name);
    host.sql(&format!(
        "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON {pattern}.* TO {user}"
    ))?;
    if !has_routines(host, name)? {
        return Ok(());
    }
    let one = format!("GRANT SHOW CREATE ROUTINE ON {pattern}.* TO {user}");
    match host.sql(&one) {
        // Before MariaDB 11.3 there is no such right, and whoever may read this table reads the routines of all databases. So
        // it is granted only where there is one to write out, and to a program whose processes nobody else can look into.
        Err(HostError::Sql { .. }) => host.sql(&format!("GRANT SELECT ON mysql.proc TO {user}")),
        answer => answer,
    }
    .map(drop)
}

fn has_routines(host: &dyn Host, name: &DatabaseName) -> HostResult<bool> {
    let rows = host.sql(&format!(
        "SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '{name}' LIMIT 1"
    ))?;
    Ok(!rows.is_empty())
}

/// Removes such a user with all its grants.
pub fn drop_user(host: &dyn Host, user: &JobUser) -> HostResult<()> {
    host.sql(&format!("DROP USER IF EXISTS {user}")).map(drop)
}

/// The users that are there now.
pub fn users(host: &dyn Host) -> HostResult<Vec<JobUser>> {
    let names = first_column(host.sql("SELECT DISTINCT User FROM mysql.global_priv")?);
    Ok(names
        .into_iter()
        .filter_map(|name| JobUser::of(&name))
        .collect())
}

/// The tables that a dump does not read at the same moment as the others: those of other engines than `InnoDB`.
pub fn tables_beside(host: &dyn Host, name: &DatabaseName) -> HostResult<Vec<String>> {
    let rows = host.sql(&format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}' AND ENGINE NOT IN ('InnoDB', 'SEQUENCE') ORDER BY 1"
    ))?;
    Ok(first_column(rows))
}
