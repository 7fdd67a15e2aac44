//! `/api/v1`: what programs ask, with a token and in JSON.
//!
//! Invariant: no cookie is looked at, so no browser can be made to ask in its owner's name; who may do what the agent says.

mod body;
mod metrics;
mod openapi;
mod table;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::error::ReadBodyError;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Response};
use serde_json::{Value, json};

use crate::domain::certificate::{PrivateKey, Source};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::domain::secret::Token;
use crate::domain::token;
use crate::rpc::document;
use crate::rpc::protocol::{Call, Reply, Request};
use crate::web::agent::Agent;
use crate::web::api::table::{Makes, Row};
use crate::web::form::Fields;
use crate::web::refusal::Refusal;

/// What all of it begins with, but [`METRICS`].
const PREFIX: &str = "/api/v1/";
/// Where Prometheus looks when it is told nothing else.
const METRICS: &str = "/metrics";
/// Certificates and lists of addresses.
const MOST_BODY: usize = 256 * 1024;
/// A slow body is given up after so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request, as it came.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Fields,
    pub(super) headers: HeaderMap,
    pub(super) from: Option<IpAddr>,
    pub(super) body: Body,
}

/// What is wanted of the agent.
enum Wish {
    /// To look at something, or an errand without a plan.
    Ask(Request),
    /// A change, with what is told once beside its operation.
    Change(Change, Value),
    /// To put down a certificate and have it shown.
    Certificate(Hostname, String, PrivateKey),
}

/// The parts of a request that rows of the table read.
struct Input {
    parts: Vec<String>,
    query: Fields,
    body: Value,
}

/// True for a path that no browser's session opens.
pub(super) fn is_for_programs(path: &str) -> bool {
    path.starts_with(PREFIX) || path == METRICS
}

/// Answers a request.
pub(super) async fn answer(agent: Arc<dyn Agent>, asked: Asked) -> Response {
    match told(agent, asked).await {
        Ok(response) => response,
        Err(refusal) => refused(&refusal),
    }
}

async fn told(agent: Arc<dyn Agent>, asked: Asked) -> Result<Response, Refusal> {
    let is_look = asked.method == Method::GET || asked.method == Method::HEAD;
    let path = asked.path.strip_prefix(PREFIX).unwrap_or_default();
    let is_file = path == "openapi.json" || asked.path == METRICS;
    if is_file && !is_look {
        return Err(Refusal::METHOD_NOT_ALLOWED);
    }
    if path == "openapi.json" {
        return Ok(document_of(StatusCode::OK, &openapi::document()));
    }
    let bearer = bearer(&asked.headers)?;
    if asked.path == METRICS {
        let caller = Caller {
            agent,
            bearer,
            from: asked.from,
            plan_only: false,
            operation: None,
        };
        return metrics::answer(&caller).await;
    }
    let (row, parts) = table::find(&asked.method, path)?;
    let body = match row.body {
        Some(_) => read(&asked.headers, asked.body).await?,
        None => Value::Null,
    };
    let input = Input {
        parts,
        query: asked.query,
        body,
    };
    let wish = (row.build)(&input)?;
    let caller = Caller {
        agent,
        bearer,
        from: asked.from,
        plan_only: plan_only(row, &input.query)?,
        operation: operation_of(&asked.headers)?,
    };
    caller.fulfil(wish).await
}

/// Whether nothing is to be done. Where that cannot be told, or cannot be had, nothing is done either.
fn plan_only(row: &Row, query: &Fields) -> Result<bool, Fault> {
    match (query.text("plan"), row.makes) {
        ("" | "false" | "0", _) => Ok(false),
        ("true" | "1", Makes::Change | Makes::Look) => Ok(true),
        ("true" | "1", Makes::Errand) => Err(body::invalid("there is no plan of this")),
        _ => Err(body::invalid("`plan` is true or false")),
    }
}

/// RFC 6750 §2.1; there is no other way in.
fn bearer(headers: &HeaderMap) -> Result<Token, Fault> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(unauthenticated());
    };
    let text = line.to_str().map_err(|_| unauthenticated())?;
    let (scheme, text) = text.split_once(' ').ok_or_else(unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthenticated());
    }
    // Another text is a wrong guess as well; the agent counts it.
    Ok(token::read(text.trim()).unwrap_or_else(|| Token::from_random([0; 32])))
}

fn unauthenticated() -> Fault {
    Fault::new(
        Code::TokenRefused,
        "This needs a token",
        "send `Authorization: Bearer lala_…`; make one with `lalapanel token create` as root on the server",
    )
}

