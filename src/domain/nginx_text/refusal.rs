//! Why a snippet is refused, in words a person can act on.
//!
//! Invariant: a refusal names the line, the directive, why, and what to use instead.

/// One reason, at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line, from 1.
    pub line: u32,
    /// The directive concerned; empty where the text cannot be read at all.
    pub directive: String,
    /// What is so.
    pub why: String,
    /// What to do.
    pub instead: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.directive.is_empty() {
            write!(f, "`{}` ", self.directive)?;
        }
        write!(f, "{}; {}", self.why, self.instead)
    }
}

/// Every reason, in the order of the text; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Vec<Refusal>);

impl Refused {
    /// The first of them.
    #[must_use]
    pub fn first(&self) -> Option<&Refusal> {
        self.0.first()
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, refusal) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{refusal}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// Why, and what instead.
pub(super) type No = (String, String);

/// A refusal of an argument.
pub(super) fn no(why: impl Into<String>, instead: impl Into<String>) -> Result<(), No> {
    Err((why.into(), instead.into()))
}
