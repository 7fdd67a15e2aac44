//! The file of a site's own nginx directives, apart from everything Lala writes.
//!
//! Invariant: what a person typed stands in a file of its own, where a brace too many is nginx's error and not another server.

use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::render::block::Word;

/// Only root reads it: directives are nobody's business but the owner's.
#[must_use]
pub fn snippet_directory() -> HostPath {
    HostPath::fixed("/etc/nginx/lalapanel/custom")
}

/// Where the directives of a site are.
#[must_use]
pub fn snippet_file(site: &Site) -> HostPath {
    snippet_directory().join(&format!("{}.conf", site.id))
}

/// While they are tested.
#[must_use]
pub fn staged_snippet_file() -> HostPath {
    HostPath::fixed("/etc/nginx/lalapanel-staged-snippet.conf")
}

/// A mask, so that no file is no error; with the dot it fits no other site's number, and no copy an editor leaves.
pub(super) fn mask(site: &Site) -> Word {
    Word::of_site("/etc/nginx/lalapanel/custom/", site.id, ".*conf")
}

/// The site's nginx file as it reads the directives that are tested.
#[must_use]
pub fn with_staged_snippet(text: &str, site: &Site) -> String {
    let live = format!("{}/{}.*conf", snippet_directory(), site.id);
    text.replace(&live, staged_snippet_file().as_str())
}

/// The file; `None` where the site has no directives of its own.
///
/// Why ours comes last: the lines are then those of the editor.
#[must_use]
pub fn snippet(site: &Site) -> Option<String> {
    let text = site.snippet.as_str();
    (!text.is_empty()).then(|| format!("{text}# {}\n", super::OWNED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Abilities;
    use crate::domain::nginx_text::Snippet;
    use crate::render::golden;
    use crate::render::nginx;

    #[test]
    fn the_lines_are_those_the_owner_typed_and_ours_is_the_last() {
        let mut site = golden::php_site();
        assert_eq!(snippet(&site), None);
        site.snippet = Snippet::parse("expires 1d;\n\nlocation = /a { return 404; }").unwrap();
        golden::check("nginx-snippet.conf", &snippet(&site).unwrap());
    }

    #[test]
    fn the_file_of_a_site_reads_its_own_directives_and_only_those() {
        let site = golden::php_site();
        let text = nginx::site(
            &site,
            Abilities {
                ipv6: true,
                brotli: false,
                shared_php: false,
            },
        );
        assert_eq!(
            text.matches("/etc/nginx/lalapanel/custom/s1001.*conf;")
                .count(),
            1
        );
        let staged = with_staged_snippet(&text, &site);
        assert!(!staged.contains("/custom/"));
        assert_eq!(staged.matches(staged_snippet_file().as_str()).count(), 1);
    }
}
