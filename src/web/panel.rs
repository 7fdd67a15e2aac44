//! The gates every request passes, in order: name, path, route, origin, session, body, token; then its page.
//!
//! Invariant: default deny. A page runs only when every gate of its route let the request through.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use poem::middleware::CatchPanic;
use poem::{Body, Endpoint, EndpointExt, Request, Response};
use tokio::sync::Semaphore;

use crate::domain::fault::Fault;
use crate::domain::secret::Token;
use crate::rpc::protocol::{Call, Reply, Request as Question};
use crate::rpc::view::SessionView;
use crate::web::agent::Agent;
use crate::web::api;
use crate::web::authority;
use crate::web::cookie;
use crate::web::facts::{self, Facts, Learning};
use crate::web::form::{self, Fields};
use crate::web::forwarded;
use crate::web::headers;
use crate::web::keepsake::Keepsakes;
use crate::web::origin;
use crate::web::pack;
use crate::web::page;
use crate::web::refusal::Refusal;
use crate::web::routes::{self, Access, Found, Route, UPLOAD};
use crate::web::upload;
use crate::web::views::trouble;
use crate::web::visit::{Shared, Visit};

/// All headers of a request together.
const MOST_HEADER_BYTES: usize = 16 * 1024;
/// Open streams over all people; each holds one of the connections to the agent, and pages need some too.
const MOST_STREAMS: usize = 64;
/// Files that arrive at once over all people: each is unpacked here, which may take some MB of memory.
const MOST_UPLOADS: usize = 2;

/// The whole panel as one endpoint: what `serve` runs, and what tests call.
pub fn router(agent: Arc<dyn Agent>) -> impl Endpoint<Output = Response> + use<> {
    let panel = Panel {
        shared: Arc::new(Shared {
            learning: Learning::new(Arc::clone(&agent)),
            agent,
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            uploads: Arc::new(Semaphore::new(MOST_UPLOADS)),
            keepsakes: Keepsakes::default(),
        }),
    };
    panel
        .with(CatchPanic::new().with_handler(|_| trouble::last_resort()))
        .after(|outcome| async move {
            Ok::<_, poem::Error>(headers::seal(
                outcome.unwrap_or_else(|_| trouble::last_resort()),
            ))
        })
}

struct Panel {
    shared: Arc<Shared>,
}

impl Endpoint for Panel {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let bodiless = request.method() == Method::HEAD;
        let packed = pack::is_taken(request.headers());
        let mut response = if api::is_for_programs(request.uri().path()) {
            self.answer_program(request).await
        } else {
            self.answer(request).await
        };
        if bodiless {
            response.set_body(Body::empty());
        } else if packed {
            response = pack::page(response).await;
        }
        Ok(response)
    }
}

impl Panel {
    async fn answer(&self, request: Request) -> Response {
        let begun = Instant::now();
        let facts = self.facts(request.uri().path()).await;
        let (mut visit, passed) = self.receive(request, facts);
        let admitted = match passed {
            Ok(gate) => {
                visit.parts.clone_from(&gate.parts);
                let route = gate.route;
                admit(&mut visit, gate).await.map(|()| route)
            }
            Err(refusal) => Err(refusal),
        };
        let visit = Arc::new(visit);
        let outcome = match admitted {
            Ok(route) => (route.handler)(Arc::clone(&visit)).await,
            Err(refusal) => Err(refusal),
        };
        let response = outcome.unwrap_or_else(|refusal| trouble::refuse(&visit, refusal));
        // To people who are signed in only: how long a sign-in took is nobody's business.
        if visit.person.is_some() {
            timed(response, begun)
        } else {
            response
        }
    }

