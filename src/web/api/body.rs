//! Reads what a program sends: the parts of an address, and small JSON objects.
//!
//! Invariant: an unknown field is refused and named, so that nobody believes something was done that was not.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::domain::certificate::PrivateKey;
use crate::domain::change::{Change, OldName};
use crate::domain::database::{DatabaseHash, DatabaseName, DatabaseUser};
use crate::domain::database_access::{AccessAct, ConnectionLimit, DatabaseAccess, Rights, Terms};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::secret::Password;
use crate::domain::setting::Assignment;
use crate::domain::site::{NewSite, NewSiteKind};
use crate::domain::site_name::SiteName;
use crate::domain::tls::TlsMode;
use crate::web::api::{Input, Wish};
use crate::web::keepsake;

/// Something in the request is not as the interface describes it.
pub(super) fn invalid(title: &str) -> Fault {
    Fault::new(
        Code::RequestInvalid,
        title,
        "see `/api/v1/openapi.json` for what it takes",
    )
}

impl Input {
    /// An open part of the path, parsed as it would be in a body.
    pub(super) fn part<T: DeserializeOwned>(&self, index: usize) -> Result<T, Fault> {
        let text = self.parts.get(index).map_or("", String::as_str);
        serde_json::from_value(json!(text)).map_err(|bad| invalid(&bad.to_string()))
    }

    /// The site in the path.
    pub(super) fn host(&self) -> Result<Hostname, Fault> {
        self.part(0)
    }

    /// The body as one of the objects below.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_value(self.body.clone()).map_err(|bad| invalid(&bad.to_string()))
    }

    /// A number in the query; where there is none, `usual`.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str, usual: T) -> Result<T, Fault> {
        match self.query.text(name) {
            "" => Ok(usual),
            text => text
                .parse()
                .map_err(|_| invalid(&format!("`{name}` is no number"))),
        }
    }
}

/// A site to be made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    hostname: Hostname,
    r#type: Option<String>,
    php: Option<PhpVersion>,
    target: Option<String>,
    code: Option<u16>,
    #[serde(default)]
    aliases: Vec<SiteName>,
    #[serde(default)]
    redirects: Vec<SiteName>,
    #[serde(default)]
    tls: TlsMode,
    #[serde(default)]
    database: bool,
}

