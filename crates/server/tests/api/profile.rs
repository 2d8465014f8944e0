//! `profile`: what users say about themselves is written, told and read.

use crate::app::{OK, Setup, TestApp};
use crate::literal::literal;

const SET: &str = "profile/portrait_set";
const GET: &str = "profile/portrait_get";
const DONE: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#;
const EVERY_TAG: &str = r#""Tag_Profile_IM_Nick","Tag_Profile_IM_Gender","Tag_Profile_IM_BirthDay","Tag_Profile_IM_Location","Tag_Profile_IM_SelfSignature","Tag_Profile_IM_AllowType","Tag_Profile_IM_Language","Tag_Profile_IM_Image","Tag_Profile_IM_MsgSettings","Tag_Profile_IM_AdminForbidType","Tag_Profile_IM_Level","Tag_Profile_IM_Role","Tag_Profile_Custom_Vip","Tag_Profile_Custom_Age""#;
const EVERY_VALUE: &str = r#"{"Tag":"Tag_Profile_IM_Nick","Value":"Ana \"K.\""},{"Tag":"Tag_Profile_IM_Gender","Value":"Gender_Type_Female"},{"Tag":"Tag_Profile_IM_BirthDay","Value":20190419},{"Tag":"Tag_Profile_IM_Location","Value":"Oslo"},{"Tag":"Tag_Profile_IM_SelfSignature","Value":"é"},{"Tag":"Tag_Profile_IM_AllowType","Value":"AllowType_Type_NeedConfirm"},{"Tag":"Tag_Profile_IM_Language","Value":7},{"Tag":"Tag_Profile_IM_Image","Value":"http://127.0.0.1/ana.png"},{"Tag":"Tag_Profile_IM_MsgSettings","Value":1},{"Tag":"Tag_Profile_IM_AdminForbidType","Value":"AdminForbid_Type_SendOut"},{"Tag":"Tag_Profile_IM_Level","Value":4294967295},{"Tag":"Tag_Profile_IM_Role","Value":0},{"Tag":"Tag_Profile_Custom_Vip","Value":"yes"},{"Tag":"Tag_Profile_Custom_Age","Value":"41"}"#;

fn failed(code: u32, info: &str) -> String {
    format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"{info}","ErrorDisplay":""}}"#)
}

fn portraits(items: &str, more: &str) -> String {
    format!(
        r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","UserProfileItem":[{items}]{more}}}"#
    )
}

