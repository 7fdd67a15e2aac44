//! Signing in, one-time links and new passwords, tried at the door.
//!
//! Invariant: every refusal here is checked by what is in the state afterwards, not by the words of the answer alone.

use super::*;
use crate::domain::change::Change;
use crate::domain::name::Hostname;
use crate::domain::nginx_text::Snippet;

#[tokio::test]
async fn wrong_names_wrong_passwords_and_impossible_names_are_answered_alike() {
    let scene = Scene::new();
    scene.owner().await;
    let mut faults: Vec<Fault> = Vec::new();
    for (name, with) in [
        ("mara", "wrong horse entirely"),
        ("nobody", PASSWORD),
        ("../\r\n\0", PASSWORD),
        ("", ""),
    ] {
        faults.push(scene.login(name, with).await.unwrap_err());
    }
    faults.dedup();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].code, Code::LoginRefused);
    signed_in(scene.login("MARA ", PASSWORD).await);
}

#[tokio::test]
async fn the_eleventh_wrong_password_is_limited_until_time_passes_or_root_helps() {
    let scene = Scene::new();
    scene.owner().await;
    for number in 0..10 {
        let answer = scene.login(&format!("guess{number}"), "wrong").await;
        assert_eq!(code(answer), Code::LoginRefused);
    }
    let limited = scene.login("mara", PASSWORD).await.unwrap_err();
    assert_eq!(limited.code, Code::LoginLimited);
    assert!(limited.hint.contains("wait 1 minute,"), "{}", limited.hint);
    let elsewhere = login("mara", PASSWORD);
    signed_in(
        scene
            .ask_from(WEB, None, [198, 51, 100, 1], elsewhere)
            .await,
    );
    scene.unban().await;
    signed_in(scene.login("mara", PASSWORD).await);
    for _ in 0..20 {
        signed_in(scene.login("mara", PASSWORD).await);
    }
}

#[tokio::test]
async fn guessing_links_and_current_passwords_is_limited_too() {
    let scene = Scene::new();
    let session = scene.owner().await;
    for request in [
        || Request::SetupCheck {
            link: Token::from_random([9; 32]),
        },
        || setup(&Token::from_random([9; 32]), "mara", OTHER),
        || new_password("mara", OTHER, Some("wrong guess again")),
    ] {
        scene.unban().await;
        for _ in 0..10 {
            let answer = scene.ask(WEB, Some(&session), request()).await;
            assert_ne!(code(answer), Code::LoginLimited);
        }
        let answer = scene.ask(WEB, Some(&session), request()).await;
        assert_eq!(code(answer), Code::LoginLimited);
    }
}

#[tokio::test]
async fn a_link_makes_the_owner_once_and_is_closed_for_ever_after() {
    let scene = Scene::new();
    let link = scene.link().await;
    let check = || Request::SetupCheck { link: link.clone() };
    scene.ask(WEB, None, check()).await.unwrap();
    let session = signed_in(scene.ask(WEB, None, setup(&link, "mara", PASSWORD)).await);
    assert!(scene.is_signed_in(&session).await);
    for request in [check(), setup(&link, "mallory", OTHER)] {
        assert_eq!(code(scene.ask(WEB, None, request).await), Code::SetupClosed);
    }
    assert_eq!(scene.store.accounts().unwrap().len(), 1);
}

#[tokio::test]
async fn a_link_is_closed_after_an_hour() {
    let scene = Scene::new();
    let link = scene.link().await;
    scene.later(3600);
    let answer = scene.ask(WEB, None, setup(&link, "mara", PASSWORD)).await;
    assert_eq!(code(answer), Code::SetupClosed);
    assert_eq!(scene.store.accounts().unwrap(), []);
}

#[tokio::test]
async fn a_weak_password_leaves_the_link_usable() {
    let scene = Scene::new();
    let link = scene.link().await;
    for weak in ["short", "Password1234!", "panel.example1"] {
        let answer = scene.ask(WEB, None, setup(&link, "mara", weak)).await;
        let fault = answer.unwrap_err();
        assert_eq!(fault.code, Code::PasswordWeak, "{weak}");
        assert!(fault.hint.contains("four words"), "{}", fault.hint);
    }
    signed_in(scene.ask(WEB, None, setup(&link, "mara", PASSWORD)).await);
}

