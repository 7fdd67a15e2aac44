//! `systemctl` as it acts on units in memory.
//!
//! Invariant: what runs was started from what the tree held then; a unit without a file, masked, or with a user that is
//! not there does not start.

use crate::domain::path::HostPath;
use crate::host::Owner;
use crate::host::exec::Output;
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::Kind;
use crate::host::memory::units::{full, is_socket, setting, settings};
use crate::host::memory::{done, failed};

/// What a running unit was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The unit file as it was read.
    pub unit: String,
    /// The program's own configuration as it was read at start or at the last reload.
    pub configuration: String,
    /// Sockets it listens on.
    pub sockets: Vec<HostPath>,
}

type Done = Result<(), Output>;

impl Machine {
    pub(super) fn systemctl(&mut self, arguments: &[String]) -> Output {
        let options: Vec<&str> = arguments
            .iter()
            .map(String::as_str)
            .filter(|a| a.starts_with('-'))
            .collect();
        let mut words = arguments
            .iter()
            .map(String::as_str)
            .filter(|a| !a.starts_with('-'));
        let verb = words.next().unwrap_or("");
        if verb == "show" {
            return self.show(arguments);
        }
        let mut output = done("");
        for unit in words.map(full) {
            let now = options.contains(&"--now");
            let verb = if verb == "kill" && options.contains(&"--signal=HUP") {
                "reload"
            } else {
                verb
            };
            let one = self.act(verb, &unit, now).err().unwrap_or_else(|| done(""));
            output.stdout.push_str(&one.stdout);
            output.stderr.push_str(&one.stderr);
            output.code = if output.code == 0 {
                one.code
            } else {
                output.code
            };
        }
        let known = ["daemon-reload", "reset-failed", "is-system-running"];
        match verb {
            "is-system-running" => done("running\n"),
            _ if arguments.len() > 1 || known.contains(&verb) => output,
            _ => failed(1, format!("Unknown command verb {verb}.")),
        }
    }

    /// One verb on one unit; answers of questions come back as the error, too.
    pub(super) fn act(&mut self, verb: &str, unit: &str, now: bool) -> Done {
        match verb {
            "start" => self.start(unit),
            "stop" => self.stop(unit),
            "restart" => self.restart(unit),
            "reload-or-restart" if !self.running.contains_key(unit) => self.start(unit),
            "reload" | "reload-or-restart" => self.reload(unit),
            "try-restart" if self.running.contains_key(unit) => {
                self.stop(unit).and_then(|()| self.start(unit))
            }
            "try-restart" | "reset-failed" => Ok(()),
            "enable" => self
                .enable(unit)
                .and_then(|()| if now { self.start(unit) } else { Ok(()) }),
            "disable" => self.disable(unit).and_then(|()| {
                if now {
                    self.stop_if_running(unit)
                } else {
                    Ok(())
                }
            }),
            "mask" => self.mask(unit).and_then(|()| {
                if now {
                    self.stop_if_running(unit)
                } else {
                    Ok(())
                }
            }),
            "unmask" => {
                self.unmask(unit);
                Ok(())
            }
            "is-active" => Err(self.is_active(unit)),
            "is-enabled" => Err(self.is_enabled(unit)),
            "kill" if self.running.contains_key(unit) => self.stop(unit),
            "kill" => Err(failed(
                1,
                format!("Failed to kill unit {unit}: No main process to kill"),
            )),
            other => Err(failed(1, format!("Unknown command verb {other}."))),
        }
    }

    pub(super) fn start(&mut self, unit: &str) -> Done {
        if self.running.contains_key(unit) {
            return Ok(());
        }
        if self.is_masked(unit) {
            return Err(failed(
                1,
                format!("Failed to start {unit}: Unit {unit} is masked."),
            ));
        }
        let Some(text) = self.unit_text(unit) else {
            return Err(failed(
                5,
                format!("Failed to start {unit}: Unit {unit} not found."),
            ));
        };
        for needed in settings(&text, "Requires")
            .iter()
            .flat_map(|list| list.split_whitespace())
        {
            if is_socket(needed) {
                self.start(needed)?;
            }
        }
        let running = if is_socket(unit) {
            self.listen(unit, text)?
        } else {
            self.execute(unit, text)?
        };
        self.running.insert(unit.to_owned(), running);
        Ok(())
    }

    fn listen(&mut self, unit: &str, text: String) -> Result<Running, Output> {
        let refused = |why: &str| failed(1, format!("Job for {unit} failed: {why}"));
        let id = |name: Option<String>, of: &dyn Fn(&str) -> Option<u32>| match name {
            None => Ok(0),
            Some(name) => of(&name).ok_or_else(|| refused("status=216/GROUP")),
        };
        let owner = Owner {
            uid: id(setting(&text, "SocketUser"), &|name| self.uid_of(name))?,
            gid: id(setting(&text, "SocketGroup"), &|name| self.gid_of(name))?,
        };
        let mode = setting(&text, "SocketMode").and_then(|mode| u32::from_str_radix(&mode, 8).ok());
        let mut sockets = Vec::new();
        for stream in settings(&text, "ListenStream") {
            // A port needs no file.
            let Ok(path) = HostPath::parse(&stream) else {
                continue;
            };
            self.tree
                .put(&path, Kind::Socket, owner, mode.unwrap_or(0o666));
            sockets.push(path);
        }
        Ok(Running {
            unit: text,
            configuration: String::new(),
            sockets,
        })
    }

