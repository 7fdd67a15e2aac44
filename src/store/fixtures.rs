//! Opens state files that earlier versions wrote, as kept in `tests/fixtures/state/`.
//!
//! Invariant: a fixture is written once, by the version it is named after, and never again.

use std::path::{Path, PathBuf};

use crate::domain::account::{AccountName, Actor, Role};
use crate::domain::database::{Database, DatabaseName};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::{OperationId, SiteId};
use crate::domain::name::Hostname;
use crate::domain::notice::{Notices, Warning};
use crate::domain::php::PhpVersion;
use crate::domain::sample::{Sample, Step};
use crate::domain::secret::Token;
use crate::domain::site::{Site, SiteKind};
use crate::domain::time::Timestamp;
use crate::domain::token::{Scope, TokenName};
use crate::domain::trash::TrashedSite;
use crate::domain::uptime::{Day, Look, Met};
use crate::store::account::NewAccount;
use crate::store::audit::AuditRecord;
use crate::store::session::SessionRecord;
use crate::store::setup::LinkRecord;
use crate::store::token::TokenRecord;
use crate::store::{Effect, Ending, OperationRecord, Status, Store, StoreError, Unread, tables};

const TIME: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state")
}

/// A copy to open, since opening writes.
fn copied(name: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let packed = std::fs::File::open(folder().join(name)).unwrap();
    let mut unpacked = flate2::read::GzDecoder::new(packed);
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::copy(&mut unpacked, &mut file).unwrap();
    (directory, path)
}

fn site() -> Site {
    let kind = SiteKind::Php {
        php: PhpVersion::new(8, 2),
    };
    let hostname = Hostname::parse("shop.example").unwrap();
    Site {
        aliases: vec![Hostname::parse("www.shop.example").unwrap().into()],
        ..Site::new(SiteId::FIRST, hostname, kind, TIME)
    }
}

/// Schema 2 and later have one in the trash.
fn trashed() -> TrashedSite {
    let hostname = Hostname::parse("gone.example").unwrap();
    let kind = SiteKind::Static { spa: false };
    TrashedSite {
        site: Site::new(SiteId::FIRST.next(), hostname, kind, TIME),
        deleted: TIME,
    }
}

/// Schema 3 and later have one.
fn database() -> Database {
    let name = DatabaseName::parse("shop_example").unwrap();
    Database {
        users: vec![name.user()],
        name,
        site: Some(SiteId::FIRST),
        terms: std::collections::BTreeMap::new(),
        created: TIME,
        deleted: None,
    }
}

/// Schema 6 and later know of one thing that people are told of.
fn notices() -> Notices {
    let mut notices = Notices::default();
    let warning = Warning {
        key: "service.mariadb".to_owned(),
        title: "mariadb is stopped".to_owned(),
        hint: "start it".to_owned(),
        stage: 0,
    };
    notices.see(&[warning], 60, TIME);
    notices
}

/// Schema 7 and later know of one look at the site.
fn look() -> Look {
    Look {
        at: TIME,
        met: Met::Answer,
        status: 200,
        millis: 42,
    }
}

fn id(number: u8) -> OperationId {
    OperationId::from_parts(TIME.millis() + u64::from(number), [number; 10])
}

fn begin(store: &Store, number: u8) {
    let record = OperationRecord {
        id: id(number),
        title: "Create shop.example".to_owned(),
        change: "site create".to_owned(),
        hostname: Some(site().hostname),
        actor: Actor::LocalRoot,
        began: TIME,
        ended: None,
        status: Status::Open,
        fault: None,
        recovered: false,
        plan: ["a plan"],
    };
    store.begin(&record).unwrap();
    store.append(id(number), &"an event").unwrap();
}

/// Why packed: redb makes a file of 3.5 MiB, nearly all of it zeros.
fn keep(name: &str, path: &Path) {
    let kept = folder().join(name);
    assert!(!kept.exists(), "a fixture is written once");
    let file = std::fs::File::create(kept).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    std::io::copy(&mut std::fs::File::open(path).unwrap(), &mut packed).unwrap();
    packed.finish().unwrap();
}

