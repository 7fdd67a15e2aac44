//! The worker as a process of its own: whom it works for, and what it leaves alone.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lalapanel::domain::id::SiteId;
use lalapanel::domain::path::{HostPath, SitePath};
use lalapanel::host::job::{Act, Job, JobResult};

fn put(path: &str) -> Act {
    Act::PutFile {
        path: SitePath::parse(path).unwrap(),
        text: "hello".to_owned(),
    }
}

/// Starts a worker as the agent does, with this uid where one is given.
fn started(base: &Path, uid: Option<u32>) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the test stands in for the agent"
    )]
    let mut command = Command::new(env!("CARGO_BIN_EXE_lalapanel"));
    command
        .arg("worker")
        .env_clear()
        .stdin(std::fs::File::open(base).unwrap())
        .stdout(Stdio::from(OwnedFd::from(theirs)))
        .stderr(Stdio::null());
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    (command.spawn().unwrap(), ours)
}

/// The exit code of a worker and what it answered.
fn work(base: &Path, uid: Option<u32>, act: Act) -> (Option<i32>, Option<JobResult>) {
    let (mut child, mut ours) = started(base, uid);
    let job = Job {
        site: SiteId::FIRST,
        base: HostPath::fixed("/nonexistent"),
        act,
    };
    let _ = ours.write_all(&serde_json::to_vec(&job).unwrap());
    let _ = ours.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = ours.read_to_end(&mut answer);
    (
        child.wait().unwrap().code(),
        serde_json::from_slice(&answer).ok(),
    )
}

#[test]
fn a_worker_is_never_root_and_never_does_the_job_of_another_site() {
    let scratch = tempfile::tempdir().unwrap();
    let (code, answer) = work(scratch.path(), None, put("index.html"));
    // An ordinary user is told so in an answer, or not even heard where further groups came along.
    let refused = matches!(answer, None | Some(JobResult::Failed { .. }));
    assert!(refused, "{answer:?}");
    if nix::unistd::geteuid().is_root() {
        assert_eq!((code, answer), (Some(1), None));
    }
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

/// Needs root, to start a process as somebody else; without it there is nothing to check that the other test does not.
#[test]
fn a_worker_acts_as_its_site_inside_its_tree_only() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let uid = SiteId::FIRST.uid();
    let (base, kept) = (scratch.path().join("site"), scratch.path().join("kept"));
    for directory in [&base, &kept, &base.join("htdocs")] {
        std::fs::create_dir(directory).unwrap();
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::File::open(directory)
            .unwrap()
            .set_permissions(everybody)
            .unwrap();
    }
    chown(base.join("htdocs"), Some(uid), Some(33)).unwrap();
    symlink(&kept, base.join("htdocs/out")).unwrap();
    let done = JobResult::Done {
        files: 1,
        created: true,
    };
    assert_eq!(
        work(&base, Some(uid), put("htdocs/a")),
        (Some(0), Some(done))
    );
    let made = std::fs::metadata(base.join("htdocs/a")).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o7777), (uid, 0o640));
    let (_, refused) = work(&base, Some(uid), put("htdocs/out/a"));
    assert!(
        matches!(refused, Some(JobResult::Failed { .. })),
        "{refused:?}"
    );
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
}

/// Needs root too. The kernel gives the entry in `/proc` of a process that may not be looked into to root.
#[test]
fn another_process_of_the_site_cannot_look_into_a_worker() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (mut child, job) = started(scratch.path(), Some(SiteId::FIRST.uid()));
    let memory = format!("/proc/{}/mem", child.id());
    let owner = || std::fs::metadata(&memory).unwrap().uid();
    let hidden = (0..1000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        owner() == 0
    });
    drop(job);
    child.wait().unwrap();
    assert!(hidden);
}
