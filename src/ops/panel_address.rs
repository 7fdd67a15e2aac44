//! Settings of the panel itself. A new address is tried beside the former one, and goes back by itself unless somebody keeps it.
//!
//! Invariant: while an address is tried, the former one works as before; whatever fails, it is the one that is left.

use crate::domain::change::Change;
use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::panel_setting::{
    PanelAddress, PanelPort, PanelSetting, TRIAL_SECONDS, Trial, TrialVerb,
};
use crate::host::Host;
use crate::ops::panel_notify;
use crate::ops::panel_step::PanelStep;
use crate::ops::plan::Plan;
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::ops::step::{ServiceAct, Step, When};
use crate::render;
use crate::system::config::Config;
use crate::system::{self, panel_trial, ports};

/// What a plan for the panel's settings is made of.
struct PanelFacts {
    services: ServiceManager,
    config: Config,
    trial: Option<Trial>,
    /// Who has the port that is wanted.
    taken_by: Option<String>,
}

/// Looks at the panel, and at the port that is wanted.
fn look(host: &dyn Host, values: &[PanelSetting]) -> Result<PanelFacts, Fault> {
    let config = Config::read(host)?;
    panel_notify::refuse(host, values, &config)?;
    let wanted = values.iter().find_map(|value| match value {
        PanelSetting::Port(port) if port.number() != config.panel.port => Some(port.number()),
        _ => None,
    });
    let taken = wanted.filter(|port| ports::is_taken(host, *port));
    let taken_by = taken.map(|port| {
        let names = ports::listeners(host, port);
        names.into_iter().next().unwrap_or("another program".into())
    });
    Ok(PanelFacts {
        services: system::service::manager(host)?,
        config,
        trial: panel_trial::now(host)?,
        taken_by,
    })
}

impl PanelFacts {
    fn address(&self) -> Result<PanelAddress, Fault> {
        Ok(PanelAddress {
            hostname: self.config.panel.hostname.clone(),
            port: port(self.config.panel.port)?,
        })
    }
}

/// What was set by hand before there was this check.
fn port(number: u16) -> Result<PanelPort, Fault> {
    PanelPort::try_from(number).map_err(|bad| {
        let hint = "mend `port` in `/etc/lalapanel/config.toml`, then restart the panel";
        Fault::new(Code::ConfigInvalid, bad.to_string(), hint)
    })
}

/// Plans what is asked of the panel itself; `None` where it is so already.
pub fn plan(host: &dyn Host, change: &Change, state: &State) -> Result<Option<Plan>, Fault> {
    match change {
        Change::PanelSet { values } => set(values, state, &look(host, values)?),
        Change::PanelTrial { verb } => decide(*verb, &look(host, &[])?).map(Some),
        // The caller hands in no other.
        _ => Ok(None),
    }
}

/// Plans new values; `None` where all of them are so already.
fn set(values: &[PanelSetting], state: &State, facts: &PanelFacts) -> Result<Option<Plan>, Fault> {
    let is_new = |value: &&PanelSetting| facts.config.value(value) != **value;
    let (address, plain): (Vec<_>, Vec<_>) = values
        .iter()
        .filter(is_new)
        .cloned()
        .partition(PanelSetting::is_of_the_address);
    if address.is_empty() && plain.is_empty() {
        return Ok(None);
    }
    let mut steps = Steps::default();
    if !plain.is_empty() {
        let keys: Vec<&str> = plain.iter().map(PanelSetting::key).collect();
        let title = format!("Change {}", keys.join(", "));
        panel_notify::keep_secrets(&mut steps, &plain);
        steps.add(title, Step::Panel(PanelStep::Set { values: plain }));
    }
    let mut notes = Vec::new();
    if !address.is_empty() {
        let from = facts.address()?;
        let to = changed(&from, &address);
        refuse(&to, state, facts)?;
        notes.push(format!(
            "The new address is tried for {TRIAL_SECONDS} seconds beside the one of now. Open {} and keep it there, or it goes back by itself.",
            url(&to)
        ));
        if from.port != to.port {
            notes.push(format!(
                "Where a firewall stands before this server, port {} has to be open in it.",
                to.port.number()
            ));
        }
        let title = format!("Try {}", url(&to));
        let begin = Step::Panel(PanelStep::Try {
            from: from.clone(),
            to: to.clone(),
        });
        let held = [from.port, to.port];
        open(&mut steps, &[from.port], &held, (title, begin), to.port);
    }
    let plan = Plan::new("Change the panel's settings", "settings set");
    Ok(Some(plan.steps(steps.into_list()).notes(notes)))
}

fn changed(from: &PanelAddress, values: &[PanelSetting]) -> PanelAddress {
    let mut to = from.clone();
    for value in values {
        match value {
            PanelSetting::Hostname(hostname) => to.hostname.clone_from(hostname),
            PanelSetting::Port(port) => to.port = *port,
            PanelSetting::Email(_)
            | PanelSetting::Directory(_)
            | PanelSetting::FallbackDirectory(_)
            | PanelSetting::FallbackAfter(_)
            | PanelSetting::TrustedProxies(_)
            | PanelSetting::Notify(_) => {}
        }
    }
    to
}

