//! Asking a PHP-FPM over its socket: whether it is there, and how it answers a site's home page.
//!
//! Invariant: what comes back is bytes of a site; it is looked at, shortened and shown, and never acted on.
//! Format: FastCGI specification 1.0, section 3.3 (records) and 3.4 (name-value pairs).

use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::text::shown;

const VERSION: u8 = 1;
const BEGIN: u8 = 1;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;
const RESPONDER: u8 = 1;

/// What a page came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// None where there was no answer at all.
    pub status: Option<u16>,
    /// Whether nothing followed the headers.
    pub is_empty: bool,
    /// What PHP said beside it: its error stream.
    pub errors: String,
}

/// The request for `/-/ping`.
#[must_use]
pub fn ping_request() -> Vec<u8> {
    request(&[
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", "/-/ping"),
        ("SCRIPT_FILENAME", "/-/ping"),
        ("QUERY_STRING", ""),
    ])
}

/// The request for `/-/status`.
#[must_use]
pub fn status_request() -> Vec<u8> {
    request(&[
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", "/-/status"),
        ("SCRIPT_FILENAME", "/-/status"),
        ("QUERY_STRING", ""),
    ])
}

/// How many requests a pool works at or has waiting, of its status page; that question is one of them.
#[must_use]
pub fn busy(answer: &[u8]) -> Option<u32> {
    let output = stream(answer, STDOUT);
    let text = String::from_utf8_lossy(&output);
    let number = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().parse::<u32>().ok()
    };
    Some(number("active processes:")?.saturating_add(number("listen queue:")?))
}

/// The request for a site's home page, as nginx would pass it on.
#[must_use]
pub fn page_request(hostname: &Hostname, document_root: &HostPath) -> Vec<u8> {
    let file = document_root.join("index.php");
    let own = [
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", "/index.php"),
        ("SCRIPT_FILENAME", file.as_str()),
        ("DOCUMENT_ROOT", document_root.as_str()),
        ("DOCUMENT_URI", "/index.php"),
        ("REQUEST_URI", "/"),
        ("QUERY_STRING", ""),
        ("HTTP_USER_AGENT", "lalapanel-probe"),
    ];
    request(&[own.as_slice(), &from_here(hostname)].concat())
}

