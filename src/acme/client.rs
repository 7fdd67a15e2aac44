//! The protocol crate, alone in this file, so that it can be replaced in a day.
//!
//! Invariant: no other file names the crate, and what comes out of this one are our own types.
//!
//! What is done for the crate (acme2-eab 0.5.7): account keys are RSA, since it cannot sign with others; requests come ready made;
//! the HTTP client is ours, since its own has no name and no time limit; challenges are taken before proofs are looked at again.

use std::sync::Arc;

use acme2::openssl::pkey::{PKey, Private};
use acme2::openssl::x509::X509Req;
use acme2::{
    Account, AccountBuilder, Authorization, AuthorizationStatus, Challenge, ChallengeStatus, Csr,
    DirectoryBuilder, Error, OrderBuilder, OrderStatus, ServerError,
};

use crate::acme::answer;
use crate::acme::order::{OrderState, Proof, ProofState, Protocol};
use crate::acme::transport::{self, http};
use crate::domain::authority::{Authority, KeyText};
use crate::domain::dns::ProofText;
use crate::domain::name::Hostname;
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::site_name::SiteName;

/// A chain is never longer, in certificates and in bytes.
const MOST_CERTIFICATES: usize = 6;
const MOST_BYTES: usize = 64 * 1024;

/// The protocol with one authority, for one account.
pub struct Client {
    http: reqwest::Client,
    authority: Authority,
    key: PKey<Private>,
}

impl Client {
    /// Ready to ask; nothing is sent yet.
    pub fn new(authority: &Authority, account: &KeyText) -> Result<Self, Problem> {
        let key = PKey::private_key_from_pem(account.reveal().as_bytes()).map_err(|_| {
            Problem::new(
                ProblemKind::Account,
                "the key of our account cannot be read",
            )
        })?;
        Ok(Self {
            http: http(authority)?,
            authority: authority.clone(),
            key,
        })
    }
}

impl Protocol for Client {
    type Account = Arc<Account>;
    type Order = acme2::Order;
    type Challenge = Challenge;

    async fn account(&self) -> Result<Self::Account, Problem> {
        let url = self.authority.directory.as_str().to_owned();
        let directory = DirectoryBuilder::new(url)
            .http_client(self.http.clone())
            .build()
            .await
            .map_err(|error| problem(&error))?;
        let wants_binding = directory
            .meta
            .as_ref()
            .and_then(|meta| meta.external_account_required)
            .unwrap_or(false);
        let mut builder = AccountBuilder::new(directory);
        builder
            .private_key(self.key.clone())
            .terms_of_service_agreed(true)
            .contact(
                self.authority
                    .email
                    .iter()
                    .map(|email| format!("mailto:{email}"))
                    .collect(),
            );
        match &self.authority.binding {
            Some(binding) => {
                let key = mac_key(binding.key.reveal())?;
                builder.external_account_binding(binding.kid.clone(), key);
            }
            None if wants_binding => {
                let words = "the authority wants an external account";
                return Err(Problem::new(ProblemKind::BindingMissing, words));
            }
            None => {}
        }
        let account = builder.build().await;
        account.map_err(|error| at_the_account(problem(&error), self.authority.binding.is_some()))
    }

    async fn place(
        &self,
        account: &Self::Account,
        names: &[SiteName],
    ) -> Result<Self::Order, Problem> {
        let mut builder = OrderBuilder::new(Arc::clone(account));
        for name in names {
            builder.add_dns_identifier(name.to_string());
        }
        builder.build().await.map_err(|error| problem(&error))
    }

    async fn proofs(&self, order: &Self::Order) -> Result<Vec<Proof<Challenge>>, Problem> {
        let found = order.authorizations().await;
        let found = found.map_err(|error| problem(&error))?;
        found.iter().map(proof).collect()
    }

    fn answer(&self, challenge: &Challenge) -> Result<(String, String), Problem> {
        let answer = challenge.key_authorization();
        let answer = answer.map_err(|error| problem(&error))?;
        challenge.token.clone().zip(answer).ok_or_else(|| {
            Problem::new(
                ProblemKind::Garbled,
                "the challenge over port 80 has no token",
            )
        })
    }

    fn record(&self, challenge: &Challenge) -> Result<ProofText, Problem> {
        let text = challenge.key_authorization_encoded();
        let text = text.map_err(|error| problem(&error))?.unwrap_or_default();
        ProofText::parse(&text)
            .map_err(|bad| Problem::new(ProblemKind::Garbled, &format!("{bad}: `{text}`")))
    }

    async fn look(&self, challenge: &Challenge) -> Result<(), Problem> {
        let told = challenge.validate().await;
        told.map(|_| ()).map_err(|error| problem(&error))
    }

    async fn state(&self, order: &Self::Order) -> Result<(Self::Order, OrderState), Problem> {
        let order = order.poll().await.map_err(|error| problem(&error))?;
        let state = match order.status {
            OrderStatus::Pending => OrderState::Open,
            OrderStatus::Ready => OrderState::Ready,
            OrderStatus::Processing => OrderState::Working,
            OrderStatus::Valid => OrderState::Done,
            OrderStatus::Invalid => OrderState::Failed(order.error.as_ref().map_or_else(
                || Problem::new(ProblemKind::Refused, "the order is not valid any more"),
                refusal,
            )),
        };
        Ok((order, state))
    }

    async fn finalize(&self, order: &Self::Order, request: &str) -> Result<(), Problem> {
        let request = X509Req::from_pem(request.as_bytes())
            .map_err(|_| Problem::new(ProblemKind::Request, "the request cannot be read"))?;
        let sent = order.finalize(Csr::Custom(request)).await;
        sent.map(|_| ()).map_err(|error| problem(&error))
    }

