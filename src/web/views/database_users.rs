//! Who may do what in a database: a further user, other terms, another password, its end, and grants put right; each with its plan.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen. A password goes on as a hash.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::database::{DatabaseName, DatabaseUser};
use crate::domain::database_access::{AccessAct, ConnectionLimit, DatabaseAccess, Rights, Terms};
use crate::domain::id::OperationId;
use crate::domain::text::shown;
use crate::rpc::database::UserAccess;
use crate::web::page::{ICONS, Problem, html, problem_at};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::Refusal;
use crate::web::views::database_change::{CHANGED, CHECK, Said, begun, hash, password_is_kept};
use crate::web::views::databases::{change_frame, find};
use crate::web::visit::Visit;
use crate::web::words::{self, sentence_of};

#[derive(Template)]
#[template(path = "pages/database_user.html.stpl")]
struct Sheet {
    name: String,
    /// The name of the user, typed or given.
    user: String,
    /// The rest of the page's address.
    path: String,
    act: Act,
    words: &'static Words,
    token: String,
    operation: String,
    rights: String,
    only: String,
    connections: String,
    /// It came with the database: its rights stay.
    own: bool,
    kept: bool,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// What a page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Add,
    Set,
    Password,
    Remove,
    Repair,
}

/// What a page says.
struct Words {
    title: &'static str,
    lead: &'static str,
    busy: &'static str,
    button: &'static str,
}

impl Act {
    fn words(self) -> &'static Words {
        match self {
            Self::Add => &Words {
                title: "New user",
                lead: "A further user signs in with a name and a password of its own, and uses this database alone.",
                busy: "Creating…",
                button: "Create user",
            },
            Self::Set => &Words {
                title: "Rights",
                lead: "What this user may do in the database, and how many connections it may have at once.",
                busy: "Changing…",
                button: "Change the rights",
            },
            Self::Password => &Words {
                title: "New password",
                lead: "What signs in as this user cannot do so any more until it has the new password.",
                busy: "Changing…",
                button: "Change the password",
            },
            Self::Remove => &Words {
                title: "Remove",
                lead: "The user cannot sign in any more, and connections that are open end. The database stays as it is.",
                busy: "Removing…",
                button: "Remove the user",
            },
            Self::Repair => &Words {
                title: "Put rights right",
                lead: "Every user of this database gets the rights again that Lala gave it, and no others.",
                busy: "Putting right…",
                button: "Put it right",
            },
        }
    }

    fn has_terms(self) -> bool {
        matches!(self, Self::Add | Self::Set)
    }

    fn has_password(self) -> bool {
        matches!(self, Self::Add | Self::Password)
    }

    /// Shown with its plan at once: there is nothing to type.
    fn is_plain(self) -> bool {
        matches!(self, Self::Remove | Self::Repair)
    }
}

/// Which page it is.
struct Page {
    name: DatabaseName,
    act: Act,
    user: Option<UserAccess>,
    operation: OperationId,
}

impl Page {
    async fn of(visit: &Visit, act: Act) -> Result<Self, Refusal> {
        let view = find(visit).await?;
        let asked = visit.part(1).map(ToString::to_string);
        let user = view
            .access
            .into_iter()
            .find(|one| asked.as_deref() == Some(one.user.as_str()));
        if asked.is_some() && user.is_none() {
            return Err(Refusal::NOT_FOUND);
        }
        Ok(Self {
            name: view.name,
            act,
            user,
            operation: plan::operation_of(visit)?,
        })
    }

    fn path(&self) -> String {
        let name = &self.name;
        match (&self.user, self.act) {
            (Some(one), Act::Password) => format!("{name}/users/{}/password", one.user),
            (Some(one), Act::Remove) => format!("{name}/users/{}/remove", one.user),
            (Some(one), _) => format!("{name}/users/{}", one.user),
            (None, Act::Repair) => format!("{name}/repair"),
            (None, _) => format!("{name}/users"),
        }
    }
}

/// `/databases/{name}/users`.
pub(in crate::web) async fn add(visit: Arc<Visit>) -> Result<Response, Refusal> {
    page(&visit, Act::Add).await
}

/// `/databases/{name}/users/{user}`.
pub(in crate::web) async fn set(visit: Arc<Visit>) -> Result<Response, Refusal> {
    page(&visit, Act::Set).await
}

/// `/databases/{name}/users/{user}/password`.
pub(in crate::web) async fn password(visit: Arc<Visit>) -> Result<Response, Refusal> {
    page(&visit, Act::Password).await
}

/// `/databases/{name}/users/{user}/remove`.
pub(in crate::web) async fn remove(visit: Arc<Visit>) -> Result<Response, Refusal> {
    page(&visit, Act::Remove).await
}

/// `/databases/{name}/repair`.
pub(in crate::web) async fn repair(visit: Arc<Visit>) -> Result<Response, Refusal> {
    page(&visit, Act::Repair).await
}

