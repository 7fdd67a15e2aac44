//! Runs errands: one line for each.
//!
//! Invariant: the list of errands is closed, and each ends within its own time.

use std::time::Duration;

use crate::acme::challenge::Tokens;
use crate::acme::client::Client;
use crate::acme::order::{Course, Diary, Wanted, Way};
use crate::courier::{looking, mailing, preflight, preflight_caa, proving, renewal, webhook};
use crate::domain::fault::{Code, Fault};
use crate::domain::order::{Problem, ProblemKind};
use crate::rpc::courier::{Errand, Order, Ordered, Report, Return};

/// An order ends by itself before the errand's own time is over, so that what happened so far is told.
const ORDER: Duration = Duration::from_secs(220);

/// Runs errands. Clones share everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Runner {
    tokens: Tokens,
}

impl Runner {
    /// What authorities may ask for now.
    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Runs one errand, for at most the time it has.
    pub(super) async fn run(&self, errand: Errand) -> Return {
        let within = Duration::from_secs(errand.seconds());
        tokio::time::timeout(within, self.begin(errand))
            .await
            .unwrap_or_else(|_| Err(late(within)))
    }

    async fn begin(&self, errand: Errand) -> Return {
        match errand {
            Errand::Ping {} => Ok(Report::Pong {
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }),
            Errand::Order(order) => {
                let way = Way::Port80(&self.tokens);
                let ordered = self.order(&order, way, ORDER).await;
                Ok(Report::Ordered(Box::new(ordered)))
            }
            Errand::Clean(clean) => Ok(proving::clean(*clean).await),
            Errand::Renewal(question) => renewal::ask(&question).await,
            Errand::Mail(mail) => mailing::send(&mail).await,
            Errand::Webhook(webhook) => webhook::tell(&webhook).await,
            Errand::Look { sights } => looking::look(&sights).await,
            // It brings more than a return, so `server` runs it itself.
            Errand::Fetch(_) => Err(misdirected()),
        }
    }

    /// One order, for at most so long.
    pub(super) async fn order(&self, order: &Order, way: Way<'_>, within: Duration) -> Ordered {
        let diary = Diary::default();
        let wanted = Wanted {
            names: &order.names,
            request: &order.request,
        };
        let outcome = match Client::new(&order.authority, &order.account) {
            Err(problem) => Err(problem),
            Ok(client) => {
                let course = Course::new(&client, wanted, way, &diary, order.seed);
                let whole = async {
                    if order.look_first {
                        self.look(order, way, &diary).await?;
                    }
                    course.run().await
                };
                let ended = tokio::time::timeout(within, whole).await;
                ended.unwrap_or_else(|_| Err(Problem::new(ProblemKind::Late, "it took too long")))
            }
        };
        Ordered {
            moments: diary.read(),
            left: Vec::new(),
            outcome,
        }
    }
}

impl Runner {
    /// Before the authority is asked for anything that it would count.
    async fn look(&self, order: &Order, way: Way<'_>, diary: &Diary) -> Result<(), Problem> {
        preflight_caa::look(order, way, diary).await?;
        if matches!(way, Way::Port80(_)) {
            preflight::look(&order.names, &self.tokens, order.seed, diary).await?;
        }
        Ok(())
    }
}

fn misdirected() -> Fault {
    Fault::new(
        Code::RequestInvalid,
        "This errand is not run here",
        "report it with the version of the panel",
    )
}

fn late(within: Duration) -> Fault {
    Fault::new(
        Code::CourierUnreachable,
        format!("The outside world took longer than {} s", within.as_secs()),
        "see whether this server reaches the internet, then try again",
    )
}
