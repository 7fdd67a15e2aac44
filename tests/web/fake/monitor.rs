//! A machine that was watched for as long as somebody looks back, but for one night.

use lalapanel::domain::name::Hostname;
use lalapanel::domain::sample::{Range, Sample};
use lalapanel::domain::time::Timestamp;
use lalapanel::domain::uptime::{Look, Met, Shares};
use lalapanel::rpc::monitor::{MonitorView, PhpProcesses};
use lalapanel::rpc::protocol::Reply;
use lalapanel::rpc::uptime::{Standing, UptimeView, UptimesView};
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
        php: vec![PhpProcesses {
            hostname: Hostname::parse("shop.example").unwrap(),
            processes: 3,
            most: 8,
            memory: 96_000_000,
        }],
    }))
}

/// Three sites: one that answers, one that does not any more, one that nobody looks at.
pub(super) fn uptime(only: Option<&Hostname>, now: Timestamp) -> Reply {
    let look = |n: u64, met: Met| Look {
        at: Timestamp::from_millis(now.millis() - n * 300_000),
        met,
        status: if met == Met::Answer { 200 } else { 0 },
        millis: if met == Met::Answer {
            40 + u32::try_from(n * 37 % 90).unwrap()
        } else {
            10_000
        },
    };
    let site = |name: &str, standing: Standing| {
        let hostname = Hostname::parse(name).unwrap();
        let is_down = standing == Standing::Down;
        let looks: Vec<Look> = (0..288)
            .rev()
            .map(|n| {
                look(
                    n,
                    if is_down && n < 20 || (140..150).contains(&n) {
                        Met::Slow
                    } else {
                        Met::Answer
                    },
                )
            })
            .collect();
        UptimeView {
            hostname_unicode: hostname.unicode(),
            url: (standing != Standing::Off).then(|| format!("https://{hostname}/")),
            hostname,
            standing,
            since: Some(looks[if is_down { 268 } else { 148 }].at)
                .filter(|_| standing != Standing::Off),
            last: looks.last().copied(),
            uptime: Shares {
                day: Some(9_653),
                week: Some(9_950),
                month: Some(9_988),
                year: None,
            },
            mean_millis: Some(84),
            looks: if only.is_some() { looks } else { Vec::new() },
        }
    };
    let mut sites = vec![
        site("shop.example", Standing::Up),
        site("blog.example", Standing::Down),
        site("rest.example", Standing::Off),
    ];
    if let Some(only) = only {
        sites.truncate(1);
        sites[0].hostname = only.clone();
    }
    Reply::Uptime(Box::new(UptimesView {
        every_seconds: 300,
        sites,
    }))
}
