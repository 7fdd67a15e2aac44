//! How a database is written into a file: plain SQL, or packed.
//!
//! Invariant: a name says the format by its end, and no other name is taken.

use serde::{Deserialize, Serialize};

/// One of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DumpFormat {
    /// SQL as it is.
    #[default]
    Plain,
    /// Packed by gzip: every system can read it.
    Gzip,
    /// Packed by zstd: smaller, and several times faster.
    Zstd,
}

impl DumpFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Gzip, Self::Zstd];

    /// By the end of a file's name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|one| name.ends_with(one.ending()))
    }

    /// By the word of a form.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// `.sql.gz`.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Plain => ".sql",
            Self::Gzip => ".sql.gz",
            Self::Zstd => ".sql.zst",
        }
    }

    /// `gzip`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// As browsers call it (IANA media types).
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/sql",
            Self::Gzip => "application/gzip",
            Self::Zstd => "application/zstd",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_format_by_its_end() {
        let of = DumpFormat::of_name;
        assert_eq!(of("shop.sql"), Some(DumpFormat::Plain));
        assert_eq!(of("/root/SHOP.SQL.GZ"), Some(DumpFormat::Gzip));
        assert_eq!(of("a.b.sql.zst"), Some(DumpFormat::Zstd));
        for other in ["", "shop", "shop.gz", "shop.sql.bz2", "shop.sql/", "sql"] {
            assert_eq!(of(other), None, "{other}");
        }
        for one in DumpFormat::ALL {
            assert_eq!(DumpFormat::of_word(one.word()), Some(one));
            assert_eq!(of(&format!("x{}", one.ending())), Some(one));
        }
    }
}
