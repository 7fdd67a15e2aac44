//! The ways into DNS: what there is, another one, and the end of one.
//!
//! Invariant: a secret that was sent goes on to the agent and is gone; no page or form ever holds it again.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::dns::{
    DnsName, DnsServer, KeyFile, RecordName, TsigAlgorithm, UpdateKey, UpdateServer,
};
use crate::domain::text::shown;
use crate::rpc::certificate_view::DnsView;
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::{ICONS, Problem, Section, html, problem_at, see_other};
use crate::web::refusal::Refusal;
use crate::web::visit::{Visit, unexpected};

const PAGE: &str = "/certificates/dns";

#[derive(Template)]
#[template(path = "pages/dns.html.stpl")]
struct Sheet {
    ways: Vec<DnsView>,
    /// What was typed, but the secret.
    name: String,
    server: String,
    key: String,
    algorithm: TsigAlgorithm,
    token: String,
    problems: Vec<Problem>,
}

/// `/certificates/dns`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    if !visit.posted {
        return sheet(&visit, Vec::new()).await;
    }
    match typed(&visit) {
        Ok((name, server)) => done(&visit, Request::DnsPut { name, server }).await,
        Err(problems) => sheet(&visit, problems).await,
    }
}

/// `POST /certificates/dns/{name}/remove`.
pub(in crate::web) async fn remove(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let name = visit.part(0).and_then(|name| DnsName::parse(name).ok());
    let name = name.ok_or(Refusal::NOT_FOUND)?;
    done(&visit, Request::DnsRemove { name }).await
}

async fn done(visit: &Visit, request: Request) -> Result<Response, Refusal> {
    match visit.ask(request).await? {
        Reply::Done {} => Ok(see_other(PAGE)),
        _ => Err(unexpected()),
    }
}

fn typed(visit: &Visit) -> Result<(DnsName, UpdateServer), Vec<Problem>> {
    let text = |field: &str| visit.form.text(field).trim().to_owned();
    let mut problems = Vec::new();
    let mut note = |field: &'static str, why: String| {
        problems.push(Problem { field, text: why });
    };
    let name = DnsName::parse(&text("name"));
    if let Err(bad) = &name {
        note(
            "name",
            format!("A name is missing here, or cannot be one: {bad}"),
        );
    }
    let server = DnsServer::parse(&text("server"));
    if let Err(bad) = &server {
        note("server", format!("A server is missing here: {bad}"));
    }
    let read = KeyFile::parse(visit.form.raw("secret"));
    if let Err(bad) = &read {
        note("secret", format!("The key cannot be used: {bad}"));
    }
    // What a key file says itself goes before what was typed.
    let own = read.as_ref().ok().and_then(|read| read.key.clone());
    let key = match own {
        Some(key) => Some(key),
        None => RecordName::parse(&text("key")).ok().map(|name| UpdateKey {
            name,
            algorithm: TsigAlgorithm::named(&text("algorithm")).unwrap_or_default(),
        }),
    };
    if key.is_none() && read.is_ok() {
        let why = "The name of the key is missing here, as the server knows it";
        note("key", why.to_owned());
    }
    match (name, server, read, key) {
        (Ok(name), Ok(server), Ok(read), Some(key)) => {
            let secret = read.secret;
            let server = UpdateServer {
                server,
                key,
                secret,
            };
            Ok((name, server))
        }
        _ => Err(problems),
    }
}

async fn sheet(visit: &Visit, problems: Vec<Problem>) -> Result<Response, Refusal> {
    let Reply::Dns(ways) = visit.ask(Request::DnsList {}).await? else {
        return Err(unexpected());
    };
    let mut frame = visit.frame("Ways into DNS", Section::Certificates).await;
    frame.command = Some("lalapanel cert dns list".to_owned());
    let text = |field| shown(visit.form.text(field), 255);
    let body = Sheet {
        ways,
        name: text("name"),
        server: text("server"),
        key: text("key"),
        algorithm: TsigAlgorithm::named(&text("algorithm")).unwrap_or_default(),
        token: frame.token.clone(),
        problems,
    };
    let status = if body.problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(html(status, &frame, &body))
}
