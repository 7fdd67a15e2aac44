//! Statements as MariaDB's root, who is known by its Unix user at the Unix socket; there is no password.
//!
//! Invariant: one connection, one statement, one minute at most; rows come back as text, NULL as an empty one.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row, Value};

use crate::host::{HostError, HostResult};

/// Debian's and Ubuntu's socket.
pub(super) const SOCKET: &str = "/run/mysqld/mysqld.sock";
const LIMIT: Duration = Duration::from_secs(60);

/// See [`crate::host::Host::sql`].
///
/// Why a thread of its own: the caller may already be inside a runtime, where blocking is not allowed.
pub(super) fn sql(statement: &str) -> HostResult<Vec<Vec<String>>> {
    let answer = std::thread::scope(|scope| scope.spawn(|| block_on(statement)).join());
    answer.unwrap_or_else(|_| Err(refused("the connection's thread died".to_owned())))
}

fn refused(detail: String) -> HostError {
    HostError::Sql { detail }
}

/// What the server itself says is a refusal; everything else means that nobody is there.
fn fault(error: &mysql_async::Error) -> HostError {
    let detail = error.to_string();
    match error {
        mysql_async::Error::Server(_) => HostError::Sql { detail },
        _ => HostError::SqlSilent { detail },
    }
}

fn block_on(statement: &str) -> HostResult<Vec<Vec<String>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| refused(error.to_string()))?;
    runtime.block_on(async {
        match tokio::time::timeout(LIMIT, ask(statement)).await {
            Ok(answer) => answer.map_err(|error| fault(&error)),
            Err(_) => Err(HostError::SqlSilent {
                detail: "no answer within a minute".to_owned(),
            }),
        }
    })
}

async fn ask(statement: &str) -> mysql_async::Result<Vec<Vec<String>>> {
    let options: Opts = OptsBuilder::default()
        .socket(Some(SOCKET))
        .user(Some("root"))
        .into();
    let mut connection = Conn::new(options).await?;
    let rows: Vec<Row> = connection.query(statement).await?;
    connection.disconnect().await?;
    Ok(rows.into_iter().map(texts).collect())
}

fn texts(row: Row) -> Vec<String> {
    let values = row.unwrap_raw().into_iter();
    values
        .map(|value| value.map_or_else(String::new, text))
        .collect()
}

fn text(value: Value) -> String {
    match value {
        Value::NULL => String::new(),
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.as_sql(true).trim_matches('\'').to_owned(),
    }
}