    async fn chain(&self, order: &Self::Order) -> Result<String, Problem> {
        let garbled = |words: &str| Problem::new(ProblemKind::Garbled, words);
        let found = order.certificate().await.map_err(|error| problem(&error))?;
        let found = found.ok_or_else(|| garbled("the order is done and has no certificate"))?;
        if found.is_empty() || found.len() > MOST_CERTIFICATES {
            return Err(garbled("the number of certificates is not one to six"));
        }
        let mut text = String::new();
        for certificate in found {
            let pem = certificate.to_pem();
            let pem = pem.map_err(|_| garbled("a certificate cannot be read"))?;
            text.push_str(&String::from_utf8_lossy(&pem));
        }
        if text.len() > MOST_BYTES {
            return Err(garbled("the chain is longer than 64 KiB"));
        }
        Ok(text)
    }
}

fn proof(authorization: &Authorization) -> Result<Proof<Challenge>, Problem> {
    let name = Hostname::parse(&authorization.identifier.value)
        .map_err(|_| Problem::new(ProblemKind::Garbled, "it asks for a name nobody ordered"))?;
    // The star is left out of the identifier (RFC 8555, §7.1.4).
    let name = match authorization.wildcard {
        Some(true) => SiteName::Wildcard(name),
        _ => SiteName::Exact(name),
    };
    let state = match authorization.status {
        AuthorizationStatus::Valid => ProofState::Given,
        AuthorizationStatus::Pending => ProofState::Open,
        _ => ProofState::Failed(failure(&authorization.challenges)),
    };
    Ok(Proof {
        name,
        state,
        port80: authorization.get_challenge("http-01"),
        dns: authorization.get_challenge("dns-01"),
    })
}

fn failure(challenges: &[Challenge]) -> Problem {
    let failed = challenges
        .iter()
        .filter(|challenge| challenge.status == ChallengeStatus::Invalid)
        .find_map(|challenge| challenge.error.as_ref());
    failed.map_or_else(
        || Problem::new(ProblemKind::Refused, "the proof is not valid any more"),
        |error| {
            let (type_, detail) = words(error);
            Problem::new(answer::kind_of_proof(type_, detail), detail)
        },
    )
}

fn words(error: &ServerError) -> (&str, &str) {
    let type_ = error.r#type.as_deref().unwrap_or_default();
    let detail = error.detail.as_deref().or(error.title.as_deref());
    (type_, detail.unwrap_or("it gave no reason"))
}

fn refusal(error: &ServerError) -> Problem {
    let (type_, detail) = words(error);
    Problem::new(answer::kind(type_, error.status, detail), detail)
}

/// Refused while an external account was shown: the account is what was refused, whatever the authority calls it.
fn at_the_account(problem: Problem, is_bound: bool) -> Problem {
    let kind = match problem.kind {
        ProblemKind::Refused if is_bound => ProblemKind::BindingRefused,
        ProblemKind::Refused => ProblemKind::Account,
        kind => kind,
    };
    Problem { kind, ..problem }
}

fn problem(error: &Error) -> Problem {
    match error {
        Error::Server(error) => refusal(error),
        Error::Transport(cause) => transport::problem(cause.as_ref()),
        Error::MaxAttemptsExceeded => Problem::new(ProblemKind::Late, "it took too long"),
        Error::Validation(_) | Error::Other(_) => {
            Problem::new(ProblemKind::Garbled, &error.to_string())
        }
    }
}

/// The key of an external account, as authorities print it: base64url, sometimes with its padding.
fn mac_key(text: &str) -> Result<PKey<Private>, Problem> {
    let unreadable = || {
        Problem::new(
            ProblemKind::BindingRefused,
            "`acme.eab_hmac_key` is not base64url",
        )
    };
    let plain = text.trim().trim_end_matches('=');
    let mut standard: String = plain.replace('-', "+").replace('_', "/");
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    let bytes = acme2::openssl::base64::decode_block(&standard).map_err(|_| unreadable())?;
    if bytes.is_empty() {
        return Err(unreadable());
    }
    PKey::hmac(&bytes).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authority::DirectoryUrl;

    fn authority(roots: Option<&str>) -> Authority {
        Authority {
            directory: DirectoryUrl::parse("https://127.0.0.1:1/dir").unwrap(),
            email: None,
            roots: roots.map(str::to_owned),
            binding: None,
        }
    }

    fn account() -> KeyText {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        KeyText::new(key.unwrap().serialize_pem())
    }

    #[tokio::test]
    async fn an_authority_nobody_reaches_is_told_as_such() {
        let client = Client::new(&authority(None), &account()).unwrap();
        let problem = client.account().await.err().unwrap();
        assert_eq!(problem.kind, ProblemKind::Unreachable, "{}", problem.detail);
    }

    #[test]
    fn a_root_file_without_a_certificate_is_told_as_such() {
        let problem = Client::new(&authority(Some("nothing")), &account())
            .err()
            .unwrap();
        assert_eq!(problem.kind, ProblemKind::Untrusted);
        assert!(problem.detail.contains("acme.ca_file"));
    }

    #[test]
    fn the_key_of_an_external_account_may_be_padded() {
        assert!(
            mac_key("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W").is_ok()
        );
        assert!(mac_key("c2VjcmV0IQ==").is_ok());
        assert_eq!(
            mac_key("not base64!").unwrap_err().kind,
            ProblemKind::BindingRefused
        );
    }
}
