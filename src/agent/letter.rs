//! What is told, as a letter for people and as a document for programs.
//!
//! Invariant: pure; the words of a warning stand in it as the first page says them, in one line each.

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::domain::authority::KeyText;
use crate::domain::notice::{Due, Matter};
use crate::domain::secret::hex;
use crate::domain::time::Timestamp;

/// More of them are counted, not listed.
const MOST: usize = 50;

/// From where it is told.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    /// What the server calls itself.
    pub(super) server: String,
    /// The panel's address.
    pub(super) url: String,
}

/// What is told: nothing in particular where it is for a try.
#[derive(Debug, Clone, Copy)]
pub(super) enum News<'a> {
    /// What began and what is over.
    Due(&'a Due),
    /// A try.
    Trial,
}

/// In one line.
pub(super) fn subject(sender: &Sender, news: News<'_>) -> String {
    let server = &sender.server;
    let News::Due(due) = news else {
        return format!("[{server}] Lala Panel can reach you here");
    };
    let first = |items: &[(String, Matter)]| items.first().map(|(_, one)| one.title.clone());
    let more = due.begun.len() + due.over.len() - 1;
    let what = match (first(&due.begun), first(&due.over)) {
        (Some(title), _) => title,
        (None, Some(title)) => format!("Over: {title}"),
        (None, None) => String::new(),
    };
    match more {
        0 => format!("[{server}] {what}"),
        more => format!("[{server}] {what} (and {more} more)"),
    }
}

/// For people.
pub(super) fn text(sender: &Sender, news: News<'_>, now: Timestamp) -> String {
    let mut lines = Vec::new();
    match news {
        News::Trial => lines.push(format!(
            "This is a try: {} tells you here what needs somebody, and when it is over.",
            sender.server
        )),
        News::Due(due) => {
            list(&mut lines, "Needs somebody:", &due.begun, |one| {
                vec![one.hint.clone(), format!("since {}", moment(one.began))]
            });
            list(&mut lines, "Over:", &due.over, |one| {
                let until = moment(one.gone.unwrap_or(now));
                vec![format!("from {} until {until}", moment(one.began))]
            });
        }
    }
    lines.push(String::new());
    lines.push(format!(
        "{} - {} - {}",
        sender.server,
        sender.url,
        moment(now)
    ));
    lines.push(String::new());
    lines.join("\n")
}

fn list(
    lines: &mut Vec<String>,
    heading: &str,
    items: &[(String, Matter)],
    below: impl Fn(&Matter) -> Vec<String>,
) {
    if items.is_empty() {
        return;
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(heading.to_owned());
    for (_, matter) in items.iter().take(MOST) {
        lines.push(String::new());
        lines.push(format!("- {}", matter.title));
        let below = below(matter).into_iter().filter(|line| !line.is_empty());
        lines.extend(below.map(|line| format!("  {line}")));
    }
    if let Some(more) = items.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(String::new());
        lines.push(format!("and {more} more: see the panel's first page"));
    }
}

/// For programs. `text` is what chats show that read nothing else of it.
pub(super) fn document(sender: &Sender, news: News<'_>, now: Timestamp) -> String {
    let listed = |items: &[(String, Matter)]| -> Vec<Value> {
        let one = |(key, one): &(String, Matter)| {
            json!({
                "key": key, "title": one.title, "hint": one.hint, "stage": one.stage,
                "began": one.began, "gone": one.gone,
            })
        };
        items.iter().take(MOST).map(one).collect()
    };
    let (begun, over) = match news {
        News::Due(due) => (listed(&due.begun), listed(&due.over)),
        News::Trial => (Vec::new(), Vec::new()),
    };
    json!({
        "server": sender.server, "panel": sender.url, "time": now,
        "test": matches!(news, News::Trial), "begun": begun, "over": over,
        "text": format!("{}\n\n{}", subject(sender, news), text(sender, news, now)),
    })
    .to_string()
}

/// HMAC-SHA256 over the time, a dot and the body, in hexadecimal.
pub(super) fn signature(secret: &KeyText, time: u64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).ok()?;
    mac.update(format!("{time}.{body}").as_bytes());
    Some(hex(&mac.finalize().into_bytes()))
}

/// `2026-11-23 20:01 UTC`.
fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    let minutes: String = text.chars().take(16).collect();
    format!("{} UTC", minutes.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_600_000);

    fn sender() -> Sender {
        Sender {
            server: "panel.example".to_owned(),
            url: "https://panel.example:8443/".to_owned(),
        }
    }

    fn item(key: &str, gone: bool) -> (String, Matter) {
        let matter = Matter {
            title: format!("{key} is stopped"),
            hint: format!("start it: `systemctl start {key}`"),
            stage: 0,
            began: Timestamp::from_millis(1_700_000_000_000),
            gone: gone.then_some(NOW),
            counts: true,
        };
        (key.to_owned(), matter)
    }

    #[test]
    fn a_letter_says_what_is_so_what_to_do_and_since_when() {
        let due = Due {
            begun: vec![item("mariadb", false)],
            over: vec![item("nginx", true)],
        };
        let news = News::Due(&due);
        assert_eq!(
            subject(&sender(), news),
            "[panel.example] mariadb is stopped (and 1 more)"
        );
        assert_eq!(
            text(&sender(), news, NOW),
            "Needs somebody:\n\n- mariadb is stopped\n  start it: `systemctl start mariadb`\n  since 2023-11-14 22:13 UTC\n\nOver:\n\n- nginx is stopped\n  from 2023-11-14 22:13 UTC until 2023-11-14 22:23 UTC\n\npanel.example - https://panel.example:8443/ - 2023-11-14 22:23 UTC\n"
        );
        let over = Due {
            over: vec![item("nginx", true)],
            ..Due::default()
        };
        assert_eq!(
            subject(&sender(), News::Due(&over)),
            "[panel.example] Over: nginx is stopped"
        );
    }

    #[test]
    fn two_hundred_at_once_are_one_letter_of_bounded_length() {
        let begun = (0..200).map(|n| item(&format!("s{n}"), false)).collect();
        let due = Due {
            begun,
            ..Due::default()
        };
        let text = text(&sender(), News::Due(&due), NOW);
        assert_eq!(text.matches("\n- ").count(), MOST);
        assert!(text.contains("and 150 more"));
    }

    #[test]
    fn a_document_can_be_checked_by_whoever_has_the_secret() {
        let due = Due {
            begun: vec![item("mariadb", false)],
            ..Due::default()
        };
        let body = document(&sender(), News::Due(&due), NOW);
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read["begun"][0]["key"], "mariadb");
        assert_eq!(read["test"], false);
        let secret = KeyText::new("Jefe".to_owned());
        let known = signature(&secret, 1, "x").unwrap();
        assert_eq!(known.len(), 64);
        assert_ne!(signature(&secret, 2, "x").unwrap(), known);
        assert_ne!(
            signature(&KeyText::new("jefe".to_owned()), 1, "x").unwrap(),
            known
        );
    }
}
