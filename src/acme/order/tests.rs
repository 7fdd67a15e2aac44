//! The course of an order against an authority that behaves as told.
//!
//! Invariant: no network and no clock: time passes by itself.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::acme::records::Written;
use crate::domain::dns::ProofText;
use crate::domain::order::Moment;

/// An authority that refuses the next steps as told, and asks for the proof before it accepts it.
#[derive(Default)]
struct Fake {
    refusals: Mutex<VecDeque<Option<ProblemKind>>>,
    steps: Mutex<Vec<&'static str>>,
    given: Mutex<bool>,
    sent: Mutex<bool>,
    tokens: Tokens,
    failing: Option<ProblemKind>,
    asks: bool,
}

const TOKEN: &str = "a-token-of-sixteen-or-more";

impl Fake {
    fn step(&self, what: &'static str) -> Result<(), Problem> {
        self.steps.lock().unwrap().push(what);
        match self.refusals.lock().unwrap().pop_front().flatten() {
            Some(kind) => Err(Problem::new(kind, "as told")),
            None => Ok(()),
        }
    }

    fn count(&self, what: &str) -> usize {
        let steps = self.steps.lock().unwrap();
        steps.iter().filter(|step| **step == what).count()
    }
}

impl Protocol for Fake {
    type Account = ();
    type Order = ();
    type Challenge = ();

    async fn account(&self) -> Result<(), Problem> {
        self.step("account")
    }
    async fn place(&self, (): &(), _: &[SiteName]) -> Result<(), Problem> {
        self.step("place")
    }
    async fn proofs(&self, (): &()) -> Result<Vec<Proof<()>>, Problem> {
        self.step("proofs")?;
        let state = match (*self.given.lock().unwrap(), self.failing) {
            (true, None) => ProofState::Given,
            (true, Some(kind)) => ProofState::Failed(Problem::new(kind, "as told")),
            (false, _) => ProofState::Open,
        };
        Ok(vec![Proof {
            name: SiteName::parse("shop.example").unwrap(),
            state,
            port80: Some(()),
            dns: Some(()),
        }])
    }
    fn answer(&self, (): &()) -> Result<(String, String), Problem> {
        Ok((TOKEN.to_owned(), format!("{TOKEN}.print")))
    }
    fn record(&self, (): &()) -> Result<ProofText, Problem> {
        Ok(ProofText::parse(&"v".repeat(43)).unwrap())
    }
    async fn look(&self, (): &()) -> Result<(), Problem> {
        self.step("look")?;
        if self.asks {
            let path = format!("{}{TOKEN}", crate::acme::challenge::PATH);
            assert!(
                self.tokens.answer(&path).is_some(),
                "told to look too early"
            );
        }
        *self.given.lock().unwrap() = true;
        Ok(())
    }
    async fn state(&self, (): &()) -> Result<((), OrderState), Problem> {
        self.step("state")?;
        let sent = *self.sent.lock().unwrap();
        let state = if sent {
            OrderState::Done
        } else {
            OrderState::Ready
        };
        Ok(((), state))
    }
    async fn finalize(&self, (): &(), _: &str) -> Result<(), Problem> {
        self.step("finalize")?;
        *self.sent.lock().unwrap() = true;
        Ok(())
    }
    async fn chain(&self, (): &()) -> Result<String, Problem> {
        self.step("chain")?;
        Ok("PEM".to_owned())
    }
}

async fn run(fake: &Fake) -> (Result<String, Problem>, Vec<Moment>) {
    let (names, diary) = ([SiteName::parse("shop.example").unwrap()], Diary::default());
    let wanted = Wanted {
        names: &names,
        request: "CSR",
    };
    let ended = Course::new(fake, wanted, Way::Port80(&fake.tokens), &diary, 1)
        .run()
        .await;
    let path = format!("{}{TOKEN}", crate::acme::challenge::PATH);
    assert_eq!(fake.tokens.answer(&path), None, "an answer was left behind");
    (ended, diary.read())
}

