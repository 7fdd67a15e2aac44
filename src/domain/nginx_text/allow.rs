//! The list of directives a snippet may hold, where each may stand, and what to use instead of the others.
//!
//! Invariant: what is not in the list is refused; nothing in it reads, writes or reaches anything but this site.

use crate::domain::nginx_text::refusal::{No, no};
use crate::domain::nginx_text::tree::Directive;
use crate::domain::nginx_text::{answer, argument, location};

/// Where a directive stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Directly in the site's server block.
    Server,
    /// In a `location`.
    Location,
    /// In an `if`.
    Condition,
    /// In a `limit_except`.
    Methods,
}

struct Row {
    name: &'static str,
    places: &'static [Place],
    /// What its braces are; `None` for a directive without.
    opens: Option<Place>,
    check: fn(&Directive) -> Result<(), No>,
}

const ANYWHERE: &[Place] = &[Place::Server, Place::Location];
const INSIDE: &[Place] = &[Place::Location];

const fn row(
    name: &'static str,
    places: &'static [Place],
    check: fn(&Directive) -> Result<(), No>,
) -> Row {
    Row {
        name,
        places,
        opens: None,
        check,
    }
}

const fn block(
    name: &'static str,
    places: &'static [Place],
    opens: Place,
    check: fn(&Directive) -> Result<(), No>,
) -> Row {
    Row {
        name,
        places,
        opens: Some(opens),
        check,
    }
}

/// Those Lala sets for the whole server stand in a `location` only: twice in one place is an error of nginx.
const ROWS: &[Row] = &[
    block("location", ANYWHERE, Place::Location, |_| Ok(())),
    block("if", INSIDE, Place::Condition, argument::condition),
    block("limit_except", INSIDE, Place::Methods, argument::methods),
    row(
        "add_header",
        &[Place::Server, Place::Location, Place::Condition],
        argument::header,
    ),
    row(
        "allow",
        &[Place::Server, Place::Location, Place::Methods],
        argument::address,
    ),
    row(
        "deny",
        &[Place::Server, Place::Location, Place::Methods],
        argument::address,
    ),
    row("satisfy", ANYWHERE, |d| {
        argument::one_of(d, &["all", "any"])
    }),
    row(
        "return",
        &[Place::Location, Place::Condition],
        answer::answer,
    ),
    row(
        "set",
        &[Place::Server, Place::Location, Place::Condition],
        argument::set,
    ),
    row("try_files", INSIDE, answer::try_files),
    row("error_page", ANYWHERE, answer::error_page),
    row("expires", ANYWHERE, argument::expires),
    row("internal", INSIDE, argument::nothing),
    row("index", INSIDE, argument::files),
    row("autoindex", INSIDE, argument::flag),
    row("autoindex_exact_size", INSIDE, argument::flag),
    row("autoindex_localtime", INSIDE, argument::flag),
    row("auth_basic", INSIDE, basic_auth),
    row("access_log", INSIDE, no_log),
    row("log_not_found", ANYWHERE, argument::flag),
    row("charset", INSIDE, argument::charset),
    row("default_type", ANYWHERE, argument::one_type),
    row("etag", ANYWHERE, argument::flag),
    row("if_modified_since", ANYWHERE, |d| {
        argument::one_of(d, &["off", "exact", "before"])
    }),
    row("max_ranges", ANYWHERE, argument::small_number),
    row("chunked_transfer_encoding", ANYWHERE, argument::flag),
    row("client_max_body_size", INSIDE, argument::size),
    row("limit_rate", ANYWHERE, argument::size),
    row("limit_rate_after", ANYWHERE, argument::size),
    row("gzip", INSIDE, argument::flag),
    row("gzip_comp_level", INSIDE, argument::level),
    row("gzip_min_length", INSIDE, argument::small_number),
    row("gzip_static", ANYWHERE, |d| {
        argument::one_of(d, &["on", "off", "always"])
    }),
    row("gzip_types", INSIDE, argument::types),
    row("gzip_vary", INSIDE, argument::flag),
];

/// Without `auth_basic_user_file` it asks nobody for anything, and so protects nothing.
fn basic_auth(directive: &Directive) -> Result<(), No> {
    if directive.values().eq(["off"]) {
        return Ok(());
    }
    no(
        "asks for no password without a file of passwords",
        "use the site's own setting for protected paths; `auth_basic off` is allowed",
    )
}

fn no_log(directive: &Directive) -> Result<(), No> {
    if directive.values().eq(["off"]) {
        return Ok(());
    }
    no(
        "names a file, which root would open",
        "read the site's logs where they are; `access_log off` is allowed",
    )
}

