//! The worker as a process of its own: whom it works for, and what it leaves alone.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
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
    started_beside(base, uid, Stdio::null())
}

/// The same with something handed to it as standard error.
fn started_beside(base: &Path, uid: Option<u32>, beside: Stdio) -> (Child, UnixStream) {
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
        .stderr(beside);
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    (command.spawn().unwrap(), ours)
}

/// The exit code of a worker and what it answered.
fn work(base: &Path, uid: Option<u32>, act: Act) -> (Option<i32>, Option<JobResult>) {
    let (child, ours) = started(base, uid);
    answered(child, ours, SiteId::FIRST, act)
}

fn answered(
    mut child: Child,
    mut ours: UnixStream,
    site: SiteId,
    act: Act,
) -> (Option<i32>, Option<JobResult>) {
    let job = Job {
        site,
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

/// Needs root too: two workers, each with a uid of its own, and a pipe.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test makes the tree that is copied"
)]
fn two_workers_copy_a_tree_and_a_file_larger_than_any_other_job_may_write() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (first, second) = (SiteId::FIRST, SiteId::FIRST.next());
    let bases = [(first, "old"), (second, "new")].map(|(site, name)| {
        let base = scratch.path().join(name);
        std::fs::create_dir_all(base.join("htdocs")).unwrap();
        chown(base.join("htdocs"), Some(site.uid()), Some(site.uid())).unwrap();
        base
    });
    for directory in [scratch.path(), &bases[0], &bases[1]] {
        let through = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(directory, through).unwrap();
    }
    let [old, new] = bases.each_ref().map(|base| base.join("htdocs"));
    let large = std::fs::File::create(old.join("large")).unwrap();
    large.set_len(70 << 20).unwrap();
    std::fs::write(old.join("page"), "a page").unwrap();
    for name in ["large", "page"] {
        chown(old.join(name), Some(first.uid()), Some(first.uid())).unwrap();
    }
    std::fs::write(old.join("secret"), "of root").unwrap();
    let closed = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(old.join("secret"), closed).unwrap();

    let (output, input) = std::io::pipe().unwrap();
    let (sender, to_sender) = started_beside(&bases[0], Some(first.uid()), input.into());
    let (receiver, to_receiver) = started_beside(&bases[1], Some(second.uid()), output.into());
    let path = || SitePath::parse("htdocs").unwrap();
    let send = Act::Send { path: path() };
    let sending = std::thread::spawn(move || answered(sender, to_sender, first, send));
    let (bytes, things) = (100 << 20, 10);
    let receive = Act::Receive {
        path: path(),
        bytes,
        things,
    };
    let (code, made) = answered(receiver, to_receiver, second, receive);
    let (_, sent) = sending.join().unwrap();
    let Some(JobResult::Counted(sent)) = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(
        (sent.bytes, sent.things, sent.left_out),
        ((70 << 20) + 6, 2, 1)
    );
    assert_eq!(sent.examples, ["secret"]);
    assert!(matches!((code, made), (Some(0), Some(JobResult::Counted(made))) if made.things == 2));
    let page = std::fs::metadata(new.join("page")).unwrap();
    assert_eq!((page.uid(), page.len()), (second.uid(), 6));
    assert_eq!(
        std::fs::metadata(new.join("large")).unwrap().len(),
        70 << 20
    );
    assert!(!new.join("secret").exists());
}

/// Needs root too. The kernel sends the signal when the thread ends that started the worker.
#[test]
fn a_worker_ends_with_whoever_started_it() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let base = scratch.path().to_owned();
    let pause = |millis| std::thread::sleep(std::time::Duration::from_millis(millis));
    let starting = std::thread::spawn(move || {
        let (child, job) = started(&base, Some(SiteId::FIRST.uid()));
        let memory = format!("/proc/{}/mem", child.id());
        for _ in 0..1000 {
            if std::fs::metadata(&memory).is_ok_and(|memory| memory.uid() == 0) {
                break;
            }
            pause(10);
        }
        pause(500);
        (child, job)
    });
    let (mut child, job) = starting.join().unwrap();
    for _ in 0..1000 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        pause(10);
    }
    let status = child.try_wait().unwrap();
    assert_eq!(status.and_then(|status| status.signal()), Some(9));
    drop(job);
}
