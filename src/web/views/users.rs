//! Who may sign in, and which programs ask in whose name.
//!
//! Invariant: it only shows; accounts and tokens are made and ended by root on the server, so that a page that somebody took over cannot.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::token::{Scope, TokenView};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::AccountView;
use crate::web::clock;
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

struct Account {
    name: String,
    pill: Pill,
    created: String,
    last: String,
    is_me: bool,
}

struct Token {
    name: String,
    account: String,
    may: &'static str,
    pill: Pill,
    until: String,
    used: String,
}

#[derive(Template)]
#[template(path = "pages/users.html.stpl")]
struct Users {
    accounts: Vec<Account>,
    tokens: Vec<Token>,
}

/// `GET /users`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Reply::Accounts(accounts) = visit.ask(Request::AccountList {}).await? else {
        return Err(unexpected());
    };
    let Reply::Tokens(tokens) = visit.ask(Request::TokenList {}).await? else {
        return Err(unexpected());
    };
    let mut frame = visit.frame("Users", Section::Users).await;
    frame.command = Some("lalapanel account list".to_owned());
    let me = visit.name().unwrap_or_default();
    let body = Users {
        accounts: accounts.iter().map(|one| account(one, &me)).collect(),
        tokens: tokens.iter().map(token).collect(),
    };
    Ok(respond(&frame, &body))
}

fn account(view: &AccountView, me: &str) -> Account {
    let last = view.last_login;
    Account {
        name: view.name.to_string(),
        pill: words::account_pill(view.disabled),
        created: words::stamp(view.created),
        last: last.map_or_else(|| "never".to_owned(), |last| words::ago(clock::now(), last)),
        is_me: view.name.as_str() == me,
    }
}

fn token(view: &TokenView) -> Token {
    let now = clock::now();
    let used = view.used;
    Token {
        name: view.name.to_string(),
        account: view.account.to_string(),
        may: match view.scope {
            Scope::Read => "look",
            Scope::Write => "look and change",
        },
        pill: words::token_pill(view.expires.is_some_and(|expires| now >= expires)),
        until: view
            .expires
            .map_or_else(|| "until it is revoked".to_owned(), words::stamp),
        used: used.map_or_else(|| "never".to_owned(), |used| words::ago(now, used)),
    }
}
