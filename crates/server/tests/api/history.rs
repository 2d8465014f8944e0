//! `openim/admin_getroammsg`: pages from new to old, each told from old to new.

use crate::app::{Setup, TestApp, admin_query};
use serde_json::{Value, json};

async fn page(app: &TestApp, request: &Value) -> Value {
    let answer = app.call_exactly("openim/admin_getroammsg", &admin_query(), &request.to_string()).await;
    serde_json::from_str(&answer).unwrap()
}

fn texts(page: &Value) -> Vec<&str> {
    let messages = page["MsgList"].as_array().unwrap();
    messages.iter().map(|message| message["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_join_without_a_gap_and_without_a_double() {
    let app = Setup::default().start().await;
    // All of the same second, as far as the clock wants it: the key alone keeps pages apart.
    let all: Vec<String> = (0..25).map(|number| format!("message {number}")).collect();
    for (number, text) in (0..).zip(&all) {
        let between = if number % 3 == 0 { ["bo", "ana"] } else { ["ana", "bo"] };
        app.send_ok(between, number, text).await;
    }
    let mut request = json!({"Operator_Account":"bo","Peer_Account":"ana","MaxCnt":10,"MinTime":0,"MaxTime":4_000_000_000_u64});
    let mut seen: Vec<String> = Vec::new();
    for count in [10, 10, 5] {
        let page = page(&app, &request).await;
        assert_eq!((&page["MsgCnt"], &page["Complete"]), (&count.into(), &u8::from(count < 10).into()));
        let oldest = &page["MsgList"][0];
        assert_eq!((&page["LastMsgKey"], &page["LastMsgTime"]), (&oldest["MsgKey"], &oldest["MsgTimeStamp"]));
        request["MaxTime"] = page["LastMsgTime"].clone();
        request["LastMsgKey"] = page["LastMsgKey"].clone();
        seen = texts(&page).into_iter().map(str::to_owned).chain(seen).collect();
    }
    assert_eq!(seen, all);
    app.stop().await;
}

#[tokio::test]
async fn the_window_and_its_limits() {
    let app = Setup::default().start().await;
    app.send_ok(["ana", "bo"], 1, "one").await;
    app.send_ok(["ana", "bo"], 2, "two").await;
    let empty = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Complete":1,"MsgCnt":0,"LastMsgTime":0,"LastMsgKey":"","MsgList":[]}"#;
    let ask = async |window: &str| {
        app.rest(
            "openim/admin_getroammsg",
            &format!(r#"{{"Operator_Account":"bo","Peer_Account":"ana","MaxCnt":100,{window}}}"#),
        )
        .await
    };
    assert_eq!(ask(r#""MinTime":0,"MaxTime":1000000000"#).await, empty);
    assert_eq!(ask(r#""MinTime":3999999999,"MaxTime":4000000000"#).await, empty);
    assert_eq!(ask(r#""MinTime":4000000000,"MaxTime":0"#).await, empty);
    assert_eq!(app.history("bo", "cy").await, empty);
    for (member, code) in [
        (r#""Operator_Account":"nobody""#, 90008),
        (r#""Peer_Account":"nobody""#, 90003),
        (r#""MaxCnt":0"#, 90010),
        (r#""MinTime":"soon""#, 90010),
        (r#""LastMsgKey":"1_2""#, 90054),
    ] {
        let answer = ask(&format!(r#""MinTime":0,"MaxTime":4000000000,{member}"#)).await;
        assert!(answer.contains(&format!(r#""ErrorCode":{code},"#)), "{member} {answer}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_page_of_long_messages_ends_early() {
    let app = Setup::default().start().await;
    for random in 0..4 {
        app.send_ok(["ana", "bo"], random, &random.to_string().repeat(6_000)).await;
    }
    let mut request = json!({"Operator_Account":"bo","Peer_Account":"ana","MaxCnt":100,"MinTime":0,"MaxTime":4_000_000_000_u64});
    let mut pages = 0;
    let mut seen = String::new();
    loop {
        let page = page(&app, &request).await;
        let firsts: String = texts(&page).iter().map(|text| &text[..1]).collect();
        assert!(!firsts.is_empty() && firsts.len() < 4, "one page has some of them: {firsts:?}");
        seen.insert_str(0, &firsts);
        pages += 1;
        if page["Complete"] == 1 {
            break;
        }
        request["MaxTime"] = page["LastMsgTime"].clone();
        request["LastMsgKey"] = page["LastMsgKey"].clone();
    }
    assert!(seen == "0123" && pages > 1, "{seen} in {pages} pages");
    app.stop().await;
}
