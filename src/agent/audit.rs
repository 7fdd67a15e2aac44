//! Writes down who asked for what and what came of it, and shows it.
//!
//! Invariant: a change is written down before it is done; what people typed is cleaned and shortened, and secrets are never in it.

use std::io::Write as _;
use std::net::IpAddr;

use crate::domain::account::Actor;
use crate::domain::fault::Fault;
use crate::domain::id::OperationId;
use crate::domain::secret::hex;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::rpc::protocol::{Answer, Reply, Request};
use crate::rpc::view::AuditEntry;
use crate::store::audit::{AuditHead, AuditRecord};
use crate::store::{Store, StoreError};

/// The result of an entry that announces a change.
const ASKED: &str = "asked";
/// What is shown where a change was announced and the agent died before its outcome was written.
const UNANSWERED: &str = "unanswered";
/// Typed names are cut to this many characters.
const SHOWN: usize = 64;
/// Lists are never longer.
const LIST_CAP: usize = 500;

/// What an entry says besides its outcome.
#[derive(Debug, Clone)]
pub struct Subject {
    actor: String,
    from: Option<IpAddr>,
    action: String,
    object: String,
}

impl Subject {
    /// Who asks for what, from where.
    #[must_use]
    pub fn of(actor: Option<&Actor>, from: Option<IpAddr>, request: &Request) -> Self {
        let (action, object) = words(request);
        Self {
            actor: actor.map_or_else(|| "nobody signed in".to_owned(), ToString::to_string),
            from,
            action,
            object,
        }
    }

    /// Refused sign-ins that were counted and not written down each.
    #[must_use]
    pub fn left_out(number: u64) -> Self {
        Self {
            actor: "nobody signed in".to_owned(),
            from: None,
            action: "login".to_owned(),
            object: format!("{number} more tries, from anywhere"),
        }
    }

    /// The same, told by the way.
    #[must_use]
    pub fn and_left_out(mut self, number: u64) -> Self {
        if number > 0 {
            let more = format!(" (and {number} more tries refused before, from anywhere)");
            self.object.push_str(&more);
        }
        self
    }
}

/// Where a copy of the newest entry's hash goes.
pub type Mirror = fn(AuditHead);

/// The trail.
#[derive(Debug, Clone)]
pub struct Trail {
    store: Store,
    mirror: Mirror,
}

impl Trail {
    /// Over the state.
    #[must_use]
    pub fn new(store: Store, mirror: Mirror) -> Self {
        Self { store, mirror }
    }

    /// Announces a change; without this it is not done.
    pub fn announce(&self, subject: &Subject, now: Timestamp) -> Result<u64, Fault> {
        self.write(subject, now, ASKED, None, None)
    }

    /// Writes the outcome.
    pub fn conclude(
        &self,
        subject: &Subject,
        now: Timestamp,
        answer: &Answer,
        answers: Option<u64>,
    ) -> Result<u64, Fault> {
        let (result, operation) = match answer {
            Ok(Reply::Began { operation }) => ("ok", Some(*operation)),
            Ok(_) => ("ok", None),
            Err(fault) => (fault.code.as_str(), fault.operation),
        };
        self.write(subject, now, result, operation, answers)
    }

    /// The newest entries first; an announcement is shown only where its outcome is missing.
    pub fn list(&self, limit: u32) -> Result<Vec<AuditEntry>, Fault> {
        let limit = usize::try_from(limit).unwrap_or(LIST_CAP).min(LIST_CAP);
        let records = self.store.recent_audit(limit.saturating_mul(2))?;
        let answered: std::collections::BTreeSet<u64> = records
            .iter()
            .filter_map(|(_, record)| record.answers)
            .collect();
        Ok(records
            .into_iter()
            .filter(|(number, _)| !answered.contains(number))
            .take(limit)
            .map(|(number, record)| entry(number, record))
            .collect())
    }

    /// Checks the chain.
    pub fn verify(&self) -> Result<u64, StoreError> {
        self.store.verify_audit()
    }

    fn write(
        &self,
        subject: &Subject,
        time: Timestamp,
        result: &str,
        operation: Option<OperationId>,
        answers: Option<u64>,
    ) -> Result<u64, Fault> {
        let head = self.store.append_audit(&AuditRecord {
            time,
            actor: subject.actor.clone(),
            from: subject.from,
            action: subject.action.clone(),
            object: subject.object.clone(),
            result: result.to_owned(),
            operation,
            answers,
        })?;
        (self.mirror)(head);
        Ok(head.number)
    }
}

