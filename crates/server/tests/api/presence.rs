//! Who is online, as devices see it.

use crate::app::{OK, Setup, TestApp, TestClock};
use crate::device::Device;
use futures_util::future::join_all;
use std::collections::BTreeSet;

const GOODBYE: u16 = 1000;
const GOING_AWAY: u16 = 1001;

fn presence(user: &str, status: &str, custom: &str) -> String {
    format!(r#""user_id":"{user}","status":"{status}","custom":"{custom}""#)
}

fn push(user: &str, status: &str, custom: &str) -> String {
    format!(r#"{{"push":"presence",{}}}"#, presence(user, status, custom))
}

fn asking(op: &str, users: &[&str]) -> String {
    format!(r#"{{"id":2,"op":"{op}","users":{users:?}}}"#)
}

/// An answer with these, and more after them.
fn statuses(expected: &[(&str, &str, &str)], more: &str) -> String {
    let one = |(user, status, custom): &(&str, &str, &str)| format!("{{{}}}", presence(user, status, custom));
    let all: Vec<_> = expected.iter().map(one).collect();
    format!(r#"{{"id":2,"ok":{{"statuses":[{}]{more}}}}}"#, all.join(","))
}

async fn say(device: &mut Device, custom: &str) -> String {
    device.ask(format!(r#"{{"id":3,"op":"set_status","custom":"{custom}"}}"#)).await
}

const SAID: &str = r#"{"id":3,"ok":{}}"#;

#[tokio::test]
async fn statuses_to_the_letter() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    app.device_with("cy", r#","platform":"Android""#).await.close(GOING_AWAY).await;
    let bo = app.device("bo").await;
    assert_eq!(
        ana.ask(asking("status", &["bo", "cy", "administrator", "nobody", "ana", "bo"])).await,
        statuses(
            &[
                ("bo", "Online", ""),
                ("cy", "PushOnline", ""),
                ("administrator", "Offline", ""),
                ("nobody", "Unknown", ""),
                ("ana", "Online", ""),
                ("bo", "Online", ""),
            ],
            ""
        )
    );
    for (frame, code) in [
        (r#"{"id":2,"op":"status"}"#.to_owned(), 11_002),
        (asking("status", &["bo", ""]), 90_003),
        (asking("status", &["bo"; 501]), 90_011),
        (asking("subscribe", &["bo"; 101]), 11_005),
        (r#"{"id":2,"op":"set_status","custom":7}"#.to_owned(), 11_002),
    ] {
        let answer = ana.ask(frame.as_str()).await;
        assert!(answer.starts_with(&format!(r#"{{"id":2,"error":{{"code":{code},"#)), "{frame} {answer}");
    }
    let most = ana.ask(asking("status", &["bo"; 500])).await;
    assert_eq!(most.matches(r#""status":"Online""#).count(), 500);
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn what_users_say_of_themselves() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let mut bos_tablet = app.device("bo").await;
    assert_eq!(say(&mut bo, "at \\\"lunch\\\"").await, SAID);
    let of_bo = async |ana: &mut Device| ana.ask(asking("status", &["bo"])).await;
    assert_eq!(of_bo(&mut ana).await, statuses(&[("bo", "Online", "at \\\"lunch\\\"")], ""));
    // It is the user's, not the device's, and lasts as long as the user is there.
    bo.close(GOODBYE).await;
    assert_eq!(of_bo(&mut ana).await, statuses(&[("bo", "Online", "at \\\"lunch\\\"")], ""));
    assert_eq!(say(&mut bos_tablet, "").await, SAID);
    assert_eq!(of_bo(&mut ana).await, statuses(&[("bo", "Online", "")], ""));
    assert_eq!(say(&mut bos_tablet, "back").await, SAID);
    bos_tablet.close(GOODBYE).await;
    assert_eq!(of_bo(&mut ana).await, statuses(&[("bo", "Offline", "")], ""));
    let mut bo = app.device("bo").await;
    assert_eq!(of_bo(&mut ana).await, statuses(&[("bo", "Online", "")], ""));

    // Everybody who watches is told each time, so there is a limit. What is no change is free.
    for custom in ["1", "1", "2", "3", "3", "4", "5", "5"] {
        assert_eq!(say(&mut bo, custom).await, SAID);
    }
    let too_often =
        r#"{"id":3,"error":{"code":22006,"text":"too much at once: wait a moment","temporary":true}}"#;
    assert_eq!(say(&mut bo, "6").await, too_often);
    assert_eq!(of_bo(&mut ana).await, statuses(&[("bo", "Online", "5")], ""));
    clock.advance_secs(1);
    assert_eq!(say(&mut bo, "6").await, SAID);
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn who_watches_is_told_of_changes() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    assert_eq!(
        ana.ask(asking("subscribe", &["bo", "nobody"])).await,
        statuses(&[("bo", "Offline", ""), ("nobody", "Unknown", "")], "")
    );
    let mut bo = app.device("bo").await;
    assert_eq!(ana.hear().await, push("bo", "Online", ""));
    // A second device is no change, and neither is the end of one of two.
    app.device("bo").await.close(GOODBYE).await;
    assert_eq!(say(&mut bo, "busy").await, SAID);
    assert_eq!(ana.hear().await, push("bo", "Online", "busy"));
    assert_eq!(say(&mut bo, "busy").await, SAID);
    bo.close(GOODBYE).await;
    assert_eq!(ana.hear().await, push("bo", "Offline", ""));
    app.device_with("bo", r#","platform":"iOS""#).await.close(GOING_AWAY).await;
    assert_eq!(ana.hear().await, push("bo", "Online", ""));
    assert_eq!(ana.hear().await, push("bo", "PushOnline", ""));
    // Who had no account has one now.
    let mut nobody = app.device("nobody").await;
    assert_eq!(ana.hear().await, push("nobody", "Online", ""));
    let deleted =
        app.rest("im_open_login_svc/account_delete", r#"{"DeleteItem":[{"UserID":"nobody"}]}"#).await;
    assert!(deleted.starts_with(OK.trim_end_matches('}')));
    assert_eq!(nobody.kicked().await, ("deleted".to_owned(), 4503));
    assert_eq!(ana.hear().await, push("nobody", "Unknown", ""));
    drop(ana);
    app.stop().await;
}

async fn come_and_go(app: &TestApp, user: &str) {
    app.device(user).await.close(GOODBYE).await;
}

#[tokio::test]
async fn watching_ends() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let watch = asking("subscribe", &["bo", "cy"]);
    let both_offline = statuses(&[("bo", "Offline", ""), ("cy", "Offline", "")], "");
    assert_eq!(ana.ask(watch.as_str()).await, both_offline);
    assert_eq!(ana.ask(asking("unsubscribe", &["bo"])).await, r#"{"id":2,"ok":{}}"#);
    come_and_go(&app, "bo").await;
    come_and_go(&app, "cy").await;
    for status in ["Online", "Offline"] {
        assert_eq!(ana.hear().await, push("cy", status, ""));
    }
    assert_eq!(ana.ask(watch.as_str()).await, both_offline);
    assert_eq!(ana.ask(r#"{"id":2,"op":"unsubscribe"}"#).await, r#"{"id":2,"ok":{}}"#);
    // Never watched, and nothing to unwatch.
    assert_eq!(ana.ask(asking("unsubscribe", &["ana", "bo"])).await, r#"{"id":2,"ok":{}}"#);
    come_and_go(&app, "cy").await;
    // With the session, too: its next one begins without.
    assert_eq!(ana.ask(watch.as_str()).await, both_offline);
    ana.close(GOING_AWAY).await;
    let mut ana = app.device("ana").await;
    come_and_go(&app, "bo").await;
    app.send_ok(["bo", "ana"], 1, "first").await;
    assert_eq!(ana.hear_message().await.2, "first");
    drop(ana);
    app.stop().await;
}

/// The oldest go, which is said.
#[tokio::test]
async fn a_session_watches_so_many() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let names: Vec<_> = (0..250).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut dropped = Vec::new();
    // Whoever is asked for again is not the oldest any more.
    for users in [&names[..100], &names[100..200], &names[..1], &names[200..250]] {
        ana.say(asking("subscribe", users)).await;
        let answer = ana.hear_json().await["ok"].clone();
        assert_eq!(answer["statuses"].as_array().unwrap().len(), users.len());
        dropped.push(answer["dropped"].as_array().map_or(0, Vec::len));
        if let Some(last) = answer["dropped"].as_array() {
            assert_eq!((&last[0], &last[49]), (&"u1".into(), &"u50".into()));
        }
    }
    assert_eq!(dropped, [0, 0, 0, 50]);
    come_and_go(&app, "u50").await;
    come_and_go(&app, "u0").await;
    assert_eq!(ana.hear().await, push("u0", "Online", ""));
    drop(ana);
    app.stop().await;
}

/// Pushes that find a full queue are dropped. What is told last is true.
#[tokio::test]
async fn a_queue_that_is_full_ends_in_the_truth() {
    let settings = "[gateway]\nsession_queue_len_max = 1\npoll_secs = 1\n";
    let app = Setup::default().settings(settings).start().await;
    let mut ana = app.device("ana").await;
    let names: Vec<_> = (0..60).map(|number| format!("u{number}")).collect();
    let users: Vec<&str> = names.iter().map(String::as_str).collect();
    ana.ask(asking("subscribe", &users)).await;
    let stay = join_all(users.iter().map(|user| app.device(user))).await;
    let mut online = BTreeSet::new();
    while online.len() < users.len() {
        let push = ana.hear_json().await;
        assert_eq!(push["push"], "presence");
        if push["status"] == "Online" {
            online.insert(push["user_id"].as_str().unwrap().to_owned());
        } else {
            online.remove(push["user_id"].as_str().unwrap());
        }
    }
    drop((ana, stay));
    app.stop().await;
}
