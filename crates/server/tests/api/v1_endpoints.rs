//! The endpoints: how far each is, what stands parked, and telling again.

use crate::app::{Setup, TestApp};
use crate::receiver::{Callback, Reply};
use crate::v1_call::{act, get, ids, normal, post, read, read_text, refused};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

const REPLAY: &str = "/endpoints/ep_default/replay";
const PARKED: &str = "/endpoints/ep_default/parked";

#[tokio::test]
async fn how_far_they_are_to_the_letter() {
    let opened = CancellationToken::new();
    let after = opened.clone();
    let mut app = Setup::asked()
        .callback("timeout_ms = 30000")
        .app("[[app.endpoint]]\nname = \"idle\"\nurl = \"http://127.0.0.1:9/in?token=secret\"\nsenders = [\"nobody\"]")
        .answering(move |callback| if callback.is_question() { Reply::ok() } else { Reply::ok().after(&after) })
        .start()
        .await;
    for (random, text) in [(1, "one"), (2, "two")] {
        app.send_ok(["ana", "bo"], random, text).await;
        assert!(app.receiver.next().await.is_question());
        if random == 1 {
            assert_eq!(app.receiver.next().await.text(), "one");
        }
    }
    let listed = read(&app, "/endpoints").await;
    let first = &listed["endpoints"][0];
    assert_eq!(first["endpoint"], "ep_default");
    assert_eq!(first["url"], format!("http://{}/callback", app.receiver.address));
    assert_eq!(first["asked"], true);
    assert_eq!(first["events"], json!(["C2C.CallbackBeforeSendMsg", "C2C.CallbackAfterSendMsg"]));
    assert_eq!((&first["backlog"], &first["in_flight"], &first["parked"]), (&json!(2), &json!(1), &json!(0)));
    assert!(first["oldest_age_ms"].is_u64() && first["breaker"] == "closed", "{first}");
    let idle = &listed["endpoints"][1];
    assert_eq!((&idle["endpoint"], &idle["url"]), (&json!("ep_idle"), &json!("http://127.0.0.1:9/in")));
    assert_eq!((&idle["asked"], &idle["events"]), (&json!(false), &Value::Null));
    opened.cancel();
    assert_eq!(app.receiver.next().await.text(), "two");
    let app = app.restart().await;
    let last = read(&app, "/events?after=now").await["next"].clone();
    let listed = read(&app, "/endpoints").await;
    for endpoint in listed["endpoints"].as_array().unwrap() {
        assert_eq!((&endpoint["backlog"], &endpoint["read_to"]), (&json!(0), &last), "{endpoint}");
        assert_eq!(endpoint["oldest_age_ms"], Value::Null);
    }
    app.stop().await;
}

