//! Which regular expressions a snippet may hold.
//!
//! Invariant: no repetition stands around another one or around alternatives, so matching takes no exponential time.

use crate::domain::nginx_text::refusal::{No, no};

/// A longer expression is not read by people either.
const LENGTH: usize = 200;
/// Each further unbounded repetition multiplies the time by the length of the address.
const UNBOUNDED: usize = 3;

/// Refuses what could take very long, and what reaches beyond matching.
pub(super) fn check(pattern: &str) -> Result<(), No> {
    if pattern.is_empty() || pattern.len() > LENGTH {
        return no(
            format!("has an expression of {} characters", pattern.len()),
            format!("use 1 to {LENGTH}"),
        );
    }
    if !pattern.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return no(
            "has an expression with characters outside ASCII",
            "write them as a plain path",
        );
    }
    let mut reader = Reader {
        rest: pattern.chars().collect::<Vec<_>>().into_iter().peekable(),
        unbounded: 0,
    };
    reader.alternatives(0)?;
    if reader.unbounded > UNBOUNDED {
        return no(
            format!(
                "has an expression with {} unbounded repetitions",
                reader.unbounded
            ),
            format!("use at most {UNBOUNDED} of `*` and `+`"),
        );
    }
    Ok(())
}

struct Reader {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    unbounded: usize,
}

/// What a part of an expression holds.
#[derive(Clone, Copy, Default)]
struct Holds {
    repetition: bool,
    choice: bool,
}

impl Reader {
    fn alternatives(&mut self, depth: usize) -> Result<Holds, No> {
        if depth > 8 {
            no(
                "has an expression whose groups nest too deep",
                "write a simpler one",
            )?;
        }
        let mut holds = Holds::default();
        while let Some(letter) = self.rest.next() {
            let part = match letter {
                ')' if depth > 0 => return Ok(holds),
                ')' => return unbalanced(),
                '|' => {
                    holds.choice = true;
                    continue;
                }
                '(' => self.group(depth)?,
                '[' => self.class()?,
                '\\' => self.escape()?,
                '*' | '+' | '?' => {
                    no(
                        "has an expression that repeats nothing",
                        "put a character before it",
                    )?;
                    Holds::default()
                }
                _ => Holds::default(),
            };
            let repeated = self.repetition(part)?;
            holds.repetition |= repeated || part.repetition;
            holds.choice |= part.choice;
        }
        if depth > 0 { unbalanced() } else { Ok(holds) }
    }

    fn group(&mut self, depth: usize) -> Result<Holds, No> {
        if self.rest.next_if_eq(&'*').is_some() {
            no("has an expression with a control verb", "leave out `(*…)`")?;
        }
        if self.rest.next_if_eq(&'?').is_some()
            && self
                .rest
                .next_if(|c| matches!(c, ':' | '=' | '!'))
                .is_none()
        {
            no(
                "has an expression with a named, conditional or recursive group",
                "use `(…)`, `(?:…)`, `(?=…)` or `(?!…)`",
            )?;
        }
        self.alternatives(depth + 1)
    }

    fn class(&mut self) -> Result<Holds, No> {
        self.rest.next_if_eq(&'^');
        self.rest.next_if_eq(&']');
        loop {
            match self.rest.next() {
                Some(']') => return Ok(Holds::default()),
                Some('\\') => {
                    self.rest.next();
                }
                Some(_) => {}
                None => return unbalanced(),
            }
        }
    }

    fn escape(&mut self) -> Result<Holds, No> {
        match self.rest.next() {
            Some('d' | 'w' | 's' | 'D' | 'W' | 'S' | 'b' | 'B') => Ok(Holds::default()),
            Some(letter) if !letter.is_ascii_alphanumeric() => Ok(Holds::default()),
            _ => {
                no(
                    "has an expression with a back-reference or a rare escape",
                    r"use `\d`, `\w`, `\s`, `\b` or an escaped sign such as `\.`",
                )?;
                Ok(Holds::default())
            }
        }
    }

