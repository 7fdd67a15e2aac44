//! A new site: the form, and beside it what will happen.
//!
//! Invariant: what is shown beside the form is the agent's plan for exactly what the form says; only that plan can be run.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::fault::Code;
use crate::domain::name::{BadHostname, Hostname};
use crate::domain::site::NewSite;
use crate::domain::site_name::SiteName;
use crate::domain::text::shown;
use crate::domain::tls::TlsMode;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{ArchiveView, SiteOptions};
use crate::web::form::Fields;
use crate::web::kind_form::KindForm;
use crate::web::page::{ICONS, Problem, Section, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::visit::{Visit, unexpected};
use crate::web::wordpress_form::{self, WordpressForm};
use crate::web::words;

#[derive(Template)]
#[template(path = "pages/new_site.html.stpl")]
struct NewSitePage {
    token: String,
    operation: String,
    typed: Typed,
    /// The name as it was understood, for the hint and the `www.` box.
    name: Option<String>,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    /// True where the script asked: only the plan is looked at.
    live: bool,
    archive: ArchiveView,
}

/// What the person typed, kept as it is whatever becomes of it.
#[derive(Clone)]
struct Typed {
    hostname: String,
    kind: KindForm,
    wordpress: WordpressForm,
    www: String,
    tls: String,
    names: String,
}

/// What may become of the name with `www.`: the words of the setting, without its name.
const WWW: &[(&str, &str)] = &[
    ("none", "Not served"),
    ("add", "Served as well"),
    ("redirect", "Sent to the name without www"),
];

impl Typed {
    fn read(fields: &Fields, options: &SiteOptions) -> Self {
        let versions = options.php.iter().map(ToString::to_string).collect();
        Self {
            hostname: shown(fields.text("hostname"), 1024),
            kind: KindForm {
                versions,
                ..KindForm::read(fields)
            },
            wordpress: WordpressForm::read(fields),
            www: shown(fields.text("www"), 16),
            tls: shown(fields.text("tls"), 16),
            names: shown(fields.text("names"), 4096),
        }
    }

    /// Whether WordPress is installed; what was typed for it counts for sites of its type alone.
    fn installs(&self) -> bool {
        self.wordpress.install && self.kind.is("wordpress")
    }

    fn site(&self) -> Result<NewSite, Vec<Problem>> {
        let mut problems = Vec::new();
        let hostname = Hostname::parse(&self.hostname)
            .map_err(|bad| problems.push(at("hostname", bad)))
            .ok();
        let mut aliases = Vec::new();
        for text in self.names.split([' ', ',']).filter(|text| !text.is_empty()) {
            match SiteName::parse(text) {
                Ok(alias) => aliases.push(alias),
                Err(bad) => problems.push(at("names", bad)),
            }
        }
        let kind = self
            .kind
            .new_kind()
            .map_err(|problem| problems.push(problem))
            .ok();
        if self.installs() {
            problems.extend(self.wordpress.problems());
        }
        let mut redirected = Vec::new();
        if let (Some(hostname), "add" | "redirect") = (&hostname, self.www.as_str()) {
            match Hostname::parse(&format!("www.{hostname}")).map(SiteName::Exact) {
                Ok(www) => {
                    aliases.retain(|name| *name != www);
                    if self.www == "add" {
                        aliases.insert(0, www);
                    } else {
                        redirected.push(www);
                    }
                }
                Err(bad) => problems.push(at("www", bad)),
            }
        }
        match (hostname, kind, problems.is_empty()) {
            (Some(hostname), Some(kind), true) => Ok(NewSite {
                hostname,
                aliases,
                redirected,
                kind,
                database: None,
                wordpress: None,
                tls: if self.tls == "auto" {
                    TlsMode::Auto
                } else {
                    TlsMode::Off
                },
            }),
            _ => Err(problems),
        }
    }
}

/// `GET /sites/new`, empty or filled by the address.
pub(in crate::web) async fn form(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let options = options(&visit).await?;
    let mut typed = Typed::read(&visit.query, &options);
    if visit.query.has("hostname") {
        let attempt = match typed.site() {
            // Its plan belongs to a password, and so to a form that was sent.
            Ok(_) if typed.installs() => return sheet(&visit, typed, Said::nothing(options)).await,
            Ok(site) => plan::preview(&visit, Change::SiteCreate(site)).await?,
            Err(problems) => {
                let said = Said::problems(options, StatusCode::OK, problems);
                return sheet(&visit, typed, said).await;
            }
        };
        return outcome(&visit, typed, options, attempt, true).await;
    }
    if options.php.is_empty() && typed.kind.word.is_empty() {
        "static".clone_into(&mut typed.kind.word);
    }
    sheet(&visit, typed, Said::nothing(options)).await
}

/// `POST /sites/new`: `live` asks for the plan only, everything else for the site.
pub(in crate::web) async fn submit(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let mut options = options(&visit).await?;
    let typed = Typed::read(&visit.form, &options);
    let live = visit.form.has("live");
    let mut site = match typed.site() {
        Ok(site) => site,
        Err(problems) => {
            let said = Said::problems(options, StatusCode::UNPROCESSABLE_ENTITY, problems);
            return sheet(&visit, typed, said).await;
        }
    };
    if typed.installs() {
        let (form, archive) = (&typed.wordpress, &mut options.archive);
        let operation = plan::operation_of(&visit)?;
        if let Err(problem) = form.add_to(&mut site, archive, operation, &visit).await? {
            let said = Said::problems(options, StatusCode::SERVICE_UNAVAILABLE, vec![problem]);
            return sheet(&visit, typed, said).await;
        }
    }
    let change = Change::SiteCreate(site.clone());
    let attempt = if live {
        plan::preview(&visit, change).await?
    } else {
        plan::attempt(&visit, change).await?
    };
    if let Attempt::Began(id) = &attempt {
        wordpress_form::begun(&visit, *id, &site)?;
    }
    outcome(&visit, typed, options, attempt, live).await
}

/// The fields of the form.
const TYPED: &str =
    "hostname type php address target code www names install admin_email admin_name title";

/// The address that brings back what was typed, for somebody whose session ended meanwhile.
pub(in crate::web) fn draft(visit: &Visit) -> Option<String> {
    let path = visit.here.split('?').next()?;
    if path != "/sites/new" {
        return None;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in TYPED.split(' ') {
        let value = visit.form.text(name);
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    Some(format!("/sites/new?{}", query.finish()))
}

async fn outcome(
    visit: &Visit,
    typed: Typed,
    options: SiteOptions,
    attempt: Attempt,
    only_looking: bool,
) -> Result<Response, Refusal> {
    match attempt {
        Attempt::Began(id) => Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => {
            let path = Hostname::parse(&typed.hostname)
                .map_or_else(|_| "/sites".to_owned(), |name| format!("/sites/{name}"));
            Ok(see_other(&path))
        }
        Attempt::Check { plan, changed } => {
            let notice = match (only_looking, changed) {
                (true, _) => None,
                (false, false) => Some("Please check what will happen, then press Create site"),
                (false, true) => Some(
                    "The server has changed since you looked. Please check what will happen, then press Create site",
                ),
            };
            let said = Said {
                plan: Some((*plan, notice)),
                ..Said::nothing(options)
            };
            sheet(visit, typed, said).await
        }
        Attempt::Refused(fault) => {
            let problem = Problem {
                field: field_of(fault.code),
                text: sentence(&fault),
            };
            let status = if only_looking {
                StatusCode::OK
            } else {
                status_of(&fault)
            };
            let said = Said::problems(options, status, vec![problem]);
            sheet(visit, typed, said).await
        }
    }
}

/// What the page says beside what was typed.
struct Said {
    status: StatusCode,
    plan: Option<(ShownPlan, Option<&'static str>)>,
    problems: Vec<Problem>,
    options: SiteOptions,
}

impl Said {
    fn nothing(options: SiteOptions) -> Self {
        Self {
            status: StatusCode::OK,
            plan: None,
            problems: Vec::new(),
            options,
        }
    }

    fn problems(options: SiteOptions, status: StatusCode, problems: Vec<Problem>) -> Self {
        Self {
            status,
            problems,
            ..Self::nothing(options)
        }
    }
}

async fn sheet(visit: &Visit, typed: Typed, said: Said) -> Result<Response, Refusal> {
    let mut frame = visit.frame("New site", Section::Sites).await;
    frame.crumbs.push(("Sites".to_owned(), "/sites".to_owned()));
    let site = typed.site().ok();
    let flags = typed.installs().then(|| typed.wordpress.flags());
    frame.command = Some(site.as_ref().map_or_else(
        || "lalapanel site create shop.example".to_owned(),
        |site| words::command(&Change::SiteCreate(site.clone())) + &flags.unwrap_or_default(),
    ));
    let live = visit.form.has("live");
    // Whoever only looks is answered well, whatever is to be put right.
    let status = if live { StatusCode::OK } else { said.status };
    let (plan, notice) = said
        .plan
        .map_or((None, None), |(plan, notice)| (Some(plan), notice));
    let body = NewSitePage {
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        name: site.map(|site| site.hostname.unicode()),
        typed,
        plan,
        notice,
        problems: said.problems,
        live,
        archive: said.options.archive,
    };
    Ok(html(status, &frame, &body))
}

async fn options(visit: &Visit) -> Result<SiteOptions, Refusal> {
    match visit.ask(Request::SiteOptions {}).await? {
        Reply::SiteOptions(options) => Ok(options),
        _ => Err(unexpected()),
    }
}

fn at(field: &'static str, bad: BadHostname) -> Problem {
    let text = match bad {
        BadHostname::Empty => "Type a domain name. For example: shop.example".to_owned(),
        other => words::sentence_of(&other.to_string()),
    };
    Problem { field, text }
}

fn field_of(code: Code) -> &'static str {
    match code {
        Code::HostnameInvalid
        | Code::HostnameTaken
        | Code::HostnameReserved
        | Code::HostnameForeign
        | Code::SiteDirectoryExists => "hostname",
        Code::PhpNotInstalled => "php",
        Code::WordpressArchive => "install",
        _ => "main",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::archive::ArchiveUrl;
    use crate::domain::php::PhpVersion;
    use crate::domain::site::NewSiteKind;

    fn read(text: &str) -> Result<NewSite, Vec<Problem>> {
        let options = SiteOptions {
            php: vec![PhpVersion::new(8, 4), PhpVersion::new(8, 2)],
            archive: ArchiveView {
                url: ArchiveUrl::official(),
                fetched: None,
                is_coming: false,
            },
        };
        Typed::read(&Fields::parse(text.as_bytes()), &options).site()
    }

    #[test]
    fn a_form_becomes_a_site_with_the_newest_php() {
        let site =
            read("hostname=Shop.Example&type=php&www=add&names=a.example,+b.example").unwrap();
        assert_eq!(site.hostname.as_str(), "shop.example");
        let names: Vec<String> = site.aliases.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["www.shop.example", "a.example", "b.example"]);
        assert_eq!(
            site.kind,
            NewSiteKind::Php {
                php: Some(PhpVersion::new(8, 4))
            }
        );
        let sent = read("hostname=shop.example&type=php&www=redirect").unwrap();
        let names: Vec<String> = sent.redirected.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["www.shop.example"]);
        assert!(sent.aliases.is_empty());
        let plain = read("hostname=shop.example&type=static&php=9").unwrap();
        assert_eq!(plain.kind, NewSiteKind::Static { spa: false });
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let problems =
            read("hostname=https://shop.example/&type=php&php=8&names=x+y.example").unwrap_err();
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["hostname", "names", "php"]);
        assert!(
            problem_at(&problems, "hostname")
                .unwrap()
                .contains("without https://")
        );
    }
}
