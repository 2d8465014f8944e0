//! `openim_msg_ext_http_svc`: pairs are put on a message, taken off it, and read.

use crate::app::{ADMIN, OK, Setup, TestApp, text_body};
use crate::exact::refused;
use crate::literal::literal;

const SET: &str = "openim_msg_ext_http_svc/set_key_values";
const GET: &str = "openim_msg_ext_http_svc/get_key_values";

/// A request about a message from ana to bo; of a doubled member the last counts, so `more` overrides.
fn about(key: &str, more: &str) -> String {
    format!(r#"{{"From_Account":"ana","To_Account":"bo","MsgKey":"{key}"{more}}}"#)
}

fn set(key: &str, pairs: &str) -> String {
    about(key, &format!(r#","OperateType":1,"ExtensionList":[{pairs}]"#))
}

fn pair(key: &str, value: &str) -> String {
    format!(r#"{{"Key":"{key}","Value":"{value}","Seq":0}}"#)
}

fn numbered(key: &str, value: &str, seq: u64) -> String {
    format!(r#"{{"Key":"{key}","Value":"{value}","Seq":{seq}}}"#)
}

fn changed(pairs: &[String]) -> String {
    let lines: Vec<_> = pairs.iter().map(|pair| format!(r#"{{"ErrorCode":0,"Extension":{pair}}}"#)).collect();
    format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ExtensionList":[{}]}}"#, lines.join(","))
}

fn page(complete: u8, [latest, clear]: [u64; 2], pairs: &[String]) -> String {
    let pairs = pairs.join(",");
    format!(
        r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","CompleteFlag":{complete},"LatestSeq":{latest},"ClearSeq":{clear},"ExtensionList":[{pairs}]}}"#
    )
}

async fn extensible(app: &TestApp) -> String {
    app.send_for_key(["ana", "bo"], 1, "vote", r#","SupportMessageExtension":1"#).await
}

#[tokio::test]
async fn pairs_are_set_deleted_and_cleared() {
    let mut app = Setup::telling(&["C2C.CallbackAfterC2CMsgExtension"]).start().await;
    let key = extensible(&app).await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let steps = [
        (
            set(&key, &[pair("a", "1"), pair("b", "")].join(",")),
            changed(&[numbered("a", "1", 1), numbered("b", "", 2)]),
            Some((1, vec![numbered("a", "1", 1), numbered("b", "", 2)], 2)),
            page(1, [2, 0], &[numbered("a", "1", 1), numbered("b", "", 2)]),
        ),
        // A pair that changes goes to the end, whatever Seq came with it.
        (
            set(&key, &pair("a", "2")),
            changed(&[numbered("a", "2", 3)]),
            Some((1, vec![numbered("a", "2", 3)], 3)),
            page(1, [3, 0], &[numbered("b", "", 2), numbered("a", "2", 3)]),
        ),
        // Of a key that is there twice, the last counts.
        (
            set(&key, &[pair("c", "3"), pair("c", "4")].join(",")),
            changed(&[numbered("c", "3", 4), numbered("c", "4", 5)]),
            Some((1, vec![numbered("c", "3", 4), numbered("c", "4", 5)], 5)),
            page(1, [5, 0], &[numbered("b", "", 2), numbered("a", "2", 3), numbered("c", "4", 5)]),
        ),
        (
            about(&key, r#","OperateType":2,"ExtensionList":[{"Key":"none"},{"Key":"a"}]"#),
            changed(&[numbered("none", "", 0), numbered("a", "", 6)]),
            Some((2, vec![numbered("a", "", 6)], 6)),
            page(1, [6, 0], &[numbered("b", "", 2), numbered("c", "4", 5)]),
        ),
        (
            about(&key, r#","OperateType":2,"ExtensionList":[{"Key":"a"}]"#),
            changed(&[numbered("a", "", 0)]),
            None,
            page(1, [6, 0], &[numbered("b", "", 2), numbered("c", "4", 5)]),
        ),
        (about(&key, r#","OperateType":3"#), changed(&[]), Some((3, vec![], 7)), page(1, [7, 7], &[])),
        (about(&key, r#","OperateType":3"#), changed(&[]), None, page(1, [7, 7], &[])),
        (
            set(&key, &pair("a", "5")),
            changed(&[numbered("a", "5", 8)]),
            Some((1, vec![numbered("a", "5", 8)], 8)),
            page(1, [8, 7], &[numbered("a", "5", 8)]),
        ),
    ];
    let mut offset = 1;
    for (request, answer, told, left) in steps {
        assert_eq!(app.rest(SET, &request).await, answer, "{request}");
        assert_eq!(app.rest(GET, &about(&key, "")).await, left, "{request}");
        let Some((operation, items, seq)) = told else { continue };
        let told = format!(
            r#"{{"CallbackCommand":"C2C.CallbackAfterC2CMsgExtension","From_Account":"ana","To_Account":"bo","MsgKey":"1_1_T","OperateType":{operation},"ExtensionList":[{}],"Seq":{seq},"EventTime":MS}}"#,
            items.join(",")
        );
        assert_eq!(literal(&app.receiver.next().await.body), told);
        offset += 1;
        let push = |unread| {
            format!(
                r#"{{"push":"extended","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"message":{{"From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":1,"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"1_1_T","MsgId":"N-T-1","MsgBody":{},"CloudCustomData":"","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":1}}}}"#,
                text_body("vote")
            )
        };
        assert_eq!((ana.hear().await, bo.hear().await), (push(0), push(1)));
    }
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn as_many_pairs_as_there_can_be_are_read_in_pages() {
    let app = Setup::default().start().await;
    let key = extensible(&app).await;
    let all: Vec<String> = (1..=300).map(|number| numbered(&format!("k{number}"), "v", number)).collect();
    for twenty in all.chunks(20) {
        assert_eq!(app.rest(SET, &set(&key, &twenty.join(","))).await, changed(twenty));
    }
    let full = refused(10004, "a message can have at most 300 pairs");
    assert_eq!(app.rest(SET, &set(&key, &pair("k301", "v"))).await, full);
    assert_eq!(app.rest(SET, &set(&key, &[pair("k1", "w"), pair("k301", "v")].join(","))).await, full);
    for (start, complete, expected) in [
        ("0", 0, &all[..200]),
        ("1", 0, &all[..200]),
        ("201", 1, &all[200..]),
        (r#""101""#, 1, &all[100..]),
        ("100", 0, &all[99..299]),
        ("300", 1, &all[299..]),
        ("301", 1, &[]),
        ("18446744073709551615", 1, &[]),
    ] {
        let answer = app.rest(GET, &about(&key, &format!(r#","StartSeq":{start}"#))).await;
        assert_eq!(answer, page(complete, [300, 0], expected), "{start}");
    }
    // Pairs that are there already can be written to.
    assert_eq!(app.rest(SET, &set(&key, &pair("k1", "w"))).await, changed(&[numbered("k1", "w", 301)]));
    app.stop().await;
}

#[tokio::test]
async fn the_message_is_named_by_either_person() {
    let app = Setup::default().start().await;
    let key = extensible(&app).await;
    let backwards =
        r#","From_Account":"bo","To_Account":"ana","OperateType":1,"ExtensionList":[{"Key":"a"}]"#;
    assert_eq!(app.rest(SET, &about(&key, backwards)).await, changed(&[numbered("a", "", 1)]));
    let backwards = r#","From_Account":"bo","To_Account":"ana""#;
    assert_eq!(app.rest(GET, &about(&key, backwards)).await, page(1, [1, 0], &[numbered("a", "", 1)]));
    // Without From_Account it is a message of the calling admin.
    let own = app.send_for_key([ADMIN, "bo"], 2, "own", r#","SupportMessageExtension":1"#).await;
    let own = format!(r#"{{"To_Account":"bo","MsgKey":"{own}""#);
    let set = format!(r#"{own},"OperateType":1,"ExtensionList":[{{"Key":"a"}}]}}"#);
    assert_eq!(app.rest(SET, &set).await, changed(&[numbered("a", "", 1)]));
    assert_eq!(app.rest(GET, &format!("{own}}}")).await, page(1, [1, 0], &[numbered("a", "", 1)]));
    app.stop().await;
}

#[tokio::test]
async fn what_has_no_pairs() {
    let app = Setup::default().start().await;
    let key = extensible(&app).await;
    assert_eq!(app.rest(GET, &about(&key, "")).await, page(1, [0, 0], &[]));
    let plain = app.send_for_key(["ana", "bo"], 2, "plain", "").await;
    let gone = app.send_for_key(["ana", "bo"], 3, "gone", r#","SupportMessageExtension":1"#).await;
    app.rest(SET, &set(&gone, &pair("a", "1"))).await;
    assert_eq!(app.rest("openim/admin_msgwithdraw", &about(&gone, "")).await, OK);
    let none = refused(23004, "there is no such message");
    let not_meant = refused(23002, "the message was sent without SupportMessageExtension");
    for (key, more, expected) in [
        ("1_2_3", "", &none),
        (&gone, "", &none),
        (&key, r#","To_Account":"cy""#, &none),
        (&key, r#","To_Account":"nobody""#, &none),
        (&key, r#","From_Account":null"#, &none),
        (&plain, "", &not_meant),
        ("1_2", "", &refused(10004, "MsgKey must be a String of the form <MsgSeq>_<MsgRandom>_<MsgTime>")),
        (
            &key,
            r#","To_Account":null"#,
            &refused(10004, "To_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
        (
            &key,
            r#","From_Account":"""#,
            &refused(10004, "From_Account must be a UserID: a String of 1 to 32 bytes"),
        ),
    ] {
        assert_eq!(&app.rest(GET, &about(key, more)).await, expected, "{key} {more}");
        let clear = format!(r#"{more},"OperateType":3"#);
        assert_eq!(&app.rest(SET, &about(key, &clear)).await, expected, "{key} {more}");
    }
    for (request, info) in [
        (about(&key, ""), "OperateType must be 1, 2 or 3"),
        (set(&key, ""), "ExtensionList must be an Array of 1 to 20 Objects"),
        (set(&key, &vec![pair("a", ""); 21].join(",")), "ExtensionList must be an Array of 1 to 20 Objects"),
        (set(&key, &pair(&"k".repeat(101), "")), "Key must be a String of 1 to 100 bytes"),
        (set(&key, &pair("a", &"v".repeat(1001))), "Value must be a String of at most 1000 bytes"),
    ] {
        assert_eq!(app.rest(SET, &request).await, refused(10004, info));
    }
    let start = app.rest(GET, &about(&key, r#","StartSeq":"x""#)).await;
    assert_eq!(start, refused(10004, "StartSeq must be an unsigned integer"));
    assert_eq!(app.rest(GET, &about(&key, "")).await, page(1, [0, 0], &[]));
    app.stop().await;
}
