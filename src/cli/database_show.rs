//! `lalapanel db show`: one database, what is in it, and whether its users may do what they should.
//!
//! Invariant: where MariaDB did not answer, that is said; a number is never made up.

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::database::{site_of, size_of};
use crate::cli::output::{Exit, Output, moment, table};
use crate::domain::database::DatabaseName;
use crate::domain::database_inside::Inside;
use crate::domain::text::shown;
use crate::rpc::database::{DatabaseDetail, Known};
use crate::rpc::protocol::{Reply, Request};

/// As many tables as are printed; `--json` has them all.
const PRINTED: usize = 200;

/// Shows one.
pub(super) fn run(name: &DatabaseName, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let detail = match agent.ask(Request::DatabaseShow { name: name.clone() })? {
        Reply::Database(detail) => *detail,
        other => return Err(unexpected(other)),
    };
    output.document(&detail);
    let view = &detail.view;
    let mut rows = vec![
        ("name", view.name.to_string()),
        ("site", site_of(view)),
        ("host", "localhost".to_owned()),
        ("created", moment(view.created)),
        ("size", size(&detail)),
    ];
    let users = view.access.iter();
    let users = users.map(|one| ("user", format!("{} ({})", one.user, one.words())));
    rows.splice(2..2, users);
    if let Some(inside) = &detail.inside {
        let charset = format!("{} ({})", inside.charset, inside.collation);
        rows.push(("character set", charset));
        rows.push(("tables", inside.tables.len().to_string()));
    }
    if let Some(trash) = &view.trash {
        rows.push(("in the trash until", moment(trash.until)));
    }
    rows.extend(grants(&detail));
    let rows = rows
        .into_iter()
        .map(|(key, value)| vec![key.to_owned(), value]);
    for row in table(&rows.collect::<Vec<_>>()) {
        output.line(row);
    }
    if let Some(inside) = &detail.inside {
        tables(inside, output);
    }
    Ok(Exit::Done)
}

fn size(detail: &DatabaseDetail) -> String {
    match detail.mariadb {
        Known::Answers => size_of(detail.view.bytes),
        Known::Silent => "not known: MariaDB does not answer".to_owned(),
        Known::Missing => "none: MariaDB has no database of this name any more".to_owned(),
    }
}

fn grants(detail: &DatabaseDetail) -> Vec<(&'static str, String)> {
    let Some(differing) = &detail.grants_differ else {
        return Vec::new();
    };
    if differing.is_empty() {
        let all = "in this database alone, as the panel gave them";
        return vec![("grants", all.to_owned())];
    }
    let mut rows = Vec::new();
    for one in differing {
        let said = |what: &str, all: &[String]| {
            let lines = all
                .iter()
                .map(|line| format!("{what}: {}", shown(line, 300)));
            lines.collect::<Vec<_>>()
        };
        let lines = said("missing", &one.missing).into_iter();
        let lines = lines.chain(said("not from the panel", &one.more));
        rows.extend(lines.map(|line| ("grants", line)));
    }
    let mend = format!("put right with `lalapanel db repair {}`", detail.view.name);
    rows.push(("grants", mend));
    rows
}

fn tables(inside: &Inside, output: &mut Output) {
    if inside.tables.is_empty() {
        return;
    }
    output.line("");
    let head = ["TABLE", "ENGINE", "COLLATION", "ROWS (ABOUT)", "SIZE"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    rows.extend(inside.tables.iter().take(PRINTED).map(|one| {
        vec![
            shown(&one.name, 64),
            one.engine.clone().unwrap_or_else(|| one.kind.clone()),
            or_dash(one.collation.clone()),
            or_dash(one.rows.map(|rows| rows.to_string())),
            size_of(one.bytes),
        ]
    }));
    for row in table(&rows) {
        output.line(row);
    }
    if inside.tables.len() > PRINTED {
        output.line(format!(
            "and {} more; `--json` has all",
            inside.tables.len() - PRINTED
        ));
    }
}