#[tokio::test(start_paused = true)]
async fn an_order_goes_its_course_and_is_told_in_moments() {
    let fake = Fake {
        asks: true,
        ..Fake::default()
    };
    let (ended, moments) = run(&fake).await;
    assert_eq!(ended.unwrap(), "PEM");
    assert_eq!(fake.count("place"), 1);
    let told: Vec<&str> = moments.iter().map(|moment| moment.what.as_str()).collect();
    assert_eq!(told.first(), Some(&"the authority knows our account"));
    assert_eq!(told.last(), Some(&"the certificate is here"));
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_was_given_before_is_not_given_again() {
    let fake = Fake::default();
    *fake.given.lock().unwrap() = true;
    run(&fake).await.0.unwrap();
    assert_eq!(fake.count("look"), 0);
}

#[tokio::test(start_paused = true)]
async fn refused_numbers_are_tried_again_in_bounds() {
    let twice = [Some(ProblemKind::Nonce), Some(ProblemKind::Nonce), None];
    let fake = Fake {
        refusals: Mutex::new(twice.into()),
        ..Fake::default()
    };
    run(&fake).await.0.unwrap();
    assert_eq!(fake.count("account"), 3);

    let always = vec![Some(ProblemKind::Nonce); 100];
    let fake = Fake {
        refusals: Mutex::new(always.into()),
        ..Fake::default()
    };
    let problem = run(&fake).await.0.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Nonce);
    assert_eq!(fake.count("account"), 6);
}

#[tokio::test(start_paused = true)]
async fn a_failed_proof_names_its_name_and_whether_we_were_asked() {
    for (asks, kind) in [(false, ProblemKind::Response), (true, ProblemKind::Refused)] {
        let fake = Fake {
            failing: Some(ProblemKind::Refused),
            asks,
            ..Fake::default()
        };
        let problem = run(&fake).await.0.unwrap_err();
        assert_eq!(problem.kind, kind);
        assert_eq!(problem.name.unwrap().to_string(), "shop.example");
    }
}

/// Writes into no DNS, and remembers whether the authority was told to look before.
#[derive(Default)]
struct Paper {
    values: Mutex<Vec<Value>>,
    refuses: bool,
}

impl Records for Paper {
    fn write<'a>(&'a self, values: &'a [Value], _: &'a Diary) -> Written<'a> {
        Box::pin(async move {
            self.values.lock().unwrap().extend(values.to_vec());
            if self.refuses {
                return Err(Problem::new(ProblemKind::Unwritten, "as told"));
            }
            Ok(())
        })
    }
}

async fn run_by_dns(fake: &Fake, paper: &Paper) -> Result<String, Problem> {
    let (names, diary) = ([SiteName::parse("shop.example").unwrap()], Diary::default());
    let wanted = Wanted {
        names: &names,
        request: "CSR",
    };
    let course = Course::new(fake, wanted, Way::Dns(paper), &diary, 1);
    course.run().await
}

#[tokio::test(start_paused = true)]
async fn in_dns_the_record_is_written_before_the_authority_looks() {
    let (fake, paper) = (Fake::default(), Paper::default());
    assert_eq!(run_by_dns(&fake, &paper).await.unwrap(), "PEM");
    assert_eq!(paper.values.lock().unwrap().len(), 1);
    assert_eq!(fake.count("look"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_written_or_not_found_is_told_as_such() {
    let refuses = Paper {
        refuses: true,
        ..Paper::default()
    };
    let fake = Fake::default();
    let problem = run_by_dns(&fake, &refuses).await.unwrap_err();
    assert_eq!(
        (problem.kind, fake.count("look")),
        (ProblemKind::Unwritten, 0)
    );
    let fake = Fake {
        failing: Some(ProblemKind::Response),
        ..Fake::default()
    };
    let problem = run_by_dns(&fake, &Paper::default()).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Unseen);
}
