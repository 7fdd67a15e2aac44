//! Your own account: the password, the session, signing out.
//!
//! Invariant: a new password needs the present one, and ends every session but the one it makes.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::fault::{Fault, Kind};
use crate::domain::new_password::check_new_password;
use crate::domain::secret::{Password, Token};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::SessionView;
use crate::web::local_path::LocalPath;
use crate::web::page::{ICONS, Problem, Section, html, problem_at};
use crate::web::refusal::Refusal;
use crate::web::views::change::sentence;
use crate::web::views::login::welcome;
use crate::web::views::start::weak_words;
use crate::web::visit::{Visit, unexpected};
use crate::web::words;

#[derive(Template)]
#[template(path = "pages/account.html.stpl")]
struct Account {
    name: String,
    token: String,
    idle_end: String,
    absolute_end: String,
    changed: bool,
    problems: Vec<Problem>,
}

/// `GET /account`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    sheet(&visit, StatusCode::OK, Vec::new()).await
}

/// `POST /account/password`.
pub(in crate::web) async fn password(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let person = person(&visit)?;
    let new = Password::typed(visit.form.raw("new").to_owned());
    let context = [person.name.as_str(), visit.server()];
    if let Err(weak) = check_new_password(&new, &context) {
        return refuse(
            &visit,
            vec![problem("new", weak_words(weak)), again("present")],
        )
        .await;
    }
    let request = Request::AccountPassword {
        name: person.name.clone(),
        password: new.clone(),
        current: Some(Password::typed(visit.form.raw("present").to_owned())),
    };
    let known = match visit.ask(request).await {
        Ok(Reply::StaysKnown { device }) => device,
        Ok(_) => None,
        Err(Refusal::Fault(fault)) => match problems_of(&fault) {
            Some(problems) => return refuse(&visit, problems).await,
            None => return Err(Refusal::Fault(fault)),
        },
        Err(other) => return Err(other),
    };
    // The change ended every session, this one too.
    let (session, device) = sign_in(&visit, person, new, known).await?;
    let next = LocalPath::parse("/account?changed=1");
    Ok(welcome(&session, device.as_ref(), &next))
}

fn problems_of(fault: &Fault) -> Option<Vec<Problem>> {
    match fault.kind() {
        Kind::Unauthenticated => Some(vec![
            problem("present", "The present password is wrong. Type it again."),
            again("new"),
        ]),
        Kind::Limited => Some(vec![problem("present", &sentence(fault))]),
        Kind::Invalid => Some(vec![problem("new", &sentence(fault)), again("present")]),
        _ => None,
    }
}

async fn sign_in(
    visit: &Visit,
    person: &SessionView,
    password: Password,
    device: Option<Token>,
) -> Result<(Token, Option<Token>), Refusal> {
    let request = Request::Login {
        name: person.name.to_string(),
        password,
        device,
    };
    match visit.ask_as(None, request).await? {
        Reply::SignedIn {
            session, device, ..
        } => Ok((session, device)),
        _ => Err(unexpected()),
    }
}

async fn refuse(visit: &Visit, problems: Vec<Problem>) -> Result<Response, Refusal> {
    sheet(visit, StatusCode::UNPROCESSABLE_ENTITY, problems).await
}

fn person(visit: &Visit) -> Result<&SessionView, Refusal> {
    visit.person.as_ref().ok_or(Refusal::SignedOut)
}

fn problem(field: &'static str, text: &str) -> Problem {
    Problem {
        field,
        text: text.to_owned(),
    }
}

fn again(field: &'static str) -> Problem {
    problem(
        field,
        "Type the password again. It is never sent back to this page.",
    )
}

async fn sheet(
    visit: &Visit,
    status: StatusCode,
    problems: Vec<Problem>,
) -> Result<Response, Refusal> {
    let person = person(visit)?;
    let mut frame = visit.frame("Account", Section::Account).await;
    "/account".clone_into(&mut frame.here);
    frame.command = Some(format!("lalapanel account password {}", person.name));
    let body = Account {
        name: person.name.to_string(),
        token: frame.token.clone(),
        idle_end: words::clock(person.idle_end),
        absolute_end: words::moment(person.absolute_end),
        changed: visit.query.has("changed"),
        problems,
    };
    Ok(html(status, &frame, &body))
}
