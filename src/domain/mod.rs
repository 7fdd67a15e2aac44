//! Values that cannot be wrong, and the faults that say why a value was refused.
//!
//! Invariant: nothing here imports another floor or does I/O; a text from outside becomes one of these types or is refused.

pub mod account;
pub mod archive;
pub mod authority;
pub mod certificate;
pub mod change;
mod change_word;
mod common_passwords;
pub mod database;
pub mod database_access;
pub mod database_inside;
pub mod database_job;
pub mod dns;
pub mod dns_way;
pub mod dump_format;
pub mod facts;
pub mod fault;
pub mod id;
pub mod issuance;
pub mod log;
pub mod name;
pub mod network;
pub mod new_password;
pub mod nginx_text;
pub mod notice;
pub mod notify;
pub mod notify_setting;
pub mod order;
pub mod panel_setting;
pub mod path;
pub mod php;
pub mod php_extension;
pub mod proxy_target;
pub mod renewal_info;
pub mod sample;
pub mod secret;
pub mod service;
pub mod setting;
pub mod shared;
pub mod site;
pub mod site_kind;
pub mod site_login;
pub mod site_name;
pub mod text;
pub mod time;
pub mod tls;
pub mod token;
pub mod trash;
pub mod tree_size;
pub mod uptime;
pub mod visitor;
pub mod web_target;
pub mod wordpress;

/// Gives a text type its one door in (`parse`), its one way out (`as_str`), and the same door for serde.
macro_rules! parsed_text {
    ($name:ident, $error:ty) => {
        impl $name {
            /// The checked text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }
        impl std::str::FromStr for $name {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}
pub(crate) use parsed_text;
