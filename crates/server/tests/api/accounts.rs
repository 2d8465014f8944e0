//! Accounts are imported, looked up and deleted.

use crate::app::{OK, Setup};

#[tokio::test]
async fn the_life_of_an_account() {
    let app = Setup::default().start().await;
    let status = async |expected: &str| {
        let answer = app.rest("im_open_login_svc/account_check", r#"{"CheckItem":[{"UserID":"dee"}]}"#).await;
        let item =
            format!(r#"{{"UserID":"dee","ResultCode":0,"ResultInfo":"","AccountStatus":"{expected}"}}"#);
        let line = format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[{item}]}}"#);
        assert_eq!(answer, line);
    };
    status("NotImported").await;
    let import = r#"{"UserID":"dee","Nick":"Dee","FaceUrl":"http://127.0.0.1/dee.png"}"#;
    for _ in 0..2 {
        assert_eq!(app.rest("im_open_login_svc/account_import", import).await, OK);
    }
    status("Imported").await;
    app.send_ok(["dee", "bo"], 1, "hi").await;
    let delete = r#"{"DeleteItem":[{"UserID":"dee"},{"UserID":"nobody"}]}"#;
    let deleted = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[{"ResultCode":0,"ResultInfo":"","UserID":"dee"},{"ResultCode":70107,"ResultInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","UserID":"nobody"}]}"#;
    assert_eq!(app.rest("im_open_login_svc/account_delete", delete).await, deleted);
    status("NotImported").await;
    let refused = r#"{"ActionStatus":"FAIL","ErrorCode":20003,"ErrorInfo":"the sender or the recipient is not a known account"}"#;
    assert_eq!(app.send(["dee", "bo"], 2, "again", "").await, refused);
    // The other side keeps its view.
    assert_eq!(app.texts("bo", "dee").await, ["hi"]);
    app.stop().await;
}

#[tokio::test]
async fn names_of_any_script_and_full_length() {
    let app = Setup::default().start().await;
    for name in ["用户-é", "@RBT#1 x+y", "12345678901234567890123456789012", r#"quo\"te\\s"#] {
        assert_eq!(
            app.rest("im_open_login_svc/account_import", &format!(r#"{{"UserID":"{name}"}}"#)).await,
            OK
        );
        app.send_ok(["ana", name], 1, "hi").await;
        assert_eq!(app.texts(name, "ana").await, ["hi"], "{name}");
    }
    app.stop().await;
}
