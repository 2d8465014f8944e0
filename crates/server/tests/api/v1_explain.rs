//! What became of a message, in plain words.

use crate::app::{Setup, TestApp, text_body};
use crate::receiver::{Callback, Reply};
use crate::v1_call::{get, ids, normal, read, refused};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const FORBID_AFTER: &str = r#","ForbidCallbackControl":["ForbidAfterSendMsgCallback"]"#;
const NOT_ASKED: &str = "The backend is not asked before messages are sent.";
const SENT: &str = "It was sent, and its event evt_1400000001_0_E_1 was recorded at D.";

/// Sends, and returns the message's key.
async fn send(app: &TestApp, [from, to]: [&str; 2], random: u32, more: &str) -> String {
    let body = format!(
        r#"{{"From_Account":"{from}","To_Account":"{to}","MsgRandom":{random},"MsgBody":{}{more}}}"#,
        text_body("hi")
    );
    let answer = app.call_exactly("openim/sendmsg", &crate::app::admin_query(), &body).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["MsgKey"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The sentences, in their normal form.
async fn lines(app: &TestApp, query: &str) -> Vec<String> {
    let explained = read(app, &format!("/explain?{query}")).await;
    let lines = explained["lines"].as_array().unwrap();
    lines.iter().map(|line| normal(line.as_str().unwrap())).collect()
}

#[tokio::test]
async fn delivered() {
    let mut app = Setup::asked().start().await;
    let key = send(&app, ["ana", "bo"], 1, "").await;
    assert!(app.receiver.next().await.is_question());
    assert!(!app.receiver.next().await.is_question());
    let before = lines(&app, &format!("key={key}")).await;
    assert_eq!(
        before[..2],
        ["The backend was asked about it at D, and answered after L ms: pass.", SENT]
            .map(latency_kept(&before[0]))
    );
    let app = app.restart().await;
    let explained = read(&app, &format!("/explain?key={key}")).await;
    assert_eq!(explained["message"], json!({ "from": "ana", "to": "bo", "stored": true }));
    assert_eq!(explained["event"]["id"], ids(&app).await[0].as_str());
    assert_eq!(explained["endpoints"][0]["state"], "done");
    let told = "ep_default was told of it at D, in attempt 1, and answered 0.";
    let forgotten = "No question to the backend about it is remembered: it was not asked, or other questions have come since, or the server was started since.";
    assert_eq!(lines(&app, &format!("key={key}")).await, [forgotten, SENT, told]);
    app.stop().await;
}

/// The time that a call took, as it stands in a sentence, in place of `L`.
fn latency_kept(line: &str) -> impl Fn(&str) -> String {
    let took =
        line.split(" after ").nth(1).and_then(|rest| rest.split(" ms").next()).unwrap_or("L").to_owned();
    move |expected| expected.replace("after L ms", &format!("after {took} ms"))
}

#[tokio::test]
async fn not_wanted() {
    let app = Setup::default().callback(r#"senders = ["cy"]"#).start().await;
    let key = send(&app, ["ana", "bo"], 1, "").await;
    let told = "ep_default does not want it: its `senders` say so.";
    let lines = lines(&app, &format!("key={key}")).await;
    assert_eq!(lines[1..], [SENT, told]);
    app.stop().await;
}

#[tokio::test]
async fn forbidden_by_its_sender() {
    let app = Setup::told().start().await;
    let key = send(&app, ["ana", "bo"], 1, FORBID_AFTER).await;
    let explained = read(&app, &format!("/explain?key={key}&from=ana&to=bo")).await;
    assert_eq!(explained["message"]["stored"], true);
    assert_eq!((&explained["event"], &explained["endpoints"]), (&Value::Null, &json!([])));
    let why = "The message is stored, and has no event: its sender forbade it with ForbidCallbackControl.";
    assert_eq!(lines(&app, &format!("key={key}&from=ana&to=bo")).await, [NOT_ASKED, why]);
    let unknown =
        "There is no event with this key. With from and to given, the message itself is looked for as well.";
    assert_eq!(lines(&app, &format!("key={key}")).await, [NOT_ASKED, unknown]);
    app.stop().await;
}

#[tokio::test]
async fn vetoed() {
    let veto =
        |_: &Callback| Reply::new(200, r#"{"ActionStatus":"OK","ErrorCode":120001,"ErrorInfo":"not today"}"#);
    let mut app = Setup::asked().answering(veto).start().await;
    let refused = app.send(["ana", "bo"], 1, "hi", "").await;
    assert_eq!(refused, r#"{"ActionStatus":"FAIL","ErrorCode":120001,"ErrorInfo":"not today"}"#);
    app.receiver.next().await;
    let asked = read(&app, "/questions?outcome=veto").await["questions"][0].clone();
    let key = asked["key"].as_str().unwrap();
    let explained = read(&app, &format!("/explain?key={key}")).await;
    assert_eq!(explained["message"], json!({ "from": "ana", "to": "bo", "stored": false }));
    assert_eq!(explained["questions"][0]["outcome"], "veto");
    let lines = lines(&app, &format!("key={key}")).await;
    let asked = "The backend was asked about it at D, and answered after L ms: refuse (120001 not today).";
    let none = "There is no event: what the backend itself refuses is no news to it.";
    assert_eq!(lines, [asked, none].map(latency_kept(&lines[0])));
    app.stop().await;
}

#[tokio::test]
async fn behind_another() {
    let opened = CancellationToken::new();
    let after = opened.clone();
    let answers = move |callback: &Callback| match callback.to().as_str() {
        "bo" => Reply::ok().after(&after),
        _ => Reply::ok(),
    };
    let mut app = Setup::told().callback("timeout_ms = 30000").answering(answers).start().await;
    send(&app, ["ana", "bo"], 1, "").await;
    app.receiver.next().await;
    let key = send(&app, ["ana", "bo"], 2, "").await;
    // Once this one is told, the one before it was taken up as well.
    send(&app, ["ana", "cy"], 3, "").await;
    app.receiver.next().await;
    let sent = "It was sent, and its event evt_1400000001_0_E_2 was recorded at D.";
    let behind = "ep_default will be told of it after evt_1400000001_0_E_1, which comes first in its conversation and is not done.";
    assert_eq!(lines(&app, &format!("key={key}")).await, [NOT_ASKED, sent, behind]);
    opened.cancel();
    app.receiver.next().await;
    app.stop().await;
}

#[tokio::test]
async fn parked() {
    let setup = Setup::told().callback("refused_attempts_max = 1");
    let mut app = setup.answering(|_| Reply::new(400, "no such user")).start().await;
    let key = send(&app, ["ana", "bo"], 1, "").await;
    app.receiver.next().await;
    let app = app.restart().await;
    let parked = "ep_default was given up at D, after 1 failed attempt; the last failure: answered 400. The event stands parked until it is replayed.";
    assert_eq!(lines(&app, &format!("key={key}")).await, [NOT_ASKED, SENT, parked]);
    app.stop().await;
}

#[tokio::test]
async fn filtered() {
    let app = Setup::default().filter("block", "poison").start().await;
    app.send(["ana", "bo"], 5, "poison", "").await;
    let event = read(&app, "/events").await["events"][0].clone();
    let key = event["body"]["MsgKey"].as_str().unwrap();
    let refused = "It was refused with 80001 the message contains words that the app does not allow; event evt_1400000001_0_E_1, recorded at D, tells so.";
    assert_eq!(
        lines(&app, &format!("key={key}")).await,
        [NOT_ASKED, refused, "No endpoint is told of events."]
    );
    app.stop().await;
}

#[tokio::test]
async fn unknown() {
    let app = Setup::told().start().await;
    let never = "There is neither an event nor a message with this key between these two: the send was never seen, or was refused before anyone was asked.";
    for key in ["1_2_3", "4294967295_0_18446744073709551615"] {
        assert_eq!(lines(&app, &format!("key={key}&from=ana&to=bo")).await, [NOT_ASKED, never]);
        let explained = read(&app, &format!("/explain?key={key}")).await;
        assert_eq!(explained["message"], json!({ "from": null, "to": null, "stored": null }));
    }
    // The same key between others is another message.
    let key = send(&app, ["cy", "cy"], 1, FORBID_AFTER).await;
    assert_eq!(lines(&app, &format!("key={key}&from=ana&to=bo")).await, [NOT_ASKED, never]);
    assert_eq!(refused(&get(&app, "/explain?key=x").await).0, 400);
    app.stop().await;
}
