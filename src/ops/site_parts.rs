//! The parts that plans for sites are put together from.
//!
//! Invariant: create before reference, test before reload, answer before nginx points at it, remove the reference before the thing.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::path::{HostPath, SitePath};
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::host::job::{Act, Job};
use crate::host::{Mode, Owner};
use crate::ops::act::READABLE;
use crate::ops::plan::PlannedStep;
use crate::ops::step::{Expectation, ServiceAct, Step, User, When};
use crate::render;

/// A list of steps under construction.
#[derive(Default)]
pub(super) struct Steps(Vec<PlannedStep>);

impl Steps {
    pub(super) fn add(&mut self, title: impl Into<String>, step: Step) -> &mut Self {
        self.0.push(PlannedStep {
            title: title.into(),
            step,
        });
        self
    }

    pub(super) fn root_file(
        &mut self,
        title: impl Into<String>,
        path: &HostPath,
        text: String,
    ) -> &mut Self {
        self.add(
            title,
            Step::WriteFile {
                path: path.clone(),
                text,
                owner: Owner::ROOT,
                mode: READABLE,
            },
        )
    }

    /// What nginx reads of a site, which is nobody else's business: it names other machines, addresses and closed paths.
    pub(super) fn nginx_file(&mut self, path: &HostPath, text: String) -> &mut Self {
        self.add(
            "Write the site's nginx file",
            Step::WriteFile {
                path: path.clone(),
                text,
                owner: Owner::ROOT,
                mode: Mode(0o640),
            },
        )
    }

    pub(super) fn into_list(self) -> Vec<PlannedStep> {
        self.0
    }
}

pub(super) fn user(site: &Site) -> User {
    User {
        name: site.user(),
        id: Some(site.id.uid()),
        home: site.root(),
    }
}

/// User and directories, with the one that is served.
pub(super) fn ground(steps: &mut Steps, site: &Site, facts: &Facts) {
    user_and_directories(steps, site, facts);
    if let Some(directory) = &site.settings.web.directory {
        let path = format!("htdocs/{directory}");
        if let Some(job) = job(site, &path, |path| Act::MakeDirectory { path }) {
            steps.add("Make the directory that is served", job);
        }
    }
}

/// User and directories, nothing in them yet.
pub(super) fn user_and_directories(steps: &mut Steps, site: &Site, facts: &Facts) {
    steps
        .add(
            format!("Create the Unix user {}", site.user()),
            Step::CreateUser(user(site)),
        )
        .add(
            "Make the site's directory, owned by root",
            Step::MakeDirectory {
                path: site.root(),
                owner: Owner::ROOT,
                mode: Mode(0o711),
            },
        )
        .add(
            "Make the document root",
            site_directory(site, "htdocs", facts.web_gid, 0o2750),
        )
        .add(
            "Make the directory for uploads and sessions",
            site_directory(site, "tmp", site.id.uid(), 0o700),
        );
    if let Some(job) = job(site, "tmp/sessions", |path| Act::MakeDirectory { path }) {
        steps.add("Make the directory for PHP sessions", job);
    }
}

/// The page a site shows until its owner puts something better there.
pub(super) fn first_page(steps: &mut Steps, site: &Site) {
    let text = render::welcome::page(site);
    if let Some(job) = job(site, render::welcome::path(site), |path| Act::PutFile {
        path,
        text,
    }) {
        steps.add("Put a first page in place", job);
    }
}

fn site_directory(site: &Site, name: &str, gid: u32, mode: u32) -> Step {
    Step::MakeSiteDirectory {
        site: site.id,
        base: site.root(),
        name: name.to_owned(),
        gid,
        mode: Mode(mode),
    }
}

fn job(site: &Site, path: &str, act: impl FnOnce(SitePath) -> Act) -> Option<Step> {
    let act = act(SitePath::parse(path).ok()?);
    Some(Step::Job(Job {
        site: site.id,
        base: site.root(),
        act,
    }))
}

/// PHP-FPM for the site, up to its first answer.
pub(super) fn php(steps: &mut Steps, site: &Site, php: PhpVersion, facts: &Facts) {
    match facts.services {
        ServiceManager::Systemd => php_of_its_own(steps, site, php),
        ServiceManager::Sysv => php_shared(steps, site, php),
    }
    ping(steps, site, facts);
}

/// Waits for the first answer.
pub(super) fn ping(steps: &mut Steps, site: &Site, facts: &Facts) {
    let socket = match facts.services {
        ServiceManager::Systemd => site.php_socket(),
        ServiceManager::Sysv => site.shared_php_socket(),
    };
    steps.add("Wait until PHP answers", Step::PingPhp { socket });
}

fn php_of_its_own(steps: &mut Steps, site: &Site, php: PhpVersion) {
    own_php_files(steps, site, php);
    php_start(steps, site);
}

/// The files of the site's own PHP-FPM, which does not run yet.
pub(super) fn own_php_files(steps: &mut Steps, site: &Site, php: PhpVersion) {
    steps
        .add(
            "Let systemd read its units again if this is undone",
            Step::ReloadUnits {
                when: When::Undoing,
            },
        )
        .root_file(
            format!("Write the PHP-FPM {php} configuration of the site"),
            &render::php_fpm::master_file(site),
            render::php_fpm::master(site),
        )
        .root_file(
            "Write the systemd socket of its PHP-FPM",
            &socket_file(site),
            render::systemd::php_socket(site),
        )
        .root_file(
            "Write the systemd service of its PHP-FPM",
            &service_file(site),
            render::systemd::php_service(site, php),
        );
}

