//! `lalapanel cert …`: which site shows which certificate, and certificates of one's own.
//!
//! Invariant: a key is read from a file and goes to the agent alone; it is never printed, nor part of a plan.

use clap::Subcommand;
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::change::run as change_site;
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::site::parse;
use crate::cli::{Outcome, cert_dns, cert_order, prompt};
use crate::domain::certificate::{PrivateKey, Source};
use crate::domain::change::Change;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::rpc::certificate_view::{CertificateView, DepositedView};
use crate::rpc::protocol::{Reply, Request};

/// What can be done with certificates.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// All certificates, the one that ends first in front
    List,
    /// What one site shows
    Show {
        /// The site
        hostname: String,
    },
    /// Have a site show a certificate of your own
    Upload {
        /// The site
        hostname: String,
        /// The certificate with its intermediates, PEM; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        chain: String,
        /// Its private key, PEM, without a passphrase
        #[arg(long, value_name = "FILE")]
        key: String,
        /// Print what would change, and change nothing
        #[arg(long)]
        plan: bool,
    },
    /// Get a certificate for a site from an authority, and have the site show it
    Issue {
        /// The site
        hostname: String,
        /// Prove its names in DNS by this way, now and at renewals (`cert dns list`); names with a star need one
        #[arg(long, value_name = "NAME")]
        dns: Option<String>,
        /// From an authority for trying: browsers do not trust it
        #[arg(long)]
        staging: bool,
        /// Print what would happen, and order nothing
        #[arg(long)]
        plan: bool,
    },
    /// Get a new certificate where one is due
    Renew {
        /// The site
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        hostname: Option<String>,
        /// All sites
        #[arg(long)]
        all: bool,
        /// Also where none is due
        #[arg(long)]
        force: bool,
    },
    /// The ways into DNS by which names are proved
    #[command(subcommand)]
    Dns(cert_dns::Verb),
    /// Take a site's certificate away
    Remove {
        /// The site
        hostname: String,
        /// Print what would change, and change nothing
        #[arg(long)]
        plan: bool,
    },
}

/// Runs it.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List => list(agent, output),
        Verb::Show { hostname } => show(parse(hostname)?, agent, output),
        Verb::Upload {
            hostname,
            chain,
            key,
            plan,
        } => {
            let chain = prompt::text_of(chain)?;
            let key = PrivateKey::typed(prompt::text_of(key)?);
            upload(parse(hostname)?, chain, key, *plan, agent, output)
        }
        Verb::Issue {
            hostname,
            dns,
            staging,
            plan,
        } => {
            let hostname = parse(hostname)?;
            let dns = dns.as_deref().map(cert_dns::parse).transpose()?;
            if *plan {
                return cert_order::plan(hostname, *staging, dns, agent, output);
            }
            if let Some(dns) = dns {
                cert_order::prove_in_dns(&hostname, &dns, agent, output)?;
            }
            cert_order::issue(&hostname, *staging, agent, output)
        }
        Verb::Dns(verb) => cert_dns::run(verb, agent, output),
        Verb::Renew {
            hostname, force, ..
        } => {
            let hostname = hostname.as_deref().map(parse).transpose()?;
            cert_order::renew(hostname, *force, agent, output)
        }
        Verb::Remove { hostname, plan } => {
            let hostname = parse(hostname)?;
            change_site(
                &Change::CertificateRemove { hostname },
                *plan,
                None,
                agent,
                output,
            )
        }
    }
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let views = match agent.ask(Request::CertificateList {})? {
        Reply::Certificates(views) => views,
        other => return Err(unexpected(other)),
    };
    output.document(&json!({ "certificates": views }));
    if views.is_empty() {
        output.note(
            "No site has HTTPS yet: `lalapanel cert issue HOSTNAME`, or `cert upload HOSTNAME --chain FILE --key FILE`",
        );
        return Ok(Exit::Done);
    }
    let heading = ["SITE", "SHOWS", "ISSUER", "ENDS", "DAYS LEFT"].map(str::to_owned);
    let mut rows = vec![heading.to_vec()];
    rows.extend(views.iter().map(row));
    for line in table(&rows) {
        output.line(line);
    }
    Ok(Exit::Done)
}

fn row(view: &CertificateView) -> Vec<String> {
    let of = |text: fn(&crate::domain::certificate::Certificate) -> String| {
        view.certificate.as_ref().map_or("-".to_owned(), text)
    };
    vec![
        view.hostname.to_string(),
        view.state.clone(),
        of(|one| one.issuer.clone()),
        of(|one| moment(one.not_after)),
        match view.days_left {
            _ if view.has_ended => "ended".to_owned(),
            Some(days) => days.to_string(),
            None => "-".to_owned(),
        },
    ]
}

fn show(hostname: Hostname, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let view = match agent.ask(Request::CertificateShow { hostname })? {
        Reply::Certificate(view) => *view,
        other => return Err(unexpected(other)),
    };
    output.document(&view);
    let mut rows = vec![
        vec!["site".to_owned(), view.hostname.to_string()],
        vec!["shows".to_owned(), view.state.clone()],
    ];
    if let Some(certificate) = &view.certificate {
        let names: Vec<String> = certificate.names.iter().map(ToString::to_string).collect();
        rows.extend([
            vec!["names".to_owned(), names.join(", ")],
            vec!["issuer".to_owned(), certificate.issuer.clone()],
        ]);
        let authority = view.authority.iter();
        rows.extend(authority.map(|name| vec!["authority".to_owned(), name.clone()]));
        rows.extend([
            vec!["from".to_owned(), moment(certificate.not_before)],
            vec!["until".to_owned(), moment(certificate.not_after)],
            vec!["serial".to_owned(), certificate.serial.clone()],
            vec!["fingerprint".to_owned(), certificate.fingerprint.shown()],
        ]);
    }
    if !view.uncovered.is_empty() {
        let names: Vec<String> = view.uncovered.iter().map(ToString::to_string).collect();
        rows.push(vec!["not covered".to_owned(), names.join(", ")]);
        if let Some(why) = view.needs_dns() {
            rows.push(vec![String::new(), why]);
        }
    }
    let proof = view.dns.as_ref().map(|dns| format!("in DNS, by `{dns}`"));
    rows.extend(proof.map(|proof| vec!["proof".to_owned(), proof]));
    if let Some(order) = &view.order {
        rows.extend(cert_order::rows(order));
    }
    for line in table(&rows) {
        output.line(line);
    }
    Ok(Exit::Done)
}

fn upload(
    hostname: Hostname,
    chain: String,
    key: PrivateKey,
    plan_only: bool,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let deposited = deposit(hostname, chain, key, agent)?;
    for note in &deposited.notes {
        output.note(note);
    }
    let (hostname, fingerprint) = (deposited.hostname, deposited.certificate.fingerprint);
    let install = Change::CertificateInstall {
        hostname: hostname.clone(),
        fingerprint: fingerprint.clone(),
        source: Source::Uploaded,
    };
    let outcome = change_site(&install, plan_only, None, agent, output);
    if plan_only || outcome.is_err() {
        agent.ask(Request::CertificateDiscard {
            hostname,
            fingerprint,
        })?;
    }
    outcome
}

fn deposit(
    hostname: Hostname,
    chain: String,
    key: PrivateKey,
    agent: &mut dyn Ask,
) -> Result<DepositedView, Fault> {
    let request = Request::CertificateDeposit {
        hostname,
        chain,
        key,
    };
    match agent.ask(request)? {
        Reply::Deposited(view) => Ok(*view),
        other => Err(unexpected(other)),
    }
}
