//! Database users that live for one export: they may read one database, and are dropped when it ends.
//!
//! Invariant: what such a user may do is written here and nowhere else, and never is it more than to read.

use crate::domain::database::{DatabaseHash, DatabaseName, GrantPattern};
use crate::domain::database_job::{JobLogin, JobUser};
use crate::domain::secret::Password;
use crate::host::{Host, HostError, HostResult};

/// Makes a user that may read everything in one database, and nothing elsewhere.
pub fn make_reader(host: &dyn Host, name: &DatabaseName) -> HostResult<JobLogin> {
    let (mut number, mut secret) = ([0; 8], [0; 32]);
    host.random(&mut number)?;
    host.random(&mut secret)?;
    let (user, password) = (JobUser::for_export(number), Password::from_random(secret));
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
        database: name.clone(),
    })
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
    let rows = host.sql("SELECT DISTINCT User FROM mysql.global_priv")?;
    let names = rows.into_iter().filter_map(|row| row.into_iter().next());
    Ok(names.filter_map(|name| JobUser::of(&name)).collect())
}

/// The tables that a dump does not read at the same moment as the others: those of other engines than `InnoDB`.
pub fn tables_beside(host: &dyn Host, name: &DatabaseName) -> HostResult<Vec<String>> {
    let rows = host.sql(&format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}' AND ENGINE NOT IN ('InnoDB', 'SEQUENCE') ORDER BY 1"
    ))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.into_iter().next())
        .collect())
}
