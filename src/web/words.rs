//! Times, sizes and counts in words, computed here and never by the browser's clock.
//!
//! Invariant: no age is negative, and every exact time names its zone.

mod command;

pub(super) use command::command;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::domain::name::Hostname;
use crate::domain::setting::Serving;
use crate::domain::time::Timestamp;
use crate::rpc::uptime::Standing;
use crate::rpc::view::{OperationState, OperationSummary, StepState, Usage};

/// `22 November 2026, 14:20:05 UTC`.
pub(super) fn moment(time: Timestamp) -> String {
    let format = format_description!(
        "[day padding:none] [month repr:long] [year], [hour]:[minute]:[second] UTC"
    );
    calendar(time)
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// `2026-11-22 14:20:05 UTC`, for columns.
pub(super) fn stamp(time: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    calendar(time)
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// `14:20:05 UTC`.
pub(super) fn clock(time: Timestamp) -> String {
    let format = format_description!("[hour]:[minute]:[second] UTC");
    calendar(time)
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// `3 min ago`.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.millis_since(then) / 1000;
    match seconds {
        0..=4 => "just now".to_owned(),
        5..=59 => format!("{seconds} s ago"),
        60..=3_599 => format!("{} min ago", seconds / 60),
        3_600..=86_399 => format!("{} h ago", seconds / 3_600),
        86_400..=172_799 => "1 day ago".to_owned(),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// `12 ms`, `1.4 s`, `12 s`, `3 min 5 s`.
pub(super) fn duration(millis: u64) -> String {
    match millis {
        0..=999 => format!("{millis} ms"),
        1_000..=9_949 => format!("{}.{} s", (millis + 50) / 1000, (millis + 50) % 1000 / 100),
        9_950..=59_999 => format!("{} s", millis / 1000),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// `412 MB`, in units of 1000 as disks are sold.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    match UNITS.into_iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) if count / size < 10 => {
            format!("{}.{} {unit}", count / size, count % size * 10 / size)
        }
        Some((size, unit)) => format!("{} {unit}", count / size),
        None => format!("{count} bytes"),
    }
}

/// A reason as a sentence: `write on or off` becomes `Write on or off.`
pub(super) fn sentence_of(reason: &str) -> String {
    let mut letters = reason.chars();
    let capital = letters.next().map(char::to_uppercase);
    let text: String = capital.into_iter().flatten().chain(letters).collect();
    format!("{}.", text.trim_end_matches('.'))
}

/// `1 site`, `4 sites`.
pub(super) fn count(number: impl Into<u64>, one: &str) -> String {
    let number = number.into();
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

/// How full something is: `fine`, `tight` or `full`.
pub(super) fn fullness(usage: Usage) -> &'static str {
    match usage.used.saturating_mul(100) / usage.total.max(1) {
        0..=84 => "fine",
        85..=95 => "tight",
        _ => "full",
    }
}

/// An icon with its word; the shape alone tells them apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pill {
    pub(super) kind: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: &'static str,
}

const fn pill(kind: &'static str, icon: &'static str, word: &'static str) -> Pill {
    Pill { kind, icon, word }
}

/// What visitors get of a site.
pub(super) fn site_pill(enabled: bool, serving: Serving) -> Pill {
    match (enabled, serving) {
        (false, _) => pill("off", "circle-minus", "Offline"),
        (true, Serving::Live) => pill("ok", "circle-check", "Online"),
        (true, Serving::Maintenance) => pill("warn", "clock", "Maintenance"),
        (true, Serving::Suspended) => pill("bad", "power", "Suspended"),
    }
}

/// How a site stands from outside.
pub(super) fn uptime_pill(standing: Standing) -> Pill {
    let (kind, icon) = match standing {
        Standing::Up => ("ok", "circle-check"),
        Standing::Down => ("bad", "circle-x"),
        Standing::Waiting => ("warn", "clock"),
        Standing::Unseen | Standing::Off => ("off", "circle-minus"),
    };
    pill(kind, icon, standing.words())
}

/// How one look at it went.
pub(super) fn look_pill(is_up: Option<bool>) -> Pill {
    match is_up {
        Some(true) => pill("ok", "circle-check", "Up"),
        Some(false) => pill("bad", "circle-x", "Down"),
        None => pill("off", "circle-minus", "Unknown"),
    }
}

/// How far an operation is.
pub(super) fn operation_pill(state: OperationState) -> Pill {
    let (kind, icon) = match state {
        OperationState::Working | OperationState::Undoing => ("run", "loader-circle"),
        OperationState::Done => ("ok", "circle-check"),
        OperationState::Undone => ("warn", "undo-2"),
        OperationState::Stuck => ("bad", "octagon-x"),
    };
    pill(kind, icon, state.word())
}

/// How far a step is.
pub(super) fn step_pill(state: StepState) -> Pill {
    let (kind, icon) = match state {
        StepState::Waiting => ("off", "circle-dashed"),
        StepState::Working => ("run", "loader-circle"),
        StepState::Done => ("ok", "circle-check"),
        StepState::Failed => ("bad", "octagon-x"),
        StepState::Undone => ("warn", "undo-2"),
    };
    pill(kind, icon, state.word())
}

/// Whether the users of a database may sign in.
pub(super) fn database_pill(locked: bool, in_trash: bool) -> Pill {
    if in_trash {
        pill("off", "trash-2", "In the trash")
    } else if locked {
        pill("off", "trash-2", "Site in the trash")
    } else {
        pill("ok", "circle-check", "Open")
    }
}

/// Whether a service is as it should be.
pub(super) fn service_pill(healthy: bool) -> Pill {
    if healthy {
        pill("ok", "circle-check", "Running")
    } else {
        pill("bad", "octagon-x", "Needs you")
    }
}

/// Whether a PHP version is here, and whether anybody still mends it.
pub(super) fn php_pill(installed: bool, unsupported: bool) -> Pill {
    match (installed, unsupported) {
        (true, true) => pill("warn", "triangle-alert", "Installed, unsupported"),
        (true, false) => pill("ok", "circle-check", "Installed"),
        (false, true) => pill("off", "circle-minus", "Unsupported"),
        (false, false) => pill("off", "circle-minus", "Available"),
    }
}

/// Whether what was asked was let through.
pub(super) fn audit_pill(good: bool) -> Pill {
    if good {
        pill("ok", "circle-check", "Done")
    } else {
        pill("warn", "triangle-alert", "Refused")
    }
}

/// Whether an account may sign in.
pub(super) fn account_pill(disabled: bool) -> Pill {
    if disabled {
        pill("off", "circle-minus", "Disabled")
    } else {
        pill("ok", "circle-check", "May sign in")
    }
}

/// Whether a program's token still works.
pub(super) fn token_pill(expired: bool) -> Pill {
    if expired {
        pill("off", "circle-minus", "Expired")
    } else {
        pill("ok", "circle-check", "Works")
    }
}

/// What an operation is about to do, is doing or did: `Creating shop.example`, `shop.example is ready`.
pub(super) fn headline(summary: &OperationSummary) -> String {
    use OperationState::{Done, Stuck, Undoing, Undone, Working};
    // Of a database its own name is said, whether or not it belongs to a site.
    let about_site = !summary.change.starts_with("db ");
    let host = summary.hostname.as_ref().filter(|_| about_site);
    let Some(host) = host.map(Hostname::unicode) else {
        return summary.title.clone();
    };
    match (summary.change.as_str(), summary.state) {
        (_, Undoing) => format!("{}: undoing", summary.title),
        (_, Stuck) => format!("{}: a person is needed", summary.title),
        ("site create", Working) => format!("Creating {host}"),
        ("site create", Done) => format!("{host} is ready"),
        ("site create", Undone) => format!("{host} was not created"),
        ("site enable", Working) => format!("Putting {host} online"),
        ("site enable", Done) => format!("{host} is online"),
        ("site enable", Undone) => format!("{host} was not put online"),
        ("site disable", Working) => format!("Taking {host} offline"),
        ("site disable", Done) => format!("{host} is offline"),
        ("site disable", Undone) => format!("{host} was not taken offline"),
        ("site snippet", Working) => format!("Changing the nginx directives of {host}"),
        ("site snippet", Done) => format!("{host} has its new nginx directives"),
        ("site snippet", Undone) => format!("The nginx directives of {host} are as before"),
        ("site delete", Working) => format!("Deleting {host}"),
        ("site delete", Done) => format!("{host} is deleted"),
        ("site delete", Undone) => format!("{host} was not deleted"),
        ("site rename", Undone) => format!("{host} was not renamed"),
        ("site rename", Done) => match &summary.renamed_from {
            Some(before) => format!("{} is {host} now", before.unicode()),
            None => format!("{host} has its new name"),
        },
        ("site clone", Done) => format!("{host} is ready"),
        ("site clone", Undone) => format!("{host} was not created"),
        ("site php", Undone) => format!("{host} runs on the PHP it had"),
        ("site set", Working) => format!("Changing {host}"),
        ("site set", Done) => format!("{host} is changed"),
        ("site set", Undone) => format!("{host} was not changed"),
        ("site purge", Working) => format!("Emptying the page cache of {host}"),
        ("site purge", Done) => format!("The page cache of {host} is empty"),
        ("site purge", Undone) => format!("The page cache of {host} was not emptied"),
        ("cert install", Working) => format!("Installing a certificate for {host}"),
        ("cert install", Done) => format!("{host} shows its new certificate"),
        ("cert install", Undone) => format!("{host} shows the certificate it had before"),
        ("cert remove", Done) => format!("{host} is without its certificate"),
        ("cert remove", Undone) => format!("{host} keeps its certificate"),
        (_, Working) => summary.title.clone(),
        (_, Done) => format!("{}: done", summary.title),
        (_, Undone) => format!("{}: undone", summary.title),
    }
}

fn calendar(time: Timestamp) -> Option<OffsetDateTime> {
    let seconds = i64::try_from(time.millis() / 1000).ok()?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_plain_and_never_negative() {
        let at = |seconds: u64| Timestamp::from_millis(seconds * 1000);
        assert_eq!(ago(at(100), at(500)), "just now");
        assert_eq!(ago(at(100), at(60)), "40 s ago");
        assert_eq!(ago(at(10_000), at(0)), "2 h ago");
        assert_eq!(ago(at(100_000), at(0)), "1 day ago");
        assert_eq!(moment(at(1_700_000_000)), "14 November 2023, 22:13:20 UTC");
        assert_eq!(clock(at(1_700_000_000)), "22:13:20 UTC");
    }

    #[test]
    fn sizes_and_durations_are_rounded_for_people() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_500), "1.5 kB");
        assert_eq!(bytes(412_000_000), "412 MB");
        assert_eq!(duration(440), "440 ms");
        assert_eq!(duration(1_440), "1.4 s");
        assert_eq!(duration(12_345), "12 s");
        assert_eq!(duration(185_000), "3 min 5 s");
        assert_eq!(count(1_u32, "site"), "1 site");
        assert_eq!(count(0_u32, "site"), "0 sites");
        assert_eq!(fullness(Usage { used: 0, total: 0 }), "fine");
        assert_eq!(
            fullness(Usage {
                used: 97,
                total: 100
            }),
            "full"
        );
    }
}
