//! `useradd`, `usermod`, `userdel`, `groupadd`, `groupdel` and `pkill` as they act on `/etc/passwd` and `/etc/group` in memory.
//!
//! Invariant: users and groups are only ever the lines of those two files, so whoever reads the files sees the truth.

use crate::domain::path::HostPath;
use crate::host::exec::Output;
use crate::host::memory::machine::Machine;
use crate::host::memory::{done, failed};

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// Options with a value that these programs are called with.
const VALUED: [&str; 15] = [
    "--home",
    "--uid",
    "-u",
    "--gid",
    "-g",
    "--home-dir",
    "-d",
    "--shell",
    "-s",
    "--comment",
    "-c",
    "--groups",
    "-G",
    "--key",
    "-K",
];

/// Options and operands of a call, as the four programs read them.
struct Call<'a> {
    options: Vec<(&'a str, &'a str)>,
    name: &'a str,
}

impl<'a> Call<'a> {
    fn read(arguments: &'a [String]) -> Self {
        let mut call = Self {
            options: Vec::new(),
            name: "",
        };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            if let Some((option, value)) = argument
                .split_once('=')
                .filter(|_| argument.starts_with("--"))
            {
                call.options.push((option, value));
            } else if VALUED.contains(&argument) {
                call.options.push((argument, rest.next().unwrap_or("")));
            } else if argument.starts_with('-') && argument != "--" {
                call.options.push((argument, ""));
            } else if argument != "--" {
                call.name = argument;
            }
        }
        call
    }

    fn value(&self, long: &str, short: &str) -> Option<&'a str> {
        let found = self
            .options
            .iter()
            .find(|(name, _)| *name == long || *name == short);
        found.map(|(_, value)| *value)
    }
}

impl Call<'_> {
    /// Where the number of a new user's own group comes from: the user's number only counts inside it (login.defs(5)).
    fn group_range(&self) -> (u32, u32) {
        let key = |name: &str| {
            let pairs = self
                .options
                .iter()
                .filter(|(option, _)| matches!(*option, "-K" | "--key"));
            let value = pairs
                .filter_map(|(_, pair)| pair.split_once('='))
                .find(|(key, _)| *key == name);
            value.and_then(|(_, value)| value.parse().ok())
        };
        if self.value("--system", "-r").is_some() {
            (
                key("SYS_GID_MIN").unwrap_or(100),
                key("SYS_GID_MAX").unwrap_or(999),
            )
        } else {
            (
                key("GID_MIN").unwrap_or(1000),
                key("GID_MAX").unwrap_or(60_000),
            )
        }
    }
}

impl Machine {
    fn lines(&self, file: &'static str) -> Vec<Vec<String>> {
        let text = self.tree.text(&HostPath::fixed(file)).unwrap_or_default();
        let fields = |line: &str| line.split(':').map(str::to_owned).collect();
        text.lines().map(fields).collect()
    }

    fn write_lines(&mut self, file: &'static str, lines: &[Vec<String>]) {
        let text: String = lines.iter().map(|line| line.join(":") + "\n").collect();
        self.tree.put_text(&HostPath::fixed(file), &text);
    }

    fn line(&self, file: &'static str, name: &str) -> Option<Vec<String>> {
        self.lines(file)
            .into_iter()
            .find(|line| field(line, 0) == name)
    }

    /// The uid of a user.
    #[must_use]
    pub fn uid_of(&self, user: &str) -> Option<u32> {
        field(&self.line(PASSWD, user)?, 2).parse().ok()
    }

    /// The gid of a group.
    #[must_use]
    pub fn gid_of(&self, group: &str) -> Option<u32> {
        field(&self.line(GROUP, group)?, 2).parse().ok()
    }

    fn number_taken(&self, file: &'static str, number: u32) -> bool {
        let number = number.to_string();
        self.lines(file).iter().any(|line| field(line, 2) == number)
    }

    fn free_number(&self, file: &'static str) -> u32 {
        let free = |number: &u32| !self.number_taken(file, *number);
        (100..999).rev().find(free).unwrap_or(999)
    }

    pub(super) fn useradd(&mut self, arguments: &[String]) -> Output {
        let call = Call::read(arguments);
        let Some(uid) = wanted(call.value("--uid", "-u"), || self.free_number(PASSWD)) else {
            return failed(3, "useradd: invalid user ID");
        };
        if call.name.is_empty() {
            return failed(2, "Usage: useradd [options] LOGIN");
        }
        if self.uid_of(call.name).is_some() {
            return failed(9, format!("useradd: user '{}' already exists", call.name));
        }
        if self.number_taken(PASSWD, uid) {
            return failed(4, format!("useradd: UID {uid} is not unique"));
        }
        let gid = match self.group_for(&call, uid) {
            Ok(gid) => gid,
            Err(output) => return output,
        };
        let home = call.value("--home-dir", "-d").unwrap_or("/nonexistent");
        let shell = call.value("--shell", "-s").unwrap_or("/bin/sh");
        let comment = call.value("--comment", "-c").unwrap_or("");
        let line = format!("{}:x:{uid}:{gid}:{comment}:{home}:{shell}", call.name);
        let mut lines = self.lines(PASSWD);
        lines.push(line.split(':').map(str::to_owned).collect());
        self.write_lines(PASSWD, &lines);
        done("")
    }

