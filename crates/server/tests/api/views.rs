//! Two people see a conversation differently, and what is unread stays exact.

use crate::app::{OK, Setup, TestApp, text_body};

/// What the two of them have now: texts, and unread messages in all conversations and in this one.
async fn see(app: &TestApp, step: &str, ana: (&[&str], (u64, u64)), bo: (&[&str], (u64, u64))) {
    for ((viewer, peer), (texts, unread)) in [(("ana", "bo"), ana), (("bo", "ana"), bo)] {
        assert_eq!(app.texts(viewer, peer).await, texts, "{viewer}, after {step}");
        assert_eq!(app.unread(viewer, peer).await, unread, "{viewer}, after {step}");
    }
}

async fn delete_conversation(app: &TestApp, owner: &str, peer: &str, with_history: u8) {
    let request = format!(
        r#"{{"From_Account":"{owner}","Type":1,"To_Account":"{peer}","ClearRamble":{with_history}}}"#
    );
    let done = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#;
    assert_eq!(app.rest("recentcontact/delete", &request).await, done);
}

async fn delete_message(app: &TestApp, operator: &str, peer: &str, key: &str) {
    let request =
        format!(r#"{{"Operator_Account":"{operator}","Peer_Account":"{peer}","MsgKeyList":["{key}"]}}"#);
    let done = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","InvalidMsgKeyList":[]}"#;
    assert_eq!(app.rest("openim/delete_c2c_msg_ramble", &request).await, done);
}

async fn recall(app: &TestApp, [from, to]: [&str; 2], key: &str) {
    let request = format!(r#"{{"From_Account":"{from}","To_Account":"{to}","MsgKey":"{key}"}}"#);
    assert_eq!(app.rest("openim/admin_msgwithdraw", &request).await, OK);
}

async fn import(app: &TestApp, kind: u8, text: &str) {
    let request = format!(
        r#"{{"SyncFromOldSystem":{kind},"From_Account":"ana","To_Account":"bo","MsgRandom":3{kind},"MsgTimeStamp":1556178721,"MsgBody":{}}}"#,
        text_body(text)
    );
    assert_eq!(app.rest("openim/importmsg", &request).await, OK);
}

#[tokio::test]
async fn single_messages_differ() {
    let app = Setup::default().start().await;
    // Another conversation, so that the total is not the count of this one.
    app.send_ok(["cy", "bo"], 1, "hello").await;
    let one = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    let two = app.send_for_key(["ana", "bo"], 2, "two", "").await;
    let three = app.send_for_key(["bo", "ana"], 3, "three", "").await;
    see(&app, "sending", (&["one", "two", "three"], (1, 1)), (&["one", "two", "three"], (3, 2))).await;

    let four = app.send_for_key(["ana", "bo"], 4, "four", r#","SyncOtherMachine":2"#).await;
    see(
        &app,
        "a send past the sender",
        (&["one", "two", "three"], (1, 1)),
        (&["one", "two", "three", "four"], (4, 3)),
    )
    .await;

    delete_message(&app, "bo", "ana", &one).await;
    see(&app, "deleting unread", (&["one", "two", "three"], (1, 1)), (&["two", "three", "four"], (3, 2)))
        .await;
    delete_message(&app, "ana", "bo", &two).await;
    see(&app, "deleting one's own", (&["one", "three"], (1, 1)), (&["two", "three", "four"], (3, 2))).await;
    // What is not there cannot be deleted: nothing changes.
    delete_message(&app, "ana", "bo", &four).await;
    delete_message(&app, "bo", "ana", &one).await;
    see(&app, "deleting nothing", (&["one", "three"], (1, 1)), (&["two", "three", "four"], (3, 2))).await;

    recall(&app, ["ana", "bo"], &two).await;
    see(
        &app,
        "recalling what one has deleted",
        (&["one", "three"], (1, 1)),
        (&["", "three", "four"], (2, 1)),
    )
    .await;
    recall(&app, ["ana", "bo"], &one).await;
    see(
        &app,
        "recalling what the other has deleted",
        (&["", "three"], (1, 1)),
        (&["", "three", "four"], (2, 1)),
    )
    .await;
    recall(&app, ["ana", "bo"], &four).await;
    see(&app, "recalling what the sender lacks", (&["", "three"], (1, 1)), (&["", "three", ""], (1, 0)))
        .await;
    recall(&app, ["bo", "ana"], &three).await;
    see(&app, "recalling the last", (&["", ""], (0, 0)), (&["", "", ""], (1, 0))).await;
    let recalled = app.history("bo", "ana").await;
    assert_eq!(recalled.matches(r#""MsgFlagBits":8,"#).count(), 3, "{recalled}");
    assert_eq!(recalled.matches(r#""MsgBody":[],"#).count(), 3, "{recalled}");
    app.stop().await;
}

#[tokio::test]
async fn whole_conversations_differ() {
    let app = Setup::default().start().await;
    app.send_ok(["cy", "bo"], 1, "hello").await;
    let one = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    app.send_ok(["bo", "ana"], 2, "two").await;
    see(&app, "sending", (&["one", "two"], (1, 1)), (&["one", "two"], (2, 1))).await;

    delete_conversation(&app, "bo", "ana", 0).await;
    see(&app, "leaving the list", (&["one", "two"], (1, 1)), (&["one", "two"], (1, 0))).await;
    app.send_ok(["ana", "bo"], 3, "three").await;
    see(&app, "coming back", (&["one", "two", "three"], (1, 1)), (&["one", "two", "three"], (2, 1))).await;
    // It was read when the conversation left the list.
    recall(&app, ["ana", "bo"], &one).await;
    see(&app, "recalling what was read", (&["", "two", "three"], (1, 1)), (&["", "two", "three"], (2, 1)))
        .await;

    delete_conversation(&app, "bo", "ana", 1).await;
    see(&app, "losing the history", (&["", "two", "three"], (1, 1)), (&[], (1, 0))).await;
    let four = app.send_for_key(["bo", "ana"], 4, "four", "").await;
    let five = app.send_for_key(["ana", "bo"], 5, "five", "").await;
    see(&app, "starting anew", (&["", "two", "three", "four", "five"], (2, 2)), (&["four", "five"], (2, 1)))
        .await;

    // A message of before is gone from one side, and cannot be deleted there once more.
    delete_message(&app, "bo", "ana", &one).await;
    delete_message(&app, "bo", "ana", &five).await;
    see(&app, "deleting", (&["", "two", "three", "four", "five"], (2, 2)), (&["four"], (1, 0))).await;

    // Whoever imports wants it to be seen, also by somebody who cleared the history before.
    import(&app, 2, "2019").await;
    let all = ["2019", "", "two", "three", "four", "five"];
    see(&app, "importing history", (&all, (2, 2)), (&["2019", "four"], (1, 0))).await;
    import(&app, 5, "live").await;
    let all = ["2019", "live", "", "two", "three", "four", "five"];
    see(&app, "importing what is live", (&all, (2, 2)), (&["2019", "live", "four"], (2, 1))).await;

    let read = r#"{"Report_Account":"ana","Peer_Account":"bo"}"#;
    assert_eq!(app.rest("openim/admin_set_msg_read", read).await, OK);
    see(&app, "reading", (&all, (0, 0)), (&["2019", "live", "four"], (2, 1))).await;
    delete_conversation(&app, "ana", "bo", 1).await;
    see(&app, "both losing it", (&[], (0, 0)), (&["2019", "live", "four"], (2, 1))).await;
    recall(&app, ["bo", "ana"], &four).await;
    see(&app, "recalling what one still has", (&[], (0, 0)), (&["2019", "live", ""], (2, 1))).await;

    let app = app.restart().await;
    see(&app, "starting again", (&[], (0, 0)), (&["2019", "live", ""], (2, 1))).await;
    app.stop().await;
}

/// In a conversation with oneself nothing is ever unread, and the one view is the whole of it.
#[tokio::test]
async fn alone() {
    let app = Setup::default().start().await;
    let one = app.send_for_key(["ana", "ana"], 1, "one", "").await;
    let two = app.send_for_key(["ana", "ana"], 2, "two", r#","SyncOtherMachine":2"#).await;
    app.send_ok(["ana", "ana"], 3, "three").await;
    assert_eq!(app.texts("ana", "ana").await, ["one", "two", "three"]);
    delete_message(&app, "ana", "ana", &one).await;
    recall(&app, ["ana", "ana"], &two).await;
    assert_eq!(app.texts("ana", "ana").await, ["", "three"]);
    delete_conversation(&app, "ana", "ana", 1).await;
    assert!(app.texts("ana", "ana").await.is_empty());
    assert_eq!(app.unread("ana", "ana").await, (0, 0));
    app.stop().await;
}
