//! Events on their way to the backend: what a callback looks like, and what follows from its answer.

use crate::app::{SDKAPPID, Setup, TestApp, now_s, text_body};
use crate::literal::literal;
use crate::receiver::{Callback, Reply};
use chat::port::{EndpointId, Route, Store};
use chat::{AppId, event::Lane};
use protocol::callback::ReceivedQuery;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Embedded, EmbeddedOptions};
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "xxxxyyyy";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

/// The reply that is given to the first callback; all others are accepted.
fn first(reply: Reply) -> impl Fn(&Callback) -> Reply + Send + Sync + 'static {
    let calls = AtomicUsize::new(0);
    move |_| if calls.fetch_add(1, Ordering::Relaxed) == 0 { reply.clone() } else { Reply::ok() }
}

fn is_signed(callback: &Callback) -> bool {
    let query = callback.target.split_once('?').unwrap().1;
    ReceivedQuery::parse(query).sign.is_some_and(|sign| sign.made_with(TOKEN, now_s()))
}

#[tokio::test]
async fn the_request_to_the_letter() {
    let mut app = Setup::told()
        .callback(&format!("token = {TOKEN:?}\nsigning_secret = {SECRET:?}"))
        .path("/a/callback?team=red%20one")
        .start()
        .await;
    app.send_ok(["ana", "bo"], 1, "hi").await;
    let callback = app.receiver.next().await;
    let sign = callback.parameter("Sign");
    let target = format!(
        "POST /a/callback?team=red%20one&SdkAppid=1400000001&CallbackCommand=C2C.CallbackAfterSendMsg&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI&Sign={sign}&RequestTime=T"
    );
    assert_eq!(literal(&callback.target), target);
    assert!(sign.len() == 64 && sign.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{sign}");
    assert!(is_signed(&callback) && callback.body_is_signed(SECRET), "{callback:?}");
    assert_eq!(callback.header("content-type"), "application/json");
    assert_eq!(callback.header("content-length"), callback.body.len().to_string());
    assert_eq!(callback.header("host"), app.receiver.address.to_string());
    assert!(callback.header("webhook-id").starts_with("evt_1400000001_"), "{callback:?}");
    app.stop().await;
}

#[tokio::test]
async fn without_secrets_nothing_is_signed() {
    let mut app = Setup::told().start().await;
    app.send_ok(["ana", "bo"], 1, "hi").await;
    let callback = app.receiver.next().await;
    let target = "POST /callback?SdkAppid=1400000001&CallbackCommand=C2C.CallbackAfterSendMsg&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI";
    assert_eq!(callback.target, target);
    assert_eq!(callback.header("webhook-signature"), "");
    app.stop().await;
}

#[tokio::test]
async fn every_documented_member_with_its_type() {
    let mut app = Setup::told().start().await;
    let body = format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":"4294967295","MsgRandom":"4294967295","MsgBody":{}}}"#,
        text_body("hi")
    );
    app.rest("openim/sendmsg", &body).await;
    let callback = app.receiver.next().await.json();
    let kinds: Vec<_> =
        callback.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), kind(value))).collect();
    // The thirteen that are documented, and two that newer versions have. In the order of a sorted map.
    let expected = [
        ("CallbackCommand", "String"),
        ("CloudCustomData", "String"),
        ("ErrorInfo", "String"),
        ("EventTime", "Integer"),
        ("From_Account", "String"),
        ("MsgBody", "Array"),
        ("MsgId", "String"),
        ("MsgKey", "String"),
        ("MsgRandom", "Integer"),
        ("MsgSeq", "Integer"),
        ("MsgTime", "Integer"),
        ("OnlineOnlyFlag", "Integer"),
        ("SendMsgResult", "Integer"),
        ("To_Account", "String"),
        ("UnreadMsgNum", "Integer"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!((&callback["MsgSeq"], &callback["MsgRandom"]), (&u32::MAX.into(), &u32::MAX.into()));
    assert!(callback["MsgTime"].as_u64().unwrap() <= 2_147_483_647);
    app.stop().await;
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_i64() => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        _ => "something else",
    }
}

