//! The conduct both machines are held to: one set of checks, run on the real one below a scratch directory and on the one in memory.
//!
//! Invariant: a check names no host; what one of the two does differently is a bug in one of the two.

use crate::domain::id::SiteId;
use crate::domain::path::{HostPath, SitePath};
use crate::host::job::{Act, Job, JobResult};
use crate::host::{Host, HostError, Meta, Mode, Node, Owner};

/// A machine under test and the owner its files have (an ordinary user cannot give files away).
struct Subject<H> {
    host: H,
    owner: Owner,
    _room: Option<tempfile::TempDir>,
}

fn path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

impl<H: Host> Subject<H> {
    fn directory(&self, at: &str) {
        self.host
            .make_dir(&path(at), self.owner, Mode(0o755))
            .unwrap();
    }

    fn file(&self, at: &str, text: &str) {
        self.host
            .write(&path(at), text.as_bytes(), self.owner, Mode(0o644))
            .unwrap();
    }

    fn text(&self, at: &str) -> String {
        String::from_utf8(self.host.read(&path(at), 1 << 20).unwrap()).unwrap()
    }

    fn meta(&self, at: &str) -> Meta {
        self.host.stat(&path(at)).unwrap().unwrap()
    }

    fn is_there(&self, at: &str) -> bool {
        self.host.stat(&path(at)).unwrap().is_some()
    }

    fn job(&self, act: Act) -> JobResult {
        let job = Job {
            site: SiteId::FIRST,
            base: path("/site"),
            act,
        };
        self.host.job(&job).unwrap()
    }
}

fn a_written_file_has_its_bytes_owner_and_mode<H: Host>(on: &Subject<H>) {
    on.directory("/etc");
    on.host
        .write(&path("/etc/a"), b"one", on.owner, Mode(0o640))
        .unwrap();
    let expected = Meta {
        node: Node::File { size: 3 },
        owner: on.owner,
        mode: Mode(0o640),
    };
    assert_eq!(on.meta("/etc/a"), expected);
    on.host
        .write(&path("/etc/a"), b"three", on.owner, Mode(0o600))
        .unwrap();
    assert_eq!(
        (on.text("/etc/a").as_str(), on.meta("/etc/a").mode),
        ("three", Mode(0o600))
    );
    assert_eq!(on.host.list(&path("/etc")).unwrap(), ["a"]);
}

fn a_write_replaces_a_link_and_never_a_directory<H: Host>(on: &Subject<H>) {
    on.directory("/d");
    on.file("/target", "kept");
    on.host.link("/target", &path("/link")).unwrap();
    on.file("/link", "new");
    assert_eq!(
        (on.text("/target").as_str(), on.text("/link").as_str()),
        ("kept", "new")
    );
    let refused = on.host.write(&path("/d"), b"", on.owner, Mode(0o644));
    assert!(matches!(refused, Err(HostError::Kind { .. })));
    assert!(matches!(
        on.host.link("x", &path("/d")),
        Err(HostError::Kind { .. })
    ));
    assert_eq!(on.meta("/d").node, Node::Directory);
}

fn a_write_without_its_directory_is_refused<H: Host>(on: &Subject<H>) {
    let refused = on.host.write(&path("/no/file"), b"", on.owner, Mode(0o644));
    assert!(matches!(refused, Err(HostError::Missing { .. })));
    on.file("/plain", "");
    let refused = on
        .host
        .write(&path("/plain/file"), b"", on.owner, Mode(0o644));
    assert!(matches!(refused, Err(HostError::Kind { .. })));
    assert!(on.host.list(&path("/plain")).is_err());
}

fn reading_refuses_what_is_no_file_or_too_long<H: Host>(on: &Subject<H>) {
    on.file("/f", "12345");
    on.host.link("/f", &path("/l")).unwrap();
    on.directory("/d");
    assert_eq!(on.host.read(&path("/f"), 5).unwrap(), b"12345");
    assert!(matches!(
        on.host.read(&path("/f"), 4),
        Err(HostError::Io { .. })
    ));
    assert!(matches!(
        on.host.read(&path("/l"), 5),
        Err(HostError::Kind { .. })
    ));
    assert!(matches!(
        on.host.read(&path("/d"), 5),
        Err(HostError::Kind { .. })
    ));
    assert!(matches!(
        on.host.read(&path("/none"), 5),
        Err(HostError::Missing { .. })
    ));
}

