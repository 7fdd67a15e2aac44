//! The first page: what needs a person, what runs, four plain numbers. And the menu for phones.
//!
//! Invariant: everything on it comes from one answer of the agent, so it is one moment's truth.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{HomeView, Usage};
use crate::web::page::{GROUPS, ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::views::activity::Line;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::{clock, words};

struct Number {
    label: &'static str,
    value: String,
    word: &'static str,
    detail: String,
}

#[derive(Template)]
#[template(path = "pages/home.html.stpl")]
struct Home {
    view: HomeView,
    numbers: Vec<Number>,
    running: Vec<Line>,
    recent: Vec<Line>,
    checked: String,
}

#[derive(Template)]
#[template(path = "pages/menu.html.stpl")]
struct Menu {
    name: String,
    token: String,
}

/// `GET /`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Reply::Home(view) = visit.ask(Request::Home {}).await? else {
        return Err(unexpected());
    };
    let now = clock::now();
    let mut frame = visit.bare_frame("Home", Section::Home);
    frame.running = view.running.len();
    frame.as_of = words::clock(view.as_of);
    frame.command = Some("lalapanel status".to_owned());
    let body = Home {
        numbers: numbers(&view),
        running: view.running.iter().map(|one| Line::new(one, now)).collect(),
        recent: view.recent.iter().map(|one| Line::new(one, now)).collect(),
        checked: words::clock(view.as_of),
        view: *view,
    };
    Ok(respond(&frame, &body))
}

/// `GET /menu`.
pub(in crate::web) async fn menu(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let frame = visit.frame("Menu", Section::Menu).await;
    let body = Menu {
        name: visit.name().unwrap_or_default(),
        token: frame.token.clone(),
    };
    Ok(respond(&frame, &body))
}

fn numbers(view: &HomeView) -> Vec<Number> {
    let offline = view.sites_offline;
    let mut numbers = vec![Number {
        label: "Sites",
        value: view.sites.to_string(),
        word: if offline == 0 { "fine" } else { "" },
        detail: if offline == 0 {
            "all online".to_owned()
        } else {
            format!("{offline} offline")
        },
    }];
    let usages = [("Disk", view.disk), ("Memory", view.memory)];
    numbers.extend(
        usages
            .into_iter()
            .filter_map(|(label, usage)| Some(number_of(label, usage?))),
    );
    if let Some(load) = view.load_hundredths {
        numbers.push(load_number(load, view.processors));
    }
    numbers
}

fn number_of(label: &'static str, usage: Usage) -> Number {
    Number {
        label,
        value: words::bytes(usage.total.saturating_sub(usage.used)),
        word: words::fullness(usage),
        detail: format!("free of {}", words::bytes(usage.total)),
    }
}

fn load_number(load: u32, processors: u32) -> Number {
    let usage = Usage {
        used: u64::from(load),
        total: u64::from(processors.max(1)) * 100,
    };
    Number {
        label: "Load",
        value: format!("{}.{:02}", load / 100, load % 100),
        word: words::fullness(usage),
        detail: format!("on {}", words::count(processors, "processor")),
    }
}
