//! What has been read: a conversation is marked, single messages are confirmed, and what is unread is counted.

use crate::app::{OK, Setup, TestApp, text_body};
use crate::exact::refused;
use crate::literal::literal;

const SET_READ: &str = "openim/admin_set_msg_read";
const CONFIRM: &str = "openim/c2c_msg_read_receipt";
const UNREAD: &str = "openim/get_c2c_unread_msg_num";

/// Messages from ana to bo at 1000, 2000 and 3000, all of them unread.
async fn three(app: &TestApp) {
    for time in [1_000, 2_000, 3_000] {
        let request = format!(
            r#"{{"SyncFromOldSystem":5,"From_Account":"ana","To_Account":"bo","MsgRandom":{time},"MsgTimeStamp":{time},"MsgBody":{}}}"#,
            text_body("hi")
        );
        assert_eq!(app.rest("openim/importmsg", &request).await, OK);
    }
}

fn mark(more: &str) -> String {
    format!(r#"{{"Report_Account":"bo","Peer_Account":"ana"{more}}}"#)
}

#[tokio::test]
async fn a_conversation_is_marked_up_to_a_time() {
    let mut app = Setup::telling(&["C2C.CallbackAfterMsgReport"]).start().await;
    three(&app).await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    for (offset, until, time, left) in [
        // What is of the very second is read.
        (4, r#","MsgReadTime":1000"#, "1000", 2),
        (5, r#","MsgReadTime":"2999""#, "2999", 1),
        // Without a time all of it is.
        (6, "", "3000", 0),
    ] {
        assert_eq!(app.rest(SET_READ, &mark(until)).await, OK);
        let push = |unread| {
            format!(
                r#"{{"push":"read","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"reader":"bo","peer":"ana","read_until":{time}}}"#
            )
        };
        assert_eq!((bo.hear().await, ana.hear().await), (push(left), push(0)));
        let told = format!(
            r#"{{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"bo","Peer_Account":"ana","LastReadTime":{time},"UnreadMsgNum":{left},"EventTime":MS}}"#
        );
        assert_eq!(literal(&app.receiver.next().await.body), told);
        assert_eq!(app.unread("bo", "ana").await, (left, left));
        // Nothing is left up to there: nobody hears of it again.
        assert_eq!(app.rest(SET_READ, &mark(until)).await, OK);
    }
    app.send_ok(["cy", "bo"], 1, "next").await;
    assert_eq!(bo.hear_message().await, (7, 1, "next".to_owned()));
    assert!(!app.history("bo", "ana").await.contains(r#""IsPeerRead":1"#));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn times_that_mean_now() {
    let app = Setup::default().start().await;
    for (random, until) in (1..).zip([
        r#","MsgReadTime":0"#,
        r#","MsgReadTime":"0""#,
        r#","MsgReadTime":"""#,
        r#","MsgReadTime":4000000000"#,
    ]) {
        app.send_ok(["ana", "bo"], random, "hi").await;
        app.send_ok(["cy", "bo"], random, "hi").await;
        assert_eq!(app.rest(SET_READ, &mark(until)).await, OK);
        assert_eq!(app.unread("bo", "ana").await, (u64::from(random), 0), "{until}");
    }
    // A time before all of them, and the other person, change nothing.
    app.send_ok(["ana", "bo"], 9, "hi").await;
    assert_eq!(app.rest(SET_READ, &mark(r#","MsgReadTime":1"#)).await, OK);
    assert_eq!(app.rest(SET_READ, r#"{"Report_Account":"ana","Peer_Account":"bo"}"#).await, OK);
    assert_eq!(app.unread("bo", "ana").await, (5, 1));
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_marked() {
    let app = Setup::default().start().await;
    for (request, expected) in [
        (
            mark(r#","Report_Account":"nobody""#),
            refused(90008, "the sender or operator is not an account of the app"),
        ),
        (
            mark(r#","Peer_Account":"nobody""#),
            refused(90003, "the recipient or peer is not an account of the app"),
        ),
        (
            mark(r#","Report_Account":null"#),
            refused(90008, "From_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
        (
            mark(r#","Peer_Account":7"#),
            refused(90003, "To_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
        (mark(r#","MsgReadTime":"soon""#), refused(90010, "MsgReadTime must be a time in Unix seconds")),
    ] {
        assert_eq!(app.rest(SET_READ, &request).await, expected, "{request}");
    }
    // Whoever is gone left something to read.
    app.send_ok(["ana", "bo"], 1, "hi").await;
    app.rest("im_open_login_svc/account_delete", r#"{"DeleteItem":[{"UserID":"ana"}]}"#).await;
    assert_eq!(app.rest(SET_READ, &mark("")).await, OK);
    assert_eq!(app.unread("bo", "cy").await, (0, 0));
    app.stop().await;
}

fn confirm(keys: &[&str], more: &str) -> String {
    let item = |key: &&str| format!(r#"{{"From_Account":"ana","To_Account":"bo","MsgKey":"{key}"}}"#);
    let items: Vec<String> = keys.iter().map(item).collect();
    format!(r#"{{"Operator_Account":"bo","Peer_Account":"ana","C2CMsgInfo":[{}]{more}}}"#, items.join(","))
}

#[tokio::test]
async fn single_messages_are_confirmed() {
    let mut app = Setup::told().start().await;
    let wanted = r#","IsNeedReadReceipt":1"#;
    let first = app.send_for_key(["ana", "bo"], 1, "first", wanted).await;
    let second = app.send_for_key(["ana", "bo"], 2, "second", wanted).await;
    let unasked = app.send_for_key(["ana", "bo"], 3, "unasked", "").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let shown = |number, text, confirmed| {
        format!(
            r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":{number},"MsgRandom":{number},"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":{confirmed},"MsgKey":"{number}_{number}_T","MsgId":"N-T-{number}","MsgBody":{},"CloudCustomData":"","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":1,"SupportMessageExtension":0}}"#,
            text_body(text)
        )
    };
    let push = |offset, unread, message: &str| {
        format!(
            r#"{{"push":"confirmed","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{message}}}"#
        )
    };
    // What was sent without the wish is passed over, and so is what is confirmed already.
    for keys in [&[&*first, &*unasked][..], &[&*first]] {
        assert_eq!(app.rest(CONFIRM, &confirm(keys, "")).await, OK);
    }
    let confirmed = shown(1, "first", 1);
    assert_eq!((bo.hear().await, ana.hear().await), (push(4, 3, &confirmed), push(4, 0, &confirmed)));
    for [viewer, peer] in [["ana", "bo"], ["bo", "ana"]] {
        let page = app.history(viewer, peer).await;
        assert!(page.contains(&format!("{confirmed},{}", shown(2, "second", 0))), "{page}");
    }
    assert_eq!(app.unread("bo", "ana").await, (3, 3), "a confirmation is no mark");

    // The first that is not there is told, and the others are confirmed all the same.
    let some = app.rest(CONFIRM, &confirm(&["1_2_3", &second, "3_2_1"], "")).await;
    assert_eq!(some, refused(20022, "there is no such message: 1_2_3"));
    assert_eq!(ana.hear().await, push(5, 0, &shown(2, "second", 1)));
    for _ in 0..3 {
        app.receiver.next().await;
    }
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_confirmed() {
    let app = Setup::default().start().await;
    let to_ana = app.send_for_key(["bo", "ana"], 1, "hi", r#","IsNeedReadReceipt":1"#).await;
    let to_bo = app.send_for_key(["ana", "bo"], 2, "hi", r#","IsNeedReadReceipt":1"#).await;
    let list = refused(90010, "C2CMsgInfo must be an Array of 1 to 30 Objects");
    let item = |from, to| {
        format!(r#","C2CMsgInfo":[{{"From_Account":"{from}","To_Account":"{to}","MsgKey":"{to_bo}"}}]"#)
    };
    let other = |name: &str| {
        format!(
            r#"{{"Operator_Account":"bo","Peer_Account":"{name}","C2CMsgInfo":[{{"From_Account":"{name}","To_Account":"bo","MsgKey":"{to_bo}"}}]}}"#
        )
    };
    let thirty_one = vec![to_bo.as_str(); 31];
    for (request, expected) in [
        (confirm(&[], ""), list.clone()),
        (confirm(&thirty_one, ""), list),
        (confirm(&["1_2"], ""), refused(90054, "a MsgKey has the form <MsgSeq>_<MsgRandom>_<MsgTime>")),
        (
            confirm(&[], &item("bo", "ana")),
            refused(90010, "From_Account of C2CMsgInfo must be the Peer_Account"),
        ),
        (
            confirm(&[], &item("ana", "cy")),
            refused(90010, "To_Account of C2CMsgInfo must be the Operator_Account"),
        ),
        (other("nobody"), refused(90003, "the recipient or peer is not an account of the app")),
        (
            other("ana").replace(r#""bo""#, r#""nobody""#),
            refused(90008, "the sender or operator is not an account of the app"),
        ),
    ] {
        assert_eq!(app.rest(CONFIRM, &request).await, expected, "{request:.120}");
    }
    // Nobody confirms what they wrote themselves.
    let none = app.rest(CONFIRM, &confirm(&[&to_ana], "")).await;
    assert!(none.contains(r#""ErrorCode":20022,"#), "{none}");
    assert!(!app.history("bo", "ana").await.contains(r#""IsPeerRead":1"#));
    assert_eq!(app.rest(CONFIRM, &confirm(&thirty_one[..30], "")).await, OK);
    assert!(app.history("bo", "ana").await.contains(r#""IsPeerRead":1"#));
    app.stop().await;
}

#[tokio::test]
async fn unread_messages_are_counted() {
    let app = Setup::default().start().await;
    app.send_ok(["ana", "bo"], 1, "one").await;
    app.send_ok(["ana", "bo"], 2, "two").await;
    app.send_ok(["cy", "bo"], 3, "three").await;
    let ok = |members: &str| format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"",{members}}}"#);
    let of = |peer: &str, count: u32| format!(r#"{{"Peer_Account":"{peer}","C2CUnreadMsgNum":{count}}}"#);
    let unknown = |peer: &str| format!(r#"{{"Peer_Account":"{peer}","ErrorCode":70107}}"#);
    let lists = |counts: &str, failed: &str| {
        ok(&format!(r#""C2CUnreadMsgNumList":[{counts}],"ErrorList":[{failed}]"#))
    };
    let ten = r#""ana","ana","ana","ana","ana","ana","ana","ana","ana","ana""#;
    for (request, expected) in [
        (r#"{"To_Account":"bo"}"#.to_owned(), ok(r#""AllC2CUnreadMsgNum":3"#)),
        (r#"{"To_Account":"bo","Peer_Account":[]}"#.into(), ok(r#""AllC2CUnreadMsgNum":3"#)),
        (r#"{"To_Account":"ana"}"#.into(), ok(r#""AllC2CUnreadMsgNum":0"#)),
        (
            r#"{"To_Account":"bo","Peer_Account":["cy","nobody","ana","administrator",""]}"#.into(),
            lists(
                &[of("cy", 1), of("ana", 2), of("administrator", 0)].join(","),
                &[unknown("nobody"), unknown("")].join(","),
            ),
        ),
        (r#"{"To_Account":"bo","Peer_Account":["bo"]}"#.into(), lists(&of("bo", 0), "")),
        (
            format!(r#"{{"To_Account":"bo","Peer_Account":[{ten}]}}"#),
            lists(&vec![of("ana", 2); 10].join(","), ""),
        ),
        (
            format!(r#"{{"To_Account":"bo","Peer_Account":[{ten},"ana"]}}"#),
            refused(90010, "Peer_Account must be an Array of at most 10 items"),
        ),
        (
            r#"{"To_Account":"nobody"}"#.into(),
            refused(90003, "the recipient or peer is not an account of the app"),
        ),
        (
            r#"{"To_Account":"nobody","Peer_Account":["ana"]}"#.into(),
            refused(90003, "the recipient or peer is not an account of the app"),
        ),
        ("{}".into(), refused(90003, "To_Account must be a UserID: a String of 1 to 32 bytes")),
    ] {
        assert_eq!(app.rest(UNREAD, &request).await, expected, "{request}");
    }
    // Somebody who is gone left something to read.
    app.rest("im_open_login_svc/account_delete", r#"{"DeleteItem":[{"UserID":"ana"}]}"#).await;
    let gone = r#"{"To_Account":"bo","Peer_Account":["ana"]}"#;
    assert_eq!(app.rest(UNREAD, gone).await, lists(&of("ana", 2), ""));
    app.rest(SET_READ, &mark("")).await;
    assert_eq!(app.rest(UNREAD, gone).await, lists("", &unknown("ana")));
    app.stop().await;
}