fn a_directory_gets_its_owner_and_mode_each_time<H: Host>(on: &Subject<H>) {
    for mode in [0o711, 0o2750, 0o700] {
        on.host.make_dir(&path("/d"), on.owner, Mode(mode)).unwrap();
        assert_eq!(
            (on.meta("/d").node, on.meta("/d").mode),
            (Node::Directory, Mode(mode))
        );
    }
    on.file("/f", "");
    assert!(matches!(
        on.host.make_dir(&path("/f"), on.owner, Mode(0o755)),
        Err(HostError::Kind { .. })
    ));
    assert!(matches!(
        on.host.make_dir(&path("/a/b"), on.owner, Mode(0o755)),
        Err(HostError::Missing { .. })
    ));
}

fn a_link_is_shown_and_replaced_but_never_written_through<H: Host>(on: &Subject<H>) {
    on.directory("/real");
    on.host.link("/nowhere", &path("/l")).unwrap();
    on.host.link("/real", &path("/l")).unwrap();
    let target = "/real".to_owned();
    assert_eq!(on.meta("/l").node, Node::Link { target });
    assert!(matches!(
        on.host.write(&path("/l/x"), b"", on.owner, Mode(0o644)),
        Err(HostError::Kind { .. })
    ));
    assert_eq!(on.host.stat(&path("/l/x")).unwrap(), None);
    assert!(matches!(
        on.host.set_meta(&path("/l"), on.owner, Mode(0o600)),
        Err(HostError::Kind { .. })
    ));
    assert_eq!(on.meta("/real").mode, Mode(0o755));
}

fn reading_goes_along_a_link_that_root_made<H: Host>(on: &Subject<H>) {
    on.directory("/usr");
    on.directory("/usr/lib");
    on.file("/usr/lib/f", "text");
    for (at, target) in [("/lib", "usr/lib"), ("/lib64", "/lib"), ("/loop", "loop")] {
        on.host.link(target, &path(at)).unwrap();
    }
    assert_eq!(on.text("/lib64/f"), "text");
    assert_eq!(on.host.list(&path("/lib64")).unwrap(), ["f"]);
    assert!(on.is_there("/lib/f") && !on.is_there("/lib/none"));
    assert!(matches!(
        on.host.stat(&path("/loop/x")),
        Err(HostError::Kind { .. })
    ));
    let refused = on.host.write(&path("/lib/f"), b"", on.owner, Mode(0o644));
    assert!(matches!(refused, Err(HostError::Kind { .. })));
}

fn a_rename_moves_whole_trees_and_replaces_nothing<H: Host>(on: &Subject<H>) {
    on.directory("/a");
    on.directory("/a/b");
    on.file("/a/b/c", "deep");
    on.directory("/taken");
    assert!(matches!(
        on.host.rename(&path("/a"), &path("/taken")),
        Err(HostError::Kind { .. })
    ));
    assert!(matches!(
        on.host.rename(&path("/none"), &path("/x")),
        Err(HostError::Missing { .. })
    ));
    on.host.rename(&path("/a"), &path("/moved")).unwrap();
    assert!(!on.is_there("/a") && !on.is_there("/a/b/c"));
    assert_eq!(on.text("/moved/b/c"), "deep");
    assert!(matches!(
        on.host.rename(&path("/moved"), &path("/moved/b/x")),
        Err(HostError::Io { .. })
    ));
}

fn removing_takes_one_thing_and_nothing_is_fine<H: Host>(on: &Subject<H>) {
    on.directory("/d");
    on.file("/d/f", "");
    on.host.link("/d/f", &path("/l")).unwrap();
    assert!(matches!(
        on.host.remove(&path("/d")),
        Err(HostError::NotEmpty { .. })
    ));
    on.host.remove(&path("/l")).unwrap();
    assert!(on.is_there("/d/f"));
    for _ in 0..2 {
        on.host.remove(&path("/d/f")).unwrap();
        on.host.remove(&path("/d")).unwrap();
    }
    assert!(!on.is_there("/d"));
    on.host.remove(&path("/never/was")).unwrap();
}

