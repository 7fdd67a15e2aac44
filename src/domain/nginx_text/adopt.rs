//! What somebody added by hand to a site's nginx file, as directives of the owner's own.
//!
//! Invariant: either everything that differs is taken, or nothing is and each line that cannot be kept is named.

use crate::domain::nginx_text::refusal::{Refusal, Refused};
use crate::domain::nginx_text::snippet::Snippet;
use crate::domain::nginx_text::tree::{self, Directive};

/// The directives in `theirs` that `ours` does not hold, behind those in `before`.
pub fn adopted(ours: &str, theirs: &str, before: &Snippet) -> Result<Snippet, Refused> {
    let found = tree::parse(theirs).map_err(|wrong| {
        one(
            wrong.line,
            "",
            wrong.what,
            "put the line right, or put Lala's file back",
        )
    })?;
    let wanted = tree::read(ours).0;
    let mut difference = Difference::default();
    difference.files(&wanted, &found);
    let mut text = before.as_str().to_owned();
    for directive in &difference.added {
        let own = theirs
            .get(directive.start..directive.end)
            .unwrap_or_default();
        match Snippet::parse(own) {
            Ok(_) => {
                text.push_str(own);
                text.push('\n');
            }
            Err(Refused(refusals)) => {
                let in_file = |refusal: Refusal| Refusal {
                    line: refusal.line + directive.line - 1,
                    ..refusal
                };
                let refusals = refusals.into_iter().map(in_file);
                difference.refusals.extend(refusals);
            }
        }
    }
    if !difference.refusals.is_empty() {
        difference.refusals.sort_by_key(|refusal| refusal.line);
        return Err(Refused(difference.refusals));
    }
    if difference.added.is_empty() {
        return Err(one(
            1,
            "",
            "only comments, spaces or the order of lines differ",
            "there is nothing to keep: put Lala's file back, or leave it",
        ));
    }
    Snippet::parse(&text)
}

fn one(line: u32, directive: &str, why: &str, instead: &str) -> Refused {
    Refused(vec![refusal(line, directive, why, instead)])
}

fn refusal(line: u32, directive: &str, why: &str, instead: &str) -> Refusal {
    Refusal {
        line,
        directive: crate::domain::text::shown(directive, 60),
        why: why.to_owned(),
        instead: instead.to_owned(),
    }
}

#[derive(Default)]
struct Difference<'a> {
    added: Vec<&'a Directive>,
    refusals: Vec<Refusal>,
}

impl<'a> Difference<'a> {
    fn files(&mut self, ours: &[Directive], theirs: &'a [Directive]) {
        let (missing, extra) = unmatched(ours, theirs);
        let is_server = |directive: &&Directive| directive.name() == "server";
        let mut servers = missing.iter().copied().filter(is_server);
        for directive in extra {
            match servers.next().filter(|_| directive.name() == "server") {
                Some(server) => self.server(server, directive),
                None => self.refuse(
                    directive,
                    "stands outside the site's server block",
                    "put it into a file of your own in `/etc/nginx/conf.d/`",
                ),
            }
        }
        for lost in missing
            .iter()
            .filter(|one| !is_server(one))
            .copied()
            .chain(servers)
        {
            self.lost(lost, 1);
        }
    }

    /// Only the block that reads the owner's own directives can take more of them.
    fn server(&mut self, ours: &Directive, theirs: &'a Directive) {
        let (missing, extra) = unmatched(ours.children(), theirs.children());
        let mut missing = missing;
        let takes_more = ours.children().iter().any(|one| {
            one.name() == "include" && one.values().any(|value| value.contains("/custom/"))
        });
        for directive in extra {
            let same_place = |one: &&Directive| {
                one.inside.is_some()
                    && one
                        .words
                        .iter()
                        .map(|word| &word.value)
                        .eq(directive.words.iter().map(|word| &word.value))
            };
            let same_name =
                |one: &&Directive| one.inside.is_none() && one.name() == directive.name();
            let changed = missing
                .iter()
                .position(same_place)
                .or_else(|| missing.iter().position(same_name));
            match changed {
                Some(at) => {
                    missing.remove(at);
                    self.refuse(
                        directive,
                        "is Lala's own and was changed",
                        "use the site's setting for it, or another place",
                    );
                }
                None if takes_more => self.added.push(directive),
                None => self.refuse(
                    directive,
                    "stands in a block that only leads elsewhere",
                    "use the site's redirects",
                ),
            }
        }
        for lost in missing {
            self.lost(lost, theirs.line);
        }
    }

