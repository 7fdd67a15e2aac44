//! The audit trail: who asked for what, and what came of it. Entries are only ever added.
//!
//! Invariant: each entry's hash covers the hash before it, and the number of the newest is kept apart, so a changed, missing,
//! reordered or cut-off entry is found by `verify_audit`.

use std::net::IpAddr;

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::id::OperationId;
use crate::domain::time::Timestamp;
use crate::store::Store;
use crate::store::database::{Reading, count_up, from_json, to_json};
use crate::store::error::{StoreError, StoreResult};
use crate::store::tables;

/// One entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// When.
    pub time: Timestamp,
    /// Who, in words.
    pub actor: String,
    /// From which address.
    pub from: Option<IpAddr>,
    /// Which request.
    pub action: String,
    /// On what.
    pub object: String,
    /// `asked` before a change is made, then `ok` or a fault code.
    pub result: String,
    /// The operation it began.
    pub operation: Option<OperationId>,
    /// For the entry with the outcome: the number of the entry that announced it.
    pub answers: Option<u64>,
}

/// The place of an entry, for a copy outside this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The entry's number.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

const COUNTER: &str = "audit";

impl Store {
    /// Adds an entry.
    pub fn append_audit(&self, record: &AuditRecord) -> StoreResult<AuditHead> {
        let bytes = to_json("audit", record)?;
        self.write(|transaction| append(transaction, &bytes))
    }

    /// The newest entries first with their numbers, at most `limit` of them.
    pub fn recent_audit(&self, limit: usize) -> StoreResult<Vec<(u64, AuditRecord)>> {
        self.read(|transaction| {
            let entries = transaction.open_table(tables::AUDIT).reading()?;
            let mut found = Vec::new();
            for entry in entries.iter().reading()?.rev().take(limit) {
                let (number, bytes) = entry.reading()?;
                found.push((number.value(), from_json("audit", bytes.value())?));
            }
            Ok(found)
        })
    }

    /// Checks the whole chain; returns how many entries there are.
    pub fn verify_audit(&self) -> StoreResult<u64> {
        self.read(|transaction| {
            let entries = transaction.open_table(tables::AUDIT).reading()?;
            let chain = transaction.open_table(tables::AUDIT_CHAIN).reading()?;
            let counters = transaction.open_table(tables::COUNTERS).reading()?;
            let newest = counters.get(COUNTER).reading()?.map_or(0, |n| n.value());
            let mut before = [0_u8; 32];
            let mut number = 0;
            for entry in entries.iter().reading()? {
                let (found, bytes) = entry.reading()?;
                number += 1;
                let hash = hash(&before, found.value(), bytes.value());
                let kept = chain.get(number).reading()?.map(|kept| kept.value());
                check(number, found.value(), &hash, kept.as_ref())?;
                before = hash;
            }
            if number == newest {
                Ok(number)
            } else {
                Err(StoreError::AuditBroken {
                    number: number + 1,
                    what: "entries at the end are missing",
                })
            }
        })
    }
}

fn check(number: u64, found: u64, hash: &[u8; 32], kept: Option<&[u8; 32]>) -> StoreResult<()> {
    let what = if found != number {
        "it is missing"
    } else if kept != Some(hash) {
        "it was changed"
    } else {
        return Ok(());
    };
    Err(StoreError::AuditBroken { number, what })
}

fn append(transaction: &WriteTransaction, bytes: &[u8]) -> StoreResult<AuditHead> {
    let number = count_up(transaction, COUNTER)?;
    let mut chain = transaction.open_table(tables::AUDIT_CHAIN).changing()?;
    let before = chain
        .get(number - 1)
        .changing()?
        .map_or([0; 32], |hash| hash.value());
    let hash = hash(&before, number, bytes);
    chain.insert(number, hash).changing()?;
    let mut entries = transaction.open_table(tables::AUDIT).changing()?;
    entries.insert(number, bytes).changing()?;
    Ok(AuditHead { number, hash })
}

fn hash(before: &[u8; 32], number: u64, bytes: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(before);
    digest.update(number.to_be_bytes());
    digest.update(bytes);
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(object: &str) -> AuditRecord {
        AuditRecord {
            time: Timestamp::from_millis(1_000),
            actor: "mara".to_owned(),
            from: Some(IpAddr::from([192, 0, 2, 7])),
            action: "site create".to_owned(),
            object: object.to_owned(),
            result: "ok".to_owned(),
            operation: None,
            answers: None,
        }
    }

    fn trail() -> Store {
        let store = Store::in_memory().unwrap();
        for object in ["a.example", "b.example", "c.example"] {
            store.append_audit(&entry(object)).unwrap();
        }
        assert_eq!(store.verify_audit().unwrap(), 3);
        store
    }

    fn broken_at(store: &Store) -> u64 {
        match store.verify_audit() {
            Err(StoreError::AuditBroken { number, .. }) => number,
            other => panic!("{other:?}"),
        }
    }

    fn put(store: &Store, number: u64, record: &AuditRecord) {
        let bytes = to_json("audit", record).unwrap();
        store
            .write(|transaction| {
                let mut entries = transaction.open_table(tables::AUDIT).changing()?;
                entries.insert(number, bytes.as_slice()).changing()?;
                Ok(())
            })
            .unwrap();
    }

    fn drop_entry(store: &Store, number: u64) {
        store
            .write(|transaction| {
                let mut entries = transaction.open_table(tables::AUDIT).changing()?;
                entries.remove(number).changing()?;
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn the_newest_entries_come_first() {
        let objects: Vec<_> = trail()
            .recent_audit(2)
            .unwrap()
            .into_iter()
            .map(|(number, record)| (number, record.object))
            .collect();
        assert_eq!(
            objects,
            [(3, "c.example".to_owned()), (2, "b.example".to_owned())]
        );
    }

    #[test]
    fn a_changed_entry_is_named() {
        let store = trail();
        put(&store, 2, &entry("x.example"));
        assert_eq!(broken_at(&store), 2);
    }

    #[test]
    fn swapped_entries_are_named() {
        let store = trail();
        put(&store, 1, &entry("b.example"));
        put(&store, 2, &entry("a.example"));
        assert_eq!(broken_at(&store), 1);
    }

    #[test]
    fn a_missing_entry_is_named_also_at_the_end() {
        let store = trail();
        drop_entry(&store, 3);
        assert_eq!(broken_at(&store), 3);
        drop_entry(&store, 1);
        assert_eq!(broken_at(&store), 1);
    }

    #[test]
    fn a_forged_entry_at_the_end_is_named() {
        let store = trail();
        put(&store, 4, &entry("d.example"));
        assert_eq!(broken_at(&store), 4);
    }
}