fn meta_is_changed_in_place<H: Host>(on: &Subject<H>) {
    on.file("/f", "same");
    on.host
        .set_meta(&path("/f"), on.owner, Mode(0o400))
        .unwrap();
    assert_eq!(
        (on.meta("/f").mode, on.text("/f").as_str()),
        (Mode(0o400), "same")
    );
    assert!(matches!(
        on.host.set_meta(&path("/none"), on.owner, Mode(0o600)),
        Err(HostError::Missing { .. })
    ));
}

fn nothing_is_written_where_others_can_write<H: Host>(on: &Subject<H>) {
    on.host
        .make_dir(&path("/open"), on.owner, Mode(0o777))
        .unwrap();
    let file = path("/open/f");
    assert!(matches!(
        on.host.write(&file, b"", on.owner, Mode(0o644)),
        Err(HostError::Kind { .. })
    ));
    assert!(matches!(
        on.host.link("x", &file),
        Err(HostError::Kind { .. })
    ));
    assert!(matches!(
        on.host.make_dir(&file, on.owner, Mode(0o755)),
        Err(HostError::Kind { .. })
    ));
    assert!(matches!(on.host.remove(&file), Err(HostError::Kind { .. })));
    assert_eq!(on.host.list(&path("/open")).unwrap(), Vec::<String>::new());
}

fn names_come_sorted_and_an_absent_directory_is_empty<H: Host>(on: &Subject<H>) {
    on.directory("/d");
    for name in ["/d/b", "/d/a", "/d/a-b", "/d/.c", "/d/B"] {
        on.file(name, "");
    }
    assert_eq!(
        on.host.list(&path("/d")).unwrap(),
        [".c", "B", "a", "a-b", "b"]
    );
    assert!(on.host.list(&path("/none")).unwrap().is_empty());
    assert_eq!(on.host.stat(&path("/none/x")).unwrap(), None);
    assert_eq!(
        on.host.stat(&path("/")).unwrap().unwrap().node,
        Node::Directory
    );
}

fn a_site_tree<H: Host>(on: &Subject<H>) {
    let owner = site_owner(on);
    on.host
        .make_dir(&path("/site"), on.owner, Mode(0o711))
        .unwrap();
    on.host
        .make_dir(&path("/site/htdocs"), owner, Mode(0o2750))
        .unwrap();
}

/// In memory a job runs with the site's uid; below a scratch directory with the caller's.
fn site_owner<H: Host>(on: &Subject<H>) -> Owner {
    if on._room.is_some() {
        on.owner
    } else {
        Owner::of_site(SiteId::FIRST)
    }
}

fn site_path(text: &str) -> SitePath {
    SitePath::parse(text).unwrap()
}

fn a_job_puts_a_file_once<H: Host>(on: &Subject<H>) {
    a_site_tree(on);
    let put = |text: &str| {
        on.job(Act::PutFile {
            path: site_path("htdocs/index.html"),
            text: text.to_owned(),
        })
    };
    assert_eq!(
        put("first"),
        JobResult::Done {
            files: 1,
            created: true
        }
    );
    assert_eq!(
        put("second"),
        JobResult::Done {
            files: 0,
            created: false
        }
    );
    assert_eq!(on.text("/site/htdocs/index.html"), "first");
    let meta = on.meta("/site/htdocs/index.html");
    assert_eq!((meta.owner, meta.mode), (site_owner(on), Mode(0o640)));
}

fn a_job_removes_its_own_files_only<H: Host>(on: &Subject<H>) {
    a_site_tree(on);
    let act = Act::RemoveFile {
        path: site_path("htdocs/f"),
    };
    assert_eq!(
        on.job(act.clone()),
        JobResult::Done {
            files: 0,
            created: false
        }
    );
    on.job(Act::PutFile {
        path: site_path("htdocs/f"),
        text: String::new(),
    });
    assert_eq!(
        on.job(act),
        JobResult::Done {
            files: 1,
            created: false
        }
    );
    assert!(!on.is_there("/site/htdocs/f"));
    on.job(Act::MakeDirectory {
        path: site_path("htdocs/d"),
    });
    let refused = on.job(Act::RemoveFile {
        path: site_path("htdocs/d"),
    });
    assert!(matches!(refused, JobResult::Failed { .. }));
}

