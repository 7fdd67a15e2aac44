//! Every table of the state file, on one page.
//!
//! Invariant: a table's name carries the version of its values; a new shape is a new table and a step in `migrate/`.
//! Values are JSON, so that a state file can be read without this program.

use redb::TableDefinition;

/// The schema this binary writes.
pub const SCHEMA: u64 = 7;

type Json = &'static [u8];

/// `schema` → the schema's number. The one table that keeps its shape for ever.
pub const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// A counter's name → its value: numbers that are handed out once, and when the clock was last looked at.
pub const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counter_v1");
/// Site number → `Site`.
pub const SITES: TableDefinition<u32, Json> = TableDefinition::new("site_v1");
/// Hostname or alias → site number; what makes a name unique.
pub const HOSTNAMES: TableDefinition<&str, u32> = TableDefinition::new("hostname_v1");
/// Site number → `TrashedSite`.
pub const TRASH: TableDefinition<u32, Json> = TableDefinition::new("trash_v1");
/// Name → `Database`.
pub const DATABASES: TableDefinition<&str, Json> = TableDefinition::new("database_v1");
/// Name → the `Database` that is deleted and still has to be dropped.
pub const DOOMED_DATABASES: TableDefinition<&str, Json> =
    TableDefinition::new("doomed_database_v1");
/// Operation id → its header.
pub const OPERATIONS: TableDefinition<&str, Json> = TableDefinition::new("operation_v1");
/// Operation id → its plan.
pub const PLANS: TableDefinition<&str, Json> = TableDefinition::new("plan_v1");
/// Operation id and sequence → one journal event.
pub const EVENTS: TableDefinition<(&str, u64), Json> = TableDefinition::new("event_v1");
/// Operation id → true where stuck, false where open; finished operations are not in it.
pub const UNFINISHED: TableDefinition<&str, bool> = TableDefinition::new("unfinished_v1");
/// Account number → `AccountRecord`.
pub const ACCOUNTS: TableDefinition<u32, Json> = TableDefinition::new("account_v1");
/// Account name → account number.
pub const ACCOUNT_NAMES: TableDefinition<&str, u32> = TableDefinition::new("account_name_v1");
/// SHA-256 of a session token → `SessionRecord`.
pub const SESSIONS: TableDefinition<[u8; 32], Json> = TableDefinition::new("session_v1");
/// SHA-256 of a one-time link's token → `LinkRecord`.
pub const LINKS: TableDefinition<[u8; 32], Json> = TableDefinition::new("setup_link_v1");
/// SHA-256 of a program's token → `TokenRecord`.
pub const TOKENS: TableDefinition<[u8; 32], Json> = TableDefinition::new("api_token_v1");
/// `Step` and slot → a `Sample` in its 64 bytes: there are many, and they are numbers alone.
pub const SAMPLES: TableDefinition<(u8, u32), [u8; 64]> = TableDefinition::new("sample_v1");
/// Site number, 1 for looks and 2 for days, slot → a `Look` or a `Day` in its 16 bytes.
pub const UPTIME: TableDefinition<(u32, u8, u32), [u8; 16]> = TableDefinition::new("uptime_v1");
/// Site number → `Issuance`.
pub const ISSUANCES: TableDefinition<u32, Json> = TableDefinition::new("issuance_v1");
/// `all` → `Notices`: what people are told of, and what was told.
pub const NOTICES: TableDefinition<&str, Json> = TableDefinition::new("notice_v1");
/// Number → the bytes of an `AuditRecord`.
pub const AUDIT: TableDefinition<u64, Json> = TableDefinition::new("audit_v1");
/// Number → SHA-256 over the hash before, the number and the bytes of the entry.
pub const AUDIT_CHAIN: TableDefinition<u64, [u8; 32]> = TableDefinition::new("audit_chain_v1");

/// Makes every table, so that a reader never meets a missing one.
pub(super) fn create(transaction: &redb::WriteTransaction) -> Result<(), redb::TableError> {
    transaction.open_table(COUNTERS)?;
    transaction.open_table(SITES)?;
    transaction.open_table(HOSTNAMES)?;
    transaction.open_table(TRASH)?;
    transaction.open_table(DATABASES)?;
    transaction.open_table(DOOMED_DATABASES)?;
    transaction.open_table(OPERATIONS)?;
    transaction.open_table(PLANS)?;
    transaction.open_table(EVENTS)?;
    transaction.open_table(UNFINISHED)?;
    transaction.open_table(ACCOUNTS)?;
    transaction.open_table(ACCOUNT_NAMES)?;
    transaction.open_table(SESSIONS)?;
    transaction.open_table(LINKS)?;
    transaction.open_table(TOKENS)?;
    transaction.open_table(SAMPLES)?;
    transaction.open_table(UPTIME)?;
    transaction.open_table(ISSUANCES)?;
    transaction.open_table(NOTICES)?;
    transaction.open_table(AUDIT)?;
    transaction.open_table(AUDIT_CHAIN)?;
    Ok(())
}
