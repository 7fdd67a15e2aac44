//! Asking a PHP-FPM whether it is there: one FastCGI request for its ping page.
//!
//! Invariant: the request runs no code of the site; PHP-FPM answers `ping.path` itself.
//! Format: FastCGI specification 1.0, section 3.3 (records) and 3.4 (name-value pairs).

const VERSION: u8 = 1;
const BEGIN: u8 = 1;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const RESPONDER: u8 = 1;

/// The request for `/-/ping`.
#[must_use]
pub fn ping_request() -> Vec<u8> {
    let mut parameters = Vec::new();
    for (name, value) in [
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", "/-/ping"),
        ("SCRIPT_FILENAME", "/-/ping"),
        ("QUERY_STRING", ""),
    ] {
        parameters.extend([short_length(name), short_length(value)]);
        parameters.extend(name.bytes().chain(value.bytes()));
    }
    let mut request = record(BEGIN, &[0, RESPONDER, 0, 0, 0, 0, 0, 0]);
    request.extend(record(PARAMS, &parameters));
    request.extend(record(PARAMS, &[]));
    request.extend(record(STDIN, &[]));
    request
}

/// True where the answer is PHP-FPM's own `pong`.
#[must_use]
pub fn is_pong(answer: &[u8]) -> bool {
    output(answer)
        .windows(8)
        .any(|window| window == b"\r\n\r\npong")
}

fn short_length(text: &str) -> u8 {
    u8::try_from(text.len()).unwrap_or(127).min(127)
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let mut bytes = vec![VERSION, kind, 0, 1, high, low, 0, 0];
    bytes.extend(content.iter().take(usize::from(length)));
    bytes
}

/// What the standard-output records hold; a cut-off record ends it.
fn output(mut answer: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((&[_, kind, _, _, high, low, padding, _], rest)) = answer.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(content) = rest.get(..length) else {
            break;
        };
        if kind == STDOUT {
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
        assert!(!is_pong(&record(7, b"\r\n\r\npong")));
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
}
