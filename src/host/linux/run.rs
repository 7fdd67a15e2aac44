//! The one place that starts programs: absolute path, argument vector, clean environment, a time limit, no shell.
//!
//! Invariant: nothing of this process's environment, input or open files reaches a program, and only its exit code is believed.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::host::exec::{Command, Output, Program};
use crate::host::{HostError, HostResult};

const STDOUT_LIMIT: usize = 16 << 20;
const STDERR_LIMIT: usize = 64 << 10;
pub(super) const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("LC_ALL", "C.UTF-8"),
];
/// Nobody sits at a terminal to answer; services are restarted by their packages, not after a question.
const ENVIRONMENT_OF_APT: [(&str, &str); 2] = [
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("NEEDRESTART_MODE", "a"),
];
const SYSTEMD_RUN: &str = "/usr/bin/systemd-run";

/// Runs a command; `outside` puts those that need the whole host into a unit of their own, outside this process's sandbox.
pub(super) fn run(command: &Command, outside: bool) -> HostResult<Output> {
    let environment: Vec<(&str, &str)> = match command.program {
        Program::AptGet | Program::Dpkg => ENVIRONMENT
            .iter()
            .chain(&ENVIRONMENT_OF_APT)
            .copied()
            .collect(),
        _ => ENVIRONMENT.to_vec(),
    };
    if outside && command.program.needs_the_whole_host() {
        return in_a_unit(command, &environment);
    }
    let spec = Spec {
        name: command.program.path(),
        program: command.program.path(),
        arguments: &command.arguments,
        environment: &environment,
        limit: Duration::from_secs(command.seconds.into()),
        room: STDOUT_LIMIT,
    };
    spec.run()?.ok_or_else(|| late(command))
}

/// Directories that a program changes without flushing them; a step that is journaled as done must survive a power cut.
pub(super) fn leaves_unflushed(command: &Command) -> &'static [&'static str] {
    let verb = command.arguments.first().map_or("", String::as_str);
    match command.program {
        Program::Systemctl if matches!(verb, "enable" | "disable" | "mask" | "unmask") => {
            &["/etc/systemd/system"]
        }
        Program::Useradd
        | Program::Usermod
        | Program::Userdel
        | Program::Groupadd
        | Program::Groupdel
        | Program::UpdateRcD => &["/etc"],
        _ => &[],
    }
}

fn late(command: &Command) -> HostError {
    HostError::Program {
        program: command.program.path(),
        what: format!("did not finish within {} s", command.seconds),
    }
}

/// Runs a command as a transient unit (systemd-run(1)). Its exit code is the program's own.
fn in_a_unit(command: &Command, environment: &[(&str, &str)]) -> HostResult<Output> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unit = format!("lalapanel-run-{}-{count}.service", std::process::id());
    let spec = Spec {
        name: command.program.path(),
        program: SYSTEMD_RUN,
        arguments: &unit_arguments(command, environment, &unit),
        environment: &ENVIRONMENT,
        limit: Duration::from_secs(command.seconds.into()),
        room: STDOUT_LIMIT,
    };
    if let Some(output) = spec.run()? {
        return match own_failure(&output) {
            Some(line) => Err(HostError::Program {
                program: command.program.path(),
                what: format!("could not be started: {line}"),
            }),
            None => Ok(output),
        };
    }
    // Ending systemd-run does not end the unit.
    let kill = Command::new(Program::Systemctl, ["kill", "--signal=KILL", unit.as_str()]);
    run(&kill, false)?;
    Err(late(command))
}

/// What systemd-run itself complained about; the program never ran then.
fn own_failure(output: &Output) -> Option<&str> {
    let complaints = [
        "Failed to connect to bus",
        "Failed to create bus connection",
        "Failed to start transient service unit",
        "Failed to find executable",
    ];
    let first = output.stderr.lines().next().unwrap_or("");
    let its_own = complaints.iter().any(|start| first.starts_with(start));
    (!output.is_success() && its_own).then_some(first)
}

