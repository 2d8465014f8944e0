//! `im_open_login_svc/kick`: UserSigs that were made so far are good for nothing any more.

use crate::app::{ADMIN, KEY, OK, SDKAPPID, Setup, TestApp, TestClock, login, query, signed};
use crate::v1_call::{bearer, call, refused};
use protocol::usersig::Lifetime;

const KICK: &str = "im_open_login_svc/kick";
const DELETE: &str = "im_open_login_svc/account_delete";
const REVOKED: &str =
    r#"{"ActionStatus":"FAIL","ErrorCode":70052,"ErrorInfo":"the UserSig has been revoked"}"#;

fn kicked(reason: &str) -> (String, u16) {
    (reason.to_owned(), 4503)
}

/// A login that is refused because the UserSig was revoked.
async fn is_refused(app: &TestApp, user: &str, usersig: &str) {
    let mut device = app.socket().await;
    assert_eq!(
        device.ask(login(user, usersig, "")).await,
        r#"{"id":1,"error":{"code":70052,"text":"the UserSig has been revoked","temporary":false}}"#
    );
    assert_eq!(device.closed().await, (4502, "login refused".to_owned()));
}

#[tokio::test]
async fn all_sessions_end_and_old_usersigs_are_worthless() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let old = app.usersig("ana");
    let mut phone = app.device_with("ana", r#","platform":"Android""#).await;
    clock.advance_secs(5);
    let mut web = app.device("ana").await;
    let newer = app.usersig("ana");
    let mut bo = app.device("bo").await;
    assert_eq!(app.rest(KICK, r#"{"UserID":"ana"}"#).await, OK);
    assert_eq!(phone.kicked().await, kicked("revoked"));
    assert_eq!(web.kicked().await, kicked("revoked"));
    is_refused(&app, "ana", &old).await;
    // Whoever made one in the same second may have made it before.
    is_refused(&app, "ana", &newer).await;
    // The account, and everybody else, go on.
    app.send_ok(["ana", "bo"], 1, "hi").await;
    assert_eq!(bo.hear_message().await.2, "hi");
    clock.advance_secs(1);
    is_refused(&app, "ana", &newer).await;
    let mut ana = app.device("ana").await;
    app.send_ok(["bo", "ana"], 2, "welcome back").await;
    assert_eq!(ana.hear_message().await.2, "welcome back");
    // The older name, and again.
    assert_eq!(app.rest(KICK, r#"{"Identifier":"ana"}"#).await, OK);
    assert_eq!(ana.kicked().await, kicked("revoked"));
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn a_session_with_a_later_usersig_stays() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    clock.advance_secs(10);
    assert_eq!(app.rest(KICK, r#"{"UserID":"ana"}"#).await, OK);
    clock.advance_secs(1);
    let mut ana = app.device("ana").await;
    let old = signed(SDKAPPID, KEY, "ana", Lifetime { time_s: clock.now_s() - 1, expire_s: 3_600 });
    is_refused(&app, "ana", &old).await;
    app.send_ok(["bo", "ana"], 1, "hi").await;
    assert_eq!(ana.hear_message().await.2, "hi");
    drop(ana);
    // What was revoked outlives the process.
    let app = app.restart().await;
    is_refused(&app, "ana", &old).await;
    drop(app.device("ana").await);
    app.stop().await;
}

/// There is no other way to call back the UserSig of an admin that got into wrong hands.
#[tokio::test]
async fn an_admin_can_be_kicked_by_itself() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let old = app.usersig(ADMIN);
    let ask = async |usersig: &str| {
        let body = r#"{"CheckItem":[{"UserID":"ana"}]}"#;
        app.call("im_open_login_svc/account_check", &query(SDKAPPID, ADMIN, usersig), body).await
    };
    assert!(ask(&old).await.starts_with(OK.trim_end_matches('}')));
    assert_eq!(app.rest(KICK, &format!(r#"{{"UserID":"{ADMIN}"}}"#)).await, OK);
    assert_eq!(ask(&old).await, REVOKED);
    let events = call(&app, "GET", "/events", &bearer(&old), "").await;
    assert_eq!(refused(&events), (401, 70_052, "the UserSig has been revoked".to_owned()));
    clock.advance_secs(1);
    assert_eq!(ask(&old).await, REVOKED);
    assert!(ask(&app.usersig(ADMIN)).await.starts_with(OK.trim_end_matches('}')));
    app.stop().await;
}

/// It would survive a kick.
#[tokio::test]
async fn a_usersig_from_the_future_is_refused() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let dated =
        |ahead_s| signed(SDKAPPID, KEY, "ana", Lifetime { time_s: clock.now_s() + ahead_s, expire_s: 3_600 });
    let mut device = app.socket().await;
    assert_eq!(
        device.ask(login("ana", &dated(601), "")).await,
        r#"{"id":1,"error":{"code":70003,"text":"the UserSig is dated in the future: look at the clocks","temporary":false}}"#
    );
    // Clocks differ.
    let mut device = app.socket().await;
    assert!(device.ask(login("ana", &dated(600), "")).await.contains(r#""ok""#));
    drop(device);
    app.stop().await;
}

#[tokio::test]
async fn deleting_an_account_ends_its_sessions() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let old = app.usersig("ana");
    let mut ana = app.device("ana").await;
    clock.advance_secs(1);
    let mut bo = app.device("bo").await;
    assert!(
        app.rest(DELETE, r#"{"DeleteItem":[{"UserID":"ana"}]}"#).await.starts_with(OK.trim_end_matches('}'))
    );
    assert_eq!(ana.kicked().await, kicked("deleted"));
    is_refused(&app, "ana", &old).await;
    assert_eq!(
        app.rest(KICK, r#"{"UserID":"ana"}"#).await,
        r#"{"ActionStatus":"FAIL","ErrorCode":70107,"ErrorInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist"}"#
    );
    // Anew, and empty.
    let mut ana = app.device("ana").await;
    assert_eq!(ana.connected["unread"], 0);
    app.send_ok(["bo", "ana"], 1, "hi").await;
    assert_eq!(ana.hear_message().await, (1, 1, "hi".to_owned()));
    assert_eq!(bo.hear_message().await.2, "hi");
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn requests_that_are_refused() {
    let app = Setup::default().start().await;
    for (body, code) in [
        (r#"{"UserID":"nobody"}"#, 70_107),
        ("{}", 70_402),
        (r#"{"UserID":""}"#, 70_402),
        (r#"{"UserID":["ana"]}"#, 70_402),
        (r#"{"UserID":"123456789012345678901234567890123"}"#, 70_402),
        ("nothing", 70_402),
    ] {
        let answer = app.rest(KICK, body).await;
        let expected = format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":""#);
        assert!(answer.starts_with(&expected), "{body} {answer}");
    }
    app.stop().await;
}