    fn execute(&mut self, unit: &str, text: String) -> Result<Running, Output> {
        let refused = |why: String| {
            failed(
                1,
                format!(
                    "Job for {unit} failed because the control process exited with error code: {why}"
                ),
            )
        };
        if let Some(user) = setting(&text, "User")
            && self.uid_of(&user).is_none()
            && user.parse::<u32>().is_err()
        {
            return Err(refused("status=217/USER".to_owned()));
        }
        let command = setting(&text, "ExecStart").unwrap_or_default();
        let program = command
            .split_whitespace()
            .next()
            .unwrap_or("")
            .trim_start_matches(['-', '@', '+', '!']);
        let here = HostPath::parse(program).is_ok_and(|path| self.tree.followed(&path).is_some());
        if !program.is_empty() && !here {
            return Err(refused("status=203/EXEC".to_owned()));
        }
        if self.broken_program.as_deref() == Some(program) {
            return Err(refused("status=78".to_owned()));
        }
        if unit == "nginx.service" {
            self.load_nginx().map_err(refused)?;
        }
        let (configuration, sockets) = self.read_configuration(unit, &command).map_err(refused)?;
        for socket in &sockets {
            self.tree.put(socket, Kind::Socket, Owner::ROOT, 0o660);
        }
        Ok(Running {
            unit: text,
            configuration,
            sockets,
        })
    }

    /// What a PHP-FPM reads at start and reload: its `-y` file, or the pools of a shared master.
    fn read_configuration(
        &self,
        unit: &str,
        command: &str,
    ) -> Result<(String, Vec<HostPath>), String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let own = words
            .iter()
            .position(|word| matches!(*word, "-y" | "--fpm-config"));
        let mut text = String::new();
        if let Some(path) = own.and_then(|at| words.get(at + 1)) {
            let path = HostPath::parse(path).map_err(|bad| bad.to_string())?;
            text = self
                .tree
                .text(&path)
                .ok_or(format!("failed to open configuration file '{path}'"))?;
        }
        let mut sockets = Vec::new();
        if let Some(version) = unit
            .strip_prefix("php")
            .and_then(|rest| rest.strip_suffix("-fpm.service"))
        {
            text = self.pools(version);
            if !text.contains('[') {
                return Err("status=78: No pool defined".to_owned());
            }
            let listens = settings(&text, "listen");
            sockets = listens
                .iter()
                .filter_map(|path| HostPath::parse(path).ok())
                .collect();
        }
        if text.contains("BROKEN") {
            return Err("status=78: unknown entry 'BROKEN'".to_owned());
        }
        Ok((text, sockets))
    }

    fn pools(&self, version: &str) -> String {
        let directory = HostPath::fixed("/etc/php")
            .join(version)
            .join("fpm")
            .join("pool.d");
        let names = self.tree.names(&directory);
        let pools = names.iter().filter(|name| {
            name.rsplit_once('.')
                .is_some_and(|(_, kind)| kind == "conf")
        });
        pools
            .filter_map(|name| self.tree.text(&directory.join(name)))
            .collect()
    }

    /// What needs it is restarted with it (systemd.unit(5), Requires=).
    fn restart(&mut self, unit: &str) -> Done {
        let ran: Vec<String> = self.running.keys().cloned().collect();
        self.stop_if_running(unit)?;
        let ended = ran
            .into_iter()
            .filter(|one| !self.running.contains_key(one));
        let ended: Vec<String> = ended.filter(|one| one != unit).collect();
        self.start(unit)?;
        ended.iter().try_for_each(|one| self.start(one))
    }

    fn stop_if_running(&mut self, unit: &str) -> Done {
        if self.running.contains_key(unit) {
            self.stop(unit)
        } else {
            Ok(())
        }
    }

    pub(super) fn stop(&mut self, unit: &str) -> Done {
        let Some(running) = self.running.remove(unit) else {
            return match self.unit_file(unit) {
                Some(_) => Ok(()),
                None => Err(failed(
                    5,
                    format!("Failed to stop {unit}: Unit {unit} not loaded."),
                )),
            };
        };
        // systemd leaves a socket's file unless told otherwise (systemd.socket(5), RemoveOnStop=).
        let kept = is_socket(unit)
            && !setting(&running.unit, "RemoveOnStop")
                .is_some_and(|value| matches!(value.as_str(), "yes" | "true" | "1"));
        for socket in running.sockets.iter().filter(|_| !kept) {
            self.tree.take(socket);
        }
        if unit == "nginx.service" {
            self.unload_nginx();
        }
        let needs = |running: &Running| {
            settings(&running.unit, "Requires")
                .iter()
                .any(|list| list.split_whitespace().any(|one| one == unit))
        };
        let dependent: Vec<String> = self
            .running
            .iter()
            .filter(|(_, running)| needs(running))
            .map(|(name, _)| name.clone())
            .collect();
        dependent.iter().try_for_each(|unit| self.stop(unit))
    }

    fn reload(&mut self, unit: &str) -> Done {
        let Some(running) = self.running.get(unit).cloned() else {
            return Err(failed(1, format!("{unit} is not active, cannot reload.")));
        };
        let refused = |why: String| failed(1, format!("Job for {unit} failed: {why}"));
        if unit == "nginx.service" {
            self.load_nginx().map_err(refused)?;
        }
        let command = setting(&running.unit, "ExecStart").unwrap_or_default();
        let (configuration, sockets) = self.read_configuration(unit, &command).map_err(refused)?;
        for socket in running
            .sockets
            .iter()
            .filter(|socket| !sockets.contains(socket))
        {
            self.tree.take(socket);
        }
        for socket in &sockets {
            self.tree.put(socket, Kind::Socket, Owner::ROOT, 0o660);
        }
        let running = Running {
            configuration,
            sockets,
            ..running
        };
        self.running.insert(unit.to_owned(), running);
        Ok(())
    }
}
