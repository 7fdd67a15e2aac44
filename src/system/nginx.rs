//! Asking nginx: whether it accepts its files, which operation's files it runs, what it answers for a site.
//!
//! Invariant: questions go through nginx's own Unix socket by Host header; the agent has no network.

use crate::domain::facts::Http2;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostError, HostResult};
use crate::render;
use crate::system::{files, nginx_text};

/// The marker's own name in a request.
const MARKER_HOST: &str = "lalapanel-marker.invalid";
/// nginx has 1.3 MB.
const PROGRAM_LIMIT: usize = 64 * 1024 * 1024;
const ANSWER_LIMIT: usize = 64 * 1024;
const MARKER_MILLIS: u64 = 2_000;
/// A site's first page may start its PHP-FPM.
const PROBE_MILLIS: u64 = 20_000;

/// The first line of what nginx finds wrong, with another main file than its own if given.
///
/// A name that two servers claim is only a warning to nginx, and the first file wins: where a staged file brings such a
/// line that the live files do not have, it counts as wrong.
pub fn complaint(host: &dyn Host, file: Option<&HostPath>) -> HostResult<Option<String>> {
    let (accepted, words) = test(host, file)?;
    if !accepted {
        return Ok(Some(first_error(&words)));
    }
    let conflicts = conflicts(&words);
    if file.is_none() || conflicts.is_empty() {
        return Ok(None);
    }
    let (_, before) = test(host, None)?;
    let before = self::conflicts(&before);
    Ok(conflicts.into_iter().find(|line| !before.contains(line)))
}

/// The bytes of nginx's program, for [`http2`] and [`http3`]; none where it is not installed.
///
/// Why not `nginx -V`: it would be one more program for every plan.
pub fn program(host: &dyn Host) -> HostResult<Vec<u8>> {
    match host.read(&HostPath::fixed(Program::Nginx.path()), PROGRAM_LIMIT) {
        Err(HostError::Missing { .. } | HostError::Kind { .. }) => Ok(Vec::new()),
        read => read,
    }
}

/// How this nginx speaks HTTP/2, by the version that it says to visitors; as far as none can be read, not at all.
#[must_use]
pub fn http2(program: &[u8]) -> Http2 {
    const SAYS: &[u8] = b"nginx/1.";
    let mut says = texts(program, SAYS).filter_map(|text| std::str::from_utf8(text).ok());
    let minor = says.find_map(|version| {
        let mut numbers = version.split(|c: char| !c.is_ascii_digit());
        let (minor, patch) = (numbers.next()?, numbers.next()?);
        Some((minor.parse::<u32>().ok()?, patch.parse::<u32>().ok()?))
    });
    match minor {
        Some(version) if version >= (25, 1) => Http2::Directive,
        Some(_) => Http2::Listen,
        None => Http2::No,
    }
}

/// Whether this nginx speaks HTTP/3: it holds the words it was configured with, which `nginx -V` says.
#[must_use]
pub fn http3(program: &[u8]) -> bool {
    texts(program, b"--with-http_v3_module").next().is_some()
}

/// What follows these words in the texts of a program.
fn texts<'a>(program: &'a [u8], words: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    program.split(|byte| *byte == 0).filter_map(move |text| {
        let at = text.windows(words.len()).position(|part| part == words)?;
        text.get(at + words.len()..)
    })
}

fn test(host: &dyn Host, file: Option<&HostPath>) -> HostResult<(bool, String)> {
    let mut arguments = vec!["-t".to_owned()];
    if let Some(file) = file {
        arguments.extend(["-c".to_owned(), file.to_string()]);
    }
    let output = host.run(&Command::new(Program::Nginx, arguments).within(120))?;
    Ok((output.is_success(), output.stderr))
}

fn first_error(words: &str) -> String {
    let line = words
        .lines()
        .find(|line| line.contains("[emerg]") || line.contains("[alert]"));
    let line = line.or_else(|| words.lines().find(|line| !line.trim().is_empty()));
    without_prefix(line.unwrap_or("nginx -t failed without a word"))
}

fn conflicts(words: &str) -> Vec<String> {
    words
        .lines()
        .filter(|line| line.contains("[warn]") && line.contains("conflicting server name"))
        .map(without_prefix)
        .collect()
}

/// `nginx: [emerg] …`, or with date and process number where stderr is the log: the words from the level on.
fn without_prefix(line: &str) -> String {
    let from = line.find('[').unwrap_or(0);
    line.get(from..).unwrap_or(line).trim().to_owned()
}

