//! `openim/modify_c2c_msg`: what a message says afterwards, and who hears of it.

use crate::app::{OK, Setup, text_body};
use crate::exact::refused;
use crate::literal::literal;

const EDIT: &str = "openim/modify_c2c_msg";

fn edit(key: &str, more: &str) -> String {
    format!(r#"{{"From_Account":"ana","To_Account":"bo","MsgKey":"{key}",{more}}}"#)
}

fn body(text: &str) -> String {
    format!(r#""MsgBody":{}"#, text_body(text))
}

#[tokio::test]
async fn an_edit_changes_what_it_names() {
    let mut app = Setup::telling(&["C2C.CallbackAfterModifyMsg"]).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let key = app.send_for_key(["ana", "bo"], 1, "lunch?", r#","CloudCustomData":"c""#).await;
    ana.hear_message().await;
    bo.hear_message().await;
    // White space, and members that nobody knows, are the app's own here as well.
    let odd = r#"[ {"MsgType":"TIMTextElem","MsgContent":{"Text":"dinner?","x":1.0}} ]"#;
    let steps = [
        (body("supper?"), text_body("supper?"), "c"),
        (r#""CloudCustomData":"d""#.to_owned(), text_body("supper?"), "d"),
        (format!(r#""MsgBody":{odd},"CloudCustomData":"""#), odd.to_owned(), ""),
    ];
    for (version, (more, says, custom_data)) in (1..).zip(steps) {
        assert_eq!(app.rest(EDIT, &edit(&key, &more)).await, OK);
        let shown = format!(
            r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":1,"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"1_1_T","MsgId":"N-T-1","MsgBody":{says},"CloudCustomData":"{custom_data}","MsgClientTime":T,"MsgVersion":{version},"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#
        );
        let offset = version + 1;
        let push = |unread| {
            format!(
                r#"{{"push":"edited","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{shown}}}"#
            )
        };
        assert_eq!((ana.hear().await, bo.hear().await), (push(0), push(1)));
        for [viewer, peer] in [["ana", "bo"], ["bo", "ana"]] {
            let page = app.history(viewer, peer).await;
            assert!(page.contains(&format!(r#""MsgList":[{shown}]"#)), "{page}");
        }
        let told = format!(
            r#"{{"CallbackCommand":"C2C.CallbackAfterModifyMsg","Operator_Account":"administrator","From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":1,"MsgTime":T,"MsgKey":"1_1_T","MsgBody":{says},"CloudCustomData":"{custom_data}","EventTime":MS}}"#
        );
        assert_eq!(literal(&app.receiver.next().await.body), told);
    }
    // A resend repeats what was sent, not what was made of it.
    assert_eq!(app.send_for_key(["ana", "bo"], 1, "lunch?", r#","CloudCustomData":"c""#).await, key);
    assert_eq!(app.texts("bo", "ana").await, ["dinner?"]);
    assert_eq!(app.unread("bo", "ana").await, (1, 1));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn an_edit_may_name_the_version_it_is_meant_for() {
    let app = Setup::default().start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "0", "").await;
    let conflict = refused(20027, "the message was edited in the meantime");
    for (text, version, expected) in [
        ("early", "1", conflict.as_str()),
        ("1", "0", OK),
        ("late", "0", &conflict),
        ("2", r#""1""#, OK),
        ("3", "null", OK),
        ("far", "4294967296", &conflict),
        ("further", "18446744073709551615", &conflict),
    ] {
        let request = edit(&key, &format!(r#"{},"MsgVersion":{version}"#, body(text)));
        assert_eq!(app.rest(EDIT, &request).await, expected, "{text}");
    }
    assert_eq!(app.texts("bo", "ana").await, ["3"]);
    app.stop().await;
}

#[tokio::test]
async fn the_message_as_a_whole_stays_within_its_size() {
    let app = Setup::default().start().await;
    let (text, data) = ("x".repeat(12_000), "c".repeat(288));
    let key = app.send_for_key(["ana", "bo"], 1, &text, &format!(r#","CloudCustomData":"{data}""#)).await;
    let too_long = refused(80002, "the message is longer than 12 KB");
    let custom = |len: usize| format!(r#""CloudCustomData":"{}""#, "d".repeat(len));
    for (more, expected) in [
        (body(&"y".repeat(12_000)), OK),
        (body(&"y".repeat(12_001)), &too_long),
        (custom(288), OK),
        (custom(289), &too_long),
        (custom(0), OK),
        (body(&"z".repeat(12_288)), OK),
        (custom(1), &too_long),
        (format!("{},{}", body("z"), custom(12_287)), OK),
    ] {
        assert_eq!(app.rest(EDIT, &edit(&key, &more)).await, expected, "{:.60} {}", more, more.len());
    }
    let whole = format!("{},{}", body("zz"), custom(12_287));
    let weighed = refused(80002, "the message has 12289 bytes; 12288 are allowed");
    assert_eq!(app.rest(EDIT, &edit(&key, &whole)).await, weighed);
    assert_eq!(app.texts("bo", "ana").await, ["z"]);
    app.stop().await;
}

#[tokio::test]
async fn an_operator_may_allow_less() {
    let app = Setup::default().settings("[limits]\nmessage_bytes_max = 10\n").start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "x", "").await;
    let too_long = refused(80002, "the message is longer than 12 KB");
    let full = format!(r#"{},"CloudCustomData":"12345""#, body("12345"));
    assert_eq!(app.rest(EDIT, &edit(&key, &full)).await, OK);
    let over = format!(r#"{},"CloudCustomData":"12345""#, body("123456"));
    for more in [over, body("123456"), r#""CloudCustomData":"123456""#.to_owned()] {
        assert_eq!(app.rest(EDIT, &edit(&key, &more)).await, too_long, "{more}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_edited() {
    let app = Setup::default().start().await;
    let key = app.send_for_key(["ana", "bo"], 1, "one", "").await;
    let gone = app.send_for_key(["ana", "bo"], 2, "two", "").await;
    let recall = format!(r#"{{"From_Account":"ana","To_Account":"bo","MsgKey":"{gone}"}}"#);
    assert_eq!(app.rest("openim/admin_msgwithdraw", &recall).await, OK);
    let says = body("new");
    let none = refused(20022, "there is no such message");
    for (request, expected) in [
        (edit("1_2_3", &says), &none),
        (edit("1_2_3", r#""CloudCustomData":"c""#), &none),
        (edit(&key, &format!(r#"{says},"From_Account":"bo","To_Account":"ana""#)), &none),
        (edit(&gone, &says), &refused(20023, "the message has been recalled")),
        (edit(&gone, r#""CloudCustomData":"c""#), &refused(20023, "the message has been recalled")),
        (
            edit(&key, &format!(r#"{says},"From_Account":"nobody""#)),
            &refused(90008, "the sender or operator is not an account of the app"),
        ),
        (
            edit(&key, &format!(r#"{says},"To_Account":"nobody""#)),
            &refused(90003, "the recipient or peer is not an account of the app"),
        ),
        (edit("", &says), &refused(90054, "a MsgKey has the form <MsgSeq>_<MsgRandom>_<MsgTime>")),
        (edit(&key, r#""x":1"#), &refused(90010, "MsgBody or CloudCustomData must be given")),
        (edit(&key, r#""MsgBody":{}"#), &refused(90007, "MsgBody must be an Array")),
        (
            edit(&key, r#""MsgBody":[]"#),
            &refused(90002, "MsgBody must have elements, each with MsgType and MsgContent"),
        ),
    ] {
        assert_eq!(&app.rest(EDIT, &request).await, expected, "{request}");
    }
    assert_eq!(app.texts("bo", "ana").await, ["one", ""]);
    app.stop().await;
}
