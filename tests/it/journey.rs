//! The whole way through the real parts: a browser's requests and a shell's lines, the router, the door, the dispatch, the engine,
//! and a machine in memory behind them.

use std::io::Write;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use lalapanel::agent::dispatch::Dispatch;
use lalapanel::agent::door::{Door, Parts, Peer};
use lalapanel::agent::live::LiveSettings;
use lalapanel::agent::operations::Operations;
use lalapanel::agent::panel::Panel;
use lalapanel::agent::password::Strength;
use lalapanel::cli::agent::Ask;
use lalapanel::cli::output::Output;
use lalapanel::cli::{self, Cli};
use lalapanel::domain::path::HostPath;
use lalapanel::host::Host;
use lalapanel::rpc::protocol::{Answer, Call, Reply, Request as Question};
use lalapanel::system::config::Config;
use lalapanel::system::panel_certificate;
use lalapanel::web::{Agent, AgentCall, router};
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde_json::Value;

use crate::world::{World, name};

const ROOT: Peer = Peer { uid: 0 };
const WEB: Peer = Peer { uid: 990 };
const HOST: &str = "panel.example:8443";

/// The agent without its socket: the web process's calls go straight to the door.
struct Direct(Door);

impl Agent for Direct {
    fn call(&self, call: Call) -> AgentCall<'_> {
        Box::pin(self.0.answer(WEB, call))
    }
}

fn door(world: &World) -> Door {
    let made = panel_certificate::make("panel.example", &[], world.host.now()).unwrap();
    let file = panel_certificate::certificate_file();
    world
        .host
        .change(|machine| machine.tree.put_text(&file, &made.certificate));
    let mut config = Config::default();
    config.panel.hostname = Some(name("panel.example"));
    let operations = Operations::new(world.engine(), LiveSettings::new(config));
    let panel = Panel {
        host: "panel.example".to_owned(),
        hosts: vec!["panel.example".to_owned()],
        port: 8443,
        ..Panel::default()
    };
    Door::new(Parts {
        host: Arc::new(world.host.clone()),
        store: world.store.clone(),
        panel: Arc::new(move || panel.clone()),
        strength: Strength {
            memory: 64,
            passes: 1,
        },
        mirror: |_| (),
        desk: Arc::new(Dispatch::new(operations)),
    })
}

async fn as_root(door: &Door, request: Question) -> Answer {
    let call = Call {
        session: None,
        bearer: None,
        from: None,
        request,
    };
    door.answer(ROOT, call).await
}

/// A browser with its cookies.
struct Browser<E> {
    endpoint: E,
    cookies: Vec<(String, String)>,
}

struct Page {
    status: StatusCode,
    location: String,
    text: String,
}

impl Page {
    /// The value of a hidden field.
    fn field(&self, name: &str) -> &str {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.text.split(&mark).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no field `{name}` in:\n{}", self.text));
        rest.split('"').next().unwrap()
    }
}

impl<E: Endpoint<Output = Response>> Browser<E> {
    async fn get(&mut self, path: &str) -> Page {
        self.ask(Method::GET, path, String::new()).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+")))
            .collect();
        self.ask(Method::POST, path, body.join("&")).await
    }

