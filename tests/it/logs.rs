//! Logs as the agent answers for them: which there are, what is refused, what a follower gets.

use std::sync::Arc;
use std::time::Duration;

use lalapanel::agent::door::LogTail;
use lalapanel::agent::logs;
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::log::{LogFile, LogFilter, StatusFilter};
use lalapanel::domain::path::HostPath;
use lalapanel::host::{Host, Mode, Owner};
use lalapanel::ops::engine::Engine;
use lalapanel::rpc::log::LogView;
use lalapanel::rpc::protocol::{Answer, Reply};

use crate::world::{World, name};

fn put(world: &World, at: &str, text: &str) {
    let path = HostPath::parse(&format!("/var/log/lalapanel/shop.example/{at}")).unwrap();
    world
        .host
        .write(&path, text.as_bytes(), Owner::ROOT, Mode(0o640))
        .unwrap();
}

fn read(world: &World, hostname: &str, file: LogFile, filter: &LogFilter) -> Answer {
    logs::read(&world.engine(), &name(hostname), file, filter, 9, None)
}

fn view(answer: Answer) -> LogView {
    match answer.unwrap() {
        Reply::Log(view) => *view,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_log_of_a_site_is_read_from_its_own_file() {
    let world = World::with_sites();
    put(&world, "access.log", "{\"s\":200,\"u\":\"/one\"}\n");
    put(&world, "error.log", "2026/11/23 00:50:48 [crit] 1#1: two\n");
    put(
        &world,
        "php/error.log",
        "[23-Nov-2026 00:50:48 UTC] PHP Warning:  three\n",
    );
    put(
        &world,
        "php/slow.log",
        "[23-Nov-2026 00:50:48]  [pool s1001] pid 7\nfour\n",
    );
    for (file, text) in LogFile::ALL
        .into_iter()
        .zip(["/one", "two", "three", "four"])
    {
        let view = view(read(&world, "shop.example", file, &LogFilter::default()));
        assert!(view.records[0].text.contains(text), "{text}");
    }
}

#[test]
fn what_a_site_does_not_log_is_refused_with_the_way_on() {
    let world = World::with_sites();
    let code = |hostname, file, filter: &LogFilter| {
        let fault = read(&world, hostname, file, filter).unwrap_err();
        assert!(!fault.hint.is_empty());
        fault.code
    };
    let all = LogFilter::default();
    assert_eq!(code("plain.example", LogFile::Php, &all), Code::LogNone);
    assert_eq!(
        code("none.example", LogFile::Access, &all),
        Code::SiteNotFound
    );
    let status = LogFilter {
        status: Some(StatusFilter::parse("5xx").unwrap()),
        text: None,
    };
    assert_eq!(
        code("shop.example", LogFile::Error, &status),
        Code::RequestInvalid
    );
}

#[test]
fn a_deleted_site_leaves_no_log_behind() {
    let world = World::with_sites();
    put(&world, "php/error.log.1", "old\n");
    let hostname = name("shop.example");
    let now = true;
    world.run(9, &Change::SiteDelete { hostname, now }).unwrap();
    let left = world
        .host
        .list(&HostPath::fixed("/var/log/lalapanel"))
        .unwrap();
    assert_eq!(left, ["plain.example"]);
}

#[tokio::test(start_paused = true)]
async fn a_follower_gets_what_comes_and_nothing_that_was() {
    let world = World::with_sites();
    put(&world, "access.log", "{\"s\":200,\"u\":\"/old\"}\n");
    let tail = |after| LogTail {
        hostname: name("shop.example"),
        file: LogFile::Access,
        filter: LogFilter::default(),
        after,
        whole: true,
    };
    let engine = Engine::new(Arc::new(world.host.clone()), world.store.clone());
    let following = tokio::spawn(logs::follow(engine.clone(), tail(None)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!following.is_finished());
    put(
        &world,
        "access.log",
        "{\"s\":200,\"u\":\"/old\"}\n{\"s\":500,\"u\":\"/new\"}\n",
    );
    let first = view(following.await.unwrap());
    assert_eq!(first.records.len(), 1);
    assert_eq!(first.records[0].status, Some(500));
    let quiet = view(logs::follow(engine, tail(first.newer)).await);
    assert!(quiet.records.is_empty() && quiet.newer == first.newer);
}
