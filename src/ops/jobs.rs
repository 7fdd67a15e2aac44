//! What operations have workers do in the trees of sites, and what people are told when it fails.
//!
//! Invariant: root names a site and a place; what is below a site's own directories is touched with that site's uid alone.

use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::path::{HostPath, SitePath};
use crate::domain::text::shown;
use crate::domain::tree_size::TreeSize;
use crate::host::Host;
use crate::host::job::{Act, Job, JobResult, SiteTree, TreeCopy};
use crate::ops::context::Context;
use crate::ops::refuse::ROOM;
use crate::ops::undo::Undo;

/// Inodes that a copy leaves to everybody else.
pub(super) const INODES: u64 = 1000;

/// Has a worker do something.
pub(super) fn run(host: &dyn Host, job: &Job) -> Result<(), Fault> {
    counted(host.job(job)?, &job.base).map(drop)
}

/// What is below the document root of a site, as the site itself sees it.
pub(super) fn measure(host: &dyn Host, tree: &SiteTree) -> Result<TreeSize, Fault> {
    let act = Act::Measure { path: files()? };
    counted(host.job(&Job::new(tree.site, &tree.base, act))?, &tree.base)
}

/// Copies the files of one site into the empty directory of another, as far as there is room, and says how much it was.
pub(super) fn copy(from: &SiteTree, to: &SiteTree, context: &Context<'_>) -> Result<(), Fault> {
    let space = context.host.space(&to.base)?;
    let copy = TreeCopy {
        from: from.clone(),
        to: to.clone(),
        path: files()?,
        bytes: space.free.saturating_sub(ROOM),
        things: space.inodes.saturating_sub(INODES),
    };
    let size = counted(context.host.copy(&copy)?, &to.base)?;
    context.say(size.words());
    Ok(())
}

fn files() -> Result<SitePath, Fault> {
    SitePath::parse("htdocs").map_err(|bad| {
        Fault::new(
            Code::HostFailed,
            bad.to_string(),
            "report it with the version of the panel",
        )
    })
}

fn counted(result: JobResult, base: &HostPath) -> Result<TreeSize, Fault> {
    match result {
        JobResult::Done { .. } => Ok(TreeSize::default()),
        JobResult::Logins(_) => Ok(TreeSize::default()),
        JobResult::Counted(size) => Ok(size),
        JobResult::Failed {
            reason,
            disk_full: true,
        } => Err(Fault::new(
            Code::DiskFull,
            format!("no space is left for the files of {base}"),
            "free some space (`df -h` and `df -i` show where it went), then try again",
        )
        .detail(shown(&reason, 200))),
        JobResult::Failed { reason, .. } => Err(Fault::new(
            Code::HostFailed,
            format!("the files of {base} could not be changed"),
            "look at the named file, then try again",
        )
        .detail(shown(&reason, 200))),
    }
}

/// A file the job makes is removed again. One that existed stays: the job leaves it alone and so does the undo, since
/// planners put files only into directories that the same plan makes.
pub(super) fn undo_of(job: &Job) -> Undo {
    match &job.act {
        Act::PutFile { path, .. } => Undo::Job(Job {
            act: Act::RemoveFile { path: path.clone() },
            ..job.clone()
        }),
        _ => Undo::Nothing,
    }
}

/// Empties a directory of a site as that site, then removes it. Also how the graveyard is swept.
pub(super) fn remove_site_directory(
    host: &dyn Host,
    site: SiteId,
    base: &HostPath,
    name: &str,
) -> Result<(), Fault> {
    let path = base.join(name);
    if host.stat(&path)?.is_none() {
        return Ok(());
    }
    if let Ok(inside) = SitePath::parse(name) {
        run(
            host,
            &Job {
                site,
                base: base.clone(),
                act: Act::Empty { path: inside },
            },
        )?;
    }
    host.remove(&path).map_err(Fault::from)
}
