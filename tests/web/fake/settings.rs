//! The settings of the sites made of memory: the product's own table, over the fake's list of views.
//!
//! Invariant: a view is what the real agent would show for the same site.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::id::SiteId;
use lalapanel::domain::name::Hostname;
use lalapanel::domain::setting::{self, Assignment};
use lalapanel::domain::site::{Site, SiteKind};
use lalapanel::domain::visitor::{VisitorHash, VisitorName};
use lalapanel::rpc::view::{PlanStepView, SiteView};

use super::State;

/// The site behind a view.
fn site_of(view: &SiteView) -> Site {
    let kind = SiteKind::Static { spa: false };
    let mut site = Site::new(SiteId::FIRST, view.hostname.clone(), kind, view.created);
    for field in setting::fields() {
        if let Some(text) = view.settings.get(field.key) {
            field.write(&mut site, text).unwrap();
        }
    }
    site
}

/// Makes a view show this site.
pub(crate) fn show(view: &mut SiteView, site: &Site) {
    site.kind.word().clone_into(&mut view.r#type);
    view.php = site.kind.php();
    view.aliases.clone_from(&site.aliases);
    view.redirected_names.clone_from(&site.redirected);
    view.serving = site.settings.serving;
    view.document_root = site.document_root();
    view.settings = setting::fields()
        .filter(|field| field.applies(site))
        .map(|field| (field.key.to_owned(), field.read(site)))
        .collect();
}

/// The view with these values; refused as the agent refuses them.
pub(crate) fn with(view: &SiteView, values: &[Assignment]) -> Result<SiteView, Fault> {
    let mut site = site_of(view);
    for value in values {
        value.apply(&mut site).map_err(|bad| {
            Fault::new(
                Code::SettingInvalid,
                bad.to_string(),
                "correct the value, then try again",
            )
        })?;
    }
    let mut changed = view.clone();
    show(&mut changed, &site);
    Ok(changed)
}

/// Gives a site these values.
pub(crate) fn set(state: &mut State, hostname: &str, values: &[(&str, &str)]) {
    let values: Vec<Assignment> = values
        .iter()
        .map(|(key, value)| Assignment::new(key, value).unwrap())
        .collect();
    let hostname = hostname.parse::<Hostname>().unwrap();
    let mut sites = state.sites.iter_mut();
    let site = sites.find(|site| site.hostname == hostname).unwrap();
    *site = with(site, &values).unwrap();
}

/// The steps of such a change; none where nothing differs.
pub(crate) fn steps(view: &SiteView, change: &Change) -> Result<Vec<PlanStepView>, Fault> {
    let lines = match change {
        Change::SiteSet { values, .. } => {
            let after = with(view, values)?;
            let differing =
                |(key, text): &(&String, &String)| view.settings.get(*key) != Some(text);
            after
                .settings
                .iter()
                .filter(differing)
                .map(|(key, text)| {
                    let before = view.settings.get(key).map_or("", String::as_str);
                    format!("-{key} {before:?}\n+{key} {text:?}\n")
                })
                .collect()
        }
        _ => vec!["-proxy_cache_key 0;\n+proxy_cache_key 1;\n".to_owned()],
    };
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let name = &view.hostname;
    let step = |title: &str, target: String, diff: Option<String>| PlanStepView {
        title: title.to_owned(),
        target,
        command: None,
        diff,
    };
    let file = format!("/etc/nginx/sites-available/{name}");
    let diff = format!("--- {file}\n+++ {file}\n@@ -1 +1 @@\n{}", lines.concat());
    Ok(vec![
        step(
            "Test the nginx configuration with the new file",
            file.clone(),
            None,
        ),
        step("Write the site's nginx file", file, Some(diff)),
        step("Reload nginx", "nginx.service".to_owned(), None),
        step(
            "Ask the site for its first page",
            format!("http://{name}/"),
            None,
        ),
    ])
}

/// Lets somebody pass the protected paths of a site, or nobody of that name any more.
pub(super) fn let_pass(
    state: &mut State,
    hostname: &Hostname,
    name: &VisitorName,
    hash: Option<&VisitorHash>,
) {
    let mut sites = state.sites.iter_mut();
    if let Some(site) = sites.find(|site| site.hostname == *hostname) {
        site.visitors.retain(|one| one != name);
        site.visitors.extend(hash.map(|_| name.clone()));
    }
    state.visitor_hash = hash.cloned();
}
