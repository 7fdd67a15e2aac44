//! One request after it passed every gate, and what a page may do with it.
//!
//! Invariant: a `Visit` exists only for a request to one of our names, by a plain path, for a route of the table.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use poem::Response;
use poem::http::{HeaderMap, StatusCode};
use sailfish::Template;
use tokio::sync::Semaphore;

use crate::domain::name::Hostname;
use crate::domain::secret::Token;
use crate::rpc::protocol::{Call, Reply, Request};
use crate::rpc::view::{OperationState, OperationSummary, SessionView};
use crate::web::agent::Agent;
use crate::web::cookie::{self, Theme};
use crate::web::facts::Learning;
use crate::web::form::Fields;
use crate::web::keepsake::Keepsakes;
use crate::web::local_path::LocalPath;
use crate::web::page::{self, Frame, Section};
use crate::web::refusal::Refusal;
use crate::web::upload::Upload;
use crate::web::{clock, origin, words};

/// What all requests share.
pub(super) struct Shared {
    pub(super) agent: Arc<dyn Agent>,
    /// What the agent told of the panel.
    pub(super) learning: Learning,
    /// One permit for every open stream.
    pub(super) streams: Arc<Semaphore>,
    /// One permit for every file that arrives.
    pub(super) uploads: Arc<Semaphore>,
    /// Passwords that wait to be shown once.
    pub(super) keepsakes: Keepsakes,
}

/// A request on its way through a page.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) headers: HeaderMap,
    /// True for a form that was sent.
    pub(super) posted: bool,
    /// Path and query as asked, for coming back.
    pub(super) here: String,
    /// The parts of the path that the route leaves open.
    pub(super) parts: Vec<String>,
    pub(super) query: Fields,
    pub(super) form: Fields,
    pub(super) from: Option<IpAddr>,
    /// The name asked for: of HTTP/2's `:authority`, otherwise of `Host`. The gates saw that it is one of ours.
    pub(super) host: String,
    /// The port of ours that the connection came to.
    pub(super) port: Option<u16>,
    pub(super) session: Option<Token>,
    pub(super) visitor: Option<Token>,
    pub(super) person: Option<SessionView>,
    /// The file of a form, where the route takes one.
    pub(super) upload: Mutex<Option<Upload>>,
}

impl Visit {
    /// Asks the agent in the name of whoever is signed in.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        self.ask_as(self.session.clone(), request).await
    }

    /// Asks the agent with another session, or with none.
    pub(super) async fn ask_as(
        &self,
        session: Option<Token>,
        request: Request,
    ) -> Result<Reply, Refusal> {
        let call = Call {
            session,
            bearer: None,
            from: self.from,
            request,
        };
        Ok(self.shared.agent.call(call).await?)
    }

    /// The hostname in the path; a text that is none names nothing that exists.
    pub(super) fn hostname(&self) -> Result<Hostname, Refusal> {
        self.part(0)
            .and_then(|text| Hostname::parse(text).ok())
            .ok_or(Refusal::NOT_FOUND)
    }

    /// The path asked for, without its query.
    pub(super) fn path(&self) -> &str {
        self.here.split('?').next().unwrap_or_default()
    }

    /// One open part of the path.
    pub(super) fn part(&self, index: usize) -> Option<&str> {
        self.parts.get(index).map(String::as_str)
    }

    /// The theme chosen in this browser.
    pub(super) fn theme(&self) -> Theme {
        cookie::theme(&self.headers)
    }

    /// The server's name, once the agent has told it.
    pub(super) fn server(&self) -> &str {
        let known = self.shared.learning.known();
        known.map_or("", |facts| facts.server.as_str())
    }

    /// Who is signed in.
    pub(super) fn name(&self) -> Option<String> {
        self.person.as_ref().map(|view| view.name.to_string())
    }

    /// What forms on a page of this visit are tied to.
    pub(super) fn secret(&self) -> Option<&Token> {
        match &self.person {
            Some(_) => self.session.as_ref(),
            None => self.visitor.as_ref(),
        }
    }

    /// The token of the forms on a page. Without chance there is none, and every form of the page is refused.
    fn token(&self) -> Option<String> {
        let secret = self.secret()?;
        match &self.person {
            Some(_) => origin::form_token(secret).ok(),
            None => Some(origin::visitor_token(secret)),
        }
    }

    /// The frame of a page, without asking the agent anything.
    pub(super) fn bare_frame(&self, title: impl Into<String>, section: Section) -> Frame {
        Frame {
            title: title.into(),
            section,
            person: self.name(),
            server: self.server().to_owned(),
            theme: self.theme(),
            token: self.token().unwrap_or_default(),
            here: LocalPath::parse(&self.here).as_str().to_owned(),
            running: 0,
            command: None,
            as_of: words::clock(clock::now()),
            refresh: None,
            secret_address: false,
            crumbs: Vec::new(),
        }
    }

    /// The frame of a page for somebody signed in, with what runs now.
    pub(super) async fn frame(&self, title: impl Into<String>, section: Section) -> Frame {
        let mut frame = self.bare_frame(title, section);
        if let Ok(Reply::Operations(list)) = self.ask(Request::OperationList { limit: 20 }).await {
            frame.running = list.iter().filter(|one| is_running(one)).count();
        }
        frame
    }
}

/// A page with status 200.
pub(super) fn show<B: Template>(frame: &Frame, body: &B) -> Response {
    page::html(StatusCode::OK, frame, body)
}

/// True while something still happens by itself.
pub(super) fn is_running(summary: &OperationSummary) -> bool {
    matches!(
        summary.state,
        OperationState::Working | OperationState::Undoing
    )
}

/// The agent answered something else than asked for: a page of ours and an agent of another version.
pub(super) fn unexpected() -> Refusal {
    Refusal::INTERNAL
}
