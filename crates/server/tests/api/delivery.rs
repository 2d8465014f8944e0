//! How single messages differ: unread or not, for the sender or not, stored or not, told or not.

use crate::app::Setup;

/// Unread total and text of the next callback.
async fn told(app: &mut crate::app::TestApp) -> (i64, String) {
    let callback = app.receiver.next().await;
    (callback.json()["UnreadMsgNum"].as_i64().unwrap(), callback.text())
}

fn expected(unread: i64, text: &str) -> (i64, String) {
    (unread, text.to_owned())
}

#[tokio::test]
async fn no_unread() {
    let mut app = Setup::told().start().await;
    let mut bo = app.device("bo").await;
    app.send_ok(["ana", "bo"], 1, "counts").await;
    app.send(["ana", "bo"], 2, "does not", r#","SendMsgControl":["NoUnread"]"#).await;
    app.send(["cy", "bo"], 3, "counts too", r#","SendMsgControl":["NoLastMsg"]"#).await;
    for (offset, unread, text) in [(1, 1, "counts"), (2, 1, "does not"), (3, 2, "counts too")] {
        assert_eq!(bo.hear_message().await, (offset, unread, text.to_owned()));
    }
    let mut all = [told(&mut app).await, told(&mut app).await, told(&mut app).await];
    all.sort_unstable();
    assert_eq!(all, [expected(1, "counts"), expected(1, "does not"), expected(2, "counts too")]);
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn the_senders_own_copy() {
    let app = Setup::default().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    app.send(["ana", "bo"], 1, "history", "").await;
    app.send(["ana", "bo"], 2, "devices", r#","SyncOtherMachine":1"#).await;
    app.send(["ana", "bo"], 3, "not at all", r#","SyncOtherMachine":2"#).await;
    app.send_ok(["ana", "bo"], 4, "last").await;
    assert_eq!(app.texts("ana", "bo").await, ["history", "devices", "last"]);
    assert_eq!(app.texts("bo", "ana").await, ["history", "devices", "not at all", "last"]);
    for (offset, text) in [(1, "history"), (2, "devices"), (3, "last")] {
        assert_eq!(ana.hear_message().await, (offset, 0, text.to_owned()));
    }
    for (offset, text) in [(1, "history"), (2, "devices"), (3, "not at all"), (4, "last")] {
        assert_eq!(bo.hear_message().await, (offset, offset, text.to_owned()));
    }
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn online_only() {
    let mut app = Setup::told().start().await;
    let mut bo = app.device("bo").await;
    let online = r#","MsgSeq":7,"OnlineOnlyFlag":1"#;
    let answer =
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgTime":T,"MsgKey":"7_1_T","MsgId":"N-T-1"}"#;
    assert_eq!(app.send(["ana", "bo"], 1, "typing", online).await, answer);
    assert_eq!(
        bo.hear().await,
        r#"{"push":"online_message","message":{"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":1,"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"7_1_T","MsgId":"N-T-1","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"typing"}}],"CloudCustomData":"","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#
    );
    let callback = app.receiver.next().await.json();
    assert_eq!((&callback["OnlineOnlyFlag"], &callback["UnreadMsgNum"]), (&1.into(), &0.into()));
    // A lifetime of nothing is the older way to say so.
    app.send(["ana", "bo"], 2, "typing on", r#","MsgLifeTime":0"#).await;
    assert_eq!(bo.hear_json().await["push"], "online_message");
    assert_eq!(told(&mut app).await, expected(0, "typing on"));

    app.send_ok(["ana", "bo"], 3, "sent").await;
    assert_eq!(bo.hear_message().await, (1, 1, "sent".to_owned()));
    assert_eq!(app.texts("bo", "ana").await, ["sent"]);
    assert_eq!(told(&mut app).await, expected(1, "sent"));
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn callbacks_forbidden_for_one_message() {
    let mut app = Setup::asked().start().await;
    let forbid = |words: &str| format!(r#","ForbidCallbackControl":[{words}]"#);
    let (before, after) = (r#""ForbidBeforeSendMsgCallback""#, r#""ForbidAfterSendMsgCallback""#);
    app.send(["ana", "bo"], 1, "both", &forbid(&format!("{before},{after}"))).await;
    app.send(["ana", "bo"], 2, "not before", &forbid(before)).await;
    app.send(["ana", "bo"], 3, "not after", &forbid(after)).await;
    app.send(["ana", "bo"], 4, "neither", &forbid("")).await;
    assert_eq!(app.texts("bo", "ana").await, ["both", "not before", "not after", "neither"]);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let callback = app.receiver.next().await;
        seen.push((callback.is_question(), callback.text()));
    }
    // Questions and events come on different connections; each kind is in order.
    seen.sort_by_key(|(is_question, _)| *is_question);
    let seen: Vec<_> = seen.iter().map(|(is_question, text)| (*is_question, text.as_str())).collect();
    assert_eq!(seen, [(false, "not before"), (false, "neither"), (true, "not after"), (true, "neither")]);
    app.stop().await;
}

#[tokio::test]
async fn flags_that_the_message_carries() {
    let app = Setup::default().start().await;
    app.send(["ana", "bo"], 1, "hi", r#","IsNeedReadReceipt":1,"SupportMessageExtension":1"#).await;
    let page = app.history("bo", "ana").await;
    assert!(page.contains(r#""IsNeedReadReceipt":1,"SupportMessageExtension":1}"#), "{page}");
    app.stop().await;
}

#[tokio::test]
async fn to_oneself() {
    let mut app = Setup::told().start().await;
    let mut ana = app.device("ana").await;
    app.send_ok(["ana", "ana"], 1, "note").await;
    let (offset, _, text) = ana.hear_message().await;
    assert_eq!((offset, text.as_str()), (1, "note"));
    app.send_ok(["ana", "ana"], 2, "another").await;
    assert_eq!(ana.hear_message().await.0, 2, "one entry a message, not two");
    assert_eq!(app.texts("ana", "ana").await, ["note", "another"]);
    assert_eq!(app.receiver.next().await.text(), "note");
    assert_eq!(app.receiver.next().await.text(), "another");
    drop(ana);
    app.stop().await;
}
