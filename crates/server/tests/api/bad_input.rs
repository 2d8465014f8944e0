//! Bad input is answered with a stable code, and harms nobody.

use crate::app::{
    ADMIN, KEY, SDKAPPID, Setup, TestApp, admin_query, now_s, query, signed, text_body, usersig,
};
use crate::raw_http;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use protocol::usersig::Lifetime;
use std::io::Write;

const SEND: &str = "openim/sendmsg";
const IMPORT: &str = "im_open_login_svc/account_import";
const CHECK: &str = "im_open_login_svc/account_check";

fn failed(code: u32, info: &str) -> String {
    format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"{info}"}}"#)
}

fn code(answer: &str) -> u64 {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["ActionStatus"], "FAIL", "{answer}");
    assert!(!answer["ErrorInfo"].as_str().unwrap().is_empty(), "{answer}");
    answer["ErrorCode"].as_u64().unwrap()
}

#[tokio::test]
async fn bodies() {
    let app = Setup::default().start().await;
    let spaces = " ".repeat((1 << 20) - 2);
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    for (command, body, expected) in [
        (SEND, String::new(), 90001),
        (SEND, "lunch?".into(), 90001),
        (SEND, "[]".into(), 90001),
        (SEND, r#"{"To_Account":"bo""#.into(), 90001),
        (SEND, r#"{"To_Account":"bo"} {}"#.into(), 90001),
        (SEND, "{\"To_Account\":\"b\u{0}o\"}".into(), 90001),
        // As long as a body may be, and one byte longer.
        (SEND, format!("{{{spaces}}}"), 90003),
        (SEND, format!("{{{spaces} }}"), 93000),
        (SEND, deep.clone(), 90003),
        (IMPORT, String::new(), 70402),
        (IMPORT, "[]".into(), 70402),
        (IMPORT, deep, 70402),
        (IMPORT, r#"{"UserID":"123456789012345678901234567890123"}"#.into(), 70402),
        (IMPORT, r#"{"UserID":""}"#.into(), 70402),
        (IMPORT, r#"{"UserID":"a\nb"}"#.into(), 70402),
        (IMPORT, r#"{"UserID":["ana"]}"#.into(), 70402),
        (CHECK, "{}".into(), 70402),
        (CHECK, r#"{"CheckItem":[]}"#.into(), 70402),
        (CHECK, r#"{"CheckItem":["ana"]}"#.into(), 70402),
        ("im_open_login_svc/account_delete", r#"{"DeleteItem":{"UserID":"ana"}}"#.into(), 70402),
        ("im_open_login_svc/account_delete", format!(r#"{{"DeleteItem":[{{"UserID":"{ADMIN}"}}]}}"#), 70402),
        ("im_open_login_svc/multiaccount_import", r#"{"Accounts":[1]}"#.into(), 70402),
        ("openim/admin_getroammsg", "null".into(), 90001),
        ("openim/admin_getroammsg", r#"{"Operator_Account":"ana"}"#.into(), 90003),
        ("openim/no_such_command", "{}".into(), 60009),
        ("no_such_service/sendmsg", "{}".into(), 60009),
        ("openim/%ff", "{}".into(), 60009),
        ("openim/sendmsg/", "{}".into(), 60009),
    ] {
        let answer = app.rest(command, &body).await;
        assert_eq!(code(&answer), expected, "{command} {} {answer}", &body[..body.len().min(80)]);
    }
    app.is_unharmed().await;
    app.stop().await;
}

#[tokio::test]
async fn the_text_says_what_is_wrong() {
    let app = Setup::default().start().await;
    let too_long = format!("{{{}}}", " ".repeat(1 << 20));
    for (command, body, expected) in [
        (SEND, "", failed(90001, "Fail to Parse json data of body, Please check it")),
        (SEND, "{}", failed(90003, "To_Account must be a UserID: a String of 1 to 32 bytes")),
        (SEND, &too_long, failed(93000, "the body is longer than 1048576 bytes")),
        // Far longer than the server reads: the answer must arrive all the same.
        (SEND, &" ".repeat(8 << 20), failed(93000, "the body is longer than 1048576 bytes")),
        (IMPORT, r#"{"UserID":7}"#, failed(70402, "UserID must be a String of 1 to 32 bytes")),
    ] {
        assert_eq!(app.rest(command, body).await, expected);
    }
    app.stop().await;
}

#[tokio::test]
async fn members_of_a_send() {
    let app = Setup::default().start().await;
    let good =
        format!(r#""From_Account":"ana","To_Account":"bo","MsgRandom":9,"MsgBody":{}"#, text_body("lunch?"));
    let long = |bytes: usize| format!(r#""MsgBody":{}"#, text_body(&"a".repeat(bytes)));
    let custom = r#"{"MsgType":"TIMCustomElem","MsgContent":{"Data":"d"}}"#;
    for (member, expected) in [
        (r#""To_Account":null"#.to_owned(), Some(90003)),
        (r#""To_Account":["bo"]"#.into(), Some(90003)),
        (r#""To_Account":7"#.into(), Some(90003)),
        (r#""To_Account":"123456789012345678901234567890123""#.into(), Some(90003)),
        (r#""To_Account":"nobody""#.into(), Some(20003)),
        (r#""From_Account":"nobody""#.into(), Some(20003)),
        (r#""From_Account":7"#.into(), Some(90008)),
        (r#""MsgRandom":null"#.into(), Some(90005)),
        (r#""MsgRandom":4294967296"#.into(), Some(90005)),
        (r#""MsgRandom":"soon""#.into(), Some(90005)),
        (r#""MsgSeq":-1"#.into(), Some(90010)),
        (r#""MsgTimeStamp":"soon""#.into(), Some(90006)),
        (r#""MsgLifeTime":-1"#.into(), Some(90044)),
        (r#""SyncOtherMachine":3"#.into(), Some(90031)),
        (r#""OnlineOnlyFlag":"yes""#.into(), Some(90010)),
        (r#""CloudCustomData":{}"#.into(), Some(90010)),
        (r#""SendMsgControl":"NoUnread""#.into(), Some(90010)),
        (r#""ForbidCallbackControl":{}"#.into(), Some(90010)),
        (r#""OfflinePushInfo":"none""#.into(), Some(90043)),
        (r#""MsgBody":null"#.into(), Some(90002)),
        (r#""MsgBody":[]"#.into(), Some(90002)),
        (r#""MsgBody":[{"MsgType":"TIMTextElem"}]"#.into(), Some(90002)),
        (r#""MsgBody":{"MsgType":"TIMTextElem"}"#.into(), Some(90007)),
        (r#""MsgBody":[{"MsgType":"TIMSomethingElem","MsgContent":{}}]"#.into(), Some(90010)),
        (format!(r#""MsgBody":[{custom},{custom}]"#), Some(90010)),
        (format!(r#""MsgBody":[{custom}]"#), None),
        (long(12_288), None),
        (long(12_289), Some(80002)),
        (long(13 * 1024), Some(80002)),
        // CloudCustomData counts.
        (format!(r#"{},"CloudCustomData":"c""#, long(12_287)), None),
        (format!(r#"{},"CloudCustomData":"c""#, long(12_288)), Some(80002)),
        (format!(r#""MsgBody":[{}{custom}]"#, " ".repeat(128 * 1024)), Some(93000)),
    ] {
        // Of a doubled member the last counts.
        let answer = app.rest(SEND, &format!("{{{good},{member}}}")).await;
        let shown = &member[..member.len().min(80)];
        match expected {
            Some(expected) => assert_eq!(code(&answer), expected, "{shown} {answer}"),
            None => assert!(answer.starts_with(r#"{"ActionStatus":"OK","ErrorCode":0,"#), "{shown} {answer}"),
        }
    }
    app.is_unharmed().await;
    app.stop().await;
}

/// A UserSig around any JSON, as its makers compress and encode it.
fn usersig_of(json: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(json).unwrap();
    STANDARD.encode(zlib.finish().unwrap()).replace('+', "*").replace('/', "-").replace('=', "_")
}

#[tokio::test]
async fn credentials() {
    let app = Setup::default().start().await;
    let hour = Lifetime { time_s: now_s(), expire_s: 3_600 };
    let good = usersig(ADMIN);
    let expired = signed(SDKAPPID, KEY, ADMIN, Lifetime { time_s: now_s() - 60, expire_s: 60 });
    let forged = signed(SDKAPPID, "another key", ADMIN, hour);
    let bomb = usersig_of(&vec![b' '; 2_000_000]);
    assert!(bomb.len() < 4_096, "short enough to be looked at: {}", bomb.len());
    for (query, expected) in [
        (query(SDKAPPID, ADMIN, &expired), failed(70001, "the UserSig has expired")),
        (query(SDKAPPID, ADMIN, ""), failed(70002, "the UserSig is missing")),
        (format!("sdkappid={SDKAPPID}&identifier={ADMIN}"), failed(70002, "the UserSig is missing")),
        (query(SDKAPPID, ADMIN, "eJx"), failed(70003, "The UserSig in use is illegal.")),
        (query(SDKAPPID, ADMIN, &good[..good.len() / 2]), failed(70003, "The UserSig in use is illegal.")),
        (query(SDKAPPID, ADMIN, &usersig_of(b"{}")), failed(70003, "The UserSig in use is illegal.")),
        (query(SDKAPPID, ADMIN, &bomb), failed(70003, "The UserSig in use is illegal.")),
        (query(SDKAPPID, ADMIN, &"A".repeat(10_000)), failed(70003, "The UserSig in use is illegal.")),
        (
            query(SDKAPPID, ADMIN, &forged),
            failed(70009, "UserSig verification Failed. It was not made with a key of this app"),
        ),
        (query(SDKAPPID, "ana", &good), failed(70013, "the UserSig was made for another identifier")),
        (
            query(SDKAPPID, ADMIN, &signed(1_400_000_002, KEY, ADMIN, hour)),
            failed(70014, "the UserSig was made for another sdkappid"),
        ),
        (
            query(1_400_000_002, ADMIN, &signed(1_400_000_002, KEY, ADMIN, hour)),
            failed(70020, "there is no app with this sdkappid"),
        ),
        (query(SDKAPPID, "ana", &usersig("ana")), failed(60010, "the identifier is not an admin of the app")),
        (format!("identifier={ADMIN}&usersig={good}"), failed(60012, "sdkappid is missing")),
        (String::new(), failed(60012, "sdkappid is missing")),
        (
            format!("sdkappid=one&identifier={ADMIN}&usersig={good}"),
            failed(60025, "sdkappid or identifier is not valid"),
        ),
        (format!("sdkappid={SDKAPPID}&usersig={good}"), failed(60025, "sdkappid or identifier is not valid")),
        (
            format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig=%zz"),
            failed(60002, "the URL or the HTTP request cannot be parsed"),
        ),
    ] {
        assert_eq!(app.call(SEND, &query, "{}").await, expected, "{}", &query[..query.len().min(200)]);
    }
    // What was refused before is refused again, also once a good UserSig is known.
    for _ in 0..2 {
        let answer = app.call(CHECK, &admin_query(), r#"{"CheckItem":[{"UserID":"ana"}]}"#).await;
        assert!(answer.contains(r#""AccountStatus":"Imported""#), "{answer}");
        assert_eq!(code(&app.call(SEND, &query(SDKAPPID, ADMIN, &forged), "{}").await), 70009);
    }
    app.is_unharmed().await;
    app.stop().await;
}

#[tokio::test]
async fn checks_come_in_the_documented_order() {
    let app = Setup::default().start().await;
    let not_admin = query(SDKAPPID, "ana", &usersig("ana"));
    let no_usersig = query(SDKAPPID, ADMIN, "");
    let unknown_account = format!(r#"{{"To_Account":"nobody","MsgRandom":1,"MsgBody":{}}}"#, text_body("hi"));
    for (query, body, expected) in [
        // JSON, then UserSig, then admin, then parameters, then rules.
        (&no_usersig, "not JSON", 90001),
        (&String::new(), "not JSON", 90001),
        (&not_admin, "not JSON", 90001),
        (&no_usersig, "{}", 70002),
        (&not_admin, "{}", 60010),
        (&not_admin, &unknown_account, 60010),
        (&admin_query(), "{}", 90003),
        (&admin_query(), &unknown_account, 20003),
    ] {
        assert_eq!(code(&app.call(SEND, query, body).await), expected, "{query} {body}");
    }
    assert_eq!(code(&app.call(IMPORT, &no_usersig, "[").await), 70402);
    assert_eq!(code(&app.call("openim/no_such_command", "", "not JSON").await), 60009);
    app.stop().await;
}

/// What is not even HTTP, or breaks off, must not keep the server from serving.
#[tokio::test]
async fn broken_connections() {
    let app = Setup::default().start().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP at all\r\n\r\n"[..], b"GET\r\n\r\n"]
    {
        let answer = app.exchange(bytes).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let broken_chunk = b"POST /v4/openim/sendmsg HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    let answer = app.exchange(broken_chunk).await;
    assert_eq!((answer.status, code(&answer.body)), (200, 60002), "{answer:?}");
    let half = raw_http::request("POST", "/v4/openim/sendmsg", "", b"{\"To_Account\":");
    let stream = app.connect().await;
    stream.try_write(&half[..half.len() - 5]).unwrap();
    drop(stream);
    app.is_unharmed().await;
    TestApp::stop(app).await;
}
