//! What a copy brings along, what it leaves out, and what it makes of a stream that lies.
//!
//! Invariant: test code only.
#![expect(
    clippy::disallowed_methods,
    reason = "the trees that are copied are made by the test itself"
)]

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const ROOM: Room = Room {
    bytes: 1 << 30,
    things: 1 << 20,
};

fn packed(tree: &Path) -> (Vec<u8>, TreeSize) {
    let top = File::open(tree).unwrap();
    let mut stream = Vec::new();
    let copied = pack(top.as_fd(), &mut stream).unwrap();
    (stream, copied)
}

fn unpacked(tree: &Path, stream: &[u8], room: Room) -> Result<TreeSize> {
    let top = File::open(tree).unwrap();
    unpack(top.as_fd(), &mut &*stream, room)
}

fn tree(base: &Path) -> std::path::PathBuf {
    let top = base.join("old");
    std::fs::create_dir_all(top.join("img/deep")).unwrap();
    std::fs::write(top.join("index.php"), "<?php\n").unwrap();
    std::fs::write(top.join("img/deep/a.bin"), vec![9; 3 * CHUNK + 17]).unwrap();
    symlink("deep/a.bin", top.join("img/b.bin")).unwrap();
    std::fs::set_permissions(top.join("index.php"), PermissionsExt::from_mode(0o6755)).unwrap();
    top
}

#[test]
fn a_tree_arrives_with_its_bytes_links_and_modes_and_without_lent_rights() {
    let scratch = tempfile::tempdir().unwrap();
    let (old, new) = (tree(scratch.path()), scratch.path().join("new"));
    std::fs::create_dir(&new).unwrap();
    let (stream, sent) = packed(&old);
    let made = unpacked(&new, &stream, ROOM).unwrap();
    assert_eq!((made.left_out, made.things), (0, 5));
    assert_eq!(made, sent);
    let bytes = std::fs::read(new.join("img/b.bin")).unwrap();
    assert_eq!(bytes, vec![9; 3 * CHUNK + 17]);
    let mode = std::fs::metadata(new.join("index.php"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o7022, 0);
    assert_eq!(packed(&new).1, sent);
}

#[test]
fn what_leads_out_and_what_is_no_file_is_left_out_and_counted() {
    let scratch = tempfile::tempdir().unwrap();
    let (old, new) = (tree(scratch.path()), scratch.path().join("new"));
    std::fs::create_dir(&new).unwrap();
    symlink("/etc/passwd", old.join("out")).unwrap();
    symlink("../../secret", old.join("img/up")).unwrap();
    nix::unistd::mkfifo(&old.join("pipe"), Mode::S_IRWXU).unwrap();
    let (stream, sent) = packed(&old);
    assert_eq!(sent.left_out, 3);
    assert_eq!(sent.examples, ["img/up", "out", "pipe"]);
    assert_eq!(unpacked(&new, &stream, ROOM).unwrap().left_out, 3);
    for gone in ["out", "img/up", "pipe"] {
        assert!(new.join(gone).symlink_metadata().is_err(), "{gone}");
    }
}

#[test]
fn what_is_there_is_never_replaced_and_no_link_is_written_through() {
    let scratch = tempfile::tempdir().unwrap();
    let (old, new) = (tree(scratch.path()), scratch.path().join("new"));
    std::fs::create_dir(&new).unwrap();
    let kept = scratch.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    symlink("../kept", new.join("img")).unwrap();
    assert!(unpacked(&new, &packed(&old).0, ROOM).is_err());
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
}

#[test]
fn a_stream_that_lies_makes_nothing_outside_and_ends_the_copy() {
    let scratch = tempfile::tempdir().unwrap();
    let new = scratch.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let (name, mode) = (b"a".to_vec(), 0o755);
    let link = Parcel::Link {
        name: name.clone(),
        target: b"../x".to_vec(),
    };
    let enter = Parcel::Enter { name, mode };
    let end = Parcel::End { left_out: 0 };
    for lie in [
        vec![&link, &end],
        vec![&Parcel::Leave, &end],
        vec![&enter, &end],
        vec![&Parcel::Bytes(Vec::new()), &end],
    ] {
        let mut stream = Vec::new();
        for parcel in &lie {
            parcel.send(&mut stream).unwrap();
        }
        assert!(unpacked(&new, &stream, ROOM).is_err(), "{lie:?}");
    }
    let (stream, _) = packed(&tree(scratch.path()));
    let cut = &stream[..stream.len() / 2];
    let other = scratch.path().join("other");
    std::fs::create_dir(&other).unwrap();
    assert!(unpacked(&other, cut, ROOM).is_err());
}

#[test]
fn more_than_there_is_room_for_ends_the_copy() {
    let scratch = tempfile::tempdir().unwrap();
    let (stream, _) = packed(&tree(scratch.path()));
    for (number, room) in [
        Room {
            bytes: 1000,
            ..ROOM
        },
        Room { things: 2, ..ROOM },
    ]
    .into_iter()
    .enumerate()
    {
        let new = scratch.path().join(number.to_string());
        std::fs::create_dir(&new).unwrap();
        let error = unpacked(&new, &stream, room).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::ENOSPC as i32));
    }
}