/// What the braces of this directive are, where it stands rightly and with right arguments.
pub(super) fn check(
    directive: &Directive,
    place: Place,
    nested: bool,
) -> Result<Option<Place>, No> {
    let Some(row) = ROWS.iter().find(|row| row.name == directive.name()) else {
        let (why, instead) = refused(directive.name());
        return Err((why.to_owned(), instead.to_owned()));
    };
    if !row.places.contains(&place) {
        no(format!("cannot stand {}", words(place)), where_it_can(row))?;
    }
    if row.opens.is_some() != directive.inside.is_some() {
        let wanted = if row.opens.is_some() {
            "needs `{ … }` after it"
        } else {
            "takes no `{`"
        };
        no(
            wanted,
            format!(
                "end it with `{}`",
                if row.opens.is_some() { "{ … }" } else { ";" }
            ),
        )?;
    }
    (row.check)(directive)?;
    if row.name == "location" {
        location::check(directive, nested)?;
    }
    Ok(row.opens)
}

fn words(place: Place) -> &'static str {
    match place {
        Place::Server => "directly in the server block",
        Place::Location => "in a `location`",
        Place::Condition => "in an `if`",
        Place::Methods => "in a `limit_except`",
    }
}

fn where_it_can(row: &Row) -> String {
    let places: Vec<&str> = row.places.iter().map(|place| words(*place)).collect();
    format!("put it {}", places.join(" or "))
}

/// Names that may stand directly in the server block: where Lala's own block holds one as well, nginx refuses both.
#[cfg(test)]
pub(crate) fn at_server_level() -> impl Iterator<Item = &'static str> {
    let repeatable = [
        "location",
        "add_header",
        "allow",
        "deny",
        "set",
        "error_page",
    ];
    let rows = ROWS
        .iter()
        .filter(|row| row.places.contains(&Place::Server));
    rows.map(|row| row.name)
        .filter(move |name| !repeatable.contains(name))
}

/// Every name in the list.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name)
}

const REFUSED: &[(&[&str], &str, &str)] = &[
    (
        &["include"],
        "reads another file as configuration",
        "write the directives themselves into the snippet",
    ),
    (
        &["root", "alias"],
        "serves files from a place of its own choice",
        "put the files below the site's `htdocs`",
    ),
    (
        &["listen"],
        "opens a port",
        "leave ports to Lala: it listens on 80 and 443 for every site",
    ),
    (
        &["server_name"],
        "changes the names of the site",
        "add an alias to the site",
    ),
    (
        &["server"],
        "begins another server",
        "leave it out: a snippet stands inside the site's server block",
    ),
    (
        &["rewrite", "rewrite_log"],
        "has had remote holes and splits headers",
        "use `return 301 https://$host$request_uri`, `try_files`, or the site's redirects",
    ),
    (
        &[
            "proxy_",
            "grpc_",
            "uwsgi_",
            "scgi_",
            "memcached_",
            "mirror",
            "auth_request",
            "upstream",
        ],
        "reaches other programs and other sites' sockets",
        "make the site one of type proxy",
    ),
    (
        &["fastcgi_"],
        "could run another site's PHP or lift the limits of this one",
        "use the site's PHP settings",
    ),
    (
        &["error_log", "access_log"],
        "names a file, which root would open",
        "read the site's logs where they are",
    ),
    (
        &["ssl_", "ssl"],
        "reads keys or changes TLS for all sites",
        "leave certificates to Lala",
    ),
    (
        &["auth_basic_user_file"],
        "reads a file of passwords anywhere on the server",
        "use the site's own setting for protected paths",
    ),
    (
        &[
            "load_module",
            "user",
            "pid",
            "env",
            "worker_",
            "daemon",
            "events",
            "http",
            "stream",
            "mail",
            "master_process",
            "lock_file",
            "thread_pool",
            "google_perftools",
            "debug",
        ],
        "belongs to the whole server",
        "leave it out: a snippet is for one site",
    ),
    (
        &[
            "limit_req",
            "limit_conn",
            "limit_req_zone",
            "limit_conn_zone",
            "map",
            "geo",
            "split_clients",
            "log_format",
            "keyval",
            "perl_modules",
        ],
        "needs something that all sites share",
        "use the site's own setting for limits",
    ),
    (
        &[
            "lua_",
            "content_by_lua",
            "access_by_lua",
            "rewrite_by_lua",
            "perl",
            "js_",
            "njs",
        ],
        "runs a program inside nginx",
        "do it in the site's own PHP",
    ),
    (
        &["real_ip_", "set_real_ip_from"],
        "lets a visitor choose an address",
        "use the site's own setting for a CDN in front",
    ),
    (
        &["disable_symlinks", "open_file_cache"],
        "lets the site's links lead to other sites",
        "leave it out",
    ),
    (
        &["dav_", "create_full_put_path"],
        "lets visitors write files",
        "use SFTP",
    ),
    (
        &["stub_status", "status", "api"],
        "shows figures of the whole server",
        "see `lalapanel status`",
    ),
];

fn refused(name: &str) -> (&'static str, &'static str) {
    let fits = |given: &&str| {
        name == *given
            || ((given.ends_with('_') || given.ends_with("lua")) && name.starts_with(given))
    };
    REFUSED
        .iter()
        .find(|(names, _, _)| names.iter().any(&fits))
        .map_or(
            (
                "is not in the list of directives for snippets",
                "see the list in `docs/snippets.md`, or use a setting of the site",
            ),
            |(_, why, instead)| (why, instead),
        )
}
