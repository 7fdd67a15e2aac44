//! Did this request come from a page of this panel? (security.md W-2 to W-4)
//!
//! Invariant: a state change needs both proofs: the browser's own word about its origin, and the token of the session or visitor.

use poem::http::{HeaderMap, header};

use crate::domain::secret::Token;
use crate::web::clock;
use crate::web::form::Fields;
use crate::web::refusal::Refusal;

/// Requires a state change to come from this origin.
///
/// Browsers say it in `Sec-Fetch-Site`; older ones send `Origin` with every POST. Under `Referrer-Policy: no-referrer` that
/// `Origin` is `null`, which proves nothing and is accepted only beside the browser's own word.
pub(super) fn require_same(headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
    let allowed = match (site(headers), origin(headers, host)) {
        (Some(true), origin) => origin != Origin::Foreign,
        (None, origin) => origin == Origin::Ours,
        (Some(false), _) => false,
    };
    allowed.then_some(()).ok_or(Refusal::FORBIDDEN_ORIGIN)
}

/// Requires a stream not to come from elsewhere. Same-origin GETs of older browsers carry neither header.
pub(super) fn refuse_foreign(headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
    let foreign = site(headers) == Some(false)
        || matches!(origin(headers, host), Origin::Foreign | Origin::Null);
    (!foreign).then_some(()).ok_or(Refusal::FORBIDDEN_ORIGIN)
}

/// The token a form of somebody signed in must carry: derived from the session, so the cookie itself never stands in a page,
/// and masked with fresh chance, so that no two packed pages hold the same secret bytes.
pub(super) fn form_token(session: &Token) -> Result<String, Refusal> {
    Ok(masked(session, &clock::token()?))
}

/// The same before anybody is signed in. These pages are not packed and stay the same bytes for the same question, so that a
/// wrong name and a wrong password look alike.
pub(super) fn visitor_token(visitor: &Token) -> String {
    masked(visitor, &visitor.derived("mask"))
}

fn masked(secret: &Token, mask: &Token) -> String {
    format!("{}{}", mask.reveal(), xor(mask, &secret.derived("form")))
}

/// Requires the form to carry that token.
pub(super) fn require_token(fields: &Fields, secret: Option<&Token>) -> Result<(), Refusal> {
    match (unmasked(fields.raw("token")), secret) {
        (Some(sent), Some(secret)) if secret.derived("form").is_same(&sent) => Ok(()),
        _ => Err(Refusal::STALE_FORM),
    }
}

fn unmasked(text: &str) -> Option<Token> {
    let (mask, hidden) = text.split_at_checked(64)?;
    let (mask, hidden) = (Token::parse(mask).ok()?, Token::parse(hidden).ok()?);
    Token::parse(&xor(&mask, &hidden)).ok()
}

/// Both are 64 hexadecimal digits, which is what makes a token.
fn xor(one: &Token, other: &Token) -> String {
    one.reveal()
        .chars()
        .zip(other.reveal().chars())
        .filter_map(|(a, b)| char::from_digit(a.to_digit(16)? ^ b.to_digit(16)?, 16))
        .collect()
}

fn site(headers: &HeaderMap) -> Option<bool> {
    let value = headers.get("sec-fetch-site")?;
    Some(value == "same-origin")
}

/// What the header of that name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Absent,
    Ours,
    Null,
    Foreign,
}

fn origin(headers: &HeaderMap, host: &str) -> Origin {
    let ours = format!("https://{host}");
    match headers.get(header::ORIGIN) {
        None => Origin::Absent,
        Some(value) if value.as_bytes().eq_ignore_ascii_case(ours.as_bytes()) => Origin::Ours,
        Some(value) if value == "null" => Origin::Null,
        Some(_) => Origin::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_change_from_elsewhere_is_refused() {
        let host = "panel.example:8443";
        for good in [
            headers(&[("sec-fetch-site", "same-origin")]),
            headers(&[("origin", "https://panel.example:8443")]),
            headers(&[("sec-fetch-site", "same-origin"), ("origin", "null")]),
            headers(&[
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://panel.example:8443"),
            ]),
        ] {
            assert!(require_same(&good, host).is_ok(), "{good:?}");
        }
        for bad in [
            headers(&[]),
            headers(&[("sec-fetch-site", "cross-site")]),
            headers(&[("sec-fetch-site", "same-site")]),
            headers(&[("sec-fetch-site", "none")]),
            headers(&[("origin", "null")]),
            headers(&[("sec-fetch-site", "cross-site"), ("origin", "null")]),
            headers(&[("origin", "https://panel.example")]),
            headers(&[("origin", "http://panel.example:8443")]),
            headers(&[
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://evil.example"),
            ]),
        ] {
            assert!(require_same(&bad, host).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_stream_is_refused_only_when_it_comes_from_elsewhere() {
        let host = "panel.example:8443";
        assert!(refuse_foreign(&headers(&[]), host).is_ok());
        assert!(refuse_foreign(&headers(&[("sec-fetch-site", "same-origin")]), host).is_ok());
        assert!(refuse_foreign(&headers(&[("sec-fetch-site", "same-site")]), host).is_err());
        assert!(refuse_foreign(&headers(&[("origin", "https://evil.example")]), host).is_err());
    }

    #[test]
    fn a_form_needs_the_token_of_this_session_and_not_the_cookie() {
        let session = Token::from_random([3; 32]);
        let form = |token: &str| Fields::parse(format!("token={token}").as_bytes());
        let token = form_token(&session).unwrap();
        assert!(require_token(&form(&token), Some(&session)).is_ok());
        assert_ne!(
            token,
            form_token(&session).unwrap(),
            "each page has its own mask"
        );
        let visitor = visitor_token(&session);
        assert!(require_token(&form(&visitor), Some(&session)).is_ok());
        assert!(!token.contains(session.derived("form").reveal()));
        let other = form_token(&Token::from_random([4; 32])).unwrap();
        for bad in [
            other.as_str(),
            session.reveal(),
            "",
            &token[..64],
            &format!("{token}0"),
        ] {
            assert!(require_token(&form(bad), Some(&session)).is_err(), "{bad}");
        }
        assert!(require_token(&Fields::default(), Some(&session)).is_err());
        assert!(require_token(&form(&token), None).is_err());
    }
}
