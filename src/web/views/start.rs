//! The first run: the one-time link becomes the owner account.
//!
//! Invariant: without a live link this page does not exist, and the link's token never stands in an address a page links to.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::account::AccountName;
use crate::domain::fault::Code;
use crate::domain::new_password::check_new_password;
use crate::domain::secret::{Password, Token};
use crate::domain::text::shown;
use crate::rpc::protocol::{Reply, Request};
use crate::web::local_path::LocalPath;
use crate::web::page::{ICONS, Problem, Section, html, with_cookie};
use crate::web::refusal::Refusal;
use crate::web::views::login;
use crate::web::visit::{Visit, unexpected};

#[derive(Template)]
#[template(path = "pages/start.html.stpl")]
struct Start {
    token: String,
    link: String,
    server: String,
    name: String,
    problems: Vec<Problem>,
}

#[derive(Template)]
#[template(path = "pages/expired.html.stpl")]
struct Expired {}

/// `GET /start?link=…`.
pub(in crate::web) async fn form(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Ok(link) = Token::parse(visit.query.text("link")) else {
        return Ok(expired(&visit));
    };
    match visit
        .ask_as(None, Request::SetupCheck { link: link.clone() })
        .await
    {
        Ok(_) => sheet(&visit, StatusCode::OK, &link, Vec::new()),
        Err(refusal) => closed(&visit, refusal),
    }
}

/// `POST /start`.
pub(in crate::web) async fn submit(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Ok(link) = Token::parse(visit.form.text("link")) else {
        return Ok(expired(&visit));
    };
    let password = Password::typed(visit.form.raw("password").to_owned());
    let name = AccountName::parse(visit.form.text("name"));
    let problems = problems(&visit, name.as_ref().err().is_some(), &password);
    let (Ok(name), true) = (name, problems.is_empty()) else {
        return sheet(&visit, StatusCode::UNPROCESSABLE_ENTITY, &link, problems);
    };
    let request = Request::SetupComplete {
        link: link.clone(),
        name,
        password,
    };
    match visit.ask_as(None, request).await {
        Ok(Reply::SignedIn {
            session, device, ..
        }) => Ok(login::welcome(
            &session,
            device.as_ref(),
            &LocalPath::home(),
        )),
        Ok(_) => Err(unexpected()),
        Err(Refusal::Fault(fault)) => match field_of(fault.code) {
            Some(field) => {
                let text = format!("{}. {}", fault.title, fault.hint);
                let problems = vec![Problem { field, text }, again()];
                sheet(&visit, StatusCode::UNPROCESSABLE_ENTITY, &link, problems)
            }
            None => closed(&visit, Refusal::Fault(fault)),
        },
        Err(refusal) => Err(refusal),
    }
}

fn problems(visit: &Visit, bad_name: bool, password: &Password) -> Vec<Problem> {
    let mut problems = Vec::new();
    if bad_name {
        problems.push(Problem {
            field: "name",
            text: "A name has 2 to 32 letters, digits, dots, - and _, and begins with a letter. For example: mara".to_owned(),
        });
    }
    let context = [visit.form.text("name"), visit.server()];
    match check_new_password(password, &context) {
        Ok(()) if problems.is_empty() => {}
        Ok(()) => problems.push(again()),
        Err(weak) => problems.push(Problem {
            field: "password",
            text: weak_words(weak).to_owned(),
        }),
    }
    problems
}

/// What to do about a password that is refused.
pub(in crate::web) fn weak_words(weak: crate::domain::secret::WeakPassword) -> &'static str {
    use crate::domain::secret::WeakPassword::{Common, Long, Short};
    match weak {
        Short => {
            "The password is shorter than 12 characters. Take at least 12; four unrelated words are good."
        }
        Long => "The password is longer than 1024 bytes. Take a shorter one.",
        Common => {
            "This is a password attackers try first. Take four unrelated words, or let your password manager make one."
        }
    }
}

fn again() -> Problem {
    Problem {
        field: "password",
        text: "Type the password again. It is never sent back to this page.".to_owned(),
    }
}

fn field_of(code: Code) -> Option<&'static str> {
    match code {
        Code::NameInvalid | Code::NameTaken => Some("name"),
        Code::PasswordWeak => Some("password"),
        _ => None,
    }
}

fn closed(visit: &Visit, refusal: Refusal) -> Result<Response, Refusal> {
    match refusal {
        Refusal::Fault(fault) if fault.code == Code::SetupClosed => Ok(expired(visit)),
        other => Err(other),
    }
}

fn expired(visit: &Visit) -> Response {
    let mut frame = visit.bare_frame("This link has expired", Section::None);
    frame.person = None;
    frame.token = String::new();
    html(StatusCode::NOT_FOUND, &frame, &Expired {})
}

fn sheet(
    visit: &Visit,
    status: StatusCode,
    link: &Token,
    problems: Vec<Problem>,
) -> Result<Response, Refusal> {
    let (token, fresh) = login::visitor(visit)?;
    let mut frame = visit.bare_frame("Create the owner account", Section::None);
    frame.person = None;
    // The theme form would have to carry the link in its way back; the theme can wait until there is an account.
    frame.token = String::new();
    frame.secret_address = true;
    let body = Start {
        token,
        link: link.reveal().to_owned(),
        server: visit.server().to_owned(),
        name: shown(visit.form.text("name"), 64),
        problems,
    };
    let response = html(status, &frame, &body);
    Ok(match fresh {
        Some(line) => with_cookie(response, &line),
        None => response,
    })
}
