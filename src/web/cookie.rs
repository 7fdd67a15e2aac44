//! The four cookies: the session, the visitor's token before sign-in, what tells a known browser, and the chosen theme.
//!
//! Invariant: every cookie is `__Host-` and `Secure`; the three that are secrets are also `HttpOnly` and `SameSite=Strict`.

use poem::http::{HeaderMap, header};

use crate::domain::secret::Token;

const SESSION: &str = "__Host-lala_session";
const VISITOR: &str = "__Host-lala_visit";
const DEVICE: &str = "__Host-lala_device";
const THEME: &str = "__Host-lala_theme";

/// Light, dark, or whatever the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    pub(super) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As it stands in the cookie, in the form and in `<html data-theme>`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The word on its button.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// Reads a cookie or a form; anything else is `System`.
    pub(super) fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == text)
            .unwrap_or(Self::System)
    }
}

/// The session of the request, where its cookie holds a well-formed token.
pub(super) fn session(headers: &HeaderMap) -> Option<Token> {
    Token::parse(read(headers, SESSION)?).ok()
}

/// The visitor's token of the request.
pub(super) fn visitor(headers: &HeaderMap) -> Option<Token> {
    Token::parse(read(headers, VISITOR)?).ok()
}

/// What this browser was given when it signed in before.
pub(super) fn device(headers: &HeaderMap) -> Option<Token> {
    Token::parse(read(headers, DEVICE)?).ok()
}

/// The theme of the request.
pub(super) fn theme(headers: &HeaderMap) -> Theme {
    read(headers, THEME).map_or(Theme::System, Theme::parse)
}

/// A `Set-Cookie` that starts a session. It ends with the browser; the agent ends it sooner.
pub(super) fn set_session(token: &Token) -> String {
    format!(
        "{SESSION}={}; Path=/; Secure; HttpOnly; SameSite=Strict",
        token.reveal()
    )
}

/// A `Set-Cookie` that forgets the session.
pub(super) fn clear_session() -> String {
    format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// A `Set-Cookie` for the visitor's token.
pub(super) fn set_visitor(token: &Token) -> String {
    format!(
        "{VISITOR}={}; Path=/; Secure; HttpOnly; SameSite=Strict",
        token.reveal()
    )
}

/// A `Set-Cookie` by which the next sign-in knows this browser, kept for a year.
pub(super) fn set_device(token: &Token) -> String {
    format!(
        "{DEVICE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=31536000",
        token.reveal()
    )
}

/// A `Set-Cookie` for the theme, kept for a year.
pub(super) fn set_theme(theme: Theme) -> String {
    format!(
        "{THEME}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000",
        theme.as_str()
    )
}

fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others_and_nothing_else_is_a_token() {
        let token = Token::from_random([7; 32]);
        let mut headers = HeaderMap::new();
        let line = format!("a=b; {SESSION}={}; {THEME}=dark", token.reveal());
        headers.insert(header::COOKIE, line.parse().unwrap());
        assert!(session(&headers).unwrap().is_same(&token));
        assert!(visitor(&headers).is_none());
        assert_eq!(theme(&headers), Theme::Dark);
        headers.insert(
            header::COOKIE,
            format!("{SESSION}=../../x").parse().unwrap(),
        );
        assert!(session(&headers).is_none());
        assert_eq!(theme(&headers), Theme::System);
    }

    #[test]
    fn secret_cookies_are_host_only_strict_and_out_of_reach_of_scripts() {
        let token = Token::from_random([7; 32]);
        for line in [
            set_session(&token),
            set_visitor(&token),
            set_device(&token),
            clear_session(),
        ] {
            assert!(line.starts_with("__Host-"));
            for flag in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
                assert!(line.contains(flag), "{line} lacks {flag}");
            }
            assert!(!line.contains("Domain"));
        }
    }
}
