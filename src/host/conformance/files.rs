//! Conduct with files, directories and links.
//!
//! Invariant: test code only.

use super::{Subject, path};
use crate::host::{Host, HostError, Meta, Mode, Node};

pub(super) fn a_written_file_has_its_bytes_owner_and_mode<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_write_replaces_a_link_and_never_a_directory<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_write_without_its_directory_is_refused<H: Host>(on: &Subject<H>) {
    let refused = on.host.write(&path("/no/file"), b"", on.owner, Mode(0o644));
    assert!(matches!(refused, Err(HostError::Missing { .. })));
    on.file("/plain", "");
    let refused = on
        .host
        .write(&path("/plain/file"), b"", on.owner, Mode(0o644));
    assert!(matches!(refused, Err(HostError::Kind { .. })));
    assert!(on.host.list(&path("/plain")).is_err());
}

pub(super) fn a_part_of_a_file_is_read_wherever_it_is<H: Host>(on: &Subject<H>) {
    on.file("/f", "12345");
    on.file("/g", "");
    let part = |at: &str, from, limit| on.host.read_part(&path(at), from, limit);
    let middle = part("/f", 1, 3).unwrap();
    assert_eq!((middle.bytes.as_slice(), middle.size), (&b"234"[..], 5));
    assert_eq!(middle.uid, on.owner.uid);
    assert_eq!(part("/f", 3, 99).unwrap().bytes, b"45");
    assert_eq!(part("/f", 99, 99).unwrap().bytes, b"");
    assert_eq!(part("/f", 0, 0).unwrap().inode, middle.inode);
    assert_ne!(part("/g", 0, 9).unwrap().inode, middle.inode);
    on.host.link("/f", &path("/l")).unwrap();
    on.directory("/d");
    for at in ["/l", "/d"] {
        assert!(matches!(part(at, 0, 1), Err(HostError::Kind { .. })));
    }
    assert!(matches!(
        part("/none", 0, 1),
        Err(HostError::Missing { .. })
    ));
}

pub(super) fn reading_refuses_what_is_no_file_or_too_long<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_directory_gets_its_owner_and_mode_each_time<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_link_is_shown_and_replaced_but_never_written_through<H: Host>(on: &Subject<H>) {
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

pub(super) fn reading_goes_along_a_link_that_root_made<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_rename_moves_whole_trees_and_replaces_nothing<H: Host>(on: &Subject<H>) {
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

pub(super) fn removing_takes_one_thing_and_nothing_is_fine<H: Host>(on: &Subject<H>) {
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

pub(super) fn meta_is_changed_in_place<H: Host>(on: &Subject<H>) {
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

pub(super) fn nothing_is_written_where_others_can_write<H: Host>(on: &Subject<H>) {
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

pub(super) fn names_come_sorted_and_an_absent_directory_is_empty<H: Host>(on: &Subject<H>) {
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
