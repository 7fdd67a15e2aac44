//! The closed list of programs this panel runs, and how: absolute path, argument vector, clean environment, time limit.
//!
//! Invariant: no shell is in the list, and no argument is ever parsed by one.

use serde::{Deserialize, Serialize};

use crate::domain::path::HostPath;
use crate::domain::text::quoted;

/// A program of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// systemd's control program.
    Systemctl,
    /// Init scripts, where systemd is not PID 1.
    Service,
    /// Links of init scripts.
    UpdateRcD,
    /// nginx, only ever with `-t` or `-V`.
    Nginx,
    /// Makes users.
    Useradd,
    /// Gives users another home.
    Usermod,
    /// Removes users.
    Userdel,
    /// Makes groups.
    Groupadd,
    /// Removes groups.
    Groupdel,
    /// Ends processes of a user that is being removed.
    Pkill,
    /// Packages.
    AptGet,
    /// What packages there are.
    AptCache,
    /// Half-configured packages.
    Dpkg,
    /// Which packages are there.
    DpkgQuery,
    /// Makes runtime directories.
    SystemdTmpfiles,
    /// Rotates logs.
    Logrotate,
    /// Checks MariaDB's options without starting it.
    Mariadbd,
    /// Writes a database out as SQL.
    MariadbDump,
    /// Reads SQL.
    Mariadb,
    /// Lets a running process open more files.
    Prlimit,
    /// This binary itself, for processes it starts where no service manager does.
    Lalapanel,
}

impl Program {
    /// Where it is.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Systemctl => "/usr/bin/systemctl",
            Self::Service => "/usr/sbin/service",
            Self::UpdateRcD => "/usr/sbin/update-rc.d",
            Self::Nginx => "/usr/sbin/nginx",
            Self::Useradd => "/usr/sbin/useradd",
            Self::Usermod => "/usr/sbin/usermod",
            Self::Userdel => "/usr/sbin/userdel",
            Self::Groupadd => "/usr/sbin/groupadd",
            Self::Groupdel => "/usr/sbin/groupdel",
            Self::Pkill => "/usr/bin/pkill",
            Self::AptGet => "/usr/bin/apt-get",
            Self::AptCache => "/usr/bin/apt-cache",
            Self::Dpkg => "/usr/bin/dpkg",
            Self::DpkgQuery => "/usr/bin/dpkg-query",
            Self::SystemdTmpfiles => "/usr/bin/systemd-tmpfiles",
            Self::Logrotate => "/usr/sbin/logrotate",
            Self::Mariadbd => "/usr/sbin/mariadbd",
            Self::MariadbDump => "/usr/bin/mariadb-dump",
            Self::Mariadb => "/usr/bin/mariadb",
            Self::Prlimit => "/usr/bin/prlimit",
            Self::Lalapanel => "/usr/local/bin/lalapanel",
        }
    }

    /// True for programs that need more of root than the agent's own sandbox leaves (sockets on port 80, a writable
    /// `/etc/passwd`, apt): under systemd they run as a transient unit, outside it.
    #[must_use]
    pub fn needs_the_whole_host(self) -> bool {
        !matches!(
            self,
            Self::Systemctl
                | Self::DpkgQuery
                | Self::AptCache
                | Self::MariadbDump
                | Self::Mariadb
                | Self::Prlimit
        )
    }
}

/// One run of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Which.
    pub program: Program,
    /// Its arguments, one by one.
    pub arguments: Vec<String>,
    /// After so many seconds it is killed.
    pub seconds: u32,
}

impl Command {
    /// A command with a limit of 30 s.
    #[must_use]
    pub fn new<A: Into<String>>(program: Program, arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            program,
            arguments: arguments.into_iter().map(Into::into).collect(),
            seconds: 30,
        }
    }

    /// The same with another limit.
    #[must_use]
    pub fn within(mut self, seconds: u32) -> Self {
        self.seconds = seconds;
        self
    }

    /// The line a person could type; arguments with unusual characters are quoted.
    #[must_use]
    pub fn shown(&self) -> String {
        let name = HostPath::fixed(self.program.path()).name().to_owned();
        std::iter::once(name)
            .chain(self.arguments.iter().map(|argument| quoted(argument)))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What a program left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Its exit code; 128 + n after signal n.
    pub code: i32,
    /// Standard output, at most 16 MiB.
    pub stdout: String,
    /// Standard error, at most 64 KiB.
    pub stderr: String,
}

impl Output {
    /// True for exit code 0, and nothing else.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_could_be_typed() {
        let command = Command::new(Program::Userdel, ["--", "it's"]);
        assert_eq!(command.shown(), r"userdel -- 'it'\''s'");
    }
}
