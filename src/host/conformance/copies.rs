//! Conduct with copies from one site's tree into another's.
//!
//! Invariant: test code only.

use super::{Subject, path};
use crate::domain::id::SiteId;
use crate::domain::path::SitePath;
use crate::domain::tree_size::TreeSize;
use crate::host::job::{Act, Job, JobResult, SiteTree, TreeCopy};
use crate::host::{Host, Mode, Node, Owner};

const ROOM: u64 = 1 << 20;

/// In memory a worker runs with its site's uid; below a scratch directory with the caller's.
fn owner_of<H: Host>(on: &Subject<H>, site: SiteId) -> Owner {
    if on.scratch.is_some() {
        on.owner
    } else {
        Owner::of_site(site)
    }
}

fn old() -> SiteTree {
    SiteTree {
        site: SiteId::FIRST,
        base: path("/old"),
    }
}

fn new() -> SiteTree {
    SiteTree {
        site: SiteId::FIRST.next(),
        base: path("/new"),
    }
}

fn site_path(text: &str) -> SitePath {
    SitePath::parse(text).unwrap()
}

fn act<H: Host>(on: &Subject<H>, tree: &SiteTree, act: Act) -> JobResult {
    on.host.job(&Job::new(tree.site, &tree.base, act)).unwrap()
}

fn put<H: Host>(on: &Subject<H>, tree: &SiteTree, at: &str, text: &str) {
    let made = act(
        on,
        tree,
        Act::PutFile {
            path: site_path(at),
            text: text.to_owned(),
        },
    );
    assert!(matches!(made, JobResult::Done { .. }), "{made:?}");
}

/// Two sites; the first with a page, a directory, and a file in it.
fn two_sites<H: Host>(on: &Subject<H>) {
    for tree in [old(), new()] {
        let owner = owner_of(on, tree.site);
        on.host.make_dir(&tree.base, on.owner, Mode(0o711)).unwrap();
        let files = tree.base.join("htdocs");
        on.host.make_dir(&files, owner, Mode(0o2750)).unwrap();
    }
    put(on, &old(), "htdocs/index.html", "a page");
    let path = site_path("htdocs/img");
    act(on, &old(), Act::MakeDirectory { path });
    put(on, &old(), "htdocs/img/a.bin", &"x".repeat(100_000));
}

fn copied<H: Host>(on: &Subject<H>, bytes: u64, things: u64) -> JobResult {
    let copy = TreeCopy {
        from: old(),
        to: new(),
        path: site_path("htdocs"),
        bytes,
        things,
    };
    on.host.copy(&copy).unwrap()
}

fn measured<H: Host>(on: &Subject<H>) -> JobResult {
    let path = site_path("htdocs");
    act(on, &old(), Act::Measure { path })
}

pub(super) fn a_copy_brings_everything_and_leaves_the_original<H: Host>(on: &Subject<H>) {
    two_sites(on);
    let size = TreeSize {
        bytes: 100_006,
        things: 3,
        ..TreeSize::default()
    };
    assert_eq!(measured(on), JobResult::Counted(size.clone()));
    assert_eq!(on.host.list(&path("/new/htdocs")).unwrap().len(), 0);
    assert_eq!(copied(on, ROOM, 10), JobResult::Counted(size));
    for base in ["/old", "/new"] {
        assert_eq!(on.text(&format!("{base}/htdocs/index.html")), "a page");
        let inner = on.text(&format!("{base}/htdocs/img/a.bin"));
        assert_eq!(inner.len(), 100_000);
    }
    let meta = on.meta("/new/htdocs/img");
    assert_eq!(meta.node, Node::Directory);
    assert_eq!(meta.mode.0 & 0o2700, 0o2700);
    let page = on.meta("/new/htdocs/index.html");
    assert_eq!(page.owner, owner_of(on, new().site));
    assert_eq!(page.mode.0 & 0o7707, 0o600);
}

pub(super) fn what_leads_out_or_is_no_file_is_counted_and_left_out<H: Host>(on: &Subject<H>) {
    two_sites(on);
    for (name, target) in [
        ("inside", "img/a.bin"),
        ("out", "/etc/passwd"),
        ("up", "../../secret"),
    ] {
        // Root may put a link there only where the directory is root's: for a moment it is.
        let files = path("/old/htdocs");
        on.host.set_meta(&files, on.owner, Mode(0o755)).unwrap();
        on.host.link(target, &files.join(name)).unwrap();
        let owner = owner_of(on, old().site);
        on.host.set_meta(&files, owner, Mode(0o2750)).unwrap();
    }
    let JobResult::Counted(size) = measured(on) else {
        panic!("not counted");
    };
    assert_eq!((size.things, size.left_out), (4, 2));
    assert_eq!(size.examples, ["out", "up"]);
    assert!(matches!(copied(on, ROOM, 10), JobResult::Counted(made) if made == size));
    let link = on.meta("/new/htdocs/inside").node;
    let target = "img/a.bin".to_owned();
    assert_eq!(link, Node::Link { target });
    assert!(!on.is_there("/new/htdocs/out") && !on.is_there("/new/htdocs/up"));
}

pub(super) fn a_copy_replaces_nothing<H: Host>(on: &Subject<H>) {
    two_sites(on);
    put(on, &new(), "htdocs/index.html", "mine");
    assert!(matches!(copied(on, ROOM, 10), JobResult::Failed { .. }));
    assert_eq!(on.text("/new/htdocs/index.html"), "mine");
}

pub(super) fn a_copy_ends_where_there_is_no_room<H: Host>(on: &Subject<H>) {
    for (bytes, things) in [(1000, 10), (ROOM, 1)] {
        two_sites(on);
        let answer = copied(on, bytes, things);
        assert!(
            matches!(
                answer,
                JobResult::Failed {
                    disk_full: true,
                    ..
                }
            ),
            "{answer:?}"
        );
        let path = site_path("htdocs");
        act(on, &new(), Act::Empty { path });
    }
}

pub(super) fn half_a_copy_is_no_job<H: Host>(on: &Subject<H>) {
    two_sites(on);
    let path = site_path("htdocs");
    let (bytes, things) = (ROOM, 10);
    for half in [
        Act::Send { path: path.clone() },
        Act::Receive {
            path,
            bytes,
            things,
        },
    ] {
        assert!(matches!(act(on, &old(), half), JobResult::Failed { .. }));
    }
}