fn portrait(user: &str, values: &str) -> String {
    format!(r#"{{"To_Account":"{user}","ProfileItem":[{values}],"ResultCode":0,"ResultInfo":""}}"#)
}

async fn set(app: &TestApp, user: &str, values: &str) -> String {
    app.rest(SET, &format!(r#"{{"From_Account":"{user}","ProfileItem":[{values}]}}"#)).await
}

async fn get(app: &TestApp, users: &str, tags: &str) -> String {
    app.rest(GET, &format!(r#"{{"To_Account":[{users}],"TagList":[{tags}]}}"#)).await
}

#[tokio::test]
async fn a_profile_is_written_told_and_read() {
    let mut app = Setup::telling(&["Profile.CallbackPortraitSet"]).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    assert_eq!(set(&app, "ana", EVERY_VALUE).await, DONE);

    assert_eq!(ana.hear().await, r#"{"push":"profile","position":{"epoch":"E","offset":1},"unread":0}"#);
    let told = app.receiver.next().await;
    assert_eq!(
        told.target,
        "POST /callback?SdkAppid=1400000001&CallbackCommand=Profile.CallbackPortraitSet&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI"
    );
    let body = format!(
        r#"{{"CallbackCommand":"Profile.CallbackPortraitSet","Operator_Account":"administrator","From_Account":"ana","EventTime":MS,"ProfileItem":[{EVERY_VALUE}]}}"#
    );
    assert_eq!(literal(&told.body), body);
    assert_eq!(get(&app, r#""ana""#, EVERY_TAG).await, portraits(&portrait("ana", EVERY_VALUE), ""));

    // What is not named stays, and only what is named is told; of a doubled tag the last value counts.
    let some = r#"{"Tag":"Tag_Profile_IM_Nick","Value":"A"},{"Tag":"Tag_Profile_IM_Level","Value":"5"},{"Tag":"Tag_Profile_IM_Nick","Value":""}"#;
    assert_eq!(set(&app, "ana", some).await, DONE);
    let written = r#"{"Tag":"Tag_Profile_IM_Nick","Value":""},{"Tag":"Tag_Profile_IM_Level","Value":5}"#;
    let body = format!(
        r#"{{"CallbackCommand":"Profile.CallbackPortraitSet","Operator_Account":"administrator","From_Account":"ana","EventTime":MS,"ProfileItem":[{written}]}}"#
    );
    assert_eq!(literal(&app.receiver.next().await.body), body);
    let tags = r#""Tag_Profile_IM_Nick","Tag_Profile_IM_Level""#;
    assert_eq!(get(&app, r#""ana""#, tags).await, portraits(&portrait("ana", written), ""));
    let location = portrait("ana", r#"{"Tag":"Tag_Profile_IM_Location","Value":"Oslo"}"#);
    assert_eq!(get(&app, r#""ana""#, r#""Tag_Profile_IM_Location""#).await, portraits(&location, ""));

    // It is nobody else's business: the next thing that bo hears of is a message.
    app.send_ok(["cy", "bo"], 1, "hi").await;
    assert_eq!(bo.hear_message().await, (1, 1, "hi".to_owned()));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn tags_without_a_value_have_their_default() {
    let app = Setup::default().start().await;
    let defaults = r#"{"Tag":"Tag_Profile_IM_Nick","Value":"bo"},{"Tag":"Tag_Profile_IM_Gender","Value":"Gender_Type_Unknown"},{"Tag":"Tag_Profile_IM_BirthDay","Value":0},{"Tag":"Tag_Profile_IM_Location","Value":""},{"Tag":"Tag_Profile_IM_SelfSignature","Value":""},{"Tag":"Tag_Profile_IM_AllowType","Value":"AllowType_Type_AllowAny"},{"Tag":"Tag_Profile_IM_Language","Value":0},{"Tag":"Tag_Profile_IM_Image","Value":""},{"Tag":"Tag_Profile_IM_MsgSettings","Value":0},{"Tag":"Tag_Profile_IM_AdminForbidType","Value":"AdminForbid_Type_None"},{"Tag":"Tag_Profile_IM_Level","Value":0},{"Tag":"Tag_Profile_IM_Role","Value":0}"#;
    assert_eq!(get(&app, r#""bo""#, EVERY_TAG).await, portraits(&portrait("bo", defaults), ""));
    let custom = r#""Tag_Profile_Custom_Vip""#;
    assert_eq!(get(&app, r#""bo""#, custom).await, portraits(&portrait("bo", ""), ""));
    app.stop().await;
}

#[tokio::test]
async fn an_account_comes_and_goes_with_its_profile() {
    let app = Setup::default().start().await;
    let tags = r#""Tag_Profile_IM_Nick","Tag_Profile_IM_Image","Tag_Profile_IM_Level""#;
    let shown = |nick: &str, image: &str, level: u32| {
        let values = format!(
            r#"{{"Tag":"Tag_Profile_IM_Nick","Value":"{nick}"}},{{"Tag":"Tag_Profile_IM_Image","Value":"{image}"}},{{"Tag":"Tag_Profile_IM_Level","Value":{level}}}"#
        );
        portraits(&portrait("dee", &values), "")
    };
    let import = r#"{"UserID":"dee","Nick":"Dee","FaceUrl":"http://127.0.0.1/dee.png"}"#;
    assert_eq!(app.rest("im_open_login_svc/account_import", import).await, OK);
    assert_eq!(set(&app, "dee", r#"{"Tag":"Tag_Profile_IM_Level","Value":3}"#).await, DONE);
    assert_eq!(get(&app, r#""dee""#, tags).await, shown("Dee", "http://127.0.0.1/dee.png", 3));
    // An import of one who is there brings new names, and touches nothing else.
    let again = r#"{"UserID":"dee","Nick":"Dee D."}"#;
    assert_eq!(app.rest("im_open_login_svc/account_import", again).await, OK);
    assert_eq!(get(&app, r#""dee""#, tags).await, shown("Dee D.", "http://127.0.0.1/dee.png", 3));

    app.rest("im_open_login_svc/account_delete", r#"{"DeleteItem":[{"UserID":"dee"}]}"#).await;
    let gone = r#"{"To_Account":"dee","ResultCode":40003,"ResultInfo":"the account does not exist"}"#;
    assert_eq!(get(&app, r#""dee""#, tags).await, portraits(gone, r#","Fail_Account":["dee"]"#));
    assert_eq!(app.rest("im_open_login_svc/account_import", r#"{"UserID":"dee"}"#).await, OK);
    assert_eq!(get(&app, r#""dee""#, tags).await, shown("", "", 0));
    app.stop().await;
}

#[tokio::test]
async fn who_is_not_known_fails_alone() {
    let app = Setup::default().start().await;
    let nick = |user: &str| portrait(user, &format!(r#"{{"Tag":"Tag_Profile_IM_Nick","Value":"{user}"}}"#));
    let (ana, bo) = (nick("ana"), nick("bo"));
    let nobody = r#"{"To_Account":"nobody","ResultCode":40003,"ResultInfo":"the account does not exist"}"#;
    let tags = r#""Tag_Profile_IM_Nick""#;
    let table = [
        (
            r#""bo","nobody","ana""#,
            portraits(&format!("{bo},{nobody},{ana}"), r#","Fail_Account":["nobody"]"#),
        ),
        (
            r#""nobody","nobody""#,
            portraits(&format!("{nobody},{nobody}"), r#","Fail_Account":["nobody","nobody"]"#),
        ),
        (r#""ana","ana""#, portraits(&format!("{ana},{ana}"), "")),
    ];
    for (users, expected) in table {
        assert_eq!(get(&app, users, tags).await, expected, "{users}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let app = Setup::telling(&["Profile.CallbackPortraitSet"]).start().await;
    let nick = r#"{"Tag":"Tag_Profile_IM_Nick","Value":"x"}"#;
    let long = format!(r#"{{"Tag":"Tag_Profile_IM_Nick","Value":"{}"}}"#, "x".repeat(501));
    let (word, kind) = (
        r#"{"Tag":"Tag_Profile_IM_AllowType","Value":"AllowAny"}"#,
        r#"{"Tag":"Tag_Profile_IM_SelfSignature","Value":7}"#,
    );
    let set = |user: &str, values: &str| format!(r#"{{"From_Account":"{user}","ProfileItem":[{values}]}}"#);
    let get = |users: &str, tags: &str| format!(r#"{{"To_Account":[{users}],"TagList":[{tags}]}}"#);
    let many = |count| vec![r#""ana""#; count].join(",");
    let table = [
        (SET, set("nobody", nick), failed(40003, "the account does not exist")),
        (SET, "[]".to_owned(), failed(40001, "Err_Profile_Comm_Decode_Fail")),
        (SET, set("", nick), failed(40001, "From_Account must be a String of 1 to 32 bytes")),
        (SET, set("ana", ""), failed(40001, "ProfileItem must be an Array with at least one item")),
        (
            SET,
            set("ana", &format!(r#"{nick},{{"Tag":"Tag_Profile_IM_Other","Value":"x"}}"#)),
            failed(40009, "there is no such tag"),
        ),
        (
            SET,
            set("ana", &format!("{nick},{long}")),
            failed(40601, "Tag_Profile_IM_Nick is longer than 500 bytes"),
        ),
        (
            SET,
            set("ana", &format!("{nick},{word}")),
            failed(40605, "Tag_Profile_IM_AllowType does not have such a value"),
        ),
        (
            GET,
            get("", r#""Tag_Profile_IM_Nick""#),
            failed(40002, "To_Account must be an Array of 1 to 100 UserIDs"),
        ),
        (
            GET,
            get(&many(101), r#""Tag_Profile_IM_Nick""#),
            failed(40001, "To_Account must be an Array of 1 to 100 UserIDs"),
        ),
        (GET, get(r#""ana""#, ""), failed(40001, "TagList must be an Array with at least one item")),
        (GET, get(r#""ana""#, r#""Tag_Profile_IM_Other""#), failed(40009, "there is no such tag")),
        (GET, "x".to_owned(), failed(40001, "Err_Profile_Comm_Decode_Fail")),
    ];
    for (command, request, expected) in table {
        assert_eq!(app.rest(command, &request).await, expected, "{command} {request}");
    }
    let wrong_kind = app.rest(SET, &set("ana", &format!("{nick},{kind}"))).await;
    assert!(wrong_kind.starts_with(r#"{"ActionStatus":"FAIL","ErrorCode":40610,"#), "{wrong_kind}");
    let unchanged = portrait("ana", r#"{"Tag":"Tag_Profile_IM_Nick","Value":"ana"}"#);
    let hundred = portraits(&vec![unchanged.as_str(); 100].join(","), "");
    assert_eq!(app.rest(GET, &get(&many(100), r#""Tag_Profile_IM_Nick""#)).await, hundred);
    app.stop().await;
}

#[tokio::test]
async fn a_profile_has_room_for_so_many_tags() {
    let app = Setup::default().start().await;
    let values = |letters: std::ops::RangeInclusive<char>| {
        let values = letters.map(|letter| format!(r#"{{"Tag":"Tag_Profile_Custom_{letter}","Value":"1"}}"#));
        values.collect::<Vec<_>>().join(",")
    };
    let standard = EVERY_VALUE.split(r#",{"Tag":"Tag_Profile_Custom"#).next().unwrap();
    assert_eq!(set(&app, "ana", standard).await, DONE);
    assert_eq!(set(&app, "ana", &values('a'..='k')).await, DONE);
    let full = failed(40009, "the profile would have too many custom tags");
    assert_eq!(set(&app, "ana", &values('l'..='u')).await, full);
    assert_eq!(set(&app, "ana", &values('l'..='t')).await, DONE);
    assert_eq!(set(&app, "ana", &values('u'..='u')).await, full);
    assert_eq!(set(&app, "ana", r#"{"Tag":"Tag_Profile_Custom_t","Value":"2"}"#).await, DONE);
    let kept = portrait("ana", r#"{"Tag":"Tag_Profile_Custom_t","Value":"2"}"#);
    let tags = r#""Tag_Profile_Custom_t","Tag_Profile_Custom_u""#;
    assert_eq!(get(&app, r#""ana""#, tags).await, portraits(&kept, ""));
    app.stop().await;
}
