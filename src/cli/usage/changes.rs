//! Verbs that change something, as scripts use them: the plan, the steps, the end.
//!
//! Invariant: the exit code says how it ended, and what is left for a person is printed.

use super::*;

#[test]
fn creating_a_site_prints_its_steps_and_where_it_is() {
    let ran = ran(
        "lalapanel site create Shop.Example",
        vec![
            began(),
            followed(OperationState::Working, StepState::Working),
            followed(OperationState::Done, StepState::Done),
        ],
    );
    assert_eq!(ran.code, 0);
    assert_eq!(ran.out, "shop.example is online: http://shop.example/\n");
    assert_eq!(ran.err, "  ✓ Make the user s1001  0.2 s\n");
    assert!(
        ran.asked[0].contains(r#""hostname":"shop.example""#),
        "{}",
        ran.asked[0]
    );
    assert!(ran.asked[2].contains(r#""after":3"#), "{}", ran.asked[2]);
}

#[test]
fn creating_a_site_in_json_prints_the_site_and_the_operation() {
    let ran = ran(
        "lalapanel site create shop.example --json",
        vec![
            began(),
            followed(OperationState::Done, StepState::Done),
            Ok(Reply::Site(Box::new(site()))),
        ],
    );
    let document = ran.json();
    assert_eq!((ran.code, &document["user"]), (0, &Value::from("s1001")));
    assert_eq!(document["operation"], Value::from(id().to_string()));
    assert_eq!(document["tls"]["state"], "off");
}

#[test]
fn an_operation_that_was_undone_is_the_fault_that_stopped_it() {
    let mut view = operation(OperationState::Undone, StepState::Failed);
    view.fault = Some(fault(Code::DiskFull));
    let ran = ran(
        "lalapanel site create shop.example --json",
        vec![began(), Ok(Reply::Operation(view))],
    );
    let error = &ran.json()["error"];
    assert_eq!(
        (ran.code, &error["code"]),
        (1, &Value::from("host.disk_full"))
    );
    assert_eq!(error["operation"], Value::from(id().to_string()));
}

#[test]
fn a_stuck_operation_names_the_commands_that_are_left() {
    let mut view = operation(OperationState::Stuck, StepState::Failed);
    view.remaining = vec!["userdel -- s1001".to_owned()];
    let ran = ran(
        "lalapanel site delete shop.example --yes",
        vec![began(), Ok(Reply::Operation(view))],
    );
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("$ userdel -- s1001"), "{}", ran.err);
    assert!(
        ran.err.contains(&format!("op check {}", id())),
        "{}",
        ran.err
    );
}

#[test]
fn a_plan_is_printed_and_nothing_is_applied() {
    let plan = || PlanView {
        title: "Create shop.example".to_owned(),
        hash: "abc".to_owned(),
        steps: vec![PlanStepView {
            title: "Write the nginx file".to_owned(),
            target: "/etc/nginx/sites-available/shop.example".to_owned(),
            command: None,
            diff: Some("+server {\n".to_owned()),
        }],
        notes: vec!["DNS points elsewhere".to_owned()],
    };
    let answer = || vec![Ok(Reply::Plan(Box::new(plan())))];
    let human = ran("lalapanel site create shop.example --plan", answer());
    assert_eq!(human.code, 0);
    assert_eq!(
        human.out,
        "Create shop.example\n  1. Write the nginx file\n       /etc/nginx/sites-available/shop.example\n       +server {\nnote: DNS points elsewhere\n"
    );
    assert!(human.asked[0].starts_with(r#"{"preview""#));
    let json = ran("lalapanel site delete shop.example --plan --json", answer());
    assert_eq!(json.json()["steps"][0]["diff"], "+server {\n");
}

#[test]
fn nothing_to_do_is_done() {
    let ran = ran(
        "lalapanel site enable shop.example --json",
        vec![Ok(Reply::Unchanged {}), Ok(Reply::Site(Box::new(site())))],
    );
    assert_eq!((ran.code, &ran.json()["changed"]), (0, &Value::from(false)));
}

#[test]
fn an_agent_that_restarts_while_it_is_watched_is_waited_for() {
    let ran = ran(
        "lalapanel site create shop.example",
        vec![
            began(),
            Err(fault(Code::AgentUnreachable)),
            followed(OperationState::Undone, StepState::Undone),
        ],
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("Make the user s1001 (undone)"),
        "{}",
        ran.err
    );
}
