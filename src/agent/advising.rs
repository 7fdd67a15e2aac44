//! Has the courier ask an authority when it would have a certificate renewed, and remembers what came of it.
//!
//! Invariant: what an order has decided meanwhile is never overwritten; whatever goes wrong here, the usual time to renew stays.

use crate::acme::Jitter;
use crate::agent::authorities::Authorities;
use crate::agent::holder::Holder;
use crate::agent::ordering;
use crate::domain::certificate::{Certificate, Source, leaf_of};
use crate::domain::fault::Fault;
use crate::domain::issuance::Issuance;
use crate::domain::renewal_info::{Advice, RenewalId, pause};
use crate::domain::time::Timestamp;
use crate::domain::tls;
use crate::host::Host;
use crate::ops::engine::Engine;
use crate::ops::pairs;
use crate::rpc::courier::{Errand, RenewalAnswer, RenewalQuestion, Report};
use crate::system::config::Acme;
use crate::system::{courier, panel_certificate};

/// Where it did not work out.
const AGAIN_SECONDS: u64 = 3_600;

/// The certificate an authority may be asked about: one that it issued to the panel, not for trying.
pub(super) fn subject(holder: &Holder) -> Option<&Certificate> {
    let certificate = holder.shown().certificate?;
    matches!(certificate.source, Source::Acme { test: false, .. }).then_some(certificate)
}

/// When to ask next; none where nobody is to be asked.
pub(super) fn due(
    holder: &Holder,
    issuance: Option<&Issuance>,
    now: Timestamp,
) -> Option<Timestamp> {
    let certificate = subject(holder)?;
    let issuance = issuance?;
    // While orders fail, they have their own times.
    if issuance.failures > 0 {
        return None;
    }
    let advice = issuance.advice.as_ref();
    let known = advice.filter(|one| one.certificate == certificate.fingerprint);
    Some(known.map_or(now, |known| known.look_again))
}

/// Asks, and remembers.
pub(super) fn ask(engine: &Engine, settings: &Acme, holder: &Holder) -> Result<(), Fault> {
    let (host, store) = (engine.host(), engine.store());
    let Some(certificate) = subject(holder) else {
        return Ok(());
    };
    let Some(before) = store.issuance(holder.id())? else {
        return Ok(());
    };
    let mut jitter = Jitter::new(ordering::seed(host)?);
    let answer = answer(host, settings, holder, &before);
    let wait = match &answer {
        Ok(answer) => jitter.around(pause(answer.retry_after)),
        Err(_) => jitter.around(AGAIN_SECONDS),
    };
    let look_again = host.now().plus_seconds(wait);
    let advice = match &answer {
        Ok(answer) => {
            let (known, luck) = (before.advice.as_ref(), jitter.below(u64::MAX));
            Advice::heard(known, certificate, answer.window, look_again, luck)
        }
        Err(_) => put_off(&before, certificate, look_again),
    };
    let Some(mut now) = store.issuance(holder.id())? else {
        return Ok(());
    };
    // An order that began or ended meanwhile knows better.
    if now.next != before.next || now.failures > 0 {
        return answer.map(|_| ());
    }
    if let Some(chosen) = advice.chosen {
        now.next = Some(chosen);
    }
    now.advice = Some(advice);
    store.put_issuance(holder.id(), &now)?;
    answer.map(|_| ())
}

/// What was known stays, and is looked at again.
fn put_off(before: &Issuance, certificate: &Certificate, look_again: Timestamp) -> Advice {
    let known = before.advice.clone();
    let known = known.filter(|one| one.certificate == certificate.fingerprint);
    known.map_or_else(
        || Advice {
            certificate: certificate.fingerprint.clone(),
            window: None,
            chosen: None,
            look_again,
        },
        |known| Advice {
            look_again,
            ..known
        },
    )
}

/// Who issued it is asked, which may be the second authority.
fn answer(
    host: &dyn Host,
    settings: &Acme,
    holder: &Holder,
    issuance: &Issuance,
) -> Result<RenewalAnswer, Fault> {
    let silent = RenewalAnswer {
        window: None,
        retry_after: None,
    };
    let Some(id) = leaf(host, holder)?.as_deref().and_then(RenewalId::of) else {
        return Ok(silent);
    };
    let authorities = Authorities::read(host, settings, false)?;
    let authority = match subject(holder) {
        Some(certificate) => authorities.issuer(certificate, Some(issuance)).clone(),
        None => return Ok(silent),
    };
    let errand = Errand::Renewal(Box::new(RenewalQuestion {
        directory: authority.directory,
        roots: authority.roots,
        certificate: id,
    }));
    match courier::send(host, &errand)? {
        Report::Renewal(answer) => Ok(*answer),
        _ => Err(courier::beside_the_point()),
    }
}

fn leaf(host: &dyn Host, holder: &Holder) -> Result<Option<Vec<u8>>, Fault> {
    match holder {
        Holder::Site(site) => {
            let Some(certificate) = &site.tls.certificate else {
                return Ok(None);
            };
            let pair = tls::pair_name(site.id, &certificate.fingerprint);
            Ok(pairs::leaf(host, &tls::pairs().join(&pair))?)
        }
        Holder::Panel(_) => {
            let text = panel_certificate::issued(host)?;
            Ok(text.and_then(|text| leaf_of(&text)))
        }
    }
}
