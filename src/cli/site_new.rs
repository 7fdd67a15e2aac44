//! What `lalapanel site create` takes, and the new site it asks for.
//!
//! Invariant: a flag that the type has no use for is refused, never ignored.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::agent::Ask;
use crate::cli::output::Output;
use crate::cli::site::{parse, parse_name};
use crate::cli::{Outcome, change, database, wordpress};
use crate::domain::change::Change;
use crate::domain::database::{DatabaseHash, DatabaseName};
use crate::domain::fault::{Code, Fault};
use crate::domain::php::PhpVersion;
use crate::domain::proxy_target::ProxyTarget;
use crate::domain::site::{NewSite, NewSiteKind};
use crate::domain::site_name::SiteName;
use crate::domain::tls::TlsMode;
use crate::domain::web_target::{RedirectCode, WebAddress};

/// What a new site is made of.
#[derive(Debug, Args)]
pub struct Create {
    /// The name visitors type
    pub hostname: String,
    /// What runs there
    #[arg(long, value_enum, default_value_t = Type::Php)]
    pub r#type: Type,
    /// PHP version; the newest installed one where none is given
    #[arg(long, value_name = "V")]
    pub php: Option<PhpVersion>,
    /// A further name; may be given more than once
    #[arg(long, value_name = "H")]
    pub alias: Vec<String>,
    /// A name whose visitors are sent to HOSTNAME; may be given more than once
    #[arg(long, value_name = "H")]
    pub redirect_from: Vec<String>,
    /// Where a proxy site's application listens, or where a redirect leads
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// Status of a redirect: 301, 302, 307 or 308
    #[arg(long, value_name = "STATUS")]
    pub code: Option<String>,
    /// Whether it also answers on www.HOSTNAME
    #[arg(long, value_enum, default_value_t = Www::None)]
    pub www: Www,
    /// HTTPS: off, or auto with a certificate that Lala sees to
    #[arg(long, value_enum, default_value_t = Tls::Off)]
    pub tls: Tls,
    /// With a database of its own; the password is shown once
    #[arg(long)]
    pub database: bool,
    /// WordPress in it
    #[command(flatten)]
    pub wordpress: wordpress::Wordpress,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// The types of sites there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Type {
    /// PHP files run as the site's own user
    Php,
    /// WordPress: one front controller, hardened rules
    Wordpress,
    /// Laravel, Symfony and others with one front controller
    Laravel,
    /// Files served as they are
    Static,
    /// A single-page application: what is no file is answered by /index.html
    Spa,
    /// An application of your own, by HTTP and websockets
    Proxy,
    /// Everything is sent elsewhere
    Redirect,
}

/// What becomes of the name with `www.` in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Www {
    /// The site answers to it as well
    Add,
    /// Its visitors are sent to the name without
    Redirect,
    /// Nothing
    None,
}

/// Whether a site has a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tls {
    /// Plain HTTP
    Off,
    /// HTTPS; the site shows a certificate that it signed itself until there is a better one
    Auto,
}

/// Makes the site, and tells how to reach its database.
pub(super) fn run(create: &Create, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let mut new = new_site(create)?;
    if create.wordpress.install {
        return install_wordpress(create, new, agent, output);
    }
    let password = create.database.then(database::made).transpose()?;
    new.database = password.as_ref().map(DatabaseHash::of);
    let hostname = new.hostname.clone();
    let tell = |agent: &mut dyn Ask, output: &mut Output| {
        let Some(password) = &password else {
            return Ok(json!({}));
        };
        let site = change::look_up(&hostname, agent)?;
        let name = site.databases.first().map(|name| DatabaseName::parse(name));
        let Some(Ok(name)) = name else {
            return Ok(json!({}));
        };
        let view = database::find(&name, agent)?;
        let told = database::told(&view, Some(password), output);
        Ok(json!({ "database": told }))
    };
    let wanted = Change::SiteCreate(new);
    change::run_and_tell(&wanted, create.plan, None, agent, output, &tell)
}

