//! The frame around every page, and how a page becomes a response.
//!
//! Invariant: a page is made of templates only, and the frame's body is the one place where text goes in unescaped.

use poem::Response;
use poem::http::{StatusCode, header};
use sailfish::Template;

pub(super) use crate::web::assets::ICONS;
use crate::web::assets::{FAVICON, SCRIPT, STYLE};
use crate::web::cookie::Theme;

/// Which entry of the navigation is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    None,
    Home,
    Sites,
    Databases,
    Certificates,
    Services,
    System,
    Php,
    Activity,
    Users,
    Settings,
    Account,
    Menu,
}

/// An entry of the navigation.
pub(super) struct Door {
    pub(super) section: Section,
    pub(super) path: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: &'static str,
}

const fn door(
    section: Section,
    path: &'static str,
    icon: &'static str,
    word: &'static str,
) -> Door {
    Door {
        section,
        path,
        icon,
        word,
    }
}

/// The side navigation, in its groups.
pub(super) const GROUPS: &[(&str, &[Door])] = &[
    (
        "",
        &[
            door(Section::Home, "/", "house", "Home"),
            door(Section::Sites, "/sites", "globe", "Sites"),
            door(Section::Databases, "/databases", "database", "Databases"),
            door(
                Section::Certificates,
                "/certificates",
                "key-round",
                "Certificates",
            ),
        ],
    ),
    (
        "Server",
        &[
            door(Section::Services, "/services", "server", "Services"),
            door(Section::Php, "/php", "cpu", "PHP"),
            door(Section::System, "/system", "gauge", "System"),
            door(Section::Activity, "/activity", "activity", "Activity"),
        ],
    ),
    (
        "Manage",
        &[
            door(Section::Users, "/users", "users", "Users"),
            door(Section::Settings, "/settings", "settings", "Settings"),
            door(Section::Account, "/account", "circle-user", "Account"),
        ],
    ),
];

/// The bar at the bottom of a phone.
pub(super) const BAR: &[Door] = &[
    door(Section::Home, "/", "house", "Home"),
    door(Section::Sites, "/sites", "globe", "Sites"),
    door(Section::Activity, "/activity", "activity", "Activity"),
    door(Section::Menu, "/menu", "menu", "Menu"),
];

/// Everything around the body of a page.
pub(super) struct Frame {
    /// The title of the tab.
    pub(super) title: String,
    /// Which entry is lit.
    pub(super) section: Section,
    /// Who is signed in; none gives the bare frame.
    pub(super) person: Option<String>,
    /// The server's name.
    pub(super) server: String,
    /// Light or dark.
    pub(super) theme: Theme,
    /// The token of the forms on this page; empty where no form can be sent.
    pub(super) token: String,
    /// The address of this page, to come back to.
    pub(super) here: String,
    /// How many operations run now.
    pub(super) running: usize,
    /// The same on the command line.
    pub(super) command: Option<String>,
    /// When the page was made.
    pub(super) as_of: String,
    /// Without script: where the page renews itself from.
    pub(super) refresh: Option<String>,
    /// True where the address itself is a secret and goes nowhere, not even to this panel. Elsewhere this panel may see
    /// where a form comes from: without that, browsers send `Origin: null` with it.
    pub(super) secret_address: bool,
    /// The way back: names and paths from the second level on.
    pub(super) crumbs: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "layout.html.stpl")]
struct Layout<'a, B: Template> {
    frame: &'a Frame,
    body: &'a B,
}

/// Marks a response that may be packed.
#[derive(Clone)]
pub(super) struct Packable;

/// The page as a response.
pub(super) fn html<B: Template>(status: StatusCode, frame: &Frame, body: &B) -> Response {
    match (Layout { frame, body }).render() {
        Ok(text) => {
            let mut response = Response::builder()
                .status(status)
                .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
                .body(text);
            if frame.person.is_some() {
                response.extensions_mut().insert(Packable);
            }
            response
        }
        Err(_) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "This page could not be made",
        ),
    }
}

/// One line of text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(text)
}

/// To another page of this panel, by GET.
pub(super) fn see_other(path: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, path)
        .finish()
}

/// Adds a cookie to a response.
pub(super) fn with_cookie(mut response: Response, line: &str) -> Response {
    if let Ok(value) = line.parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Something to put right, and at which field.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) field: &'static str,
    pub(super) text: String,
}

/// The text at one field, if something is to be put right there.
pub(super) fn problem_at<'a>(problems: &'a [Problem], field: &str) -> Option<&'a str> {
    problems
        .iter()
        .find(|problem| problem.field == field)
        .map(|problem| problem.text.as_str())
}
