//! Hands an errand to the courier and waits for what it brings back.
//!
//! Invariant: an answer that does not come whole is a fault; it is never taken for a success.

use crate::domain::dns::ProofRecord;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::host::{Host, HostError, Receiving};
use crate::rpc::codec::{self, CodecError};
use crate::rpc::courier::{
    Errand, Fetch, Fetched, LONGEST_PART, Order, Ordered, Report, Return, SOCKET,
};

/// The length before a frame's body.
const HEADER: usize = 4;
/// How much longer than the errand itself the agent waits: the process may have to be started first.
const SPARE_SECONDS: u64 = 15;

/// Sends it out, and waits.
pub fn send(host: &dyn Host, errand: &Errand) -> Result<Report, Fault> {
    let frame = codec::encode(errand).map_err(|error| garbled(&error))?;
    let answer = host.exchange(
        &HostPath::fixed(SOCKET),
        &frame,
        codec::LIMIT + HEADER,
        millis(errand),
    );
    returned(&answer.map_err(|error| unreachable(&error))?)
}

/// Has it get a certificate; beside the end of it, the records it may have left in DNS.
pub fn order(host: &dyn Host, order: Order) -> (Result<Ordered, Fault>, Vec<ProofRecord>) {
    let errand = Errand::Order(Box::new(order));
    let frame = match codec::encode(&errand) {
        Ok(frame) => frame,
        Err(error) => return (Err(garbled(&error)), Vec::new()),
    };
    let limit = codec::LIMIT + HEADER;
    let answer = host.exchange(&HostPath::fixed(SOCKET), &frame, limit, millis(&errand));
    match answer {
        Ok(answer) => ended(&answer),
        Err(error) => (Err(unreachable(&error)), Vec::new()),
    }
}

/// Frames about records, and the return; without that, what was written may be there still.
fn ended(answer: &[u8]) -> (Result<Ordered, Fault>, Vec<ProofRecord>) {
    let (mut rest, mut written) = (answer, Vec::new());
    loop {
        let frame = codec::read_frame_blocking(&mut rest)
            .and_then(|body| codec::decode::<Return>(&body))
            .map_err(|error| garbled(&error));
        match frame.and_then(|returned| returned) {
            Ok(Report::Writing(record)) => written.push(*record),
            Ok(Report::Ordered(ordered)) => {
                let left = ordered.left.clone();
                return (Ok(*ordered), left);
            }
            Ok(_) => return (Err(beside_the_point()), written),
            Err(fault) => return (Err(fault), written),
        }
    }
}

/// Has it bring an archive into a file of root's; on a fault, part of it may be there.
pub fn fetch(host: &dyn Host, fetch: Fetch, into: &HostPath) -> Result<Fetched, Fault> {
    let most = fetch.most;
    let errand = Errand::Fetch(Box::new(fetch));
    let frame = codec::encode(&errand).map_err(|error| garbled(&error))?;
    let socket = HostPath::fixed(SOCKET);
    let limits = Receiving {
        most,
        part: LONGEST_PART,
        rest: codec::LIMIT + HEADER,
        millis: millis(&errand),
    };
    let rest = match host.receive(&socket, &frame, into, limits) {
        Ok(rest) => rest,
        Err(error @ HostError::Silent { .. }) => return Err(unreachable(&error)),
        Err(HostError::Broken { source, .. }) => return Err(garbled(&CodecError::Io(source))),
        Err(error) => return Err(error.into()),
    };
    match returned(&rest)? {
        Report::Fetched(fetched) => Ok(*fetched),
        _ => Err(beside_the_point()),
    }
}

fn millis(errand: &Errand) -> u64 {
    errand.seconds().saturating_add(SPARE_SECONDS) * 1000
}

fn returned(answer: &[u8]) -> Result<Report, Fault> {
    let mut rest = answer;
    let body = codec::read_frame_blocking(&mut rest).map_err(|error| garbled(&error))?;
    codec::decode::<Return>(&body).map_err(|error| garbled(&error))?
}

/// Whether it answers.
pub fn ping(host: &dyn Host) -> Result<(), Fault> {
    match send(host, &Errand::Ping {})? {
        Report::Pong { .. } => Ok(()),
        _ => Err(beside_the_point()),
    }
}

fn unreachable(error: &HostError) -> Fault {
    Fault::new(
        Code::CourierUnreachable,
        "The panel's courier, which talks to the internet, does not answer",
        "start it: `systemctl start lalapanel-courier.socket`, then see `journalctl -u lalapanel-courier`",
    )
    .detail(error.to_string())
}

fn garbled(error: &CodecError) -> Fault {
    let (title, hint) = match error {
        CodecError::Io(_) | CodecError::Late => (
            "The panel's courier, which talks to the internet, ended before it was done",
            "try again; where it happens twice, see `journalctl -u lalapanel-courier`",
        ),
        CodecError::Malformed(_) | CodecError::TooLong { .. } => (
            "What the courier brought back was not understood",
            "it is of another version: `systemctl restart lalapanel-agent lalapanel-courier`",
        ),
    };
    Fault::new(Code::CourierUnreachable, title, hint).detail(error.to_string())
}

/// It brought back something else than it was sent for.
#[must_use]
pub fn beside_the_point() -> Fault {
    Fault::new(
        Code::CourierUnreachable,
        "The courier brought back something else than it was sent for",
        "it is of another version: `systemctl restart lalapanel-agent lalapanel-courier`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn records_of_an_order_that_broke_off_are_told() {
        let name = |text: &str| crate::domain::dns::RecordName::parse(text).unwrap();
        let record = ProofRecord {
            zone: name("shop.example"),
            name: name("_acme-challenge.shop.example"),
            value: crate::domain::dns::ProofText::parse(&"v".repeat(43)).unwrap(),
        };
        let notice: Return = Ok(Report::Writing(Box::new(record.clone())));
        let mut answer = codec::encode(&notice).unwrap();
        let (broken, left) = ended(&answer);
        assert!(broken.is_err());
        assert_eq!(left, [record]);
        let whole: Return = Ok(Report::Ordered(Box::new(Ordered {
            moments: Vec::new(),
            left: Vec::new(),
            outcome: Ok("PEM".to_owned()),
        })));
        answer.extend(codec::encode(&whole).unwrap().iter());
        let (ordered, left) = ended(&answer);
        assert!(ordered.unwrap().outcome.is_ok() && left.is_empty());
    }

    #[test]
    fn without_a_courier_the_fault_names_how_to_start_it() {
        let host = MemoryHost::new(Machine::debian());
        let fault = ping(&host).unwrap_err();
        assert_eq!(fault.code, Code::CourierUnreachable);
        assert!(fault.hint.contains("lalapanel-courier.socket"));
    }
}
