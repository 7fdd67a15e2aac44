//! Signing in, one-time links, and the accounts themselves.
//!
//! Invariant: a wrong name, a wrong password and an impossible name are answered with the same words after the same work.

use std::net::IpAddr;
use std::sync::Arc;

use crate::agent::device;
use crate::agent::panel::{self, Panel, Reach};
use crate::agent::password::{Hasher, Strength, Verdict};
use crate::agent::policy;
use crate::agent::session::{Live, Sessions};
use crate::domain::account::{AccountName, Role};
use crate::domain::fault::{Code, Fault};
use crate::domain::new_password::check_new_password;
use crate::domain::secret::{Password, Token, WeakPassword};
use crate::domain::time::Timestamp;
use crate::host::Host;
use crate::rpc::protocol::{Answer, Reply};
use crate::rpc::view::AccountView;
use crate::store::Store;
use crate::store::account::{AccountRecord, NewAccount};
use crate::store::setup::LinkRecord;

/// A one-time link works for an hour.
const LINK_SECONDS: u64 = 60 * 60;

/// The accounts and their ways in.
pub struct Accounts {
    store: Store,
    host: Arc<dyn Host>,
    panel: Reach,
    hasher: Hasher,
    sessions: Arc<Sessions>,
}

impl Accounts {
    /// Over the state, with hashes of this strength.
    #[must_use]
    pub fn new(
        store: Store,
        host: Arc<dyn Host>,
        panel: Reach,
        strength: Strength,
        sessions: Arc<Sessions>,
    ) -> Self {
        Self {
            store,
            host,
            panel,
            hasher: Hasher::new(strength),
            sessions,
        }
    }

    /// Signs in; a session the browser had before ends.
    pub fn login(
        &self,
        name: &str,
        password: &Password,
        from: Option<IpAddr>,
        before: Option<&Token>,
        known: Option<&Token>,
    ) -> Answer {
        let account = self.known(name)?;
        let kept = account.as_ref().map(|account| account.password.as_str());
        let verdict = self.hasher.verify(password, kept)?;
        let mut account = account
            .filter(|account| verdict != Verdict::Wrong && !account.disabled)
            .ok_or_else(refused)?;
        if verdict == Verdict::RightButWeak {
            let stronger = self.hasher.hash(password, &self.random()?)?;
            self.store
                .rehash_password(account.id, &account.password, stronger.clone())?;
            account.password = stronger;
        }
        if let Some(before) = before {
            self.sessions.end(&before.hash())?;
        }
        let session = Token::from_random(self.random()?);
        let view = self
            .sessions
            .begin(&account, &session, from, self.host.now())?;
        let device = self.device(&account, known)?;
        Ok(Reply::SignedIn {
            session,
            view,
            device,
        })
    }

    /// The account a sign-in asks for, if its name can be one, and whether this browser has signed in to it before.
    pub fn recognise(
        &self,
        name: &str,
        device: Option<&Token>,
    ) -> Result<(Option<AccountName>, bool), Fault> {
        let account = self.known(name)?;
        let is_known = match (&account, device) {
            (Some(account), Some(device)) => device::is_known(&account.password, device),
            _ => false,
        };
        Ok((AccountName::parse(name).ok(), is_known))
    }

    /// The token a browser keeps after signing in: the one it brought, or a new one.
    fn device(
        &self,
        account: &AccountRecord,
        known: Option<&Token>,
    ) -> Result<Option<Token>, Fault> {
        match known {
            Some(known) if device::is_known(&account.password, known) => Ok(Some(known.clone())),
            _ => Ok(device::mint(&account.password, self.random()?)),
        }
    }

    /// Is this link good?
    pub fn check_link(&self, link: &Token) -> Answer {
        if self.store.is_link_valid(&link.hash(), self.host.now())? {
            Ok(Reply::Done {})
        } else {
            Err(crate::store::StoreError::LinkInvalid.into())
        }
    }

    /// Uses a link.
    pub fn complete_setup(
        &self,
        link: &Token,
        name: &AccountName,
        password: &Password,
        from: Option<IpAddr>,
    ) -> Answer {
        self.check_link(link)?;
        let new = self.new_account(name, password)?;
        let session = Token::from_random(self.random()?);
        let account = self
            .store
            .use_link(&link.hash(), &new, &session.hash(), from)?;
        self.sessions.tell();
        let view = self.sessions.fresh_view(&account, new.created);
        let device = self.device(&account, None)?;
        Ok(Reply::SignedIn {
            session,
            view,
            device,
        })
    }

    /// Makes a new one-time link.
    pub fn make_link(&self) -> Answer {
        let fingerprint = panel::fingerprint(self.host.as_ref())?;
        let link = Token::from_random(self.random()?);
        let created = self.host.now();
        let expires = created.plus_seconds(LINK_SECONDS);
        self.store
            .put_link(&link.hash(), &LinkRecord { created, expires })?;
        Ok(Reply::Link {
            url: self.panel().start_url(&link),
            expires,
            fingerprint,
        })
    }

    /// How the panel is reached.
    #[must_use]
    pub fn panel(&self) -> Panel {
        (self.panel)()
    }

