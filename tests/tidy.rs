//! Holds the house in order: floors, headers, sizes, words. Reads the source as text and needs nothing else.
//!
//! Invariant: a rule that people agreed on and no compiler checks is a test here, and each failure names file, line and rule.

#![expect(
    clippy::disallowed_methods,
    reason = "this test reads the source tree itself"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The floors, lowest first. A module imports from lower floors only, and from itself.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["host", "render", "store", "rpc"],
    &["system", "acme"],
    &["ops", "schedule"],
    &["web", "agent", "worker", "courier"],
    &["install"],
    &["cli"],
];
/// Modules that see less than their floor allows.
const NARROW: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("render", &["render", "domain"]),
    ("store", &["store", "domain"]),
    ("rpc", &["rpc", "domain"]),
    ("host", &["host", "domain"]),
    ("worker", &["worker", "host", "domain"]),
    ("web", &["web", "rpc", "domain"]),
    ("acme", &["acme", "domain"]),
    ("courier", &["courier", "acme", "rpc", "host", "domain"]),
];
/// No file is longer; a longer one has two subjects.
const MOST_LINES: usize = 400;
/// Files of tests alone are longer: each test is read by itself.
const MOST_TEST_LINES: usize = 600;

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Lines with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(n, line)| (n + 1, line))
    }

    /// Lines that are not comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Lines before the tests of the file; none of a file that is all tests.
    fn product(&self) -> Vec<(usize, &str)> {
        let ends = |line: &str| line == "#[cfg(test)]" || line.starts_with("mod tests");
        let all = self.lines().collect::<Vec<_>>();
        let end = all
            .iter()
            .zip(all.iter().skip(1))
            .position(|((_, line), (_, next))| ends(line) && next.contains("mod tests"));
        all.into_iter().take(end.unwrap_or(usize::MAX)).collect()
    }

    fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let first = inside.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        // In a second checkout `.git` is a file.
        if ["target", "node_modules", ".git"]
            .iter()
            .any(|skip| name == *skip)
        {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every text file below these folders and with one of these endings.
fn files(folders: &[&str], endings: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        let path = root().join(folder);
        if path.is_file() {
            paths.push(path);
        } else {
            walk(&path, &mut paths);
        }
    }
    paths.sort();
    paths
        .iter()
        .filter(|path| {
            endings
                .iter()
                .any(|end| path.to_string_lossy().ends_with(end))
        })
        .filter_map(|path| {
            let name = path.strip_prefix(root()).unwrap_or(path);
            Some(Source {
                path: name.to_string_lossy().into_owned(),
                text: std::fs::read_to_string(path).ok()?,
            })
        })
        .collect()
}

fn source() -> Vec<Source> {
    let found = files(&["src"], &[".rs"]);
    assert!(found.len() > 50, "the source was not found");
    found
}

fn everything() -> Vec<Source> {
    let found = files(&[""], &[""]);
    assert!(found.len() > 100, "the repository was not found");
    found
}

fn assert_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Every `crate::module` a line names.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest.get(..end.unwrap_or(rest.len()))
    })
}

/// What `use crate::{a, b::c};` names.
fn braced(line: &str) -> Vec<&str> {
    let Some(list) = line.trim().strip_prefix("use crate::{") else {
        return Vec::new();
    };
    let list = list.trim_end_matches("};");
    list.split(',')
        .filter_map(|part| part.trim().split("::").next())
        .collect()
}

fn may_import(from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    if let Some((_, allowed)) = NARROW.iter().find(|(module, _)| *module == from) {
        return allowed.contains(&to);
    }
    match (floor(from), floor(to)) {
        (Some(from), Some(to)) => to < from,
        _ => false,
    }
}

#[test]
fn imports_go_down_only() {
    let mut broken = Vec::new();
    for file in source() {
        let Some(from) = file.module().filter(|m| !["lib", "main"].contains(m)) else {
            continue;
        };
        assert!(floor(from).is_some(), "`{from}` is on no floor");
        // Tests stand in for whoever is above them.
        for (number, line) in file.product() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for to in imports(line).chain(braced(line)) {
                let is_module = floor(to).is_some();
                if is_module && !may_import(from, to) {
                    broken.push(format!("{}:{number}: {from} imports {to}", file.path));
                }
            }
        }
    }
    assert_none("imports go down only", &broken);
}

