//! Word lists: messages are blocked, masked, marked, or not looked at.

use crate::app::{Setup, text_body};
use crate::literal::literal;

const REFUSED: &str = r#"{"ActionStatus":"FAIL","ErrorCode":80001,"ErrorInfo":"the message contains words that the app does not allow"}"#;

#[tokio::test]
async fn blocked() {
    let mut app = Setup::told().filter("block", "red packet").start().await;
    let mut bo = app.device("bo").await;
    for (random, text) in [(1, "a RED packet"), (2, "ｒｅｄ pac\u{200b}ket")] {
        assert_eq!(app.send(["ana", "bo"], random, text, r#","MsgSeq":7"#).await, REFUSED);
        let told = format!(
            r#"{{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":{random},"MsgTime":T,"MsgKey":"7_{random}_T","OnlineOnlyFlag":0,"SendMsgResult":80001,"ErrorInfo":"the message contains words that the app does not allow","UnreadMsgNum":-1,"MsgBody":{},"CloudCustomData":"","MsgId":"N-T-{random}","EventTime":MS}}"#,
            text_body(text)
        );
        assert_eq!(literal(&app.receiver.next().await.body), told);
    }
    let mut ana = app.device("ana").await;
    let frame = format!(r#"{{"id":2,"op":"send","to":"bo","random":3,"body":{}}}"#, text_body("red packet"));
    assert_eq!(
        ana.ask(frame).await,
        r#"{"id":2,"error":{"code":80001,"text":"the message contains words that the app does not allow","temporary":false}}"#
    );
    assert_eq!(app.receiver.next().await.parameter("OptPlatform"), "Web");

    app.send_ok(["ana", "bo"], 4, "lunch").await;
    assert_eq!(bo.hear_message().await, (1, 1, "lunch".to_owned()));
    assert_eq!(app.texts("ana", "bo").await, ["lunch"]);
    let callback = app.receiver.next().await.json();
    assert_eq!(callback["UnreadMsgNum"], 1);
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_refused_message_to_nobody_is_told_to_nobody() {
    let mut app = Setup::told().filter("block", "red packet").start().await;
    let unknown = r#"{"ActionStatus":"FAIL","ErrorCode":20003,"ErrorInfo":"the sender or the recipient is not a known account"}"#;
    assert_eq!(app.send(["ana", "nobody"], 1, "red packet", "").await, unknown);
    app.send(["ana", "bo"], 2, "red packet", r#","ForbidCallbackControl":["ForbidAfterSendMsgCallback"]"#)
        .await;
    app.send_ok(["ana", "bo"], 3, "lunch").await;
    assert_eq!(app.receiver.next().await.text(), "lunch");
    app.stop().await;
}

#[tokio::test]
async fn masked() {
    let mut app = Setup::told().filter("mask", "darn").start().await;
    let mut bo = app.device("bo").await;
    let body = |first: &str| {
        format!(
            r#"[ {{"MsgType":"TIMTextElem","MsgContent":{{"x":1.0,"Text":"{first}"}}}},{{"MsgType":"TIMCustomElem","MsgContent":{{"Data":"darn"}}}}]"#
        )
    };
    let request = format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgRandom":1,"CloudCustomData":"darn","MsgBody":{}}}"#,
        body("d\\u0061rn it, DARN")
    );
    app.rest("openim/sendmsg", &request).await;
    // Only the text is rewritten; custom elements and custom data are the app's own.
    let shown = format!(r#","MsgBody":{},"CloudCustomData":"darn","#, body("**** it, ****"));
    for place in [bo.hear().await, app.history("bo", "ana").await, app.receiver.next().await.body] {
        assert!(place.contains(&shown), "{place}");
    }
    // A resend repeats what was sent, not what was made of it.
    app.rest("openim/sendmsg", &request).await;
    app.send_ok(["ana", "bo"], 2, "fine").await;
    assert_eq!(app.receiver.next().await.text(), "fine");
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn marked_and_not_looked_at() {
    let setup = Setup::told().filter("mark", "soft").filter("mask", "hard").filter("block", "never");
    let mut app = setup.start().await;
    app.send_ok(["ana", "bo"], 1, "soft").await;
    app.send_ok(["ana", "bo"], 2, "soft, hard").await;
    assert_eq!(app.send(["ana", "bo"], 3, "soft, hard, never", "").await, REFUSED);
    app.send(["ana", "bo"], 4, "hard, never", r#","SendMsgControl":["NoMsgCheck"]"#).await;
    assert_eq!(app.texts("bo", "ana").await, ["soft", "soft, ****", "hard, never"]);
    for (result, text, marked) in [
        (0, "soft", Some(1)),
        (0, "soft, ****", Some(1)),
        (80001, "soft, hard, never", None),
        (0, "hard, never", None),
    ] {
        let callback = app.receiver.next().await;
        assert_eq!((&callback.json()["SendMsgResult"], callback.text().as_str()), (&result.into(), text));
        assert_eq!(
            callback.json().get("HasRiskContent").and_then(serde_json::Value::as_i64),
            marked,
            "{text}"
        );
    }
    app.stop().await;
}
