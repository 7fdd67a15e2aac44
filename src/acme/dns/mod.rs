//! Proofs as records in DNS: written, waited for until every server of the zone shows them, and removed again.
//!
//! Invariant: whoever would have to remove a record if this process died is told of it before it is written.

pub mod caa;
mod wire;
mod zone;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hickory_proto::op::{Message, update_message};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record, RecordSet};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use crate::acme::diary::Diary;
use crate::acme::dns::wire::wire_name;
use crate::acme::dns::zone::{Shown, Source};
use crate::acme::records::{Records, Value, Written};
use crate::domain::dns::{ProofRecord, RecordName, UpdateServer};
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::time::Timestamp;

/// Resolvers keep the record no longer.
const TTL: u32 = 60;
/// Secondary servers get a change within minutes.
const PATIENCE: Duration = Duration::from_secs(300);
/// A server that has not answered by then is not waited for, where another one shows the record.
const SILENCE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_secs(2);
/// For removing all of them.
const REMOVAL: Duration = Duration::from_secs(45);

/// A record on its way out; whoever takes it says when it is noted.
pub type Notice = (ProofRecord, oneshot::Sender<()>);

/// Writes records by signed updates.
pub struct Updates {
    server: UpdateServer,
    resolvers: Vec<IpAddr>,
    now: Timestamp,
    began: Instant,
    written: Mutex<Vec<ProofRecord>>,
    notices: mpsc::Sender<Notice>,
}

impl Updates {
    /// For one order; `now` is what time it is.
    #[must_use]
    pub fn new(
        server: UpdateServer,
        resolvers: Vec<IpAddr>,
        now: Timestamp,
        notices: mpsc::Sender<Notice>,
    ) -> Self {
        Self {
            server,
            resolvers,
            now,
            began: Instant::now(),
            written: Mutex::default(),
            notices,
        }
    }

    /// Removes what was written; what could not be removed comes back.
    pub async fn clean(&self) -> Vec<ProofRecord> {
        let written = self.written.lock();
        let written = written.unwrap_or_else(PoisonError::into_inner).clone();
        self.remove(written).await
    }

    /// Removes such records; what could not be removed comes back.
    pub async fn remove(&self, records: Vec<ProofRecord>) -> Vec<ProofRecord> {
        let (began, mut left) = (Instant::now(), Vec::new());
        for record in records {
            let removal = |rrset, zone| update_message::delete_by_rdata(rrset, zone, false);
            if began.elapsed() > REMOVAL || self.send(&record, removal).await.is_err() {
                left.push(record);
            }
        }
        left
    }

    async fn addresses(&self) -> Vec<SocketAddr> {
        let (host, port) = self.server.server.host_and_port();
        zone::looked_up(&host, port).await
    }

    async fn send(
        &self,
        record: &ProofRecord,
        message: impl FnOnce(RecordSet, hickory_proto::rr::Name) -> Message,
    ) -> Result<(), String> {
        let (name, own_zone) = (wire_name(&record.name)?, wire_name(&record.zone)?);
        if !own_zone.zone_of(&name) {
            return Err("the record is in another zone".to_owned());
        }
        let data = RData::TXT(TXT::new(vec![record.value.to_string()]));
        let one = Record::from_rdata(name, TTL, data);
        let message = message(RecordSet::from(one), own_zone);
        let now = self.now.millis() / 1000 + self.began.elapsed().as_secs();
        let mut silence = "its name is not known".to_owned();
        for address in self.addresses().await {
            match wire::update(address, &self.server, message.clone(), now).await {
                Ok(()) => return Ok(()),
                Err(why) => silence = why,
            }
        }
        Err(silence)
    }

    fn problem(&self, value: &Value, why: &str) -> Problem {
        let detail = format!("DNS server {}: {why}", self.server.server);
        Problem::new(ProblemKind::Unwritten, &detail).of(&value.name)
    }

    /// One record, beside those that are there.
    async fn add(&self, value: &Value) -> Result<ProofRecord, Problem> {
        let told = |why: String| self.problem(value, &why);
        let own = RecordName::of_challenge(value.name.hostname());
        let own = own.map_err(|bad| told(bad.to_string()))?;
        let name = Source::resolvers(&self.resolvers).follow(own).await;
        let name = name.map_err(told)?;
        let server = Source::own(self.addresses().await);
        let zone = server.zone(&name).await.map_err(told)?;
        let record = ProofRecord {
            zone,
            name,
            value: value.text.clone(),
        };
        self.announce(&record).await;
        let addition = |rrset, zone| update_message::append(rrset, zone, false, false);
        self.send(&record, addition).await.map_err(told)?;
        Ok(record)
    }

    /// Noted here and by whoever waits for us, before it is written.
    async fn announce(&self, record: &ProofRecord) {
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(record.clone());
        let (noted, wait) = oneshot::channel();
        if self.notices.send((record.clone(), noted)).await.is_ok() {
            let _ = wait.await;
        }
    }

    async fn write_all(&self, values: &[Value], diary: &Diary) -> Result<(), Problem> {
        let mut records = Vec::new();
        for value in values {
            let record = self.add(value).await?;
            diary.note(format!(
                "{}: the record {} is written",
                value.name, record.name
            ));
            records.push((value, record));
        }
        for (value, record) in records {
            self.wait(value, &record, diary).await?;
        }
        Ok(())
    }

    /// Until every server of the zone shows it.
    async fn wait(
        &self,
        value: &Value,
        record: &ProofRecord,
        diary: &Diary,
    ) -> Result<(), Problem> {
        let own = Source::own(self.addresses().await);
        let mut servers = own.servers(&record.zone).await.unwrap_or_default();
        if servers.is_empty() {
            diary.note(format!(
                "the servers of {} could not be found: asking its primary alone",
                record.zone
            ));
            servers = self.addresses().await;
        }
        let began = Instant::now();
        let mut waits: Vec<(SocketAddr, Shown)> = servers
            .into_iter()
            .map(|one| (one, Shown::Silent))
            .collect();
        loop {
            for (server, shown) in waits.iter_mut().filter(|(_, shown)| *shown != Shown::Yes) {
                *shown = zone::shows(*server, &record.name, &record.value).await;
            }
            let with = |wanted| waits.iter().filter(move |(_, shown)| *shown == wanted);
            let (yes, no) = (with(Shown::Yes).count(), with(Shown::No).count());
            let silent = with(Shown::Silent).count();
            if no == 0 && yes > 0 && (silent == 0 || began.elapsed() > SILENCE) {
                diary.note(format!(
                    "{}: {yes} of {} DNS servers show the record{}",
                    value.name,
                    waits.len(),
                    if silent > 0 {
                        ", the others do not answer"
                    } else {
                        ""
                    }
                ));
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                let late: Vec<String> = waits
                    .iter()
                    .filter(|(_, shown)| *shown != Shown::Yes)
                    .map(|(server, _)| server.ip().to_string())
                    .collect();
                let words = format!("after 5 minutes not yet on {}", late.join(", "));
                return Err(Problem::new(ProblemKind::Unspread, &words).of(&value.name));
            }
            sleep(LOOK).await;
        }
    }
}

impl Records for Updates {
    fn write<'a>(&'a self, values: &'a [Value], diary: &'a Diary) -> Written<'a> {
        Box::pin(self.write_all(values, diary))
    }
}
