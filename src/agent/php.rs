//! What is told about PHP versions: packages, promises, and the sites that depend on them.
//!
//! Invariant: looked up anew each time; nothing is remembered between two questions.

use crate::domain::fault::Fault;
use crate::domain::php::PhpVersion;
use crate::ops::engine::Engine;
use crate::ops::php_repository;
use crate::ops::state::State;
use crate::render;
use crate::rpc::php::{ExtensionsView, PhpVersionView, PhpView, RepositoryView, SupportView};
use crate::system::distro::{self, Distribution};
use crate::system::php::{self, Offer};
use crate::system::php_support::{self, Support};

/// Every version that is here or could be.
pub(super) fn view(engine: &Engine) -> Result<PhpView, Fault> {
    let host = engine.host();
    let state = State::read(engine.store())?;
    let row = distro::known(&distro::release(host));
    let offers = php::offers(host)?;
    let repository = php_repository::look(host)?;
    let installed = offers.iter().filter(|offer| offer.installed);
    let installed: Vec<PhpVersion> = installed.map(|offer| offer.php).collect();
    let mut extensions = php::extensions(host, &installed)?;
    Ok(PhpView {
        versions: offers
            .into_iter()
            .map(|offer| {
                let extensions = extensions.remove(&offer.php).unwrap_or_default();
                PhpVersionView {
                    extensions: ExtensionsView {
                        installed: extensions.installed,
                        available: extensions.available,
                    },
                    ..version(offer, row, &state, engine)
                }
            })
            .collect(),
        repository: RepositoryView {
            enabled: repository.enabled,
            possible: repository.suite.is_some(),
            fingerprint: render::php_repository::FINGERPRINT.to_owned(),
            explanation: render::php_repository::EXPLANATION
                .iter()
                .map(|line| (*line).to_owned())
                .collect(),
        },
    })
}

fn version(
    offer: Offer,
    row: Option<&Distribution>,
    state: &State,
    engine: &Engine,
) -> PhpVersionView {
    let now = engine.host().now();
    // Only what the distribution itself made is under its promise.
    let own = row.filter(|row| row.name.starts_with(&offer.origin) && !offer.origin.is_empty());
    PhpVersionView {
        distribution: own
            .and_then(|row| php_support::distribution(row, offer.php, now))
            .map(support),
        upstream: php_support::upstream(offer.php, now).map(support),
        sites: state.run_by(offer.php).into_iter().cloned().collect(),
        version: offer.php,
        installed: offer.installed,
        available: offer.available,
        package: offer.package,
        origin: offer.origin,
        extensions: ExtensionsView::default(),
    }
}

fn support(support: Support) -> SupportView {
    SupportView {
        until: support.until.to_string(),
        is_over: support.is_over,
        words: support.words,
    }
}
