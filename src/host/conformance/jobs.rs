//! Conduct with jobs in a site's tree.
//!
//! Invariant: test code only.

use super::{Subject, path};
use crate::domain::id::SiteId;
use crate::domain::path::SitePath;
use crate::host::job::{Act, Job, JobResult};
use crate::host::{Host, Mode, Node, Owner};

impl<H: Host> Subject<H> {
    pub(super) fn job(&self, act: Act) -> JobResult {
        let job = Job {
            site: SiteId::FIRST,
            base: path("/site"),
            act,
        };
        self.host.job(&job).unwrap()
    }
}

pub(super) fn a_site_tree<H: Host>(on: &Subject<H>) {
    let owner = site_owner(on);
    on.host
        .make_dir(&path("/site"), on.owner, Mode(0o711))
        .unwrap();
    on.host
        .make_dir(&path("/site/htdocs"), owner, Mode(0o2750))
        .unwrap();
}

/// In memory a job runs with the site's uid; below a scratch directory with the caller's.
pub(super) fn site_owner<H: Host>(on: &Subject<H>) -> Owner {
    if on.scratch.is_some() {
        on.owner
    } else {
        Owner::of_site(SiteId::FIRST)
    }
}

pub(super) fn site_path(text: &str) -> SitePath {
    SitePath::parse(text).unwrap()
}

pub(super) fn a_job_puts_a_file_once<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_job_removes_its_own_files_only<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_job_makes_a_closed_directory_once<H: Host>(on: &Subject<H>) {
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

pub(super) fn a_job_empties_a_directory_and_keeps_it<H: Host>(on: &Subject<H>) {
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
