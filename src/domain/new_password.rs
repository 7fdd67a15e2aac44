//! May this become a password? Length, and whether attackers would try it early (security.md A-4).
//!
//! Invariant: no rule about kinds of characters, and nothing is changed: what is accepted is accepted byte for byte.

use std::collections::BTreeSet;

use crate::domain::common_passwords;
use crate::domain::secret::{Password, WeakPassword};

/// Around a common word, so many digits are still tried with it.
const AROUND: usize = 6;
/// From so many letters on, a word is looked for between digits and marks too.
const LONG_WORD: usize = 6;
/// A text of fewer kinds of characters is typed with one finger.
const KINDS: usize = 5;

/// Refuses a new password that is too short, too long, or among those attackers try first. `context` is what they know
/// of this server: its names, and the account's.
pub fn check_new_password(password: &Password, context: &[&str]) -> Result<(), WeakPassword> {
    let bytes = password.bytes();
    if bytes.len() < 12 {
        return Err(WeakPassword::Short);
    }
    if bytes.len() > 1024 {
        return Err(WeakPassword::Long);
    }
    let folded = String::from_utf8_lossy(bytes).to_lowercase();
    if is_monotonous(&folded) || is_common(&folded) || is_ours(&folded, context) {
        Err(WeakPassword::Common)
    } else {
        Ok(())
    }
}

/// A row of keys, or hardly more than one character.
fn is_monotonous(folded: &str) -> bool {
    let kinds: BTreeSet<char> = folded.chars().collect();
    kinds.len() < KINDS || is_row(folded)
}

fn is_row(text: &str) -> bool {
    ROWS.iter().any(|row| {
        let start = text.get(..12).unwrap_or(text);
        row.contains(text) || row.starts_with(start)
    })
}

/// On the list as it is, twice over, or with little around it.
fn is_common(folded: &str) -> bool {
    if is_listed(folded) || unit(folded).is_some_and(|unit| unit.len() <= AROUND || is_listed(unit))
    {
        return true;
    }
    let core = folded.trim_matches(|c: char| !c.is_alphabetic());
    let letters = letters(folded);
    // Letters spread over a text that chance made are hardly ever a long word.
    let spread = (letters.len() >= LONG_WORD).then_some(letters.as_str());
    let is_word = is_listed(core) || is_listed(&plain(core)) || spread.is_some_and(is_listed);
    is_word && has_few_digits(folded)
}

fn is_listed(text: &str) -> bool {
    text.chars().count() > 2 && (STEMS.contains(&text) || common_passwords::has(text))
}

/// Few digits, or ones that are common by themselves; marks around a word are always tried.
fn has_few_digits(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.len() <= AROUND || is_row(&digits) || common_passwords::has(&digits)
}

/// The text of which this one is a repetition.
fn unit(text: &str) -> Option<&str> {
    (1..=text.len() / 2)
        .filter(|length| text.len().is_multiple_of(*length))
        .filter_map(|length| text.get(..length))
        .find(|unit| unit.repeat(text.len() / unit.len()) == text)
}

/// Made of a name of this server or of the account, with digits and marks around it.
fn is_ours(folded: &str, context: &[&str]) -> bool {
    let typed = letters(folded);
    context.iter().any(|name| {
        let name = name.to_lowercase();
        let domain = name.split_once('.').map_or("", |(_, domain)| domain);
        [name.as_str(), domain]
            .into_iter()
            .chain(name.split('.'))
            .map(letters)
            .any(|word| word.chars().count() > 2 && word == typed)
    })
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

/// With the letters back that digits and marks stand for.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// Words of this product, and phrases younger than the list.
const STEMS: &[&str] = &[
    "lalapanel",
    "lala",
    "correcthorsebatterystaple",
    "letmeinplease",
    "changemenow",
    "webserver",
    "topsecret",
];

/// Rows that fingers walk along.
const ROWS: &[&str] = &[
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), WeakPassword> {
        let context = ["panel.acorn-hosting.example", "mara"];
        check_new_password(&Password::typed(text.to_owned()), &context)
    }

    #[test]
    fn a_password_has_12_to_1024_bytes() {
        assert_eq!(check("short"), Err(WeakPassword::Short));
        assert_eq!(check("x1Y2z3W4v5U"), Err(WeakPassword::Short));
        let long: String = "!#%)+/3579=ACEGIKMOQSUWYacegikmo".repeat(32);
        assert_eq!(check(&long), Ok(()));
        assert_eq!(check(&format!("{long}x")), Err(WeakPassword::Long));
    }

    #[test]
    fn passwords_attackers_try_first_are_refused() {
        for common in [
            "Password1234!",
            "P@ssw0rd2024!!",
            "passwordpassword",
            "Welcome123456",
            "!!Iloveyou!!99",
            "dragon12345678",
            "Monkey-201612",
            "p.a.s.s.w.o.r.d",
            "aaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "123456789012",
            "qwertyuiop123",
            "1qaz2wsx3edc4rfv",
            "Correct Horse Battery Staple",
            "lalapanel2026",
            "leavemealone",
            "Sonyericsson!",
            "letmeinplease!",
            "administrator1",
            "motdepasse123",
            "changeme1234",
        ] {
            assert_eq!(check(common), Err(WeakPassword::Common), "{common}");
        }
    }

    #[test]
    fn names_of_the_server_and_of_the_account_are_refused() {
        for ours in [
            "Mara12345678!",
            "panel.acorn-hosting.example",
            "Acorn-Hosting.Example1",
            "acornhosting2026",
            "acorn.hosting!!!",
        ] {
            assert_eq!(check(ours), Err(WeakPassword::Common), "{ours}");
        }
    }

    #[test]
    fn words_that_do_not_belong_together_and_chance_are_accepted() {
        for good in [
            "mauve otter tin sky",
            "green heron oak rain",
            "mauve-otter-4",
            "x7Kq-9mZp-2wRt-Bv",
            "4f9a1c7be03d5826",
            "хмурая выдра жуёт олово",
            "dragon 7301946285",
            "🦦🦡🌧️🥫🚲🎻",
            "correct horse battery staple and more",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn few_good_passwords_are_refused_by_chance() {
        // As a password manager makes them; the same ones at every run.
        let refused = (0..300_u32)
            .map(|number| {
                crate::domain::secret::Token::from_random([7; 32]).derived(&number.to_string())
            })
            .filter(|token| check(token.reveal().get(..16).unwrap_or_default()).is_err())
            .count();
        assert_eq!(refused, 0);
    }
}
