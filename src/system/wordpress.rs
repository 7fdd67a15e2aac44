//! WordPress's own installer, asked as a browser would ask it, and what its tables say afterwards.
//!
//! Invariant: the installer runs as the site, before nginx shows the site to anybody; it sees a password that is replaced at once.

use crate::domain::database::{DatabaseName, Identifier};
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::secret::Password;
use crate::domain::wordpress::{AdminName, NewWordpress};
use crate::host::{Host, HostResult};
use crate::system::fastcgi;

/// The request that fills in the installer's form.
#[must_use]
pub fn install_request(
    hostname: &Hostname,
    document_root: &HostPath,
    new: &NewWordpress,
    password: &Password,
) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("weblog_title", new.title.as_str()),
        ("user_name", new.admin.as_str()),
        ("admin_password", password.reveal()),
        ("admin_password2", password.reveal()),
        ("pw_weak", "1"),
        ("admin_email", new.email.as_str()),
        ("blog_public", "1"),
        ("language", ""),
        ("Submit", "Install WordPress"),
    ] {
        form.append_pair(name, value);
    }
    let script = "/wp-admin/install.php";
    fastcgi::form_request(hostname, document_root, script, "step=2", &form.finish())
}

/// The administrators' names; an error where there are no tables of WordPress.
pub fn users(host: &dyn Host, database: &DatabaseName) -> HostResult<Vec<String>> {
    let rows = host.sql(&format!(
        "SELECT user_login FROM {}.wp_users",
        Identifier(database)
    ))?;
    Ok(rows.into_iter().flatten().collect())
}

/// Gives the administrator the password whose hash was asked for.
pub fn set_admin_hash(
    host: &dyn Host,
    database: &DatabaseName,
    admin: &AdminName,
    new: &NewWordpress,
) -> HostResult<()> {
    let (database, hash) = (Identifier(database), &new.hash);
    let statement =
        format!("UPDATE {database}.wp_users SET user_pass = '{hash}' WHERE user_login = '{admin}'");
    host.sql(&statement).map(drop)
}

/// Addresses that people can read, as the installer sets them where it can reach its own site, which is not open yet.
pub fn set_permalinks(host: &dyn Host, database: &DatabaseName) -> HostResult<()> {
    let database = Identifier(database);
    host.sql(&format!(
        "UPDATE {database}.wp_options SET option_value = '/%year%/%monthnum%/%day%/%postname%/' WHERE option_name = 'permalink_structure'"
    ))?;
    host.sql(&format!(
        "DELETE FROM {database}.wp_options WHERE option_name = 'rewrite_rules'"
    ))
    .map(drop)
}
