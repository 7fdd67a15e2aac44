//! Unit files in memory: where they lie, what is enabled or masked, what `systemctl show` says of them.
//!
//! Invariant: all of it is files and links of the tree, as on a real host; nothing is kept beside it.

use crate::domain::path::HostPath;
use crate::host::Owner;
use crate::host::exec::Output;
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::Kind;
use crate::host::memory::{done, failed};

/// Where systemd looks for unit files, first to last.
const UNIT_DIRECTORIES: [&str; 3] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
];
const ETC: &str = "/etc/systemd/system";

/// The first value of a setting in a unit file.
pub(super) fn setting(text: &str, key: &str) -> Option<String> {
    settings(text, key).into_iter().next()
}

/// All values of a setting in a unit file.
pub(super) fn settings(text: &str, key: &str) -> Vec<String> {
    let value = |line: &str| {
        let (name, value) = line.trim().split_once('=')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    };
    text.lines().filter_map(value).collect()
}

/// `name` as systemd completes it.
pub(super) fn full(unit: &str) -> String {
    let kinds = [
        ".service", ".socket", ".timer", ".slice", ".target", ".path",
    ];
    if kinds.iter().any(|kind| unit.ends_with(kind)) {
        unit.to_owned()
    } else {
        format!("{unit}.service")
    }
}

/// True for a socket unit.
pub(super) fn is_socket(unit: &str) -> bool {
    unit.rsplit_once('.')
        .is_some_and(|(_, kind)| kind == "socket")
}

type Done = Result<(), Output>;

impl Machine {
    /// The file of a unit, or of the template it is an instance of.
    pub(super) fn unit_file(&self, unit: &str) -> Option<HostPath> {
        let template = unit.split_once('@').and_then(|(name, rest)| {
            let kind = rest.rsplit('.').next()?;
            Some(format!("{name}@.{kind}"))
        });
        let names = [Some(unit.to_owned()), template];
        let paths = names.iter().flatten().flat_map(|name| {
            UNIT_DIRECTORIES.map(|directory| HostPath::fixed(directory).join(name))
        });
        paths
            .into_iter()
            .find(|path| self.tree.entry(path).is_some())
    }

    pub(super) fn is_masked(&self, unit: &str) -> bool {
        let link = Kind::Link("/dev/null".to_owned());
        self.tree
            .entry(&HostPath::fixed(ETC).join(unit))
            .is_some_and(|entry| entry.kind == link)
    }

    pub(super) fn unit_text(&self, unit: &str) -> Option<String> {
        let text = self.tree.text(&self.unit_file(unit)?)?;
        let instance = unit
            .split_once('@')
            .and_then(|(_, rest)| rest.rsplit_once('.'))
            .map_or("", |(name, _)| name);
        Some(text.replace("%i", instance))
    }

    pub(super) fn enable(&mut self, unit: &str) -> Done {
        if self.is_masked(unit) {
            return Err(failed(
                1,
                format!("Failed to enable unit: Unit file {ETC}/{unit} is masked."),
            ));
        }
        let (Some(file), Some(text)) = (self.unit_file(unit), self.unit_text(unit)) else {
            return Err(failed(
                1,
                format!("Failed to enable unit: Unit file {unit} does not exist."),
            ));
        };
        for target in settings(&text, "WantedBy")
            .iter()
            .flat_map(|list| list.split_whitespace())
        {
            let link = HostPath::fixed(ETC)
                .join(&format!("{target}.wants"))
                .join(unit);
            self.tree
                .put(&link, Kind::Link(file.to_string()), Owner::ROOT, 0o777);
        }
        Ok(())
    }

    fn wants(&self, unit: &str) -> Vec<HostPath> {
        let link = |path: &&HostPath| {
            path.name() == unit
                && path
                    .parent()
                    .name()
                    .rsplit_once('.')
                    .is_some_and(|(_, kind)| kind == "wants")
                && path.parent().parent().as_str() == ETC
        };
        self.tree
            .iter()
            .map(|(path, _)| path)
            .filter(link)
            .cloned()
            .collect()
    }

