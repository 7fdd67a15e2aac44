//! Where words go and questions come from while installing.
//!
//! Invariant: data goes to standard output and is not written here; everything here is standard error.

use std::io::{BufRead, IsTerminal, Write};

/// Somebody who watches, and perhaps answers.
pub trait Console {
    /// A line that stays.
    fn say(&mut self, line: &str);
    /// A line that the next one replaces; only where somebody watches live.
    fn pass(&mut self, line: &str);
    /// True where a terminal shows progress as it happens.
    fn is_live(&self) -> bool;
    /// Asks for yes or no; `None` where nobody can answer.
    fn ask(&mut self, question: &str) -> Option<bool>;
}

/// Standard error and standard input.
#[derive(Debug, Default)]
pub struct Terminal {
    passing: bool,
}

impl Terminal {
    /// Of this process.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Why not fail: a closed terminal does not stop an installation.
    fn write(text: &str) {
        let mut stderr = std::io::stderr();
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }

    /// Begins a fresh line.
    fn clear(&mut self) {
        if std::mem::take(&mut self.passing) {
            Self::write("\r\x1b[K");
        }
    }
}

impl Console for Terminal {
    fn say(&mut self, line: &str) {
        self.clear();
        Self::write(&format!("{line}\n"));
    }

    fn pass(&mut self, line: &str) {
        if self.is_live() {
            self.clear();
            self.passing = true;
            Self::write(line);
        }
    }

    fn is_live(&self) -> bool {
        std::io::stderr().is_terminal()
    }

    fn ask(&mut self, question: &str) -> Option<bool> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        self.clear();
        Self::write(&format!("{question} [y/N] "));
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok()?;
        Some(matches!(line.trim(), "y" | "Y" | "yes" | "Yes"))
    }
}

/// Somebody who only listens, for tests.
#[derive(Debug, Default)]
pub struct Silent {
    /// What was said.
    pub lines: Vec<String>,
}

impl Console for Silent {
    fn say(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }
    fn pass(&mut self, _line: &str) {}
    fn is_live(&self) -> bool {
        false
    }
    fn ask(&mut self, _question: &str) -> Option<bool> {
        None
    }
}
