//! Where to go after signing in: a path on this panel, never anywhere else (security.md W-10).
//!
//! Invariant: the text begins with exactly one `/` and holds nothing a browser would read as another host.

/// A path with its query, on this panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalPath(String);

impl LocalPath {
    /// The first page.
    pub(super) fn home() -> Self {
        Self("/".to_owned())
    }

    /// Reads `next=`; whatever is not plainly a path of ours means the first page.
    pub(super) fn parse(text: &str) -> Self {
        let second = text.as_bytes().get(1);
        let plain = text.len() <= 2048
            && text.starts_with('/')
            && !matches!(second, Some(b'/' | b'\\'))
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'));
        if plain {
            Self(text.to_owned())
        } else {
            Self::home()
        }
    }

    /// For `Location` and hidden fields.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_panel_are_followed() {
        for bad in [
            "",
            "//evil",
            "/\\evil",
            "https:evil",
            "https://evil",
            "\\\\evil",
            "/a\r\nX: y",
            "/a b",
            "javascript:x",
        ] {
            assert_eq!(LocalPath::parse(bad), LocalPath::home(), "{bad:?}");
        }
        for good in ["/", "/sites", "/sites/new?hostname=a.example&type=php"] {
            assert_eq!(LocalPath::parse(good).as_str(), good);
        }
    }
}
