//! Users and groups of the host.
//!
//! Invariant: a user we make has no password, no shell and no home that anything creates for it.

use std::collections::BTreeMap;

use crate::domain::id::SiteId;
use crate::domain::name::UnixName;
use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult};
use crate::system::files;

const WIDE_RANGE: [&str; 4] = ["-K", "SYS_UID_MAX=60000", "-K", "SYS_GID_MAX=60000"];

/// The user of the web process, and its group.
pub const WEB: &str = "lalapanel";
/// The user of the courier, and its group.
pub const COURIER: &str = "lalapanel-courier";

/// True where the user exists.
pub fn exists(host: &dyn Host, name: &UnixName) -> HostResult<bool> {
    Ok(number(&entries(host, "/etc/passwd")?, name.as_str()).is_some())
}

/// The number of a user.
pub fn user(host: &dyn Host, name: &str) -> HostResult<Option<u32>> {
    Ok(number(&entries(host, "/etc/passwd")?, name))
}

/// The number of a group.
pub fn group(host: &dyn Host, name: &str) -> HostResult<Option<u32>> {
    Ok(number(&entries(host, "/etc/group")?, name))
}

/// Makes a system user with a group of the same name (and, where given, the same number).
///
/// `--system` so that no ranges of subordinate ids and no mail file come with it.
#[must_use]
pub fn create_command(name: &UnixName, id: Option<u32>, home: &HostPath) -> Command {
    let mut arguments: Vec<String> = ["--system", "--user-group", "--no-create-home"]
        .map(str::to_owned)
        .into();
    if let Some(id) = id {
        // Without this, a number above the system range is given to the user only and its group gets another (useradd(8)).
        arguments.extend(WIDE_RANGE.map(str::to_owned));
        arguments.extend(["--uid".to_owned(), id.to_string()]);
    }
    arguments.extend(["--home-dir".to_owned(), home.to_string()]);
    arguments.extend(["--shell", "/usr/sbin/nologin", "--"].map(str::to_owned));
    arguments.push(name.to_string());
    Command::new(Program::Useradd, arguments)
}

/// Names another home; nothing is moved by this.
#[must_use]
pub fn home_command(name: &UnixName, home: &HostPath) -> Command {
    let arguments = ["--home", home.as_str(), "--", name.as_str()];
    Command::new(Program::Usermod, arguments)
}

/// The home of a user; none where there is no such user.
pub fn home(host: &dyn Host, name: &UnixName) -> HostResult<Option<String>> {
    let text = files::text(host, &HostPath::fixed("/etc/passwd"))?.unwrap_or_default();
    let line = text
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name.as_str()));
    Ok(line.and_then(|fields| fields.get(5).map(|home| (*home).to_owned())))
}

/// Removes a user and its group.
#[must_use]
pub fn delete_command(name: &UnixName) -> Command {
    Command::new(Program::Userdel, ["--", name.as_str()])
}

/// The lowest site number above every site user here whose user and group number are free.
pub fn free_site(host: &dyn Host) -> HostResult<SiteId> {
    let users = entries(host, "/etc/passwd")?;
    let groups = entries(host, "/etc/group")?;
    let all = || users.iter().chain(&groups);
    let highest = all()
        .filter_map(|(name, _)| name.strip_prefix('s')?.parse::<u32>().ok())
        .filter(|number| (SiteId::FIRST.number()..100_000).contains(number))
        .max();
    let mut site = highest.map_or(SiteId::FIRST, |number| SiteId::new(number).next());
    while all().any(|(_, id)| *id == site.uid()) {
        site = site.next();
    }
    Ok(site)
}

/// Who has the numbers that are kept for users of sites.
pub fn site_numbers(host: &dyn Host) -> HostResult<BTreeMap<u32, String>> {
    let mut all = entries(host, "/etc/group")?;
    all.extend(entries(host, "/etc/passwd")?);
    let kept = all.into_iter().filter(|(_, id)| *id >= SiteId::FIRST.uid());
    Ok(kept.map(|(name, id)| (id, name)).collect())
}

fn entries(host: &dyn Host, path: &'static str) -> HostResult<Vec<(String, u32)>> {
    let text = files::text(host, &HostPath::fixed(path))?.unwrap_or_default();
    Ok(text.lines().filter_map(entry).collect())
}

fn entry(line: &str) -> Option<(String, u32)> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let id = fields.nth(1)?.parse().ok()?;
    Some((name.to_owned(), id))
}

fn number(entries: &[(String, u32)], name: &str) -> Option<u32> {
    entries
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_passwd_or_group_gives_name_and_number() {
        assert_eq!(
            entry("www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin"),
            Some(("www-data".to_owned(), 33))
        );
        assert_eq!(entry("adm:x:4:syslog"), Some(("adm".to_owned(), 4)));
        assert_eq!(entry("# broken"), None);
    }

    #[test]
    fn a_site_user_has_no_shell_and_its_own_number() {
        let command = create_command(
            &UnixName::of_site(SiteId::FIRST),
            Some(SiteId::FIRST.uid()),
            &HostPath::fixed("/var/www/shop.example"),
        );
        assert_eq!(
            command.shown(),
            "useradd --system --user-group --no-create-home -K SYS_UID_MAX=60000 -K SYS_GID_MAX=60000 --uid 21001 --home-dir /var/www/shop.example --shell /usr/sbin/nologin -- s1001"
        );
    }
}
