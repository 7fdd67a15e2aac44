//! Clone a site: its settings and a copy of its files under a new name, for a user and a number of its own.
//!
//! Invariant: the original is only read, and by its own user; a clone that would work on the original's data is made offline.

use crate::domain::database::DatabaseName;
use crate::domain::facts::{CopyFacts, Facts, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::site::{Site, SiteKind};
use crate::domain::time::Timestamp;
use crate::domain::tls::TlsMode;
use crate::domain::tree_size::bytes;
use crate::host::Host;
use crate::host::job::SiteTree;
use crate::ops::plan::Plan;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::{Step, When};
use crate::ops::{
    database, database_clone, jobs, names, refuse, site_create, site_logs, site_snippet, site_tls,
    site_update,
};
use crate::render;
use crate::store::Effect;

/// From here on people are told that everything else waits.
const LONG: u64 = 500_000_000;

/// Counts what is there to be copied, and looks how much room there is.
pub(super) fn look(
    host: &dyn Host,
    old: &Site,
    databases: bool,
    state: &State,
) -> Result<CopyFacts, Fault> {
    let space = host.space(&old.root())?;
    let mut copy = CopyFacts {
        size: jobs::measure(host, &tree(old))?,
        free: space.free,
        inodes: space.inodes,
        databases: Vec::new(),
        database_room: 0,
    };
    if databases {
        copy.databases = database_clone::look(host, old, state)?;
        copy.database_room = database_clone::room(host)?;
        database_clone::refuse(old, &copy)?;
    }
    Ok(copy)
}

/// Plans it.
pub fn plan(
    hostname: &Hostname,
    name: &Hostname,
    state: &State,
    facts: &Facts,
    copy: &CopyFacts,
    now: Timestamp,
) -> Result<Plan, Fault> {
    let old = state.site(hostname)?;
    let new = cloned(old, name, state, facts, copy, now);
    site_create::refuse_place(&new, state, facts)?;
    site_tls::refuse(None, &new, facts)?;
    refuse_size(old, copy)?;
    let known = facts.databases.clone().unwrap_or_default();
    let names = database::names_for(&new, copy.databases.len(), state, &known)?;
    let title = format!("Clone {} as {}", old.hostname, new.hostname);
    let steps = steps(old, &new, facts, copy, &names).into_list();
    let of = |name| Effect::PutDatabase(Box::new(database::of(name, Some(new.id), now)));
    let mut effects: Vec<Effect> = names.iter().map(of).collect();
    effects.push(Effect::PutSite(Box::new(new.clone())));
    Ok(Plan::new(title, "site clone")
        .about(&new.hostname)
        .steps(steps)
        .notes(if copy.databases.is_empty() {
            data_note(old, &new, state)
        } else {
            None
        })
        .notes(database_clone::notes(old, &new, copy, &names))
        .notes(consequences(old, &new, copy))
        .notes(site_update::memory_note(&new, state, facts))
        .notes(names::overlaps(&new, state))
        .effect(Effect::All(effects)))
}

/// The site as it will be: everything that was set, and nothing that is the original's alone.
fn cloned(
    old: &Site,
    name: &Hostname,
    state: &State,
    facts: &Facts,
    copy: &CopyFacts,
    now: Timestamp,
) -> Site {
    let id = state.next_site.max(facts.free_site);
    let mut new = Site {
        settings: old.settings.clone(),
        snippet: old.snippet.clone(),
        enabled: old.enabled && leads_to_itself(old, state, copy),
        ..Site::new(id, name.clone(), old.kind.clone(), now)
    };
    // Its certificate is for the original's names: a clone shows a placeholder until it has one for its own.
    new.tls.mode = match old.tls.mode {
        TlsMode::Uploaded => TlsMode::Auto,
        mode => mode,
    };
    new.tls.http3 = old.tls.http3;
    new
}

/// False where the clone could work on the original's data.
fn leads_to_itself(old: &Site, state: &State, copy: &CopyFacts) -> bool {
    if copy.databases.is_empty() {
        !works_on_data(old, state)
    } else {
        database_clone::is_led(copy)
    }
}

/// True where the files name a database, as far as the panel can know: it looks into no file of a site.
fn works_on_data(old: &Site, state: &State) -> bool {
    let has_database = state.databases_named_by(old.id).next().is_some();
    has_database || matches!(old.kind, SiteKind::Wordpress { .. })
}

fn refuse_size(old: &Site, copy: &CopyFacts) -> Result<(), Fault> {
    let (size, room) = (&copy.size, copy.free.saturating_sub(refuse::ROOM));
    let fault = |title: String| {
        let hint = "free some space (`df -h` and `df -i` show where it went), then try again";
        Err(Fault::new(Code::DiskFull, title, hint))
    };
    if size.bytes > room {
        return fault(format!(
            "the files of {} will not fit: they are {}, and {} are free",
            old.hostname,
            size.words(),
            bytes(room)
        ));
    }
    if size.things > copy.inodes.saturating_sub(jobs::INODES) {
        return fault(format!(
            "the files of {} will not fit: they are {}, and {} more files can be made on that disk",
            old.hostname,
            size.words(),
            copy.inodes
        ));
    }
    Ok(())
}

/// What a clone of a site with a database may do to the original, in plain words.
fn data_note(old: &Site, new: &Site, state: &State) -> Option<String> {
    if !works_on_data(old, state) {
        return None;
    }
    let mut names = state
        .databases_named_by(old.id)
        .map(|one| one.name.to_string());
    let which = match names.next() {
        Some(first) => names.fold(format!("The database {first}"), |all, next| {
            format!("{all}, {next}")
        }),
        None => "The database of the original".to_owned(),
    };
    let file = match old.kind {
        SiteKind::Wordpress { .. } => "`htdocs/wp-config.php`",
        _ => "its configuration",
    };
    let name = &new.hostname;
    Some(format!(
        "{which} is not copied, and the copied files still name it: online, {name} would change the data of {}. So the clone is made offline. Give it a database of its own first (`lalapanel db create NAME --site {name}`, then {file}), and put it online with `lalapanel site enable {name}`.",
        old.hostname
    ))
}

fn consequences(old: &Site, new: &Site, copy: &CopyFacts) -> Vec<String> {
    let size = &copy.size;
    let mut notes = vec![format!(
        "What the copied files say stays as it is: look there for {} and for `{}`. Logs, sessions, further names, cron jobs and a certificate are not copied.",
        old.hostname,
        old.root()
    )];
    if new.enabled && new.kind.php().is_some() {
        notes.push(
            "Where the copied files name a database or a service elsewhere, both sites use it from then on.".to_owned(),
        );
    }
    if size.left_out > 0 {
        notes.push(format!(
            "Left out, since it leads out of the site, cannot be read or is no file: {} in all, among them {}.",
            size.left_out,
            size.examples.join(", ")
        ));
    }
    let rows = copy.databases.iter().map(|one| one.bytes).sum::<u64>();
    if size.bytes.saturating_add(rows) > LONG {
        notes.push("While all this is copied no other change of this server can begin.".to_owned());
    }
    if new.tls.mode == TlsMode::Auto {
        notes.push(format!(
            "Lala orders a certificate for {} by itself once the clone is online.",
            new.hostname
        ));
    }
    if let SiteKind::Proxy { target } = &new.kind {
        notes.push(format!(
            "Both sites lead to the same application at {target}."
        ));
    }
    if !old.snippet.is_empty() {
        notes.push("The nginx directives of the original come along as they are.".to_owned());
    }
    notes
}

fn tree(site: &Site) -> SiteTree {
    SiteTree {
        site: site.id,
        base: site.root(),
    }
}

fn steps(old: &Site, new: &Site, facts: &Facts, copy: &CopyFacts, names: &[DatabaseName]) -> Steps {
    let mut steps = Steps::default();
    parts::user_and_directories(&mut steps, new, facts);
    steps.add(
        format!(
            "Copy the files from {} to {}, {}",
            old.user(),
            new.user(),
            copy.size.words()
        ),
        Step::CopyFiles {
            from: tree(old),
            to: tree(new),
        },
    );
    database_clone::steps(&mut steps, new, copy, names);
    site_logs::make(&mut steps, new, facts);
    match (new.kind.php(), facts.services) {
        (Some(php), ServiceManager::Systemd) if !new.enabled => {
            parts::own_php_files(&mut steps, new, php);
            steps.add(
                "Let systemd read its units again",
                Step::ReloadUnits {
                    when: When::Forward,
                },
            );
        }
        (Some(php), _) => parts::php(&mut steps, new, php, facts),
        (None, _) => {}
    }
    parts::visitors(&mut steps, new, facts);
    if !new.snippet.is_empty() {
        site_snippet::write(&mut steps, new);
    }
    site_tls::prepare(&mut steps, new, facts);
    show(&mut steps, new, facts);
    steps
}

/// What nginx reads of it, and that it does, where it is online.
fn show(steps: &mut Steps, new: &Site, facts: &Facts) {
    let (file, text) = (new.nginx_file(), render::nginx::site(new, facts.nginx));
    if !new.enabled {
        site_tls::point(steps, new);
        steps.nginx_file(&file, text);
        return;
    }
    parts::nginx_change(steps, facts, |steps| {
        site_tls::point(steps, new);
        steps.nginx_file(&file, text);
        parts::link(steps, new);
    });
    site_tls::confirm(steps, new);
    parts::probe(steps, new, site_update::expectation(new));
}
