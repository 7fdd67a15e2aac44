//! The extensions of one PHP version, and the page of each change to them.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::php_extension::PhpExtension;
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::views::php::{self, version};
use crate::web::views::server_change::Words;
use crate::web::visit::{Visit, show as respond};
use crate::web::words::{self, Pill};

struct Row {
    name: String,
    installed: bool,
    pill: Pill,
}

#[derive(Template)]
#[template(path = "pages/php_extensions.html.stpl")]
struct Extensions {
    version: String,
    rows: Vec<Row>,
}

/// `GET /php/{version}/extensions`.
pub(in crate::web) async fn list(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let php = version(&visit)?;
    let view = php::look(&visit).await?;
    let found = view.versions.into_iter().find(|one| one.version == php);
    let one = found.filter(|one| one.installed);
    let one = one.ok_or(Refusal::NOT_FOUND)?.extensions;
    let row = |installed: bool| {
        move |name: String| Row {
            name,
            installed,
            pill: words::php_pill(installed, false),
        }
    };
    let here = one.installed.into_iter().map(row(true));
    let rows = here.chain(one.available.into_iter().map(row(false)));
    let mut frame = visit
        .frame(format!("Extensions of PHP {php}"), Section::Php)
        .await;
    frame.crumbs.push(("PHP".to_owned(), "/php".to_owned()));
    frame.command = Some(format!("lalapanel php extension list {php}"));
    let body = Extensions {
        version: php.to_string(),
        rows: rows.collect(),
    };
    Ok(respond(&frame, &body))
}

/// `/php/{version}/extensions/{name}/{install|remove}`.
pub(in crate::web) async fn change(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let php = version(&visit)?;
    let name = visit.part(1).ok_or(Refusal::NOT_FOUND)?;
    let extension = PhpExtension::parse(name).map_err(|_| Refusal::NOT_FOUND)?;
    let (change, words) = match visit.part(2) {
        Some("install") => (
            Change::PhpExtensionInstall {
                php,
                extension: extension.clone(),
            },
            Words {
                heading: format!("Install {extension} for PHP {php}"),
                busy: "Installing…",
                consequence: format!(
                    "Every site on PHP {php} gets the extension {extension}. Their home pages are looked at before and after; if one answers worse, all of it is taken back."
                ),
            },
        ),
        Some("remove") => (
            Change::PhpExtensionRemove {
                php,
                extension: extension.clone(),
            },
            Words {
                heading: format!("Remove {extension} from PHP {php}"),
                busy: "Removing…",
                consequence: format!(
                    "No site on PHP {php} has the extension {extension} any more. Their home pages are looked at before and after; if one answers worse, it comes back."
                ),
            },
        ),
        _ => return Err(Refusal::NOT_FOUND),
    };
    php::run(&visit, change, words).await
}
