//! Where the manual page and bash's completion of commands go, which the command line writes from its own definitions.
//!
//! Invariant: everything lies below `/usr/local/share`, beside the program, where no package of the distribution puts anything.

use crate::domain::path::HostPath;
use crate::render::panel::PanelFile;

const MANUAL: &str = "/usr/local/share/man/man8/lalapanel.8";
const BASH: &str = "/usr/local/share/bash-completion/completions/lalapanel";

/// The directories they lie in, outer ones first. Some are there on every server, others on none.
pub const DIRECTORIES: [&str; 5] = [
    "/usr/local/share",
    "/usr/local/share/man",
    "/usr/local/share/man/man8",
    "/usr/local/share/bash-completion",
    "/usr/local/share/bash-completion/completions",
];

/// Both files, with these texts.
#[must_use]
pub fn files(manual: String, bash: String) -> Vec<PanelFile> {
    [(MANUAL, manual), (BASH, bash)]
        .map(|(path, text)| PanelFile {
            path: HostPath::fixed(path),
            text,
            executable: false,
        })
        .into()
}

/// Where both are.
#[must_use]
pub fn paths() -> [HostPath; 2] {
    [MANUAL, BASH].map(HostPath::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_lies_in_a_directory_that_is_made() {
        for path in [MANUAL, BASH] {
            let (directory, _) = path.rsplit_once('/').unwrap();
            assert!(DIRECTORIES.contains(&directory), "{directory}");
        }
        for directory in DIRECTORIES {
            let (outer, _) = directory.rsplit_once('/').unwrap();
            assert!(outer == "/usr/local" || DIRECTORIES.contains(&outer));
        }
    }
}
