//! `lalapanel cert issue` and `cert renew`: begin an order, and watch it to its end.
//!
//! Invariant: what is printed is what the agent remembers of the order; an order goes on whether anybody watches or not.

use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment};
use crate::cli::{Outcome, follow, plan};
use crate::domain::authority::DirectoryUrl;
use crate::domain::change::Change;
use crate::domain::dns::DnsName;
use crate::domain::fault::{Code, Fault};
use crate::domain::issuance::Attempt;
use crate::domain::name::Hostname;
use crate::domain::setting::Assignment;
use crate::rpc::certificate_view::CertificateView;
use crate::rpc::issuance::IssuanceView;
use crate::rpc::protocol::{Reply, Request};

/// Longer than an order and its installation may take, in looks.
const MOST_LOOKS: u32 = 3000;

/// `cert issue H [--staging]`.
pub(super) fn issue(
    hostname: &Hostname,
    staging: bool,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let request = Request::CertificateIssue {
        hostname: hostname.clone(),
        staging,
    };
    match agent.ask(request)? {
        Reply::Done {} => {}
        other => return Err(unexpected(other)),
    }
    let view = watched(hostname, agent)?;
    told(&[view], output)
}

/// `cert issue H --plan`.
pub(super) fn plan(
    hostname: Hostname,
    staging: bool,
    dns: Option<DnsName>,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let request = Request::CertificatePlan {
        hostname,
        staging,
        dns,
    };
    match agent.ask(request)? {
        Reply::Plan(view) => plan::print(&view, output),
        other => return Err(unexpected(other)),
    }
    Ok(Exit::Done)
}

/// `cert issue H --dns NAME`: the site's names are proved by it from now on.
pub(super) fn prove_in_dns(
    hostname: &Hostname,
    dns: &DnsName,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Result<(), Fault> {
    match agent.ask(Request::DnsList {})? {
        Reply::Dns(views) if views.iter().any(|view| view.name == *dns) => {}
        Reply::Dns(_) => return Err(unknown(dns)),
        other => return Err(unexpected(other)),
    }
    let value = Assignment::new("tls.dns", dns.as_str()).map_err(|_| unknown(dns))?;
    let request = Request::Apply {
        change: Change::SiteSet {
            hostname: hostname.clone(),
            values: vec![value],
        },
        plan: None,
        operation: None,
    };
    match agent.ask(request)? {
        Reply::Began { operation } => follow::follow(operation, agent, output).map(|_| ()),
        Reply::Unchanged {} => Ok(()),
        other => Err(unexpected(other)),
    }
}

fn unknown(dns: &DnsName) -> Fault {
    Fault::new(
        Code::DnsUnknown,
        format!("There is no way into DNS that is called `{dns}`"),
        "see `lalapanel cert dns list`, or add it with `lalapanel cert dns add`",
    )
}

/// `cert renew H|--all [--force]`.
pub(super) fn renew(
    hostname: Option<Hostname>,
    force: bool,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let begun = match agent.ask(Request::CertificateRenew { hostname, force })? {
        Reply::Issuing(begun) => begun,
        other => return Err(unexpected(other)),
    };
    if begun.is_empty() {
        output.note("Nothing is due: `--force` renews all the same");
    }
    let mut views = Vec::new();
    for hostname in &begun {
        views.push(watched(hostname, agent)?);
    }
    told(&views, output)
}

fn watched(hostname: &Hostname, agent: &mut dyn Ask) -> Result<CertificateView, Fault> {
    let mut looks = 0;
    loop {
        let request = Request::CertificateShow {
            hostname: hostname.clone(),
        };
        let view = match agent.ask(request)? {
            Reply::Certificate(view) => *view,
            other => return Err(unexpected(other)),
        };
        let is_running = view.order.as_ref().is_some_and(|order| order.running);
        looks += 1;
        if !is_running || looks >= MOST_LOOKS {
            return Ok(view);
        }
        agent.pause();
    }
}

fn told(views: &[CertificateView], output: &mut Output) -> Outcome {
    let orders = views.iter().filter_map(|view| {
        let order = view.order.as_ref()?;
        Some((&view.hostname, order, order.last.as_ref()?))
    });
    let mut failed = None;
    for (hostname, order, last) in orders {
        for one in &last.moments {
            output.note(format!("{:>6.1} s  {}", seconds(one.after), one.what));
        }
        match &last.failure {
            Some(fault) => failed = failed.or_else(|| Some(fault.clone())),
            None => output.line(ending(hostname, order, last)),
        }
    }
    if let Some(fault) = failed {
        return Err(fault);
    }
    output.document(&json!({ "certificates": views }));
    Ok(Exit::Done)
}

/// What `cert show` says of it.
pub(super) fn rows(order: &IssuanceView) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    if let Some(last) = &order.last {
        let how = match &last.failure {
            None => "went well".to_owned(),
            Some(fault) => format!("failed: {}; {}", fault.title, fault.hint),
        };
        rows.push(vec![
            "last order".to_owned(),
            format!("{}, {how}", moment(last.began)),
        ]);
    }
    if order.running {
        rows.push(vec!["next order".to_owned(), "running".to_owned()]);
    } else if let Some(next) = order.next {
        rows.push(vec!["next order".to_owned(), moment(next)]);
    }
    rows
}

fn ending(hostname: &Hostname, order: &IssuanceView, last: &Attempt) -> String {
    let authority = last.authority.as_ref().map_or("-", DirectoryUrl::name);
    if last.installed {
        let next = order.next.map_or("-".to_owned(), moment);
        format!("{hostname} has a certificate of {authority}; it is renewed on {next}")
    } else {
        format!("{authority} would issue a certificate for {hostname}; the one in use stays")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "some minutes, shown to a tenth of a second"
)]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}
