//! Why an extension of PHP is neither installed nor removed.
//!
//! Invariant: a refusal names the fix, and nothing has changed.

use crate::domain::fault::{Code, Fault};
use crate::domain::php::PhpVersion;
use crate::domain::php_extension::PhpExtension;
use crate::domain::site::{Site, SiteKind};
use crate::domain::text::shown;
use crate::ops::php_extension::ExtensionFacts;
use crate::ops::state::State;

pub(super) fn absent(
    php: PhpVersion,
    extension: &PhpExtension,
    facts: &ExtensionFacts,
) -> Result<(), Fault> {
    if facts.is_here {
        return Ok(());
    }
    Err(Fault::new(
        Code::PhpNotInstalled,
        format!("the package `{}` is not installed", extension.package(php)),
        format!("see `lalapanel php extension list {php}` for the extensions that are"),
    ))
}

pub(super) fn unknown(
    php: PhpVersion,
    extension: &PhpExtension,
    facts: &ExtensionFacts,
) -> Result<(), Fault> {
    if facts.is_known {
        return Ok(());
    }
    let hint = if facts.others.is_empty() {
        "apt offers none of the common ones that are not here; `apt-get update` may bring some"
            .to_owned()
    } else {
        format!(
            "common ones that apt could add: {}",
            facts.others.join(", ")
        )
    };
    Err(Fault::new(
        Code::PhpUnavailable,
        format!("apt knows no package `{}`", extension.package(php)),
        hint,
    ))
}

pub(super) fn rehearsed_install(
    php: PhpVersion,
    extension: &PhpExtension,
    facts: &ExtensionFacts,
) -> Result<(), Fault> {
    let package = extension.package(php);
    if let Some(server) = &facts.rehearsal.second_server {
        return Err(Fault::new(
            Code::PhpUnavailable,
            format!(
                "With `{package}`, apt would install `{server}`, which would take port 80 from nginx"
            ),
            format!("see `apt-get -s install {package}` for what asks for it, and remove that"),
        ));
    }
    let Some(words) = &facts.rehearsal.complaint else {
        return Ok(());
    };
    Err(Fault::new(
        Code::PhpUnavailable,
        format!("apt cannot install `{package}` beside what is here"),
        format!("see `apt-get -s install {package}` for the whole story"),
    )
    .detail(shown(words, 400)))
}

/// WordPress and most applications with a database reach it by `mysqli` or PDO, and show nothing but an error without.
pub(super) fn database(
    php: PhpVersion,
    extension: &PhpExtension,
    state: &State,
) -> Result<(), Fault> {
    if extension.as_str() != "mysql" {
        return Ok(());
    }
    let needs = |site: &&Site| {
        let is_wordpress = matches!(site.kind, SiteKind::Wordpress { .. });
        let has_database = state.databases_of(site.id).next().is_some();
        site.kind.php() == Some(php) && (is_wordpress || has_database)
    };
    let names: Vec<&str> = state
        .sites
        .iter()
        .filter(needs)
        .map(|site| site.hostname.as_str())
        .collect();
    let Some(first) = names.first() else {
        return Ok(());
    };
    Err(Fault::new(
        Code::PhpInUse,
        format!(
            "sites on PHP {php} reach their database by it: {}",
            names.join(", ")
        ),
        format!("give each of them another version first: `lalapanel site php {first} V`"),
    ))
}

pub(super) fn rehearsed_removal(
    php: PhpVersion,
    extension: &PhpExtension,
    facts: &ExtensionFacts,
) -> Result<(), Fault> {
    let package = extension.package(php);
    if let Some(words) = &facts.rehearsal.complaint {
        return Err(Fault::new(
            Code::AptFailed,
            format!("apt cannot remove `{package}`"),
            format!("see `apt-get -s remove {package}` for the whole story"),
        )
        .detail(shown(words, 400)));
    }
    let removed = facts.rehearsal.removed.iter();
    let others: Vec<&str> = removed
        .filter(|name| **name != package)
        .map(String::as_str)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let own = ["fpm", "cli", "common"].map(|part| format!("php{php}-{part}"));
    let is_needed = others
        .iter()
        .any(|name| own.iter().any(|part| part == name));
    let who = if is_needed {
        format!("PHP {php} itself needs the extension {extension}")
    } else {
        format!("other packages need the extension {extension}")
    };
    Err(Fault::new(
        Code::PhpInUse,
        format!("{who}: with it apt would remove {}", others.join(", ")),
        if is_needed {
            format!("it comes and goes with the version: `lalapanel php remove {php}`")
        } else {
            "remove those first, if nothing needs them".to_owned()
        },
    ))
}