    async fn ask(&mut self, method: Method, path: &str, body: String) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path.parse().unwrap())
            .header(header::HOST, HOST)
            .header(header::ACCEPT, "text/html")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "))
            .body(body);
        let mut response = self.endpoint.get_response(request).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        Page {
            status: response.status(),
            location: response.header("location").unwrap_or_default().to_owned(),
            text: response.take_body().into_string().await.unwrap(),
        }
    }

    fn keep(&mut self, cookie: &str) {
        let pair = cookie.split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        self.cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn browser(door: Door) -> Browser<impl Endpoint<Output = Response>> {
    Browser {
        endpoint: router(Arc::new(Direct(door))),
        cookies: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_one_time_link_to_a_site_that_is_served_and_out_again() {
    let world = World::installed();
    let door = door(&world);
    let url = match as_root(&door, Question::AdminLink {}).await.unwrap() {
        Reply::Link { url, .. } => url,
        other => panic!("{other:?}"),
    };
    let start = url.strip_prefix("https://panel.example:8443").unwrap();
    let mut browser = browser(door.clone());

    let form = browser.get(start).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.text);
    let (token, link) = (
        form.field("token").to_owned(),
        form.field("link").to_owned(),
    );
    let owner = [
        ("token", token.as_str()),
        ("link", link.as_str()),
        ("name", "mara"),
        ("password", "mauve otter tin sky"),
    ];
    let welcome = browser.post("/start", &owner).await;
    assert_eq!(welcome.status, StatusCode::SEE_OTHER, "{}", welcome.text);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);

    let form = browser.get("/sites/new").await;
    let (token, operation) = (
        form.field("token").to_owned(),
        form.field("operation").to_owned(),
    );
    let mut typed = vec![
        ("token", token.as_str()),
        ("operation", operation.as_str()),
        ("hostname", "shop.example"),
        ("type", "php"),
    ];
    let check = browser.post("/sites/new", &typed).await;
    assert_eq!(check.status, StatusCode::OK, "{}", check.text);
    assert!(world.store.sites().unwrap().is_empty(), "it ran unseen");
    let (plan, seen) = (
        check.field("plan").to_owned(),
        check.field("seen").to_owned(),
    );
    typed.extend([("plan", plan.as_str()), ("seen", seen.as_str())]);
    let begun = browser.post("/sites/new", &typed).await;
    assert_eq!(
        begun.location,
        format!("/operations/{operation}"),
        "{}",
        begun.text
    );

    // The same press again lands on the same operation.
    let again = browser.post("/sites/new", &typed).await;
    assert_eq!(again.location, begun.location, "{}", again.text);
    finished(&door, &operation).await;
    let page = browser.get(&begun.location).await;
    assert!(page.text.contains("Done"), "{}", page.text);
    assert_eq!(world.store.sites().unwrap().len(), 1);
    let enabled = HostPath::parse("/etc/nginx/sites-enabled/shop.example").unwrap();
    assert!(world.host.stat(&enabled).unwrap().is_some());
    assert_eq!(
        browser.get("/sites/shop.example").await.status,
        StatusCode::OK
    );

    let token = browser.get("/").await.field("token").to_owned();
    browser.post("/logout", &[("token", &token)]).await;
    let home = browser.get("/").await;
    assert_eq!(home.status, StatusCode::SEE_OTHER);
    assert!(home.location.starts_with("/login"), "{}", home.location);
}

async fn finished(door: &Door, operation: &str) {
    let id = lalapanel::domain::id::OperationId::parse(operation).unwrap();
    let mut after = 0;
    loop {
        match as_root(door, Question::OperationFollow { id, after })
            .await
            .unwrap()
        {
            Reply::Operation(view) if view.summary.state.is_final() => return,
            Reply::Operation(view) => after = view.sequence,
            other => panic!("{other:?}"),
        }
    }
}

/// The shell of root: the command line's questions go straight to the door.
struct Shell {
    door: Door,
    runtime: tokio::runtime::Runtime,
}

impl Ask for Shell {
    fn ask(&mut self, request: Question) -> Answer {
        self.runtime.block_on(as_root(&self.door, request))
    }
    fn pause(&mut self) {}
}

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shell {
    fn of(world: &World) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        Self {
            door: door(world),
            runtime: runtime.unwrap(),
        }
    }

    /// Types a line; gives the exit code and the document.
    fn json(&mut self, line: &str) -> (u8, Value) {
        let typed = format!("lalapanel {line} --json");
        let cli = Cli::try_parse_from(typed.split(' ')).unwrap();
        let (out, err) = (Printed::default(), Printed::default());
        let mut output = Output::to(true, Box::new(out.clone()), Box::new(err));
        let exit = cli::run(cli.verb, self, &mut output);
        let text = out.0.lock().unwrap().clone();
        let document = serde_json::from_slice(&text).expect("exactly one JSON document");
        (exit.code(), document)
    }
}

#[test]
fn the_shell_makes_shows_switches_and_deletes_a_site() {
    let world = World::installed();
    let mut shell = Shell::of(&world);
    let (code, plan) = shell.json("site create Shop.Example --alias www.shop.example --plan");
    assert_eq!(code, 0);
    assert!(plan["steps"].as_array().unwrap().len() > 3, "{plan}");
    assert!(
        world.store.sites().unwrap().is_empty(),
        "a plan changed something"
    );

    let (code, site) = shell.json("site create Shop.Example --alias www.shop.example");
    assert_eq!((code, &site["changed"]), (0, &Value::from(true)), "{site}");
    assert_eq!(site["document_root"], "/var/www/shop.example/htdocs");
    let operation = site["operation"].as_str().unwrap().to_owned();
    let (_, shown) = shell.json(&format!("op show {operation}"));
    assert_eq!(shown["summary"]["state"], "done");

    assert_eq!(shell.json("site disable shop.example").1["enabled"], false);
    let (code, again) = shell.json("site disable shop.example");
    assert_eq!(
        (code, &again["changed"]),
        (0, &Value::from(false)),
        "{again}"
    );
    assert_eq!(shell.json("site enable shop.example").1["enabled"], true);
    let (_, list) = shell.json("site list");
    assert_eq!(list["sites"].as_array().unwrap().len(), 1);

    assert_eq!(shell.json("site delete shop.example --yes").0, 0);
    assert!(world.store.sites().unwrap().is_empty());
    let (code, audit) = shell.json("audit verify");
    assert_eq!((code, &audit["sound"]), (0, &Value::from(true)));
    let (_, trail) = shell.json("audit list");
    let actions: Vec<&str> = trail["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    let expected = ["delete", "enable", "disable", "disable", "create"];
    assert_eq!(actions, expected.map(|word| format!("site {word}")));
}

#[test]
fn what_cannot_be_done_is_refused_with_its_code_and_changes_nothing() {
    let world = World::with_sites();
    let mut shell = Shell::of(&world);
    let before = world.machine();
    for (line, code) in [
        ("site create shop.example", "site.hostname_taken"),
        ("site create SHOP.example.", "site.hostname_taken"),
        ("site create panel.example", "site.hostname_reserved"),
        ("site create new.example --php 5.6", "php.not_installed"),
        ("site create 192.0.2.1", "site.hostname_invalid"),
        ("site show absent.example", "site.not_found"),
        ("site delete absent.example --yes", "site.not_found"),
        ("op show 01J00000000000000000000000", "operation.not_found"),
        ("account delete nobody", "account.not_found"),
    ] {
        let (exit, document) = shell.json(line);
        assert_eq!(
            (exit, document["error"]["code"].as_str()),
            (1, Some(code)),
            "{line}: {document}"
        );
        let hint = document["error"]["hint"].as_str().unwrap();
        assert!(!hint.is_empty(), "{line} leaves the person alone");
    }
    assert!(before.differences(&world.machine()).is_empty());
    assert_eq!(world.store.sites().unwrap().len(), 2);
}
