//! The conduct both machines are held to: one set of checks, run on the real one below a scratch directory and on the one in memory.
//!
//! Invariant: a check names no host; what one of the two does differently is a bug in one of the two.

mod copies;
mod files;
mod jobs;
mod logins;

use crate::domain::path::HostPath;
use crate::host::{Host, Meta, Mode, Owner};

/// A machine under test and the owner its files have (an ordinary user cannot give files away).
struct Subject<H> {
    host: H,
    owner: Owner,
    scratch: Option<tempfile::TempDir>,
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
}

mod rest {
    use super::{Subject, path};
    use crate::host::{Host, HostError, Receiving};

    pub(super) fn nobody_answers_where_nobody_listens<H: Host>(on: &Subject<H>) {
        let silence = on.host.exchange(&path("/none.sock"), b"x", 10, 100);
        assert!(matches!(silence, Err(HostError::Silent { .. })));
        let limits = Receiving {
            most: 10,
            part: 10,
            rest: 10,
            millis: 100,
        };
        let into = path("/brought");
        let silence = on.host.receive(&path("/none.sock"), b"x", &into, limits);
        assert!(matches!(silence, Err(HostError::Silent { .. })));
        assert!(!on.is_there("/brought"));
    }

    pub(super) fn there_isscratch_and_time_and_chance<H: Host>(on: &Subject<H>) {
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
}

macro_rules! conduct {
    ($($module:ident: $($check:ident,)*;)*) => {
        mod in_memory {
            $($(#[test] fn $check() { super::$module::$check(&super::memory()); })*)*
        }
        mod on_linux {
            $($(#[test] fn $check() { super::$module::$check(&super::linux()); })*)*
        }
    };
}

conduct! {
    files:
        a_written_file_has_its_bytes_owner_and_mode,
        a_write_replaces_a_link_and_never_a_directory,
        a_write_without_its_directory_is_refused,
        a_part_of_a_file_is_read_wherever_it_is,
        reading_refuses_what_is_no_file_or_too_long,
        a_directory_gets_its_owner_and_mode_each_time,
        a_link_is_shown_and_replaced_but_never_written_through,
        reading_goes_along_a_link_that_root_made,
        a_rename_moves_whole_trees_and_replaces_nothing,
        removing_takes_one_thing_and_nothing_is_fine,
        meta_is_changed_in_place,
        nothing_is_written_where_others_can_write,
        names_come_sorted_and_an_absent_directory_is_empty,;
    jobs:
        a_job_puts_a_file_once,
        a_job_removes_its_own_files_only,
        a_job_makes_a_closed_directory_once,
        a_job_empties_a_directory_and_keeps_it,;
    logins:
        a_password_is_put_into_a_file_and_taken_back,
        the_way_into_another_database_is_put_into_a_file,
        what_is_no_file_of_the_sites_own_is_told_and_left,;
    copies:
        a_copy_brings_everything_and_leaves_the_original,
        what_leads_out_or_is_no_file_is_counted_and_left_out,
        a_copy_replaces_nothing,
        a_copy_ends_where_there_is_no_room,
        half_a_copy_is_no_job,;
    rest:
        nobody_answers_where_nobody_listens,
        there_isscratch_and_time_and_chance,;
}

fn memory() -> Subject<crate::host::memory::MemoryHost> {
    let machine = crate::host::memory::machine::Machine {
        capacity: 1 << 30,
        ..Default::default()
    };
    Subject {
        host: crate::host::memory::MemoryHost::new(machine),
        owner: Owner::ROOT,
        scratch: None,
    }
}

fn linux() -> Subject<crate::host::linux::LinuxHost> {
    let scratch = tempfile::tempdir().unwrap();
    let owner = Owner {
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
    };
    Subject {
        host: crate::host::linux::LinuxHost::at(scratch.path()).unwrap(),
        owner,
        scratch: Some(scratch),
    }
}
