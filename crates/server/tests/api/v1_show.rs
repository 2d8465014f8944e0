//! One event, and how it stands with every endpoint.

use crate::app::{Setup, TestApp};
use crate::receiver::Reply;
use crate::v1_call::{act, get, ids, normal, read, refused};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const SENDS: &str = r#"events = ["C2C.CallbackAfterSendMsg"]"#;

/// How the event of this offset stands with the first endpoint, in its normal form.
async fn standing(app: &TestApp, offset: usize) -> String {
    let id = &ids(app).await[offset - 1];
    let shown = get(app, &format!("/events/{id}")).await.body;
    let at = shown.find(r#""endpoints":"#).unwrap();
    normal(&shown[at..])
}

#[tokio::test]
async fn done() {
    let mut app = Setup::told().start().await;
    app.send_ok(["ana", "bo"], 1, "one").await;
    app.receiver.next().await;
    let app = app.restart().await;
    let id = ids(&app).await.remove(0);
    let shown = read(&app, &format!("/events/{id}")).await;
    assert_eq!(shown["id"], id.as_str());
    assert_eq!(shown["body"]["MsgBody"][0]["MsgContent"]["Text"], "one");
    assert_eq!(shown["position"], read(&app, "/events").await["events"][0]["position"]);
    let expected = r#""endpoints":[{"endpoint":"ep_default","state":"done","at_ms":MS,"attempt":1,"code":0,"failures":[]}]}"#;
    assert_eq!(standing(&app, 1).await, expected);
    app.stop().await;
}

#[tokio::test]
async fn under_way_and_behind_and_waiting() {
    let opened = CancellationToken::new();
    let answers = {
        let opened = opened.clone();
        move |callback: &crate::receiver::Callback| match callback.to().as_str() {
            "bo" => Reply::ok().after(&opened),
            _ => Reply::ok(),
        }
    };
    let mut app = Setup::told().callback("timeout_ms = 30000").answering(answers).start().await;
    app.send_ok(["ana", "bo"], 1, "first").await;
    assert_eq!(app.receiver.next().await.text(), "first");
    app.send_ok(["ana", "bo"], 2, "second").await;
    // Once this one is told, the one before it was taken up as well.
    app.send_ok(["ana", "cy"], 3, "third").await;
    assert_eq!(app.receiver.next().await.text(), "third");
    let expected =
        r#""endpoints":[{"endpoint":"ep_default","state":"in_flight","attempt":1,"failures":[]}]}"#;
    assert_eq!(standing(&app, 1).await, expected);
    let expected = r#""endpoints":[{"endpoint":"ep_default","state":"behind","behind":"evt_1400000001_0_E_1","failures":[]}]}"#;
    assert_eq!(standing(&app, 2).await, expected);
    opened.cancel();
    assert_eq!(app.receiver.next().await.text(), "second");
    app.stop().await;
}

#[tokio::test]
async fn retrying_and_parked() {
    let setup = Setup::default()
        .callback(SENDS)
        .callback("retry_delays_secs = [3600]\nrefused_attempts_max = 1")
        .answering(|callback| match callback.text().as_str() {
            "later" => Reply::new(503, "try later"),
            "never" => Reply::new(400, "no such user"),
            _ => Reply::ok(),
        });
    let mut app = setup.start().await;
    app.send_ok(["ana", "bo"], 1, "later").await;
    app.send_ok(["ana", "cy"], 2, "never").await;
    app.receiver.next().await;
    app.receiver.next().await;
    let app = app.restart().await;
    let later = read(&app, &format!("/events/{}", ids(&app).await[0])).await;
    let standing_later = &later["endpoints"][0];
    assert_eq!((&standing_later["state"], &standing_later["attempts"]), (&"retrying".into(), &1.into()));
    let due_ms = standing_later["due_ms"].as_u64().unwrap() - later["recorded_ms"].as_u64().unwrap();
    assert!((2_800_000..4_800_000).contains(&due_ms), "in about an hour: {due_ms}");
    assert_eq!(standing_later["failures"][0]["words"], "answered 503");
    let expected = r#""endpoints":[{"endpoint":"ep_default","state":"parked","at_ms":MS,"attempts":1,"last_failure":"answered 400","failures":[{"number":1,"at_ms":MS,"reason":"status","status":400,"latency_ms":L,"words":"answered 400","answer":"no such user"}]}]}"#;
    assert_eq!(standing(&app, 2).await, expected);
    app.stop().await;
}

#[tokio::test]
async fn not_wanted_and_why() {
    for (settings, why) in [
        (r#"events = ["State.StateChange"]"#, "events"),
        (r#"senders = ["cy"]"#, "senders"),
        (r#"recipients = ["cy"]"#, "recipients"),
        (r#"message_types = ["TIMFaceElem"]"#, "message_types"),
    ] {
        let app = Setup::default().callback(settings).start().await;
        let body = r#"{"event":"C2C.CallbackAfterSendMsg","from":"ana","to":"bo"}"#;
        act(&app, "/trigger", body).await;
        let expected = format!(
            r#""endpoints":[{{"endpoint":"ep_default","state":"not_wanted","why":"{why}","failures":[]}}]}}"#
        );
        assert_eq!(standing(&app, 1).await, expected);
        app.stop().await;
    }
}

#[tokio::test]
async fn events_that_are_not_there() {
    let app = Setup::default().start().await;
    act(&app, "/trigger", r#"{"event":"State.StateChange"}"#).await;
    let id = ids(&app).await.remove(0);
    let nobody: Value = read(&app, &format!("/events/{id}")).await;
    assert_eq!(nobody["endpoints"], Value::Array(Vec::new()));
    for (name, text) in [
        ("nonsense".to_owned(), "this names no event of the app"),
        (id.replace("1400000001", "1400000002"), "this names no event of the app"),
        (id.replace("_0_", "_1_"), "this names no event of the app"),
        ("evt_1400000001_0_1_1".to_owned(), "the event is of another log"),
        (format!("{}2", id.strip_suffix('1').unwrap()), "there is no such event yet"),
    ] {
        let answer = get(&app, &format!("/events/{name}")).await;
        assert_eq!(refused(&answer), (404, 11_102, text.to_owned()), "{name}");
    }
    app.stop().await;
}
