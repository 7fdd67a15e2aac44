//! The pages to look at, over real TLS, with an agent made of memory: `LALAPANEL_PREVIEW=9443 cargo test --test preview`.
//!
//! Invariant: without that variable it does nothing and succeeds, so that `cargo test` needs no port.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "shown to a person at a terminal, who reads why it ended"
)]

#[path = "../web/fake/mod.rs"]
mod fake;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::id::OperationId;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::time::Timestamp;
use lalapanel::rpc::nginx_view::{DriftView, ForeignView};
use lalapanel::rpc::view::{
    Need, OperationState, OperationStepView, OperationSummary, OperationView, StepState,
};
use lalapanel::web::{WebConfig, serve};

#[expect(clippy::disallowed_methods, reason = "the fake has no Host port")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "two files in a fresh directory")]
fn main() {
    let Some(port) = std::env::var("LALAPANEL_PREVIEW")
        .ok()
        .and_then(|text| text.parse().ok())
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        directory.path().join("panel.crt"),
        directory.path().join("panel.key"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let agent = fake::Fake::new(Duration::from_millis(700), now);
    if std::env::var_os("LALAPANEL_PREVIEW_EMPTY").is_none() {
        seed(&agent);
    }
    let config = WebConfig {
        port,
        certificate,
        key,
        issued: directory.path().join("issued.pem"),
        user: None,
    };
    println!(
        "https://localhost:{port}/start?link={} · mara / {}",
        fake::link().reveal(),
        fake::PASSWORD
    );
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(serve(config, Arc::new(fake::Handle(agent))))
        .unwrap();
}

fn seed(agent: &fake::Fake) {
    let long = format!("GET /search?q={} HTTP/2.0", "long-".repeat(120));
    for (text, status) in [
        ("GET / HTTP/1.1", 200),
        ("GET /wp-login.php HTTP/1.1", 404),
        (r"GET /\x1b[2J<script>alert(1)</script> HTTP/1.1", 404),
        (long.as_str(), 301),
        ("POST /checkout HTTP/2.0", 502),
    ] {
        agent.write_log(text, status);
    }
    let mut state = agent.state.lock().unwrap();
    state.own = Some(fake::of_panel(now(), true));
    let long_ago = Timestamp::from_millis(now().millis() - 86_400_000 * 12);
    for (name, php, enabled) in [
        ("shop.example", Some(PhpVersion::new(8, 4)), true),
        ("blog.example", Some(PhpVersion::new(8, 2)), false),
        ("bücher.example", None, true),
        (
            "a-rather-long-name-of-a-site.of-somebody.example",
            Some(PhpVersion::new(8, 4)),
            true,
        ),
    ] {
        state.sites.push(fake::site(name, php, enabled, long_ago));
    }
    fake::set(
        &mut state,
        "shop.example",
        &[
            ("type", "wordpress 8.4"),
            ("www", "redirect"),
            ("web.cache", "wordpress"),
            ("aliases", "*.shop.example"),
        ],
    );
    "uploaded".clone_into(&mut state.sites[0].tls.state);
    "placeholder".clone_into(&mut state.sites[2].tls.state);
    fake::set(&mut state, "bücher.example", &[("serving", "maintenance")]);
    state.sites[1].drift = vec![DriftView {
        path: "/etc/nginx/sites-available/blog.example".parse().unwrap(),
        diff: "--- a\n+++ a\n@@ -1,3 +1,4 @@\n server {\n     listen 80;\n+    expires 1d;\n     server_name blog.example;\n".to_owned(),
        left: false,
    }];
    for (name, site) in [
        ("shop_db", Some("shop.example")),
        ("a_rather_long_name_of_a_database", Some("bücher.example")),
        ("statistics", None),
    ] {
        state.databases.push(fake::database(name, site, long_ago));
    }
    let mut gone = fake::database("gone_db", Some("gone.example"), long_ago);
    gone.locked = true;
    state.databases.push(gone);
    state.foreign = vec![ForeignView {
        file: "/etc/nginx/sites-available/legacy".parse().unwrap(),
        names: vec!["legacy.example".to_owned()],
        listens: vec!["80".to_owned(), "[::]:80".to_owned()],
    }];
    state.needs.push(Need {
        title: "MariaDB is stopped".to_owned(),
        hint: "Sites that use a database answer with an error. Start it on the server: systemctl start mariadb".to_owned(),
        link: Some("/services".to_owned()),
    });
    for (index, end) in [
        OperationState::Done,
        OperationState::Undone,
        OperationState::Stuck,
    ]
    .into_iter()
    .enumerate()
    {
        let view = past(u64::try_from(index).unwrap(), end);
        state.operations.insert(view.summary.id, view);
    }
}

fn past(index: u64, end: OperationState) -> OperationView {
    let began = Timestamp::from_millis(now().millis() - 600_000 * (5 - index));
    let titles = [
        "Create the Unix user",
        "Write the nginx file",
        "Reload nginx",
        "Ask the site for its first page",
    ];
    let step = |(place, title): (usize, &&str)| OperationStepView {
        title: (*title).to_owned(),
        target: if place == 1 {
            "/etc/nginx/sites-available/shop.example".to_owned()
        } else {
            String::new()
        },
        state: match (end, place) {
            (OperationState::Done, _) => StepState::Done,
            (_, 3) => StepState::Failed,
            (OperationState::Stuck, 0) => StepState::Done,
            _ => StepState::Undone,
        },
        began: Some(began),
        ended: Some(Timestamp::from_millis(began.millis() + 120)),
        note: None,
    };
    let failed = end != OperationState::Done;
    OperationView {
        summary: OperationSummary {
            id: OperationId::from_parts(began.millis(), [7; 10]),
            title: "Create shop.example".to_owned(),
            change: "site create".to_owned(),
            hostname: "shop.example".parse().ok(),
            renamed_from: None,
            actor: "mara".to_owned(),
            state: end,
            began,
            ended: Some(Timestamp::from_millis(began.millis() + 940)),
            done: 4,
            steps: 4,
        },
        sequence: 9,
        steps: titles.iter().enumerate().map(step).collect(),
        fault: failed.then(|| {
            Fault::new(
                Code::SiteUnhealthy,
                "shop.example answers 502 after the reload",
                "Look at the error log of the site, then try again",
            )
            .detail(
                "connect() to unix:/run/lalapanel/php/s1001.sock failed (111: Connection refused)",
            )
        }),
        remaining: if end == OperationState::Stuck {
            vec![
                "rm /etc/nginx/sites-enabled/shop.example".to_owned(),
                "systemctl reload nginx".to_owned(),
            ]
        } else {
            Vec::new()
        },
        recovered: false,
        trashed: None,
    }
}
