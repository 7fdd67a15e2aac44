//! `lalapanel install`: look, refuse, show, do, wait, let in.
//!
//! Invariant: run again after whatever happened, it goes on where it stopped and ends with the same host.

use std::sync::Arc;

use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::linux::LinuxHost;
use crate::host::{Host, Node};
use crate::install::account;
use crate::install::console::Console;
use crate::install::facts::{self, InstallFacts};
use crate::install::follow;
use crate::install::journal::{self, Journal};
use crate::install::missing;
use crate::install::options::InstallOptions;
use crate::install::plan;
use crate::install::preflight;
use crate::install::report::{Installed, Report};
use crate::install::wanted::Wanted;
use crate::ops::act::must;
use crate::ops::engine::Outcome;
use crate::ops::plan::Plan;
use crate::ops::step::Step;
use crate::ops::view;
use crate::render;
use crate::store::OperationRecord;
use crate::system::config::{self, Config};
use crate::system::panel_certificate;
use crate::system::service::{self, Verb};

/// Installs the panel on this machine.
pub fn run(options: &InstallOptions, console: &mut dyn Console) -> Result<Report, Fault> {
    let host = this_host()?;
    let options = options.clone().complete(host.as_ref())?;
    if options.plan {
        return planned(&host, &options);
    }
    let began = host.now();
    let resumed = facts::is_root(host.as_ref())? && go_on(&host, console)?;
    // Only now: what was interrupted may have been in the way of looking.
    let (facts, wanted) = look(host.as_ref(), &options)?;
    if let Some(file) = &options.admin_password_file {
        account::password(host.as_ref(), file)?;
    }
    let plan = plan_of(host.as_ref(), &wanted, &facts)?;
    let done = if plan.steps.is_empty() {
        None
    } else {
        consent(&plan, &options, console)?;
        Some(carry_out(&host, plan, console)?)
    };
    let plan = done.as_ref().map(|record| &record.plan);
    let steps = plan.map_or(0, |plan| plan.steps.len());
    let restarted = renew(host.as_ref(), facts.services, plan)?;
    let mut client = account::wait(host.as_ref())?;
    let entrance = account::open(host.as_ref(), &mut client, &options)?;
    Ok(Report::Installed(Box::new(Installed {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        changed: resumed || done.is_some() || restarted,
        url: url(&wanted, &facts),
        fingerprint: fingerprint(host.as_ref())?,
        link: entrance.link.as_ref().map(|(url, _)| url.clone()),
        link_expires: entrance.link.map(|(_, expires)| expires),
        account: entrance.account,
        operation: done.as_ref().map(|record| record.id),
        steps,
        seconds: host.now().millis_since(began) / 1000,
        notes: entrance.note.into_iter().collect(),
    })))
}

/// The machine, by a process outside every sandbox.
pub(super) fn this_host() -> Result<Arc<dyn Host>, Fault> {
    let host = LinuxHost::system(false).map_err(|error| {
        Fault::new(
            Code::HostFailed,
            "the machine could not be looked at",
            "run it as root on the server itself",
        )
        .detail(error.to_string())
    })?;
    Ok(Arc::new(host))
}

/// Looks, and refuses where something is in the way.
fn look(host: &dyn Host, options: &InstallOptions) -> Result<(InstallFacts, Wanted), Fault> {
    let facts = facts::gather(host, options)?;
    let configured = Config::read(host)?;
    let wanted = Wanted::new(options, &configured, facts.distribution);
    match preflight::joined(preflight::refusals(&wanted, &facts)) {
        Some(fault) => Err(fault),
        None => Ok((facts, wanted)),
    }
}

fn planned(host: &Arc<dyn Host>, options: &InstallOptions) -> Result<Report, Fault> {
    let plan = plan_for(host.as_ref(), options)?;
    Ok(Report::Planned(Box::new(view::plan(&plan, host.as_ref()))))
}

/// What installing would do on this host now.
pub fn plan_for(host: &dyn Host, options: &InstallOptions) -> Result<Plan, Fault> {
    let (facts, wanted) = look(host, options)?;
    plan_of(host, &wanted, &facts)
}

