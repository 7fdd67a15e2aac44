//! What a user was granted, read from MariaDB's own words, and the statements that make it what it should be.
//!
//! Invariant: a password's hash is cut off before anything is kept; names stay quoted as MariaDB quoted them, so no name reads as SQL.

use crate::domain::database::{Account, DatabaseName, DatabaseUser, GrantPattern};
use crate::domain::database_access::Terms;
use crate::host::{Host, HostResult};
use crate::system::database::user;

/// One grant: rights on an object; a role has no object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// In capitals; `USAGE` is left out.
    privileges: Vec<String>,
    /// `` `a\_b`.* ``, `*.*`, ``PROCEDURE `a`.`p` ``.
    object: Option<String>,
    /// Whether it may be passed on.
    passing: bool,
}

/// Everything a user was granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Without those that mean nothing.
    pub grants: Vec<Grant>,
    /// How many connections it may have; 0 for no limit of its own.
    pub connections: u32,
    /// Lines of other kinds, such as a default role.
    pub others: Vec<String>,
}

/// What a user was granted; none where there is no such user.
pub fn look(host: &dyn Host, of: &DatabaseUser) -> HostResult<Option<Access>> {
    if user(host, of)?.is_none() {
        return Ok(None);
    }
    let rows = host.sql(&format!("SHOW GRANTS FOR {}", Account(of)))?;
    let rows = rows.into_iter().filter_map(|row| row.into_iter().next());
    Ok(Some(read(rows)))
}

/// Reads the lines of `SHOW GRANTS`, or those that `lines` wrote.
pub fn read(rows: impl IntoIterator<Item = String>) -> Access {
    let mut access = Access::default();
    for row in rows {
        match parse(&row) {
            Some((grant, connections)) => {
                access.connections = access.connections.max(connections);
                let means = !grant.privileges.is_empty() || grant.passing;
                access.grants.extend(means.then_some(grant));
            }
            None => access.others.push(row),
        }
    }
    access
}

fn parse(row: &str) -> Option<(Grant, u32)> {
    let rest = row.strip_prefix("GRANT ")?;
    let (what, to) = cut(rest, " TO ")?;
    let (privileges, object) = match cut(what, " ON ") {
        Some((privileges, object)) => (privileges, Some(object.to_owned())),
        None => (what, None),
    };
    let tail = cut(to, " ").map_or("", |(_, tail)| tail);
    let after = |word: &str| Some(cut(tail, word)?.1.split(' ').next().unwrap_or_default());
    let connections = after("MAX_USER_CONNECTIONS ").and_then(|number| number.parse().ok());
    let privileges = list(privileges).into_iter().filter(|one| one != "USAGE");
    let grant = Grant {
        privileges: privileges.collect(),
        object,
        passing: tail.contains("WITH GRANT OPTION") || tail.contains("WITH ADMIN OPTION"),
    };
    Some((grant, connections.unwrap_or_default()))
}