    /// A program's request: by one of our names and a plain path too, and then with its token alone.
    async fn answer_program(&self, request: Request) -> Response {
        let facts = match self.shared.learning.facts().await {
            Ok(facts) => facts,
            Err(fault) => return api::refused(&fault.into()),
        };
        let remote = request.remote_addr().as_socket_addr().copied();
        let local = request.local_addr().as_socket_addr().copied();
        let (head, body) = request.into_parts();
        let path = match named(facts, &head.headers, &head.uri, local) {
            Ok((_, path)) => path,
            // Who asks for a name that is not ours learns nothing of what runs here.
            Err(refusal) if refusal.status() == StatusCode::MISDIRECTED_REQUEST => {
                return empty(refusal.status());
            }
            Err(refusal) => return api::refused(&refusal),
        };
        let asked = api::Asked {
            method: head.method,
            path,
            query: Fields::parse(head.uri.query().unwrap_or_default().as_bytes()),
            from: client(&head.headers, remote, Some(facts)),
            headers: head.headers,
            body,
        };
        api::answer(Arc::clone(&self.shared.agent), asked).await
    }

    /// What the gates go by; what is served always waits for nobody.
    async fn facts(&self, path: &str) -> Result<&Facts, Fault> {
        match self.shared.learning.known() {
            None if routes::is_always(path) => Err(facts::silent()),
            _ => self.shared.learning.facts().await,
        }
    }

    /// The gates that need nobody else: name, headers, path, route, origin.
    fn receive(
        &self,
        request: Request,
        facts: Result<&Facts, Fault>,
    ) -> (Visit, Result<Gate, Refusal>) {
        let remote = request.remote_addr().as_socket_addr().copied();
        let local = request.local_addr().as_socket_addr().copied();
        let (head, body) = request.into_parts();
        let visit = Visit {
            shared: Arc::clone(&self.shared),
            here: head
                .uri
                .path_and_query()
                .map_or("/", |all| all.as_str())
                .to_owned(),
            parts: Vec::new(),
            query: Fields::parse(head.uri.query().unwrap_or_default().as_bytes()),
            form: Fields::default(),
            from: client(&head.headers, remote, facts.as_ref().ok().copied()),
            host: asked_host(&head.headers, &head.uri),
            port: local.map(|local| local.port()),
            // Who brings a token is never somebody's browser.
            session: (!head.headers.contains_key(header::AUTHORIZATION))
                .then(|| cookie::session(&head.headers))
                .flatten(),
            visitor: cookie::visitor(&head.headers),
            person: None,
            upload: Mutex::new(None),
            posted: head.method == Method::POST,
            headers: head.headers,
        };
        let gate = match facts {
            Ok(facts) => open(facts, &visit.headers, &head.method, &head.uri, local),
            Err(fault) => open_without_agent(fault, &head.method, &head.uri),
        };
        (
            visit,
            gate.map(|(route, parts)| Gate {
                route,
                parts,
                body,
                peer: remote,
            }),
        )
    }
}

/// Without its port.
fn asked_host(headers: &HeaderMap, uri: &Uri) -> String {
    let header = || headers.get(header::HOST)?.to_str().ok();
    let text = uri
        .authority()
        .map(poem::http::uri::Authority::as_str)
        .or_else(header);
    let authority = text.and_then(|text| text.parse::<poem::http::uri::Authority>().ok());
    authority.map_or_else(String::new, |authority| authority.host().to_owned())
}

type Opened = Result<(&'static Route, Vec<String>), Refusal>;

fn open(
    facts: &Facts,
    headers: &HeaderMap,
    method: &Method,
    uri: &Uri,
    local: Option<SocketAddr>,
) -> Opened {
    let (host, path) = named(facts, headers, uri, local)?;
    let (route, parts) = match routes::find(method, &path) {
        Found::Route(route, parts) => (route, parts),
        Found::OtherMethod => return Err(Refusal::METHOD_NOT_ALLOWED),
        Found::Nothing => return Err(Refusal::NOT_FOUND),
    };
    if route.method == Method::POST {
        origin::require_same(headers, &host)?;
    } else if path.ends_with("/events") {
        origin::refuse_foreign(headers, &host)?;
    }
    Ok((route, parts))
}

/// The name and the path it is for, where both are plain and nothing about it is odd.
fn named(
    facts: &Facts,
    headers: &HeaderMap,
    uri: &Uri,
    local: Option<SocketAddr>,
) -> Result<(String, String), Refusal> {
    let host = facts.names.check(headers, uri, local)?;
    // No browser sends a form in chunks, and what stands between us and it may count them otherwise (H-3).
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::LENGTH_REQUIRED);
    }
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if size > MOST_HEADER_BYTES {
        return Err(Refusal::HEADERS_TOO_LARGE);
    }
    Ok((host, authority::plain_path(uri)?))
}