fn unit_arguments(command: &Command, environment: &[(&str, &str)], unit: &str) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--wait",
        "--pipe",
        "--quiet",
        "--collect",
        "--service-type=exec",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--unit={unit}"));
    // Should this process die, the unit still ends.
    let seconds = command.seconds.saturating_add(10);
    arguments.push(format!("--property=RuntimeMaxSec={seconds}"));
    // `nginx -t` opens two logs a site, beyond 1024 from some 510 sites on, and makes those that somebody deleted.
    arguments.push("--property=LimitNOFILE=65536".to_owned());
    arguments.push("--property=UMask=0027".to_owned());
    arguments.extend(
        environment
            .iter()
            .map(|(name, value)| format!("--setenv={name}={value}")),
    );
    arguments.push("--".to_owned());
    arguments.push(command.program.path().to_owned());
    // systemd puts variables in place of `$NAME` in arguments (systemd.service(5)); `$$` stands for `$`.
    arguments.extend(
        command
            .arguments
            .iter()
            .map(|argument| argument.replace('$', "$$")),
    );
    arguments
}

pub(super) struct Spec<'a> {
    /// For messages.
    pub(super) name: &'static str,
    pub(super) program: &'a str,
    pub(super) arguments: &'a [String],
    pub(super) environment: &'a [(&'a str, &'a str)],
    pub(super) limit: Duration,
    /// So much of what it says is kept.
    pub(super) room: usize,
}

impl Spec<'_> {
    /// The output, or `None` where the program had to be ended for being late.
    pub(super) fn run(&self) -> HostResult<Option<Output>> {
        let mut child = self.start().map_err(|error| self.failed(&error))?;
        let stdout = Collector::start(child.stdout.take(), self.room);
        let stderr = Collector::start(child.stderr.take(), STDERR_LIMIT.min(self.room));
        let Some(status) = wait(child, self.limit).map_err(|error| self.failed(&error))? else {
            return Ok(None);
        };
        Ok(Some(Output {
            code: code(status),
            stdout: stdout.text(),
            stderr: stderr.text(),
        }))
    }

    fn failed(&self, error: &std::io::Error) -> HostError {
        HostError::Program {
            program: self.name,
            what: format!("could not be started: {error}"),
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the module that runs programs"
        )]
        std::process::Command::new(self.program)
            .args(self.arguments)
            .env_clear()
            .envs(self.environment.iter().copied())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }
}

/// The exit code, 128 + n after signal n.
pub(super) fn code(status: ExitStatus) -> i32 {
    let signal = status.signal().map_or(-1, |signal| 128 + signal);
    status.code().unwrap_or(signal)
}

/// Waits for a child that leads its own process group; ends the group and says `None` when it is late.
pub(super) fn wait(mut child: Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    drop::<Option<ChildStdin>>(child.stdin.take());
    let group = i32::try_from(child.id()).map(Pid::from_raw);
    let (sender, receiver) = channel();
    std::thread::Builder::new().spawn(move || sender.send(child.wait()))?;
    match receiver.recv_timeout(limit) {
        Ok(status) => status.map(Some),
        Err(RecvTimeoutError::Disconnected) => Err(std::io::Error::other("its watcher died")),
        Err(RecvTimeoutError::Timeout) => {
            if let Ok(group) = group {
                let _ = killpg(group, Signal::SIGKILL);
            }
            let _ = receiver.recv_timeout(Duration::from_secs(5));
            Ok(None)
        }
    }
}

/// Reads one of a program's outputs to its end on a thread, keeping no more than the limit.
pub(super) struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

impl Collector {
    pub(super) fn start(pipe: Option<impl Read + Send + 'static>, limit: usize) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let (sender, ended) = channel();
        let kept = Arc::clone(&bytes);
        std::thread::spawn(move || {
            if let Some(pipe) = pipe {
                collect(pipe, &kept, limit);
            }
            drop(sender);
        });
        Self { bytes, ended }
    }