/// The main file with one more `include` at the end of its `http` block; `None` where it has no such block.
#[must_use]
pub fn with_include(main: &str, path: &HostPath) -> Option<String> {
    let directives = nginx_text::parse(main);
    let http = directives
        .iter()
        .find(|directive| directive.name() == "http")?;
    let (before, after) = main.split_at_checked(http.close?)?;
    Some(format!("{before}\n    include {path};\n{after}"))
}

/// The main file with the include of a directory written out file by file, and another file in place of one of them;
/// `None` where the directory is not included.
#[must_use]
pub fn with_instead(
    main: &str,
    link: &HostPath,
    enabled: &[String],
    instead: &HostPath,
) -> Option<String> {
    let directory = link.parent();
    let pattern = format!("{directory}/*");
    let relative = format!("{}/*", directory.name());
    let line = main.lines().find(|line| {
        let rest = line.trim().strip_prefix("include").unwrap_or_default();
        let word = rest.trim().trim_end_matches(';').trim_matches(['"', '\'']);
        rest.trim_end().ends_with(';') && (word == pattern || word == relative)
    })?;
    let mut lines: Vec<String> = enabled
        .iter()
        .filter(|name| !name.starts_with('.') && **name != *link.name())
        .map(|name| format!("    include \"{directory}/{name}\";"))
        .collect();
    lines.push(format!("    include {instead};"));
    Some(main.replacen(line, &lines.join("\n"), 1))
}

/// The id that the marker file says.
#[must_use]
pub fn marker_in(text: &str) -> Option<String> {
    let rest = text.split_once("return 200 \"")?.1;
    let id = rest.split_once("\\n\"")?.0;
    Some(id.to_owned())
}

