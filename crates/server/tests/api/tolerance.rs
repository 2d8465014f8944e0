//! What real server SDKs send, however odd, is understood.

use crate::app::{ADMIN, OK, SDKAPPID, Setup, admin_query, plain_send, plain_sent, text_body, usersig};
use crate::literal::literal;
use crate::raw_http;

#[tokio::test]
async fn any_label_and_any_framing() {
    let app = Setup::default().start().await;
    let target = format!("/v4/openim/sendmsg?{}", admin_query());
    let plain =
        |headers: &str, random| raw_http::request("POST", &target, headers, plain_send(random).as_bytes());
    let text = plain_send(6);
    let (start, end) = text.split_at(40);
    for (random, request) in [
        (1, plain("", 1)),
        (2, plain("Content-Type: application/json; charset=utf-8\r\n", 2)),
        (3, plain("Content-Type: text/plain\r\n", 3)),
        (4, plain("Content-Type: application/x-www-form-urlencoded\r\n", 4)),
        (5, plain("Content-Type: \r\nAccept: text/html\r\n", 5)),
        (6, raw_http::chunked("POST", &target, "", &[start, end])),
        (7, raw_http::request("PUT", &target, "", plain_send(7).as_bytes())),
        (8, raw_http::request("GET", &target, "", plain_send(8).as_bytes())),
    ] {
        let answer = app.exchange(&request).await;
        assert_eq!((answer.status, literal(&answer.body)), (200, plain_sent(random)), "request {random}");
        assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    }
    app.stop().await;
}

#[tokio::test]
async fn any_query() {
    let app = Setup::default().start().await;
    let good = usersig(ADMIN);
    let escaped = good.replace('*', "%2A").replace('-', "%2D").replace('_', "%5F");
    let lower = good.replace('*', "%2a").replace('-', "%2d").replace('_', "%5f");
    let unpadded = good.trim_end_matches('_');
    for (random, query) in [
        (1, format!("usersig={good}&identifier={ADMIN}&sdkappid={SDKAPPID}&random=7&contenttype=json")),
        (2, format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={good}")),
        (3, format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={escaped}&contenttype=json")),
        (4, format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={lower}&contenttype=json")),
        (5, format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={unpadded}")),
        (
            6,
            format!(
                "sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={good}&random=7e6b6e0c-1f0a-4a39-9a57-6a8a0c7f6a55"
            ),
        ),
        (
            7,
            format!("&&sdkappid={SDKAPPID}&identifier=%61dministrator&usersig={good}&random=&x&ver=v4&apn=0"),
        ),
    ] {
        assert_eq!(
            app.call("openim/sendmsg", &query, &plain_send(random)).await,
            plain_sent(random),
            "{query}"
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn numbers_as_strings_unknown_and_doubled_members() {
    let app = Setup::default().start().await;
    let body = text_body("hi");
    for (random, request) in [
        (
            4_294_967_295_u32,
            format!(
                r#"{{"SyncOtherMachine":"1","From_Account":"ana","To_Account":"bo","MsgSeq":"7","MsgRandom":"4294967295","MsgTimeStamp":"1","MsgLifeTime":"604800","OnlineOnlyFlag":"0","MsgBody":{body}}}"#
            ),
        ),
        (
            12,
            format!(
                r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":7.0,"MsgRandom":12,"Newer":[{{"x":1}}],"MsgBody":{body}}}"#
            ),
        ),
        (
            13,
            format!(
                r#"{{"From_Account":"cy","From_Account":"ana","To_Account":"bo","MsgRandom":1,"MsgSeq":7,"MsgRandom":13,"MsgBody":{body}}}"#
            ),
        ),
        (
            14,
            format!(
                r#" {{ "MsgBody" : {body} , "From_Account":null, "To_Account":"\u0062o","MsgSeq":7,"MsgRandom":14,
                "OfflinePushInfo":null,"ForbidCallbackControl":["Newer"],"SendMsgControl":[],"MsgLifeTime":99999999 }} "#
            ),
        ),
    ] {
        assert_eq!(app.rest("openim/sendmsg", &request).await, plain_sent(random), "{request}");
    }
    // The last of them has no From_Account, so it is the calling admin's.
    assert_eq!(app.texts("bo", "ana").await.len(), 3);
    assert_eq!(app.texts("bo", ADMIN).await.len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn old_names() {
    let app = Setup::default().start().await;
    let accounts = |command: &str| format!("im_open_login_svc/{command}");
    assert_eq!(app.rest(&accounts("account_import"), r#"{"Identifier":"old1"}"#).await, OK);
    let imported = app.rest(&accounts("multiaccount_import"), r#"{"Accounts":["old2","old3"]}"#).await;
    assert_eq!(imported, r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","FailAccounts":[]}"#);
    // One SDK asks this with GET and a body.
    let target = format!("/v4/{}?{}", accounts("account_check"), admin_query());
    let body = br#"{"CheckItem":[{"Identifier":"old1"},{"UserID":"old3"},{"UserID":"old4"}]}"#;
    let answer = app.exchange(&raw_http::request("GET", &target, "", body)).await;
    let expected = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[{"UserID":"old1","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},{"UserID":"old3","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},{"UserID":"old4","ResultCode":0,"ResultInfo":"","AccountStatus":"NotImported"}]}"#;
    assert_eq!(answer.body, expected);

    app.send_ok(["ana", "bo"], 1, "hi").await;
    let old = r#"{"From_Account":"bo","To_Account":"ana","MaxCnt":"20","MinTime":"0","MaxTime":"4000000000","LastMsgKey":""}"#;
    assert_eq!(app.rest("openim/admin_getroammsg", old).await, app.history("bo", "ana").await);
    app.stop().await;
}
