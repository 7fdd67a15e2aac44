//! What anybody may fetch: the health answer, the style and script, the theme.
//!
//! Invariant: nothing here asks the agent or says anything about this server.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;

use crate::web::assets;
use crate::web::cookie::{self, Theme};
use crate::web::local_path::LocalPath;
use crate::web::page::{plain, see_other, with_cookie};
use crate::web::refusal::Refusal;
use crate::web::visit::Visit;

/// `GET /healthz`: the web process itself answers.
pub(in crate::web) async fn healthz(_: Arc<Visit>) -> Result<Response, Refusal> {
    Ok(plain(StatusCode::OK, "ok"))
}

/// `GET /robots.txt`: a panel is nothing to find by searching.
pub(in crate::web) async fn robots(_: Arc<Visit>) -> Result<Response, Refusal> {
    Ok(plain(StatusCode::OK, "User-agent: *\nDisallow: /\n"))
}

/// `GET /a/{file}`.
pub(in crate::web) async fn asset(visit: Arc<Visit>) -> Result<Response, Refusal> {
    assets::serve(visit.part(0).unwrap_or_default(), &visit.headers)
}

/// `POST /theme`.
pub(in crate::web) async fn theme(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let theme = Theme::parse(visit.form.text("theme"));
    let back = LocalPath::parse(visit.form.text("next"));
    Ok(with_cookie(
        see_other(back.as_str()),
        &cookie::set_theme(theme),
    ))
}

/// `GET /styleguide`: every component on one page, in debug builds.
#[cfg(debug_assertions)]
pub(in crate::web) async fn styleguide(visit: Arc<Visit>) -> Result<Response, Refusal> {
    Ok(super::styleguide::page(&visit))
}
