//! The part "Install WordPress" of a new site: who administers it, and which archive it comes from.
//!
//! Invariant: nothing is fetched while somebody only looks; the administrator's password is made here, and leaves as a hash.

use std::fmt::Write as _;

use crate::domain::id::OperationId;
use crate::domain::secret::Token;
use crate::domain::site::NewSite;
use crate::domain::text::{quoted, shown};
use crate::domain::visitor::VisitorHash;
use crate::domain::wordpress::{AdminEmail, AdminName, ArchiveDigest, NewWordpress, SiteTitle};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::ArchiveView;
use crate::web::form::Fields;
use crate::web::keepsake::{Asked, Line};
use crate::web::page::Problem;
use crate::web::refusal::{Refusal, belongs_to_the_form};
use crate::web::views::change::sentence;
use crate::web::views::visitors::salt;
use crate::web::visit::{Visit, unexpected};
use crate::web::words::sentence_of;

/// Where no other name is typed.
const USUAL_ADMIN: &str = "admin";

/// What was typed, kept as it is whatever becomes of it.
#[derive(Debug, Clone, Default)]
pub(super) struct WordpressForm {
    pub(super) install: bool,
    pub(super) email: String,
    pub(super) admin: String,
    pub(super) title: String,
}

/// The same, understood.
struct Parts {
    title: SiteTitle,
    admin: AdminName,
    email: AdminEmail,
}

impl WordpressForm {
    /// Reads a form.
    pub(super) fn read(fields: &Fields) -> Self {
        let admin = match fields.text("admin_name") {
            "" => USUAL_ADMIN,
            typed => typed,
        };
        Self {
            install: fields.text("install") == "1",
            email: shown(fields.text("admin_email"), 120),
            admin: shown(admin, 80),
            title: shown(fields.text("title"), 200),
        }
    }

    /// What is to be put right.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.parts("shop.example").err().unwrap_or_default()
    }

    fn parts(&self, hostname: &str) -> Result<Parts, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut at = |field, text: String| {
            let text = sentence_of(&text);
            problems.push(Problem { field, text });
        };
        let title = match self.title.trim() {
            "" => hostname,
            typed => typed,
        };
        let email = AdminEmail::parse(self.email.trim());
        let email = email.map_err(|bad| at("admin_email", bad.to_string()));
        let admin = AdminName::parse(self.admin.trim());
        let admin = admin.map_err(|bad| at("admin_name", bad.to_string()));
        let title = SiteTitle::parse(title).map_err(|bad| at("title", bad.to_string()));
        match (title, admin, email) {
            (Ok(title), Ok(admin), Ok(email)) => Ok(Parts {
                title,
                admin,
                email,
            }),
            _ => Err(problems),
        }
    }

    /// The flags of the command line for it.
    pub(super) fn flags(&self) -> String {
        let mut line = format!(" --install --admin-email {}", quoted(self.email.trim()));
        let admin = self.admin.trim();
        if admin != USUAL_ADMIN {
            let _ = write!(line, " --admin-name {}", quoted(admin));
        }
        let title = self.title.trim();
        if !title.is_empty() {
            let _ = write!(line, " --title {}", quoted(title));
        }
        line
    }

    /// Adds WordPress to a new site, with the password that belongs to the form. What is not at hand is fetched, but not for
    /// somebody who only looks.
    pub(super) async fn add_to(
        &self,
        site: &mut NewSite,
        archive: &mut ArchiveView,
        operation: OperationId,
        visit: &Visit,
    ) -> Result<Result<(), Problem>, Refusal> {
        let parts = match self.parts(site.hostname.as_str()) {
            Ok(parts) => parts,
            Err(mut problems) => return Ok(problems.pop().map_or(Ok(()), Err)),
        };
        let archive = match at_hand(archive, visit).await? {
            Ok(archive) => archive,
            Err(text) => {
                let field = "install";
                return Ok(Err(Problem { field, text }));
            }
        };
        let holder = holder(visit)?;
        let kept = &visit.shared.keepsakes;
        let password = kept.password(holder, operation, Asked::Made)?;
        let hash = VisitorHash::of(&password, salt(operation)).map_err(|_| Refusal::INTERNAL)?;
        site.wordpress = Some(Box::new(NewWordpress {
            archive,
            title: parts.title,
            admin: parts.admin,
            email: parts.email,
            hash,
        }));
        Ok(Ok(()))
    }
}

/// The page of the operation that has begun shows how to sign in, once it is done.
pub(super) fn begun(visit: &Visit, id: OperationId, site: &NewSite) -> Result<(), Refusal> {
    if let Some(new) = &site.wordpress {
        let lines: Vec<Line> = vec![
            ("Sign in at", format!("{}wp-admin/", site.hostname.url())),
            ("Name", new.admin.to_string()),
        ];
        visit.shared.keepsakes.begun(holder(visit)?, id, lines);
    }
    Ok(())
}

async fn at_hand(
    archive: &mut ArchiveView,
    visit: &Visit,
) -> Result<Result<ArchiveDigest, String>, Refusal> {
    let is_looking = visit.form.has("live");
    if archive.fetched.is_none() && !is_looking {
        match visit.ask(Request::WordpressFetch {}).await {
            Ok(Reply::Archive(view)) => *archive = *view,
            Ok(_) => return Err(unexpected()),
            Err(Refusal::Fault(fault)) if belongs_to_the_form(&fault) => {
                return Ok(Err(sentence(&fault)));
            }
            Err(refusal) => return Err(refusal),
        }
    }
    let url = &archive.url;
    Ok(match &archive.fetched {
        Some(fetched) => Ok(fetched.archive.clone()),
        None if is_looking => Err(format!(
            "WordPress has to be fetched first. Press Create site: it comes from {url}, and then the steps appear here."
        )),
        None => Err(format!(
            "WordPress is still on its way from {url}. Press Create site again in a moment."
        )),
    })
}

fn holder(visit: &Visit) -> Result<&Token, Refusal> {
    visit.session.as_ref().ok_or(Refusal::SignedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> WordpressForm {
        WordpressForm::read(&Fields::parse(text.as_bytes()))
    }

    #[test]
    fn the_hostname_and_admin_stand_in_for_what_was_left_empty() {
        let form = read("install=1&admin_email=mara@shop.example");
        let parts = form.parts("shop.example").ok().unwrap();
        assert_eq!(
            (parts.title.as_str(), parts.admin.as_str()),
            ("shop.example", "admin")
        );
        assert_eq!(form.flags(), " --install --admin-email mara@shop.example");
        let form = read("install=1&admin_email=m@x.example&admin_name=mara&title=Mara's+shop");
        assert_eq!(
            form.flags(),
            r" --install --admin-email m@x.example --admin-name mara --title 'Mara'\''s shop'"
        );
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let problems = read("install=1&admin_name=a+b").problems();
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["admin_email", "admin_name"]);
        assert!(!read("install=2").install);
    }
}
