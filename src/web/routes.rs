//! Every address of the panel, on one page. What is not listed here does not exist.
//!
//! Invariant: a route says who may use it and how much it reads; the router is built from this table and from nothing else.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use poem::Response;
use poem::http::Method;

use crate::web::refusal::Refusal;
use crate::web::views::{
    account, activity, certificate, certificate_order, change, database_change, database_export,
    database_import, database_users, databases, dns, home, login, logs, new_database, new_site,
    nginx, notifications, open, operation, own_certificate, panel_settings, php, php_extensions,
    services, settings, site, site_clone, site_php, site_rename, sites, start, system, trash,
    uptime, users, visitors,
};
use crate::web::visit::Visit;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, also while the agent does not answer: nothing of this server is in it.
    Always,
    /// Anybody.
    Public,
    /// Whoever holds a live one-time link; the agent checks it.
    Setup,
    /// Whoever is signed in.
    Session,
}

pub(super) type Page = Pin<Box<dyn Future<Output = Result<Response, Refusal>> + Send>>;
type Handler = fn(Arc<Visit>) -> Page;

/// One address with one method.
pub struct Route {
    /// `GET` (which also serves `HEAD`) or `POST`.
    pub method: Method,
    /// Its path; `{name}` stands for one part.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// How many bytes of body it reads at most.
    pub body_limit: usize,
    pub(super) handler: Handler,
}

const FORM: usize = 16 * 1024;
/// A snippet of 64 KB, each byte of it as three.
const TEXT: usize = 208 * 1024;
/// Lists of addresses and redirects.
const LISTS: usize = 256 * 1024;
/// A file of any size, passed on as it comes and held nowhere; each field before it is at most a form.
pub(super) const UPLOAD: usize = usize::MAX;