/// The id that the running nginx says; `None` where it says nothing.
#[must_use]
pub fn marker(host: &dyn Host) -> Option<String> {
    let answer = ask(host, MARKER_HOST, "/generation", MARKER_MILLIS).ok()?;
    if status(&answer) != Some(200) {
        return None;
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let body = text.split_once("\r\n\r\n")?.1.trim();
    Some(body.to_owned()).filter(|body| !body.is_empty())
}

/// The workers that still take connections; empty where the system does not tell.
///
/// nginx gives a worker that was told to leave another title before it closes its listeners.
#[must_use]
pub fn workers(host: &dyn Host) -> Vec<u32> {
    let master = files::text_or_empty(host, "/run/nginx.pid");
    let Some(master) = number(&master) else {
        return Vec::new();
    };
    let children = process(master)
        .join("task")
        .join(&master.to_string())
        .join("children");
    text_of(host, &children)
        .split_whitespace()
        .filter_map(number)
        .filter(|child| is_working(&text_of(host, &process(*child).join("cmdline"))))
        .collect()
}

fn is_working(title: &str) -> bool {
    title.trim_end_matches(['\0', ' ']) == "nginx: worker process"
}

fn number(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

fn process(number: u32) -> HostPath {
    HostPath::fixed("/proc").join(&number.to_string())
}

fn text_of(host: &dyn Host, path: &HostPath) -> String {
    let text = files::text(host, path).ok().flatten();
    text.unwrap_or_default()
}

/// A site's first page, looked at roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstPage {
    /// Its status.
    pub status: u16,
    /// Whether nothing followed the headers.
    pub is_empty: bool,
}

/// The status of a site's first page; `None` where nginx closes without an answer.
pub fn probe(host: &dyn Host, hostname: &Hostname) -> HostResult<Option<u16>> {
    Ok(first_page(host, hostname)?.map(|page| page.status))
}

/// A site's first page; `None` where nginx closes without an answer.
pub fn first_page(host: &dyn Host, hostname: &Hostname) -> HostResult<Option<FirstPage>> {
    match ask(host, hostname.as_str(), "/", PROBE_MILLIS) {
        Ok(answer) => Ok(status(&answer).map(|status| FirstPage {
            status,
            is_empty: is_empty(&answer),
        })),
        Err(HostError::Silent { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn ask(host: &dyn Host, name: &str, path: &str, millis: u64) -> HostResult<Vec<u8>> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: lalapanel-probe\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    );
    host.exchange(
        &render::nginx::socket(),
        request.as_bytes(),
        ANSWER_LIMIT,
        millis,
    )
}

/// Nothing after the headers; an empty body in chunks is `0` and two line ends.
fn is_empty(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    matches!(body.trim(), "" | "0")
}

/// `HTTP/1.1 200 OK`.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let rest = line.strip_prefix("HTTP/1.")?;
    rest.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::render::golden;

    #[test]
    fn the_line_that_names_the_culprit_is_found() {
        let words = "nginx: [warn] conflicting server name \"a.example\" on 0.0.0.0:80, ignored\nnginx: [emerg] unknown directive \"lisen\" in /etc/nginx/sites-enabled/x:3\nnginx: configuration file /etc/nginx/nginx.conf test failed\n";
        assert_eq!(
            first_error(words),
            "[emerg] unknown directive \"lisen\" in /etc/nginx/sites-enabled/x:3"
        );
        assert_eq!(conflicts(words).len(), 1);
        assert_eq!(
            first_error("2026/11/22 10:00:00 [emerg] 7#7: open() failed"),
            "[emerg] 7#7: open() failed"
        );
    }

    #[test]
    fn a_file_is_included_at_the_end_of_http_and_nowhere_else() {
        let main = "events { }\nhttp {\n  # } not here\n  server { }\n  include sites-enabled/*;\n}\nstream { }\n";
        let staged = with_include(
            main,
            &HostPath::fixed("/etc/nginx/sites-available/a.example"),
        )
        .unwrap();
        assert_eq!(
            staged,
            "events { }\nhttp {\n  # } not here\n  server { }\n  include sites-enabled/*;\n\n    include /etc/nginx/sites-available/a.example;\n}\nstream { }\n"
        );
        assert_eq!(with_include("events { }", &HostPath::fixed("/a")), None);
    }

    #[test]
    fn one_file_of_a_directory_is_replaced_and_the_others_stay() {
        let main = "http {\n  include conf.d/*.conf;\n  include /etc/nginx/sites-enabled/*;\n}\n";
        let link = HostPath::fixed("/etc/nginx/sites-enabled/a.example");
        let enabled = ["a.example", "b.example", ".hidden"].map(str::to_owned);
        let staged = with_instead(main, &link, &enabled, &HostPath::fixed("/etc/nginx/s.conf"));
        assert_eq!(
            staged.unwrap(),
            "http {\n  include conf.d/*.conf;\n    include \"/etc/nginx/sites-enabled/b.example\";\n    include /etc/nginx/s.conf;\n}\n"
        );
        let other = "http { include /srv/*; }";
        assert_eq!(with_instead(other, &link, &enabled, &link), None);
    }

    #[test]
    fn the_marker_is_read_back_from_its_file() {
        let id = golden::operation();
        assert_eq!(marker_in(&render::nginx::marker(id)), Some(id.to_string()));
        assert_eq!(marker_in("server { }"), None);
    }

    #[test]
    fn a_worker_on_its_way_out_takes_no_connections() {
        assert!(is_working("nginx: worker process\0\0\0"));
        assert!(!is_working("nginx: worker process is shutting down\0"));
        assert!(!is_working("nginx: cache manager process\0"));
        assert!(!is_working(""));
    }

    #[test]
    fn workers_are_the_children_of_the_master() {
        let host = MemoryHost::new(Machine::debian());
        assert!(workers(&host).is_empty(), "nothing is known without /proc");
        host.change(|machine| {
            for (path, text) in [
                ("/run/nginx.pid", "107\n"),
                ("/proc/107/task/107/children", "360 361 362 "),
                ("/proc/360/cmdline", "nginx: worker process\0"),
                (
                    "/proc/361/cmdline",
                    "nginx: worker process is shutting down\0",
                ),
            ] {
                machine.tree.put_text(&HostPath::fixed(path), text);
            }
        });
        assert_eq!(workers(&host), [360]);
    }

    #[test]
    fn an_answer_without_a_text_is_empty_also_in_chunks() {
        assert!(is_empty(b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n"));
        assert!(is_empty(b"HTTP/1.1 200 OK\r\n\r\n0\r\n\r\n"));
        assert!(!is_empty(b"HTTP/1.1 200 OK\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    }

    #[test]
    fn a_status_is_read_from_the_first_line_only() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.1 502 Bad Gateway\r\n"), Some(502));
        for bad in [&b""[..], b"SSH-2.0", b"HTTP/1.1 abc"] {
            assert_eq!(status(bad), None);
        }
    }
}
