//! A look at CAA records before an authority is asked: may it issue for these names at all?
//!
//! Invariant: an order is stopped only by a record that DNS shows and by names the authority gives itself; where either is not to
//! be had, the authority judges.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::acme::dns::caa::{self, Asked, Rules};
use crate::acme::order::{Diary, Way};
use crate::acme::transport::{self, OneHost};
use crate::courier::json;
use crate::domain::authority::Authority;
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::site_name::SiteName;
use crate::rpc::courier::Order;

/// For a name with everything above it.
const WITHIN: Duration = Duration::from_secs(4);
/// For the authority to say what it calls itself.
const DIRECTORY: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Directory {
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "caaIdentities", default)]
    identities: Vec<String>,
}

/// Looks at all names at once; the first that is forbidden comes back.
pub(super) async fn look(order: &Order, way: Way<'_>, diary: &Diary) -> Result<(), Problem> {
    let found = found(&order.names, &order.resolvers).await;
    if found.is_empty() {
        return Ok(());
    }
    let identities = identities(&order.authority).await.unwrap_or_default();
    if identities.is_empty() {
        diary.note(
            "there are CAA records, and the authority does not say what it is called in them",
        );
        return Ok(());
    }
    let asked = Asked {
        identities: &identities,
        method: match way {
            Way::Port80(_) => "http-01",
            Way::Dns(_) => "dns-01",
        },
    };
    for (name, rules) in &found {
        if let Some(words) = rules.forbid(name, asked) {
            diary.note(format!("{name}: {words}"));
            return Err(Problem::new(ProblemKind::Caa, &words).of(name));
        }
    }
    diary.note("the CAA records allow this authority");
    Ok(())
}

/// In the order of the names, so that the same one is told each time.
async fn found(names: &[SiteName], resolvers: &[IpAddr]) -> Vec<(SiteName, Rules)> {
    let mut looks = JoinSet::new();
    for (place, name) in names.iter().enumerate() {
        let (name, resolvers) = (name.clone(), resolvers.to_vec());
        looks.spawn(async move {
            let rules = timeout(WITHIN, caa::rules(&resolvers, &name)).await;
            Some((place, name, rules.ok()??))
        });
    }
    let mut found = Vec::new();
    while let Some(looked) = looks.join_next().await {
        found.extend(looked.ok().flatten());
    }
    found.sort_by_key(|(place, ..)| *place);
    let found = found.into_iter();
    found.map(|(_, name, rules)| (name, rules)).collect()
}

/// What it calls itself in CAA records; none where it cannot be asked.
async fn identities(authority: &Authority) -> Option<Vec<String>> {
    let host = OneHost::of(authority.directory.host());
    let builder = transport::builder(authority.roots.as_deref(), "acme.ca_file", host).ok()?;
    let client = builder.timeout(DIRECTORY).build().ok()?;
    let asked = json::get::<Directory>(&client, authority.directory.as_str()).await;
    Some(asked.ok()?.0.meta?.identities)
}
