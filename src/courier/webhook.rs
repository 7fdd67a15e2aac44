//! Tells an address that programs listen at.
//!
//! Invariant: it is asked by HTTPS, no redirect is followed, and of the answer nothing but its number is read.

use std::time::Duration;

use crate::acme::transport::{self, OneHost};
use crate::domain::fault::{Code, Fault};
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::text::shown;
use crate::rpc::courier::{Report, Return, Webhook};

/// For all of it.
const WITHIN: Duration = Duration::from_secs(20);

/// Tells it.
pub(super) async fn tell(webhook: &Webhook) -> Return {
    let host = webhook.url.host();
    let told = |problem: &Problem| unsent(host, problem);
    let roots = webhook.roots.as_deref();
    let builder = transport::builder(roots, "notify.webhook_ca_file", OneHost::of(host));
    let client = builder.map_err(|problem| told(&problem))?.timeout(WITHIN);
    let client = client.build();
    let client = client.map_err(|error| told(&transport::problem(&error)))?;
    let mut request = client
        .post(webhook.url.as_str())
        .header("Content-Type", "application/json")
        .header("X-Lalapanel-Timestamp", webhook.time.to_string())
        .body(webhook.body.clone());
    if let Some(signature) = &webhook.signature {
        request = request.header("X-Lalapanel-Signature", format!("sha256={signature}"));
    }
    let answer = request.send().await;
    let status = answer
        .map_err(|error| told(&transport::problem(&error)))?
        .status();
    if status.is_success() {
        return Ok(Report::Delivered {
            answer: status.to_string(),
        });
    }
    Err(Fault::new(
        Code::NotifyUnsent,
        format!("`{host}` does not take it: it answered with status {status}"),
        "see `webhook_url` in section `[notify]` of `/etc/lalapanel/config.toml`, and the logs there",
    ))
}

fn unsent(host: &str, problem: &Problem) -> Fault {
    let (title, hint) = if problem.kind == ProblemKind::Untrusted {
        (
            format!("The certificate of `{host}` is not trusted"),
            "where it is of an authority of your own, name that in `webhook_ca_file`",
        )
    } else {
        (
            format!("`{host}` cannot be reached"),
            "see whether it runs, and whether this server reaches it",
        )
    };
    Fault::new(Code::NotifyUnsent, title, hint).detail(shown(&problem.detail, 300))
}
