//! What of a plan is not so yet.
//!
//! Invariant: looking only; a step is left out only where doing it would change nothing.

use crate::domain::path::HostPath;
use crate::host::{Host, HostResult, Meta, Node};
use crate::install::plan::Part;
use crate::ops::nginx;
use crate::ops::plan::PlannedStep;
use crate::ops::service;
use crate::ops::step::{ServiceAct, Step};
use crate::system::config::{self, Config};
use crate::system::{panel_certificate, users};

/// How a step stands.
enum Standing {
    /// It has to be done.
    Missing,
    /// It is so.
    So,
    /// It is done where something else of its part is.
    Along,
}

/// The steps that have to be done.
pub(super) fn steps(host: &dyn Host, parts: Vec<Part>) -> HostResult<Vec<PlannedStep>> {
    let mut found = Vec::new();
    for part in parts {
        if part.whole {
            found.extend(part.steps);
        } else {
            found.extend(of_part(host, part)?);
        }
    }
    Ok(found)
}

fn of_part(host: &dyn Host, part: Part) -> HostResult<Vec<PlannedStep>> {
    let mut is_missing = false;
    let mut steps = Vec::new();
    for planned in part.steps {
        match standing(host, &planned.step)? {
            Standing::Missing => {
                is_missing = true;
                steps.push(planned);
            }
            Standing::Along => steps.push(planned),
            Standing::So => {}
        }
    }
    Ok(if is_missing { steps } else { Vec::new() })
}

/// True where a file says so already. Settings may stand in another order, with somebody's comments beside them.
fn says(host: &dyn Host, path: &HostPath, size: u64, text: &str) -> HostResult<bool> {
    if *path == config::file() {
        let (found, wanted) = (Config::read(host), Config::parse(text));
        return Ok(matches!((found, wanted), (Ok(found), Ok(wanted)) if found == wanted));
    }
    let is_as_long = u64::try_from(text.len()).is_ok_and(|length| length == size);
    Ok(is_as_long && host.read(path, text.len())? == text.as_bytes())
}

fn standing(host: &dyn Host, step: &Step) -> HostResult<Standing> {
    let so = match step {
        Step::WriteFile {
            path,
            text,
            owner,
            mode,
        } => match host.stat(path)? {
            Some(Meta {
                node: Node::File { size },
                owner: own,
                mode: bits,
            }) => own == *owner && bits == *mode && says(host, path, size, text)?,
            _ => false,
        },
        Step::GiveFile { path, owner, mode } => host
            .stat(path)?
            .is_some_and(|meta| meta.owner == *owner && meta.mode == *mode),
        Step::RemoveFile { path } => host.stat(path)?.is_none(),
        Step::MakeDirectory { path, owner, mode } => host.stat(path)?.is_some_and(|meta| {
            meta.node == Node::Directory && meta.owner == *owner && meta.mode == *mode
        }),
        Step::Link { target, path } => host.stat(path)?.is_some_and(
            |meta| matches!(&meta.node, Node::Link { target: present } if present == target),
        ),
        Step::CreateUser(user) => users::exists(host, &user.name)?,
        Step::DeleteUser(user) => !users::exists(host, &user.name)?,
        Step::MoveHome { name, to, .. } => users::home(host, name)?.as_deref() == Some(to.as_str()),
        Step::PanelCertificate { .. } => {
            exists(host, &panel_certificate::certificate_file())?
                && exists(host, &panel_certificate::key_file())?
        }
        Step::StampNginx {} if exists(host, &nginx::marker_file())? => {
            return Ok(Standing::Along);
        }
        Step::Service {
            services,
            unit,
            act,
        } => {
            let now = service::state(host, *services, unit)?;
            match act {
                ServiceAct::EnableNow => now.active && now.enabled,
                ServiceAct::DisableNow => !now.active && !now.enabled,
                ServiceAct::Mask | ServiceAct::Forbid => now.masked,
                ServiceAct::Start => now.active,
                ServiceAct::Unmask => !now.masked,
                ServiceAct::Stop | ServiceAct::Retire => !now.active,
                ServiceAct::Restart
                | ServiceAct::Renew
                | ServiceAct::Reload
                | ServiceAct::ReloadOnUndo
                | ServiceAct::RestartOnUndo => return Ok(Standing::Along),
            }
        }
        Step::Claim { .. }
        | Step::ReloadUnits { .. }
        | Step::CheckNginx { .. }
        | Step::TestNginx { .. }
        | Step::ReloadNginx { .. }
        | Step::PingPhp { .. }
        | Step::TryPhp(_)
        | Step::DrainPhp { .. }
        | Step::LookAtHome { .. }
        | Step::CompareHome { .. }
        | Step::ProbeSite { .. }
        | Step::ConfirmCertificate { .. }
        | Step::AwaitPackages {}
        | Step::Panel(_)
        | Step::FetchSource { .. }
        | Step::RefreshPackageLists {}
        | Step::Sql { .. } => return Ok(Standing::Along),
        Step::CreateDatabase { .. }
        | Step::CreateDatabaseUser { .. }
        | Step::GrantDatabaseUser(_)
        | Step::DropDatabaseUser { .. }
        | Step::SetDatabasePassword { .. }
        | Step::LockDatabaseUser { .. }
        | Step::SwapDatabase { .. }
        | Step::CopyDatabase { .. }
        | Step::SetWordpressAddress(_)
        | Step::MoveLogin(_)
        | Step::EditLogin(_)
        | Step::UnpackWordpress { .. }
        | Step::CopyFiles { .. }
        | Step::ConfigureWordpress { .. }
        | Step::InstallWordpress(_)
        | Step::StampNginx {}
        | Step::MakeSiteDirectory { .. }
        | Step::MakePlaceholder { .. }
        | Step::Move { .. }
        | Step::Job(_)
        | Step::PlaceProgram { .. }
        | Step::StartPhp { .. }
        | Step::InstallPackages { .. }
        | Step::RemovePackages { .. }
        | Step::FinishPackages {} => false,
    };
    Ok(if so { Standing::So } else { Standing::Missing })
}

fn exists(host: &dyn Host, path: &HostPath) -> HostResult<bool> {
    Ok(host.stat(path)?.is_some())
}
