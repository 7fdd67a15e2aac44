//! `service` and `update-rc.d` in memory: init scripts where systemd is not PID 1.
//!
//! Invariant: a service has a script in `/etc/init.d`, and starts at boot exactly where `/etc/rc2.d` has a link for it.

use crate::domain::path::HostPath;
use crate::host::Owner;
use crate::host::exec::Output;
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::Kind;
use crate::host::memory::{done, failed};

const SCRIPTS: &str = "/etc/init.d";
/// One run level stands for all: our code asks about this one.
const LINKS: &str = "/etc/rc2.d";

impl Machine {
    /// `service NAME start|stop|restart|reload|status`.
    pub(super) fn service(&mut self, arguments: &[String]) -> Output {
        let [name, verb] = arguments else {
            return failed(
                1,
                "Usage: service < option > | --status-all | [ service_name [ command ] ]",
            );
        };
        if !self.has_script(name) {
            return failed(1, format!("{name}: unrecognized service"));
        }
        let verb = if verb == "status" { "is-active" } else { verb };
        let unit = format!("{name}.service");
        self.act(verb, &unit, false)
            .err()
            .unwrap_or_else(|| done(""))
    }

    /// `update-rc.d [-f] NAME defaults|enable|disable|remove`.
    pub(super) fn update_rc_d(&mut self, arguments: &[String]) -> Output {
        let words: Vec<&str> = arguments
            .iter()
            .map(String::as_str)
            .filter(|word| *word != "-f")
            .collect();
        let [name, verb] = words.as_slice() else {
            return failed(
                1,
                "usage: update-rc.d [-f] <basename> remove|defaults|enable|disable",
            );
        };
        let forced = arguments.iter().any(|word| word == "-f");
        if !self.has_script(name) && *verb != "remove" {
            return failed(
                1,
                format!("update-rc.d: error: cannot find a LSB script for {name}"),
            );
        }
        let (start, stop) = (link(&format!("S01{name}")), link(&format!("K01{name}")));
        let known = self.tree.entry(&start).is_some() || self.tree.entry(&stop).is_some();
        match *verb {
            "defaults" if known => {}
            "defaults" => self.put_link(&start, name),
            "enable" | "disable" if !known => {
                return failed(
                    1,
                    format!(
                        "update-rc.d: error: {name} Default-Start contains no runlevels, aborting."
                    ),
                );
            }
            "enable" => self.switch(&stop, &start, name),
            "disable" => self.switch(&start, &stop, name),
            "remove" if forced || !self.has_script(name) => {
                self.tree.take(&start);
                self.tree.take(&stop);
            }
            // A script that is still there keeps its links (update-rc.d(8)).
            "remove" => {}
            _ => return failed(1, "update-rc.d: error: unknown verb"),
        }
        done("")
    }

    fn has_script(&self, name: &str) -> bool {
        self.tree
            .entry(&HostPath::fixed(SCRIPTS).join(name))
            .is_some()
    }

    fn put_link(&mut self, at: &HostPath, name: &str) {
        self.tree.put(
            at,
            Kind::Link(format!("../init.d/{name}")),
            Owner::ROOT,
            0o777,
        );
    }

    fn switch(&mut self, from: &HostPath, to: &HostPath, name: &str) {
        self.tree.take(from);
        self.put_link(to, name);
    }
}

fn link(name: &str) -> HostPath {
    HostPath::fixed(LINKS).join(name)
}
