//! `openim/admin_msgwithdraw`: what is left of a message that was taken back, and who hears of it.

use crate::app::{OK, Setup};
use crate::exact::refused;
use crate::literal::literal;

const RECALL: &str = "openim/admin_msgwithdraw";

fn recall([from, to]: [&str; 2], key: &str) -> String {
    format!(r#"{{"From_Account":"{from}","To_Account":"{to}","MsgKey":"{key}"}}"#)
}

/// What anybody sees of the first message from ana to bo.
const LEFT: &str = r#"{"From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":1,"MsgTimeStamp":T,"MsgFlagBits":8,"IsPeerRead":0,"MsgKey":"1_1_T","MsgId":"N-T-1","MsgBody":[],"CloudCustomData":"","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}"#;

#[tokio::test]
async fn a_message_is_taken_back_from_both() {
    let mut app = Setup::telling(&["C2C.CallbackAfterMsgWithDraw"]).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let key = app.send_for_key(["ana", "bo"], 1, "one", r#","CloudCustomData":"c""#).await;
    app.send_ok(["ana", "bo"], 2, "two").await;
    for (offset, text) in [(1, "one"), (2, "two")] {
        assert_eq!(bo.hear_message().await, (offset, offset, text.to_owned()));
        assert_eq!(ana.hear_message().await, (offset, 0, text.to_owned()));
    }
    assert_eq!(app.rest(RECALL, &recall(["ana", "bo"], &key)).await, OK);
    let push = |unread| {
        format!(
            r#"{{"push":"recalled","position":{{"epoch":"E","offset":3}},"unread":{unread},"message":{LEFT}}}"#
        )
    };
    assert_eq!((bo.hear().await, ana.hear().await), (push(1), push(0)));
    for [viewer, peer] in [["ana", "bo"], ["bo", "ana"]] {
        assert!(app.history(viewer, peer).await.contains(&format!(r#""MsgList":[{LEFT},"#)));
        assert_eq!(app.texts(viewer, peer).await, ["", "two"]);
    }
    assert_eq!(app.unread("bo", "ana").await, (1, 1));
    let told = app.receiver.next().await;
    assert_eq!(
        literal(&told.body),
        r#"{"CallbackCommand":"C2C.CallbackAfterMsgWithDraw","From_Account":"ana","To_Account":"bo","MsgKey":"1_1_T","UnreadMsgNum":1,"EventTime":MS}"#
    );
    assert_eq!(told.parameter("OptPlatform"), "RESTAPI");

    let again = app.rest(RECALL, &recall(["ana", "bo"], &key)).await;
    assert_eq!(again, refused(20023, "the message has been recalled"));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_device_that_was_away_never_sees_what_it_said() {
    let app = Setup::default().start().await;
    let bo = app.device("bo").await;
    let from = bo.connected["position"].to_string();
    drop(bo);
    let key = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    assert_eq!(app.rest(RECALL, &recall(["ana", "bo"], &key)).await, OK);
    let mut bo = app.device_with("bo", &format!(r#","position":{from}"#)).await;
    for (offset, push, unread) in [(1, "message", 1), (2, "recalled", 0)] {
        let expected = format!(
            r#"{{"push":"{push}","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{LEFT}}}"#
        );
        assert_eq!(bo.hear().await, expected);
    }
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn only_what_is_unread_is_taken_off_the_count() {
    let app = Setup::default().start().await;
    let read = app.send_for_key(["ana", "bo"], 1, "read", "").await;
    let marked =
        app.rest("openim/admin_set_msg_read", r#"{"Report_Account":"bo","Peer_Account":"ana"}"#).await;
    assert_eq!(marked, OK);
    let unread = app.send_for_key(["ana", "bo"], 2, "unread", "").await;
    let silent = app.send_for_key(["ana", "bo"], 3, "silent", r#","SendMsgControl":["NoUnread"]"#).await;
    app.send_ok(["cy", "bo"], 4, "from another").await;
    for (key, left) in [(read, (2, 1)), (silent, (2, 1)), (unread, (1, 0))] {
        assert_eq!(app.rest(RECALL, &recall(["ana", "bo"], &key)).await, OK);
        assert_eq!(app.unread("bo", "ana").await, left, "{key}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_back() {
    let app = Setup::default().start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    let online = app.send_for_key(["ana", "bo"], 2, "typing", r#","OnlineOnlyFlag":1"#).await;
    let none = refused(20022, "there is no such message");
    let sender = refused(90008, "the sender or operator is not an account of the app");
    let recipient = refused(90003, "the recipient or peer is not an account of the app");
    for (people, key, expected) in [
        (["ana", "bo"], "1_2_3", &none),
        (["bo", "ana"], &key, &none),
        (["ana", "cy"], &key, &none),
        (["ana", "bo"], &online, &none),
        (["nobody", "bo"], &key, &sender),
        (["ana", "nobody"], &key, &recipient),
        (["nobody", "noone"], &key, &sender),
        (["ana", "bo"], "1_2", &refused(90054, "a MsgKey has the form <MsgSeq>_<MsgRandom>_<MsgTime>")),
        (["", "bo"], &key, &refused(90008, "From_Account must be a UserID: a String of 1 to 32 bytes")),
        (["ana", ""], &key, &refused(90003, "To_Account must be a UserID: a String of 1 to 32 bytes")),
    ] {
        assert_eq!(&app.rest(RECALL, &recall(people, key)).await, expected, "{people:?} {key}");
    }
    assert_eq!(app.texts("bo", "ana").await, ["one"]);
    app.stop().await;
}

#[tokio::test]
async fn what_was_taken_back_does_not_come_back() {
    let app = Setup::default().start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    assert_eq!(app.rest(RECALL, &recall(["ana", "bo"], &key)).await, OK);
    // A sender that did not hear the answer sends again.
    assert_eq!(app.send_for_key(["ana", "bo"], 1, "one", "").await, key);
    assert_eq!(app.texts("bo", "ana").await, [""]);
    assert_eq!(app.unread("bo", "ana").await, (0, 0));
    app.stop().await;
}

/// The person who is gone may have written what the other should not keep.
#[tokio::test]
async fn a_message_of_somebody_who_is_gone() {
    let app = Setup::default().start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    app.rest("im_open_login_svc/account_delete", r#"{"DeleteItem":[{"UserID":"ana"}]}"#).await;
    assert_eq!(app.rest(RECALL, &recall(["ana", "bo"], &key)).await, OK);
    assert_eq!(app.texts("bo", "ana").await, [""]);
    assert_eq!(app.unread("bo", "cy").await, (0, 0));
    app.stop().await;
}
