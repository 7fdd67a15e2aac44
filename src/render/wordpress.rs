//! The `wp-config.php` a new WordPress begins with. Pure: the same names and secrets, the same bytes.
//!
//! Invariant: everything in it is a parsed name or a secret of letters and digits, so nothing can close a quote.

use std::fmt::Write as _;

use crate::domain::database::DatabaseName;
use crate::domain::name::Hostname;
use crate::domain::secret::{Password, Token};

const SALTS: [&str; 8] = [
    "AUTH_KEY",
    "SECURE_AUTH_KEY",
    "LOGGED_IN_KEY",
    "NONCE_KEY",
    "AUTH_SALT",
    "SECURE_AUTH_SALT",
    "LOGGED_IN_SALT",
    "NONCE_SALT",
];

/// The file. The address follows how a visitor came, so a certificate or another name of the site breaks nothing later.
#[must_use]
pub fn config(
    hostname: &Hostname,
    database: &DatabaseName,
    password: &Password,
    seed: &Token,
) -> String {
    let mut text = format!(
        "<?php\n\
         // Written once, when this site was made. It is yours: nothing writes over it.\n\
         define( 'DB_NAME', '{database}' );\n\
         define( 'DB_USER', '{database}' );\n\
         define( 'DB_PASSWORD', '{password}' );\n\
         define( 'DB_HOST', 'localhost' );\n\
         define( 'DB_CHARSET', 'utf8mb4' );\n\
         define( 'DB_COLLATE', '' );\n\n",
        password = password.reveal(),
    );
    for name in SALTS {
        let salt = seed.derived(name);
        let _ = writeln!(text, "define( '{name}', '{}' );", salt.reveal());
    }
    let _ = write!(
        text,
        "\n\
         $table_prefix = 'wp_';\n\
         define( 'WP_DEBUG', false );\n\n\
         // The address follows the visitor: HTTPS, and which of the site's own names; nginx lets no other name through.\n\
         $scheme = ( $_SERVER['HTTPS'] ?? '' ) === 'on' ? 'https' : 'http';\n\
         define( 'WP_HOME', $scheme . '://' . ( $_SERVER['SERVER_NAME'] ?? '{hostname}' ) );\n\
         define( 'WP_SITEURL', WP_HOME );\n\n\
         if ( ! defined( 'ABSPATH' ) ) {{\n\
         \tdefine( 'ABSPATH', __DIR__ . '/' );\n\
         }}\n\
         require_once ABSPATH . 'wp-settings.php';\n"
    );
    text
}
