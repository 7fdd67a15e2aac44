//! `/metrics`, in the text format of Prometheus (version 0.0.4).
//!
//! Invariant: what is not known is left out, never zero; names keep their meaning and their unit.

use std::fmt::{Display, Write as _};

use poem::Response;
use poem::http::{StatusCode, header};

use crate::domain::sample::Range;
use crate::rpc::certificate_view::CertificateView;
use crate::rpc::monitor::MonitorView;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::uptime::{Standing, UptimesView};
use crate::rpc::view::StatusView;
use crate::web::api::Caller;
use crate::web::refusal::Refusal;

/// Answers it.
pub(super) async fn answer(caller: &Caller) -> Result<Response, Refusal> {
    let Reply::Status(status) = caller.ask(Request::Status {}).await? else {
        return Err(Refusal::INTERNAL);
    };
    let range = Range::Hour;
    let Reply::Monitor(monitor) = caller.ask(Request::Monitor { range }).await? else {
        return Err(Refusal::INTERNAL);
    };
    let Reply::Certificates(certificates) = caller.ask(Request::CertificateList {}).await? else {
        return Err(Refusal::INTERNAL);
    };
    let Reply::Uptime(uptime) = caller.ask(Request::Uptime { hostname: None }).await? else {
        return Err(Refusal::INTERNAL);
    };
    let mut text = Text::default();
    text.of_status(&status);
    text.of_machine(&monitor);
    text.of_certificates(&certificates);
    text.of_uptime(&uptime);
    Ok(Response::builder()
        .status(StatusCode::OK)
        .header(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )
        .body(text.0))
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, help: &str) {
        let _ = writeln!(
            self.0,
            "# HELP lalapanel_{name} {help}\n# TYPE lalapanel_{name} gauge"
        );
    }

    fn one(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, help);
            let _ = writeln!(self.0, "lalapanel_{name} {value}");
        }
    }

    fn of_status(&mut self, status: &StatusView) {
        self.family("info", "What is installed.");
        let _ = writeln!(
            self.0,
            "lalapanel_info{{version={}}} 1",
            quoted(&status.version)
        );
        self.one("sites", "Sites of this server.", Some(status.sites));
        self.one(
            "sites_enabled",
            "Sites that are online.",
            Some(status.sites_enabled),
        );
        let stuck = status.stuck.len();
        self.one(
            "operations_stuck",
            "Operations that wait for a person.",
            Some(stuck),
        );
        self.one(
            "agent_resident_bytes",
            "Memory of the agent.",
            Some(status.agent_memory),
        );
        self.family("service_healthy", "Whether a service is as it should be.");
        for service in &status.services {
            let (name, healthy) = (quoted(&service.name), u8::from(service.healthy));
            let _ = writeln!(
                self.0,
                "lalapanel_service_healthy{{service={name}}} {healthy}"
            );
        }
    }

    fn of_machine(&mut self, view: &MonitorView) {
        let last = view.samples.last();
        let ratio = |share: u64| format!("{}.{:04}", share / 10_000, share % 10_000);
        let hundredths = |load: u64| format!("{}.{:02}", load / 100, load % 100);
        let cpu = last.and_then(|one| one.cpu).map(ratio);
        self.one(
            "cpu_busy_ratio",
            "How busy the processors were in the last minute.",
            cpu,
        );
        let load = last.and_then(|one| one.load).map(hundredths);
        self.one("load1", "Load of the last minute.", load);
        let (memory, disk) = (view.memory, view.disk);
        self.one(
            "memory_used_bytes",
            "Memory in use.",
            memory.map(|usage| usage.used),
        );
        self.one(
            "memory_total_bytes",
            "Memory in all.",
            memory.map(|usage| usage.total),
        );
        self.one(
            "disk_used_bytes",
            "In use where the sites are.",
            disk.map(|usage| usage.used),
        );
        self.one(
            "disk_total_bytes",
            "In all where the sites are.",
            disk.map(|usage| usage.total),
        );
        let inodes = last.and_then(|one| one.inodes);
        self.one(
            "disk_inodes_free",
            "Inodes left where the sites are.",
            inodes,
        );
        let received = last.and_then(|one| one.received);
        self.one(
            "network_receive_bytes_per_second",
            "Received in the last minute.",
            received,
        );
        let sent = last.and_then(|one| one.sent);
        self.one(
            "network_transmit_bytes_per_second",
            "Sent in the last minute.",
            sent,
        );
        self.family("php_processes", "PHP processes of a site now.");
        for one in &view.php {
            let name = quoted(one.hostname.as_str());
            let _ = writeln!(
                self.0,
                "lalapanel_php_processes{{site={name}}} {}",
                one.processes
            );
        }
        self.family("php_memory_bytes", "Resident memory of these.");
        for one in &view.php {
            let name = quoted(one.hostname.as_str());
            let _ = writeln!(
                self.0,
                "lalapanel_php_memory_bytes{{site={name}}} {}",
                one.memory
            );
        }
    }

    fn of_certificates(&mut self, views: &[CertificateView]) {
        self.family(
            "certificate_not_after_seconds",
            "When what a site shows ends, in Unix time.",
        );
        for view in views {
            if let Some(certificate) = &view.certificate {
                let (site, end) = (
                    quoted(view.hostname.as_str()),
                    certificate.not_after.millis() / 1000,
                );
                let _ = writeln!(
                    self.0,
                    "lalapanel_certificate_not_after_seconds{{site={site}}} {end}"
                );
            }
        }
    }
}

impl Text {
    /// Sites that nobody looks at, and those not reached yet, are left out.
    fn of_uptime(&mut self, view: &UptimesView) {
        self.family("site_up", "Whether a site answers from outside.");
        for site in &view.sites {
            let up = match site.standing {
                Standing::Up => 1,
                Standing::Down => 0,
                Standing::Off | Standing::Unseen | Standing::Waiting => continue,
            };
            let name = quoted(site.hostname.as_str());
            let _ = writeln!(self.0, "lalapanel_site_up{{site={name}}} {up}");
        }
        self.family("site_answer_seconds", "How long the last answer took.");
        for site in &view.sites {
            if let (Standing::Up, Some(look)) = (site.standing, site.last) {
                let name = quoted(site.hostname.as_str());
                let (whole, part) = (look.millis / 1000, look.millis % 1000);
                let _ = writeln!(
                    self.0,
                    "lalapanel_site_answer_seconds{{site={name}}} {whole}.{part:03}"
                );
            }
        }
    }
}

/// The value of a label.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut text = Text::default();
        text.one("a", "About a.", Some(1));
        text.one("b", "About b.", None::<u64>);
        assert_eq!(
            text.0,
            "# HELP lalapanel_a About a.\n# TYPE lalapanel_a gauge\nlalapanel_a 1\n"
        );
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
