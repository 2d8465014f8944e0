//! Events are pulled from a position, whatever endpoints are told.

use crate::app::{Setup, TestApp};
use crate::v1_call::{act, get, normal, read, read_text, refused, texts};
use serde_json::Value;

async fn sent(app: &TestApp, texts: &[&str]) {
    for (random, text) in (1..).zip(texts) {
        app.send_ok(["ana", "bo"], random, text).await;
    }
}

#[tokio::test]
async fn a_page_to_the_letter() {
    let app = Setup::default().start().await;
    assert_eq!(read_text(&app, "/events").await, r#"{"events":[],"next":"0-0","more":false}"#);
    sent(&app, &["one", "two"]).await;
    let first = r#"{"events":[{"position":"E-1","id":"evt_1400000001_0_E_1","event":"C2C.CallbackAfterSendMsg","recorded_ms":MS,"client_ip":"127.0.0.1","platform":"RESTAPI","body":{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":1,"MsgTime":T,"MsgKey":"1_1_T","OnlineOnlyFlag":0,"SendMsgResult":0,"ErrorInfo":"send msg succeed","UnreadMsgNum":1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"one"}}],"CloudCustomData":"","MsgId":"N-T-1","EventTime":MS}}],"next":"E-1","more":true}"#;
    assert_eq!(read_text(&app, "/events?limit=1").await, first);
    let after = read(&app, "/events?limit=1").await["next"].as_str().unwrap().to_owned();
    let second = read(&app, &format!("/events?after={after}")).await;
    assert_eq!((texts(&second), &second["more"]), (vec!["two"], &Value::Bool(false)));
    let end = second["next"].as_str().unwrap();
    assert_eq!(read(&app, "/events?after=now").await["next"], end);
    assert!(texts(&read(&app, &format!("/events?after={end}")).await).is_empty());
    // Before the log began, everything is ahead.
    assert_eq!(texts(&read(&app, "/events?after=0-0").await), ["one", "two"]);
    app.stop().await;
}

/// The body is the callback's, byte by byte.
#[tokio::test]
async fn what_is_pulled_is_what_is_told() {
    let mut app = Setup::told().start().await;
    sent(&app, &["é \"quoted\" \n"]).await;
    let told = app.receiver.next().await;
    let pulled = get(&app, "/events").await.body;
    assert!(pulled.contains(&format!(r#""body":{}}}"#, told.body)), "{pulled}\n{}", told.body);
    assert!(pulled.contains(&format!(r#""id":"{}""#, told.header("webhook-id"))), "{pulled}");
    app.stop().await;
}

#[tokio::test]
async fn a_filter_passes_over_what_does_not_fit() {
    let app = Setup::default().start().await;
    for event in
        ["State.StateChange", "C2C.CallbackAfterSendMsg", "Sns.CallbackFriendAdd", "State.StateChange"]
    {
        act(&app, "/trigger", &format!(r#"{{"event":"{event}"}}"#)).await;
    }
    let names = |page: &Value| -> Vec<String> {
        let events = page["events"].as_array().unwrap();
        events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    };
    let both = read(&app, "/events?event=Sns.CallbackFriendAdd&event=C2C.CallbackAfterSendMsg").await;
    assert_eq!(names(&both), ["C2C.CallbackAfterSendMsg", "Sns.CallbackFriendAdd"]);
    assert_eq!(both["next"], read(&app, "/events?after=now").await["next"]);
    let one = read(&app, "/events?event=Sns.CallbackFriendAdd&limit=1").await;
    assert_eq!((names(&one).len(), &one["more"]), (1, &Value::Bool(true)));
    let none = normal(&get(&app, "/events?event=Profile.CallbackPortraitSet").await.body);
    assert_eq!(none, r#"{"events":[],"next":"E-4","more":false}"#);
    app.stop().await;
}

#[tokio::test]
async fn an_event_that_comes_ends_the_wait() {
    let app = Setup::default().start().await;
    sent(&app, &["before"]).await;
    let end = read(&app, "/events?after=now").await["next"].as_str().unwrap().to_owned();
    let wait = format!("/events?after={end}&wait=60");
    let fitting = format!("{wait}&event=C2C.CallbackAfterMsgReport");
    let later = async {
        // Whoever waits for a second hears nothing; by then the others wait as well.
        let nothing = read(&app, &format!("/events?after={end}&wait=1")).await;
        assert_eq!((texts(&nothing), nothing["next"].as_str()), (vec![], Some(end.as_str())));
        sent(&app, &["", "", "meanwhile"]).await;
        act(&app, "/trigger", r#"{"event":"C2C.CallbackAfterMsgReport"}"#).await;
    };
    let (heard, filtered, ()) = tokio::join!(read(&app, &wait), read(&app, &fitting), later);
    assert!(!heard["events"].as_array().unwrap().is_empty());
    assert_eq!(filtered["events"][0]["event"], "C2C.CallbackAfterMsgReport");
    assert_eq!(filtered["events"].as_array().unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn from_a_time_on() {
    let app = Setup::default().start().await;
    sent(&app, &["one", "two", "three"]).await;
    let all = read(&app, "/events").await;
    let second_ms = all["events"][1]["recorded_ms"].as_u64().unwrap();
    let from_second = read(&app, &format!("/events?since_ms={second_ms}")).await;
    // Two may be of the same millisecond.
    assert!(texts(&from_second).ends_with(&["two", "three"]), "{from_second}");
    assert_eq!(texts(&read(&app, "/events?since_ms=0").await), ["one", "two", "three"]);
    let later = read(&app, &format!("/events?since_ms={}", second_ms + 3_600_000)).await;
    assert!(texts(&later).is_empty());
    assert_eq!(later["next"], all["next"]);
    app.stop().await;
}

#[tokio::test]
async fn positions_that_lead_nowhere() {
    let app = Setup::default().start().await;
    sent(&app, &["one"]).await;
    let end = read(&app, "/events").await["next"].as_str().unwrap().to_owned();
    let oldest = end.replace("-1", "-0");
    for (after, text) in [
        ("1-1".to_owned(), "the position is of another log"),
        (format!("{end}.{end}"), "the position is of another log"),
        (end.replace("-1", "-2"), "the position is beyond the end of the log, which is at 1"),
    ] {
        let answer = get(&app, &format!("/events?after={after}")).await;
        assert_eq!(refused(&answer), (410, 11_103, text.to_owned()), "{after}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["next"], oldest, "{after}");
    }
    app.stop().await;
}

/// A consumer that keeps its position gets everything once, whatever happens to the server.
#[tokio::test]
async fn a_consumer_goes_on_after_a_restart() {
    let mut app = Setup::default().start().await;
    let (mut seen, mut after) = (Vec::new(), "0-0".to_owned());
    for round in 0..3 {
        let first = round * 5;
        for number in first..first + 5 {
            app.send_ok(["ana", if number % 2 == 0 { "bo" } else { "cy" }], number, &number.to_string())
                .await;
        }
        for _ in 0..2 {
            let page = read(&app, &format!("/events?after={after}&limit=2")).await;
            seen.extend(texts(&page).into_iter().map(str::to_owned));
            after = page["next"].as_str().unwrap().to_owned();
        }
        app = app.restart().await;
    }
    let last = read(&app, &format!("/events?after={after}")).await;
    seen.extend(texts(&last).into_iter().map(str::to_owned));
    assert_eq!(seen, (0..15).map(|number| number.to_string()).collect::<Vec<_>>());
    app.stop().await;
}
