//! Lines of an export, many at once.

use crate::app::{Setup, TestApp};
use crate::v1_call::{act, post, read_text, refused};

const TEXT: &str = r#""MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]"#;

fn message(from: &str, to: &str, random: u32) -> String {
    format!(
        r#"{{"From_Account":"{from}","To_Account":"{to}","MsgSeq":7,"MsgRandom":{random},"MsgTimeStamp":1760000000,"MsgFlagBits":0,"IsPeerRead":0,{TEXT}}}"#
    )
}

async fn unread(app: &TestApp, user: &str) -> String {
    app.rest("openim/get_c2c_unread_msg_num", &format!(r#"{{"To_Account":"{user}"}}"#)).await
}

#[tokio::test]
async fn every_line_is_carried_out_by_itself() {
    let app = Setup::told().start().await;
    let lines = [
        r#"{"UserID":"dee","Nick":"Dee"}"#.to_owned(),
        String::new(),
        message("dee", "ana", 1),
        message("dee", "nobody", 2),
        message("ana", "bo", 3).replace(r#""MsgFlagBits":0"#, r#""MsgFlagBits":8"#),
        "?".to_owned(),
        message("ana", "bo", 4).replace("1760000000", "4000000000"),
        message("bo", "ana", 5).replace(TEXT, &TEXT.replace("lunch?", &"x".repeat(12_289))),
        message("ana", "bo", 6),
    ];
    let body = lines.join("\n");
    let report = act(&app, "/import", &body).await;
    assert_eq!(
        report.to_string(),
        r#"{"accounts":1,"duplicates":0,"messages":2,"rejected":[{"ErrorCode":90048,"ErrorInfo":"the account does not exist","line":3},{"ErrorCode":90001,"ErrorInfo":"Fail to Parse json data of body, Please check it","line":5},{"ErrorCode":90006,"ErrorInfo":"MsgTimeStamp is in the future","line":6},{"ErrorCode":80002,"ErrorInfo":"the message has 12289 bytes; 12288 are allowed","line":7}],"skipped":1}"#
    );
    // Once more: what is there is not doubled.
    let report = act(&app, "/import", &body).await;
    assert_eq!((report["messages"].as_u64(), report["duplicates"].as_u64()), (Some(0), Some(2)));
    let portrait = r#"{"To_Account":["dee"],"TagList":["Tag_Profile_IM_Nick"]}"#;
    assert!(app.rest("profile/portrait_get", portrait).await.contains(r#""Value":"Dee""#));
    let history =
        r#"{"Operator_Account":"ana","Peer_Account":"dee","MaxCnt":10,"MinTime":0,"MaxTime":4000000000}"#;
    let history = app.rest("openim/admin_getroammsg", history).await;
    assert!(history.contains(r#""MsgKey":"7_1_1760000000""#), "{history}");
    assert!(unread(&app, "ana").await.contains(r#""AllC2CUnreadMsgNum":0"#));
    // Nobody is told.
    assert_eq!(read_text(&app, "/events").await.matches("evt_").count(), 0);
    app.stop().await;
}

#[tokio::test]
async fn live_messages_count_and_missing_accounts_are_made() {
    let app = Setup::default().start().await;
    let body = message("eve", "fay", 1);
    let report = act(&app, "/import?mode=live&create_accounts=1", &body).await;
    assert_eq!((report["messages"].as_u64(), report["rejected"].as_array().unwrap().len()), (Some(1), 0));
    assert!(unread(&app, "fay").await.contains(r#""AllC2CUnreadMsgNum":1"#));
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_import_is_refused() {
    let app = Setup::default().start().await;
    let account = r#"{"UserID":"dee"}"#;
    for (path, body, expected) in [
        ("/import?mode=both", account.to_owned(), (400, 11104)),
        ("/import?create_accounts=2", account.to_owned(), (400, 11104)),
        ("/import?create=1", account.to_owned(), (400, 11104)),
        ("/import", format!("{account}\n").repeat(2_001), (400, 11104)),
        ("/import", format!("{account}\n").repeat(70_000), (413, 93000)),
    ] {
        let (status, code, _) = refused(&post(&app, path, &body).await);
        assert_eq!((status, code), expected, "{path}");
    }
    // The last line may end as all others do.
    let report = act(&app, "/import", &format!("{account}\n").repeat(2_000)).await;
    assert_eq!(report["accounts"].as_u64(), Some(2_000));
    app.stop().await;
}
