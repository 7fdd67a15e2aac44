//! A plan on a page, and the one rule for safety: nothing runs unless the plan that was seen is the plan of now.
//!
//! Invariant: a change is applied only with the hash and the operation id the form brought; the agent compares them.

use sha2::{Digest, Sha256};

use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::secret::{Password, hex};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{PlanStepView, PlanView};
use crate::web::clock;
use crate::web::form::Fields;
use crate::web::refusal::{Refusal, belongs_to_the_form};
use crate::web::views::change::sentence;
use crate::web::visit::{Visit, unexpected};
use crate::web::words;

/// The name of the field for one's own password.
const CONFIRM: &str = "own_password";

/// One line of a diff with its sign kept apart, so that colour is not the only sign.
pub(super) struct DiffLine {
    pub(super) kind: &'static str,
    pub(super) sign: &'static str,
    pub(super) text: String,
}

/// One step as the page shows it.
pub(super) struct ShownStep {
    pub(super) title: String,
    pub(super) target: String,
    pub(super) command: Option<String>,
    pub(super) diff: Vec<DiffLine>,
    /// True where this step was not in the plan the person saw before.
    pub(super) changed: bool,
}

/// A plan as the page shows it, with what the form must bring back.
pub(super) struct ShownPlan {
    pub(super) hash: String,
    pub(super) seen: String,
    pub(super) summary: String,
    pub(super) steps: Vec<ShownStep>,
    pub(super) notes: Vec<String>,
    /// Set where the change asks for the password once more.
    pub(super) confirm: Option<Confirm>,
}

/// The field for one's own password.
pub(super) struct Confirm {
    /// What was wrong with the last one.
    pub(super) problem: Option<String>,
}

impl ShownPlan {
    /// Marks the steps that are not among those the form says were seen.
    pub(super) fn new(plan: PlanView, before: &Fields) -> Self {
        let seen_before: Vec<&str> = before
            .text("seen")
            .split('.')
            .filter(|mark| !mark.is_empty())
            .collect();
        let marks: Vec<String> = plan.steps.iter().map(mark).collect();
        let steps = plan
            .steps
            .into_iter()
            .zip(&marks)
            .map(|(step, mark)| ShownStep {
                changed: !seen_before.is_empty() && !seen_before.contains(&mark.as_str()),
                title: step.title,
                target: step.target,
                command: step.command,
                diff: step.diff.as_deref().map(diff_lines).unwrap_or_default(),
            })
            .collect::<Vec<_>>();
        let number = u64::try_from(steps.len()).unwrap_or(u64::MAX);
        Self {
            hash: plan.hash,
            seen: marks.join("."),
            summary: format!(
                "{}. Nothing has been changed yet.",
                words::count(number, "step")
            ),
            steps,
            notes: plan.notes,
            confirm: None,
        }
    }
}

/// What became of a form that asks for a change.
pub(super) enum Attempt {
    /// It has begun; this is its page.
    Began(OperationId),
    /// There was nothing to do.
    Unchanged,
    /// The person must look at this plan first.
    Check {
        plan: Box<ShownPlan>,
        /// True where another plan had been on screen.
        changed: bool,
    },
    /// Refused, for a reason that belongs on the form.
    Refused(Box<Fault>),
}

/// Looks at what the change would do.
pub(super) async fn preview(visit: &Visit, change: Change) -> Result<Attempt, Refusal> {
    check(visit, change, false).await
}

/// Runs the change if its plan was seen and is still the same; shows the plan otherwise.
pub(super) async fn attempt(visit: &Visit, change: Change) -> Result<Attempt, Refusal> {
    let plan = visit.form.text("plan");
    let operation = OperationId::parse(visit.form.text("operation")).ok();
    let (false, Some(operation)) = (plan.is_empty(), operation) else {
        return check(visit, change, false).await;
    };
    let typed = visit.form.raw(CONFIRM);
    if !typed.is_empty() {
        let password = Password::typed(typed.to_owned());
        match visit.ask(Request::Confirm { password }).await {
            Ok(_) => {}
            Err(Refusal::Fault(fault)) if is_about_the_password(&fault) => {
                return confirm(visit, change, Some(sentence(&fault))).await;
            }
            Err(refusal) => return Err(refusal),
        }
    }
    let request = Request::Apply {
        change: change.clone(),
        plan: Some(plan.to_owned()),
        operation: Some(operation),
    };
    match visit.ask(request).await {
        Ok(Reply::Began { operation }) => Ok(Attempt::Began(operation)),
        Ok(Reply::Unchanged {}) => Ok(Attempt::Unchanged),
        Ok(_) => Err(unexpected()),
        Err(Refusal::Fault(fault)) if fault.code == Code::PlanChanged => {
            check(visit, change, true).await
        }
        Err(Refusal::Fault(fault)) if fault.code == Code::ConfirmationNeeded => {
            confirm(visit, change, None).await
        }
        Err(refusal) => refused(refusal),
    }
}