    /// Reads a repetition; true where one stands here.
    fn repetition(&mut self, of: Holds) -> Result<bool, No> {
        let unbounded = match self.rest.peek() {
            Some('*' | '+') => {
                self.rest.next();
                true
            }
            Some('?') => {
                self.rest.next();
                return Ok(false);
            }
            Some('{') => {
                let Some(unbounded) = self.counted() else {
                    no(
                        "has an expression with an odd `{`",
                        "use `{n}`, `{n,m}` with numbers up to 99, or `\\{`",
                    )?;
                    return Ok(false);
                };
                unbounded
            }
            _ => return Ok(false),
        };
        // Lazy or possessive.
        self.rest.next_if(|c| matches!(c, '?' | '+'));
        if of.repetition || of.choice {
            no(
                "has an expression that repeats a repetition, which can take minutes on a long address",
                "write the repetition once, as in `[a-z/]+` instead of `([a-z]+/)+`",
            )?;
        }
        self.unbounded += usize::from(unbounded);
        Ok(true)
    }

    /// `{n}`, `{n,}` or `{n,m}`; true where it is open at the top.
    fn counted(&mut self) -> Option<bool> {
        self.rest.next();
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '}' => break,
                letter => text.push(letter),
            }
        }
        let small = |number: &str| {
            (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
        };
        match text.split_once(',') {
            None if small(&text) => Some(false),
            Some((least, "")) if small(least) => Some(true),
            Some((least, most)) if small(least) && small(most) => Some(false),
            _ => None,
        }
    }
}

fn unbalanced<T>() -> Result<T, No> {
    Err((
        "has an expression whose brackets do not match".to_owned(),
        "close every `(` and `[`, or write `\\(`".to_owned(),
    ))
}

/// True where the expression can only match addresses that end in one of some plain endings, none of them of PHP.
pub(super) fn ends_in_plain_files(pattern: &str) -> bool {
    let Some(rest) = pattern.strip_suffix('$') else {
        return false;
    };
    // With a choice at the top the end counts for its last part only.
    if has_choice_at_the_top(rest) {
        return false;
    }
    let Some(at) = rest.rfind(r"\.") else {
        return false;
    };
    let tail = rest.get(at + 2..).unwrap_or_default();
    let list = match tail
        .strip_prefix('(')
        .map(|inner| inner.strip_prefix("?:").unwrap_or(inner))
    {
        Some(inner) => inner.strip_suffix(')'),
        None => Some(tail),
    };
    list.is_some_and(|list| list.split('|').all(is_plain_ending))
}

fn is_plain_ending(ending: &str) -> bool {
    let letters = ending.replace('?', "").to_ascii_lowercase();
    !letters.is_empty()
        && letters.bytes().all(|b| b.is_ascii_alphanumeric())
        && !letters.contains("ph")
        && !ending.starts_with('?')
}

fn has_choice_at_the_top(pattern: &str) -> bool {
    let (mut depth, mut escaped, mut class) = (0_usize, false, false);
    for letter in pattern.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' => class = false,
            _ if class => {}
            '[' => class = true,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_can_take_minutes_are_refused() {
        for bad in [
            "(a+)+",
            "(a*)*$",
            "([a-z]+/)+",
            "(a|aa)+$",
            "((a{2,})b)*",
            "(?:x+y)*z",
            "(a|b){2,}",
            "^(.*a){10}",
            ".*a.*b.*c.*d",
            r"(a)\1",
            "(?<n>a)",
            "(?R)",
            "(?P<x>a)",
            "(*LIMIT_MATCH=9)a",
            "(?(1)a)",
            r"\Kx",
            "(",
            ")",
            "[a",
            "a{1000}",
            "a{x}",
            "*a",
            "",
            "é",
            r"a\",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in [
            r"\.php$",
            r"^/\d{4}/",
            "(?:jpe?g|png)$",
            r"/\.(?!well-known(?:/|$))",
            "^/a/.+/b$",
            "[^/]+?",
            "(abc)+",
            r"^/x\{y",
            "[]a]+",
            r"[\]a]",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn only_an_anchored_list_of_plain_endings_keeps_php_out() {
        for plain in [r"\.(?:css|js)$", r"\.(jpe?g|png|webp)$", r"^/a/.*\.woff2?$"] {
            assert!(ends_in_plain_files(plain), "{plain}");
        }
        for not in [
            r"\.(css|js)",
            r"\.php$",
            r"\.(css|php)$",
            r"\.(css|p?hp)$",
            r"/admin|\.css$",
            "css$",
            r"\..*$",
            r"\.(css|)$",
            r"\.phtml$",
            r"\.[a-z]+$",
            r"a$",
        ] {
            assert!(!ends_in_plain_files(not), "{not}");
        }
    }
}
