//! Refusals that several plans share.
//!
//! Invariant: a refusal names the fix, and nothing has changed.

use crate::domain::facts::Facts;
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

/// A configuration that was broken before us would make every change of ours fail half-way.
pub fn broken_nginx(facts: &Facts) -> Result<(), Fault> {
    if let Some(line) = &facts.nginx_complaint {
        return Err(Fault::new(
            Code::NginxBroken,
            "nginx's configuration has an error that is not Lala's; nothing was changed",
            "mend the file named below, check with `nginx -t`, then try again",
        )
        .detail(shown(line, 400)));
    }
    if !facts.nginx_running {
        return Err(Fault::new(
            Code::NginxStopped,
            "nginx is not running",
            "start it with `systemctl start nginx` (`service nginx start` without systemd), then try again",
        ));
    }
    Ok(())
}
