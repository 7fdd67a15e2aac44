//! Redirects of paths, as people write them: one a line, from, to, status.
//!
//! Invariant: no rule leads back to itself, and no path is redirected twice.

use crate::domain::setting::values::RedirectRule;
use crate::domain::web_target::{Destination, RedirectCode, UrlPath};

pub(super) fn rules(text: &str) -> Result<Vec<RedirectRule>, String> {
    let mut rules: Vec<RedirectRule> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let shown = crate::domain::text::shown(line, 60);
        let rule = rule(line).map_err(|bad| format!("`{shown}`: {bad}"))?;
        if rules
            .iter()
            .any(|other| other.from == rule.from && other.prefix == rule.prefix)
        {
            return Err(format!("`{shown}`: this path is redirected twice"));
        }
        rules.push(rule);
    }
    if rules.len() > 500 {
        return Err("at most 500 redirects".to_owned());
    }
    Ok(rules)
}

fn rule(line: &str) -> Result<RedirectRule, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (from, to, code) = match words.as_slice() {
        [from, to] => (*from, *to, RedirectCode::default()),
        [from, to, code] => (*from, *to, RedirectCode::parse(code)?),
        _ => return Err("write from, to and the status, as in /old /new 301".to_owned()),
    };
    let (from, prefix) = match from.strip_suffix('*') {
        Some(front) => (front, true),
        None => (from, false),
    };
    let from = UrlPath::parse(from).map_err(|bad| bad.to_string())?;
    if from.as_str().contains('*') {
        return Err("a star may stand at the end only".to_owned());
    }
    if prefix && from.as_str() == "/" {
        return Err(
            "to send every visitor elsewhere, change the type of the site to redirect".to_owned(),
        );
    }
    let to = Destination::parse(to)?;
    let circles = match &to {
        Destination::Here(path) if prefix => path.as_str().starts_with(from.as_str()),
        Destination::Here(path) => *path == from,
        Destination::Elsewhere(_) => false,
    };
    if circles {
        return Err("this leads back to itself".to_owned());
    }
    Ok(RedirectRule {
        from,
        prefix,
        to,
        code,
    })
}

impl std::fmt::Display for RedirectRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let star = if self.prefix { "*" } else { "" };
        write!(
            f,
            "{}{star} {} {}",
            self.from,
            self.to.as_str(),
            self.code.as_str()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::setting::field::lines;

    #[test]
    fn redirects_are_read_line_by_line() {
        let read = rules("/old /new 301\n/blog/* https://blog.example 308\n").unwrap();
        assert_eq!(
            lines(&read),
            "/old /new 301\n/blog/* https://blog.example 308"
        );
        for bad in [
            "/a",
            "/a /a",
            "/* /b",
            "/a/* /a/b",
            "/a /b 200",
            "a /b",
            "/a;} /b",
            "/a /b\n/a /c",
            "/a $host",
        ] {
            assert!(rules(bad).is_err(), "{bad}");
        }
    }
}
