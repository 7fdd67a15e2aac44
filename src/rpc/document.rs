//! What the agent answers, as the one JSON document that scripts read: printed by the command line, sent by `/api/v1`.
//!
//! Invariant: a document is an object with keys in `snake_case`; lists stand under their own name.

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::fault::Fault;
use crate::domain::php::PhpVersion;
use crate::rpc::php::PhpView;
use crate::rpc::protocol::Reply;

/// A failure.
#[must_use]
pub fn of_fault(fault: &Fault) -> Value {
    json!({ "error": {
        "code": fault.code.as_str(),
        "title": fault.title,
        "detail": fault.detail,
        "hint": fault.hint,
        "operation": fault.operation,
    }})
}

/// An answer about what there is; none for those that belong to browsers and to shells.
#[must_use]
pub fn of_reply(reply: &Reply) -> Option<Value> {
    match reply {
        Reply::Done {} => Some(json!({})),
        Reply::Status(view) => whole(view),
        Reply::Accounts(list) => Some(json!({ "accounts": list })),
        Reply::Tokens(list) => Some(json!({ "tokens": list })),
        Reply::Sites(list) => Some(json!({ "sites": list })),
        Reply::Trash(list) => Some(json!({ "trash": list })),
        Reply::Site(view) => whole(view),
        Reply::Nginx(view) => whole(view),
        Reply::Foreign(list) => Some(json!({ "foreign": list })),
        Reply::Certificates(list) => Some(json!({ "certificates": list })),
        Reply::Certificate(view) => whole(view),
        Reply::Dns(list) => Some(json!({ "dns": list })),
        Reply::Issuing(list) => Some(json!({ "issuing": list })),
        Reply::Php(view) => Some(of_php(view)),
        Reply::Databases(list) => Some(json!({ "databases": list })),
        Reply::Database(view) => whole(view),
        Reply::Plan(view) => whole(view),
        Reply::Log(view) => whole(view),
        Reply::Operations(list) => Some(json!({ "operations": list })),
        Reply::Operation(view) => whole(view),
        Reply::Audit(list) => Some(json!({ "entries": list })),
        Reply::AuditSound { entries } => Some(json!({ "sound": true, "entries": entries })),
        Reply::Settings(view) => whole(view),
        Reply::Monitor(view) => whole(view),
        Reply::Uptime(view) => whole(view),
        Reply::Notify(view) => whole(view),
        Reply::NotifyTried(trials) => Some(json!({ "trials": trials })),
        Reply::Doctor(report) => whole(report),
        _ => None,
    }
}

/// PHP versions; `php` names those that are installed.
#[must_use]
pub fn of_php(view: &PhpView) -> Value {
    let installed = view.versions.iter().filter(|one| one.installed);
    let installed: Vec<PhpVersion> = installed.map(|one| one.version).collect();
    json!({ "php": installed, "versions": view.versions, "repository": view.repository })
}

fn whole<T: Serialize>(view: &T) -> Option<Value> {
    serde_json::to_value(view).ok()
}