/// Which names are ours only the agent knows; what opens here is the same on every server and says nothing of this one.
fn open_without_agent(fault: Fault, method: &Method, uri: &Uri) -> Opened {
    let path = authority::plain_path(uri)?;
    match routes::find(method, &path) {
        Found::Route(route, parts) if route.access == Access::Always => Ok((route, parts)),
        Found::OtherMethod if routes::is_always(&path) => Err(Refusal::METHOD_NOT_ALLOWED),
        _ => Err(fault.into()),
    }
}

/// The address of the person: the peer, or behind a proxy of ours the last address that is not one.
fn client(
    headers: &HeaderMap,
    remote: Option<SocketAddr>,
    facts: Option<&Facts>,
) -> Option<IpAddr> {
    let peer = remote?.ip().to_canonical();
    let proxies = facts.map_or(&[][..], |facts| &facts.trusted_proxies);
    if !proxies.contains(&peer) {
        return Some(peer);
    }
    let told: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    Some(forwarded::client(&told, proxies).unwrap_or(peer))
}

/// Says how long the answer took (Server-Timing, in milliseconds).
fn timed(mut response: Response, begun: Instant) -> Response {
    let millis = begun.elapsed().as_secs_f64() * 1000.0;
    if let Ok(value) = HeaderValue::from_str(&format!("page;dur={millis:.2}")) {
        response.headers_mut().insert("server-timing", value);
    }
    response
}

struct Gate {
    route: &'static Route,
    parts: Vec<String>,
    body: Body,
    peer: Option<SocketAddr>,
}

/// The gates that need the agent or the body: session, form, token.
async fn admit(visit: &mut Visit, gate: Gate) -> Result<(), Refusal> {
    let route = gate.route;
    if route.body_limit == UPLOAD {
        // Nobody else's file is waited for, so the session comes first.
        visit.person = Some(who(visit).await?);
        let (form, upload) = upload::begin(visit, gate.body, gate.peer).await?;
        visit.form = form;
        visit.upload = Mutex::new(upload);
        return origin::require_token(&visit.form, visit.secret());
    }
    if route.body_limit > 0 {
        visit.form = form::read(&visit.headers, gate.body, route.body_limit).await?;
    }
    if route.access == Access::Session || visit.session.is_some() && route.path == "/theme" {
        match who(visit).await {
            Ok(person) => visit.person = Some(person),
            Err(Refusal::SignedOut) if route.access != Access::Session => visit.session = None,
            Err(refusal) => return Err(refusal),
        }
    }
    if route.method == Method::POST {
        origin::require_token(&visit.form, visit.secret())?;
    }
    Ok(())
}

/// Who is signed in. A page that renews itself does not keep a session alive.
async fn who(visit: &Visit) -> Result<SessionView, Refusal> {
    let session: Token = visit.session.clone().ok_or(Refusal::SignedOut)?;
    let call = Call {
        session: Some(session),
        bearer: None,
        from: visit.from,
        request: Question::Session {
            passive: visit.query.has("watch") || visit.here.ends_with("/events"),
        },
    };
    match visit.shared.agent.call(call).await? {
        Reply::Session(view) => Ok(view),
        _ => Err(Refusal::INTERNAL),
    }
}

/// True where a person looks at the answer, not a program.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = page::plain(status, "");
    response.set_body(Body::empty());
    response
}
