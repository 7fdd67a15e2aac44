//! Conduct with the files that tell a site's program its way into a database.
//!
//! Invariant: test code only.

use super::jobs::{a_site_tree, site_owner, site_path};
use super::{Subject, path};
use crate::domain::database::DatabaseName;
use crate::domain::secret::Password;
use crate::domain::site_login::{Finding, SiteLogin};
use crate::host::job::{Act, JobResult};
use crate::host::{Host, Mode};

const FORMER: &str = "DB_DATABASE=shop\nDB_USERNAME=shop\nDB_PASSWORD=old\n";

fn login() -> SiteLogin {
    let database = DatabaseName::parse("shop").unwrap();
    let users = vec![database.user()];
    SiteLogin { database, users }
}

fn found<H: Host>(on: &Subject<H>) -> Vec<Finding> {
    let paths = ["htdocs/.env", "public/wp-config.php"];
    let paths = paths.map(site_path).to_vec();
    let login = login();
    match on.job(Act::FindLogin { paths, login }) {
        JobResult::Logins(files) => files.into_iter().map(|file| file.finding).collect(),
        other => panic!("{other:?}"),
    }
}

fn edit(password: &str) -> Act {
    Act::EditLogin {
        path: site_path("htdocs/.env"),
        kept: site_path("kept/file"),
        login: login(),
        password: Password::typed(password.to_owned()),
    }
}

pub(super) fn a_password_is_put_into_a_file_and_taken_back<H: Host>(on: &Subject<H>) {
    a_site_tree(on);
    let kept = path("/site/kept");
    on.host
        .make_dir(&kept, site_owner(on), Mode(0o700))
        .unwrap();
    assert_eq!(found(on), [Finding::Absent, Finding::Absent]);
    on.job(Act::PutFile {
        path: site_path("htdocs/.env"),
        text: FORMER.to_owned(),
    });
    let before = on.meta("/site/htdocs/.env");
    let user = DatabaseName::parse("shop").unwrap().user();
    assert_eq!(found(on), [Finding::Fits { user }, Finding::Absent]);
    // Twice: the file that is kept is the first one.
    for password in ["heron", "otter"] {
        let done = on.job(edit(password));
        assert!(matches!(done, JobResult::Done { .. }), "{done:?}");
        assert_eq!(
            on.text("/site/htdocs/.env"),
            FORMER.replace("old", password)
        );
    }
    let after = on.meta("/site/htdocs/.env");
    assert_eq!((after.owner, after.mode), (before.owner, before.mode));
    assert_eq!(on.text("/site/kept/file"), FORMER);
    for _ in 0..2 {
        on.job(Act::PutBack {
            path: site_path("htdocs/.env"),
            kept: site_path("kept/file"),
        });
        assert_eq!(on.text("/site/htdocs/.env"), FORMER);
        let after = on.meta("/site/htdocs/.env");
        assert_eq!((after.owner, after.mode), (before.owner, before.mode));
    }
    assert_eq!(on.host.list(&path("/site/htdocs")).unwrap(), [".env"]);
}

pub(super) fn the_way_into_another_database_is_put_into_a_file<H: Host>(on: &Subject<H>) {
    a_site_tree(on);
    on.job(Act::PutFile {
        path: site_path("htdocs/.env"),
        text: FORMER.to_owned(),
    });
    let before = on.meta("/site/htdocs/.env");
    let to = DatabaseName::parse("copy").unwrap();
    let lead = |password: &str| {
        on.job(Act::MoveLogin {
            path: site_path("htdocs/.env"),
            login: login(),
            to: to.clone(),
            password: Password::typed(password.to_owned()),
        })
    };
    // Twice: what leads there already gets the password.
    for password in ["heron", "otter"] {
        let done = lead(password);
        assert!(matches!(done, JobResult::Done { .. }), "{done:?}");
        let wanted = FORMER.replace("shop", "copy").replace("old", password);
        assert_eq!(on.text("/site/htdocs/.env"), wanted);
    }
    let after = on.meta("/site/htdocs/.env");
    assert_eq!((after.owner, after.mode), (before.owner, before.mode));
    assert_eq!(found(on), [Finding::Other, Finding::Absent]);
    on.job(Act::RemoveFile {
        path: site_path("htdocs/.env"),
    });
    assert!(matches!(lead("x"), JobResult::Failed { .. }));
}

pub(super) fn what_is_no_file_of_the_sites_own_is_told_and_left<H: Host>(on: &Subject<H>) {
    a_site_tree(on);
    on.job(Act::MakeDirectory {
        path: site_path("htdocs/.env"),
    });
    on.host.link("/etc", &path("/site/public")).unwrap();
    let unfit = |what: &str| Finding::Unfit {
        what: what.to_owned(),
    };
    assert_eq!(found(on), [unfit("a directory"), unfit("a symbolic link")]);
    let refused = on.job(edit("heron"));
    assert!(matches!(refused, JobResult::Failed { .. }), "{refused:?}");
    let nothing = on.job(Act::PutBack {
        path: site_path("htdocs/.env"),
        kept: site_path("kept/file"),
    });
    assert!(matches!(nothing, JobResult::Done { files: 0, .. }));
}