fn is_about_the_password(fault: &Fault) -> bool {
    matches!(fault.code, Code::LoginRefused | Code::LoginLimited)
}

/// The plan again, with a field for the password.
async fn confirm(
    visit: &Visit,
    change: Change,
    problem: Option<String>,
) -> Result<Attempt, Refusal> {
    let mut attempt = check(visit, change, false).await?;
    if let Attempt::Check { plan, .. } = &mut attempt {
        plan.confirm = Some(Confirm { problem });
    }
    Ok(attempt)
}

async fn check(visit: &Visit, change: Change, changed: bool) -> Result<Attempt, Refusal> {
    match visit.ask(Request::Preview { change }).await {
        Ok(Reply::Plan(plan)) => Ok(Attempt::Check {
            plan: Box::new(ShownPlan::new(*plan, &visit.form)),
            changed,
        }),
        Ok(Reply::Unchanged {}) => Ok(Attempt::Unchanged),
        Ok(_) => Err(unexpected()),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Result<Attempt, Refusal> {
    match refusal {
        Refusal::Fault(fault) if belongs_to_the_form(&fault) => Ok(Attempt::Refused(fault)),
        other => Err(other),
    }
}

/// The id the form carries: the one it brought, so that a second press lands on the same operation, or a fresh one.
pub(super) fn operation_of(visit: &Visit) -> Result<OperationId, Refusal> {
    match OperationId::parse(visit.form.text("operation")) {
        Ok(id) => Ok(id),
        Err(_) => clock::operation(),
    }
}

fn mark(step: &PlanStepView) -> String {
    let mut digest = Sha256::new();
    for part in [
        Some(step.title.as_str()),
        Some(step.target.as_str()),
        step.command.as_deref(),
        step.diff.as_deref(),
    ] {
        digest.update(part.unwrap_or_default());
        digest.update([0]);
    }
    hex(digest.finalize().get(..4).unwrap_or_default())
}

pub(super) fn diff_lines(diff: &str) -> Vec<DiffLine> {
    diff.lines()
        .filter(|line| !line.starts_with("--- ") && !line.starts_with("+++ "))
        .map(|line| {
            let (kind, sign, text) = match line.split_at_checked(1) {
                Some(("+", rest)) => ("add", "+", rest),
                Some(("-", rest)) => ("del", "−", rest),
                Some(("@", _)) => ("hunk", " ", line),
                Some((" ", rest)) => ("same", " ", rest),
                _ => ("same", " ", line),
            };
            DiffLine {
                kind,
                sign,
                text: text.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(titles: &[&str]) -> PlanView {
        PlanView {
            title: "Create a.example".to_owned(),
            hash: "h".to_owned(),
            steps: titles
                .iter()
                .map(|title| PlanStepView {
                    title: (*title).to_owned(),
                    target: "t".to_owned(),
                    command: None,
                    diff: Some("--- a\n+++ b\n@@ -0,0 +1 @@\n+new\n-old\n same".to_owned()),
                })
                .collect(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn steps_that_were_not_seen_before_are_marked() {
        let first = ShownPlan::new(plan(&["one", "two"]), &Fields::default());
        assert!(first.steps.iter().all(|step| !step.changed));
        let before = Fields::parse(format!("seen={}", first.seen).as_bytes());
        let second = ShownPlan::new(plan(&["one", "three"]), &before);
        let changed: Vec<bool> = second.steps.iter().map(|step| step.changed).collect();
        assert_eq!(changed, [false, true]);
        assert_eq!(first.summary, "2 steps. Nothing has been changed yet.");
    }

    #[test]
    fn a_diff_keeps_its_signs_apart_from_its_text() {
        let shown = ShownPlan::new(plan(&["one"]), &Fields::default());
        let kinds: Vec<&str> = shown.steps[0].diff.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, ["hunk", "add", "del", "same"]);
        assert_eq!(shown.steps[0].diff[1].text, "new");
    }
}
