//! `lalapanel cert dns …`: the ways into DNS by which names are proved, among them those with a star.
//!
//! Invariant: a secret is read from a file, from standard input or typed unseen; it is never an argument and never printed.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, table};
use crate::cli::prompt;
use crate::domain::dns::{
    DnsName, DnsServer, KeyFile, RecordName, TsigAlgorithm, UpdateKey, UpdateServer,
};
use crate::domain::dns_way::HookProgram;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::rpc::certificate_view::DnsView;
use crate::rpc::protocol::{Reply, Request};

/// What can be done with ways into DNS.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Have records written by signed updates (RFC 2136, TSIG), as bind and knot take them, or by a program of your own
    Add(Add),
    /// All of them
    List,
    /// Forget one that no site uses
    Remove {
        /// Its name
        name: String,
    },
}

/// A new way.
#[derive(Debug, Args)]
pub struct Add {
    /// Its name here
    pub name: String,
    /// The primary server of the zones: an address or a name, with `:PORT` where it is not 53
    #[arg(long, value_name = "SERVER", required_unless_present = "program")]
    pub server: Option<String>,
    /// A program that is run as `PROGRAM add|remove NAME VALUE`; root alone may be able to change it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["server", "key_file", "key"])]
    pub program: Option<String>,
    /// The key, as `tsig-keygen` prints it, or its secret alone; `-` reads standard input; without it, the secret is asked for
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<String>,
    /// What the server calls the key, where the file does not say so
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
    /// How it signs: hmac-sha256 or hmac-sha512, where the file does not say so
    #[arg(long, value_name = "NAME", default_value = "hmac-sha256")]
    pub algorithm: String,
}

/// Runs one.
pub(super) fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::Add(typed) => add(typed, agent, output),
        Verb::List => list(agent, output),
        Verb::Remove { name } => {
            let name = parse(name)?;
            done(Request::DnsRemove { name: name.clone() }, agent)?;
            output.document(&json!({ "name": name }));
            output.note(format!("the way into DNS {name} is forgotten"));
            Ok(Exit::Done)
        }
    }
}

/// The name of a way.
pub(super) fn parse(text: &str) -> Result<DnsName, Fault> {
    DnsName::parse(text).map_err(|bad| invalid(&bad.to_string(), "write it like bind or dns-1"))
}

fn add(typed: &Add, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let name = parse(&typed.name)?;
    let request = match &typed.program {
        Some(program) => Request::DnsProgram {
            name: name.clone(),
            program: HookProgram::parse(program).map_err(|bad| {
                let hint = "put it where root alone writes, as in /usr/local/sbin/dns-hook";
                invalid(&bad.to_string(), hint)
            })?,
        },
        None => by_updates(&name, typed)?,
    };
    done(request, agent)?;
    output.document(&json!({ "name": name }));
    output.note(format!(
        "names are proved by it with `lalapanel cert issue HOSTNAME --dns {name}`"
    ));
    Ok(Exit::Done)
}

fn by_updates(name: &DnsName, typed: &Add) -> Result<Request, Fault> {
    let server = typed.server.as_deref().unwrap_or_default();
    let server = DnsServer::parse(server).map_err(|bad| {
        invalid(
            &bad.to_string(),
            "write it like 192.0.2.1 or ns1.example.org",
        )
    })?;
    let text = match &typed.key_file {
        Some(file) => prompt::text_of(file)?,
        None => prompt::secret("Secret of the key, in base64: ", "--key-file")?,
    };
    let read = KeyFile::parse(&text).map_err(|bad| {
        let hint = "give a file with what `tsig-keygen -a hmac-sha256 NAME` prints";
        invalid(&format!("The key cannot be used: {bad}"), hint)
    })?;
    let key = match read.key {
        Some(key) => key,
        None => typed_key(typed)?,
    };
    let server = UpdateServer {
        server,
        key,
        secret: read.secret,
    };
    Ok(Request::DnsPut {
        name: name.clone(),
        server,
    })
}

fn typed_key(typed: &Add) -> Result<UpdateKey, Fault> {
    let Some(name) = &typed.key else {
        let hint = "add `--key NAME`, with the name that the server gives it";
        return Err(invalid("The name of the key is not known", hint));
    };
    let name = RecordName::parse(name)
        .map_err(|bad| invalid(&bad.to_string(), "write it like lala-key"))?;
    let algorithm = TsigAlgorithm::named(&typed.algorithm).ok_or_else(|| {
        let title = format!("`{}` is no algorithm that is used here", typed.algorithm);
        invalid(&title, "use hmac-sha256 or hmac-sha512")
    })?;
    Ok(UpdateKey { name, algorithm })
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let views = match agent.ask(Request::DnsList {})? {
        Reply::Dns(views) => views,
        other => return Err(unexpected(other)),
    };
    output.document(&json!({ "dns": views }));
    if views.is_empty() {
        output.note(
            "No way into DNS yet: `lalapanel cert dns add NAME --server SERVER --key-file FILE`",
        );
        return Ok(Exit::Done);
    }
    let heading = ["NAME", "SERVER OR PROGRAM", "KEY", "ALGORITHM", "SITES"].map(str::to_owned);
    let mut rows = vec![heading.to_vec()];
    rows.extend(views.iter().map(|view| {
        let key = |text: fn(&UpdateKey) -> String| view.key.as_ref().map_or("-".to_owned(), text);
        let sites: Vec<&str> = view.sites.iter().map(Hostname::as_str).collect();
        vec![
            view.name.to_string(),
            place(view),
            key(|key| key.name.to_string()),
            key(|key| key.algorithm.word().to_owned()),
            sites.join(", "),
        ]
    }));
    for line in table(&rows) {
        output.line(line);
    }
    Ok(Exit::Done)
}

/// The server, or the program.
fn place(view: &DnsView) -> String {
    let server = view.server.as_ref().map(ToString::to_string);
    let program = view.program.as_ref().map(ToString::to_string);
    server.or(program).unwrap_or_default()
}

fn done(request: Request, agent: &mut dyn Ask) -> Result<(), Fault> {
    match agent.ask(request)? {
        Reply::Done {} => Ok(()),
        other => Err(unexpected(other)),
    }
}

fn invalid(title: &str, hint: &str) -> Fault {
    Fault::new(Code::DnsInvalid, title, hint)
}