/// One of everything.
fn fill(store: &Store) {
    begin(store, 1);
    let ending = Ending {
        status: Status::Done,
        ended: TIME,
        fault: None,
        recovered: false,
    };
    let effect = Effect::All(vec![
        Effect::PutDatabase(Box::new(database())),
        Effect::PutSite(Box::new(site())),
    ]);
    store.finish(id(1), &"the end", &effect, ending).unwrap();
    begin(store, 3);
    let ending = Ending {
        status: Status::Done,
        ended: TIME,
        fault: None,
        recovered: false,
    };
    let effect = Effect::TrashSite(Box::new(trashed()));
    store.finish(id(3), &"the end", &effect, ending).unwrap();
    begin(store, 2);
    let account = store
        .create_account(&NewAccount {
            name: AccountName::parse("mara").unwrap(),
            role: Role::Owner,
            password: "$argon2id$fixture".to_owned(),
            created: TIME,
        })
        .unwrap();
    let session = SessionRecord {
        account: account.id,
        began: TIME,
        seen: TIME,
        from: Some([192, 0, 2, 1].into()),
    };
    let (token, link) = (Token::from_random([1; 32]), Token::from_random([2; 32]));
    store.begin_session(&token.hash(), &session, 10).unwrap();
    let expires = TIME.plus_seconds(3600);
    let record = LinkRecord {
        created: TIME,
        expires,
    };
    store.put_link(&link.hash(), &record).unwrap();
    let token = TokenRecord {
        name: TokenName::parse("ci").unwrap(),
        account: account.id,
        scope: Scope::Read,
        created: TIME,
        expires: Some(expires),
        used: None,
    };
    let secret = Token::from_random([3; 32]);
    store.create_token(&secret.hash(), &token).unwrap();
    let sample = Sample {
        cpu: Some(1_234),
        ..Sample::empty(TIME)
    };
    store.put_samples(&[(Step::Minute, sample)]).unwrap();
    store.put_notices(&notices()).unwrap();
    let mut day = Day::of(TIME);
    day.add(&look());
    let first = SiteId::FIRST;
    store
        .put_looks(&[(first, look())], &[(first, day)])
        .unwrap();
    store
        .append_audit(&AuditRecord {
            time: TIME,
            actor: "mara".to_owned(),
            from: Some([192, 0, 2, 1].into()),
            action: "site create".to_owned(),
            object: "shop.example".to_owned(),
            result: "ok".to_owned(),
            operation: Some(id(1)),
            answers: None,
        })
        .unwrap();
}

