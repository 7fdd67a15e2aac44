//! How a site's home page answers before and after a change, as a visitor would see it through nginx.
//!
//! Invariant: only what got worse stops a change; a home page that was broken before may stay so.

use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::host::Host;
use crate::ops::context::Context;
use crate::system::nginx;

/// So often a worse answer is asked for again: the first one of a PHP-FPM that has just started may be its own.
const TRIES: u32 = 3;

/// An answer, looked at roughly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// None where the connection was closed without a word.
    pub status: Option<u16>,
    /// Whether nothing followed the headers.
    pub is_empty: bool,
    /// How long it took.
    pub millis: u64,
}

impl Home {
    /// Worse is: an error of the server's own where there was none, nothing where there was something.
    #[must_use]
    pub fn is_worse_than(&self, before: &Self) -> bool {
        let is_error = |home: &Self| home.status.is_none_or(|status| status >= 500);
        let says_nothing = |home: &Self| home.is_empty && home.status == Some(200);
        is_error(self) && !is_error(before) || says_nothing(self) && !says_nothing(before)
    }

    /// `200 in 180 ms`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.status {
            Some(200) if self.is_empty => format!("200 without any text in {} ms", self.millis),
            Some(status) => format!("{status} in {} ms", self.millis),
            None => "no answer".to_owned(),
        }
    }

    /// `answered 500`, as the end of a sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        match self.status {
            Some(200) if self.is_empty => "was empty".to_owned(),
            Some(status) => format!("answered {status}"),
            None => "did not answer".to_owned(),
        }
    }
}

/// Looks, and keeps it for [`compare`].
pub(super) fn look(hostname: &Hostname, context: &Context<'_>) -> Result<(), Fault> {
    let home = ask(context.host, hostname)?;
    context.say(home.words());
    context.remember(hostname, home);
    Ok(())
}

/// Looks again. Where nothing was kept (an operation taken up again), there is nothing to compare with.
pub(super) fn compare(hostname: &Hostname, context: &Context<'_>) -> Result<(), Fault> {
    let host = context.host;
    let Some(before) = context.remembered(hostname) else {
        return Ok(());
    };
    let mut now = ask(host, hostname)?;
    for _ in 1..TRIES {
        if !now.is_worse_than(&before) {
            break;
        }
        host.pause(200);
        now = ask(host, hostname)?;
    }
    if now.is_worse_than(&before) {
        return Err(Fault::new(
            Code::SiteUnhealthy,
            format!(
                "After the change the home page of {hostname} {}, before it {}; it is as before again",
                now.verdict(),
                before.words()
            ),
            format!("see `/var/log/lalapanel/{hostname}/error.log`, then try again"),
        ));
    }
    context.say(format!("{} (before: {})", now.words(), before.words()));
    Ok(())
}

fn ask(host: &dyn Host, hostname: &Hostname) -> Result<Home, Fault> {
    let began = host.now();
    let page = nginx::first_page(host, hostname)?;
    Ok(Home {
        status: page.as_ref().map(|page| page.status),
        is_empty: page.is_none_or(|page| page.is_empty),
        millis: host.now().millis_since(began),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(status: u16, is_empty: bool) -> Home {
        Home {
            status: Some(status),
            is_empty,
            millis: 180,
        }
    }

    #[test]
    fn worse_is_a_new_error_or_a_new_silence() {
        let good = home(200, false);
        assert!(home(500, false).is_worse_than(&good));
        assert!(home(200, true).is_worse_than(&good));
        let silent = Home {
            status: None,
            ..home(200, true)
        };
        assert!(silent.is_worse_than(&good));
        for fine in [home(200, false), home(301, true), home(404, false)] {
            assert!(!fine.is_worse_than(&good), "{fine:?}");
        }
        assert!(!home(500, false).is_worse_than(&home(503, false)));
        assert!(!home(200, true).is_worse_than(&home(200, true)));
        assert_eq!(good.words(), "200 in 180 ms");
    }
}