    /// All accounts.
    pub fn list(&self) -> Answer {
        let accounts = self.store.accounts()?;
        Ok(Reply::Accounts(
            accounts
                .into_iter()
                .map(|account| AccountView {
                    name: account.name,
                    role: account.role,
                    created: account.created,
                    last_login: account.last_login,
                    disabled: account.disabled,
                })
                .collect(),
        ))
    }

    /// Makes an account.
    pub fn create(&self, name: &AccountName, password: &Password) -> Answer {
        if self.store.account_named(name)?.is_some() {
            return Err(crate::store::StoreError::AccountTaken { name: name.clone() }.into());
        }
        self.store
            .create_account(&self.new_account(name, password)?)?;
        Ok(Reply::Done {})
    }

    /// Gives an account a new password and ends its sessions. `by` is who asks: nobody means root on this server.
    pub fn set_password(
        &self,
        by: Option<&Live>,
        name: &AccountName,
        password: &Password,
        current: Option<&Password>,
    ) -> Answer {
        let account = self.named(name)?;
        if let Some(live) = by {
            self.check_current(live, &account, current)?;
        }
        let hash = self.new_hash(name, password)?;
        let device = device::mint(&hash, self.random()?);
        self.store.set_password(account.id, hash)?;
        self.sessions.tell();
        Ok(match by {
            Some(_) => Reply::StaysKnown { device },
            None => Reply::Done {},
        })
    }

    /// Compares the password of whoever is signed in, and counts it as typed now.
    pub fn confirm(&self, by: Option<&Live>, password: &Password) -> Answer {
        let live = by.ok_or_else(policy::unauthenticated)?;
        match self.hasher.verify(password, Some(&live.account.password))? {
            Verdict::Wrong => Err(wrong_password()),
            Verdict::Right | Verdict::RightButWeak => {
                self.sessions.confirm(&live.hash, self.now());
                Ok(Reply::Done {})
            }
        }
    }

    /// Keeps an account from signing in, or lets it sign in again.
    pub fn disable(&self, name: &AccountName, disabled: bool) -> Answer {
        self.store.disable_account(self.named(name)?.id, disabled)?;
        self.sessions.tell();
        Ok(Reply::Done {})
    }

    /// Deletes an account; the last one stays.
    pub fn delete(&self, name: &AccountName) -> Answer {
        self.store.remove_account(self.named(name)?.id)?;
        self.sessions.tell();
        Ok(Reply::Done {})
    }

    fn check_current(
        &self,
        live: &Live,
        account: &AccountRecord,
        current: Option<&Password>,
    ) -> Result<(), Fault> {
        if live.account.id != account.id {
            return Err(Fault::new(
                Code::Forbidden,
                "Only root on the server gives other accounts a new password",
                format!("run `lalapanel account password {}` there", account.name),
            ));
        }
        let current = current.ok_or_else(refused)?;
        match self.hasher.verify(current, Some(&account.password))? {
            Verdict::Wrong => Err(refused()),
            Verdict::Right | Verdict::RightButWeak => Ok(()),
        }
    }

    /// The account, or nobody for a name no account can have.
    fn known(&self, name: &str) -> Result<Option<AccountRecord>, Fault> {
        match AccountName::parse(name) {
            Ok(name) => Ok(self.store.account_named(&name)?),
            Err(_) => Ok(None),
        }
    }

    fn named(&self, name: &AccountName) -> Result<AccountRecord, Fault> {
        self.store.account_named(name)?.ok_or_else(|| {
            Fault::new(
                Code::AccountNotFound,
                format!("There is no account `{name}`"),
                "see `lalapanel account list` for the accounts there are",
            )
        })
    }

    fn new_account(&self, name: &AccountName, password: &Password) -> Result<NewAccount, Fault> {
        Ok(NewAccount {
            name: name.clone(),
            role: Role::Owner,
            password: self.new_hash(name, password)?,
            created: self.now(),
        })
    }

    fn new_hash(&self, name: &AccountName, password: &Password) -> Result<String, Fault> {
        check_new_password(password, &[name.as_str(), &self.panel().host]).map_err(weak)?;
        self.hasher.hash(password, &self.random()?)
    }

    fn now(&self) -> Timestamp {
        self.host.now()
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.host.random(&mut bytes).map_err(|_| {
            Fault::new(
                Code::HostFailed,
                "The system gave no random numbers",
                "see `dmesg`, then try again",
            )
        })?;
        Ok(bytes)
    }
}

fn refused() -> Fault {
    Fault::new(
        Code::LoginRefused,
        "The name or the password is not right",
        "try again; if the password is lost, run `lalapanel admin link` as root on the server",
    )
}

fn wrong_password() -> Fault {
    Fault::new(
        Code::LoginRefused,
        "The password is not right",
        "type the one you sign in with",
    )
}

fn weak(reason: WeakPassword) -> Fault {
    let hint = match reason {
        WeakPassword::Short => {
            "take 12 characters or more, for example four words that do not belong together"
        }
        WeakPassword::Common => {
            "take four words that do not belong together, or let a password manager make one"
        }
        WeakPassword::Long => "take at most 1024 bytes",
    };
    Fault::new(Code::PasswordWeak, reason.to_string(), hint)
}
