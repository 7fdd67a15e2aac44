//! A thousand strangers at the door, and the owner who must get in all the same.
//!
//! Invariant: what strangers do costs the owner nothing but a short wait in a browser that was never signed in.

use std::time::Instant;

use super::*;

/// What a browser was given that signed in.
async fn device_of(scene: &Scene) -> Token {
    match scene.login("mara", PASSWORD).await.unwrap() {
        Reply::SignedIn { device, .. } => device.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn from_device(name: &str, with: &str, device: &Token) -> Request {
    Request::Login {
        name: name.to_owned(),
        password: password(with),
        device: Some(device.clone()),
    }
}

/// Bad sign-ins from a thousand addresses; how many of them were compared with the password.
async fn storm(scene: &Scene, name: &str) -> usize {
    let mut compared = 0;
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        let request = login(name, "wrong guess entirely");
        let answer = scene
            .ask_from(WEB, None, [203, 0, high, low], request)
            .await;
        compared += usize::from(code(answer) == Code::LoginRefused);
    }
    compared
}

#[tokio::test]
async fn a_thousand_bad_sign_ins_from_elsewhere_do_not_keep_a_known_browser_out() {
    let scene = Scene::new();
    scene.owner().await;
    let device = device_of(&scene).await;
    assert!(storm(&scene, "mara").await < 10);
    let stranger = scene.login("mara", PASSWORD).await.unwrap_err();
    assert_eq!(stranger.code, Code::LoginLimited);
    assert!(
        stranger.hint.contains("signed in before"),
        "{}",
        stranger.hint
    );
    let before = Instant::now();
    let request = from_device("mara", PASSWORD, &device);
    signed_in(scene.ask_from(WEB, None, [203, 0, 0, 1], request).await);
    assert!(before.elapsed() < Duration::from_secs(2));
    // Never for ever: the wait has an end for strangers too, and root can end it.
    scene.later(60);
    signed_in(scene.login("mara", PASSWORD).await);
    storm(&scene, "mara").await;
    scene.unban().await;
    signed_in(scene.login("mara", PASSWORD).await);
}

#[tokio::test]
async fn a_name_nobody_has_is_delayed_like_any_other() {
    let scene = Scene::new();
    scene.owner().await;
    assert_eq!(storm(&scene, "nobody").await, storm(&scene, "mara").await);
    let one = scene.login("nobody", PASSWORD).await.unwrap_err();
    assert_eq!(one, scene.login("mara", PASSWORD).await.unwrap_err());
}

#[tokio::test]
async fn a_device_token_opens_nothing_and_is_good_for_one_account_until_its_password_changes() {
    let scene = Scene::new();
    let session = scene.owner().await;
    let device = device_of(&scene).await;
    let request = Request::AccountCreate {
        name: name("otto"),
        password: password(OTHER),
    };
    scene.ask(ROOT, None, request).await.unwrap();
    for request in [Request::Session { passive: true }, Request::Home {}] {
        let answer = scene.ask(WEB, Some(&device), request).await;
        assert_eq!(code(answer), Code::Unauthenticated);
    }
    let wrong = from_device("mara", "wrong guess entirely", &device);
    assert_eq!(code(scene.ask(WEB, None, wrong).await), Code::LoginRefused);
    storm(&scene, "otto").await;
    let other = from_device("otto", OTHER, &device);
    assert_eq!(code(scene.ask(WEB, None, other).await), Code::LoginLimited);
    let request = new_password("mara", OTHER, Some(PASSWORD));
    let known = match scene.ask(WEB, Some(&session), request).await.unwrap() {
        Reply::StaysKnown { device } => device.unwrap(),
        other => panic!("{other:?}"),
    };
    storm(&scene, "mara").await;
    let old = from_device("mara", OTHER, &device);
    assert_eq!(code(scene.ask(WEB, None, old).await), Code::LoginLimited);
    let new = from_device("mara", OTHER, &known);
    signed_in(scene.ask(WEB, None, new).await);
}

#[tokio::test]
async fn a_known_browser_has_ten_tries_of_its_own() {
    let scene = Scene::new();
    scene.owner().await;
    let device = device_of(&scene).await;
    let wrong = || from_device("mara", "wrong guess entirely", &device);
    for number in 0..10 {
        let answer = scene
            .ask_from(WEB, None, [203, 0, 0, number], wrong())
            .await;
        assert_eq!(code(answer), Code::LoginRefused);
    }
    assert_eq!(
        code(scene.ask(WEB, None, wrong()).await),
        Code::LoginLimited
    );
    // Its own only: another browser at the same address still signs in.
    signed_in(scene.login("mara", PASSWORD).await);
}

#[tokio::test]
async fn a_flood_of_refused_sign_ins_leaves_few_entries_and_their_number() {
    let scene = Scene::new();
    scene.owner().await;
    let before = scene.trail().await.len();
    for number in 0..500_u16 {
        let [high, low] = number.to_be_bytes();
        let request = login(&format!("guess{number}"), "wrong guess entirely");
        let _ = scene
            .ask_from(WEB, None, [203, 0, high, low], request)
            .await;
        let link = setup(&Token::from_random([9; 32]), "mallory", OTHER);
        let _ = scene.ask_from(WEB, None, [203, 1, high, low], link).await;
    }
    assert_eq!(scene.trail().await.len() - before, 60);
    scene.later(60);
    scene.door.housekeep().unwrap();
    let trail = scene.trail().await;
    assert_eq!(trail.len() - before, 61);
    assert_eq!(trail[0].object, "940 more tries, from anywhere");
    assert_eq!(trail[0].result, Code::LoginLimited.as_str());
}

#[tokio::test]
async fn an_address_that_must_wait_is_in_the_trail_once_a_minute() {
    let scene = Scene::new();
    scene.owner().await;
    for number in 0..100 {
        let _ = scene.login(&format!("guess{number}"), "wrong guess").await;
    }
    let limited = Code::LoginLimited.as_str();
    let told = |trail: &[AuditEntry]| trail.iter().filter(|one| one.result == limited).count();
    assert_eq!(told(&scene.trail().await), 1);
    scene.later(60);
    for number in 0..3 {
        let _ = scene.login(&format!("guess{number}"), "wrong guess").await;
    }
    let trail = scene.trail().await;
    assert_eq!(told(&trail), 2);
    let counted = trail.iter().any(|one| {
        one.object
            .ends_with("(and 89 more tries refused before, from anywhere)")
    });
    assert!(counted, "{trail:?}");
}