/// So that a request that is sent twice is done once: an id of one's own (a ULID).
fn operation_of(headers: &HeaderMap) -> Result<Option<OperationId>, Fault> {
    let Some(line) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let id = line
        .to_str()
        .ok()
        .and_then(|text| OperationId::parse(text).ok());
    id.map(Some).ok_or_else(|| {
        body::invalid("`Idempotency-Key` is a ULID, which becomes the operation's id")
    })
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Value, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let read = tokio::time::timeout(PATIENCE, body.into_bytes_limit(MOST_BODY)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(ReadBodyError::PayloadTooLarge)) => return Err(Refusal::TOO_LARGE),
        Ok(Err(_)) => return Err(Refusal::BAD_REQUEST),
        Err(_) => return Err(Refusal::TIMED_OUT),
    };
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(
            body::invalid("the body is JSON, and `Content-Type` says `application/json`").into(),
        );
    }
    let value = serde_json::from_slice(&bytes);
    Ok(value.map_err(|bad| body::invalid(&format!("the body is no JSON: {bad}")))?)
}

/// Who asks, and how.
struct Caller {
    agent: Arc<dyn Agent>,
    bearer: Token,
    from: Option<IpAddr>,
    plan_only: bool,
    operation: Option<OperationId>,
}

impl Caller {
    async fn ask(&self, request: Request) -> Result<Reply, Fault> {
        let call = Call {
            session: None,
            bearer: Some(self.bearer.clone()),
            from: self.from,
            request,
        };
        self.agent.call(call).await
    }

    async fn fulfil(&self, wish: Wish) -> Result<Response, Refusal> {
        match wish {
            Wish::Ask(request) => {
                let reply = self.ask(request).await?;
                let status = match reply {
                    Reply::Issuing(_) => StatusCode::ACCEPTED,
                    _ => StatusCode::OK,
                };
                let document = document::of_reply(&reply).ok_or(Refusal::INTERNAL)?;
                Ok(document_of(status, &document))
            }
            Wish::Change(change, told) => self.change(change, told).await,
            Wish::Certificate(hostname, chain, key) => self.install(hostname, chain, key).await,
        }
    }

    async fn change(&self, change: Change, told: Value) -> Result<Response, Refusal> {
        let request = if self.plan_only {
            Request::Preview { change }
        } else {
            Request::Apply {
                change,
                plan: None,
                operation: self.operation,
            }
        };
        match self.ask(request).await? {
            Reply::Began { operation } => Ok(begun(operation, told)),
            Reply::Unchanged {} => {
                let document = json!({ "changed": false, "operation": null });
                Ok(document_of(StatusCode::OK, &document))
            }
            reply @ Reply::Plan(_) => {
                let document = document::of_reply(&reply).ok_or(Refusal::INTERNAL)?;
                Ok(document_of(StatusCode::OK, &document))
            }
            _ => Err(Refusal::INTERNAL),
        }
    }

    /// Where it is not shown in the end, nothing of it is kept.
    async fn install(
        &self,
        hostname: Hostname,
        chain: String,
        key: PrivateKey,
    ) -> Result<Response, Refusal> {
        let deposit = Request::CertificateDeposit {
            hostname: hostname.clone(),
            chain,
            key,
        };
        let Reply::Deposited(deposited) = self.ask(deposit).await? else {
            return Err(Refusal::INTERNAL);
        };
        let fingerprint = deposited.certificate.fingerprint.clone();
        let install = Change::CertificateInstall {
            hostname: hostname.clone(),
            fingerprint: fingerprint.clone(),
            source: Source::Uploaded,
        };
        let outcome = self
            .change(install, json!({ "notes": deposited.notes }))
            .await;
        if self.plan_only || outcome.is_err() {
            let discard = Request::CertificateDiscard {
                hostname,
                fingerprint,
            };
            self.ask(discard).await?;
        }
        outcome
    }
}

/// It has begun, and is followed at its own address.
fn begun(operation: OperationId, told: Value) -> Response {
    let mut document = json!({ "operation": operation });
    if let (Value::Object(fields), Value::Object(told)) = (&mut document, told) {
        fields.extend(told);
    }
    let mut response = document_of(StatusCode::ACCEPTED, &document);
    let address = format!("{PREFIX}operations/{operation}");
    if let Ok(address) = HeaderValue::from_str(&address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    response
}

fn document_of(status: StatusCode, document: &Value) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(document.to_string())
}

/// A request that was turned down, in the words of the command line.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let status = refusal.status();
    let document = match refusal {
        Refusal::Fault(fault) => document::of_fault(fault),
        Refusal::SignedOut => document::of_fault(&unauthenticated()),
        Refusal::Notice(notice) => {
            document::of_fault(&Fault::new(Code::RequestInvalid, notice.title, notice.hint))
        }
    };
    let mut response = document_of(status, &document);
    if status == StatusCode::UNAUTHORIZED {
        let asks = HeaderValue::from_static("Bearer realm=\"lalapanel\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, asks);
    }
    response
}
