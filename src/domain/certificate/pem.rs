//! The blocks of a PEM text (RFC 7468), found by their first and last lines.
//!
//! Invariant: a block that leaves here has only base64 between its two lines, in rows of 64.

use zeroize::Zeroizing;

/// One block.
pub(super) struct Section {
    /// `CERTIFICATE`.
    pub(super) label: String,
    /// The block anew, with line ends of ours.
    pub(super) text: Zeroizing<String>,
    /// It has header lines, as old encrypted keys do.
    pub(super) has_headers: bool,
}

/// Every block, in order; a block without its end is left out.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(label) = marked(line, "BEGIN") {
            found.extend(section(label, &mut lines));
        }
    }
    found
}

fn marked<'t>(line: &'t str, what: &str) -> Option<&'t str> {
    let rest = line.strip_prefix("-----")?.strip_prefix(what)?;
    rest.strip_prefix(' ')?.strip_suffix("-----")
}

fn section<'t>(label: &str, lines: &mut impl Iterator<Item = &'t str>) -> Option<Section> {
    let mut base64 = Zeroizing::new(String::new());
    let mut has_headers = false;
    for line in lines {
        if marked(line, "END") == Some(label) {
            return Some(Section {
                label: label.to_owned(),
                text: written(label, &base64),
                has_headers,
            });
        }
        if line.contains(':') {
            has_headers = true;
        } else {
            base64.extend(line.chars().filter(|c| !c.is_whitespace()));
        }
    }
    None
}

fn written(label: &str, base64: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    // Room at once: a string that grows leaves copies behind.
    text.reserve(base64.len() + base64.len() / 64 + label.len() + 32);
    let mut rest = base64;
    while !rest.is_empty() {
        let (row, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(row);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_other_text_and_written_anew() {
        let text = "Bag Attributes\r\n-----BEGIN A B-----\r\nQUJD\r\n REVG\r\n-----END A B-----\r\nrest\n-----BEGIN C-----\nQQ==\n";
        let found = sections(text);
        let [one] = found.as_slice() else {
            panic!("one block is whole");
        };
        assert_eq!(
            one.text.as_str(),
            "-----BEGIN A B-----\nQUJDREVG\n-----END A B-----\n"
        );
        assert!(!one.has_headers && one.label == "A B");
        let long = format!(
            "-----BEGIN C-----\nProc-Type: 4\n\n{}\n-----END C-----",
            "A".repeat(100)
        );
        let found = sections(&long);
        assert!(found.first().is_some_and(|one| one.has_headers));
        assert_eq!(found.first().unwrap().text.lines().count(), 4);
    }
}
