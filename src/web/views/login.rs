//! Signing in and out.
//!
//! Invariant: a wrong name and a wrong password look the same; the form is tied to this browser before anybody is signed in (W-3).

use std::sync::Arc;

use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};
use sailfish::Template;

use crate::domain::fault::Kind;
use crate::domain::secret::{Password, Token};
use crate::domain::text::shown;
use crate::rpc::protocol::{Reply, Request};
use crate::web::local_path::LocalPath;
use crate::web::page::{ICONS, Section, html, see_other, with_cookie};
use crate::web::refusal::Refusal;
use crate::web::views::{new_site, settings};
use crate::web::visit::{Visit, unexpected};
use crate::web::{clock, cookie, origin};

#[derive(Template)]
#[template(path = "pages/login.html.stpl")]
struct Login {
    token: String,
    next: String,
    name: String,
    problem: Option<(String, String)>,
    notice: Option<&'static str>,
}

/// `GET /login`. Nobody types a password for an agent that cannot check it.
pub(in crate::web) async fn form(visit: Arc<Visit>) -> Result<Response, Refusal> {
    visit.ask_as(None, Request::Ping {}).await?;
    let next = LocalPath::parse(visit.query.text("next"));
    let notice = visit.query.has("bye").then_some("You are signed out.");
    sheet(&visit, StatusCode::OK, &next, None, notice)
}

/// `POST /login`.
pub(in crate::web) async fn submit(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let next = LocalPath::parse(visit.form.text("next"));
    let request = Request::Login {
        name: visit.form.text("name").chars().take(256).collect(),
        password: Password::typed(visit.form.raw("password").to_owned()),
        device: cookie::device(&visit.headers),
    };
    match visit.ask_as(visit.session.clone(), request).await {
        Ok(Reply::SignedIn {
            session, device, ..
        }) => Ok(welcome(&session, device.as_ref(), &next)),
        Ok(_) => Err(unexpected()),
        Err(Refusal::Fault(fault)) if fault.kind() == Kind::Unauthenticated => sheet(
            &visit,
            StatusCode::UNAUTHORIZED,
            &next,
            Some((
                "Name or password is wrong".to_owned(),
                "Type the password again.".to_owned(),
            )),
            None,
        ),
        Err(Refusal::Fault(fault)) if fault.kind() == Kind::Limited => {
            let problem = Some((fault.title.clone(), fault.hint.clone()));
            let mut response = sheet(&visit, StatusCode::TOO_MANY_REQUESTS, &next, problem, None)?;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}

/// `POST /logout`.
pub(in crate::web) async fn sign_out(visit: Arc<Visit>) -> Result<Response, Refusal> {
    visit.ask(Request::Logout {}).await?;
    Ok(with_cookie(
        see_other("/login?bye=1"),
        &cookie::clear_session(),
    ))
}

/// The sign-in form for somebody whose session ended under a form: what was typed comes back after signing in.
pub(in crate::web) fn again(visit: &Visit) -> Result<Response, Refusal> {
    let next = LocalPath::parse(&draft(visit).unwrap_or_else(|| {
        let path = visit.here.split('?').next().unwrap_or("/");
        let page = path
            .strip_suffix("/check")
            .or_else(|| path.strip_suffix("/password"))
            .unwrap_or(path);
        if page == "/logout" { "/" } else { page }.to_owned()
    }));
    sheet(
        visit,
        StatusCode::UNAUTHORIZED,
        &next,
        None,
        Some(
            "You were signed out. Nothing was changed. Sign in, check what you typed and send it again.",
        ),
    )
}

/// The address that brings back what was typed into one of the longer forms.
fn draft(visit: &Visit) -> Option<String> {
    new_site::draft(visit).or_else(|| settings::draft(visit))
}

/// A new session, a browser that is known from now on, and on to where the person wanted to go.
pub(in crate::web) fn welcome(
    session: &Token,
    device: Option<&Token>,
    next: &LocalPath,
) -> Response {
    let response = with_cookie(see_other(next.as_str()), &cookie::set_session(session));
    match device {
        Some(device) => with_cookie(response, &cookie::set_device(device)),
        None => response,
    }
}

/// The token a form before sign-in carries, and the cookie to set where the visitor had none yet.
pub(in crate::web) fn visitor(visit: &Visit) -> Result<(String, Option<String>), Refusal> {
    if let Some(token) = &visit.visitor {
        return Ok((origin::visitor_token(token), None));
    }
    let fresh = clock::token()?;
    Ok((
        origin::visitor_token(&fresh),
        Some(cookie::set_visitor(&fresh)),
    ))
}

fn sheet(
    visit: &Visit,
    status: StatusCode,
    next: &LocalPath,
    problem: Option<(String, String)>,
    notice: Option<&'static str>,
) -> Result<Response, Refusal> {
    let (token, fresh) = visitor(visit)?;
    let mut frame = visit.bare_frame("Sign in", Section::None);
    frame.person = None;
    frame.token = token;
    frame.here = format!("/login?next={}", next.as_str());
    let body = Login {
        token: frame.token.clone(),
        next: next.as_str().to_owned(),
        name: shown(visit.form.text("name"), 64),
        problem,
        notice,
    };
    let response = html(status, &frame, &body);
    Ok(match fresh {
        Some(line) => with_cookie(response, &line),
        None => response,
    })
}
