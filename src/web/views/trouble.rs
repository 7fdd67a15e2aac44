//! Pages for what went wrong: refused, missing, agent down, signed out.
//!
//! Invariant: made without the agent, so they appear also when it is gone.

use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};
use sailfish::Template;

use crate::domain::fault::{Code, Fault};
use crate::web::page::{self, Section, see_other};
use crate::web::panel::{empty, wants_page};
use crate::web::refusal::{Notice, Refusal};
use crate::web::views::login;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "pages/trouble.html.stpl")]
struct Trouble<'a> {
    title: &'a str,
    detail: &'a str,
    hint: &'a str,
    code: Option<&'static str>,
    operation: Option<String>,
}

/// The answer to a request that is turned down.
pub(in crate::web) fn refuse(visit: &Visit, refusal: Refusal) -> Response {
    let status = refusal.status();
    match refusal {
        Refusal::SignedOut => signed_out(visit),
        Refusal::Notice(notice) => notice_page(visit, notice),
        Refusal::Fault(fault) if fault.code == Code::AgentUnreachable => agent_down(visit),
        Refusal::Fault(fault) => fault_page(visit, status, &fault),
    }
}

/// When even this page's template or handler failed.
pub(in crate::web) fn last_resort() -> Response {
    page::plain(
        StatusCode::INTERNAL_SERVER_ERROR,
        "This page could not be made. Your sites keep running. Try again.\n",
    )
}

fn signed_out(visit: &Visit) -> Response {
    let page = wants_page(&visit.headers);
    if page && !visit.posted {
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.append_pair("next", &visit.here);
        return see_other(&format!("/login?{}", next.finish()));
    }
    if page {
        return login::again(visit).unwrap_or_else(|_| last_resort());
    }
    page::plain(
        StatusCode::UNAUTHORIZED,
        "Nobody is signed in. Sign in at /login\n",
    )
}

fn notice_page(visit: &Visit, notice: &'static Notice) -> Response {
    if !wants_page(&visit.headers) {
        // Why not a text: who asks for a name that is not ours learns nothing of what runs here.
        return if notice.status == StatusCode::MISDIRECTED_REQUEST {
            empty(notice.status)
        } else {
            page::plain(notice.status, notice.title)
        };
    }
    let body = Trouble {
        title: notice.title,
        detail: "",
        hint: notice.hint,
        code: None,
        operation: None,
    };
    let frame = visit.bare_frame(notice.title, Section::None);
    page::html(notice.status, &frame, &body)
}

fn agent_down(visit: &Visit) -> Response {
    let body = Trouble {
        title: "The Lala agent is not answering",
        detail: if visit.posted {
            "Your sites keep running. If what you sent had begun, it goes on or is undone by itself: look at Activity before you send it again."
        } else {
            "Your sites keep running. This page looks again by itself every 5 seconds."
        },
        hint: "On the server, run: systemctl status lalapanel-agent",
        code: None,
        operation: None,
    };
    let mut frame = visit.bare_frame(body.title, Section::None);
    // No form could be sent.
    frame.token.clear();
    let mut response = page::html(StatusCode::SERVICE_UNAVAILABLE, &frame, &body);
    let soon = HeaderValue::from_static("5");
    if !visit.posted {
        // Why not in the page: the address may be a secret, and there it would have to be named for a reload.
        response.headers_mut().insert(header::REFRESH, soon.clone());
    }
    response.headers_mut().insert(header::RETRY_AFTER, soon);
    response
}

fn fault_page(visit: &Visit, status: StatusCode, fault: &Fault) -> Response {
    let body = Trouble {
        title: &fault.title,
        detail: &fault.detail,
        hint: &fault.hint,
        code: Some(fault.code.as_str()),
        operation: fault.operation.map(|id| id.to_string()),
    };
    let frame = visit.bare_frame(fault.title.clone(), Section::None);
    let mut response = page::html(status, &frame, &body);
    if status == StatusCode::TOO_MANY_REQUESTS {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    response
}
