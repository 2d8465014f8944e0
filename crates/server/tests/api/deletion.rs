//! `openim/delete_c2c_msg_ramble`: one person's history loses messages, the other's does not.

use crate::app::{Setup, TestApp};
use crate::exact::refused;

async fn delete(app: &TestApp, [operator, peer]: [&str; 2], keys: &[&str]) -> String {
    let request =
        format!(r#"{{"Operator_Account":"{operator}","Peer_Account":"{peer}","MsgKeyList":{keys:?}}}"#);
    app.rest("openim/delete_c2c_msg_ramble", &request).await
}

fn done(invalid: &str) -> String {
    format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","InvalidMsgKeyList":[{invalid}]}}"#)
}

#[tokio::test]
async fn whoever_deletes_loses_them_alone() {
    let mut app = Setup::told().start().await;
    let one = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    let two = app.send_for_key(["bo", "ana"], 2, "two", "").await;
    let three = app.send_for_key(["ana", "bo"], 3, "three", "").await;
    for _ in 0..3 {
        app.receiver.next().await;
    }
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);

    // The person to whom it came: it is not unread any more.
    assert_eq!(delete(&app, ["bo", "ana"], &[&one, &two]).await, done(""));
    let push = |offset, unread, message: &str| {
        format!(
            r#"{{"push":"deleted","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{message}}}"#
        )
    };
    let shown = |people: &str, number, text| {
        format!(
            r#"{{{people},"MsgSeq":{number},"MsgRandom":{number},"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"{number}_{number}_T","MsgId":"N-T-{number}","MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}],"CloudCustomData":"","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#
        )
    };
    let from_ana = r#""From_Account":"ana","To_Account":"bo""#;
    let from_bo = r#""From_Account":"bo","To_Account":"ana""#;
    assert_eq!(bo.hear().await, push(4, 1, &shown(from_ana, 1, "one")));
    assert_eq!(bo.hear().await, push(5, 1, &shown(from_bo, 2, "two")));
    assert_eq!((app.unread("bo", "ana").await, app.unread("ana", "bo").await), ((1, 1), (1, 1)));
    assert_eq!(app.texts("bo", "ana").await, ["three"]);
    assert_eq!(app.texts("ana", "bo").await, ["one", "two", "three"]);

    // The person who sent it: to the other it stays unread.
    assert_eq!(delete(&app, ["ana", "bo"], &[&three]).await, done(""));
    assert_eq!(ana.hear().await, push(4, 1, &shown(from_ana, 3, "three")));
    assert_eq!((app.unread("bo", "ana").await, app.unread("ana", "bo").await), ((1, 1), (1, 1)));
    assert_eq!(app.texts("bo", "ana").await, ["three"]);
    assert_eq!(app.texts("ana", "bo").await, ["one", "two"]);

    // Nobody heard of the other's deletions, and doing it again changes nothing.
    assert_eq!(delete(&app, ["bo", "ana"], &[&one, &two]).await, done(""));
    app.send_ok(["cy", "ana"], 4, "next").await;
    app.send_ok(["cy", "bo"], 5, "next").await;
    assert_eq!(ana.hear_message().await, (5, 2, "next".to_owned()));
    assert_eq!(bo.hear_message().await, (6, 2, "next".to_owned()));
    let told = [app.receiver.next().await.text(), app.receiver.next().await.text()];
    assert_eq!(told, ["next", "next"], "no deletion is an event");
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_key_is_told_and_what_is_not_there_is_not() {
    let app = Setup::default().start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    app.send_ok(["ana", "bo"], 2, "two").await;
    assert_eq!(delete(&app, ["bo", "ana"], &["1_2", &key, "", "1_2_3"]).await, done(r#""1_2","""#));
    assert_eq!(app.texts("bo", "ana").await, ["two"]);
    assert_eq!(delete(&app, ["bo", "ana"], &["1_2_3"]).await, done(""));
    assert_eq!(delete(&app, ["bo", "cy"], &[&key]).await, done(""));
    let thirty = ["1_2_3"; 31];
    assert_eq!(delete(&app, ["bo", "ana"], &thirty[..30]).await, done(""));
    let list = refused(90010, "MsgKeyList must be an Array of 1 to 30 Strings");
    let sender = refused(90008, "the sender or operator is not an account of the app");
    for (people, keys, expected) in [
        (["bo", "ana"], &thirty[..], &list),
        (["bo", "ana"], &[], &list),
        (["nobody", "ana"], &["1_2_3"], &sender),
        (["nobody", "ana"], &["no key"], &sender),
        (["bo", "nobody"], &["1_2_3"], &refused(90003, "the recipient or peer is not an account of the app")),
        (
            ["", "ana"],
            &["1_2_3"],
            &refused(90008, "From_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
    ] {
        assert_eq!(&delete(&app, people, keys).await, expected, "{people:?} {keys:?}");
    }
    app.stop().await;
}

/// What somebody who is gone has written can still be deleted.
#[tokio::test]
async fn messages_of_somebody_who_is_gone() {
    let app = Setup::default().start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    app.rest("im_open_login_svc/account_delete", r#"{"DeleteItem":[{"UserID":"ana"}]}"#).await;
    assert_eq!(app.unread("bo", "ana").await, (1, 1));
    assert_eq!(delete(&app, ["bo", "ana"], &[&key]).await, done(""));
    assert_eq!(app.unread("bo", "cy").await, (0, 0));
    assert!(app.history("bo", "ana").await.contains(r#""ErrorCode":90003,"#));
    app.stop().await;
}