/// Into the system log by way of standard error: a changed state file does not change what stands there.
pub fn to_the_log(head: AuditHead) {
    let line = format!("audit entry {} sha256 {}\n", head.number, hex(&head.hash));
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn entry(number: u64, record: AuditRecord) -> AuditEntry {
    let result = if record.result == ASKED {
        UNANSWERED.to_owned()
    } else {
        record.result
    };
    AuditEntry {
        number,
        time: record.time,
        actor: record.actor,
        from: record.from,
        action: record.action,
        object: record.object,
        result,
        operation: record.operation,
    }
}

fn words(request: &Request) -> (String, String) {
    let plain = |action: &str| (action.to_owned(), String::new());
    let about = |action: &str, object: &dyn ToString| (action.to_owned(), object.to_string());
    match request {
        Request::Login { name, .. } => about("login", &shown(name, SHOWN)),
        Request::Logout {} => plain("logout"),
        Request::SetupComplete { name, .. } => about("setup", name),
        Request::AdminLink {} => plain("admin link"),
        Request::AdminUnban { address } => match address {
            Some(address) => about("admin unban", address),
            None => about("admin unban", &"every address"),
        },
        Request::AccountCreate { name, .. } => about("account create", name),
        Request::AccountPassword { name, .. } => about("account password", name),
        Request::Confirm { .. } => plain("confirm"),
        Request::AccountDelete { name } => about("account delete", name),
        Request::AccountDisable { name, disabled } => {
            let word = if *disabled {
                "account disable"
            } else {
                "account enable"
            };
            about(word, name)
        }
        Request::TokenCreate { name, .. } => about("token create", name),
        Request::TokenRevoke { name } => about("token revoke", name),
        Request::Apply { change, .. } => about(change.word(), &change.subject()),
        Request::CertificateDeposit { hostname, .. } => about("cert deposit", hostname),
        Request::CertificateIssue { hostname, .. } => about("cert issue", hostname),
        Request::CertificateRenew {
            hostname: Some(hostname),
            ..
        } => about("cert renew", hostname),
        Request::CertificateRenew { hostname: None, .. } => plain("cert renew"),
        Request::CertificateDiscard { hostname, .. } => about("cert discard", hostname),
        Request::DnsPut { name, .. } => about("cert dns add", name),
        Request::DnsProgram { name, .. } => about("cert dns add", name),
        Request::DnsRemove { name } => about("cert dns remove", name),
        Request::WordpressFetch {} => plain("wordpress fetch"),
        Request::DatabaseExport { name } => about("db export", name),
        Request::DatabaseLoad { name, .. } => about("db load", name),
        Request::DatabaseDiscard { name, .. } => about("db discard", name),
        Request::OperationCheck { id } => about("operation check", id),
        Request::NotifyStage { .. } => plain("notify set"),
        Request::NotifyTest {} => plain("notify test"),
        Request::Ping {}
        | Request::Panel {}
        | Request::Status {}
        | Request::SetupCheck { .. }
        | Request::Session { .. }
        | Request::AccountList {}
        | Request::TokenList {}
        | Request::CertificateList {}
        | Request::CertificateShow { .. }
        | Request::CertificatePlan { .. }
        | Request::DnsList {}
        | Request::Home {}
        | Request::SiteList {}
        | Request::SiteTrash {}
        | Request::SiteShow { .. }
        | Request::SiteNginx { .. }
        | Request::ForeignSites {}
        | Request::SiteOptions {}
        | Request::PhpList {}
        | Request::DatabaseList {}
        | Request::DatabaseShow { .. }
        | Request::Preview { .. }
        | Request::OperationList { .. }
        | Request::OperationShow { .. }
        | Request::OperationFollow { .. }
        | Request::AuditList { .. }
        | Request::AuditVerify {}
        | Request::LogRead { .. }
        | Request::LogFollow { .. }
        | Request::Doctor {}
        | Request::NotifyStatus {}
        | Request::SettingsShow {}
        | Request::Monitor { .. }
        | Request::Uptime { .. } => plain("look"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::policy::{self, Audit};
    use crate::domain::fault::Code;
    use crate::domain::secret::Password;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn subject(name: &str) -> Subject {
        let request = Request::Login {
            name: name.to_owned(),
            password: Password::typed("hunter2".to_owned()),
            device: None,
        };
        Subject::of(None, Some([192, 0, 2, 7].into()), &request)
    }

    #[test]
    fn everything_that_is_written_down_has_a_name_of_its_own() {
        for (name, request) in policy::tests::one_of_each() {
            let (action, _) = words(&request);
            let silent = policy::rule(&request).audit == Audit::None;
            assert_eq!(action == "look", silent, "{name}");
        }
    }

    #[test]
    fn a_change_is_shown_once_with_its_outcome() {
        let trail = Trail::new(Store::in_memory().unwrap(), |_| ());
        let asked = trail.announce(&subject("mara"), NOW).unwrap();
        let fault = Fault::new(Code::LoginRefused, "a", "b");
        let done = trail.conclude(&subject("mara"), NOW, &Err(fault), Some(asked));
        let list = trail.list(10).unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(
            (list[0].number, list[0].result.as_str()),
            (done.unwrap(), "session.refused")
        );
        assert_eq!(trail.verify().unwrap(), 2);
    }

    #[test]
    fn a_change_without_an_outcome_is_shown_as_unanswered() {
        let trail = Trail::new(Store::in_memory().unwrap(), |_| ());
        trail.announce(&subject("mara"), NOW).unwrap();
        assert_eq!(trail.list(10).unwrap()[0].result, "unanswered");
    }

    #[test]
    fn what_was_typed_as_a_name_is_one_short_clean_line() {
        let trail = Trail::new(Store::in_memory().unwrap(), |_| ());
        let typed = format!("<b>\n\u{1b}[31m{}", "x".repeat(500));
        let answer = Ok(Reply::Done {});
        trail
            .conclude(&subject(&typed), NOW, &answer, None)
            .unwrap();
        let object = trail.list(1).unwrap().remove(0).object;
        assert_eq!(object.chars().count(), 64);
        assert!(!object.chars().any(char::is_control), "{object:?}");
    }
}
