//! A machine that was watched for as long as somebody looks back, but for one night.

use lalapanel::domain::sample::{Range, Sample};
use lalapanel::domain::time::Timestamp;
use lalapanel::rpc::monitor::MonitorView;
use lalapanel::rpc::protocol::Reply;
use lalapanel::rpc::view::Usage;

/// What was seen.
pub(super) fn monitor(range: Range, now: Timestamp) -> Reply {
    let (step, seconds) = (range.step().seconds(), range.seconds());
    let since = Timestamp::from_millis(now.millis() - seconds * 1000);
    let number = seconds / step;
    let night = number / 3..number / 3 + number / 20;
    let wave = |n: u64, most: u64| most * (20 + (n * 37 + n * n % 11) % 50) / 100;
    let sample = |n: u64| Sample {
        cpu: Some(wave(n, 10_000)),
        load: Some(wave(n, 300)),
        memory: Some(1_100_000_000 + wave(n, 300_000_000)),
        disk: Some(12_000_000_000 + n * 1_000_000),
        inodes: Some(1_200_000),
        received: Some(wave(n, 4_000_000)),
        sent: Some(wave(n + 5, 9_000_000)),
        ..Sample::empty(since.plus_seconds(n * step))
    };
    Reply::Monitor(Box::new(MonitorView {
        range,
        step_seconds: step,
        since,
        until: now,
        processors: 2,
        memory: Some(Usage {
            used: 1_300_000_000,
            total: 2_000_000_000,
        }),
        disk: Some(Usage {
            used: 14_000_000_000,
            total: 40_000_000_000,
        }),
        samples: (0..number)
            .filter(|n| !night.contains(n))
            .map(sample)
            .collect(),
    }))
}
