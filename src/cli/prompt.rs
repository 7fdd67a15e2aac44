//! Asks the person at the terminal.
//!
//! Invariant: a password is not shown while it is typed, and the terminal is as before however asking ends.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Password;

/// A password and its line end fit easily.
const LONGEST: u64 = 4096;
/// No setting and no snippet is longer.
const TEXT: u64 = 128 * 1024;

/// True where somebody can be asked.
#[must_use]
pub fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for one line.
pub fn line(question: &str) -> Result<String, Fault> {
    ask(question);
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_line(&mut line)
        .map_err(|error| unreadable("the answer", &error.to_string()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A new password: from the first line of a file, of standard input (`-`), or typed twice.
pub fn password(file: Option<&str>) -> Result<Password, Fault> {
    match file {
        Some("-") => first_line(std::io::stdin().lock()),
        Some(path) => from_file(path),
        None if is_possible() => typed_twice(),
        None => Err(Fault::new(
            Code::PasswordWeak,
            "No password was given",
            "use `--password-file FILE`, or `--password-file -` to read it from standard input",
        )),
    }
}

/// Why not through the host port: this is the person's own file, opened with the person's own rights.
fn from_file(path: &str) -> Result<Password, Fault> {
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    first_line(file)
}

/// The text of a person's own file, or of standard input (`-`).
pub fn text_of(file: &str) -> Result<String, Fault> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(TEXT).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|open| open.take(TEXT).read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(unreadable(file, &error.to_string())),
    }
}

/// A secret that exists already: typed unseen; `file` is the option that reads it from a file.
pub fn secret(question: &str, file: &str) -> Result<String, Fault> {
    if !is_possible() {
        return Err(Fault::new(
            Code::PasswordWeak,
            "No secret was given",
            format!("use `{file} FILE`, or `{file} -` to read it from standard input"),
        ));
    }
    let typed = hidden(question)?;
    Ok(String::from_utf8_lossy(typed.bytes()).trim().to_owned())
}

fn first_line(from: impl Read) -> Result<Password, Fault> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(from.take(LONGEST))
        .read_line(&mut line)
        .map_err(|error| unreadable("the password", &error.to_string()))?;
    Ok(Password::typed(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

fn typed_twice() -> Result<Password, Fault> {
    let first = hidden("New password: ")?;
    let second = hidden("The same again: ")?;
    if first.bytes() == second.bytes() {
        Ok(first)
    } else {
        Err(Fault::new(
            Code::PasswordWeak,
            "The two passwords differ",
            "try again",
        ))
    }
}

fn hidden(question: &str) -> Result<Password, Fault> {
    ask(question);
    let _quiet = Quiet::begin();
    let password = first_line(std::io::stdin().lock());
    ask("\n");
    password
}

/// The terminal without echo, until this is dropped.
struct Quiet(Option<Termios>);

impl Quiet {
    fn begin() -> Self {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok();
        if let Some(mut quiet) = before.clone() {
            quiet.local_flags.remove(LocalFlags::ECHO);
            let _ = tcsetattr(&stdin, SetArg::TCSAFLUSH, &quiet);
        }
        Self(before)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSAFLUSH, before);
        }
    }
}

fn ask(question: &str) {
    let mut terminal = std::io::stderr();
    let _ = terminal.write_all(question.as_bytes());
    let _ = terminal.flush();
}

fn unreadable(what: &str, detail: &str) -> Fault {
    Fault::new(
        Code::RequestInvalid,
        format!("`{what}` could not be read"),
        "check that the file exists and that you may read it",
    )
    .detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_exact_first_line() {
        for (text, expected) in [
            ("mauve otter\n", "mauve otter"),
            (" mauve otter \r\nmore\n", " mauve otter "),
            ("no newline", "no newline"),
            ("", ""),
        ] {
            let password = first_line(text.as_bytes()).unwrap();
            assert_eq!(password.bytes(), expected.as_bytes());
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a file of the test")]
    fn a_file_is_read_and_a_missing_one_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "mauve otter tin\n").unwrap();
        let read = password(file.to_str()).unwrap();
        assert_eq!(read.bytes(), b"mauve otter tin");
        let missing = password(directory.path().join("none").to_str()).unwrap_err();
        assert_eq!(missing.code, Code::RequestInvalid);
    }
}