fn install_wordpress(
    create: &Create,
    mut new: NewSite,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    if create.r#type != Type::Wordpress || create.database {
        return Err(Fault::new(
            Code::RequestInvalid,
            "`--install` makes a site of the type wordpress, with a database of its own",
            "use it with `--type wordpress` and without `--database`",
        ));
    }
    let name = new.hostname.as_str();
    let prepared = wordpress::prepare(&create.wordpress, name, agent, output)?;
    prepared.announce(output);
    new.wordpress = Some(Box::new(prepared.new.clone()));
    let url = new.hostname.url();
    let tell = |_: &mut dyn Ask, output: &mut Output| {
        let told = prepared.tell(&url, output);
        Ok(json!({ "wordpress": told }))
    };
    let wanted = Change::SiteCreate(new);
    change::run_and_tell(&wanted, create.plan, None, agent, output, &tell)
}

/// The site that is asked for.
pub(super) fn new_site(create: &Create) -> Result<NewSite, Fault> {
    let kind = new_kind(create)?;
    let hostname = parse(&create.hostname)?;
    let mut aliases = create
        .alias
        .iter()
        .map(|alias| parse_name(alias))
        .collect::<Result<Vec<_>, _>>()?;
    let mut redirected = create
        .redirect_from
        .iter()
        .map(|name| parse_name(name))
        .collect::<Result<Vec<_>, _>>()?;
    let www = || parse(&format!("www.{hostname}")).map(SiteName::Exact);
    match create.www {
        Www::Add => aliases.push(www()?),
        Www::Redirect => redirected.push(www()?),
        Www::None => {}
    }
    Ok(NewSite {
        hostname,
        aliases,
        redirected,
        kind,
        database: None,
        wordpress: None,
        tls: match create.tls {
            Tls::Off => TlsMode::Off,
            Tls::Auto => TlsMode::Auto,
        },
    })
}

fn new_kind(create: &Create) -> Result<NewSiteKind, Fault> {
    let invalid = |title: &str, hint: &str| Err(Fault::new(Code::RequestInvalid, title, hint));
    let php = create.php;
    let has_php = matches!(create.r#type, Type::Php | Type::Wordpress | Type::Laravel);
    let has_target = matches!(create.r#type, Type::Proxy | Type::Redirect);
    if php.is_some() && !has_php {
        return invalid(
            "a site of this type runs no PHP",
            "leave `--php` out, or use `--type php`",
        );
    }
    if create.target.is_some() && !has_target {
        return invalid(
            "a site of this type has no target",
            "leave `--target` out, or use `--type proxy` or `--type redirect`",
        );
    }
    let target = create.target.as_deref().unwrap_or_default();
    Ok(match create.r#type {
        Type::Php => NewSiteKind::Php { php },
        Type::Wordpress => NewSiteKind::Wordpress { php },
        Type::Laravel => NewSiteKind::Laravel { php },
        Type::Static => NewSiteKind::Static { spa: false },
        Type::Spa => NewSiteKind::Static { spa: true },
        Type::Proxy => match ProxyTarget::parse(target) {
            Ok(target) => NewSiteKind::Proxy { target },
            Err(bad) => return invalid(&bad.to_string(), "give it with `--target 127.0.0.1:3000`"),
        },
        Type::Redirect => {
            let code = create.code.as_deref().map(RedirectCode::parse).transpose();
            match (WebAddress::parse(target), code) {
                (Ok(target), Ok(code)) => NewSiteKind::Redirect {
                    target,
                    code: code.unwrap_or_default(),
                },
                (Err(bad), _) => {
                    return invalid(
                        &bad.to_string(),
                        "give it with `--target https://new.example`",
                    );
                }
                (_, Err(bad)) => return invalid(bad, "leave `--code` out for 301"),
            }
        }
    })
}