/// What is not so yet.
fn plan_of(host: &dyn Host, wanted: &Wanted, facts: &InstallFacts) -> Result<Plan, Fault> {
    let steps = missing::steps(host, plan::parts(wanted, facts))?;
    let mut plan = Plan::new("Install Lala Panel", journal::INSTALL).steps(steps);
    let resolver = host.read(&HostPath::fixed("/etc/resolv.conf"), 64 * 1024);
    let names = resolver.unwrap_or_default();
    if !facts.to_install().is_empty() && !String::from_utf8_lossy(&names).contains("nameserver") {
        plan = plan.note("`/etc/resolv.conf` names no name server: apt may not find its packages");
    }
    if facts
        .nginx
        .as_ref()
        .is_some_and(|found| !found.globals.default_on_80 || !found.globals.default_on_80_v6)
    {
        plan =
            plan.note("nginx serves other sites already: unknown names stay with them on port 80");
    }
    if !facts.mariadb_is_fresh && !facts.mariadb_has_options {
        plan = plan.note("MariaDB holds databases already: its options stay as they are");
    }
    Ok(match order(wanted) {
        Some(note) => plan.note(note),
        None => plan,
    })
}

/// Of whom the panel will ask a certificate for its own name: whoever agrees to the plan agrees to that.
fn order(wanted: &Wanted) -> Option<String> {
    let name = wanted.config.panel.hostname.as_ref()?;
    let authority = match &wanted.config.acme.directory {
        Some(directory) => format!("the authority at {directory}"),
        None if name.is_public() => "Let's Encrypt".to_owned(),
        None => return None,
    };
    Some(format!(
        "the panel will get a certificate for {name} from {authority}; by that you agree to its terms"
    ))
}

/// Takes up what a crash left; tells whether there was anything.
fn go_on(host: &Arc<dyn Host>, console: &mut dyn Console) -> Result<bool, Fault> {
    let Some(journal) = Journal::existing(host)? else {
        return Ok(false);
    };
    let unfinished = journal.unfinished()?;
    for id in &unfinished {
        let outcome = follow::take_up(&journal, *id, console)?;
        if let Some(fault) = fault_of(outcome) {
            journal.drop_if_empty()?;
            return Err(fault);
        }
    }
    // A crash before the first entry leaves a journal of nothing; it will be needed at once.
    Ok(!unfinished.is_empty())
}

fn consent(plan: &Plan, options: &InstallOptions, console: &mut dyn Console) -> Result<(), Fault> {
    if options.yes {
        return Ok(());
    }
    let shown = plan.steps.iter().filter(|step| !step.step.is_for_undoing());
    for (index, step) in shown.enumerate() {
        console.say(&format!("{:>3}. {}", index + 1, step.title));
    }
    for note in &plan.notes {
        console.say(&format!("note: {note}"));
    }
    match console.ask("Change this server so?") {
        Some(true) => Ok(()),
        answer => Err(unconfirmed(answer, "lalapanel install --plan")),
    }
}

/// Nobody said yes.
pub(super) fn unconfirmed(answer: Option<bool>, show: &str) -> Fault {
    let title = match answer {
        Some(_) => "nothing was changed, as you said no",
        None => "nobody is at a terminal to say yes",
    };
    Fault::new(
        Code::RequestInvalid,
        title,
        format!("give `--yes` to go ahead without a question; `{show}` shows what would be done"),
    )
}

fn carry_out(
    host: &Arc<dyn Host>,
    plan: Plan,
    console: &mut dyn Console,
) -> Result<OperationRecord<Plan>, Fault> {
    let journal = Journal::open(host)?;
    let record = journal.begin(plan)?;
    match fault_of(follow::run(&journal, &record, console)?) {
        None => Ok(record),
        Some(fault) => {
            journal.drop_if_empty()?;
            Err(fault)
        }
    }
}

/// The fault an operation of the journal ended with.
pub(super) fn fault_of(outcome: Outcome) -> Option<Fault> {
    match outcome {
        Outcome::Done => None,
        // The journal of installing is not the agent's: its operations cannot be asked for by their id.
        Outcome::Undone(fault) => Some(Fault {
            operation: None,
            ..fault
        }),
        Outcome::Stuck(fault) => Some(Fault {
            hint: "mend what is named, then run the same command again".to_owned(),
            operation: None,
            ..fault
        }),
    }
}