/// Starts the site's own PHP-FPM: the socket is root's, the master runs as the site.
///
/// Why the socket opens before the link is made: after a power cut the link would open it at boot, and only an opening
/// that is in the journal is taken back.
///
/// Why a link and not `systemctl enable`: that makes systemd read all units again, which takes longer with every site.
pub(super) fn php_start(steps: &mut Steps, site: &Site) {
    steps
        .add(
            "Make systemd's list of sockets",
            Step::MakeDirectory {
                path: sockets_directory(),
                owner: Owner::ROOT,
                mode: Mode(0o755),
            },
        )
        .add(
            "Open the socket now",
            service(render::systemd::php_socket_name(site), ServiceAct::Start),
        )
        .add(
            "Open the socket at every boot",
            Step::Link {
                target: socket_file(site).to_string(),
                path: socket_link(site),
            },
        )
        .add(
            "Start PHP-FPM as the site's user",
            service(render::systemd::php_service_name(site), ServiceAct::Start),
        );
}

/// Stops the site's own PHP-FPM.
pub(super) fn php_stop(steps: &mut Steps, site: &Site) {
    steps
        .add(
            "Close the socket",
            service(render::systemd::php_socket_name(site), ServiceAct::Stop),
        )
        .add(
            "Stop PHP-FPM",
            service(render::systemd::php_service_name(site), ServiceAct::Stop),
        )
        .add(
            "Keep the socket closed at boot",
            Step::RemoveFile {
                path: socket_link(site),
            },
        );
}

fn sockets_directory() -> HostPath {
    HostPath::fixed("/etc/systemd/system/sockets.target.wants")
}

fn socket_link(site: &Site) -> HostPath {
    sockets_directory().join(&render::systemd::php_socket_name(site))
}

pub(super) fn service(unit: String, act: ServiceAct) -> Step {
    Step::Service {
        services: ServiceManager::Systemd,
        unit,
        act,
    }
}

pub(super) fn php_shared(steps: &mut Steps, site: &Site, php: PhpVersion) {
    steps
        .add(
            "Reload PHP-FPM if this is undone",
            shared(php, ServiceAct::ReloadOnUndo),
        )
        .root_file(
            format!("Write the PHP-FPM {php} pool of the site"),
            &render::php_fpm::pool_file(site, php),
            render::php_fpm::pool(site),
        )
        .add(
            format!("Reload PHP-FPM {php}"),
            shared(php, ServiceAct::Reload),
        );
}

/// Acts on the one master that all sites of a version share where systemd is absent.
pub(super) fn shared(php: PhpVersion, act: ServiceAct) -> Step {
    Step::Service {
        services: ServiceManager::Sysv,
        unit: format!("php{php}-fpm"),
        act,
    }
}

/// Everything that must surround a change of nginx files, so that undoing it reloads as well.
pub(super) fn nginx_change(steps: &mut Steps, facts: &Facts, change: impl FnOnce(&mut Steps)) {
    steps
        .add(
            "Reload nginx if this is undone",
            Step::ReloadNginx {
                services: facts.services,
                when: When::Undoing,
            },
        )
        .add(
            "Stamp the nginx configuration with this operation",
            Step::StampNginx {},
        );
    change(steps);
    steps.add(
        "Reload nginx and wait for the new configuration",
        Step::ReloadNginx {
            services: facts.services,
            when: When::Forward,
        },
    );
}

/// Tests the site's file, then makes nginx read it.
pub(super) fn link(steps: &mut Steps, site: &Site) {
    steps
        .add(
            "Test the nginx configuration with the new file",
            Step::CheckNginx {
                with: Some(site.nginx_file()),
            },
        )
        .add("Link the site's nginx file", nginx_link(site));
}

pub(super) fn nginx_link(site: &Site) -> Step {
    Step::Link {
        target: format!("../sites-available/{}", site.hostname),
        path: site.nginx_link(),
    }
}

/// The names and passwords that nginx asks visitors for, where the site has some.
pub(super) fn visitors(steps: &mut Steps, site: &Site, facts: &Facts) {
    let Some(text) = render::nginx::visitors(site) else {
        return;
    };
    let owner = Owner {
        uid: 0,
        gid: facts.web_gid,
    };
    steps.add(
        "Write the names that may pass",
        Step::WriteFile {
            path: render::nginx::visitors_file(site),
            text,
            owner,
            mode: Mode(0o640),
        },
    );
}

/// Asks for the first page.
pub(super) fn probe(steps: &mut Steps, site: &Site, expect: Expectation) {
    steps.add(
        "Load the home page once",
        Step::ProbeSite {
            hostname: site.hostname.clone(),
            expect,
        },
    );
}

/// Where the socket unit of a site's PHP-FPM lies.
pub(super) fn socket_file(site: &Site) -> HostPath {
    render::systemd::unit_file(&render::systemd::php_socket_name(site))
}

/// Where the service unit of a site's PHP-FPM lies.
pub(super) fn service_file(site: &Site) -> HostPath {
    render::systemd::unit_file(&render::systemd::php_service_name(site))
}