#[tokio::test]
async fn platforms() {
    let mut app = Setup::told().start().await;
    for (random, (named, told)) in (0..).zip([
        ("Web", "Web"),
        ("Android", "Android"),
        ("iOS", "iOS"),
        ("Windows", "Windows"),
        ("Mac", "Mac"),
        ("iPad", "iPad"),
        ("Toaster", "Unknown"),
        ("RESTAPI", "Unknown"),
    ]) {
        let mut device = app.device_with("ana", &format!(r#","platform":"{named}""#)).await;
        let frame =
            format!(r#"{{"id":2,"op":"send","to":"bo","random":{random},"body":{}}}"#, text_body(named));
        assert!(device.ask(frame).await.starts_with(r#"{"id":2,"ok":"#));
        assert_eq!(app.receiver.next().await.parameter("OptPlatform"), told);
    }
    app.stop().await;
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_told() {
    let mut app = Setup::telling(&["C2C.CallbackAfterMsgReport"]).start().await;
    app.send_ok(["ana", "bo"], 1, "hi").await;
    let mut bo = app.device("bo").await;
    assert_eq!(bo.ask(r#"{"id":2,"op":"read","peer":"ana"}"#).await, r#"{"id":2,"ok":{}}"#);
    assert_eq!(app.receiver.next().await.parameter("CallbackCommand"), "C2C.CallbackAfterMsgReport");
    drop(bo);
    app.stop().await;
}

/// Every answer that is no acceptance, to as many conversations at once. Each is told again, under the same id and
/// with the same body, and then the next message of its conversation.
#[tokio::test]
async fn what_is_told_again() {
    let replies = [
        Reply::new(500, "{}"),
        Reply::new(503, "<html>later</html>"),
        Reply::new(408, ""),
        Reply::new(429, "slow down"),
        Reply::new(200, "success").with(&[("content-type", "application/json")]),
        Reply::new(200, ""),
        Reply::new(200, r#"{"ActionStatus":"OK""#),
        Reply::new(204, ""),
        Reply::new(302, "").with(&[("location", "/elsewhere")]),
        Reply::new(307, "").with(&[("location", "/elsewhere")]),
        Reply::reset(),
        Reply::new(200, " ".repeat(10_000_000)),
    ];
    let people: Vec<String> = (0..replies.len()).map(|number| format!("user{number}")).collect();
    let refused: HashMap<String, Reply> = people.iter().cloned().zip(replies).collect();
    let seen = std::sync::Mutex::new(HashMap::<String, usize>::new());
    let answers = move |callback: &Callback| {
        let mut seen = seen.lock().unwrap();
        let calls = seen.entry(callback.to()).or_default();
        *calls += 1;
        if *calls == 1 { refused[&callback.to()].clone() } else { Reply::ok() }
    };
    // A machine that is busy must not turn an acceptance into a time-out.
    let mut app = Setup::told().callback("timeout_ms = 30000").answering(answers).start().await;
    app.rest("im_open_login_svc/multiaccount_import", &serde_json::json!({ "Accounts": people }).to_string())
        .await;
    for person in &people {
        app.send_ok(["ana", person], 1, "first").await;
        app.send_ok(["ana", person], 2, "second").await;
    }
    let mut told: HashMap<String, Vec<Callback>> = HashMap::new();
    for _ in 0..people.len() * 3 {
        let callback = app.receiver.next().await;
        told.entry(callback.to()).or_default().push(callback);
    }
    for person in &people {
        let [failed, again, next] = &told[person][..] else { panic!("{person}: {:?}", told[person]) };
        assert_eq!(failed.header("webhook-id"), again.header("webhook-id"), "{person}");
        assert_eq!(failed.body, again.body, "{person}");
        assert_eq!((again.text().as_str(), next.text().as_str()), ("first", "second"), "{person}");
        assert!(again.target.starts_with("POST /callback?"), "no redirect is followed: {}", again.target);
        assert_ne!(again.header("webhook-id"), next.header("webhook-id"), "{person}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let mut app = Setup::told().callback("timeout_ms = 300").answering(first(Reply::never())).start().await;
    app.send_ok(["ana", "bo"], 1, "first").await;
    let failed = app.receiver.next().await;
    let again = app.receiver.next().await;
    assert_eq!((again.header("webhook-id"), &again.body), (failed.header("webhook-id"), &failed.body));
    app.send_ok(["ana", "bo"], 2, "second").await;
    // On a machine that is busy, one more time-out is no fault.
    let mut next = app.receiver.next().await;
    while next.text() == "first" {
        next = app.receiver.next().await;
    }
    assert_eq!(next.text(), "second");
    app.stop().await;
}

#[tokio::test]
async fn retry_after_is_honoured_and_every_attempt_is_signed_anew() {
    let reply = Reply::new(429, "slow down").with(&[("retry-after", "2")]);
    let mut app = Setup::told()
        .callback(&format!("token = {TOKEN:?}\nsigning_secret = {SECRET:?}"))
        .answering(first(reply))
        .start()
        .await;
    app.send_ok(["ana", "bo"], 1, "hi").await;
    let attempts = [app.receiver.next().await, app.receiver.next().await];
    let times = attempts.each_ref().map(|attempt| attempt.parameter("RequestTime").parse::<u64>().unwrap());
    assert!(times[1] >= times[0] + 2, "asked to wait 2 s: {times:?}");
    for attempt in &attempts {
        assert!(is_signed(attempt) && attempt.body_is_signed(SECRET), "{attempt:?}");
        assert_eq!(attempt.header("webhook-timestamp"), attempt.parameter("RequestTime"));
    }
    assert_ne!(attempts[0].parameter("Sign"), attempts[1].parameter("Sign"));
    assert_eq!(attempts[0].header("webhook-id"), attempts[1].header("webhook-id"));
    app.stop().await;
}

const FAIL: &str = r#"{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"busy"}"#;

#[tokio::test]
async fn an_answer_that_says_fail_is_an_answer() {
    let answers = [FAIL, "{}", "[]", r#""received""#, "\u{feff}{\"ErrorCode\":0}"];
    let mut app = Setup::told()
        .answering(move |callback| match callback.text().parse::<usize>() {
            Ok(number) => Reply::new(200, answers[number]).with(&[("content-type", "text/plain")]),
            Err(_) => Reply::ok(),
        })
        .start()
        .await;
    for number in 0..answers.len() {
        app.send_ok(["ana", "bo"], 1, &number.to_string()).await;
    }
    app.send_ok(["ana", "bo"], 1, "last").await;
    for expected in ["0", "1", "2", "3", "4", "last"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    app.stop().await;
}

#[tokio::test]
async fn an_app_may_want_fail_told_again() {
    let setup = Setup::told().callback("retry_on_error_code = true");
    let mut app = setup.answering(first(Reply::new(200, FAIL))).start().await;
    app.send_ok(["ana", "bo"], 1, "first").await;
    app.send_ok(["ana", "bo"], 2, "second").await;
    for expected in ["first", "first", "second"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    app.stop().await;
}

/// What stands parked, once the server has stopped: attempts, what the last of them came to, and what was answered to
/// each.
async fn parked(app: TestApp) -> Vec<(u32, String, Vec<String>)> {
    let directory = app.stop().await;
    let store = Embedded::open(directory.path().join("data/store"), EmbeddedOptions::default()).unwrap();
    let mut parked = Vec::new();
    for index in 0..store.lanes_per_app() {
        let lane = Lane { app: AppId(SDKAPPID), index };
        let route = Route { lane, endpoint: EndpointId(Arc::from("ep_default")) };
        for exception in store.parked(&route, 0, 100).await.unwrap() {
            let failures = store.failures(&route, exception.offset).await.unwrap();
            let answers = failures.into_iter().map(|failed| failed.failure.answer).collect();
            parked.push((exception.attempts, exception.last_failure, answers));
        }
    }
    parked
}

#[tokio::test]
async fn what_is_refused_for_good_stands_parked_and_lets_the_next_one_through() {
    let refuse = |callback: &Callback| match callback.text().as_str() {
        "first" => Reply::new(400, "no such user"),
        _ => Reply::ok(),
    };
    let mut app = Setup::told().callback("refused_attempts_max = 2").answering(refuse).start().await;
    app.send_ok(["ana", "bo"], 1, "first").await;
    app.send_ok(["ana", "bo"], 2, "second").await;
    for expected in ["first", "first", "second"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    assert_eq!(parked(app).await, [(2, "answered 400".to_owned(), vec!["no such user".to_owned(); 2])]);
}

#[tokio::test]
async fn without_delays_there_is_one_attempt() {
    let refuse = |callback: &Callback| match callback.text().as_str() {
        "first" => Reply::new(500, "oh no"),
        _ => Reply::ok(),
    };
    let commands = r#"events = ["C2C.CallbackAfterSendMsg"]"#;
    let setup = Setup::default().callback(commands).callback("retry_delays_secs = []");
    let mut app = setup.answering(refuse).start().await;
    app.send_ok(["ana", "bo"], 1, "first").await;
    app.send_ok(["ana", "bo"], 2, "second").await;
    for expected in ["first", "second"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    assert_eq!(parked(app).await, [(1, "answered 500".to_owned(), vec!["oh no".to_owned()])]);
}

#[tokio::test]
async fn a_conversation_that_fails_holds_back_itself_and_nobody_else() {
    let opened = CancellationToken::new();
    let failed = first(Reply::new(500, "").after(&opened));
    let answers =
        move |callback: &Callback| if callback.to() == "bo" { failed(callback) } else { Reply::ok() };
    let mut app = Setup::told().callback("timeout_ms = 30000").answering(answers).start().await;
    app.send_ok(["ana", "bo"], 1, "first").await;
    assert_eq!(app.receiver.next().await.text(), "first");
    // While it is under way, the rest of its conversation waits, in both directions. Others do not.
    app.send_ok(["ana", "bo"], 2, "second").await;
    app.send_ok(["bo", "ana"], 3, "third").await;
    for (random, between) in [(4, ["ana", "cy"]), (5, ["cy", "ana"]), (6, ["cy", "cy"])] {
        app.send_ok(between, random, "elsewhere").await;
        assert_eq!(app.receiver.next().await.text(), "elsewhere");
    }
    opened.cancel();
    for expected in ["first", "second", "third"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    app.stop().await;
}

/// Endpoints that fail are probed one call at a time; once one is accepted, everything that waited follows.
#[tokio::test]
async fn an_endpoint_that_comes_back_is_told_everything_in_order() {
    let is_back = CancellationToken::new();
    let back = is_back.clone();
    let mut app = Setup::told()
        .callback("breaker_failures_max = 2\nprobe_delay_ms_min = 50\nprobe_delay_ms_max = 100")
        .answering(move |_| if back.is_cancelled() { Reply::ok() } else { Reply::new(502, "") })
        .start()
        .await;
    for random in 0..30 {
        app.send_ok(["ana", if random % 2 == 0 { "bo" } else { "cy" }], random, &random.to_string()).await;
    }
    // Two failures open the breaker; the third call is a probe.
    for _ in 0..3 {
        app.receiver.next().await;
    }
    is_back.cancel();
    let (mut accepted, mut ids) = (HashMap::<String, Vec<u32>>::new(), std::collections::HashSet::new());
    while ids.len() < 30 || accepted.values().any(|seen| seen.last().is_none_or(|last| *last < 28)) {
        let callback = app.receiver.next().await;
        let (number, seen) = (callback.text().parse().unwrap(), accepted.entry(callback.to()).or_default());
        if seen.last() != Some(&number) {
            seen.push(number);
        }
        ids.insert(callback.header("webhook-id").to_owned());
    }
    assert_eq!(accepted["bo"], (0..30).step_by(2).collect::<Vec<_>>());
    assert_eq!(accepted["cy"], (1..30).step_by(2).collect::<Vec<_>>());
    app.stop().await;
}