macro_rules! routes {
    ($($(#[$meta:meta])* $method:ident $path:literal $access:ident $limit:expr, $handler:path;)*) => {
        /// The table.
        pub static ROUTES: &[Route] = &[$($(#[$meta])* Route {
            method: Method::$method,
            path: $path,
            access: Access::$access,
            body_limit: $limit,
            handler: |visit| Box::pin($handler(visit)),
        }),*];
    };
}

routes! {
    GET  "/healthz"                     Always  0,    open::healthz;
    GET  "/a/{file}"                    Always  0,    open::asset;
    GET  "/robots.txt"                  Always  0,    open::robots;
    POST "/theme"                       Public  FORM, open::theme;
    GET  "/start"                       Setup   0,    start::form;
    POST "/start"                       Setup   FORM, start::submit;
    GET  "/login"                       Public  0,    login::form;
    POST "/login"                       Public  FORM, login::submit;
    POST "/logout"                      Session FORM, login::sign_out;
    GET  "/"                            Session 0,    home::show;
    GET  "/menu"                        Session 0,    home::menu;
    GET  "/sites"                       Session 0,    sites::list;
    GET  "/sites/new"                   Session 0,    new_site::form;
    POST "/sites/new"                   Session FORM, new_site::submit;
    GET  "/sites/{host}"                Session 0,    site::overview;
    GET  "/sites/{host}/logs"           Session 0,    logs::show;
    GET  "/sites/{host}/logs/events"    Session 0,    logs::events;
    GET  "/sites/{host}/restore-logs"   Session 0,    change::restore_logs;
    POST "/sites/{host}/restore-logs"   Session FORM, change::restore_logs;
    GET  "/sites/{host}/nginx"          Session 0,    nginx::show;
    POST "/sites/{host}/nginx"          Session TEXT, nginx::show;
    GET  "/sites/{host}/drift/keep"     Session 0,    change::keep;
    POST "/sites/{host}/drift/keep"     Session FORM, change::keep;
    GET  "/sites/{host}/drift/restore"  Session 0,    change::restore;
    POST "/sites/{host}/drift/restore"  Session FORM, change::restore;
    GET  "/sites/{host}/drift/leave"    Session 0,    change::leave;
    POST "/sites/{host}/drift/leave"    Session FORM, change::leave;
    GET  "/sites/{host}/danger"         Session 0,    site::danger;
    GET  "/sites/{host}/php"            Session 0,    site_php::show;
    POST "/sites/{host}/php"            Session FORM, site_php::show;
    GET  "/sites/{host}/enable"         Session 0,    change::enable;
    POST "/sites/{host}/enable"         Session FORM, change::enable;
    GET  "/sites/{host}/disable"        Session 0,    change::disable;
    POST "/sites/{host}/disable"        Session FORM, change::disable;
    GET  "/sites/{host}/delete"         Session 0,    change::delete;
    POST "/sites/{host}/delete"         Session FORM, change::delete;
    GET  "/sites/{host}/rename"         Session 0,    site_rename::show;
    POST "/sites/{host}/rename"         Session FORM, site_rename::show;
    GET  "/sites/{host}/clone"          Session 0,    site_clone::show;
    POST "/sites/{host}/clone"          Session FORM, site_clone::show;
    GET  "/sites/{host}/purge"          Session 0,    change::purge;
    POST "/sites/{host}/purge"          Session FORM, change::purge;
    GET  "/sites/{host}/settings/{section}" Session 0, settings::page;
    POST "/sites/{host}/settings/{section}" Session LISTS, settings::page;
    GET  "/sites/{host}/visitors"       Session 0,    visitors::show;
    POST "/sites/{host}/visitors"       Session FORM, visitors::show;
    GET  "/sites/{host}/visitors/{name}/remove" Session 0, visitors::remove;
    POST "/sites/{host}/visitors/{name}/remove" Session FORM, visitors::remove;
    GET  "/sites/{host}/certificate"    Session 0,    certificate::show;
    POST "/sites/{host}/certificate"    Session LISTS, certificate::show;
    POST "/sites/{host}/certificate/issue" Session FORM, certificate_order::issue;
    GET  "/sites/{host}/certificate/install/{fingerprint}" Session 0, certificate::install;
    POST "/sites/{host}/certificate/install/{fingerprint}" Session FORM, certificate::install;
    GET  "/sites/{host}/certificate/remove" Session 0, change::remove_certificate;
    POST "/sites/{host}/certificate/remove" Session FORM, change::remove_certificate;
    GET  "/sites/{host}/databases"      Session 0,    databases::of_site;
    GET  "/databases"                   Session 0,    databases::list;
    GET  "/databases/new-database"      Session 0,    new_database::create;
    POST "/databases/new-database"      Session FORM, new_database::create;
    GET  "/databases/{name}"            Session 0,    databases::show;
    GET  "/databases/{name}/password"   Session 0,    database_change::new_password;
    POST "/databases/{name}/password"   Session FORM, database_change::new_password;
    GET  "/databases/{name}/delete"     Session 0,    database_change::delete;
    POST "/databases/{name}/delete"     Session FORM, database_change::delete;
    GET  "/databases/{name}/restore"    Session 0,    database_change::restore;
    POST "/databases/{name}/restore"    Session FORM, database_change::restore;
    GET  "/databases/{name}/users"      Session 0,    database_users::add;
    POST "/databases/{name}/users"      Session FORM, database_users::add;
    GET  "/databases/{name}/users/{user}" Session 0,  database_users::set;
    POST "/databases/{name}/users/{user}" Session FORM, database_users::set;
    GET  "/databases/{name}/users/{user}/password" Session 0, database_users::password;
    POST "/databases/{name}/users/{user}/password" Session FORM, database_users::password;
    GET  "/databases/{name}/users/{user}/remove" Session 0, database_users::remove;
    POST "/databases/{name}/users/{user}/remove" Session FORM, database_users::remove;
    GET  "/databases/{name}/repair"     Session 0,    database_users::repair;
    POST "/databases/{name}/repair"     Session FORM, database_users::repair;
    POST "/databases/{name}/export"     Session FORM, database_export::export;
    GET  "/databases/{name}/import"     Session 0,    database_import::choose;
    POST "/databases/{name}/import"     Session UPLOAD, database_import::upload;
    GET  "/databases/{name}/import/{import}" Session 0, database_import::show;
    POST "/databases/{name}/import/{import}" Session FORM, database_import::show;
    POST "/databases/{name}/import/{import}/forget" Session FORM, database_import::forget;
    GET  "/certificates"                Session 0,    certificate::list;
    GET  "/certificates/dns"            Session 0,    dns::show;
    POST "/certificates/dns"            Session FORM, dns::show;
    POST "/certificates/dns/{name}/remove" Session FORM, dns::remove;
    GET  "/certificates/panel"          Session 0,    own_certificate::show;
    POST "/certificates/panel/issue"    Session FORM, own_certificate::issue;
    GET  "/trash/{id}/restore"          Session 0,    trash::restore;
    POST "/trash/{id}/restore"          Session FORM, trash::restore;
    GET  "/trash/{id}/delete"           Session 0,    trash::delete;
    POST "/trash/{id}/delete"           Session FORM, trash::delete;
    GET  "/operations/{id}"             Session 0,    operation::show;
    GET  "/operations/{id}/events"      Session 0,    operation::events;
    POST "/operations/{id}/check"       Session FORM, operation::check;
    POST "/operations/{id}/saved"       Session FORM, operation::saved;
    GET  "/activity"                    Session 0,    activity::operations;
    GET  "/activity/audit"              Session 0,    activity::audit;
    GET  "/services"                    Session 0,    services::show;
    GET  "/services/{name}/{verb}"      Session 0,    services::change;
    POST "/services/{name}/{verb}"      Session FORM, services::change;
    GET  "/system"                      Session 0,    system::show;
    GET  "/uptime"                      Session 0,    uptime::list;
    GET  "/sites/{host}/uptime"         Session 0,    uptime::of_site;
    GET  "/php"                         Session 0,    php::list;
    GET  "/php/{version}/install"       Session 0,    php::install;
    POST "/php/{version}/install"       Session FORM, php::install;
    GET  "/php/{version}/remove"        Session 0,    php::remove;
    POST "/php/{version}/remove"        Session FORM, php::remove;
    GET  "/php/{version}/extensions"    Session 0,    php_extensions::list;
    GET  "/php/{version}/extensions/{name}/{verb}" Session 0, php_extensions::change;
    POST "/php/{version}/extensions/{name}/{verb}" Session FORM, php_extensions::change;
    GET  "/php/repository/enable"       Session 0,    php::enable;
    POST "/php/repository/enable"       Session FORM, php::enable;
    GET  "/php/repository/disable"      Session 0,    php::disable;
    POST "/php/repository/disable"      Session FORM, php::disable;
    GET  "/users"                       Session 0,    users::show;
    GET  "/settings"                    Session 0,    panel_settings::show;
    POST "/settings"                    Session FORM, panel_settings::show;
    GET  "/settings/notifications"      Session 0,    notifications::show;
    POST "/settings/notifications"      Session FORM, notifications::show;
    POST "/settings/notifications/test" Session FORM, notifications::test;
    POST "/settings/{verb}"             Session FORM, panel_settings::decide;
    GET  "/account"                     Session 0,    account::show;
    POST "/account/password"            Session FORM, account::password;
    #[cfg(debug_assertions)]
    GET  "/styleguide"                  Public  0,    open::styleguide;
}

/// What the table says about a request.
pub(super) enum Found {
    /// This route, with the open parts of its path.
    Route(&'static Route, Vec<String>),
    /// The path exists, with other methods.
    OtherMethod,
    /// Nothing.
    Nothing,
}

/// Looks a request up; a fixed part goes before an open one, and the table's order decides nothing else.
pub(super) fn find(method: &Method, path: &str) -> Found {
    let wanted = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let mut matches: Vec<(&'static Route, Vec<String>)> = ROUTES
        .iter()
        .filter_map(|route| parts(route.path, path).map(|parts| (route, parts)))
        .collect();
    let Some(fewest) = matches.iter().map(|(_, parts)| parts.len()).min() else {
        return Found::Nothing;
    };
    matches.retain(|(route, parts)| parts.len() == fewest && route.method == *wanted);
    match matches.into_iter().next() {
        Some((route, parts)) => Found::Route(route, parts),
        None => Found::OtherMethod,
    }
}

/// True for a path that is served also while the agent does not answer.
pub(super) fn is_always(path: &str) -> bool {
    let always = |route: &&Route| route.access == Access::Always;
    ROUTES
        .iter()
        .filter(always)
        .any(|route| parts(route.path, path).is_some())
}

/// The open parts of a path, where it is of this pattern.
pub(super) fn parts(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut open = Vec::new();
    let mut asked = path.split('/');
    for part in pattern.split('/') {
        let given = asked.next()?;
        if part.starts_with('{') {
            if given.is_empty() {
                return None;
            }
            open.push(given.to_owned());
        } else if part != given {
            return None;
        }
    }
    asked.next().is_none().then_some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> Option<&'static str> {
        match find(method, path) {
            Found::Route(route, _) => Some(route.path),
            Found::OtherMethod | Found::Nothing => None,
        }
    }

    #[test]
    fn fixed_parts_go_before_open_ones() {
        assert_eq!(found(&Method::GET, "/sites/new"), Some("/sites/new"));
        assert_eq!(
            found(&Method::GET, "/sites/a.example"),
            Some("/sites/{host}")
        );
        assert_eq!(found(&Method::HEAD, "/"), Some("/"));
        assert_eq!(found(&Method::GET, "/sites/"), None);
        assert_eq!(found(&Method::GET, "/sites/a/b/c"), None);
        assert!(matches!(
            find(&Method::DELETE, "/sites/new"),
            Found::OtherMethod
        ));
        assert!(matches!(find(&Method::POST, "/nothing"), Found::Nothing));
    }

    #[test]
    fn no_address_is_listed_twice_and_only_posts_read_a_body() {
        let mut seen = std::collections::BTreeSet::new();
        for route in ROUTES {
            assert!(
                seen.insert((route.method.as_str(), route.path)),
                "{}",
                route.path
            );
            assert_eq!(
                route.body_limit > 0,
                route.method == Method::POST,
                "{}",
                route.path
            );
        }
    }
}