/// What nginx would say of a visitor on this machine.
fn from_here(hostname: &Hostname) -> [(&str, &str); 11] {
    [
        ("REQUEST_SCHEME", "http"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_SOFTWARE", "nginx"),
        ("REDIRECT_STATUS", "200"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REMOTE_PORT", "1"),
        ("SERVER_ADDR", "127.0.0.1"),
        ("SERVER_PORT", "80"),
        ("SERVER_NAME", hostname.as_str()),
        ("HTTP_HOST", hostname.as_str()),
    ]
}

/// The request that sends a form to a script of a site, as nginx would pass it on.
#[must_use]
pub fn form_request(
    hostname: &Hostname,
    document_root: &HostPath,
    script: &str,
    query: &str,
    form: &str,
) -> Vec<u8> {
    let (address, file) = (
        format!("{script}?{query}"),
        format!("{document_root}{script}"),
    );
    let length = form.len().to_string();
    let parameters = [
        ("REQUEST_METHOD", "POST"),
        ("CONTENT_TYPE", "application/x-www-form-urlencoded"),
        ("CONTENT_LENGTH", &length),
        ("SCRIPT_NAME", script),
        ("SCRIPT_FILENAME", &file),
        ("DOCUMENT_ROOT", document_root.as_str()),
        ("DOCUMENT_URI", script),
        ("REQUEST_URI", &address),
        ("QUERY_STRING", query),
        ("HTTP_USER_AGENT", "lalapanel"),
    ];
    let parameters = [parameters.as_slice(), &from_here(hostname)].concat();
    with_body(&parameters, form.as_bytes())
}

fn request(parameters: &[(&str, &str)]) -> Vec<u8> {
    with_body(parameters, &[])
}

fn with_body(parameters: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut pairs = Vec::new();
    for (name, value) in parameters {
        pairs.extend(length(name));
        pairs.extend(length(value));
        pairs.extend(name.bytes().chain(value.bytes()));
    }
    let mut request = record(BEGIN, &[0, RESPONDER, 0, 0, 0, 0, 0, 0]);
    request.extend(record(PARAMS, &pairs));
    request.extend(record(PARAMS, &[]));
    if !body.is_empty() {
        request.extend(record(STDIN, body));
    }
    request.extend(record(STDIN, &[]));
    request
}

/// Reads the answer to [`page_request`].
#[must_use]
pub fn page(answer: &[u8]) -> Page {
    let output = stream(answer, STDOUT);
    let text = String::from_utf8_lossy(&output);
    let (headers, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let named = headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("status"))
        .and_then(|(_, value)| value.split_whitespace().next()?.parse().ok());
    Page {
        // CGI/1.1 (RFC 3875, section 6.3.3): without the header it is 200.
        status: named.or((!output.is_empty()).then_some(200)),
        is_empty: body.trim().is_empty(),
        errors: String::from_utf8_lossy(&stream(answer, STDERR)).into_owned(),
    }
}

/// What PHP says went wrong, with the place relative to the site: `"Call to undefined function x()" in lib/a.php, line 41`.
///
/// PHP writes `PHP Fatal error:  Uncaught Error: MESSAGE in FILE:LINE` or `PHP Parse error:  MESSAGE in FILE on line LINE`.
#[must_use]
pub fn culprit(errors: &str, document_root: &HostPath) -> Option<String> {
    let line = errors.lines().find_map(|line| {
        let (_, rest) = line
            .split_once("PHP Fatal error:")
            .or_else(|| line.split_once("PHP Parse error:"))?;
        Some(rest.trim())
    })?;
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    let line = line.trim_end_matches(['"', '\'']);
    let Some((message, place)) = line.rsplit_once(" in /") else {
        return Some(shown(line, 300));
    };
    let place = format!("/{place}");
    let (file, number) = place
        .split_once(" on line ")
        .or_else(|| place.rsplit_once(':'))
        .unwrap_or((&place, ""));
    let root = format!("{document_root}/");
    let file = file.strip_prefix(&root).unwrap_or(file);
    Some(shown(
        &format!("\"{message}\" in {file}, line {number}"),
        300,
    ))
}

/// True where the answer is PHP-FPM's own `pong`.
#[must_use]
pub fn is_pong(answer: &[u8]) -> bool {
    stream(answer, STDOUT)
        .windows(8)
        .any(|window| window == b"\r\n\r\npong")
}

/// One byte up to 127, else four with the highest bit set.
fn length(text: &str) -> Vec<u8> {
    match u8::try_from(text.len()) {
        Ok(short) if short < 128 => vec![short],
        _ => (u32::try_from(text.len()).unwrap_or(0) | 1 << 31)
            .to_be_bytes()
            .to_vec(),
    }
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let mut bytes = vec![VERSION, kind, 0, 1, high, low, 0, 0];
    bytes.extend(content.iter().take(usize::from(length)));
    bytes
}

/// What the records of one kind hold; a cut-off record ends it.
fn stream(mut answer: &[u8], wanted: u8) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((&[_, kind, _, _, high, low, padding, _], rest)) = answer.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(content) = rest.get(..length) else {
            break;
        };
        if kind == wanted {
            text.extend(content);
        }
        answer = rest
            .get(length + usize::from(padding)..)
            .unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_in_output_records_is_heard_and_nothing_else_is() {
        let mut answer = record(STDOUT, b"Content-type: text/plain\r\n");
        answer.extend(record(STDOUT, b"\r\npong"));
        answer.extend(record(3, &[0; 8]));
        assert!(is_pong(&answer));
        assert!(!is_pong(&record(STDERR, b"\r\n\r\npong")));
        assert!(!is_pong(b"HTTP/1.1 200 OK\r\n\r\npong"));
        assert!(!is_pong(answer.get(..20).unwrap()));
        assert!(!is_pong(&[]));
    }

    #[test]
    fn the_request_is_four_records() {
        let request = ping_request();
        assert_eq!(request.get(..8).unwrap(), [1, 1, 0, 1, 0, 8, 0, 0]);
        assert!(request.windows(7).any(|window| window == b"/-/ping"));
        assert!(request.ends_with(&[1, 4, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 0, 0]));
    }
    #[test]
    fn a_page_is_read_with_its_status_its_text_and_its_errors() {
        let mut answer = record(STDERR, b"PHP message: PHP Fatal error:  Uncaught Error: Call to undefined function each() in /var/www/a.example/htdocs/lib/x.php:41\nStack trace:\n#0 {main}");
        answer.extend(record(
            STDOUT,
            b"Status: 500 Internal Server Error\r\nContent-type: text/html\r\n\r\n",
        ));
        let page = page(&answer);
        assert_eq!((page.status, page.is_empty), (Some(500), true));
        let root = HostPath::fixed("/var/www/a.example/htdocs");
        assert_eq!(
            culprit(&page.errors, &root).unwrap(),
            "\"Error: Call to undefined function each()\" in lib/x.php, line 41"
        );
        let parse =
            "PHP message: PHP Parse error:  syntax error, unexpected token in /srv/y.php on line 7";
        assert_eq!(
            culprit(parse, &root).unwrap(),
            "\"syntax error, unexpected token\" in /srv/y.php, line 7"
        );
        assert_eq!(culprit("PHP message: PHP Warning:  x", &root), None);
        let good = super::page(&record(STDOUT, b"Content-type: text/html\r\n\r\nhello"));
        assert_eq!((good.status, good.is_empty), (Some(200), false));
        assert_eq!(super::page(&[]).status, None);
    }

    #[test]
    fn the_requests_of_a_pool_are_counted() {
        let text = b"Content-type: text/plain\r\n\r\npool:                 s1001\nlisten queue:         2\nmax listen queue:     9\nidle processes:       1\nactive processes:     3\n";
        assert_eq!(busy(&record(STDOUT, text)), Some(5));
        assert_eq!(busy(&record(STDOUT, b"\r\n\r\npong")), None);
    }

    #[test]
    fn long_values_say_their_length_in_four_bytes() {
        assert_eq!(length("ab"), [2]);
        assert_eq!(length(&"a".repeat(200)), [0x80, 0, 0, 200]);
    }
}
