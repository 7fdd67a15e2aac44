//! The process that talks to browsers: TLS, HTTP, pages. It has no rights, no database and no secret but the panel's TLS key.
//!
//! Invariant: everything it knows or does goes through the agent with the token of a live session; it decides nothing itself.

mod agent;
mod api;
mod assets;
mod authority;
mod clock;
mod connection;
mod cookie;
mod facts;
mod form;
mod forwarded;
mod handshake;
mod headers;
mod keepsake;
mod kind_form;
mod local_path;
mod origin;
mod pack;
mod page;
mod panel;
mod patience;
mod plan;
pub mod process;
mod refusal;
mod routes;
mod serve;
mod setting_form;
mod stream;
mod timed;
mod tls;
mod upload;
mod views;
mod visit;
mod wordpress_form;
mod words;

pub use agent::{Agent, AgentCall, SocketAgent};
pub use panel::router;
pub use routes::{Access, ROUTES, Route};
pub use serve::{ServeError, User, WebConfig, give_up_rights, serve};
pub use tls::PairError;