    fn refuse(&mut self, directive: &Directive, why: &str, instead: &str) {
        self.refusals
            .push(refusal(directive.line, directive.name(), why, instead));
    }

    fn lost(&mut self, directive: &Directive, line: u32) {
        let words: Vec<&str> = directive
            .words
            .iter()
            .map(|word| word.value.as_str())
            .collect();
        let name = words.join(" ");
        self.refusals.push(refusal(
            line,
            &name,
            "is Lala's own and was removed",
            "use the site's setting for it",
        ));
    }
}

/// Those of each side that the other does not hold.
fn unmatched<'a, 'b>(
    ours: &'b [Directive],
    theirs: &'a [Directive],
) -> (Vec<&'b Directive>, Vec<&'a Directive>) {
    let mut missing: Vec<&Directive> = ours.iter().collect();
    let mut extra = Vec::new();
    for directive in theirs {
        match missing.iter().position(|one| one.says_the_same(directive)) {
            Some(at) => {
                missing.remove(at);
            }
            None => extra.push(directive),
        }
    }
    (missing, extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "# ours\nserver {\n    listen 80;\n    include /etc/nginx/lalapanel/custom/s1.*conf;\n    location / {\n        try_files $uri =404;\n    }\n}\n";

    fn kept(theirs: &str) -> Result<String, Vec<(u32, String)>> {
        let before = Snippet::parse("etag off;").unwrap();
        adopted(OURS, theirs, &before)
            .map(|snippet| snippet.to_string())
            .map_err(|refused| {
                refused
                    .0
                    .into_iter()
                    .map(|refusal| (refusal.line, refusal.directive))
                    .collect()
            })
    }

    #[test]
    fn what_was_added_is_kept_behind_what_was_there() {
        let theirs = OURS.replace("    location / {", "    location = /new {\n        return 404; # mine\n    }\n    expires 1d;\n    location / {");
        assert_eq!(
            kept(&theirs).unwrap(),
            "etag off;\nlocation = /new {\n        return 404; # mine\n    }\nexpires 1d;\n"
        );
    }

    #[test]
    fn every_line_that_cannot_be_kept_is_named() {
        for (from, to, line, name) in [
            ("listen 80;", "listen 80;\n listen 8080;", 4, "listen"),
            ("listen 80;", "listen 8080;", 3, "listen"),
            ("    listen 80;\n", "", 2, "listen 80"),
            (
                "try_files $uri =404;",
                "try_files $uri =404; expires 1d;",
                5,
                "location",
            ),
            ("# ours\n", "map $a $b { default 1; }\n", 1, "map"),
            (
                "    location / {",
                "    root /etc;\n    location / {",
                5,
                "root",
            ),
            ("\n}\n", "\n", 2, ""),
        ] {
            let theirs = OURS.replacen(from, to, 1);
            assert_eq!(
                kept(&theirs),
                Err(vec![(line, name.to_owned())]),
                "{theirs}"
            );
        }
    }

    #[test]
    fn a_line_that_cannot_be_kept_keeps_the_others_from_being_kept() {
        let theirs = OURS.replace(
            "listen 80;",
            "listen 80;\n    expires 1d;\n    include /etc/passwd;",
        );
        assert_eq!(kept(&theirs), Err(vec![(5, "include".to_owned())]));
    }

    #[test]
    fn where_only_comments_differ_there_is_nothing_to_keep() {
        assert_eq!(
            kept(&OURS.replace("# ours", "# theirs")),
            Err(vec![(1, String::new())])
        );
    }
}
