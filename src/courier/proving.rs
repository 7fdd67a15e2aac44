//! Orders whose names are proved in DNS: whoever asked is told of each record before it is written, and none stays.
//!
//! Invariant: records are removed whatever becomes of the order, also where whoever asked for it went away.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::ReadHalf;
use tokio::sync::mpsc;

use crate::acme::dns::Updates;
use crate::acme::order::Way;
use crate::courier::hook::Hook;
use crate::courier::runner::Runner;
use crate::rpc::codec;
use crate::rpc::courier::{Clean, DnsWork, Order, Report, Return};

/// An order ends by itself before the errand's own time is over; secondary servers of a zone take their time.
const ORDER: Duration = Duration::from_secs(520);
/// For a frame to be taken.
const DEADLINE: Duration = Duration::from_secs(10);
/// Where nobody else would remove them.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(5);

/// To its end; none where whoever asked is not there any more.
pub(super) async fn order(
    order: &Order,
    dns: &DnsWork,
    runner: &Runner,
    stream: &mut UnixStream,
) -> Option<Return> {
    let (notices, mut told) = mpsc::channel(1);
    let updates = Updates::new(
        dns.way.clone(),
        Arc::new(Hook),
        dns.resolvers.clone(),
        dns.now,
        notices,
    );
    let (mut reader, mut writer) = stream.split();
    let ended = {
        let running = runner.order(order, Way::Dns(&updates), ORDER);
        let gone = gone(&mut reader);
        tokio::pin!(running, gone);
        loop {
            tokio::select! {
                ordered = &mut running => break Some(ordered),
                () = &mut gone => break None,
                Some((record, noted)) = told.recv() => {
                    let notice: Return = Ok(Report::Writing(Box::new(record)));
                    let Ok(frame) = codec::encode(&notice) else { break None };
                    let sending = codec::write_frame(&mut writer, &frame);
                    match tokio::time::timeout(DEADLINE, sending).await {
                        Ok(Ok(())) => { let _ = noted.send(()); }
                        Ok(Err(_)) | Err(_) => break None,
                    }
                }
            }
        }
    };
    let mut left = updates.clean().await;
    let Some(mut ordered) = ended else {
        for _ in 0..TRIES {
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            left = updates.remove(left).await;
        }
        return None;
    };
    ordered.left = left;
    Some(Ok(Report::Ordered(Box::new(ordered))))
}

/// Removes what another order left.
pub(super) async fn clean(clean: Clean) -> Report {
    let Clean { dns, records } = clean;
    let (notices, _) = mpsc::channel(1);
    let updates = Updates::new(dns.way, Arc::new(Hook), dns.resolvers, dns.now, notices);
    Report::Cleaned {
        left: updates.remove(records).await,
    }
}

/// Ready once the peer closes, or says more than one errand.
async fn gone(reader: &mut ReadHalf<'_>) {
    let mut byte = [0_u8; 1];
    let _ = reader.read(&mut byte).await;
}