#[test]
fn the_floor_test_knows_up_from_down() {
    assert!(may_import("agent", "store") && may_import("web", "rpc"));
    assert!(!may_import("store", "agent") && !may_import("web", "store"));
    assert!(!may_import("render", "host") && !may_import("domain", "rpc"));
    assert!(!may_import("agent", "web") && !may_import("install", "cli"));
    let line = "use crate::store::Store; fn f(x: crate::host::Mode) {}";
    assert_eq!(imports(line).collect::<Vec<_>>(), ["store", "host"]);
    assert_eq!(braced("use crate::{agent, web::User};"), ["agent", "web"]);
}

#[test]
fn every_file_says_what_it_is_for_and_what_always_holds() {
    let mut broken = Vec::new();
    for file in source() {
        let header: Vec<&str> = file
            .text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        if header.is_empty() {
            broken.push(format!("{}: no `//!` at the top", file.path));
        } else if !header.iter().any(|line| line.contains("Invariant:"))
            && !["src/lib.rs"].contains(&file.path.as_str())
        {
            broken.push(format!("{}: no invariant in its header", file.path));
        }
    }
    for file in files(&["tests"], &[".rs"]) {
        if !file.text.starts_with("//!") {
            broken.push(format!("{}: no `//!` at the top", file.path));
        }
    }
    assert_none(
        "a file opens with `//!`, its purpose and one invariant",
        &broken,
    );
}

#[test]
fn no_file_is_longer_than_can_be_read_at_a_sitting() {
    let mut broken = Vec::new();
    for file in files(&["src", "tests"], &[".rs"]) {
        let is_test = file.path.starts_with("tests/") || !has_product(&file);
        let most = if is_test { MOST_TEST_LINES } else { MOST_LINES };
        let lines = file.text.lines().count();
        if lines > most {
            broken.push(format!("{}: {lines} lines, {most} at most", file.path));
        }
    }
    assert_none("files are short", &broken);
}

/// False for files that only tests use, which their parent declares under `#[cfg(test)]`.
fn has_product(file: &Source) -> bool {
    let path = Path::new(&file.path);
    let (Some(folder), Some(name)) = (path.parent(), path.file_stem()) else {
        return true;
    };
    let parents = [
        root().join(folder).join("mod.rs"),
        root().join(format!("{}.rs", folder.display())),
    ];
    let name = name.to_string_lossy();
    let text = parents
        .iter()
        .find_map(|parent| std::fs::read_to_string(parent).ok())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    !lines.iter().zip(lines.iter().skip(1)).any(|(line, next)| {
        line.trim() == "#[cfg(test)]" && next.ends_with(&format!("mod {name};"))
    })
}