#[tokio::test]
async fn without_endpoints_the_list_is_empty() {
    let app = Setup::default().start().await;
    assert_eq!(read_text(&app, "/endpoints").await, r#"{"endpoints":[]}"#);
    for (path, method) in [(PARKED, "GET"), (REPLAY, "POST")] {
        let answer = match method {
            "GET" => get(&app, path).await,
            _ => post(&app, path, r#"{"parked":true}"#).await,
        };
        assert_eq!(refused(&answer), (404, 11_101, "the app has no endpoint of this name".to_owned()));
    }
    app.stop().await;
}

/// An endpoint that refuses everything for good, until the test says otherwise.
struct Moody {
    app: TestApp,
    accepts: Arc<AtomicBool>,
}

impl Moody {
    async fn start() -> Self {
        let accepts = Arc::new(AtomicBool::new(false));
        let now = Arc::clone(&accepts);
        let answers = move |_: &Callback| match now.load(Ordering::Relaxed) {
            true => Reply::ok(),
            false => Reply::new(400, "not now"),
        };
        let setup = Setup::told().callback("refused_attempts_max = 1");
        Self { app: setup.answering(answers).start().await, accepts }
    }

    /// Sends these, has them parked, and accepts everything from then on.
    async fn with_parked(texts: &[&str]) -> TestApp {
        let Self { mut app, accepts } = Self::start().await;
        for (random, text) in (1..).zip(texts) {
            app.send_ok(["ana", "bo"], random, text).await;
            assert_eq!(app.receiver.next().await.text(), *text);
        }
        let app = app.restart().await;
        accepts.store(true, Ordering::Relaxed);
        app
    }
}

#[tokio::test]
async fn what_stands_parked_to_the_letter() {
    let app = Moody::with_parked(&["one", "two"]).await;
    let row = |offset| {
        format!(
            r#"{{"id":"evt_1400000001_0_E_{offset}","event":"C2C.CallbackAfterSendMsg","recorded_ms":MS,"parked_ms":MS,"attempts":1,"last_failure":"answered 400"}}"#
        )
    };
    let (first, second) = (row(1), row(2));
    let all = format!(r#"{{"parked":[{first},{second}],"more":false}}"#);
    assert_eq!(normal(&get(&app, PARKED).await.body), all);
    let one = format!(r#"{{"parked":[{first}],"more":true}}"#);
    assert_eq!(read_text(&app, &format!("{PARKED}?limit=1")).await, one);
    let ids = ids(&app).await;
    let rest = format!(r#"{{"parked":[{second}],"more":false}}"#);
    assert_eq!(read_text(&app, &format!("{PARKED}?after={}", ids[0])).await, rest);
    app.stop().await;
}

#[tokio::test]
async fn parked_events_are_told_again() {
    let mut app = Moody::with_parked(&["one", "two", "three"]).await;
    assert_eq!(act(&app, REPLAY, r#"{"parked":true,"limit":2}"#).await, json!({ "replayed": 2 }));
    for expected in ["one", "two"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    let parked = read(&app, PARKED).await;
    assert_eq!(parked["parked"][0]["id"], ids(&app).await[2].as_str(), "{parked}");
    assert_eq!(act(&app, REPLAY, r#"{"parked":true}"#).await, json!({ "replayed": 1 }));
    assert_eq!(app.receiver.next().await.text(), "three");
    assert_eq!(act(&app, REPLAY, r#"{"parked":true}"#).await, json!({ "replayed": 0 }));
    app.stop().await;
}

#[tokio::test]
async fn one_event_is_told_again() {
    let mut app = Setup::told().start().await;
    for (random, text) in [(1, "one"), (2, "two")] {
        app.send_ok(["ana", "bo"], random, text).await;
        assert_eq!(app.receiver.next().await.text(), text);
    }
    let mut app = app.restart().await;
    let ids = ids(&app).await;
    let body = format!(r#"{{"id":"{}"}}"#, ids[0]);
    assert_eq!(act(&app, REPLAY, &body).await, json!({ "replayed": 1 }));
    let told = app.receiver.next().await;
    assert_eq!((told.text().as_str(), told.header("webhook-id")), ("one", ids[0].as_str()));
    let answer = post(&app, REPLAY, r#"{"id":"evt_1400000001_0_1_1"}"#).await;
    assert_eq!(refused(&answer), (404, 11_102, "the event is of another log".to_owned()));
    app.stop().await;
}

#[tokio::test]
async fn from_a_place_and_from_a_time_on() {
    let mut app = Setup::told().start().await;
    for (random, text) in [(1, "one"), (2, "two"), (3, "three")] {
        app.send_ok(["ana", "bo"], random, text).await;
        assert_eq!(app.receiver.next().await.text(), text);
    }
    let mut app = app.restart().await;
    let events = read(&app, "/events").await;
    let position = events["events"][0]["position"].as_str().unwrap();
    assert_eq!(act(&app, REPLAY, &format!(r#"{{"after":"{position}"}}"#)).await, json!({ "replayed": 2 }));
    for expected in ["two", "three"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    assert_eq!(act(&app, REPLAY, r#"{"since_ms":0}"#).await, json!({ "replayed": 3 }));
    for expected in ["one", "two", "three"] {
        assert_eq!(app.receiver.next().await.text(), expected);
    }
    app.stop().await;
}

#[tokio::test]
async fn wishes_that_cannot_be_carried_out() {
    let app = Setup::told().start().await;
    act(&app, "/trigger", r#"{"event":"State.StateChange"}"#).await;
    for (body, status, code) in [
        ("", 400, 11_104),
        ("{}", 400, 11_104),
        ("nonsense", 400, 11_104),
        (r#"{"parked":false}"#, 400, 11_104),
        (r#"{"parked":true,"id":"evt_1_0_a_1"}"#, 400, 11_104),
        (r#"{"parked":true,"limit":10001}"#, 400, 11_104),
        (r#"{"everything":true}"#, 400, 11_104),
        (r#"{"after":"now"}"#, 400, 11_104),
        (r#"{"after":"1-1"}"#, 410, 11_103),
        (r#"{"id":"nonsense"}"#, 404, 11_102),
    ] {
        let (found, found_code, text) = refused(&post(&app, REPLAY, body).await);
        assert_eq!((found, found_code), (status, code), "{body}: {text}");
    }
    app.stop().await;
}