async fn page(visit: &Visit, act: Act) -> Result<Response, Refusal> {
    let page = Page::of(visit, act).await?;
    if !visit.posted && !act.is_plain() {
        return sheet(visit, &page, None, Said::nothing()).await;
    }
    let change = match wanted(visit, &page)? {
        Ok(change) => change,
        Err(problems) => return sheet(visit, &page, None, Said::problems(problems)).await,
    };
    let attempt = if visit.posted {
        plan::attempt(visit, change.clone()).await?
    } else {
        plan::preview(visit, change.clone()).await?
    };
    let said = match attempt {
        Attempt::Began(id) => return begun(visit, id, &change),
        Attempt::Unchanged => Said {
            notice: Some("It is that way already. There is nothing to do."),
            ..Said::nothing()
        },
        Attempt::Check { plan, changed } => Said {
            plan: Some(*plan),
            notice: match (visit.posted, changed) {
                (false, _) => None,
                (true, true) => Some(CHANGED),
                (true, false) => Some(CHECK),
            },
            ..Said::nothing()
        },
        Attempt::Refused(fault) => Said::refused(&fault),
    };
    sheet(visit, &page, Some(&change), said).await
}

/// The change a form asks for, or what is to be put right in it.
fn wanted(visit: &Visit, page: &Page) -> Result<Result<Change, Vec<Problem>>, Refusal> {
    let mut problems = Vec::new();
    let mut at = |field, text: &str| {
        let text = sentence_of(text);
        problems.push(Problem { field, text });
    };
    let typed = match &page.user {
        Some(one) => one.user.to_string(),
        None => visit.form.text("name").to_owned(),
    };
    let user = match DatabaseUser::parse(&typed) {
        Ok(user) => Some(user),
        Err(_) if page.act == Act::Repair => None,
        Err(_) if typed.is_empty() => {
            at("name", "Type a name. For example: shop_reader");
            None
        }
        Err(bad) => {
            at("name", &bad.to_string().replace("database's", "user's"));
            None
        }
    };
    let mut terms = Terms::default();
    if page.act.has_terms() {
        let (only, word) = (visit.form.text("only"), visit.form.text("rights"));
        let (field, text) = if only.is_empty() {
            ("rights", word)
        } else {
            ("only", only)
        };
        match Rights::parse(if text.is_empty() { "all" } else { text }) {
            Ok(rights) => terms.rights = rights,
            Err(bad) => at(field, &bad.to_string()),
        }
        let text = visit.form.text("connections");
        match ConnectionLimit::parse(if text.is_empty() { "0" } else { text }) {
            Ok(limit) => terms.connections = limit,
            Err(bad) => at("connections", &bad.to_string()),
        }
    }
    let hash = if page.act.has_password() {
        match hash(visit, page.operation)? {
            Ok(hash) => Some(hash),
            Err(text) => {
                at("password", text);
                None
            }
        }
    } else {
        None
    };
    let act = match (page.act, user, hash) {
        _ if !problems.is_empty() => None,
        (Act::Add, Some(user), Some(hash)) => Some(AccessAct::Add { user, hash, terms }),
        (Act::Set, Some(user), _) => Some(AccessAct::Set {
            user,
            rights: Some(terms.rights),
            connections: Some(terms.connections),
        }),
        (Act::Password, Some(user), Some(hash)) => Some(AccessAct::Password { user, hash }),
        (Act::Remove, Some(user), _) => Some(AccessAct::Remove { user }),
        (Act::Repair, ..) => Some(AccessAct::Repair {}),
        _ => None,
    };
    let name = page.name.clone();
    Ok(act
        .map(|act| Change::DatabaseAccess(DatabaseAccess { name, act }))
        .ok_or(problems))
}

/// The command of a page on which nothing was typed yet.
fn command(page: &Page) -> String {
    let name = &page.name;
    let user = page.user.as_ref().map(|one| one.user.to_string());
    let user = user.unwrap_or_default();
    match page.act {
        Act::Add => format!("lalapanel db user add {name} {name}_reader --rights read-only"),
        Act::Set => format!("lalapanel db user set {name} {user} --rights read-only"),
        Act::Password => format!("lalapanel db user password {name} {user}"),
        Act::Remove => format!("lalapanel db user remove {name} {user}"),
        Act::Repair => format!("lalapanel db repair {name}"),
    }
}

async fn sheet(
    visit: &Visit,
    page: &Page,
    change: Option<&Change>,
    said: Said,
) -> Result<Response, Refusal> {
    let words = page.act.words();
    let mut frame = change_frame(visit, words.title, &page.name).await;
    frame.command = Some(change.map_or_else(|| command(page), words::command));
    let typed = |field: &str, kept: Option<String>| {
        let text = shown(visit.form.text(field), 400);
        match kept {
            Some(kept) if !visit.posted => kept,
            _ => text,
        }
    };
    let user = page.user.as_ref();
    let rights = user.map(|one| one.rights.to_string());
    let (word, only) = match rights {
        Some(text) if Rights::WORDS.contains(&text.as_str()) => (Some(text), None),
        other => (None, other),
    };
    let limit = user.map(|one| one.max_connections.number());
    let limit = limit.filter(|limit| *limit > 0);
    let body = Sheet {
        name: page.name.to_string(),
        user: user.map_or_else(|| typed("name", None), |one| one.user.to_string()),
        path: page.path(),
        act: page.act,
        words,
        token: frame.token.clone(),
        operation: page.operation.to_string(),
        rights: typed("rights", word),
        only: typed("only", only),
        connections: typed("connections", limit.map(|limit| limit.to_string())),
        own: user.is_some_and(|one| one.own),
        kept: password_is_kept(visit, page.operation)?,
        plan: said.plan,
        notice: said.notice,
        problems: said.problems,
    };
    Ok(html(said.status, &frame, &body))
}
