//! Another password for a database, its end, and its way back from the trash: each with its plan.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen. A password goes on as a hash, and into no page but the one that shows it once.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::database::{DatabaseHash, DatabaseName};
use crate::domain::database_access::{AccessAct, DatabaseAccess};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::new_password::check_new_password;
use crate::domain::secret::{Password, Token};
use crate::domain::text::shown;
use crate::web::keepsake::{Asked, Line};
use crate::web::page::{ICONS, Problem, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::views::databases::{change_frame, find};
use crate::web::views::start::weak_words;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "pages/database_change.html.stpl")]
struct Sheet {
    name: String,
    act: Act,
    words: &'static Words,
    token: String,
    operation: String,
    typed: String,
    /// A password was typed before, and is kept until the button is pressed.
    kept: bool,
    /// The site whose file can get the password.
    site: Option<String>,
    /// Its file shall get it.
    edit_site: bool,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// What a page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Password,
    /// To the trash.
    Delete,
    /// Out of the trash, for good.
    End,
    Restore,
}

/// What a page says.
struct Words {
    title: &'static str,
    /// What its heading says before the name.
    head: &'static str,
    lead: &'static str,
    busy: &'static str,
    button: &'static str,
    /// What the link away from it says.
    keep: &'static str,
    /// The last part of its address, and the verb on the command line.
    verb: &'static str,
}

impl Act {
    fn words(self) -> &'static Words {
        match self {
            Self::Password => &Words {
                title: "New password",
                head: "New password for",
                lead: "What uses this database cannot sign in to it any more until it has the new password.",
                busy: "Changing…",
                button: "Change the password",
                keep: "Keep it as it is",
                verb: "password",
            },
            Self::Delete => &Words {
                title: "Delete",
                head: "Delete",
                lead: "This moves the database to the trash: nobody can sign in to it, and connections that are open end. For 7 days you can put it back with one click; then it is deleted for good. Its name stays taken until then.",
                busy: "Deleting…",
                button: "Delete",
                keep: "Keep it as it is",
                verb: "delete",
            },
            Self::End => &Words {
                title: "Delete for good",
                head: "Delete for good:",
                lead: "The database and its users are deleted, with everything in it. Lala keeps no copy: once it is done it cannot be undone.",
                busy: "Deleting…",
                button: "Delete for good",
                keep: "Leave it in the trash",
                verb: "delete",
            },
            Self::Restore => &Words {
                title: "Put it back",
                head: "Put back",
                lead: "The database comes back as it was, and its users sign in with the password they had.",
                busy: "Putting back…",
                button: "Put it back",
                keep: "Leave it in the trash",
                verb: "restore",
            },
        }
    }

    fn asks_for_the_name(self) -> bool {
        matches!(self, Self::Delete | Self::End)
    }
}

/// Which page it is.
struct Page {
    name: DatabaseName,
    site: Option<String>,
    act: Act,
    operation: OperationId,
}

impl Page {
    async fn of(visit: &Visit, act: Act) -> Result<Self, Refusal> {
        let view = find(visit).await?;
        let act = match act {
            Act::Delete if view.trash.is_some() => Act::End,
            act => act,
        };
        Ok(Self {
            site: view
                .site
                .filter(|_| !view.locked)
                .map(|site| site.unicode()),
            name: view.name,
            act,
            operation: plan::operation_of(visit)?,
        })
    }
}

/// What becomes of a form.
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) plan: Option<ShownPlan>,
    pub(super) notice: Option<&'static str>,
    pub(super) problems: Vec<Problem>,
}

pub(super) const CHECK: &str = "Please check what will happen, then press the button below it";
pub(super) const CHANGED: &str =
    "What would happen is different now. Please check it, then press the button below it";

impl Said {
    pub(super) fn nothing() -> Self {
        Self {
            status: StatusCode::OK,
            plan: None,
            notice: None,
            problems: Vec::new(),
        }
    }

    pub(super) fn problems(problems: Vec<Problem>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problems,
            ..Self::nothing()
        }
    }

    fn problem(field: &'static str, text: String) -> Self {
        Self::problems(vec![Problem { field, text }])
    }

    pub(super) fn refused(fault: &Fault) -> Self {
        let field = match fault.code {
            Code::DatabaseInvalid | Code::DatabaseTaken => "name",
            _ => "main",
        };
        Self {
            status: status_of(fault),
            ..Self::problem(field, sentence(fault))
        }
    }
}

/// The password that was typed, or the one that is made and shown later.
pub(super) fn password(
    visit: &Visit,
    operation: OperationId,
) -> Result<Result<Password, &'static str>, Refusal> {
    let typed = visit.form.raw("password");
    let asked = if !typed.is_empty() {
        let password = Password::typed(typed.to_owned());
        let context = [visit.form.text("name")];
        if let Err(weak) = check_new_password(&password, &context) {
            return Ok(Err(weak_words(weak)));
        }
        Asked::Typed(password)
    } else if visit.form.has("kept") {
        Asked::Same
    } else {
        Asked::Made
    };
    let kept = &visit.shared.keepsakes;
    Ok(Ok(kept.password(holder(visit)?, operation, asked)?))
}

/// Its hash, as MariaDB keeps it.
pub(super) fn hash(
    visit: &Visit,
    operation: OperationId,
) -> Result<Result<DatabaseHash, &'static str>, Refusal> {
    Ok(password(visit, operation)?.map(|password| DatabaseHash::of(&password)))
}

pub(super) fn holder(visit: &Visit) -> Result<&Token, Refusal> {
    visit.session.as_ref().ok_or(Refusal::SignedOut)
}