#[test]
fn a_state_file_of_schema_1_opens_with_everything_in_it() {
    let (_directory, path) = copied("schema-1.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(*store.sites().unwrap(), [site()]);
    let alias = Hostname::parse("www.shop.example").unwrap();
    assert_eq!(store.site_named(&alias).unwrap(), Some(site()));
    assert_eq!(store.next_site_id().unwrap(), SiteId::FIRST.next());
    assert_eq!(store.unfinished().unwrap(), [id(2)]);
    let done = store.operation::<Unread>(id(1)).unwrap().unwrap();
    assert_eq!((done.status, done.ended), (Status::Done, Some(TIME)));
    assert_eq!(store.events::<String>(id(1)).unwrap().len(), 2);
    let token = Token::from_random([1; 32]);
    let (session, account) = store.session(&token.hash()).unwrap().unwrap();
    assert_eq!((session.seen, account.name.as_str()), (TIME, "mara"));
    let link = Token::from_random([2; 32]);
    assert!(store.is_link_valid(&link.hash(), TIME).unwrap());
    assert_eq!(store.verify_audit().unwrap(), 1);
}

#[test]
fn a_state_file_of_schema_1_gets_an_empty_trash() {
    let (_directory, path) = copied("schema-1.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.trash().unwrap(), []);
    assert!(store.is_known(SiteId::FIRST).unwrap());
    assert!(!store.is_known(SiteId::FIRST.next()).unwrap());
}

#[test]
fn a_state_file_of_schema_2_opens_with_its_trash() {
    let (_directory, path) = copied("schema-2.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(*store.sites().unwrap(), [site()]);
    assert_eq!(store.trash().unwrap(), [trashed()]);
    assert!(store.is_known(trashed().site.id).unwrap());
    assert_eq!(store.site_named(&trashed().site.hostname).unwrap(), None);
    assert_eq!(store.verify_audit().unwrap(), 1);
}

#[test]
fn a_state_file_of_schema_2_gets_an_empty_list_of_databases() {
    let (_directory, path) = copied("schema-2.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.databases().unwrap(), []);
    assert_eq!(store.doomed_databases().unwrap(), []);
}

#[test]
fn a_state_file_of_schema_3_opens_with_its_databases() {
    let (_directory, path) = copied("schema-3.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.databases().unwrap(), [database()]);
    assert_eq!(*store.sites().unwrap(), [site()]);
    assert_eq!(store.verify_audit().unwrap(), 1);
}

#[test]
fn a_state_file_of_schema_3_gets_an_empty_list_of_tokens() {
    let (_directory, path) = copied("schema-3.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.tokens().unwrap(), []);
}

#[test]
fn a_state_file_of_schema_4_opens_with_its_tokens() {
    let (_directory, path) = copied("schema-4.redb.gz");
    let store = Store::open(&path).unwrap();
    let hash = Token::from_random([3; 32]).hash();
    let (token, account) = store.token(&hash).unwrap().unwrap();
    assert_eq!((token.name.as_str(), account.name.as_str()), ("ci", "mara"));
    assert_eq!(*store.sites().unwrap(), [site()]);
    assert_eq!(store.samples(Step::Minute, TIME).unwrap(), []);
}

#[test]
fn a_state_file_of_schema_5_opens_with_its_figures() {
    let (_directory, path) = copied("schema-5.redb.gz");
    let store = Store::open(&path).unwrap();
    let samples = store.samples(Step::Minute, TIME).unwrap();
    assert_eq!((samples[0].at, samples[0].cpu), (TIME, Some(1_234)));
    assert_eq!(*store.sites().unwrap(), [site()]);
}

#[test]
fn a_state_file_of_schema_5_has_told_nobody_anything() {
    let (_directory, path) = copied("schema-5.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.notices().unwrap(), Notices::default());
}

#[test]
fn a_state_file_of_schema_6_opens_with_what_was_told() {
    let (_directory, path) = copied("schema-6.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.notices().unwrap(), notices());
    assert_eq!(*store.sites().unwrap(), [site()]);
}

#[test]
fn a_state_file_of_schema_6_was_looked_at_by_nobody() {
    let (_directory, path) = copied("schema-6.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.looks(SiteId::FIRST).unwrap(), []);
}

#[test]
fn a_state_file_of_schema_7_opens_with_its_looks() {
    let (_directory, path) = copied("schema-7.redb.gz");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.looks(SiteId::FIRST).unwrap(), [look()]);
    assert_eq!(store.days(SiteId::FIRST).unwrap()[0].up, 1);
    assert_eq!(*store.sites().unwrap(), [site()]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "looks at the file's raw bytes")]
fn a_state_file_of_a_newer_version_is_refused_and_left_alone() {
    let (_directory, path) = copied("schema-99.redb.gz");
    let before = std::fs::read(&path).unwrap();
    for _ in 0..2 {
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }));
        assert_eq!(Fault::from(error).code, Code::StateNewer);
        assert!(std::fs::read(&path).unwrap() == before, "not one byte");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "looks at the file's raw bytes")]
fn no_token_is_in_a_state_file() {
    let (_directory, path) = copied("schema-1.redb.gz");
    let bytes = std::fs::read(path).unwrap();
    for token in [Token::from_random([1; 32]), Token::from_random([2; 32])] {
        let text = token.reveal().as_bytes();
        assert!(!bytes.windows(text.len()).any(|window| window == text));
        assert!(!bytes.windows(32).any(|window| window == &text[..32]));
    }
}

/// Writes the fixture of this schema; run it by name once, when the schema has changed and before it is released.
#[test]
#[ignore = "writes into the source tree; run by name when a schema is made"]
fn write_the_fixture_of_this_schema() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    fill(&Store::open(&path).unwrap());
    keep(&format!("schema-{}.redb.gz", tables::SCHEMA), &path);
}

/// Writes a file as a much newer version would leave it.
#[test]
#[ignore = "writes into the source tree; run by name once"]
fn write_the_fixture_of_a_newer_schema() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(tables::META)
        .unwrap()
        .insert("schema", 99)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    keep("schema-99.redb.gz", &path);
}
