//! What devices do with messages besides sending them.

use crate::app::{OK, Setup, TestApp, TestClock, text_body};
use crate::client_people::{ask, error};
use crate::members::kept;
use serde_json::Value;

/// When the tests take place.
const NOW_S: u64 = 1_700_000_000;

/// A message from ana to bo as everybody is shown it, sent at [`NOW_S`]; `random` is its number as well.
fn shown(random: u32, says: &str, more: &[(&str, &str)]) -> String {
    let message = format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":{random},"MsgRandom":{random},"MsgTimeStamp":{NOW_S},"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"{random}_{random}_{NOW_S}","MsgId":"N-{NOW_S}-{random}","MsgBody":{says},"CloudCustomData":"","MsgClientTime":{NOW_S},"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#
    );
    more.iter().fold(message, |message, (from, to)| {
        assert!(message.contains(from), "{from}");
        message.replacen(from, to, 1)
    })
}

fn pushed(push: &str, offset: u64, unread: u64, message: &str) -> String {
    format!(
        r#"{{"push":"{push}","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{message}}}"#
    )
}

fn done() -> String {
    r#"{"id":2,"ok":{}}"#.to_owned()
}

fn refused(code: u32, text: &str) -> String {
    format!(r#"{{"id":2,{}}}"#, error(code, text))
}

fn key(random: u32) -> String {
    format!("{random}_{random}_{NOW_S}")
}

/// A request about the conversation of ana and bo.
fn about(op: &str, peer: &str, more: &str) -> String {
    format!(r#"{{"id":2,"op":"{op}","peer":"{peer}",{more}}}"#)
}

/// A request about one message of it.
fn of(op: &str, peer: &str, random: u32, more: &str) -> String {
    about(op, peer, &format!(r#""key":"{}"{more}"#, key(random)))
}

/// A text from ana to bo, whose key is [`key`]. The numbers have to follow one another.
async fn say(app: &TestApp, random: u32, text: &str, more: &str) {
    let more = format!(r#","MsgSeq":{random}{more}"#);
    assert!(app.send(["ana", "bo"], random, text, &more).await.starts_with(OK.trim_end_matches('}')));
}

const NONE: (u32, &str) = (20022, "there is no such message");
const TOO_LATE: (u32, &str) = (20016, "the message is too old to be recalled");
const MUTE: &str = "openconfigsvr/setnospeaking";
const BLOCK: &str = "sns/black_list_add";

async fn block(app: &TestApp, user: &str, peer: &str) {
    let answer = app.rest(BLOCK, &format!(r#"{{"From_Account":"{user}","To_Account":["{peer}"]}}"#)).await;
    assert!(answer.contains(r#""ResultCode":0"#), "{answer}");
}

#[tokio::test]
async fn what_a_send_can_ask_for() {
    let app = Setup::default().clock(&TestClock::at(NOW_S)).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let push = r#"{ "PushFlag":1,"Title":"caf\u00e9","Newer":[1.0] }"#;
    let frame = format!(
        r#"{{"id":2,"op":"send","to":"bo","random":1,"body":{},"need_read_receipt":true,"support_extension":1,"no_unread":true,"no_last_msg":true,"offline_push":{push}}}"#,
        text_body("hi")
    );
    ask(&mut ana, &frame, 1).await;
    let wishes = [
        (r#""IsNeedReadReceipt":0"#, r#""IsNeedReadReceipt":1"#),
        (r#""SupportMessageExtension":0"#, r#""SupportMessageExtension":1"#),
    ];
    assert_eq!(bo.hear().await, pushed("message", 1, 0, &shown(1, &text_body("hi"), &wishes)));
    let empty =
        r#"{"id":2,"ok":{"conversations":[],"next":null,"position":{"epoch":"E","offset":1},"unread":0}}"#;
    for device in [&mut ana, &mut bo] {
        assert_eq!(device.ask(r#"{"id":2,"op":"conversations"}"#).await, empty);
    }
    for wrong in [r#""offline_push":[]"#, r#""offline_push":{"Title":7}"#] {
        let frame =
            format!(r#"{{"id":2,"op":"send","to":"bo","random":1,"body":{},{wrong}}}"#, text_body("hi"));
        let answer = refused(90043, "OfflinePushInfo is not of the documented format");
        assert_eq!(ana.ask(frame).await, answer, "{wrong}");
    }
    for wrong in ["no_unread", "no_last_msg", "support_extension"] {
        let frame =
            format!(r#"{{"id":2,"op":"send","to":"bo","random":1,"body":{},"{wrong}":2}}"#, text_body("hi"));
        assert_eq!(ana.ask(frame).await, refused(11002, &format!("{wrong} is missing or not valid")));
    }
    drop((ana, bo));
    let directory = app.stop().await;
    let kept = kept(&directory.path().join("data/store")).await;
    assert_eq!((kept.len(), &*kept[0].offline_push), (1, push.as_bytes()));
}

#[tokio::test]
async fn history_runs_in_both_directions() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    for number in 1..=6 {
        clock.advance_secs(1);
        app.send_ok(["ana", "bo"], number, &number.to_string()).await;
    }
    let mut bo = app.device("bo").await;
    let key = |number: u64| format!("{number}_{number}_{}", NOW_S + number);
    let time = |number: u64| NOW_S + number;
    let table = [
        (String::new(), "5 6", false),
        (format!(r#","before":"{}""#, key(5)), "3 4", false),
        (format!(r#","before":"{}""#, key(3)), "1 2", true),
        (format!(r#","before":"{}""#, key(1)), "", true),
        (format!(r#","after":"{}""#, key(2)), "3 4", false),
        (format!(r#","after":"{}""#, key(4)), "5 6", true),
        (format!(r#","after":"{}""#, key(6)), "", true),
        (format!(r#","until":{}"#, time(3)), "2 3", false),
        (format!(r#","until":"{}""#, time(2)), "1 2", true),
        (r#","until":0"#.to_owned(), "", true),
        (format!(r#","from":{}"#, time(3)), "3 4", false),
        (format!(r#","from":{}"#, time(6)), "6", true),
        (format!(r#","from":{}"#, time(7)), "", true),
        (r#","from":0"#.to_owned(), "1 2", false),
    ];
    for (place, expected, complete) in table {
        bo.say(about("history", "ana", &format!(r#""limit":2{place}"#))).await;
        let page = bo.hear_json().await["ok"].take();
        let text = |message: &Value| message["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap().to_owned();
        let texts: Vec<_> = page["messages"].as_array().unwrap().iter().map(text).collect();
        assert_eq!((texts.join(" "), &page["complete"]), (expected.to_owned(), &complete.into()), "{place}");
    }
    let both = about("history", "ana", &format!(r#""from":1,"until":{}"#, time(6)));
    let text = "only one of before, after, until and from can be given";
    assert_eq!(bo.ask(both).await, refused(11002, text));
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn a_message_of_ones_own_is_recalled_in_time() {
    let clock = TestClock::at(NOW_S);
    let mut app = Setup::telling(&["C2C.CallbackAfterMsgWithDraw"]).clock(&clock).start().await;
    for number in 1..=2 {
        say(&app, number, "oops", "").await;
    }
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    // The peer's message is not one's own, and nobody else's is there at all.
    for (device, peer) in [(&mut bo, "ana"), (&mut ana, "cy")] {
        assert_eq!(device.ask(of("recall", peer, 1, "")).await, refused(NONE.0, NONE.1));
    }
    let gone = shown(1, "[]", &[(r#""MsgFlagBits":0"#, r#""MsgFlagBits":8"#)]);
    let (answer, push) = ask(&mut ana, &of("recall", "bo", 1, ""), 1).await;
    assert_eq!((answer, push), (done(), vec![pushed("recalled", 3, 0, &gone)]));
    assert_eq!(bo.hear().await, pushed("recalled", 3, 1, &gone));
    let told = app.receiver.next().await;
    assert_eq!(told.parameter("OptPlatform"), "Web");
    assert_eq!(
        told.body.replace(&clock.now_s().to_string(), "T"),
        r#"{"CallbackCommand":"C2C.CallbackAfterMsgWithDraw","From_Account":"ana","To_Account":"bo","MsgKey":"1_1_T","UnreadMsgNum":1,"EventTime":T000}"#
    );
    assert_eq!(ana.ask(of("recall", "bo", 1, "")).await, refused(20023, "the message has been recalled"));
    // To the second.
    clock.advance_secs(120);
    assert_eq!(ana.ask(of("recall", "bo", 3, "")).await, refused(NONE.0, NONE.1));
    clock.advance_secs(1);
    assert_eq!(ana.ask(of("recall", "bo", 2, "")).await, refused(TOO_LATE.0, TOO_LATE.1));
    // A key with another time names nothing.
    let forged = format!(r#""key":"2_2_{}""#, clock.now_s());
    assert_eq!(ana.ask(about("recall", "bo", &forged)).await, refused(NONE.0, NONE.1));
    assert_eq!(app.texts("bo", "ana").await, ["", "oops"]);
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn an_app_says_for_how_long_messages_can_be_recalled() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().rules("recall_secs = 0").clock(&clock).start().await;
    say(&app, 1, "oops", "").await;
    say(&app, 2, "oops", "").await;
    let mut ana = app.device("ana").await;
    assert_eq!(ana.connected["recall_secs"], 0);
    assert_eq!(ask(&mut ana, &of("recall", "bo", 1, ""), 1).await.0, done());
    clock.advance_secs(1);
    assert_eq!(ana.ask(of("recall", "bo", 2, "")).await, refused(TOO_LATE.0, TOO_LATE.1));
    app.redeclare("recall_secs = 0", "recall_secs = 1").await.unwrap();
    let mut ana = app.device("ana").await;
    assert_eq!(ask(&mut ana, &of("recall", "bo", 2, ""), 1).await.0, done());
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn both_people_may_edit() {
    let clock = TestClock::at(NOW_S);
    let mut app = Setup::telling(&["C2C.CallbackAfterModifyMsg"]).clock(&clock).start().await;
    say(&app, 1, "lunch?", "").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    // White space, and members that nobody knows, are the app's own here as well.
    let odd = r#"[ {"MsgType":"TIMTextElem","MsgContent":{"Text":"dinner?","x":1.0}} ]"#;
    let first = shown(1, odd, &[(r#""MsgVersion":0"#, r#""MsgVersion":1"#)]);
    let answered = |version: u32, message: &str| {
        format!(r#"{{"id":2,"ok":{{"version":{version},"message":{message}}}}}"#)
    };
    let (answer, push) =
        ask(&mut ana, &of("edit", "bo", 1, &format!(r#","body":{odd},"version":0"#)), 1).await;
    assert_eq!((answer, push), (answered(1, &first), vec![pushed("edited", 2, 0, &first)]));
    assert_eq!(bo.hear().await, pushed("edited", 2, 1, &first));
    let told = app.receiver.next().await.body;
    assert!(told.contains(r#""Operator_Account":"ana","From_Account":"ana","To_Account":"bo","#), "{told}");

    let second = first
        .replace(r#""CloudCustomData":"""#, r#""CloudCustomData":"c""#)
        .replace(r#""MsgVersion":1"#, r#""MsgVersion":2"#);
    let (answer, push) = ask(&mut bo, &of("edit", "ana", 1, r#","custom_data":"c""#), 1).await;
    assert_eq!((answer, push), (answered(2, &second), vec![pushed("edited", 3, 1, &second)]));
    assert_eq!(ana.hear().await, pushed("edited", 3, 0, &second));
    let told = app.receiver.next().await.body;
    assert!(told.contains(r#""Operator_Account":"bo","From_Account":"ana","To_Account":"bo","#), "{told}");

    // Whoever edits what stood there before is shown what stands there now.
    let conflict = format!(
        r#"{{"id":2,"error":{{"code":20027,"text":"the message was edited in the meantime","temporary":false,"message":{second}}}}}"#
    );
    for version in ["0", "1", "3", "4294967298", "18446744073709551615"] {
        let late = of("edit", "bo", 1, &format!(r#","custom_data":"late","version":{version}"#));
        assert_eq!(ana.ask(late).await, conflict, "{version}");
    }
    assert_eq!(app.unread("bo", "ana").await, (1, 1));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn what_a_device_cannot_edit() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    say(&app, 1, &"x".repeat(12_000), "").await;
    say(&app, 2, "gone", "").await;
    let (mut ana, mut cy) = (app.device("ana").await, app.device("cy").await);
    assert_eq!(ask(&mut ana, &of("recall", "bo", 2, ""), 1).await.0, done());
    let says = format!(r#","body":{}"#, text_body("new"));
    let custom = |len: usize| format!(r#","custom_data":"{}""#, "d".repeat(len));
    for (frame, expected) in [
        (of("edit", "bo", 3, &says), NONE),
        (of("edit", "nobody", 1, &says), NONE),
        (of("edit", "bo", 2, &says), (20023, "the message has been recalled")),
        (of("edit", "bo", 1, &custom(289)), (80002, "the message is longer than 12 KB")),
        (of("edit", "bo", 1, ""), (90010, "body or custom_data must be given")),
        (
            of("edit", "bo", 1, r#","body":[]"#),
            (90002, "MsgBody must have elements, each with MsgType and MsgContent"),
        ),
    ] {
        assert_eq!(ana.ask(frame.as_str()).await, refused(expected.0, expected.1), "{frame:.80}");
    }
    // A stranger to the conversation.
    for peer in ["ana", "bo"] {
        assert_eq!(cy.ask(of("edit", peer, 1, &says)).await, refused(NONE.0, NONE.1));
    }
    assert!(ask(&mut ana, &of("edit", "bo", 1, &custom(288)), 1).await.0.contains(r#""version":1"#));
    drop((ana, cy));
    app.stop().await;
}

#[tokio::test]
async fn an_app_may_want_edits_by_the_sender_only() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().rules("edits_own_only = true").clock(&clock).start().await;
    say(&app, 1, "mine", "").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let edit = |peer| of("edit", peer, 1, r#","custom_data":"c""#);
    assert_eq!(bo.ask(edit("ana")).await, refused(11006, "only its sender can edit a message"));
    assert!(ask(&mut ana, &edit("bo"), 1).await.0.contains(r#""version":1"#));
    drop((ana, bo));
    app.stop().await;
}

/// An edit says something to the other person: the word lists hold for it as they do for a send.
#[tokio::test]
async fn word_lists_hold_for_edits() {
    let clock = TestClock::at(NOW_S);
    let setup = Setup::default().filter("block", "never").filter("mask", "rude").filter("mark", "odd");
    let app = setup.clock(&clock).start().await;
    say(&app, 1, "hi", "").await;
    let mut ana = app.device("ana").await;
    let edit = |text: &str| of("edit", "bo", 1, &format!(r#","body":{}"#, text_body(text)));
    let blocked = refused(80001, "the message contains words that the app does not allow");
    assert_eq!(ana.ask(edit("a never b")).await, blocked);
    assert_eq!(app.texts("bo", "ana").await, ["hi"]);
    let masked = shown(1, &text_body("a **** b"), &[(r#""MsgVersion":0"#, r#""MsgVersion":1"#)]);
    let answer = format!(r#"{{"id":2,"ok":{{"version":1,"message":{masked}}}}}"#);
    assert_eq!(ask(&mut ana, &edit("a rude b"), 1).await, (answer, vec![pushed("edited", 2, 0, &masked)]));
    assert_eq!(app.texts("bo", "ana").await, ["a **** b"]);
    let (marked, _) = ask(&mut ana, &edit("odd"), 1).await;
    assert!(marked.contains(r#""HasRiskContent":1"#), "{marked}");
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn word_lists_hold_for_pairs() {
    let clock = TestClock::at(NOW_S);
    let setup = Setup::default().filter("block", "never").filter("mask", "rude").filter("mark", "odd");
    let app = setup.clock(&clock).start().await;
    say(&app, 1, "hi", r#","SupportMessageExtension":1"#).await;
    let mut ana = app.device("ana").await;
    let set = |key: &str, value: &str| {
        let other = r#"{"Key":"other","Value":"fine"}"#;
        of("extend", "bo", 1, &format!(r#","set":[{other},{{"Key":"{key}","Value":"{value}"}}]"#))
    };
    let blocked = refused(80001, "the message contains words that the app does not allow");
    for (key, value) in [("k", "a never b"), ("never", "v"), ("rude", "v")] {
        assert_eq!(ana.ask(set(key, value)).await, blocked, "{key} {value}");
    }
    assert_eq!(ana.ask(of("extensions", "bo", 1, "")).await, r#"{"id":2,"ok":{"extensions":[]}}"#);
    let (answer, _) = ask(&mut ana, &set("odd", "a rude b"), 1).await;
    let pairs = r#"{"Key":"other","Value":"fine","Seq":1,"code":0},{"Key":"odd","Value":"a **** b","Seq":2,"code":0}"#;
    assert_eq!(answer, format!(r#"{{"id":2,"ok":{{"results":[{pairs}]}}}}"#));
    drop(ana);
    app.stop().await;
}

/// Whoever may not write to somebody does not reach them with an edit or with pairs either.
#[tokio::test]
async fn what_people_have_against_a_message_holds_for_its_changes() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    say(&app, 1, "hi", r#","SupportMessageExtension":1"#).await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let edit = of("edit", "bo", 1, &format!(r#","body":{}"#, text_body("again")));
    let set = of("extend", "bo", 1, r#","set":[{"Key":"k","Value":"v"}]"#);
    let mute = |secs| format!(r#"{{"Set_Account":"ana","C2CmsgNospeakingTime":{secs}}}"#);
    assert!(app.rest(MUTE, &mute(60)).await.contains(r#""ErrorCode":0"#));
    for frame in [&edit, &set] {
        assert_eq!(ana.ask(frame.as_str()).await, refused(20012, "the sender is muted"));
    }
    assert!(app.rest(MUTE, &mute(0)).await.contains(r#""ErrorCode":0"#));

    // As for a send: shown success, and nothing else happens.
    block(&app, "bo", "ana").await;
    bo.hear().await;
    let shown = shown(
        1,
        &text_body("again"),
        &[
            (r#""MsgVersion":0"#, r#""MsgVersion":1"#),
            (r#""SupportMessageExtension":0"#, r#""SupportMessageExtension":1"#),
        ],
    );
    assert_eq!(ana.ask(edit.as_str()).await, format!(r#"{{"id":2,"ok":{{"version":1,"message":{shown}}}}}"#));
    let pair = r#"{"id":2,"ok":{"results":[{"Key":"k","Value":"v","Seq":1,"code":0}]}}"#;
    assert_eq!(ana.ask(set.as_str()).await, pair);
    assert_eq!(bo.ask(of("extensions", "ana", 1, "")).await, r#"{"id":2,"ok":{"extensions":[]}}"#);
    assert_eq!(app.texts("bo", "ana").await, ["hi"]);
    // What takes something away can be done.
    assert_eq!(ask(&mut ana, &of("recall", "bo", 1, ""), 1).await.0, done());
    assert!(bo.hear().await.starts_with(r#"{"push":"recalled","#));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn blocked_senders_may_be_told() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().rules("tells_blocked = true").clock(&clock).start().await;
    say(&app, 1, "hi", r#","SupportMessageExtension":1"#).await;
    block(&app, "bo", "ana").await;
    let mut ana = app.device("ana").await;
    let edit = of("edit", "bo", 1, r#","custom_data":"c""#);
    let clear = of("extend", "bo", 1, r#","clear":true"#);
    for frame in [edit, clear] {
        assert_eq!(ana.ask(frame).await, refused(20007, "the recipient has blocked the sender"));
    }
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn messages_are_deleted_for_oneself() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    for number in 1..=3 {
        say(&app, number, &number.to_string(), "").await;
    }
    let (mut bo, mut tablet) = (app.device("bo").await, app.device("bo").await);
    let keys = |numbers: &[u32]| {
        let keys: Vec<_> = numbers.iter().map(|number| format!(r#""{}""#, key(*number))).collect();
        about("delete", "ana", &format!(r#""keys":[{}]"#, keys.join(",")))
    };
    assert_eq!(ask(&mut bo, &keys(&[1, 9, 3, 3]), 2).await.0, done());
    for (offset, unread, number) in [(4, 2, 1), (5, 1, 3)] {
        let message = shown(number, &text_body(&number.to_string()), &[]);
        assert_eq!(tablet.hear().await, pushed("deleted", offset, unread, &message));
    }
    assert_eq!((app.texts("bo", "ana").await, app.texts("ana", "bo").await.len()), (vec!["2".to_owned()], 3));
    // What is deleted is not there any more for the one who did it.
    assert_eq!(bo.ask(of("extensions", "ana", 1, "")).await, refused(23004, "there is no such message"));
    assert_eq!(bo.ask(keys(&[1, 3])).await, done());
    let with_nobody = about("delete", "nobody", &format!(r#""keys":["{}"]"#, key(1)));
    assert_eq!(bo.ask(with_nobody).await, done());
    let many = vec![1; 51];
    assert_eq!(bo.ask(keys(&many)).await, refused(11005, "keys has more than 50 items"));
    drop((bo, tablet));
    app.stop().await;
}

#[tokio::test]
async fn receipts_are_given_and_read() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    say(&app, 1, "plain", "").await;
    say(&app, 2, "important", r#","IsNeedReadReceipt":1"#).await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let keys = |op: &str, peer: &str, numbers: &[u32]| {
        let keys: Vec<_> = numbers.iter().map(|number| format!(r#""{}""#, key(*number))).collect();
        about(op, peer, &format!(r#""keys":[{}]"#, keys.join(",")))
    };
    let receipts = |confirmed| {
        format!(
            r#"{{"id":2,"ok":{{"receipts":[{{"key":"{}","confirmed":{confirmed}}},{{"key":"{}","confirmed":false}}]}}}}"#,
            key(2),
            key(1)
        )
    };
    assert_eq!(ana.ask(keys("receipts", "bo", &[2, 9, 1])).await, receipts(false));
    // Nobody confirms for the other.
    let not_there = |number| refused(20022, &format!("there is no such message: {}", key(number)));
    assert_eq!(ana.ask(keys("confirm", "bo", &[2])).await, not_there(2));
    // Those that are there are confirmed, wherever they stand; only the one that wanted it changes.
    let (answer, push) = ask(&mut bo, &keys("confirm", "ana", &[1, 9, 2]), 1).await;
    let read = shown(
        2,
        &text_body("important"),
        &[
            (r#""IsPeerRead":0"#, r#""IsPeerRead":1"#),
            (r#""IsNeedReadReceipt":0"#, r#""IsNeedReadReceipt":1"#),
        ],
    );
    assert_eq!((answer, push), (not_there(9), vec![pushed("confirmed", 3, 2, &read)]));
    assert_eq!(ana.hear().await, pushed("confirmed", 3, 0, &read));
    for (device, peer) in [(&mut ana, "bo"), (&mut bo, "ana")] {
        assert_eq!(device.ask(keys("receipts", peer, &[2, 9, 1])).await, receipts(true));
    }
    assert_eq!(bo.ask(keys("confirm", "ana", &[1, 2])).await, done());
    assert_eq!(ana.ask(keys("receipts", "cy", &[1, 2])).await, r#"{"id":2,"ok":{"receipts":[]}}"#);
    for op in ["confirm", "receipts"] {
        assert_eq!(bo.ask(keys(op, "ana", &[1; 31])).await, refused(11005, "keys has more than 30 items"));
    }
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn pairs_are_changed_by_whoever_knows_them() {
    let clock = TestClock::at(NOW_S);
    let mut app = Setup::telling(&["C2C.CallbackAfterC2CMsgExtension"]).clock(&clock).start().await;
    say(&app, 1, "vote", r#","SupportMessageExtension":1"#).await;
    say(&app, 2, "plain", "").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let results = |results: &str| format!(r#"{{"id":2,"ok":{{"results":[{results}]}}}}"#);
    let message =
        shown(1, &text_body("vote"), &[(r#""SupportMessageExtension":0"#, r#""SupportMessageExtension":1"#)]);

    let set = r#","set":[{"Key":"a","Value":"1","Seq":0},{"Key":"b","Value":"","Seq":0}]"#;
    let (answer, push) = ask(&mut ana, &of("extend", "bo", 1, set), 1).await;
    assert_eq!(
        answer,
        results(r#"{"Key":"a","Value":"1","Seq":1,"code":0},{"Key":"b","Value":"","Seq":2,"code":0}"#)
    );
    assert_eq!(push, [pushed("extended", 3, 0, &message)]);
    assert_eq!(bo.hear().await, pushed("extended", 3, 2, &message));
    assert!(app.receiver.next().await.body.contains(r#""Key":"a","Value":"1","Seq":1"#));

    // Bo knows the first, and not the second: that one stays as it is.
    let set = r#","set":[{"Key":"b","Value":"2","Seq":0},{"Key":"a","Value":"2","Seq":1},{"Key":"c"}]"#;
    let (answer, push) = ask(&mut bo, &of("extend", "ana", 1, set), 1).await;
    assert_eq!(
        answer,
        results(
            r#"{"Key":"b","Value":"","Seq":2,"code":23001},{"Key":"a","Value":"2","Seq":3,"code":0},{"Key":"c","Value":"","Seq":4,"code":0}"#
        )
    );
    assert_eq!(push, [pushed("extended", 4, 2, &message)]);
    ana.hear().await;
    app.receiver.next().await;
    // Nothing is changed, and nobody is told.
    let late = of("extend", "bo", 1, r#","set":[{"Key":"a","Value":"3","Seq":1}]"#);
    assert_eq!(ana.ask(late).await, results(r#"{"Key":"a","Value":"2","Seq":3,"code":23001}"#));

    let delete = r#","delete":[{"Key":"a","Seq":1},{"Key":"b","Seq":2},{"Key":"x","Seq":7},{"Key":"c"}]"#;
    let (answer, _) = ask(&mut ana, &of("extend", "bo", 1, delete), 1).await;
    assert_eq!(
        answer,
        results(
            r#"{"Key":"a","Value":"2","Seq":3,"code":23001},{"Key":"b","Value":"","Seq":5,"code":0},{"Key":"x","Value":"","Seq":0,"code":0},{"Key":"c","Value":"","Seq":6,"code":0}"#
        )
    );
    bo.hear().await;
    app.receiver.next().await;
    assert_eq!(
        bo.ask(of("extensions", "ana", 1, "")).await,
        r#"{"id":2,"ok":{"extensions":[{"Key":"a","Value":"2","Seq":3}]}}"#
    );
    assert_eq!(ask(&mut bo, &of("extend", "ana", 1, r#","clear":true"#), 1).await.0, results(""));
    app.receiver.next().await;
    assert_eq!(bo.ask(of("extend", "ana", 1, r#","clear":true"#)).await, results(""));
    for (peer, number, code, text) in [
        ("bo", 2, 23002, "the message was sent without SupportMessageExtension"),
        ("bo", 3, 23004, "there is no such message"),
        ("cy", 1, 23004, "there is no such message"),
    ] {
        for frame in [of("extensions", peer, number, ""), of("extend", peer, number, set)] {
            ana.say(frame.as_str()).await;
            let mut answer = ana.hear().await;
            while answer.starts_with(r#"{"push""#) {
                answer = ana.hear().await;
            }
            assert_eq!(answer, refused(code, text), "{frame}");
        }
    }
    let neither = "one of set, delete and clear must be given";
    assert_eq!(ana.ask(of("extend", "bo", 1, "")).await, refused(10004, neither));
    drop((ana, bo));
    app.stop().await;
}

/// What the recipient was spared, because its sender is blocked, is not there for the recipient's devices.
#[tokio::test]
async fn what_somebody_was_spared_cannot_be_asked_about() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    block(&app, "bo", "ana").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let send = format!(
        r#"{{"id":2,"op":"send","to":"bo","random":1,"seq":1,"support_extension":true,"need_read_receipt":true,"body":{}}}"#,
        text_body("hi")
    );
    ask(&mut ana, &send, 1).await;
    let keys = format!(r#""keys":["{}"]"#, key(1));
    assert_eq!(bo.ask(about("receipts", "ana", &keys)).await, r#"{"id":2,"ok":{"receipts":[]}}"#);
    for frame in [of("extensions", "ana", 1, ""), of("extend", "ana", 1, r#","clear":true"#)] {
        assert_eq!(bo.ask(frame).await, refused(23004, "there is no such message"));
    }
    let edit = of("edit", "ana", 1, r#","custom_data":"c""#);
    assert_eq!(bo.ask(edit).await, refused(NONE.0, NONE.1));
    drop((ana, bo));
    app.stop().await;
}

/// Whoever has erased a conversation does not get it back by what the other person does to it.
#[tokio::test]
async fn what_somebody_has_erased_stays_erased() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    say(&app, 1, "one", "").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    ask(&mut bo, r#"{"id":2,"op":"remove","peer":"ana","erase":true}"#, 1).await;
    ask(&mut ana, &of("edit", "bo", 1, r#","custom_data":"c""#), 1).await;
    let keys = format!(r#""keys":["{}"]"#, key(1));
    assert_eq!(bo.ask(about("receipts", "ana", &keys)).await, r#"{"id":2,"ok":{"receipts":[]}}"#);
    assert_eq!(bo.ask(of("edit", "ana", 1, r#","custom_data":"d""#)).await, refused(NONE.0, NONE.1));
    // The third entry of the log: nothing was told of the edit.
    say(&app, 2, "two", "").await;
    assert_eq!(bo.hear().await, pushed("message", 3, 1, &shown(2, &text_body("two"), &[])));
    drop((ana, bo));
    app.stop().await;
}