fn refuse(to: &PanelAddress, state: &State, facts: &PanelFacts) -> Result<(), Fault> {
    let refused = |code, title: String, hint: String| Err(Fault::new(code, title, hint));
    if facts.services == ServiceManager::Sysv {
        return refused(
            Code::ServiceRefused,
            "without systemd a new address cannot be tried beside the one of now".to_owned(),
            "write it into `/etc/lalapanel/config.toml`, then `service lalapanel restart`"
                .to_owned(),
        );
    }
    if let Some(trial) = &facts.trial {
        return refused(
            Code::SettingInvalid,
            format!("{} is being tried", url(&trial.to)),
            "keep it or put the former one back first: `lalapanel settings keep`, `lalapanel settings back`".to_owned(),
        );
    }
    if let Some(name) = &facts.taken_by {
        return refused(
            Code::PortTaken,
            format!("port {} is taken by {name}", to.port.number()),
            "choose another port".to_owned(),
        );
    }
    match to.hostname.as_ref().and_then(|name| state.serving(name)) {
        Some(site) => refused(
            Code::HostnameTaken,
            format!("the site {} answers to this name", site.hostname),
            "choose a name of the panel's own, as in panel.example".to_owned(),
        ),
        None => Ok(()),
    }
}

/// What becomes of the address that is tried.
fn decide(verb: TrialVerb, facts: &PanelFacts) -> Result<Plan, Fault> {
    let Some(trial) = &facts.trial else {
        return Err(panel_trial::none());
    };
    let held = [trial.from.port, trial.to.port];
    let mut steps = Steps::default();
    let end = Step::RemoveFile {
        path: panel_trial::file(),
    };
    let title = match verb {
        TrialVerb::Longer => {
            let longer = Step::Panel(PanelStep::TryLonger {});
            steps.add("Try it for five minutes from now", longer);
            format!("Try {} for longer", url(&trial.to))
        }
        TrialVerb::Keep => {
            let values = vec![
                PanelSetting::Hostname(trial.to.hostname.clone()),
                PanelSetting::Port(trial.to.port),
            ];
            let write = Step::Panel(PanelStep::Set { values });
            steps.add("Write it into the settings", write);
            let end = ("End the trial".to_owned(), end);
            open(&mut steps, &held, &[trial.to.port], end, trial.to.port);
            format!("Keep {}", url(&trial.to))
        }
        TrialVerb::Back => {
            let end = ("End the trial".to_owned(), end);
            open(&mut steps, &held, &[trial.from.port], end, trial.from.port);
            format!("Put {} back", url(&trial.from))
        }
    };
    let change = format!("settings {}", verb.word());
    Ok(Plan::new(title, change).steps(steps.into_list()))
}

/// Has the panel answer on other ports, or to another name: the web process asks which when it starts.
fn open(
    steps: &mut Steps,
    before: &[PanelPort],
    after: &[PanelPort],
    trial: (String, Step),
    seen_at: PanelPort,
) {
    let unique = |ports: &[PanelPort]| -> Vec<u16> {
        let mut numbers: Vec<u16> = ports.iter().map(|port| port.number()).collect();
        numbers.dedup();
        numbers
    };
    let (before, after) = (unique(before), unique(after));
    let of = |unit: &str, act| Step::Service {
        services: ServiceManager::Systemd,
        unit: unit.to_owned(),
        act,
    };
    let moves = before != after;
    let unit = if moves {
        render::panel::SOCKET_UNIT
    } else {
        render::panel::WEB_UNIT
    };
    let back = of(unit, ServiceAct::RestartOnUndo);
    steps.add("Restart the panel's page if this is undone", back);
    if moves {
        let file = render::panel::socket(&after);
        let undoing = When::Undoing;
        let read = "Have systemd read its units again";
        steps
            .add("See that the port is held", of(unit, ServiceAct::Start))
            .add(read, Step::ReloadUnits { when: undoing })
            .root_file("Write which ports are held", &file.path, file.text);
    }
    let (title, step) = trial;
    steps.add(title, step);
    if moves {
        let when = When::Forward;
        steps.add("Have systemd read its units", Step::ReloadUnits { when });
    }
    steps
        .add("Restart the panel's page", of(unit, ServiceAct::Renew))
        .add(
            format!("See that the panel answers on port {}", seen_at.number()),
            Step::Panel(PanelStep::Await { port: seen_at }),
        );
}

/// The address as a browser takes it.
fn url(address: &PanelAddress) -> String {
    let name = address
        .hostname
        .as_ref()
        .map_or("ADDRESS", Hostname::as_str);
    format!("https://{name}:{}", address.port.number())
}
