//! `openim/importmsg`: messages of another time come to stand where they belong.

use crate::app::{OK, Setup, TestClock, text_body};
use crate::exact::refused;

const IMPORT: &str = "openim/importmsg";

/// A message from ana to bo of 2019; of a doubled member the last counts, so `more` overrides.
fn import(text: &str, more: &str) -> String {
    format!(
        r#"{{"SyncFromOldSystem":2,"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":31,"MsgTimeStamp":1556178721,"MsgBody":{}{more}}}"#,
        text_body(text)
    )
}

fn shown(text: &str) -> String {
    format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":31,"MsgTimeStamp":1556178721,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"7_31_1556178721","MsgId":"N-1556178721-31","MsgBody":{},"CloudCustomData":"c","MsgClientTime":1556178721,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#,
        text_body(text)
    )
}

#[tokio::test]
async fn history_is_only_in_the_history() {
    let app = Setup::asked().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    assert_eq!(app.rest(IMPORT, &import("2019", r#","CloudCustomData":"c""#)).await, OK);
    let page = format!(
        r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Complete":1,"MsgCnt":1,"LastMsgTime":1556178721,"LastMsgKey":"7_31_1556178721","MsgList":[{}]}}"#,
        shown("2019")
    );
    assert_eq!(app.history("ana", "bo").await, page);
    assert_eq!(app.history("bo", "ana").await, page);
    assert_eq!((app.unread("bo", "ana").await, app.unread("ana", "bo").await), ((0, 0), (0, 0)));
    // The next thing that a device hears is the first.
    let forbid = r#","ForbidCallbackControl":["ForbidBeforeSendMsgCallback","ForbidAfterSendMsgCallback"]"#;
    app.send(["ana", "bo"], 1, "now", forbid).await;
    assert_eq!(bo.hear_message().await, (1, 1, "now".to_owned()));
    assert_eq!(ana.hear_message().await, (1, 0, "now".to_owned()));
    assert_eq!(app.texts("bo", "ana").await, ["2019", "now"]);
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_live_message_counts_and_is_pushed() {
    let app = Setup::asked().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    for (offset, kind) in [(1, "5"), (2, "1"), (3, r#""5""#)] {
        let live = format!(r#","SyncFromOldSystem":{kind},"CloudCustomData":"c","MsgRandom":3{offset}"#);
        assert_eq!(app.rest(IMPORT, &import("2019", &live)).await, OK);
        let push = |unread| {
            let shown = shown("2019").replace("_31_", &format!("_3{offset}_"));
            let shown = shown.replace(r#""MsgRandom":31"#, &format!(r#""MsgRandom":3{offset}"#));
            let shown = shown.replace("-31\"", &format!("-3{offset}\""));
            format!(
                r#"{{"push":"message","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{shown}}}"#
            )
        };
        assert_eq!(bo.hear().await, push(offset));
        assert_eq!(ana.hear().await, push(0));
        assert_eq!(app.unread("bo", "ana").await, (offset, offset));
    }
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn messages_come_to_stand_by_their_time() {
    let app = Setup::default().start().await;
    app.send_ok(["bo", "ana"], 1, "now").await;
    for (time, text) in [(1_600_000_000, "third"), (1_400_000_000, "first"), (1_500_000_000, "second")] {
        let request = import(text, &format!(r#","MsgTimeStamp":{time}"#));
        assert_eq!(app.rest(IMPORT, &request).await, OK);
    }
    assert_eq!(app.texts("ana", "bo").await, ["first", "second", "third", "now"]);
    assert_eq!(app.texts("bo", "ana").await, ["first", "second", "third", "now"]);
    app.stop().await;
}

#[tokio::test]
async fn a_message_is_imported_once() {
    let app = Setup::default().start().await;
    let backwards = r#","From_Account":"bo","To_Account":"ana""#;
    for more in ["", "", backwards, r#","SyncFromOldSystem":5"#] {
        assert_eq!(app.rest(IMPORT, &import("first", more)).await, OK);
    }
    // The content does not tell two messages apart, and each of these does.
    assert_eq!(app.rest(IMPORT, &import("changed", "")).await, OK);
    for (text, more) in [
        ("other sequence", r#","MsgSeq":8"#),
        ("other random", r#","MsgRandom":32"#),
        ("other time", r#","MsgTimeStamp":1556178722"#),
        // What stands in for the sequence is made of the content too.
        ("no sequence", r#","MsgSeq":null"#),
        ("no sequence", r#","MsgSeq":null"#),
        ("no sequence either", r#","MsgSeq":null"#),
    ] {
        assert_eq!(app.rest(IMPORT, &import(text, more)).await, OK);
    }
    let mut texts = app.texts("bo", "ana").await;
    texts.sort_unstable();
    assert_eq!(
        texts,
        ["first", "no sequence", "no sequence either", "other random", "other sequence", "other time"]
    );
    assert_eq!(app.unread("bo", "ana").await, (0, 0));
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_imported() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let unknown = refused(90048, "the account does not exist");
    let future = refused(90006, "MsgTimeStamp is in the future");
    let time = refused(90006, "MsgTimeStamp must be a time in Unix seconds");
    let kind = refused(90030, "SyncFromOldSystem must be 2 or 5");
    let at = |secs: u64| format!(r#","MsgTimeStamp":{}"#, clock.now_s() + secs);
    for (more, expected) in [
        (r#","From_Account":"nobody""#.to_owned(), &unknown),
        (r#","To_Account":"nobody""#.into(), &unknown),
        (at(61), &future),
        (r#","MsgTimeStamp":4294967295"#.into(), &future),
        (r#","MsgTimeStamp":null"#.into(), &time),
        (r#","MsgTimeStamp":1556178721000"#.into(), &time),
        (r#","SyncFromOldSystem":null"#.into(), &kind),
        (r#","SyncFromOldSystem":3"#.into(), &kind),
        (
            r#","From_Account":null"#.into(),
            &refused(90008, "From_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
        (
            r#","To_Account":null"#.into(),
            &refused(90003, "To_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
        (r#","MsgRandom":null"#.into(), &refused(90005, "MsgRandom must be an unsigned 32-bit integer")),
        (r#","MsgSeq":-1"#.into(), &refused(90010, "MsgSeq must be an unsigned 32-bit integer")),
        (r#","MsgBody":"hi""#.into(), &refused(90007, "MsgBody must be an Array")),
        (
            format!(r#","MsgBody":{}"#, text_body(&"x".repeat(12_289))),
            &refused(80002, "the message has 12289 bytes; 12288 are allowed"),
        ),
    ] {
        assert_eq!(&app.rest(IMPORT, &import("no", &more)).await, expected, "{more:.80}");
    }
    assert!(app.texts("bo", "ana").await.is_empty());
    for more in [at(60), at(0), format!(r#","MsgBody":{}"#, text_body(&"x".repeat(12_288)))] {
        assert_eq!(app.rest(IMPORT, &import("yes", &more)).await, OK, "{more:.80}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_operator_may_allow_less() {
    let app = Setup::default().settings("[limits]\nmessage_bytes_max = 10\n").start().await;
    let too_long = refused(80002, "the message is longer than 12 KB");
    assert_eq!(app.rest(IMPORT, &import("1234567890", "")).await, OK);
    assert_eq!(app.rest(IMPORT, &import("12345678901", "")).await, too_long);
    assert_eq!(app.rest(IMPORT, &import("1234567890", r#","CloudCustomData":"c""#)).await, too_long);
    app.stop().await;
}

/// What was imported is a message like any other.
#[tokio::test]
async fn an_imported_message_can_be_altered() {
    let app = Setup::default().start().await;
    app.rest(IMPORT, &import("2019", "")).await;
    let named = |more: &str| {
        format!(r#"{{"From_Account":"ana","To_Account":"bo","MsgKey":"7_31_1556178721"{more}}}"#)
    };
    let edit = named(&format!(r#","MsgBody":{}"#, text_body("edited")));
    assert_eq!(app.rest("openim/modify_c2c_msg", &edit).await, OK);
    assert_eq!(app.texts("bo", "ana").await, ["edited"]);
    assert_eq!(app.rest("openim/admin_msgwithdraw", &named("")).await, OK);
    assert_eq!(app.texts("bo", "ana").await, [""]);
    app.stop().await;
}