    pub(super) fn disable(&mut self, unit: &str) -> Done {
        let links = self.wants(unit);
        if links.is_empty() && self.unit_file(unit).is_none() {
            return Err(failed(
                1,
                format!("Failed to disable unit: Unit file {unit} does not exist."),
            ));
        }
        for link in links {
            self.tree.take(&link);
            // systemd takes the directory away with its last link.
            if self.tree.names(&link.parent()).is_empty() {
                self.tree.take(&link.parent());
            }
        }
        Ok(())
    }

    pub(super) fn mask(&mut self, unit: &str) -> Done {
        let path = HostPath::fixed(ETC).join(unit);
        if !self.is_masked(unit) && self.tree.entry(&path).is_some() {
            return Err(failed(
                1,
                format!("Failed to mask unit: File {path} already exists."),
            ));
        }
        self.tree.put(
            &path,
            Kind::Link("/dev/null".to_owned()),
            Owner::ROOT,
            0o777,
        );
        Ok(())
    }

    pub(super) fn unmask(&mut self, unit: &str) {
        if self.is_masked(unit) {
            self.tree.take(&HostPath::fixed(ETC).join(unit));
        }
    }

    pub(super) fn is_active(&self, unit: &str) -> Output {
        if self.running.contains_key(unit) {
            done("active\n")
        } else {
            Output {
                code: 3,
                stdout: "inactive\n".to_owned(),
                stderr: String::new(),
            }
        }
    }

    fn unit_file_state(&self, unit: &str) -> &'static str {
        match self.unit_text(unit) {
            _ if self.is_masked(unit) => "masked",
            _ if !self.wants(unit).is_empty() => "enabled",
            None => "not-found",
            Some(text) if settings(&text, "WantedBy").is_empty() => "static",
            Some(_) => "disabled",
        }
    }

    pub(super) fn is_enabled(&self, unit: &str) -> Output {
        let word = self.unit_file_state(unit);
        Output {
            code: i32::from(!matches!(word, "enabled" | "static")),
            stdout: format!("{word}\n"),
            stderr: String::new(),
        }
    }

    /// `show -p A,B --value UNIT`, in the spellings systemctl knows.
    pub(super) fn show(&self, arguments: &[String]) -> Output {
        let mut properties = Vec::new();
        let mut units = Vec::new();
        let mut words = arguments
            .iter()
            .map(String::as_str)
            .filter(|word| *word != "show");
        while let Some(word) = words.next() {
            match word {
                "-p" | "--property" => properties.extend(words.next().unwrap_or("").split(',')),
                "--value" | "--no-pager" | "--" => {}
                other => match other.strip_prefix("--property=") {
                    Some(list) => properties.extend(list.split(',')),
                    None => units.push(full(other)),
                },
            }
        }
        let bare = arguments.iter().any(|argument| argument == "--value");
        let mut text = String::new();
        for unit in &units {
            for property in &properties {
                let value = self.property(unit, property);
                if !bare {
                    text.extend([property, "="]);
                }
                text.extend([value.as_str(), "\n"]);
            }
        }
        done(text)
    }

    fn property(&self, unit: &str, property: &str) -> String {
        let runs = self.running.contains_key(unit);
        let socket = is_socket(unit);
        match property {
            "ActiveState" => if runs { "active" } else { "inactive" }.to_owned(),
            "SubState" => match (runs, socket) {
                (true, true) => "listening",
                (true, false) => "running",
                _ => "dead",
            }
            .to_owned(),
            "LoadState" => match self.unit_file(unit) {
                _ if self.is_masked(unit) => "masked",
                Some(_) => "loaded",
                None => "not-found",
            }
            .to_owned(),
            "UnitFileState" => self.unit_file_state(unit).replace("not-found", ""),
            "FragmentPath" => self.unit_file(unit).map(String::from).unwrap_or_default(),
            "MainPID" => if runs && !socket { "4711" } else { "0" }.to_owned(),
            "NRestarts" => "0".to_owned(),
            _ => String::new(),
        }
    }
}
