//! `openim/batchsendmsg`: one message to many, under one key.

use crate::app::{ADMIN, OK, PEOPLE, Setup, TestApp, TestClock, text_body};
use crate::exact::refused;
use crate::literal::literal;
use serde_json::Value;

const BATCH: &str = "openim/batchsendmsg";

/// `MsgSeq` of the batches here, which the server makes of their `MsgRandom` and their content.
const SEQ: u32 = 2_012_565_843;

fn batch(to: &str, more: &str) -> String {
    format!(
        r#"{{"From_Account":"ana","To_Account":[{to}],"MsgRandom":55,"MsgBody":{}{more}}}"#,
        text_body("hi")
    )
}

fn sent(status: &str, failed: &str) -> String {
    format!(
        r#"{{"ActionStatus":"{status}","ErrorCode":0,"ErrorInfo":"","MsgKey":"{SEQ}_55_T","MsgId":"N-T-55","ErrorList":[{failed}]}}"#
    )
}

/// Keys and ids of what `viewer` has of the conversation, to the letter.
async fn keys(app: &TestApp, viewer: &str, peer: &str) -> Vec<[Value; 2]> {
    let request = format!(
        r#"{{"Operator_Account":"{viewer}","Peer_Account":"{peer}","MaxCnt":100,"MinTime":0,"MaxTime":4000000000}}"#
    );
    let page = app.rest_exactly("openim/admin_getroammsg", &request).await;
    let messages = page["MsgList"].as_array().unwrap_or_else(|| panic!("{page}"));
    messages.iter().map(|message| [message["MsgKey"].clone(), message["MsgId"].clone()]).collect()
}