    /// The gid for a new user: the one named, or that of a new group of the user's name.
    fn group_for(&mut self, call: &Call<'_>, uid: u32) -> Result<u32, Output> {
        if let Some(group) = call.value("--gid", "-g") {
            let known = match group.parse() {
                Ok(gid) if self.number_taken(GROUP, gid) => Some(gid),
                _ => self.gid_of(group),
            };
            return known
                .ok_or_else(|| failed(6, format!("useradd: group '{group}' does not exist")));
        }
        if self.gid_of(call.name).is_some() {
            return Err(failed(9, format!("useradd: group {} exists", call.name)));
        }
        let (lowest, highest) = call.group_range();
        let fits = (lowest..=highest).contains(&uid) && !self.number_taken(GROUP, uid);
        let free = (lowest..=highest)
            .rev()
            .find(|gid| !self.number_taken(GROUP, *gid));
        let gid = if fits { uid } else { free.unwrap_or(highest) };
        self.add_group(call.name, gid);
        Ok(gid)
    }

    fn add_group(&mut self, name: &str, gid: u32) {
        let mut lines = self.lines(GROUP);
        lines.push(vec![
            name.to_owned(),
            "x".to_owned(),
            gid.to_string(),
            String::new(),
        ]);
        self.write_lines(GROUP, &lines);
    }

    /// `usermod --home`, and nothing else of it.
    pub(super) fn usermod(&mut self, arguments: &[String]) -> Output {
        let call = Call::read(arguments);
        let Some(uid) = self.uid_of(call.name) else {
            return failed(6, format!("usermod: user '{}' does not exist", call.name));
        };
        if !self.services_of(uid).is_empty() {
            return failed(
                8,
                format!(
                    "usermod: user {} is currently used by process 4711",
                    call.name
                ),
            );
        }
        let mut lines = self.lines(PASSWD);
        for line in lines.iter_mut().filter(|line| field(line, 0) == call.name) {
            if let (Some(home), Some(wanted)) = (line.get_mut(5), call.value("--home", "-d")) {
                wanted.clone_into(home);
            }
        }
        self.write_lines(PASSWD, &lines);
        done("")
    }

    pub(super) fn userdel(&mut self, arguments: &[String]) -> Output {
        let call = Call::read(arguments);
        let Some(uid) = self.uid_of(call.name) else {
            return failed(6, format!("userdel: user '{}' does not exist", call.name));
        };
        if !self.services_of(uid).is_empty() {
            return failed(
                8,
                format!(
                    "userdel: user {} is currently used by process 4711",
                    call.name
                ),
            );
        }
        let lines: Vec<_> = self
            .lines(PASSWD)
            .into_iter()
            .filter(|line| field(line, 0) != call.name)
            .collect();
        self.write_lines(PASSWD, &lines);
        // As Debian's login.defs has it (USERGROUPS_ENAB): the user's own group goes too, unless others use it.
        let own = self.gid_of(call.name);
        if own.is_some_and(|gid| !self.is_primary(gid)) {
            self.remove_group(call.name);
        }
        done("")
    }

    fn is_primary(&self, gid: u32) -> bool {
        let gid = gid.to_string();
        self.lines(PASSWD).iter().any(|line| field(line, 3) == gid)
    }

    fn remove_group(&mut self, name: &str) {
        let lines: Vec<_> = self
            .lines(GROUP)
            .into_iter()
            .filter(|line| field(line, 0) != name)
            .collect();
        self.write_lines(GROUP, &lines);
    }

    pub(super) fn groupadd(&mut self, arguments: &[String]) -> Output {
        let call = Call::read(arguments);
        if self.gid_of(call.name).is_some() {
            return failed(9, format!("groupadd: group '{}' already exists", call.name));
        }
        match wanted(call.value("--gid", "-g"), || self.free_number(GROUP)) {
            None => failed(3, "groupadd: invalid group ID"),
            Some(gid) if self.number_taken(GROUP, gid) => {
                failed(4, format!("groupadd: GID '{gid}' already exists"))
            }
            Some(gid) => {
                self.add_group(call.name, gid);
                done("")
            }
        }
    }

    pub(super) fn groupdel(&mut self, arguments: &[String]) -> Output {
        let call = Call::read(arguments);
        match self.gid_of(call.name) {
            None => failed(6, format!("groupdel: group '{}' does not exist", call.name)),
            Some(gid) if self.is_primary(gid) => {
                failed(8, "groupdel: cannot remove the primary group of a user")
            }
            Some(_) => {
                self.remove_group(call.name);
                done("")
            }
        }
    }

    /// `pkill -U UID`, `pkill --uid UID`: services of that user end.
    pub(super) fn pkill(&mut self, arguments: &[String]) -> Output {
        let after = arguments
            .iter()
            .position(|argument| matches!(argument.as_str(), "-U" | "-u" | "--uid" | "--euid"));
        let user = after
            .and_then(|at| arguments.get(at + 1))
            .map_or("", String::as_str);
        let Some(uid) = user.parse().ok().or_else(|| self.uid_of(user)) else {
            return failed(2, format!("pkill: invalid user name: {user}"));
        };
        let ended = self.services_of(uid);
        for unit in &ended {
            self.running.remove(unit);
        }
        if ended.is_empty() {
            failed(1, "")
        } else {
            done("")
        }
    }

    fn services_of(&self, uid: u32) -> Vec<String> {
        let of_user = |text: &str| {
            let user = crate::host::memory::units::setting(text, "User");
            user.is_some_and(|user| self.uid_of(&user) == Some(uid) || user == uid.to_string())
        };
        let found = self
            .running
            .iter()
            .filter(|(_, running)| of_user(&running.unit));
        found.map(|(unit, _)| unit.clone()).collect()
    }
}

fn wanted(number: Option<&str>, free: impl FnOnce() -> u32) -> Option<u32> {
    match number {
        Some(text) => text.parse().ok(),
        None => Some(free()),
    }
}

fn field(line: &[String], number: usize) -> &str {
    line.get(number).map_or("", String::as_str)
}
