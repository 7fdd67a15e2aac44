//! Who may pass the protected paths of a site: the names, another one or another password, and the end of one.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen. A password goes on as a hash.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;
use sha2::{Digest, Sha256};

use crate::domain::change::Change;
use crate::domain::id::OperationId;
use crate::domain::secret::Password;
use crate::domain::text::shown;
use crate::domain::visitor::{VisitorHash, VisitorName};
use crate::rpc::view::SiteView;
use crate::web::page::{ICONS, Problem, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::Refusal;
use crate::web::views::change;
use crate::web::views::database_change::{
    CHANGED, CHECK, Said, holder, password, password_is_kept,
};
use crate::web::views::site::{find, site_frame};
use crate::web::visit::Visit;
use crate::web::words::{self, Pill};

#[derive(Template)]
#[template(path = "pages/visitors.html.stpl")]
struct Sheet {
    host: String,
    site: String,
    tab: &'static str,
    pill: Pill,
    visitors: Vec<VisitorName>,
    /// Nothing of this site asks for a password yet.
    open: bool,
    typed: String,
    token: String,
    operation: String,
    kept: bool,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// `/sites/{host}/visitors`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    if !visit.posted {
        return sheet(&visit, &site, None, Said::nothing()).await;
    }
    let operation = plan::operation_of(&visit)?;
    let (name, password) = match asked(&visit, operation)? {
        Ok(asked) => asked,
        Err(problems) => return sheet(&visit, &site, None, Said::problems(problems)).await,
    };
    let hash = VisitorHash::of(&password, salt(operation)).map_err(|_| Refusal::INTERNAL)?;
    let change = Change::SiteVisitor {
        hostname: site.hostname.clone(),
        name: name.clone(),
        hash: Some(hash),
    };
    let said = match plan::attempt(&visit, change.clone()).await? {
        Attempt::Began(id) => return begun(&visit, id, &site, &name),
        Attempt::Unchanged => Said {
            notice: Some("This name has that password already. There is nothing to do."),
            ..Said::nothing()
        },
        Attempt::Check { plan, changed } => Said {
            plan: Some(*plan),
            notice: Some(if changed { CHANGED } else { CHECK }),
            ..Said::nothing()
        },
        Attempt::Refused(fault) => Said::refused(&fault),
    };
    sheet(&visit, &site, Some(&change), said).await
}

/// `/sites/{host}/visitors/{name}/remove`.
pub(in crate::web) async fn remove(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let name = visit.part(1).and_then(|name| VisitorName::parse(name).ok());
    let name = name.ok_or(Refusal::NOT_FOUND)?;
    let path = format!("visitors/{name}/remove");
    let change = Change::SiteVisitor {
        hostname: site.hostname.clone(),
        name,
        hash: None,
    };
    change::remove_visitor(&visit, site, change, path).await
}

type Asked = Result<(VisitorName, Password), Vec<Problem>>;

/// The name and the password: the one that was typed, or one that is made and shown later.
fn asked(visit: &Visit, operation: OperationId) -> Result<Asked, Refusal> {
    let name = VisitorName::parse(visit.form.text("name").trim());
    let password = password(visit, operation)?;
    let mut problems = Vec::new();
    if let Err(bad) = &name {
        let text = format!("A name is missing here, or cannot be one: {bad}");
        problems.push(Problem {
            field: "name",
            text,
        });
    }
    if let Err(text) = &password {
        problems.push(Problem {
            field: "password",
            text: (*text).to_owned(),
        });
    }
    Ok(match (name, password) {
        (Ok(name), Ok(password)) => Ok((name, password)),
        _ => Err(problems),
    })
}

/// The same for the plan and for the button, and for no other operation: its id is drawn at random.
pub(in crate::web) fn salt(operation: OperationId) -> [u8; 12] {
    let digest: [u8; 32] = Sha256::digest(operation.to_string()).into();
    let mut salt = [0; 12];
    salt.iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    salt
}

/// To the operation's page, which shows the password once it is done.
fn begun(
    visit: &Visit,
    id: OperationId,
    site: &SiteView,
    name: &VisitorName,
) -> Result<Response, Refusal> {
    let lines = vec![
        ("Site", site.hostname_unicode.clone()),
        ("Name", name.to_string()),
    ];
    visit.shared.keepsakes.begun(holder(visit)?, id, lines);
    Ok(see_other(&format!("/operations/{id}")))
}

async fn sheet(
    visit: &Visit,
    site: &SiteView,
    change: Option<&Change>,
    said: Said,
) -> Result<Response, Refusal> {
    let mut frame = site_frame(visit, site, Some("Names and passwords")).await;
    frame.command = Some(change.map_or_else(
        || format!("lalapanel site visitor add {} NAME", site.hostname),
        words::command,
    ));
    let sent = if visit.posted {
        &visit.form
    } else {
        &visit.query
    };
    let operation = plan::operation_of(visit)?;
    let protected = site.settings.get("access.protected");
    let body = Sheet {
        host: site.hostname.to_string(),
        site: site.hostname_unicode.clone(),
        tab: "access",
        pill: words::site_pill(site.enabled, site.serving),
        visitors: site.visitors.clone(),
        open: protected.is_none_or(String::is_empty),
        typed: shown(sent.text("name"), 64),
        token: frame.token.clone(),
        operation: operation.to_string(),
        kept: password_is_kept(visit, operation)?,
        plan: said.plan,
        notice: said.notice,
        problems: said.problems,
    };
    Ok(html(said.status, &frame, &body))
}