#[tokio::test]
async fn all_get_the_message_under_one_key() {
    let app = Setup::default().start().await;
    // By itself this conversation would count on.
    app.send_ok(["ana", "cy"], 1, "before").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let exactly = app.rest_exactly(BATCH, &batch(r#""bo","cy","bo""#, "")).await;
    let key = [exactly["MsgKey"].clone(), exactly["MsgId"].clone()];
    assert_eq!(literal(&exactly.to_string()).matches(&format!(r#""{SEQ}_55_T""#)).count(), 1);
    assert_eq!(exactly["ErrorList"], Value::Array(Vec::new()));
    for [viewer, peer] in [["bo", "ana"], ["ana", "bo"]] {
        assert_eq!(keys(&app, viewer, peer).await, std::slice::from_ref(&key));
    }
    for [viewer, peer] in [["cy", "ana"], ["ana", "cy"]] {
        assert_eq!(&keys(&app, viewer, peer).await[1..], std::slice::from_ref(&key));
    }
    let shown = |to| {
        format!(
            r#"{{"From_Account":"ana","To_Account":"{to}","MsgSeq":{SEQ},"MsgRandom":55,"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"{SEQ}_55_T","MsgId":"N-T-55","MsgBody":{},"CloudCustomData":"","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#,
            text_body("hi")
        )
    };
    let push = |offset, unread, to| {
        let shown = shown(to);
        format!(
            r#"{{"push":"message","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{shown}}}"#
        )
    };
    assert_eq!(bo.hear().await, push(1, 1, "bo"));
    assert_eq!((ana.hear().await, ana.hear().await), (push(2, 0, "bo"), push(3, 0, "cy")));
    assert_eq!((app.unread("bo", "ana").await, app.unread("cy", "ana").await), ((1, 1), (2, 2)));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn who_does_not_get_it() {
    let app = Setup::default().start().await;
    let long = "x".repeat(33);
    let unknown = |name: &str| format!(r#"{{"To_Account":"{name}","ErrorCode":70107}}"#);
    let (nobody, none, too_long) = (unknown("nobody"), unknown(""), unknown(&long));
    for (to, expected) in [
        (r#""bo","cy""#.to_owned(), sent("OK", "")),
        (r#""nobody","bo","cy","nobody""#.into(), sent("SomeError", &nobody)),
        (format!(r#""","bo","{long}","nobody""#), sent("SomeError", &format!("{none},{too_long},{nobody}"))),
        (
            r#""nobody","""#.into(),
            format!(
                r#"{{"ActionStatus":"FAIL","ErrorCode":90012,"ErrorInfo":"invalid To_Account","ErrorList":[{nobody},{none}]}}"#
            ),
        ),
        (
            r#""""#.into(),
            format!(
                r#"{{"ActionStatus":"FAIL","ErrorCode":90012,"ErrorInfo":"invalid To_Account","ErrorList":[{none}]}}"#
            ),
        ),
    ] {
        assert_eq!(app.rest(BATCH, &batch(&to, "")).await, expected, "{to}");
    }
    assert_eq!(app.texts("bo", "ana").await, ["hi"], "of all these calls one was carried out");
    app.stop().await;
}

#[tokio::test]
async fn what_refuses_the_whole_call() {
    let app = Setup::default().filter("block", "never").start().await;
    let sender = refused(90008, "the sender or operator is not an account of the app");
    let text = |text: &str| format!(r#","MsgBody":{}"#, text_body(text));
    let words = refused(80001, "the message contains words that the app does not allow");
    for (to, more, expected) in [
        (r#""bo""#, r#","From_Account":"nobody""#.to_owned(), &sender),
        (
            r#""bo""#,
            r#","From_Account":"""#.into(),
            &refused(90008, "From_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
        ("", String::new(), &refused(90029, "To_Account is empty")),
        (r#""bo""#, r#","To_Account":"bo""#.into(), &refused(90028, "To_Account must be an Array")),
        (
            r#""bo",7"#,
            String::new(),
            &refused(90003, "To_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
        (&[r#""bo""#; 501].join(","), String::new(), &refused(90011, "there are more than 500 targets")),
        (r#""bo","cy""#, text("so never"), &words),
        (
            r#""bo""#,
            text(&"x".repeat(12_289)),
            &refused(90055, "the message has 12289 bytes; 12288 are allowed"),
        ),
        (
            r#""bo""#,
            r#","MsgRandom":null"#.into(),
            &refused(90005, "MsgRandom must be an unsigned 32-bit integer"),
        ),
        (
            r#""bo""#,
            r#","MsgBody":null"#.into(),
            &refused(90002, "MsgBody must have elements, each with MsgType and MsgContent"),
        ),
    ] {
        assert_eq!(&app.rest(BATCH, &batch(to, &more)).await, expected, "{:.60} {:.60}", to, more);
    }
    assert!(app.texts("bo", "ana").await.is_empty() && app.texts("cy", "ana").await.is_empty());
    let unchecked = format!(r#"{},"SendMsgControl":["NoMsgCheck"]"#, text("so never"));
    assert!(app.rest(BATCH, &batch(r#""bo""#, &unchecked)).await.starts_with(OK.trim_end_matches('}')));
    assert_eq!(app.texts("bo", "ana").await, ["so never"]);
    app.stop().await;
}

#[tokio::test]
async fn an_operator_may_allow_less() {
    let app = Setup::default().settings("[limits]\nmessage_bytes_max = 1\n").start().await;
    let too_long = refused(90055, "the message is longer than 12 KB");
    assert_eq!(app.rest(BATCH, &batch(r#""bo""#, "")).await, too_long);
    app.stop().await;
}

#[tokio::test]
async fn a_repeated_call_reaches_whoever_was_missed() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let first = app.rest_exactly(BATCH, &batch(r#""bo""#, "")).await;
    clock.advance_secs(119);
    let again = app.rest_exactly(BATCH, &batch(r#""bo","cy","administrator""#, "")).await;
    assert_eq!(again, first, "the time of the first call as well");
    for name in ["bo", "cy", ADMIN] {
        assert_eq!(keys(&app, name, "ana").await, [[first["MsgKey"].clone(), first["MsgId"].clone()]]);
        assert_eq!(app.unread(name, "ana").await, (1, 1));
    }
    clock.advance_secs(1);
    let later = app.rest_exactly(BATCH, &batch(r#""bo""#, "")).await;
    assert_ne!(later, first);
    assert_eq!(app.texts("bo", "ana").await, ["hi", "hi"]);
    app.stop().await;
}

#[tokio::test]
async fn the_same_call_many_times_at_once() {
    let app = Setup::default().start().await;
    let request = batch(r#""bo","cy""#, r#","MsgSeq":7"#);
    let calls = (0..16).map(|_| app.rest_exactly(BATCH, &request));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(answers[0]["MsgKey"].as_str().unwrap().starts_with("7_55_"));
    for name in ["bo", "cy"] {
        assert_eq!(app.texts(name, "ana").await, ["hi"]);
    }
    app.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_or_told_unless_the_app_wants_it() {
    let mut app = Setup::asked().filter("block", "never").start().await;
    app.rest(BATCH, &batch(r#""bo","cy""#, "")).await;
    app.send_ok(["ana", "bo"], 1, "asked and told").await;
    assert!(app.receiver.next().await.is_question());
    assert_eq!(app.receiver.next().await.text(), "asked and told");

    app.redeclare("admins = ", "callback_on_batch = true\nadmins = ").await.unwrap();
    app.rest(BATCH, &batch(r#""bo","nobody","cy""#, r#","MsgRandom":56,"MsgSeq":7"#)).await;
    let told = |to, unread| {
        format!(
            r#"{{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"{to}","MsgSeq":7,"MsgRandom":56,"MsgTime":T,"MsgKey":"7_56_T","OnlineOnlyFlag":0,"SendMsgResult":0,"ErrorInfo":"send msg succeed","UnreadMsgNum":{unread},"MsgBody":{},"CloudCustomData":"","MsgId":"N-T-56","EventTime":MS}}"#,
            text_body("hi")
        )
    };
    let mut heard = [literal(&app.receiver.next().await.body), literal(&app.receiver.next().await.body)];
    heard.sort_unstable();
    assert_eq!(heard, [told("bo", 3), told("cy", 2)]);

    let blocked = format!(r#","MsgRandom":57,"MsgBody":{}"#, text_body("never"));
    app.rest(BATCH, &batch(r#""bo","nobody","cy""#, &blocked)).await;
    let mut heard = Vec::new();
    for _ in 0..2 {
        let callback = app.receiver.next().await;
        heard.push((callback.to(), callback.json()["SendMsgResult"].as_u64().unwrap()));
    }
    heard.sort_unstable();
    assert_eq!(heard, [("bo".to_owned(), 80001), ("cy".to_owned(), 80001)]);
    app.stop().await;
}

#[tokio::test]
async fn what_can_be_said_of_a_message_to_many() {
    let app = Setup::default().start().await;
    let mut bo = app.device("bo").await;
    // Without From_Account the calling admin sends.
    let least = format!(r#"{{"To_Account":["bo"],"MsgRandom":9,"MsgBody":{}}}"#, text_body("least"));
    assert!(app.rest(BATCH, &least).await.starts_with(OK.trim_end_matches('}')));
    assert_eq!(bo.hear_message().await, (1, 1, "least".to_owned()));
    assert_eq!(app.texts(ADMIN, "bo").await, ["least"]);

    let step = async |random: u32, more: &str| {
        let answer = app.rest(BATCH, &batch(r#""bo""#, &format!(r#","MsgRandom":{random}{more}"#))).await;
        assert!(answer.starts_with(OK.trim_end_matches('}')), "{answer}");
    };
    step(1, r#","SyncOtherMachine":2"#).await;
    step(2, r#","SyncOtherMachine":1,"SendMsgControl":["NoUnread"]"#).await;
    step(3, r#","OnlineOnlyFlag":1"#).await;
    step(4, r#","MsgLifeTime":0"#).await;
    step(5, r#","IsNeedReadReceipt":1,"SupportMessageExtension":1,"CloudCustomData":"c""#).await;
    assert_eq!(bo.hear_message().await, (2, 2, "hi".to_owned()));
    assert_eq!(bo.hear_message().await, (3, 2, "hi".to_owned()));
    assert_eq!(bo.hear_json().await["push"], "online_message");
    assert_eq!(bo.hear_json().await["push"], "online_message");
    assert_eq!(bo.hear_message().await, (4, 3, "hi".to_owned()));
    assert_eq!(app.texts("ana", "bo").await, ["hi", "hi"], "the first is not for the sender");
    assert_eq!(app.texts("bo", "ana").await, ["hi", "hi", "hi"]);
    let page = app.history("bo", "ana").await;
    assert!(page.contains(r#""CloudCustomData":"c","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":1,"SupportMessageExtension":1}"#));
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn a_word_is_masked_for_all() {
    let app = Setup::default().filter("mask", "darn").start().await;
    let body = format!(r#","MsgBody":{}"#, text_body("darn it"));
    app.rest(BATCH, &batch(r#""bo","cy""#, &body)).await;
    for name in ["bo", "cy"] {
        assert_eq!(app.texts(name, "ana").await, ["**** it"]);
    }
    app.stop().await;
}

#[tokio::test]
async fn as_many_as_there_can_be() {
    let app = Setup::default().start().await;
    let names: Vec<String> = (0..500).map(|number| format!(r#""user {number}""#)).collect();
    for hundred in names.chunks(100) {
        let request = format!(r#"{{"Accounts":[{}]}}"#, hundred.join(","));
        app.rest("im_open_login_svc/multiaccount_import", &request).await;
    }
    assert_eq!(app.rest(BATCH, &batch(&names.join(","), "")).await, sent("OK", ""));
    for name in ["user 0", "user 250", "user 499"] {
        assert_eq!(app.texts(name, "ana").await, ["hi"]);
        assert_eq!(app.unread(name, "ana").await, (1, 1));
    }
    app.stop().await;
}

#[tokio::test]
async fn messages_to_many_have_a_rate_of_their_own() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).app("[app.rates]\nbatch_messages_per_min = 3").start().await;
    let too_many = refused(90057, "too many messages were sent to many");
    let to = |names: &[&str]| format!("{names:?}").trim_matches(['[', ']']).to_owned();
    let four = to(&["bo", "cy", "ana", "nobody"]);
    assert_eq!(app.rest(BATCH, &batch(&four, "")).await, too_many);
    // One that gets nothing is counted as well.
    assert_eq!(app.rest(BATCH, &batch(&to(&PEOPLE), "")).await, sent("OK", ""));
    assert_eq!(app.rest(BATCH, &batch(r#""bo""#, "")).await, too_many);
    app.send_ok(["ana", "bo"], 1, "one by one").await;
    clock.advance_secs(60);
    assert_eq!(app.rest(BATCH, &batch(r#""bo""#, "")).await, sent("OK", ""));
    app.stop().await;
}

#[tokio::test]
async fn each_recipients_message_is_taken_back_by_itself() {
    let app = Setup::default().start().await;
    let key = app.rest_exactly(BATCH, &batch(r#""bo","cy""#, "")).await["MsgKey"].clone();
    let recall = format!(r#"{{"From_Account":"ana","To_Account":"bo","MsgKey":{key}}}"#);
    assert_eq!(app.rest("openim/admin_msgwithdraw", &recall).await, OK);
    assert_eq!(
        (app.texts("bo", "ana").await, app.texts("cy", "ana").await),
        (vec![String::new()], vec!["hi".to_owned()])
    );
    assert_eq!((app.unread("bo", "ana").await, app.unread("cy", "ana").await), ((0, 0), (1, 1)));
    app.stop().await;
}