/// To the operation's page, which shows the password once it is done.
pub(super) fn begun(visit: &Visit, id: OperationId, change: &Change) -> Result<Response, Refusal> {
    let about = match change {
        Change::DatabaseCreate { name, .. } | Change::DatabasePassword { name, .. } => {
            Some((name, name.user()))
        }
        Change::DatabaseAccess(DatabaseAccess {
            name,
            act: AccessAct::Add { user, .. } | AccessAct::Password { user, .. },
        }) => Some((name, user.clone())),
        _ => None,
    };
    if let Some((name, user)) = about {
        let lines: Vec<Line> = vec![
            ("Database", name.to_string()),
            ("User", user.to_string()),
            ("Host", "localhost".to_owned()),
        ];
        visit.shared.keepsakes.begun(holder(visit)?, id, lines);
    }
    Ok(see_other(&format!("/operations/{id}")))
}

/// True where a password was typed before, and is kept until the button is pressed.
pub(super) fn password_is_kept(visit: &Visit, operation: OperationId) -> Result<bool, Refusal> {
    let was_typed = visit.shared.keepsakes.was_typed(holder(visit)?, operation);
    Ok(was_typed && visit.posted)
}

/// `/databases/{name}/password`.
pub(in crate::web) async fn new_password(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let page = Page::of(&visit, Act::Password).await?;
    if !visit.posted {
        return sheet(&visit, &page, Said::nothing()).await;
    }
    if visit.form.has("edit_site") && page.site.is_some() {
        return in_site(&visit, &page).await;
    }
    let hash = match hash(&visit, page.operation)? {
        Ok(hash) => hash,
        Err(text) => {
            let said = Said::problem("password", text.to_owned());
            return sheet(&visit, &page, said).await;
        }
    };
    let change = Change::DatabasePassword {
        name: page.name.clone(),
        hash,
    };
    let attempt = plan::attempt(&visit, change.clone()).await?;
    conclude(&visit, &page, &change, attempt).await
}

/// One that is made on the server, and written where the site reads it; nobody is shown it.
async fn in_site(visit: &Visit, page: &Page) -> Result<Response, Refusal> {
    if !visit.form.raw("password").is_empty() {
        let text = "Leave the password empty: the one for the site's file is made on the server";
        let said = Said::problem("password", text.to_owned());
        return sheet(visit, page, said).await;
    }
    let name = page.name.clone();
    let change = Change::DatabaseSitePassword { name };
    let attempt = plan::attempt(visit, change.clone()).await?;
    conclude(visit, page, &change, attempt).await
}

/// `/databases/{name}/delete`: to the trash; for one that is in it, for good.
pub(in crate::web) async fn delete(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let page = Page::of(&visit, Act::Delete).await?;
    let name = page.name.clone();
    let now = page.act == Act::End;
    look_or_do(&visit, &page, Change::DatabaseDelete { name, now }).await
}

/// `/databases/{name}/restore`.
pub(in crate::web) async fn restore(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let page = Page::of(&visit, Act::Restore).await?;
    let name = page.name.clone();
    look_or_do(&visit, &page, Change::DatabaseRestore { name }).await
}

/// Shows the plan; once it was seen, and the name typed where that is asked for, does it.
async fn look_or_do(visit: &Visit, page: &Page, change: Change) -> Result<Response, Refusal> {
    let name = &page.name;
    let is_typed = visit.form.text("confirm").to_lowercase() == name.as_str();
    if visit.posted && page.act.asks_for_the_name() && !is_typed {
        let plan = match plan::preview(visit, change.clone()).await? {
            Attempt::Check { plan, .. } => Some(*plan),
            _ => None,
        };
        let text = format!("The name does not match. Type {name}");
        let said = Said {
            plan,
            ..Said::problem("confirm", text)
        };
        return sheet(visit, page, said).await;
    }
    let attempt = if visit.posted {
        plan::attempt(visit, change.clone()).await?
    } else {
        plan::preview(visit, change.clone()).await?
    };
    conclude(visit, page, &change, attempt).await
}

async fn conclude(
    visit: &Visit,
    page: &Page,
    change: &Change,
    attempt: Attempt,
) -> Result<Response, Refusal> {
    let said = match attempt {
        Attempt::Began(id) => return begun(visit, id, change),
        Attempt::Unchanged => Said {
            notice: Some("It is that way already. There is nothing to do."),
            ..Said::nothing()
        },
        Attempt::Check { plan, changed } => Said {
            plan: Some(*plan),
            notice: changed.then_some(CHANGED),
            ..Said::nothing()
        },
        Attempt::Refused(fault) => Said::refused(&fault),
    };
    sheet(visit, page, said).await
}

async fn sheet(visit: &Visit, page: &Page, said: Said) -> Result<Response, Refusal> {
    let Page {
        name,
        site,
        act,
        operation,
    } = page;
    let words = act.words();
    let mut frame = change_frame(visit, words.title, name).await;
    let edit_site = site.is_some() && visit.form.has("edit_site");
    let now = match act {
        Act::End => " --now",
        Act::Password if edit_site => " --edit-site",
        _ => "",
    };
    frame.command = Some(format!("lalapanel db {} {name}{now}", words.verb));
    let body = Sheet {
        name: name.to_string(),
        act: *act,
        words,
        token: frame.token.clone(),
        operation: operation.to_string(),
        typed: shown(visit.form.text("confirm"), 64),
        kept: password_is_kept(visit, *operation)?,
        site: site.clone(),
        edit_site,
        plan: said.plan,
        notice: said.notice,
        problems: said.problems,
    };
    Ok(html(said.status, &frame, &body))
}
