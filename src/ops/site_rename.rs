//! Rename a site: closed for a moment, its directories moved by two renames, everything that names them written anew.
//!
//! Invariant: at no moment does a file on disk that nginx, PHP-FPM or systemd reads at boot name a directory that is not
//! there; a power cut in between leaves every other site as it was.

use crate::domain::change::OldName;
use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;
use crate::host::{Mode, Owner};
use crate::ops::plan::Plan;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::{Step, When};
use crate::ops::{names, site_create, site_delete, site_tls, site_update};
use crate::render;
use crate::store::Effect;

/// Plans it; no plan where the site has that name.
pub fn plan(
    hostname: &Hostname,
    name: &Hostname,
    old_name: OldName,
    state: &State,
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    let old = state.site(hostname)?;
    if old.hostname == *name {
        return Ok(None);
    }
    let mut notes = Vec::new();
    let new = renamed(old, name, old_name, &mut notes, state, facts);
    site_create::refuse_place(&new, state, facts)?;
    let steps = steps(old, &new, facts);
    let title = format!("Rename {} to {}", old.hostname, new.hostname);
    Ok(Some(
        Plan::new(title, "site rename")
            .about(&old.hostname)
            .steps(steps.into_list())
            .notes(consequences(old, &new, old_name))
            .notes(notes)
            .notes(names::overlaps(&new, state))
            .effect(Effect::PutSite(Box::new(new))),
    ))
}

/// The site under its new name. A name with `www.` in front goes along with the name it belongs to.
fn renamed(
    old: &Site,
    name: &Hostname,
    old_name: OldName,
    notes: &mut Vec<String>,
    state: &State,
    facts: &Facts,
) -> Site {
    let mut new = old.clone();
    new.hostname = name.clone();
    new.left.remove(&old.nginx_file());
    let (exact, www) = (SiteName::Exact(name.clone()), with_www(name));
    let mut gone = vec![SiteName::Exact(old.hostname.clone())];
    let old_www = with_www(&old.hostname).filter(|www| old.names().any(|own| own == *www));
    if let (Some(old_www), Some(www)) = (&old_www, www)
        && !old.names().any(|own| own == www)
    {
        if names::is_free(&www, &new, state, facts) {
            let lists = [&mut new.aliases, &mut new.redirected];
            for list in lists.into_iter().filter(|list| list.contains(old_www)) {
                list.insert(0, www.clone());
            }
        } else {
            notes.push(format!("{www} belongs to somebody else and is left out."));
        }
    }
    gone.extend(old_www);
    let stays = |known: &SiteName| *known != exact && !gone.contains(known);
    new.aliases.retain(stays);
    new.redirected.retain(stays);
    gone.retain(|gone| *gone != exact);
    match old_name {
        OldName::Redirect => new.redirected.extend(gone),
        OldName::Alias => new.aliases.extend(gone),
        OldName::Drop => {}
    }
    new
}

/// `www.shop.example` for `shop.example`.
fn with_www(name: &Hostname) -> Option<SiteName> {
    if name.as_str().starts_with("www.") {
        return None;
    }
    let www = Hostname::parse(&format!("www.{name}")).ok()?;
    Some(SiteName::Exact(www))
}

fn consequences(old: &Site, new: &Site, old_name: OldName) -> Vec<String> {
    let (before, after) = (&old.hostname, &new.hostname);
    let mut notes = Vec::new();
    if old.enabled {
        notes.push(
            "While the directories move, about a second, visitors get 503 and programs are told to ask again in 5 seconds.".to_owned(),
        );
    }
    notes.push(match old_name {
        OldName::Redirect => format!("Visitors of {before} are sent to {after} from then on."),
        OldName::Alias => format!("{before} shows the same site as {after} from then on."),
        OldName::Drop => {
            format!("Nothing answers to {before} from then on, and other sites may have it.")
        }
    });
    let name = SiteName::Exact(after.clone());
    if new.trusted().is_some() && !new.is_secure(&name) {
        notes.push(format!(
            "The certificate is not for {after}, which is served by plain HTTP until the site has one for it."
        ));
    }
    if old.kind.php().is_some() {
        notes.push(format!(
            "What runs as {} is ended, programs of its own as well.",
            old.user()
        ));
    }
    notes.push(format!(
        "What the site's own files and its database say stays as it is: look there for {before} and for `{}`.",
        old.root()
    ));
    notes
}

