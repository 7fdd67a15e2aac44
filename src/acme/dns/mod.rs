//! Proofs as records in DNS: written, waited for until every server of the zone shows them, and removed again.
//!
//! Invariant: whoever would have to remove a record if this process died is told of it before it is written.

pub mod caa;
mod wire;
mod zone;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_proto::op::update_message;
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record, RecordSet};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use crate::acme::diary::Diary;
use crate::acme::dns::wire::wire_name;
use crate::acme::dns::zone::{Shown, Source};
use crate::acme::records::{Programs, Records, Value, Written};
use crate::domain::dns::{ProofRecord, RecordName, UpdateServer};
use crate::domain::dns_way::DnsWay;
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

/// What is done with a record.
#[derive(Debug, Clone, Copy)]
enum Act {
    Add,
    Remove,
}

impl Act {
    /// As a program is told.
    fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
        }
    }
}

async fn addresses(server: &UpdateServer) -> Vec<SocketAddr> {
    let (host, port) = server.server.host_and_port();
    zone::looked_up(&host, port).await
}

/// Writes records by signed updates, or by a program.
pub struct Updates {
    way: DnsWay,
    programs: Arc<dyn Programs>,
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
        way: DnsWay,
        programs: Arc<dyn Programs>,
        resolvers: Vec<IpAddr>,
        now: Timestamp,
        notices: mpsc::Sender<Notice>,
    ) -> Self {
        Self {
            way,
            programs,
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
            if began.elapsed() > REMOVAL || self.send(&record, Act::Remove).await.is_err() {
                left.push(record);
            }
        }
        left
    }

    /// Whoever knows the zones: the server that is written to, or the resolvers where a program knows where it writes.
    async fn source(&self) -> Source {
        match &self.way {
            DnsWay::Update(server) => Source::own(addresses(server).await),
            DnsWay::Program(_) => Source::resolvers(&self.resolvers),
        }
    }

    async fn send(&self, record: &ProofRecord, act: Act) -> Result<(), String> {
        match &self.way {
            DnsWay::Update(server) => self.update(server, record, act).await,
            DnsWay::Program(by) => {
                let (name, value) = (record.name.to_string(), record.value.to_string());
                let arguments = vec![act.word().to_owned(), name, value];
                self.programs.run(&by.program, arguments).await
            }
        }
    }

    async fn update(
        &self,
        server: &UpdateServer,
        record: &ProofRecord,
        act: Act,
    ) -> Result<(), String> {
        let (name, own_zone) = (wire_name(&record.name)?, wire_name(&record.zone)?);
        if !own_zone.zone_of(&name) {
            return Err("the record is in another zone".to_owned());
        }
        let data = RData::TXT(TXT::new(vec![record.value.to_string()]));
        let rrset = RecordSet::from(Record::from_rdata(name, TTL, data));
        let message = match act {
            Act::Add => update_message::append(rrset, own_zone, false, false),
            Act::Remove => update_message::delete_by_rdata(rrset, own_zone, false),
        };
        let now = self.now.millis() / 1000 + self.began.elapsed().as_secs();
        let mut silence = "its name is not known".to_owned();
        for address in addresses(server).await {
            match wire::update(address, server, message.clone(), now).await {
                Ok(()) => return Ok(()),
                Err(why) => silence = why,
            }
        }
        Err(silence)
    }

    fn problem(&self, value: &Value, why: &str) -> Problem {
        let detail = match &self.way {
            DnsWay::Update(server) => format!("DNS server {}: {why}", server.server),
            DnsWay::Program(by) => format!("{}: {why}", by.program),
        };
        Problem::new(ProblemKind::Unwritten, &detail).of(&value.name)
    }

    /// One record, beside those that are there.
    async fn add(&self, value: &Value) -> Result<ProofRecord, Problem> {
        let told = |why: String| self.problem(value, &why);
        let own = RecordName::of_challenge(value.name.hostname());
        let own = own.map_err(|bad| told(bad.to_string()))?;
        let name = Source::resolvers(&self.resolvers).follow(own).await;
        let name = name.map_err(told)?;
        let zone = self.source().await.zone(&name).await;
        let zone = match &self.way {
            DnsWay::Update(_) => zone.map_err(told)?,
            // The program knows its zones itself.
            DnsWay::Program(_) => zone.unwrap_or_else(|_| name.clone()),
        };
        let record = ProofRecord {
            zone,
            name,
            value: value.text.clone(),
        };
        self.announce(&record).await;
        self.send(&record, Act::Add).await.map_err(told)?;
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
        let source = self.source().await;
        let mut servers = source.servers(&record.zone).await.unwrap_or_default();
        // Only a resolver has to ask others for it.
        let mut recursive = false;
        if servers.is_empty() {
            diary.note(format!(
                "the servers of {} could not be found: asking {} alone",
                record.zone,
                match &self.way {
                    DnsWay::Update(_) => "its primary",
                    DnsWay::Program(_) => "the resolvers of this server",
                }
            ));
            (servers, recursive) = source.into_parts();
        }
        let began = Instant::now();
        let mut waits: Vec<(SocketAddr, Shown)> = servers
            .into_iter()
            .map(|one| (one, Shown::Silent))
            .collect();
        loop {
            for (server, shown) in waits.iter_mut().filter(|(_, shown)| *shown != Shown::Yes) {
                *shown = zone::shows(*server, record, recursive).await;
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