/// `POST /sites`.
pub(super) fn create_site(input: &Input) -> Result<Wish, Fault> {
    let typed: Create = input.body()?;
    let mut kind = Map::new();
    let r#type = typed.r#type.unwrap_or_else(|| "php".to_owned());
    if r#type == "spa" {
        kind.insert("type".to_owned(), json!("static"));
        kind.insert("spa".to_owned(), json!(true));
    } else {
        kind.insert("type".to_owned(), json!(r#type));
    }
    let given = [
        ("php", typed.php.map(|php| json!(php))),
        ("target", typed.target.map(|target| json!(target))),
        ("code", typed.code.map(|code| json!(code))),
    ];
    for (key, value) in given {
        kind.extend(value.map(|value| (key.to_owned(), value)));
    }
    let kind: NewSiteKind = serde_json::from_value(Value::Object(kind))
        .map_err(|bad| invalid(&format!("a site of this type: {bad}")))?;
    let password = typed.database.then(made).transpose()?;
    let new = NewSite {
        hostname: typed.hostname,
        aliases: typed.aliases,
        redirected: typed.redirects,
        kind,
        database: password.as_ref().map(DatabaseHash::of),
        wordpress: None,
        tls: typed.tls,
    };
    Ok(Wish::Change(
        Change::SiteCreate(new),
        told(password.as_ref()),
    ))
}

/// `PATCH /sites/{host}`: an object of keys and values, as `site set` takes them.
pub(super) fn set(input: &Input) -> Result<Wish, Fault> {
    let values: Map<String, Value> = input.body()?;
    let values = values.into_iter().map(|(key, value)| {
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(on) => (if on { "on" } else { "off" }).to_owned(),
            _ => {
                return Err(invalid(&format!(
                    "`{key}` takes a text, a number or a boolean"
                )));
            }
        };
        let assignment = json!({ "key": key, "value": value });
        serde_json::from_value::<Assignment>(assignment).map_err(|bad| invalid(&bad.to_string()))
    });
    let change = Change::SiteSet {
        hostname: input.host()?,
        values: values.collect::<Result<_, _>>()?,
    };
    Ok(Wish::Change(change, json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    name: Hostname,
    #[serde(default)]
    old: OldName,
}

/// `POST /sites/{host}/rename`.
pub(super) fn rename(input: &Input) -> Result<Wish, Fault> {
    let Rename { name, old } = input.body()?;
    let hostname = input.host()?;
    let change = Change::SiteRename {
        hostname,
        name,
        old,
    };
    Ok(Wish::Change(change, json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clone {
    name: Hostname,
    #[serde(default)]
    databases: bool,
}

/// `POST /sites/{host}/clone`.
pub(super) fn clone(input: &Input) -> Result<Wish, Fault> {
    let Clone { name, databases } = input.body()?;
    let hostname = input.host()?;
    let change = Change::SiteClone {
        hostname,
        name,
        databases,
    };
    Ok(Wish::Change(change, json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    chain: String,
    key: String,
}

/// `PUT /sites/{host}/certificate`.
pub(super) fn certificate(input: &Input) -> Result<Wish, Fault> {
    let Pair { chain, key } = input.body()?;
    let key = PrivateKey::typed(key);
    Ok(Wish::Certificate(input.host()?, chain, key))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDatabase {
    name: DatabaseName,
    site: Option<Hostname>,
}

/// `POST /databases`.
pub(super) fn create_database(input: &Input) -> Result<Wish, Fault> {
    let NewDatabase { name, site } = input.body()?;
    let password = made()?;
    let change = Change::DatabaseCreate {
        name,
        hostname: site,
        hash: DatabaseHash::of(&password),
    };
    Ok(Wish::Change(change, told(Some(&password))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    user: DatabaseUser,
    #[serde(default)]
    rights: Rights,
    #[serde(default)]
    max_connections: ConnectionLimit,
}

/// `POST /databases/{name}/users`.
pub(super) fn add_user(input: &Input) -> Result<Wish, Fault> {
    let typed: NewUser = input.body()?;
    let password = made()?;
    let act = AccessAct::Add {
        user: typed.user,
        hash: DatabaseHash::of(&password),
        terms: Terms {
            rights: typed.rights,
            connections: typed.max_connections,
        },
    };
    access(input, act, Some(&password))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserTerms {
    rights: Option<Rights>,
    max_connections: Option<ConnectionLimit>,
}

/// `PATCH /databases/{name}/users/{user}`.
pub(super) fn set_user(input: &Input) -> Result<Wish, Fault> {
    let typed: UserTerms = input.body()?;
    let act = AccessAct::Set {
        user: input.part(1)?,
        rights: typed.rights,
        connections: typed.max_connections,
    };
    access(input, act, None)
}

/// `POST /databases/{name}/users/{user}/password`.
pub(super) fn user_password(input: &Input) -> Result<Wish, Fault> {
    let password = made()?;
    let act = AccessAct::Password {
        user: input.part(1)?,
        hash: DatabaseHash::of(&password),
    };
    access(input, act, Some(&password))
}

/// A change of who may do what in the database in the path.
pub(super) fn access(
    input: &Input,
    act: AccessAct,
    password: Option<&Password>,
) -> Result<Wish, Fault> {
    let name = input.part(0)?;
    let change = Change::DatabaseAccess(DatabaseAccess { name, act });
    Ok(Wish::Change(change, told(password)))
}

/// One value of an object that has no other.
pub(super) fn only<T: DeserializeOwned>(input: &Input, key: &str) -> Result<T, Fault> {
    let mut fields: Map<String, Value> = input.body()?;
    let value = fields.remove(key);
    if let Some((other, _)) = fields.iter().next() {
        return Err(invalid(&format!("unknown field `{other}`")));
    }
    let value = value.ok_or_else(|| invalid(&format!("missing field `{key}`")))?;
    serde_json::from_value(value).map_err(|bad| invalid(&format!("`{key}`: {bad}")))
}

/// A password made here; the agent gets its hash.
pub(super) fn made() -> Result<Password, Fault> {
    keepsake::fresh().map_err(|_| {
        Fault::new(
            Code::HostFailed,
            "the system gave no random numbers",
            "try again; if it stays so, look at `dmesg` on the server",
        )
    })
}

/// Said once, beside the operation.
pub(super) fn told(password: Option<&Password>) -> Value {
    match password {
        Some(password) => json!({ "database_password": password.reveal() }),
        None => json!({}),
    }
}