    // Why not wait for the end: a daemon that the program started may hold the pipe open for as long as it lives.
    pub(super) fn text(self) -> String {
        let _ = self.ended.recv_timeout(Duration::from_millis(300));
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn collect(mut pipe: impl Read, kept: &Mutex<Vec<u8>>, limit: usize) {
    let mut buffer = [0_u8; 8192];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = limit.saturating_sub(kept.len());
                kept.extend(buffer.iter().take(count.min(room)));
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn run(program: &str, arguments: &[&str], millis: u64) -> HostResult<Option<Output>> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let spec = Spec {
            name: "/test",
            program,
            arguments: &arguments,
            environment: &ENVIRONMENT,
            limit: Duration::from_millis(millis),
            room: STDOUT_LIMIT,
        };
        spec.run()
    }

    #[test]
    fn a_program_gets_a_clean_environment_and_no_input() {
        let output = run("/usr/bin/env", &[], 5000).unwrap().unwrap();
        assert_eq!(output.stdout.lines().count(), ENVIRONMENT.len());
        assert!(output.stdout.contains("LC_ALL=C.UTF-8\n"));
        let output = run("/bin/cat", &[], 5000).unwrap().unwrap();
        assert!(output.is_success() && output.stdout.is_empty());
    }

    #[test]
    fn an_argument_is_one_argument_whatever_is_in_it() {
        let text = "a; $(id) `id` * 'q'\n";
        let output = run("/usr/bin/printf", &["%s|%s", text, "b"], 5000)
            .unwrap()
            .unwrap();
        assert_eq!(output.stdout, format!("{text}|b"));
    }

    #[test]
    fn exit_codes_and_complaints_come_back() {
        let output = run("/bin/ls", &["/nonexistent"], 5000).unwrap().unwrap();
        assert_eq!(output.code, 2);
        assert!(output.stderr.contains("/nonexistent"));
        assert!(run("/nonexistent/program", &[], 5000).is_err());
    }

    #[test]
    fn a_late_program_is_ended_with_its_whole_group() {
        let begin = Instant::now();
        assert_eq!(run("/bin/sleep", &["60"], 50).unwrap(), None);
        assert!(begin.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn endless_output_is_cut_and_not_kept() {
        let output = run("/usr/bin/head", &["-c", "20000000", "/dev/zero"], 20_000)
            .unwrap()
            .unwrap();
        assert_eq!(output.stdout.len(), STDOUT_LIMIT);
    }

    #[test]
    fn a_missing_bus_is_not_mistaken_for_the_programs_own_failure() {
        let said = |code, stderr: &str| Output {
            code,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        };
        let bus = "Failed to connect to bus: No such file or directory\n";
        assert!(own_failure(&said(1, bus)).is_some());
        assert!(own_failure(&said(0, bus)).is_none());
        assert!(own_failure(&said(9, "useradd: user 's1001' already exists")).is_none());
    }

    #[test]
    fn what_enabling_and_new_users_leave_is_flushed() {
        let flushed = |program, verb: &str| leaves_unflushed(&Command::new(program, [verb]));
        assert_eq!(
            flushed(Program::Systemctl, "enable"),
            ["/etc/systemd/system"]
        );
        assert!(flushed(Program::Systemctl, "start").is_empty());
        assert_eq!(flushed(Program::Useradd, "--system"), ["/etc"]);
    }

    #[test]
    fn a_unit_gets_its_arguments_unexpanded_after_a_double_dash() {
        let command = Command::new(Program::Useradd, ["--comment", "$HOME", "s1001"]).within(30);
        let arguments = unit_arguments(&command, &ENVIRONMENT, "u.service");
        let end = arguments.split(|argument| argument == "--").nth(1).unwrap();
        assert_eq!(end, ["/usr/sbin/useradd", "--comment", "$$HOME", "s1001"]);
        assert!(arguments.contains(&"--property=RuntimeMaxSec=40".to_owned()));
    }
}
