//! Fields: how the PHP of a site runs.
//!
//! Invariant: PHP-FPM believes any text (`memory_limit=banana`), so nothing reaches its file but numbers and words of ours.

use crate::domain::php_extension::OptionalExtension;
use crate::domain::setting::field::{Control, Field, Section, lines, list};
use crate::domain::setting::values::{FunctionPreset, PoolMode};
use crate::domain::site::{Site, SiteKind};

fn runs_php(kind: &SiteKind) -> bool {
    kind.php().is_some()
}

const fn field(
    key: &'static str,
    label: &'static str,
    help: &'static str,
    control: Control,
) -> Field {
    Field {
        key,
        section: Section::Php,
        label,
        help,
        control,
        for_kind: runs_php,
    }
}

const fn number(
    least: u32,
    most: u32,
    unit: &'static str,
    at: fn(&mut Site) -> &mut u32,
) -> Control {
    Control::Number {
        least,
        most,
        unit,
        at,
    }
}

pub(super) const FIELDS: &[Field] = &[
    field(
        "php.memory_limit",
        "Memory of a request",
        "Above it PHP ends the request with an error (memory_limit).",
        number(16, 4096, "MB", |site| &mut site.settings.php.memory_limit),
    ),
    field(
        "php.max_execution_time",
        "Time of a request",
        "By the clock on the wall, waiting included; nginx waits five seconds longer (max_execution_time, request_terminate_timeout, fastcgi_read_timeout).",
        number(5, 3600, "s", |site| {
            &mut site.settings.php.max_execution_time
        }),
    ),
    field(
        "php.max_input_time",
        "Time for reading input",
        "For parsing what a visitor sends (max_input_time).",
        number(5, 3600, "s", |site| &mut site.settings.php.max_input_time),
    ),
    field(
        "php.max_input_vars",
        "Fields of a form",
        "Large menus of WordPress and page builders need more (max_input_vars).",
        number(100, 100_000, "", |site| {
            &mut site.settings.php.max_input_vars
        }),
    ),
    field(
        "php.display_errors",
        "Errors in the page",
        "For finding a fault on a site under construction: visitors see them (display_errors).",
        Control::Switch(|site| &mut site.settings.php.display_errors),
    ),
    field(
        "php.timezone",
        "Time zone",
        "As in the tz database, such as Europe/Berlin; empty for UTC (date.timezone).",
        Control::Line {
            example: "Europe/Berlin",
            read: |site| site.settings.php.timezone.clone(),
            write: write_timezone,
        },
    ),
    field(
        "php.opcache",
        "OPcache",
        "Keeps compiled code in memory; off only for finding a fault (opcache.enable).",
        Control::Switch(|site| &mut site.settings.php.opcache),
    ),
    field(
        "php.opcache_memory",
        "Memory of OPcache",
        "Large applications need 256 MB (opcache.memory_consumption).",
        number(32, 1024, "MB", |site| &mut site.settings.php.opcache_memory),
    ),
    field(
        "php.opcache_validate",
        "Notice changed files",
        "Off saves a look at every file, and changes are seen after a restart of PHP only (opcache.validate_timestamps).",
        Control::Switch(|site| &mut site.settings.php.opcache_validate),
    ),
    field(
        "php.functions",
        "Forbidden functions",
        "Composer, WP-CLI and queues need programs to be started; a plain site does not (disable_functions).",
        Control::Choice {
            of: &[
                ("none", "PHP has all its functions"),
                ("shell", "No programs can be started"),
                ("strict", "No programs, nothing about the machine"),
            ],
            read: |site| {
                match site.settings.php.functions {
                    FunctionPreset::None => "none",
                    FunctionPreset::Shell => "shell",
                    FunctionPreset::Strict => "strict",
                }
                .to_owned()
            },
            write: |site, text| {
                site.settings.php.functions = match text {
                    "shell" => FunctionPreset::Shell,
                    "strict" => FunctionPreset::Strict,
                    _ => FunctionPreset::None,
                };
                Ok(())
            },
        },
    ),
    field(
        "php.without",
        "Extensions that this site does without",
        "Every site has all extensions that are installed for its PHP version; those named here are not loaded for this one. They stay in the shell.",
        Control::Lines {
            example: "xdebug",
            read: |site| lines(&site.settings.php.without),
            write: write_without,
        },
    ),
    field(
        "php.allow_url_fopen",
        "Open addresses like files",
        "Many applications fetch updates this way (allow_url_fopen).",
        Control::Switch(|site| &mut site.settings.php.allow_url_fopen),
    ),
    field(
        "php.open_basedir",
        "PHP sees its own directory only",
        "A second wall behind the Unix user (open_basedir).",
        Control::Switch(|site| &mut site.settings.php.open_basedir),
    ),
    field(
        "php.session_lifetime",
        "Sessions live for",
        "After so long without a visit a session is forgotten (session.gc_maxlifetime).",
        number(60, 2_592_000, "s", |site| {
            &mut site.settings.php.session_lifetime
        }),
    ),
    field(
        "php.mode",
        "Processes",
        "How PHP-FPM keeps its processes (pm).",
        Control::Choice {
            of: &[
                (
                    "ondemand",
                    "Started when visitors come; nothing is used while idle",
                ),
                ("dynamic", "A quarter always waits"),
                ("static", "All always run"),
            ],
            read: |site| {
                match site.settings.php.mode {
                    PoolMode::Ondemand => "ondemand",
                    PoolMode::Dynamic => "dynamic",
                    PoolMode::Static => "static",
                }
                .to_owned()
            },
            write: |site, text| {
                site.settings.php.mode = match text {
                    "dynamic" => PoolMode::Dynamic,
                    "static" => PoolMode::Static,
                    _ => PoolMode::Ondemand,
                };
                Ok(())
            },
        },
    ),
    field(
        "php.children",
        "Requests at once",
        "As many PHP processes at most; further visitors wait (pm.max_children).",
        number(1, 500, "", |site| &mut site.settings.php.children),
    ),
    field(
        "php.max_requests",
        "Requests of a process",
        "Then it is replaced, against leaks (pm.max_requests).",
        number(50, 100_000, "", |site| &mut site.settings.php.max_requests),
    ),
    field(
        "php.idle_timeout",
        "An idle process ends after",
        "With processes on demand (pm.process_idle_timeout).",
        number(5, 3600, "s", |site| &mut site.settings.php.idle_timeout),
    ),
];

fn write_without(site: &mut Site, text: &str) -> Result<(), String> {
    let without = list(text, 20, OptionalExtension::parse)?;
    let is_mysql = |one: &OptionalExtension| one.to_string() == "mysql";
    if matches!(site.kind, SiteKind::Wordpress { .. }) && without.iter().any(is_mysql) {
        return Err("WordPress reaches its database by mysql".to_owned());
    }
    site.settings.php.without = without;
    Ok(())
}

fn write_timezone(site: &mut Site, text: &str) -> Result<(), String> {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    let fine = text.is_empty()
        || (text.len() <= 40 && text.split('/').count() <= 3 && text.split('/').all(part));
    if !fine {
        return Err("write a zone of the tz database, such as Europe/Berlin or UTC".to_owned());
    }
    text.clone_into(&mut site.settings.php.timezone);
    Ok(())
}
