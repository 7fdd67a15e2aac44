//! After the panel runs: wait for it, and let the first person in.
//!
//! Invariant: the one-time link is asked of the agent and shown once; a password is read from its file and sent to the agent alone.

use std::path::Path;

use crate::domain::account::AccountName;
use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Password;
use crate::domain::time::Timestamp;
use crate::host::Host;
use crate::install::options::{self, InstallOptions};
use crate::rpc::blocking::BlockingClient;
use crate::rpc::client::SOCKET;
use crate::rpc::protocol::{Reply, Request};

/// The agent looks at nginx and at its journal before it answers.
const WAIT_MILLIS: u64 = 20_000;
const PASSWORD_LIMIT: usize = 4096;

/// How the first person gets in.
#[derive(Debug, Default)]
pub(super) struct Entrance {
    /// The one-time link, where there is no account yet.
    pub(super) link: Option<(String, Timestamp)>,
    /// The account that was made.
    pub(super) account: Option<AccountName>,
    /// What people should know.
    pub(super) note: Option<String>,
}

/// Waits until the agent answers.
pub(super) fn wait(host: &dyn Host) -> Result<BlockingClient, Fault> {
    let deadline = host.now().millis().saturating_add(WAIT_MILLIS);
    loop {
        let answer = BlockingClient::connect(Path::new(SOCKET))
            .and_then(|mut client| client.call(Request::Ping {}).map(|_| client));
        match answer {
            Ok(client) => return Ok(client),
            Err(fault) if host.now().millis() >= deadline => return Err(fault),
            Err(_) => host.pause(100),
        }
    }
}

/// Makes the account that was asked for, or a link to make one.
pub(super) fn open(
    host: &dyn Host,
    client: &mut BlockingClient,
    options: &InstallOptions,
) -> Result<Entrance, Fault> {
    let Reply::Accounts(existing) = client.call(Request::AccountList {})? else {
        return Err(unexpected());
    };
    match (&options.admin, &options.admin_password_file) {
        (Some(name), _) if existing.iter().any(|account| account.name == *name) => Ok(Entrance {
            note: Some(format!(
                "the account {name} exists already; its password was not changed (`lalapanel account password {name}`)"
            )),
            ..Entrance::default()
        }),
        (Some(name), Some(file)) => {
            let password = password(host, file)?;
            let name = name.clone();
            client.call(Request::AccountCreate {
                name: name.clone(),
                password,
            })?;
            Ok(Entrance {
                account: Some(name),
                ..Entrance::default()
            })
        }
        _ if existing.is_empty() => link(client),
        _ => Ok(Entrance::default()),
    }
}

fn link(client: &mut BlockingClient) -> Result<Entrance, Fault> {
    match client.call(Request::AdminLink {})? {
        Reply::Link { url, expires, .. } => Ok(Entrance {
            link: Some((url, expires)),
            ..Entrance::default()
        }),
        _ => Err(unexpected()),
    }
}

/// The first line of the file.
pub(super) fn password(host: &dyn Host, file: &Path) -> Result<Password, Fault> {
    let bytes = options::read(host, file, PASSWORD_LIMIT)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Fault::new(
            Code::AnswersInvalid,
            format!("`{}` does not hold a text", file.display()),
            "put the password into the file as one line of UTF-8",
        )
    })?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    Ok(Password::typed(line))
}

fn unexpected() -> Fault {
    Fault::new(
        Code::AgentUnreachable,
        "The agent's answer was not understood",
        "the agent is of another version: `systemctl restart lalapanel-agent lalapanel-web`",
    )
}