fn a_job_makes_a_closed_directory_once<H: Host>(on: &Subject<H>) {
    a_site_tree(on);
    let make = |at: &str| {
        on.job(Act::MakeDirectory {
            path: site_path(at),
        })
    };
    assert_eq!(
        make("htdocs/d"),
        JobResult::Done {
            files: 1,
            created: true
        }
    );
    assert_eq!(
        make("htdocs/d"),
        JobResult::Done {
            files: 0,
            created: false
        }
    );
    assert_eq!(on.meta("/site/htdocs/d").mode.0 & 0o777, 0o700);
    assert!(matches!(
        make("htdocs/none/d"),
        JobResult::Failed {
            disk_full: false,
            ..
        }
    ));
}

fn a_job_empties_a_directory_and_keeps_it<H: Host>(on: &Subject<H>) {
    a_site_tree(on);
    for at in ["htdocs/a", "htdocs/a/b"] {
        on.job(Act::MakeDirectory {
            path: site_path(at),
        });
    }
    for at in ["htdocs/f", "htdocs/a/g", "htdocs/a/b/h"] {
        on.job(Act::PutFile {
            path: site_path(at),
            text: "x".to_owned(),
        });
    }
    let empty = || {
        on.job(Act::Empty {
            path: site_path("htdocs"),
        })
    };
    assert_eq!(
        empty(),
        JobResult::Done {
            files: 5,
            created: false
        }
    );
    assert_eq!(
        empty(),
        JobResult::Done {
            files: 0,
            created: false
        }
    );
    assert_eq!(on.meta("/site/htdocs").node, Node::Directory);
    assert!(on.host.list(&path("/site/htdocs")).unwrap().is_empty());
}

fn nobody_answers_where_nobody_listens<H: Host>(on: &Subject<H>) {
    let silence = on.host.exchange(&path("/none.sock"), b"x", 10, 100);
    assert!(matches!(silence, Err(HostError::Silent { .. })));
}

fn there_is_room_and_time_and_chance<H: Host>(on: &Subject<H>) {
    let space = on.host.space(&path("/not/yet/there")).unwrap();
    assert!(space.free > 0 && space.free <= space.total && space.inodes > 0);
    let early = on.host.now();
    on.host.pause(3);
    assert!(on.host.now().millis_since(early) >= 3);
    let (mut one, mut two) = ([0_u8; 16], [0_u8; 16]);
    on.host.random(&mut one).unwrap();
    on.host.random(&mut two).unwrap();
    assert_ne!(one, two);
}

macro_rules! conduct {
    ($($check:ident,)*) => {
        mod in_memory {
            $(#[test] fn $check() { super::$check(&super::memory()); })*
        }
        mod on_linux {
            $(#[test] fn $check() { super::$check(&super::linux()); })*
        }
    };
}

conduct! {
    a_written_file_has_its_bytes_owner_and_mode,
    a_write_replaces_a_link_and_never_a_directory,
    a_write_without_its_directory_is_refused,
    reading_refuses_what_is_no_file_or_too_long,
    a_directory_gets_its_owner_and_mode_each_time,
    a_link_is_shown_and_replaced_but_never_written_through,
    reading_goes_along_a_link_that_root_made,
    a_rename_moves_whole_trees_and_replaces_nothing,
    removing_takes_one_thing_and_nothing_is_fine,
    meta_is_changed_in_place,
    nothing_is_written_where_others_can_write,
    names_come_sorted_and_an_absent_directory_is_empty,
    a_job_puts_a_file_once,
    a_job_removes_its_own_files_only,
    a_job_makes_a_closed_directory_once,
    a_job_empties_a_directory_and_keeps_it,
    nobody_answers_where_nobody_listens,
    there_is_room_and_time_and_chance,
}

fn memory() -> Subject<crate::host::memory::MemoryHost> {
    let machine = crate::host::memory::machine::Machine {
        capacity: 1 << 30,
        ..Default::default()
    };
    Subject {
        host: crate::host::memory::MemoryHost::new(machine),
        owner: Owner::ROOT,
        _room: None,
    }
}

fn linux() -> Subject<crate::host::linux::LinuxHost> {
    let room = tempfile::tempdir().unwrap();
    let owner = Owner {
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
    };
    Subject {
        host: crate::host::linux::LinuxHost::at(room.path()).unwrap(),
        owner,
        _room: Some(room),
    }
}