/// Starts the panel's processes anew where they still run an older program or older units.
fn renew(host: &dyn Host, services: ServiceManager, done: Option<&Plan>) -> Result<bool, Fault> {
    let ours: Vec<HostPath> = render::panel::services(services, 0)
        .into_iter()
        .map(|file| file.path)
        .chain([config::file()])
        .collect();
    let is_first = done.is_some_and(|plan| plan.steps.iter().any(starts_agent));
    let changed = done.is_some_and(|plan| {
        plan.steps.iter().any(|planned| match &planned.step {
            Step::WriteFile { path, .. } => ours.contains(path),
            Step::PlaceProgram { .. } => true,
            _ => false,
        })
    });
    if !is_outdated(host, services)? && (is_first || !changed) {
        return Ok(false);
    }
    let units = match services {
        ServiceManager::Systemd => [
            render::panel::AGENT_UNIT,
            render::panel::SOCKET_UNIT,
            render::panel::WEB_UNIT,
        ]
        .as_slice(),
        ServiceManager::Sysv => &["lalapanel"],
    };
    let stop = units.iter().rev().map(|unit| (Verb::Stop, *unit));
    let start = units.iter().map(|unit| (Verb::Start, *unit));
    for (verb, unit) in stop.chain(start) {
        for command in service::commands(services, verb, unit) {
            must(host, &command)?;
        }
    }
    Ok(true)
}

fn starts_agent(planned: &crate::ops::plan::PlannedStep) -> bool {
    matches!(&planned.step, Step::Service { unit, .. } if unit == render::panel::AGENT_UNIT || unit == "lalapanel")
}

/// The kernel says ` (deleted)` of a program that was replaced while it runs (proc(5)).
fn is_outdated(host: &dyn Host, services: ServiceManager) -> Result<bool, Fault> {
    let pid = match services {
        ServiceManager::Systemd => {
            let arguments = [
                "show",
                "--property=MainPID",
                "--value",
                "--",
                render::panel::AGENT_UNIT,
            ];
            let output = host.run(&Command::new(Program::Systemctl, arguments));
            output?.stdout
        }
        ServiceManager::Sysv => {
            let bytes = host.read(&HostPath::fixed("/run/lalapanel/agent.pid"), 64);
            String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
        }
    };
    let path = HostPath::fixed("/proc").join(pid.trim()).join("exe");
    let program = host.stat(&path).ok().flatten().map(|meta| meta.node);
    Ok(matches!(program, Some(Node::Link { target }) if target.ends_with(" (deleted)")))
}

fn fingerprint(host: &dyn Host) -> Result<String, Fault> {
    let unreadable = |detail: String| {
        Fault::new(
            Code::HostFailed,
            "the panel's certificate could not be read",
            "run `lalapanel install` again; it makes a missing certificate anew",
        )
        .detail(detail)
    };
    let pem = panel_certificate::shown(host).map_err(|error| unreadable(error.to_string()))?;
    panel_certificate::fingerprint(&pem).map_err(|error| unreadable(error.to_string()))
}

fn url(wanted: &Wanted, facts: &InstallFacts) -> String {
    let port = wanted.config.panel.port;
    let address = facts.addresses.first().map(|address| match address {
        std::net::IpAddr::V4(address) => address.to_string(),
        std::net::IpAddr::V6(address) => format!("[{address}]"),
    });
    let name = wanted
        .config
        .panel
        .hostname
        .as_ref()
        .map(ToString::to_string);
    let host = name.or(address).unwrap_or_else(|| "localhost".to_owned());
    format!("https://{host}:{port}")
}

/// Whether anything of the panel is on this host.
pub(super) fn is_here(host: &dyn Host) -> Result<bool, Fault> {
    let exists = |path: &HostPath| host.stat(path).map(|meta| meta.is_some());
    let found = facts::is_installed(host).and_then(|units| Ok(units || exists(&journal::file())?));
    found.map_err(Fault::from)
}
