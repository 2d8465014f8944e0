//! How often an app may call.

use crate::app::{ADMIN, OK, SDKAPPID, Setup, TestApp, TestClock, query, signed, text_body};
use protocol::usersig::Lifetime;

const CHECK: &str = "im_open_login_svc/account_check";
const CONTACTS: &str = "recentcontact/get_list";
const BATCH: &str = "openim/batchsendmsg";
const TOO_MANY: &str =
    r#"{"ActionStatus":"FAIL","ErrorCode":60007,"ErrorInfo":"too many calls of this command"}"#;
const TOO_MANY_OF_APP: &str =
    r#"{"ActionStatus":"FAIL","ErrorCode":60011,"ErrorInfo":"too many calls of this app"}"#;
const TOO_MANY_MESSAGES: &str =
    r#"{"ActionStatus":"FAIL","ErrorCode":90057,"ErrorInfo":"too many messages were sent to many"}"#;

async fn check(app: &TestApp) -> String {
    let answer = app.rest(CHECK, r#"{"CheckItem":[{"UserID":"ana"}]}"#).await;
    if answer.starts_with(OK.trim_end_matches('}')) { "ok".to_owned() } else { answer }
}

#[tokio::test]
async fn each_command_has_its_own_rate() {
    let clock = TestClock::new();
    let rates = "[app.rates]\ncommand_calls_per_sec = 2\ncommands = { sendmsg = 1, get_list = 0 }";
    let app = Setup::default().app(rates).clock(&clock).start().await;
    assert_eq!([check(&app).await, check(&app).await, check(&app).await], ["ok", "ok", TOO_MANY]);
    // Others are no matter of this one, and some have a rate of their own, or none.
    app.send_ok(["ana", "bo"], 1, "hi").await;
    assert_eq!(app.send(["ana", "bo"], 2, "hi", "").await, TOO_MANY);
    for _ in 0..5 {
        let list = app.rest(CONTACTS, r#"{"From_Account":"ana"}"#).await;
        assert!(list.starts_with(OK.trim_end_matches('}')), "{list}");
    }
    assert_eq!(app.texts("bo", "ana").await, ["hi"], "what was too much did nothing");
    clock.advance_secs(1);
    assert_eq!([check(&app).await, check(&app).await, check(&app).await], ["ok", "ok", TOO_MANY]);
    app.send_ok(["ana", "bo"], 2, "hi").await;
    app.stop().await;
}

#[tokio::test]
async fn all_calls_together_have_a_rate() {
    let clock = TestClock::new();
    let rates = "[app.rates]\ncalls_per_sec = 3\ncommands = { account_check = 1 }";
    let app = Setup::default().app(rates).clock(&clock).start().await;
    // A call that is refused for its command is not counted for the app.
    assert_eq!([check(&app).await, check(&app).await, check(&app).await], ["ok", TOO_MANY, TOO_MANY]);
    // One that is refused for what it says is.
    let nothing = app.rest(CONTACTS, "{}").await;
    assert!(nothing.contains(r#""ErrorCode":50002"#), "{nothing}");
    // Whoever is not let in is not.
    let bad = signed(SDKAPPID, "another key", ADMIN, Lifetime { time_s: clock.now_s(), expire_s: 60 });
    let refused = app.call(CHECK, &query(SDKAPPID, ADMIN, &bad), "{}").await;
    assert!(refused.contains(r#""ErrorCode":70009"#), "{refused}");
    app.send_ok(["ana", "bo"], 1, "hi").await;
    assert_eq!(app.send(["ana", "bo"], 2, "hi", "").await, TOO_MANY_OF_APP);
    // In the form of its service.
    assert_eq!(
        app.rest(CONTACTS, r#"{"From_Account":"ana"}"#).await,
        TOO_MANY_OF_APP.replace('}', r#","ErrorDisplay":""}"#)
    );
    clock.advance_secs(1);
    app.send_ok(["ana", "bo"], 2, "hi").await;
    app.stop().await;
}

#[tokio::test]
async fn messages_to_many_have_a_rate_by_the_minute() {
    let clock = TestClock::new();
    // Minutes begin where the clock's do.
    clock.advance_secs(60 - clock.now_s() % 60);
    let app = Setup::default().app("[app.rates]\nbatch_messages_per_min = 3").clock(&clock).start().await;
    let batch = async |random: u32, to: &[&str]| {
        let body = format!(
            r#"{{"From_Account":"ana","To_Account":{to:?},"MsgRandom":{random},"MsgBody":{}}}"#,
            text_body("hi")
        );
        let answer = app.rest(BATCH, &body).await;
        if answer.starts_with(OK.trim_end_matches('}')) { "ok".to_owned() } else { answer }
    };
    assert_eq!(batch(1, &["bo", "cy"]).await, "ok");
    assert_eq!(batch(2, &["bo", "cy"]).await, TOO_MANY_MESSAGES);
    // One more does fit.
    assert_eq!(batch(3, &["bo"]).await, "ok");
    assert_eq!(batch(4, &["bo"]).await, TOO_MANY_MESSAGES);
    clock.advance_secs(59);
    assert_eq!(batch(5, &["bo"]).await, TOO_MANY_MESSAGES);
    // Messages to one are counted elsewhere.
    app.send_ok(["ana", "bo"], 6, "to one").await;
    clock.advance_secs(1);
    assert_eq!(batch(7, &["bo", "cy", "ana"]).await, "ok");
    assert_eq!(app.texts("cy", "ana").await, ["hi", "hi"]);
    clock.advance_secs(60);
    assert_eq!(
        batch(8, &["bo", "cy", "ana", "nobody"]).await,
        TOO_MANY_MESSAGES,
        "more than all of a minute"
    );
    app.stop().await;
}

#[tokio::test]
async fn rates_can_be_changed_while_the_server_runs() {
    let clock = TestClock::new();
    let app = Setup::default().app("[app.rates]\ncalls_per_sec = 1").clock(&clock).start().await;
    assert_eq!([check(&app).await, check(&app).await], ["ok", TOO_MANY_OF_APP]);
    app.redeclare("calls_per_sec = 1", "calls_per_sec = 2").await.unwrap();
    assert_eq!([check(&app).await, check(&app).await, check(&app).await], ["ok", "ok", TOO_MANY_OF_APP]);
    let unknown = app.redeclare("calls_per_sec = 2", "commands = { sendmsgs = 1 }").await.unwrap_err();
    assert!(unknown.contains("rates.commands: there is no command sendmsgs"), "{unknown}");
    // Nothing is changed by that.
    assert_eq!(check(&app).await, TOO_MANY_OF_APP);
    app.redeclare("commands = { sendmsgs = 1 }", "calls_per_sec = 0").await.unwrap();
    for _ in 0..10 {
        assert_eq!(check(&app).await, "ok");
    }
    app.stop().await;
}
