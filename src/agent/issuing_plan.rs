//! What an order would do, in the words of a plan: who is asked, for which names, by which proof, and what is shown afterwards.
//!
//! Invariant: looking only; nobody is asked and nothing is written.

use sha2::{Digest, Sha256};

use crate::agent::authorities::{self, Authorities};
use crate::agent::holder::Holder;
use crate::domain::authority::Authority;
use crate::domain::dns::DnsName;
use crate::domain::fault::Fault;
use crate::domain::issuance::Issuance;
use crate::domain::secret::hex;
use crate::domain::site_name::SiteName;
use crate::host::Host;
use crate::ops::dns_ways;
use crate::rpc::view::{PlanStepView, PlanView};

/// An order that may be placed.
pub(super) struct Wanted {
    pub(super) holder: Holder,
    pub(super) authorities: Authorities,
    pub(super) issuance: Issuance,
    pub(super) test: bool,
}

impl Wanted {
    /// With its names proved by `dns` from now on, where that is said.
    pub(super) fn plan(mut self, host: &dyn Host, dns: Option<DnsName>) -> Result<PlanView, Fault> {
        let mut steps = Vec::new();
        if let (Holder::Site(site), Some(dns)) = (&mut self.holder, dns) {
            dns_ways::find(host, &dns)?;
            if site.tls.dns.as_ref() != Some(&dns) {
                let title = format!("Have the names of {} proved by `{dns}`", site.hostname);
                steps.push(step(title, "tls.dns"));
                site.tls.dns = Some(dns);
            }
        }
        let names: Vec<String> = self.holder.names().iter().map(SiteName::unicode).collect();
        let names = names.join(", ");
        let first = &self.authorities.first;
        let trial = authorities::trial(first).filter(|_| self.issuance.failures > 0 && !self.test);
        steps.extend(trial.map(|trial| {
            let title = format!(
                "Try it at {} first, since the last order failed",
                trial.directory.name()
            );
            step(title, trial.directory.as_str())
        }));
        steps.push(step(
            format!(
                "Order a certificate from {} for {names}",
                first.directory.name()
            ),
            first.directory.as_str(),
        ));
        steps.push(match self.holder.dns() {
            Some(dns) => step(
                format!("Prove the names by records in DNS, written by `{dns}` and removed again"),
                "_acme-challenge",
            ),
            None => step(
                "Prove the names over port 80".to_owned(),
                "/.well-known/acme-challenge/",
            ),
        });
        let hostname = self.holder.hostname();
        steps.push(match self.holder.refuses_tests().filter(|_| self.test) {
            Some(why) => step(
                format!("Keep the present certificate: {why}"),
                hostname.as_str(),
            ),
            None => step(
                format!("Install the certificate, and look whether {hostname} shows it"),
                hostname.as_str(),
            ),
        });
        let texts = serde_json::to_vec(&steps).unwrap_or_default();
        Ok(PlanView {
            title: format!("Get a certificate for {hostname}"),
            hash: hex(&Sha256::digest(texts)),
            notes: self.notes(),
            steps,
        })
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(Ok(Authority { directory, .. })) = self.authorities.second() {
            notes.push(format!(
                "Where that fails often enough, {} is asked.",
                directory.name()
            ));
        }
        if let (Holder::Site(site), None) = (&self.holder, self.holder.dns()) {
            let stars = site
                .names()
                .filter(|name| matches!(name, SiteName::Wildcard(_)));
            notes.extend(stars.map(|name| {
                format!(
                    "{name} stays out: a name with a star has to be proved in DNS (`--dns NAME`)."
                )
            }));
        }
        notes
    }
}

fn step(title: String, target: &str) -> PlanStepView {
    PlanStepView {
        title,
        target: target.to_owned(),
        command: None,
        diff: None,
    }
}
