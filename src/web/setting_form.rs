//! The settings of a site as a form: what is shown, what was typed, and which of it differs.
//!
//! Invariant: a field nobody touched is never sent, also where somebody else has changed it meanwhile.

use sha2::{Digest, Sha256};

use crate::domain::id::SiteId;
use crate::domain::php::PhpVersion;
use crate::domain::secret::hex;
use crate::domain::setting::{self, Assignment, Control, Field, Section};
use crate::domain::site::{Site, SiteKind};
use crate::domain::site_name::SiteName;
use crate::rpc::view::SiteView;
use crate::web::form::Fields;
use crate::web::kind_form::KindForm;
use crate::web::page::Problem;
use crate::web::words::sentence_of;

/// How a field looks.
pub(super) enum Shape {
    Kind(KindForm),
    Switch,
    Number(&'static str),
    Choice(&'static [(&'static str, &'static str)]),
    Line(&'static str),
    Lines { example: &'static str, rows: usize },
}

/// One field as the page shows it.
pub(super) struct Shown {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) help: &'static str,
    /// Range and default.
    pub(super) hint: String,
    pub(super) shape: Shape,
    /// What stands in the field.
    pub(super) typed: String,
    /// What is set, where that is something else.
    pub(super) now: Option<String>,
}

/// A form of one section.
pub(super) struct SettingForm {
    site: Site,
    /// With the text in it, and whether that differs from what is set.
    fields: Vec<(&'static Field, String, bool)>,
    /// The type as it was chosen, with what was typed for other types.
    kind: Option<KindForm>,
}

impl SettingForm {
    /// What a person typed into the section, beside what is set now.
    pub(super) fn read(view: &SiteView, section: Section, posted: bool, fields: &Fields) -> Self {
        let site = site_of(view);
        let read: Vec<_> = setting::fields()
            .filter(|field| field.section == section && field.applies(&site))
            .map(|field| {
                let now = value(field, &site);
                match typed(field, posted, fields) {
                    Some(text) if text != now => (field, text, true),
                    _ => (field, now, false),
                }
            })
            .collect();
        let chosen = |(field, _, changed): &(&Field, String, bool)| *changed && field.key == "type";
        Self {
            kind: read.iter().any(chosen).then(|| KindForm::read(fields)),
            site,
            fields: read,
        }
    }

    /// The fields as the page shows them.
    pub(super) fn shown(&self, versions: &[PhpVersion]) -> Vec<Shown> {
        let default = Site::new(
            self.site.id,
            self.site.hostname.clone(),
            self.site.kind.clone(),
            self.site.created,
        );
        self.fields
            .iter()
            .map(|(field, text, changed)| Shown {
                key: field.key,
                label: field.label,
                help: field.help,
                hint: hint(field, &default),
                shape: self.shape(field, text, versions),
                typed: text.clone(),
                now: changed.then(|| said(field, &value(field, &self.site))),
            })
            .collect()
    }

    /// What the form says was set when it was made: a mark of every field.
    pub(super) fn marks(&self) -> String {
        let marks: Vec<String> = self
            .fields
            .iter()
            .map(|(field, _, _)| format!("{}={}", field.key, mark(&value(field, &self.site))))
            .collect();
        marks.join(" ")
    }

    /// What shall change; or what is wrong with it, each at its field.
    pub(super) fn assignments(&self) -> Result<Vec<Assignment>, Vec<Problem>> {
        let (mut made, mut problems) = (Vec::new(), Vec::new());
        let mut site = self.site.clone();
        for (field, text) in self.wanted() {
            let checked =
                Assignment::new(field.key, text).and_then(|one| one.apply(&mut site).map(|()| one));
            match checked {
                Ok(one) => made.push(one),
                Err(bad) => problems.push(Problem {
                    field: place(field, text),
                    text: sentence_of(&bad.reason),
                }),
            }
        }
        if problems.is_empty() {
            Ok(made)
        } else {
            Err(problems)
        }
    }

    /// The lists of names are shown without the one with `www.`, so that one is set last, after what was typed.
    fn wanted(&self) -> Vec<(&'static Field, &str)> {
        let is_www = |field: &Field| field.key == "www";
        let mut wanted: Vec<(&'static Field, &str)> = self
            .fields
            .iter()
            .filter(|(field, _, changed)| *changed && !is_www(field))
            .map(|(field, text, _)| (*field, text.as_str()))
            .collect();
        let names = wanted.iter().any(|(field, _)| holds_names(field));
        let www = self.fields.iter().find(|(field, _, _)| is_www(field));
        if let Some((field, text, changed)) = www
            && (*changed || (names && text != "none"))
        {
            wanted.push((field, text));
        }
        wanted
    }

    fn shape(&self, field: &Field, text: &str, versions: &[PhpVersion]) -> Shape {
        match field.control {
            _ if field.key == "type" => Shape::Kind(self.kind(text, versions)),
            Control::Switch(_) => Shape::Switch,
            Control::Number { unit, .. } => Shape::Number(unit),
            Control::Choice { of, .. } => Shape::Choice(of),
            Control::Line { example, .. } => Shape::Line(example),
            Control::Lines { example, .. } => Shape::Lines {
                example,
                rows: (text.lines().count() + 1).clamp(3, 12),
            },
        }
    }

    fn kind(&self, text: &str, versions: &[PhpVersion]) -> KindForm {
        let mut kind = self.kind.clone().unwrap_or_else(|| KindForm::parse(text));
        kind.versions = versions.iter().map(ToString::to_string).collect();
        if let Some(php) = self.site.kind.php() {
            kind.php = php.to_string();
            kind.php_is_fixed = true;
        }
        kind
    }

    /// The field of this section a refusal of the agent is about, with its text there.
    pub(super) fn problem(&self, fault: &crate::domain::fault::Fault) -> Option<Problem> {
        use crate::domain::fault::Code;
        let named = self.fields.iter().find_map(|(field, _, _)| {
            let reason = fault.title.strip_prefix(field.key)?.strip_prefix(": ")?;
            Some(Problem {
                field: field.key,
                text: sentence_of(reason),
            })
        });
        let is_about_names = matches!(
            fault.code,
            Code::HostnameTaken | Code::HostnameReserved | Code::HostnameForeign
        );
        let typed_names = || {
            let mut wanted = self.wanted().into_iter();
            let (field, _) = wanted.find(|(field, _)| holds_names(field) || field.key == "www")?;
            Some(Problem {
                field: field.key,
                text: crate::web::views::change::sentence(fault),
            })
        };
        named.or_else(|| is_about_names.then(typed_names).flatten())
    }
}

/// The changed fields of a form nobody may send any more, for the address that brings them back.
pub(super) fn draft(section: Section, fields: &Fields) -> Vec<(&'static str, String)> {
    let mut kept = Vec::new();
    for field in setting::fields().filter(|field| field.section == section) {
        let Some(text) = typed(field, true, fields) else {
            continue;
        };
        if field.key == "type" {
            let kind = KindForm::parse(&text);
            let parts = [
                ("type", kind.word),
                ("php", kind.php),
                ("address", kind.address),
                ("target", kind.target),
                ("code", kind.code),
            ];
            kept.extend(parts.into_iter().filter(|(_, part)| !part.is_empty()));
        } else {
            kept.push((field.key, text));
        }
    }
    kept
}

/// The site behind a view, as far as its settings go.
fn site_of(view: &SiteView) -> Site {
    let kind = SiteKind::Static { spa: false };
    let mut site = Site::new(SiteId::FIRST, view.hostname.clone(), kind, view.created);
    for field in setting::fields() {
        if let Some(text) = view.settings.get(field.key) {
            // A value that this version does not know is shown as the default, and only what is typed is sent.
            let _ = field.write(&mut site, text);
        }
    }
    site
}

fn holds_names(field: &Field) -> bool {
    matches!(field.key, "aliases" | "redirected_names")
}

/// The value as the form shows it: names as people write them, without the one that has a choice of its own.
fn value(field: &Field, site: &Site) -> String {
    let text = field.read(site);
    if !holds_names(field) {
        return text;
    }
    let www = format!("www.{}", site.hostname);
    let names: Vec<String> = text
        .lines()
        .filter(|name| *name != www)
        .map(|name| SiteName::parse(name).map_or_else(|_| name.to_owned(), |name| name.unicode()))
        .collect();
    names.join("\n")
}

/// What was typed, where the form had this field and it is not as it was when the form was made.
fn typed(field: &Field, posted: bool, fields: &Fields) -> Option<String> {
    let text = match field.control {
        Control::Switch(_) if posted => if fields.has(field.key) { "on" } else { "off" }.to_owned(),
        _ if field.key == "type" => KindForm::read(fields).text(),
        _ => clean(fields.text(field.key)),
    };
    if !posted {
        return fields.holds(field.key).then_some(text);
    }
    let mut marks = fields.text("was").split(' ');
    let was = marks.find_map(|one| one.strip_prefix(field.key)?.strip_prefix('='))?;
    (mark(&text) != was).then_some(text)
}

/// Line ends as the browser sends them become ours; nothing else is changed.
fn clean(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

fn mark(text: &str) -> String {
    hex(Sha256::digest(text).get(..4).unwrap_or_default())
}

/// Where on the page a field is put right: of a type that is mostly what it needs.
fn place(field: &'static Field, text: &str) -> &'static str {
    match (field.key, text.split(' ').next()) {
        ("type", Some("proxy")) => "address",
        ("type", Some("redirect")) => "target",
        (key, _) => key,
    }
}

/// `16 to 4096 MB. Default: 256 MB.`
fn hint(field: &Field, default: &Site) -> String {
    let standard = said(field, &field.read(default));
    match field.control {
        Control::Number {
            least, most, unit, ..
        } => {
            let range = format!("{least} to {most} {unit}");
            format!("{}. Default: {standard}.", range.trim_end())
        }
        Control::Switch(_) => format!("Default: {standard}."),
        Control::Choice { .. } if field.key != "www" => format!("Default: {standard}."),
        _ => String::new(),
    }
}

/// A value in a sentence.
fn said(field: &Field, text: &str) -> String {
    match field.control {
        Control::Number { unit, .. } => format!("{text} {unit}").trim_end().to_owned(),
        Control::Lines { .. } | Control::Line { .. } if text.is_empty() => "empty".to_owned(),
        Control::Lines { .. } => text.replace('\n', ", "),
        _ => text.to_owned(),
    }
}