/// At the first of these that stands outside of quotes and brackets.
fn cut<'t>(text: &'t str, at: &str) -> Option<(&'t str, &'t str)> {
    let (mut quote, mut depth) = (None, 0_u32);
    for (place, letter) in text.char_indices() {
        let is_here = quote.is_none() && depth == 0;
        if is_here && text.get(place..).is_some_and(|rest| rest.starts_with(at)) {
            return Some((text.get(..place)?, text.get(place + at.len()..)?));
        }
        match (quote, letter) {
            (None, '`' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn list(text: &str) -> Vec<String> {
    let mut rest = text;
    let mut found = Vec::new();
    while let Some((one, after)) = cut(rest, ", ") {
        found.push(one.to_owned());
        rest = after;
    }
    found.push(rest.to_owned());
    found
}

/// What a user of the panel should be granted: rights in its database, and nothing elsewhere.
#[must_use]
pub fn wanted(name: &DatabaseName, terms: &Terms) -> Access {
    let privileges = terms.rights.privileges().into_iter();
    Access {
        grants: vec![Grant {
            privileges: privileges.map(str::to_owned).collect(),
            object: Some(format!("{}.*", GrantPattern(name))),
            passing: false,
        }],
        connections: terms.connections.number(),
        others: Vec::new(),
    }
}

const ALL: &str = "ALL PRIVILEGES";

impl Grant {
    fn is_all(&self) -> bool {
        self.privileges.iter().any(|one| one == ALL)
    }

    /// True where both say the same, in whichever order.
    fn is(&self, other: &Self) -> bool {
        self.object == other.object
            && self.passing == other.passing
            && without(self, other).is_empty()
            && without(other, self).is_empty()
    }

    fn grant(&self, privileges: &[String], to: &str) -> String {
        let words = if privileges.is_empty() {
            "USAGE".to_owned()
        } else {
            privileges.join(", ")
        };
        match &self.object {
            Some(object) => {
                let passing = if self.passing {
                    " WITH GRANT OPTION"
                } else {
                    ""
                };
                format!("GRANT {words} ON {object} TO {to}{passing}")
            }
            None if self.passing => format!("GRANT {words} TO {to} WITH ADMIN OPTION"),
            None => format!("GRANT {words} TO {to}"),
        }
    }

    fn revoke(&self, privileges: &[String], from: &str) -> String {
        let words = privileges.join(", ");
        match &self.object {
            Some(object) => format!("REVOKE {words} ON {object} FROM {from}"),
            None => format!("REVOKE {words} FROM {from}"),
        }
    }
}

/// The rights of one that the other lacks.
fn without(one: &Grant, other: &Grant) -> Vec<String> {
    let lacks = |word: &&String| !other.privileges.contains(word);
    one.privileges.iter().filter(lacks).cloned().collect()
}

impl Access {
    /// As `SHOW GRANTS` would say it, without any password.
    #[must_use]
    pub fn lines(&self, of: &DatabaseUser) -> Vec<String> {
        let account = Account(of).to_string();
        let mut lines = Vec::new();
        if self.connections > 0 {
            lines.push(format!(
                "GRANT USAGE ON *.* TO {account} WITH MAX_USER_CONNECTIONS {}",
                self.connections
            ));
        }
        let grants = self.grants.iter();
        lines.extend(grants.map(|one| one.grant(&one.privileges, &account)));
        lines.extend(self.others.iter().cloned());
        lines
    }

    /// What this holds that the other does not: in words for people, without quotes around names.
    #[must_use]
    pub fn beside(&self, other: &Self, of: &DatabaseUser) -> Vec<String> {
        let account = Account(of).to_string();
        let own = self.grants.iter();
        let own = own.filter(|one| !other.grants.iter().any(|same| same.is(one)));
        let mut lines: Vec<String> = own
            .map(|one| one.grant(&one.privileges, &account))
            .collect();
        if self.connections != other.connections && self.connections > 0 {
            lines.push(format!("MAX_USER_CONNECTIONS {}", self.connections));
        }
        let others = self.others.iter();
        lines.extend(others.filter(|one| !other.others.contains(one)).cloned());
        let plain = |line: String| line.replace(['`', '\''], "");
        lines.into_iter().map(plain).collect()
    }

    /// The statements that make this the other one: first what is given, so that nothing is missing meanwhile, then what is taken.
    #[must_use]
    pub fn towards(&self, other: &Self, of: &DatabaseUser) -> Vec<String> {
        let account = Account(of).to_string();
        let (mut given, mut taken) = (Vec::new(), Vec::new());
        if self.others.iter().any(|one| !other.others.contains(one)) {
            taken.push(format!("SET DEFAULT ROLE NONE FOR {account}"));
        }
        for now in &self.grants {
            let same = |one: &&Grant| {
                one.object == now.object
                    && (one.object.is_some() || one.privileges == now.privileges)
            };
            let target = other.grants.iter().find(same);
            if target.is_some_and(|one| one.is(now)) {
                continue;
            }
            // A proxy's right to pass it on goes with it.
            let is_proxy = now.privileges.iter().any(|one| one == "PROXY");
            if now.passing
                && !is_proxy
                && now.object.is_some()
                && target.is_none_or(|one| !one.passing)
            {
                taken.push(now.revoke(&["GRANT OPTION".to_owned()], &account));
            }
            let more = target.map_or_else(|| now.privileges.clone(), |one| without(now, one));
            if !more.is_empty() && target.is_none_or(|one| !one.is_all()) {
                taken.push(now.revoke(&more, &account));
            }
        }
        for target in &other.grants {
            let same = |one: &&Grant| {
                one.object == target.object
                    && (one.object.is_some() || one.privileges == target.privileges)
            };
            let now = self.grants.iter().find(same);
            if now.is_some_and(|one| one.is(target)) {
                continue;
            }
            let missing = now.map_or_else(|| target.privileges.clone(), |one| without(target, one));
            let line = target.grant(&missing, &account);
            let is_wider = now.is_some_and(Grant::is_all);
            if is_wider {
                // Taking ALL takes what is to stay as well: it is given after that.
                taken.push(line);
            } else if !missing.is_empty() || target.passing {
                given.push(line);
            }
        }
        let others = other.others.iter();
        taken.extend(others.filter(|one| !self.others.contains(one)).cloned());
        if self.connections != other.connections {
            given.push(limit_statement(&account, other.connections));
        }
        given.append(&mut taken);
        given
    }
}

fn limit_statement(account: &str, connections: u32) -> String {
    format!("ALTER USER {account} WITH MAX_USER_CONNECTIONS {connections}")
}

/// Makes what a user may do what it should be, and looks whether that is what MariaDB understood. What a connection may do in its
/// database was settled when it began: where something was taken, its connections end.
pub fn bring(host: &dyn Host, of: &DatabaseUser, wanted: &Access) -> HostResult<()> {
    let Some(now) = look(host, of)? else {
        return Err(super::database::unlike(of));
    };
    let statements = now.towards(wanted, of);
    for statement in &statements {
        host.sql(statement)?;
    }
    if statements.iter().any(|one| one.starts_with("REVOKE ")) {
        host.sql(&format!("KILL USER {}", Account(of)))?;
    }
    let after = look(host, of)?.unwrap_or_default();
    if after.towards(wanted, of).is_empty() {
        Ok(())
    } else {
        Err(super::database::unlike(of))
    }
}

#[cfg(test)]
mod tests;