#[tokio::test]
async fn long_passwords_and_pictures_sign_in_and_every_byte_counts() {
    let scene = Scene::new();
    scene.owner().await;
    let sixty_four = "Ab3 otter/mauve?tin!sky-Zq9".repeat(3)[..64].to_owned();
    let pictures = "🦦🦡🌧\u{fe0f}🥫🚲🎻 ".to_owned();
    let eighty: String = ('0'..='o').cycle().take(80).collect();
    for accepted in [&sixty_four, &pictures, &eighty] {
        let request = new_password("mara", accepted, None);
        scene.ask(ROOT, None, request).await.unwrap();
        signed_in(scene.login("mara", accepted).await);
    }
    // Where bcrypt would have stopped reading.
    let (start, end) = eighty.split_at(72);
    let changed = format!("{start}#{}", &end[1..]);
    assert_eq!(
        code(scene.login("mara", &changed).await),
        Code::LoginRefused
    );
    signed_in(scene.login("mara", &eighty).await);
}

#[tokio::test]
async fn signing_in_anew_ends_the_session_the_browser_had() {
    let scene = Scene::new();
    let before = scene.owner().await;
    let request = login("mara", PASSWORD);
    let after = signed_in(scene.ask(WEB, Some(&before), request).await);
    assert!(!scene.is_signed_in(&before).await);
    assert!(scene.is_signed_in(&after).await);
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_ends_every_session() {
    let scene = Scene::new();
    let session = scene.owner().await;
    let request = new_password("mara", OTHER, Some(PASSWORD));
    scene.ask(WEB, Some(&session), request).await.unwrap();
    assert!(!scene.is_signed_in(&session).await);
    assert_eq!(
        code(scene.login("mara", PASSWORD).await),
        Code::LoginRefused
    );
    signed_in(scene.login("mara", OTHER).await);
    let by_root = new_password("mara", PASSWORD, None);
    scene.ask(ROOT, None, by_root).await.unwrap();
    signed_in(scene.login("mara", PASSWORD).await);
}

#[tokio::test]
async fn own_directives_ask_for_the_password_again_after_ten_minutes_and_nothing_else_does() {
    let scene = Scene::new();
    let session = scene.owner().await;
    let apply = |change: Change| Request::Apply {
        change,
        plan: None,
        operation: None,
    };
    let hostname = Hostname::parse("shop.example").unwrap();
    let snippet = || Change::SiteSnippet {
        hostname: hostname.clone(),
        text: Snippet::parse("expires 1h;").unwrap(),
    };
    let enable = Change::SiteEnable {
        hostname: hostname.clone(),
    };
    let confirm = |with: &str| Request::Confirm {
        password: password(with),
    };
    let ask = |request| scene.ask(WEB, Some(&session), request);
    ask(apply(snippet())).await.unwrap();
    scene.later(601);
    let stale = ask(apply(snippet())).await;
    assert_eq!(code(stale), Code::ConfirmationNeeded);
    assert_eq!(scene.passed(), 1);
    ask(apply(enable)).await.unwrap();
    let wrong = ask(confirm(OTHER)).await;
    assert_eq!(code(wrong), Code::LoginRefused);
    assert_eq!(code(ask(apply(snippet())).await), Code::ConfirmationNeeded);
    ask(confirm(PASSWORD)).await.unwrap();
    ask(apply(snippet())).await.unwrap();
    scene.ask(ROOT, None, apply(snippet())).await.unwrap();
    assert_eq!(scene.passed(), 4);
}

#[tokio::test]
async fn a_disabled_account_is_out_until_root_lets_it_in_again() {
    let scene = Scene::new();
    let owner = scene.owner().await;
    let disable = |who: &str, disabled| Request::AccountDisable {
        name: name(who),
        disabled,
    };
    let last = scene.ask(ROOT, None, disable("mara", true)).await;
    assert_eq!(code(last), Code::LastOwner);
    assert!(scene.is_signed_in(&owner).await);

    let ivo = Request::AccountCreate {
        name: name("ivo"),
        password: password(OTHER),
    };
    scene.ask(ROOT, None, ivo).await.unwrap();
    let his = signed_in(scene.ask(WEB, None, login("ivo", OTHER)).await);
    scene.ask(ROOT, None, disable("ivo", true)).await.unwrap();
    assert!(!scene.is_signed_in(&his).await && scene.is_signed_in(&owner).await);
    let right = scene.ask(WEB, None, login("ivo", OTHER)).await.unwrap_err();
    let wrong = scene.ask(WEB, None, login("ivo", PASSWORD)).await;
    assert_eq!(right.to_string(), wrong.unwrap_err().to_string());
    assert_eq!(right.code, Code::LoginRefused);

    scene.ask(ROOT, None, disable("ivo", false)).await.unwrap();
    signed_in(scene.ask(WEB, None, login("ivo", OTHER)).await);
    scene.ask(ROOT, None, disable("ivo", true)).await.unwrap();
    let link = scene.link().await;
    let back = signed_in(scene.ask(WEB, None, setup(&link, "ivo", PASSWORD)).await);
    assert!(scene.is_signed_in(&back).await);
}
