//! The extra repository for PHP versions that the distribution does not have: on and off, never by itself.
//!
//! Invariant: apt believes it by one embedded key only, and only for this one source; a repository that cannot be
//! fetched is taken back.

use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::host::{Host, Owner};
use crate::ops::act::READABLE;
use crate::ops::plan::Plan;
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::ops::step::Step;
use crate::render::php_repository as render;
use crate::system::{distro, php};

/// What it is planned on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether both files are as they would be written now.
    pub enabled: bool,
    /// Whether any of them is there.
    pub present: bool,
    /// The suite for this distribution; none where the repository is of no use here.
    pub suite: Option<String>,
    /// What the distribution is called.
    pub distribution: String,
    /// Versions that are here and come from the repository.
    pub from_it: Vec<PhpVersion>,
    /// The version that the distribution itself has.
    pub own: Option<PhpVersion>,
}

/// Looks.
pub fn look(host: &dyn Host) -> Result<Facts, Fault> {
    let release = distro::release(host);
    let suite = (release.id == "debian").then(|| release.codename.clone());
    let suite = suite.filter(|suite| render::SUITES.contains(&suite.as_str()));
    let text = suite.as_deref().map(render::source);
    let same = |path: HostPath, text: &str| match host.read(&path, 64 * 1024) {
        Ok(bytes) => bytes == text.as_bytes(),
        Err(_) => false,
    };
    let is_there = |path: HostPath| host.stat(&path).map(|found| found.is_some());
    let offers = php::offers(host)?;
    let from_it = offers
        .iter()
        .filter(|offer| offer.installed && offer.origin == render::ORIGIN)
        .map(|offer| offer.php);
    Ok(Facts {
        enabled: same(render::key_file(), render::KEY)
            && text.is_some_and(|text| same(render::source_file(), &text)),
        present: is_there(render::key_file())? || is_there(render::source_file())?,
        suite,
        distribution: distro::pretty_name(host),
        from_it: from_it.collect(),
        own: distro::known(&release).map(|row| row.php),
    })
}

/// Plans it; no plan where it is that way already.
pub fn plan(enabled: bool, state: &State, facts: &Facts) -> Result<Option<Plan>, Fault> {
    match enabled {
        true if facts.enabled => Ok(None),
        true => enable(facts).map(Some),
        false if !facts.present => Ok(None),
        false => disable(state, facts).map(Some),
    }
}

fn enable(facts: &Facts) -> Result<Plan, Fault> {
    let Some(suite) = &facts.suite else {
        return Err(Fault::new(
            Code::PhpUnavailable,
            format!(
                "the extra repository has nothing for {} that Lala could check",
                facts.distribution
            ),
            "on Ubuntu, add `ppa:ondrej/php` by hand if you trust it; `lalapanel php list` then shows its versions",
        ));
    };
    let mut steps = Steps::default();
    steps
        .root_file(
            format!("Write the key {}", render::FINGERPRINT),
            &render::key_file(),
            render::KEY.to_owned(),
        )
        .add(
            "Write the source of packages",
            Step::WriteFile {
                path: render::source_file(),
                text: render::source(suite),
                owner: Owner::ROOT,
                mode: READABLE,
            },
        )
        .add(
            "Fetch its list of packages and check the signature",
            Step::FetchSource {
                path: render::source_file(),
            },
        );
    let mut plan =
        Plan::new("Turn on the extra PHP repository", "php repository").steps(steps.into_list());
    for note in render::EXPLANATION {
        plan = plan.note(*note);
    }
    Ok(plan)
}

fn disable(state: &State, facts: &Facts) -> Result<Plan, Fault> {
    let foreign = facts.from_it.iter().filter(|php| facts.own != Some(**php));
    for php in foreign {
        let used = state.run_by(*php);
        let names: Vec<&str> = used.iter().map(|name| name.as_str()).collect();
        if !names.is_empty() {
            return Err(Fault::new(
                Code::PhpInUse,
                format!(
                    "PHP {php} comes from the extra repository and is used by {}; without it there are no security fixes any more",
                    names.join(", ")
                ),
                "give each of them another version first: `lalapanel site php H V`",
            ));
        }
    }
    let mut steps = Steps::default();
    steps
        .add(
            "Remove the source of packages",
            Step::RemoveFile {
                path: render::source_file(),
            },
        )
        .add(
            "Remove its key",
            Step::RemoveFile {
                path: render::key_file(),
            },
        );
    let mut plan =
        Plan::new("Turn off the extra PHP repository", "php repository").steps(steps.into_list());
    if !facts.from_it.is_empty() {
        let left: Vec<String> = facts.from_it.iter().map(ToString::to_string).collect();
        plan = plan.note(format!(
            "PHP {} stays installed as it is and gets no more security fixes from there; `lalapanel php remove V` removes one.",
            left.join(", ")
        ));
    }
    Ok(plan)
}
