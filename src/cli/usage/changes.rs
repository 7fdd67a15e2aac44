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

fn in_trash() -> TrashedView {
    let deleted = Timestamp::from_millis(1_700_000_000_000);
    TrashedView {
        id: "s1001".to_owned(),
        number: SiteId::FIRST,
        hostname: Hostname::parse("shop.example").unwrap(),
        hostname_unicode: "shop.example".to_owned(),
        r#type: "php".to_owned(),
        aliases: Vec::new(),
        deleted,
        until: deleted.plus_seconds(7 * 86_400),
        days_left: 7,
    }
}

#[test]
fn deleting_a_site_names_what_puts_it_back() {
    let answers = || {
        vec![
            began(),
            followed(OperationState::Done, StepState::Done),
            Ok(Reply::Trash(vec![in_trash()])),
        ]
    };
    let human = ran("lalapanel site delete shop.example --yes", answers());
    assert!(
        human.asked[0].contains(r#""now":false"#),
        "{}",
        human.asked[0]
    );
    assert!(
        human.out.contains("`lalapanel site restore s1001`"),
        "{}",
        human.out
    );
    let json = ran("lalapanel site delete shop.example --yes --json", answers()).json();
    assert_eq!(
        (&json["hostname"], &json["trash"]["id"]),
        (&Value::from("shop.example"), &Value::from("s1001"))
    );
    assert_eq!(json["changed"], Value::from(true));
}

#[test]
fn a_site_is_put_back_by_its_name_or_its_number_and_under_another_name() {
    for (line, asked) in [
        (
            "site restore shop.example",
            r#""site":1001,"hostname":"shop.example""#,
        ),
        (
            "site restore s1001",
            r#""site":1001,"hostname":"shop.example""#,
        ),
        (
            "site restore s1001 --as new.example",
            r#""site":1001,"hostname":"new.example""#,
        ),
    ] {
        let trash = Ok(Reply::Trash(vec![in_trash()]));
        let ran = ran(
            &format!("lalapanel {line}"),
            vec![
                trash,
                began(),
                followed(OperationState::Done, StepState::Done),
            ],
        );
        assert_eq!(ran.code, 0);
        assert!(ran.asked[1].contains(asked), "{}", ran.asked[1]);
    }
}

#[test]
fn two_sites_of_one_name_in_the_trash_are_told_apart_by_number() {
    let other = TrashedView {
        id: "s1002".to_owned(),
        number: SiteId::FIRST.next(),
        ..in_trash()
    };
    let trash = vec![Ok(Reply::Trash(vec![in_trash(), other]))];
    let ran = ran("lalapanel site restore shop.example --json", trash);
    let error = &ran.json()["error"];
    assert!(
        error["hint"].as_str().unwrap().contains("s1001, s1002"),
        "{error}"
    );
}

#[test]
fn a_site_in_the_trash_is_deleted_for_good_only_when_that_is_said() {
    let trash = || Ok(Reply::Trash(vec![in_trash()]));
    let unsaid = ran("lalapanel site delete s1001 --yes --json", vec![trash()]);
    assert_eq!(unsaid.json()["error"]["code"], "site.confirmation");
    let said = ran(
        "lalapanel site delete s1001 --now --yes",
        vec![
            trash(),
            began(),
            followed(OperationState::Done, StepState::Done),
        ],
    );
    assert!(said.asked[1].contains("site_discard"), "{}", said.asked[1]);
    let missing = ran("lalapanel site restore s1009 --json", vec![trash()]);
    assert_eq!(missing.json()["error"]["code"], "site.not_found");
}

#[test]
fn the_trash_is_listed_with_its_deadline() {
    let answer = || vec![Ok(Reply::Trash(vec![in_trash()]))];
    let json = ran("lalapanel site list --trash --json", answer()).json();
    assert_eq!(json["trash"][0]["until"], "2023-11-21T22:13:20Z");
    assert!(
        ran("lalapanel site list --trash", answer())
            .out
            .contains("s1001")
    );
}
