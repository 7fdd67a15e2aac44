//! The journal of operations: what was planned, what has happened so far, how it ended.
//!
//! Invariant: an event is on disk before the act it announces; the effect on the state is committed with the event that ends the operation.

use redb::{ReadableTable, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::store::Store;
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::{StoreError, StoreResult};
use crate::store::operation::{Effect, Ending, Header, OperationRecord, Status};
use crate::store::{tables, trash};

impl Store {
    /// Writes down that an operation begins. An id that was used before is refused.
    pub fn begin<P: Serialize>(&self, record: &OperationRecord<P>) -> StoreResult<()> {
        let key = record.id.to_string();
        let plan = to_json("plan", &record.plan)?;
        self.write(|transaction| {
            if header(transaction, record.id)?.is_some() {
                return Err(StoreError::OperationExists { id: record.id });
            }
            put_header(transaction, &Header::of(record))?;
            let mut plans = transaction.open_table(tables::PLANS).changing()?;
            plans.insert(key.as_str(), plan.as_slice()).changing()?;
            Ok(())
        })
    }

    /// Writes down one event; returns its sequence, the first being 1.
    pub fn append<E: Serialize>(&self, id: OperationId, event: &E) -> StoreResult<u64> {
        let bytes = to_json("event", event)?;
        self.write(|transaction| add(transaction, id, &bytes))
    }

    /// The same without waiting for the disk: for events that only report. Losing one in a power cut makes recovery do
    /// something a second time, which is safe; order with durable events is kept.
    pub fn append_soon<E: Serialize>(&self, id: OperationId, event: &E) -> StoreResult<u64> {
        let bytes = to_json("event", event)?;
        self.write_soon(|transaction| add(transaction, id, &bytes))
    }

    /// Writes down the last event, its effect on the state and the ending, all or nothing.
    pub fn finish<E: Serialize>(
        &self,
        id: OperationId,
        event: &E,
        effect: &Effect,
        ending: Ending,
    ) -> StoreResult<u64> {
        let bytes = to_json("event", event)?;
        self.write(|transaction| {
            let mut header = header(transaction, id)?.ok_or(StoreError::OperationMissing { id })?;
            header.status = ending.status;
            header.ended = Some(ending.ended);
            header.fault = ending.fault;
            header.recovered |= ending.recovered;
            put_header(transaction, &header)?;
            trash::take_effect(transaction, effect)?;
            put_event(transaction, id, &bytes)
        })
    }

    /// One operation with its plan. `Unread` as `P` reads no plan.
    pub fn operation<P: DeserializeOwned>(
        &self,
        id: OperationId,
    ) -> StoreResult<Option<OperationRecord<P>>> {
        self.read(|transaction| {
            let operations = transaction.open_table(tables::OPERATIONS).reading()?;
            let plans = transaction.open_table(tables::PLANS).reading()?;
            let Some(found) = operations.get(id.to_string().as_str()).reading()? else {
                return Ok(None);
            };
            record(&plans, found.value()).map(Some)
        })
    }

    /// The newest operations first, at most `limit` of them.
    pub fn recent<P: DeserializeOwned>(
        &self,
        limit: usize,
    ) -> StoreResult<Vec<OperationRecord<P>>> {
        self.read(|transaction| {
            let operations = transaction.open_table(tables::OPERATIONS).reading()?;
            let plans = transaction.open_table(tables::PLANS).reading()?;
            let mut found = Vec::new();
            for entry in operations.iter().reading()?.rev().take(limit) {
                found.push(record(&plans, entry.reading()?.1.value())?);
            }
            Ok(found)
        })
    }

    /// The newest operations of one site first, at most `limit` of them, looking back over at most 2000 operations.
    pub fn recent_of<P: DeserializeOwned>(
        &self,
        hostname: &Hostname,
        limit: usize,
    ) -> StoreResult<Vec<OperationRecord<P>>> {
        self.read(|transaction| {
            let operations = transaction.open_table(tables::OPERATIONS).reading()?;
            let plans = transaction.open_table(tables::PLANS).reading()?;
            let mut found = Vec::new();
            for entry in operations.iter().reading()?.rev().take(2000) {
                let (_, bytes) = entry.reading()?;
                let header: Header = from_json("operation", bytes.value())?;
                if header.hostname.as_ref() == Some(hostname) {
                    found.push(record(&plans, bytes.value())?);
                }
                if found.len() >= limit {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// The events of an operation with their sequences, oldest first.
    pub fn events<E: DeserializeOwned>(&self, id: OperationId) -> StoreResult<Vec<(u64, E)>> {
        let key = id.to_string();
        self.read(|transaction| {
            let events = transaction.open_table(tables::EVENTS).reading()?;
            let mut found = Vec::new();
            for entry in events
                .range((key.as_str(), 0)..=(key.as_str(), u64::MAX))
                .reading()?
            {
                let (at, bytes) = entry.reading()?;
                found.push((at.value().1, from_json("event", bytes.value())?));
            }
            Ok(found)
        })
    }

    /// The sequence of an operation's last event; 0 where there is none.
    pub fn sequence(&self, id: OperationId) -> StoreResult<u64> {
        let key = id.to_string();
        self.read(|transaction| {
            let events = transaction.open_table(tables::EVENTS).reading()?;
            last_sequence(&events, &key)
        })
    }

    /// Operations that were begun and have no end, oldest first. Stuck ones are not among them.
    pub fn unfinished(&self) -> StoreResult<Vec<OperationId>> {
        self.listed(false)
    }

    /// Operations that need a person, oldest first.
    pub fn stuck(&self) -> StoreResult<Vec<OperationId>> {
        self.listed(true)
    }

    fn listed(&self, stuck: bool) -> StoreResult<Vec<OperationId>> {
        self.read(|transaction| {
            let unfinished = transaction.open_table(tables::UNFINISHED).reading()?;
            let mut found = Vec::new();
            for entry in unfinished.iter().reading()? {
                let (key, is_stuck) = entry.reading()?;
                if is_stuck.value() == stuck {
                    found.extend(OperationId::parse(key.value()).ok());
                }
            }
            Ok(found)
        })
    }
}

type Plans = redb::ReadOnlyTable<&'static str, &'static [u8]>;

fn record<P: DeserializeOwned>(plans: &Plans, bytes: &[u8]) -> StoreResult<OperationRecord<P>> {
    let header: Header = from_json("operation", bytes)?;
    let plan = plans.get(header.id.to_string().as_str()).reading()?;
    let plan = from_json("plan", plan.as_ref().map_or(b"null", |plan| plan.value()))?;
    Ok(header.with(plan))
}

fn header(transaction: &WriteTransaction, id: OperationId) -> StoreResult<Option<Header>> {
    let operations = transaction.open_table(tables::OPERATIONS).changing()?;
    let found = operations.get(id.to_string().as_str()).changing()?;
    found
        .map(|bytes| from_json("operation", bytes.value()))
        .transpose()
}

fn put_header(transaction: &WriteTransaction, header: &Header) -> StoreResult<()> {
    let key = header.id.to_string();
    let bytes = to_json("operation", header)?;
    let mut operations = transaction.open_table(tables::OPERATIONS).changing()?;
    operations
        .insert(key.as_str(), bytes.as_slice())
        .changing()?;
    let mut unfinished = transaction.open_table(tables::UNFINISHED).changing()?;
    match header.status {
        Status::Open => unfinished.insert(key.as_str(), false).changing()?,
        Status::Stuck => unfinished.insert(key.as_str(), true).changing()?,
        Status::Done | Status::Undone => unfinished.remove(key.as_str()).changing()?,
    };
    Ok(())
}

fn add(transaction: &WriteTransaction, id: OperationId, bytes: &[u8]) -> StoreResult<u64> {
    if header(transaction, id)?.is_none() {
        return Err(StoreError::OperationMissing { id });
    }
    put_event(transaction, id, bytes)
}

fn put_event(transaction: &WriteTransaction, id: OperationId, bytes: &[u8]) -> StoreResult<u64> {
    let key = id.to_string();
    let mut events = transaction.open_table(tables::EVENTS).changing()?;
    let sequence = last_sequence(&events, &key)?.saturating_add(1);
    events.insert((key.as_str(), sequence), bytes).changing()?;
    Ok(sequence)
}

fn last_sequence(
    events: &impl ReadableTable<(&'static str, u64), &'static [u8]>,
    key: &str,
) -> StoreResult<u64> {
    let mut range = events.range((key, 0)..=(key, u64::MAX)).reading()?;
    match range.next_back() {
        Some(entry) => Ok(entry.reading()?.0.value().1),
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::Actor;
    use crate::domain::fault::{Code, Fault};
    use crate::domain::id::SiteId;
    use crate::domain::site::{Site, SiteKind};
    use crate::domain::time::Timestamp;
    use crate::store::operation::Unread;

    fn operation(number: u8) -> OperationRecord<Vec<String>> {
        OperationRecord {
            id: OperationId::from_parts(u64::from(number), [number; 10]),
            title: "Create shop.example".to_owned(),
            change: "site create".to_owned(),
            hostname: Some(Hostname::parse("shop.example").unwrap()),
            actor: Actor::LocalRoot,
            began: Timestamp::from_millis(5_000),
            ended: None,
            status: Status::Open,
            fault: None,
            recovered: false,
            plan: vec!["one".to_owned(), "two".to_owned()],
        }
    }

    fn ending(status: Status) -> Ending {
        Ending {
            status,
            ended: Timestamp::from_millis(9_000),
            fault: None,
            recovered: false,
        }
    }

    fn shop(number: u32) -> Site {
        Site::new(
            SiteId::new(number),
            Hostname::parse("shop.example").unwrap(),
            SiteKind::Static { spa: false },
            Timestamp::from_millis(5_000),
        )
    }

    #[test]
    fn events_come_back_in_order_with_their_sequence() {
        let store = Store::in_memory().unwrap();
        let (a, b) = (operation(1), operation(2));
        store.begin(&a).unwrap();
        store.begin(&b).unwrap();
        assert_eq!(store.append(a.id, &"first").unwrap(), 1);
        assert_eq!(store.append(b.id, &"other").unwrap(), 1);
        assert_eq!(store.append(a.id, &"second").unwrap(), 2);
        let events: Vec<(u64, String)> = store.events(a.id).unwrap();
        assert_eq!(events, [(1, "first".to_owned()), (2, "second".to_owned())]);
        assert_eq!(store.sequence(b.id).unwrap(), 1);
    }

    #[test]
    fn an_operation_cut_off_is_found_after_a_restart() {
        let store = Store::in_memory().unwrap();
        let restarted = store.clone();
        store.begin(&operation(1)).unwrap();
        store.append(operation(1).id, &"first").unwrap();
        drop(store);
        assert_eq!(restarted.unfinished().unwrap(), [operation(1).id]);
        let found = restarted.operation(operation(1).id).unwrap();
        assert_eq!(found, Some(operation(1)));
    }

    #[test]
    fn the_end_the_effect_and_the_last_event_are_one() {
        let store = Store::in_memory().unwrap();
        let id = operation(1).id;
        store.begin(&operation(1)).unwrap();
        let effect = Effect::PutSite(Box::new(shop(1001)));
        assert_eq!(
            store
                .finish(id, &"end", &effect, ending(Status::Done))
                .unwrap(),
            1
        );
        assert_eq!(*store.sites().unwrap(), [shop(1001)]);
        assert_eq!(store.unfinished().unwrap(), []);
        let found = store.operation::<Unread>(id).unwrap().unwrap();
        assert_eq!(
            (found.status, found.ended),
            (Status::Done, Some(Timestamp::from_millis(9_000)))
        );
    }

    #[test]
    fn an_effect_that_clashes_leaves_the_operation_open() {
        let store = Store::in_memory().unwrap();
        for (number, site) in [(1, 1001), (2, 1002)] {
            store.begin(&operation(number)).unwrap();
            let effect = Effect::PutSite(Box::new(shop(site)));
            let _ = store.finish(operation(number).id, &"end", &effect, ending(Status::Done));
        }
        assert_eq!(*store.sites().unwrap(), [shop(1001)]);
        assert_eq!(store.unfinished().unwrap(), [operation(2).id]);
        assert_eq!(store.sequence(operation(2).id).unwrap(), 0);
    }

    #[test]
    fn a_stuck_operation_is_listed_until_it_is_settled() {
        let store = Store::in_memory().unwrap();
        let id = operation(1).id;
        store.begin(&operation(1)).unwrap();
        let mut stuck = ending(Status::Stuck);
        stuck.fault = Some(Fault::new(Code::OperationStuck, "a", "b"));
        stuck.recovered = true;
        store.finish(id, &"stuck", &Effect::None, stuck).unwrap();
        assert_eq!(
            (store.stuck().unwrap(), store.unfinished().unwrap()),
            (vec![id], vec![])
        );
        store.append(id, &"looked again").unwrap();
        store
            .finish(id, &"end", &Effect::None, ending(Status::Undone))
            .unwrap();
        assert_eq!(store.stuck().unwrap(), []);
        let found = store.operation::<Unread>(id).unwrap().unwrap();
        assert!(found.recovered && found.fault.is_none());
        assert_eq!(store.sequence(id).unwrap(), 3);
    }

    #[test]
    fn an_id_is_used_once_and_an_unknown_one_takes_no_events() {
        let store = Store::in_memory().unwrap();
        let id = operation(1).id;
        let unknown = store.append(id, &"event").unwrap_err();
        assert!(matches!(unknown, StoreError::OperationMissing { .. }));
        store.begin(&operation(1)).unwrap();
        let twice = store.begin(&operation(1)).unwrap_err();
        assert!(matches!(twice, StoreError::OperationExists { .. }));
    }

    #[test]
    fn the_newest_operations_come_first() {
        let store = Store::in_memory().unwrap();
        for number in 1..=3 {
            store.begin(&operation(number)).unwrap();
        }
        let ids: Vec<_> = store
            .recent::<Unread>(2)
            .unwrap()
            .into_iter()
            .map(|o| o.id)
            .collect();
        assert_eq!(ids, [operation(3).id, operation(2).id]);
        let name = Hostname::parse("shop.example").unwrap();
        assert_eq!(store.recent_of::<Unread>(&name, 9).unwrap().len(), 3);
        let other = Hostname::parse("other.example").unwrap();
        assert!(store.recent_of::<Unread>(&other, 9).unwrap().is_empty());
    }
}