fn steps(old: &Site, new: &Site, facts: &Facts) -> Steps {
    let mut steps = Steps::default();
    if old.enabled {
        close(&mut steps, old, new, facts);
    }
    stop_php(&mut steps, old, facts);
    for (what, from, to) in [
        ("files", old.root(), new.root()),
        ("logs", old.log_directory(), new.log_directory()),
    ] {
        steps.add(format!("Move the site's {what}"), Step::Move { from, to });
    }
    steps.add(
        format!("End what runs as {} and name its new home", old.user()),
        Step::MoveHome {
            name: old.user(),
            from: old.root(),
            to: new.root(),
        },
    );
    start_php(&mut steps, new, facts);
    open(&mut steps, old, new, facts);
    steps
}

/// 503 under every name it had and gets, in the file that nginx reads already.
fn close(steps: &mut Steps, old: &Site, new: &Site, facts: &Facts) {
    let mut all: Vec<SiteName> = old.names().collect();
    all.extend(new.names());
    all.sort();
    all.dedup();
    let text = render::nginx::resting(all.into_iter(), facts.nginx);
    let test = Step::TestNginx {
        link: old.nginx_link(),
        text: text.clone(),
        snippet: None,
    };
    steps.add("Test the nginx configuration with the site closed", test);
    parts::nginx_change(steps, facts, |steps| {
        let closed = Step::WriteFile {
            path: old.nginx_file(),
            text,
            owner: Owner::ROOT,
            mode: Mode(0o640),
        };
        steps.add("Close the site for a moment", closed);
    });
}

/// A pool in a shared master goes first: that master does not start while the directory of one log is missing.
fn stop_php(steps: &mut Steps, old: &Site, facts: &Facts) {
    match (old.kind.php(), facts.services) {
        (Some(_), ServiceManager::Systemd) if old.enabled => parts::php_stop(steps, old),
        (Some(php), ServiceManager::Sysv) => site_delete::remove_pool(steps, old, php),
        _ => {}
    }
}

fn start_php(steps: &mut Steps, new: &Site, facts: &Facts) {
    let Some(php) = new.kind.php() else {
        return;
    };
    if facts.services == ServiceManager::Sysv {
        return parts::php(steps, new, php, facts);
    }
    parts::own_php_files(steps, new, php);
    steps.add(
        "Let systemd read its units again",
        Step::ReloadUnits {
            when: When::Forward,
        },
    );
    if new.enabled {
        parts::php_start(steps, new);
        parts::ping(steps, new, facts);
    }
}

/// nginx reads the file of the new name, and forgets the old one with the same reload.
fn open(steps: &mut Steps, old: &Site, new: &Site, facts: &Facts) {
    let (file, text) = (new.nginx_file(), render::nginx::site(new, facts.nginx));
    let write = |steps: &mut Steps| {
        site_tls::point(steps, new);
        steps.nginx_file(&file, text.clone());
    };
    let forget = |steps: &mut Steps| {
        let path = old.nginx_file();
        steps.add("Remove the old nginx file", Step::RemoveFile { path });
        site_tls::unpoint(steps, old);
    };
    if !new.enabled {
        write(steps);
        return forget(steps);
    }
    // In place of the closed one: beside it nginx would warn of two servers with one name.
    let pair = new.pair().unwrap_or_else(|| new.certificate_link());
    let test = Step::TestNginx {
        link: old.nginx_link(),
        text: render::nginx::site_with(new, facts.nginx, &pair),
        snippet: None,
    };
    steps.add("Test the nginx configuration with the new file", test);
    parts::nginx_change(steps, facts, |steps| {
        write(steps);
        let path = old.nginx_link();
        steps
            .add("Unlink the old nginx file", Step::RemoveFile { path })
            .add("Link the site's nginx file", parts::nginx_link(new));
        forget(steps);
    });
    site_tls::confirm(steps, new);
    parts::probe(steps, new, site_update::expectation(new));
}
