//! What a step is about, for people: which file, unit or user it concerns, and whether they are shown it at all.
//!
//! Invariant: what is said names no secret; a step that acts on the way forward is shown.

use crate::host::exec::Program;
use crate::ops::step::{ServiceAct, Step, When, WordpressAddress};
use crate::system::panel_certificate;

impl Step {
    /// True for a step that does nothing on the way forward: it only marks what to read again or to remove when the
    /// plan is undone.
    /// People are not shown these.
    #[must_use]
    pub fn is_for_undoing(&self) -> bool {
        matches!(
            self,
            Self::ReloadUnits {
                when: When::Undoing
            } | Self::ReloadNginx {
                when: When::Undoing,
                ..
            } | Self::Service {
                act: ServiceAct::ReloadOnUndo | ServiceAct::RestartOnUndo,
                ..
            } | Self::Claim { .. }
        )
    }

    /// What it concerns: a file, a unit, a user.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::WriteFile { path, .. }
            | Self::GiveFile { path, .. }
            | Self::RemoveFile { path }
            | Self::MakeDirectory { path, .. }
            | Self::Link { path, .. }
            | Self::Claim { path }
            | Self::FetchSource { path }
            | Self::DrainPhp { socket: path }
            | Self::MakePlaceholder { pair: path, .. }
            | Self::PingPhp { socket: path } => path.to_string(),
            Self::PanelCertificate { .. } => panel_certificate::certificate_file().to_string(),
            Self::Panel(step) => step.target(),
            Self::PlaceProgram { .. } => Program::Lalapanel.path().to_owned(),
            Self::MakeSiteDirectory { base, name, .. } => base.join(name).to_string(),
            Self::Move { from, to } => format!("{from} → {to}"),
            Self::CopyFiles { from, to } => format!("{} → {}", from.base, to.base),
            Self::MoveHome { name, .. } => name.to_string(),
            Self::CreateUser(user) | Self::DeleteUser(user) => user.name.to_string(),
            Self::Job(job) => format!("{} as {}", job.base, job.site),
            Self::Service { unit, .. } => unit.clone(),
            Self::ReloadUnits { .. } => "systemd".to_owned(),
            Self::StampNginx {}
            | Self::CheckNginx { .. }
            | Self::TestNginx { .. }
            | Self::ReloadNginx { .. } => "nginx".to_owned(),
            Self::StartPhp { unit, .. } => unit.clone(),
            Self::TryPhp(trial) => trial.hostname.to_string(),
            Self::ProbeSite { hostname, .. }
            | Self::ConfirmCertificate { hostname, .. }
            | Self::LookAtHome { hostname }
            | Self::CompareHome { hostname } => hostname.to_string(),
            Self::InstallPackages { names } | Self::RemovePackages { names } => names.join(" "),
            Self::RefreshPackageLists {} | Self::AwaitPackages {} => "apt".to_owned(),
            Self::FinishPackages {} => "dpkg".to_owned(),
            Self::Sql { .. } => "MariaDB".to_owned(),
            Self::CreateDatabase { name }
            | Self::SwapDatabase { name, .. }
            | Self::SetWordpressAddress(WordpressAddress { database: name, .. }) => {
                name.to_string()
            }
            Self::CopyDatabase { from, to } => format!("{from} → {to}"),
            Self::MoveLogin(login) => format!("{}@localhost", login.to),
            Self::UnpackWordpress { base, .. } => base.join("htdocs").to_string(),
            Self::ConfigureWordpress { base, .. } => {
                base.join("htdocs").join("wp-config.php").to_string()
            }
            Self::EditLogin(edit) => format!("{}/{}", edit.base, edit.path),
            Self::InstallWordpress(install) => install.hostname.to_string(),
            Self::GrantDatabaseUser(granting) => format!("{}@localhost", granting.user),
            Self::CreateDatabaseUser { user, .. }
            | Self::DropDatabaseUser { user }
            | Self::SetDatabasePassword { user, .. }
            | Self::LockDatabaseUser { user, .. } => format!("{user}@localhost"),
        }
    }
}
