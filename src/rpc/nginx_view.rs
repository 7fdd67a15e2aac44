//! What people are shown of nginx: the file of a site, what somebody changed in it, and the sites of others.
//!
//! Invariant: no hash of a password is in a view; a file that holds some is named and not shown.

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::path::HostPath;

/// An owned file that somebody changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftView {
    /// Which.
    pub path: HostPath,
    /// From Lala's text to what is there; empty where it holds secrets.
    pub diff: String,
    /// True where its owner chose to leave it exactly so.
    pub left: bool,
}

/// What nginx reads of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NginxView {
    /// Whose.
    pub hostname: Hostname,
    /// Where the site's file is.
    pub path: HostPath,
    /// The file as Lala writes it.
    pub text: String,
    /// The owner's own directives.
    pub snippet: String,
}

/// A server of nginx that is not Lala's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignView {
    /// The file it stands in.
    pub file: HostPath,
    /// The names it answers to, as written.
    pub names: Vec<String>,
    /// Where it listens, as written.
    pub listens: Vec<String>,
}