#[test]
fn names_are_whole_words() {
    let mut broken = Vec::new();
    for file in files(&["src", "tests"], &[".rs"]) {
        for (number, line) in file.code() {
            for bad in [
                "fn get_",
                "fn do_",
                "Manager {",
                "Helper",
                "Utils",
                "mod util",
            ] {
                let is_ours = !line.contains('"') && !line.contains("ServiceManager");
                if line.contains(bad) && is_ours {
                    broken.push(format!("{}:{number}: `{bad}`", file.path));
                }
            }
        }
    }
    assert_none("no `get_`, `do_`, Manager, Helper, Util", &broken);
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let calls = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("db", "g!("),
    ];
    let mut broken = Vec::new();
    for file in everything() {
        if file.path.starts_with("Cargo.lock") || file.path.contains("fixtures/") {
            continue;
        }
        for (number, line) in file.lines() {
            if words.iter().chain(&calls).any(|word| line.contains(word)) {
                broken.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("no notes about work not done", &broken);
}

#[test]
fn programs_start_in_the_host_only() {
    let mut broken = Vec::new();
    for file in source() {
        if file.path.starts_with("src/host/") {
            continue;
        }
        for (number, line) in file.product() {
            if line.contains("process::Command") || line.contains("fork(") {
                broken.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("only `host/` starts programs", &broken);
}

#[test]
fn no_program_is_a_shell() {
    let exec = std::fs::read_to_string(root().join("src/host/exec.rs")).unwrap();
    let shells = [
        "/sh\"", "/bash\"", "/dash\"", "/env\"", "/xargs\"", "/sudo\"", "/su\"",
    ];
    for shell in shells {
        assert!(!exec.contains(shell), "{shell} is in the list of programs");
    }
    assert!(exec.contains("\"/usr/sbin/nginx\""), "the list has moved");
}

#[test]
fn only_the_layout_writes_markup_unescaped() {
    let mut broken = Vec::new();
    for file in files(&["ui", "src"], &[".stpl"]) {
        let is_layout = file.path == "ui/layout.html.stpl";
        for (number, line) in file.lines() {
            if line.contains("<%-") && !is_layout {
                broken.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("`<%-` is for the layout alone", &broken);
}

#[test]
fn pages_run_no_script_and_style_of_their_own() {
    let mut broken = Vec::new();
    for file in files(&["ui"], &[".stpl"]) {
        for (number, line) in file.lines() {
            let handler = [
                "onclick=",
                "onsubmit=",
                "onload=",
                "style=\"",
                "javascript:",
                "<style",
            ];
            let inline = line.contains("<script>") || handler.iter().any(|bad| line.contains(bad));
            if inline {
                broken.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none(
        "the content policy allows no inline script or style",
        &broken,
    );
}

#[test]
fn people_are_told_what_to_do_and_never_oops() {
    let bad_words = [
        "Oops",
        "oops",
        "urn:ietf",
        "Something went wrong",
        "Invalid input",
    ];
    let mut broken = Vec::new();
    for file in files(&["src", "ui"], &[".rs", ".stpl", ".js"]) {
        for (number, line) in file.code() {
            for bad in bad_words {
                if line.contains(bad) {
                    broken.push(format!("{}:{number}: `{bad}`", file.path));
                }
            }
        }
    }
    assert_none("words for people", &broken);
}

#[test]
fn every_golden_file_is_compared_with_something() {
    let tests: String = files(&["src", "tests"], &[".rs", ".sh"])
        .into_iter()
        .map(|file| file.text)
        .collect();
    let mut broken = Vec::new();
    for golden in files(&["tests/golden"], &[""]) {
        let name = golden.path.rsplit('/').next().unwrap_or_default();
        if !tests.contains(name) {
            broken.push(golden.path);
        }
    }
    assert_none("a golden file nothing compares proves nothing", &broken);
}

#[test]
fn every_page_is_rendered_by_something() {
    let rust: String = source().into_iter().map(|file| file.text).collect();
    let templates: String = files(&["ui"], &[".stpl"])
        .into_iter()
        .map(|f| f.text)
        .collect();
    let mut broken = Vec::new();
    for page in files(&["ui"], &[".stpl"]) {
        let name = page.path.trim_start_matches("ui/");
        let short = name.rsplit('/').next().unwrap_or_default();
        if !rust.contains(name) && !templates.contains(short) {
            broken.push(page.path);
        }
    }
    assert_none("a template nobody renders is dead", &broken);
}

#[test]
fn the_repository_speaks_of_the_product_only() {
    // Put together so that this file does not name them either.
    let foreign = [
        concat!("/wo", "rk/"),
        concat!("../sha", "red"),
        concat!("issues ", "show"),
        concat!("worktr", "ee"),
        concat!("/home/", "user"),
        concat!("BEGIN OPENSSH ", "PRIVATE"),
    ];
    let mut broken = Vec::new();
    for file in everything() {
        for (number, line) in file.lines() {
            for word in foreign {
                if line.contains(word) {
                    broken.push(format!("{}:{number}: `{word}`", file.path));
                }
            }
        }
    }
    assert_none("nothing of the machine it was written on", &broken);
}

#[test]
fn text_files_end_cleanly() {
    let mut broken = Vec::new();
    let endings = [
        ".rs", ".md", ".toml", ".sh", ".stpl", ".css", ".js", ".service", ".socket",
    ];
    for file in files(&[""], &endings) {
        if !file.text.ends_with('\n') || file.text.ends_with("\n\n") {
            broken.push(format!("{}: does not end with one line end", file.path));
        }
        let is_document = Path::new(&file.path)
            .extension()
            .is_some_and(|end| end == "md");
        for (number, line) in file.lines() {
            let is_break = is_document && line.ends_with("  ");
            if line.trim_end() != line && !is_break || line.contains('\r') {
                broken.push(format!("{}:{number}: blanks at the end", file.path));
            }
        }
    }
    assert_none("no stray blanks", &broken);
}

#[test]
fn the_map_names_every_module() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let modules: BTreeSet<String> = source()
        .iter()
        .filter_map(|file| file.module().map(str::to_owned))
        .filter(|module| !["lib", "main"].contains(&module.as_str()))
        .collect();
    for module in modules {
        assert!(
            map.contains(&format!("`{module}`")),
            "`{module}` is not on the map"
        );
    }
}

#[test]
fn every_file_a_document_names_exists() {
    let mut broken = Vec::new();
    let is_path = |text: &str| {
        let known = ["src/", "tests/", "packaging/", "ui/", "docs/"];
        known.iter().any(|start| text.starts_with(start)) && !text.contains(['*', '<', ' ', '{'])
    };
    for file in files(&[""], &[".md"]) {
        for (number, line) in file.lines() {
            for named in line
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|text| is_path(text))
            {
                let target = named.trim_end_matches('/');
                if !root().join(target).exists() {
                    broken.push(format!("{}:{number}: `{named}`", file.path));
                }
            }
        }
    }
    assert_none("documents name files that exist", &broken);
}

#[test]
fn every_command_people_are_told_to_type_exists() {
    use clap::Parser as _;
    use clap::error::ErrorKind;
    let mut broken = Vec::new();
    let mut told = 0;
    for file in files(
        &["src", "ui", "docs", "README.md", "SECURITY.md"],
        &[".rs", ".md", ".stpl"],
    ) {
        for (number, line) in file.lines() {
            for rest in line.split("`lalapanel ").skip(1) {
                let Some((words, _)) = rest.split_once('`') else {
                    continue;
                };
                if words.contains(['…', '|', '[', '<']) {
                    continue;
                }
                told += 1;
                let typed = std::iter::once("lalapanel").chain(words.split_whitespace());
                let kind = lalapanel::cli::Cli::try_parse_from(typed)
                    .err()
                    .map(|e| e.kind());
                if let Some(ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument) = kind {
                    broken.push(format!("{}:{number}: `lalapanel {words}`", file.path));
                }
            }
        }
    }
    assert!(told > 30, "only {told} commands were found");
    assert_none("a hint names a command that exists", &broken);
}

#[test]
fn every_line_of_a_shell_in_a_document_can_be_typed_as_it_stands() {
    use clap::Parser as _;
    let mut broken = Vec::new();
    let mut typed = 0;
    for file in files(&["docs", "README.md", "SECURITY.md"], &[".md"]) {
        let mut in_shell = false;
        for (number, line) in file.lines() {
            if line.starts_with("```") {
                in_shell = line == "```sh";
                continue;
            }
            let line = line.trim_start().trim_start_matches("./");
            if !in_shell || !line.starts_with("lalapanel ") {
                continue;
            }
            typed += 1;
            let command = line.split(" #").next().unwrap_or_default();
            let command = command.split(" | ").next().unwrap_or_default();
            if let Err(error) = lalapanel::cli::Cli::try_parse_from(command.split_whitespace()) {
                broken.push(format!("{}:{number}: `{command}`: {error}", file.path));
            }
        }
    }
    assert!(typed > 60, "only {typed} lines were found");
    assert_none("a reader can copy the line", &broken);
}
