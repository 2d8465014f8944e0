//! `sns/friend_*`: friends are made, asked, imported, noted of, listed and parted from.

use crate::app::{Setup, TestApp, admin_query};
use crate::literal::literal;
use serde_json::Value;

pub(crate) const DONE: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#;
pub(crate) const NOBODY: &str =
    r#"{"ActionStatus":"FAIL","ErrorCode":30003,"ErrorInfo":"the account does not exist","ErrorDisplay":""}"#;
const UNKNOWN: &str = "the account does not exist";
const PENDING: &str = "the friend request waits for the peer's consent";
const EXISTS: &str = "Err_SNS_FriendAdd_Friend_Exist";
const ONESELF: &str = "To_Account must be another user than From_Account";
const ALL: [&str; 4] = [
    "Sns.CallbackFriendAdd",
    "Sns.CallbackFriendDelete",
    "Sns.CallbackBlackListAdd",
    "Sns.CallbackBlackListDelete",
];

/// A good answer with these members.
pub(crate) fn answer(members: &str) -> String {
    format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"",{members}}}"#)
}

/// The members of an answer with a line for each of the others: who, and what became of it.
pub(crate) fn lines(lines: &[(&str, u32, &str)]) -> String {
    let line = |(to, code, info): &(&str, u32, &str)| {
        format!(r#"{{"To_Account":"{to}","ResultCode":{code},"ResultInfo":"{info}"}}"#)
    };
    let items: Vec<_> = lines.iter().map(line).collect();
    let failed: Vec<_> = lines.iter().filter(|line| line.1 != 0).map(|line| line.0).collect();
    let failed = if failed.is_empty() { String::new() } else { format!(r#","Fail_Account":{failed:?}"#) };
    format!(r#""ResultItem":[{}]{}"#, items.join(","), failed.replace(", ", ","))
}

pub(crate) fn results(of: &[(&str, u32, &str)]) -> String {
    answer(&lines(of))
}

pub(crate) async fn sns(app: &TestApp, command: &str, request: &str) -> String {
    app.rest(&format!("sns/{command}"), request).await
}

/// The answer as it came: in normal form, a time is no number.
pub(crate) async fn json(app: &TestApp, command: &str, request: &str) -> Value {
    let answer = app.call_exactly(&format!("sns/{command}"), &admin_query(), request).await;
    serde_json::from_str(&answer).unwrap()
}

/// Makes calls one after the other, and looks at what each is answered.
pub(crate) async fn walk(app: &TestApp, steps: &[(&str, String, String)]) {
    for (command, request, expected) in steps {
        assert_eq!(sns(app, command, request).await, *expected, "{command} {request}");
    }
}

/// One friend to be added; `more` are further members, each with a comma in front.
fn add(from: &str, to: &str, more: &str) -> String {
    format!(
        r#"{{"From_Account":"{from}","AddFriendItem":[{{"To_Account":"{to}","AddSource":"AddSource_Type_Web"}}]{more}}}"#
    )
}

pub(crate) async fn befriend(app: &TestApp, from: &str, to: &str) {
    assert_eq!(sns(app, "friend_add", &add(from, to, "")).await, results(&[(to, 0, "")]));
}

/// A request about `from` and some others.
pub(crate) fn about(from: &str, to: &[&str], more: &str) -> String {
    format!(r#"{{"From_Account":"{from}","To_Account":{to:?}{more}}}"#)
}

async fn set_profile(app: &TestApp, user: &str, tag: &str, value: &str) {
    let request = format!(
        r#"{{"From_Account":"{user}","ProfileItem":[{{"Tag":"Tag_Profile_IM_{tag}","Value":"{value}"}}]}}"#
    );
    assert_eq!(app.rest("profile/portrait_set", &request).await, DONE);
}

pub(crate) async fn import_accounts(app: &TestApp, names: &[String]) {
    for names in names.chunks(100) {
        let request = format!(r#"{{"Accounts":{names:?}}}"#);
        assert_eq!(
            app.rest("im_open_login_svc/multiaccount_import", &request).await,
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","FailAccounts":[]}"#
        );
    }
}

/// Who is on the friend list of `user`, in the order of the answer.
async fn friends_of(app: &TestApp, user: &str) -> Vec<String> {
    let request = format!(r#"{{"From_Account":"{user}"}}"#);
    let page = json(app, "friend_get", &request).await;
    let items = page["UserDataItem"].as_array().unwrap();
    items.iter().map(|item| item["To_Account"].as_str().unwrap().to_owned()).collect()
}

fn relation_push(offset: u64, peer: &str, news: &str) -> String {
    format!(
        r#"{{"push":"relation","position":{{"epoch":"E","offset":{offset}}},"unread":0,"peer":"{peer}","news":"{news}"}}"#
    )
}

#[tokio::test]
async fn two_people_become_friends_and_part() {
    let mut app = Setup::telling(&ALL).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let request = r#"{"From_Account":"ana","AddFriendItem":[{"To_Account":"bo","Remark":"Bo \"B.\"","GroupName":"work","AddSource":"AddSource_Type_Web","AddWording":"it's me"}]}"#;
    assert_eq!(
        sns(&app, "friend_add", request).await,
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","ResultItem":[{"To_Account":"bo","ResultCode":0,"ResultInfo":""}]}"#
    );
    assert_eq!(ana.hear().await, relation_push(1, "bo", "befriended"));
    assert_eq!(bo.hear().await, relation_push(1, "ana", "befriended"));
    let told = app.receiver.next().await;
    assert_eq!(
        told.target,
        "POST /callback?SdkAppid=1400000001&CallbackCommand=Sns.CallbackFriendAdd&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI"
    );
    assert_eq!(
        literal(&told.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendAdd","PairList":[{"From_Account":"ana","To_Account":"bo","Initiator_Account":"ana"},{"From_Account":"bo","To_Account":"ana","Initiator_Account":"ana"}],"ClientCmd":"friend_add","Admin_Account":"administrator","ForceFlag":0,"EventTime":MS}"#
    );
    assert_eq!(
        sns(&app, "friend_get", r#"{"From_Account":"ana","StartIndex":0}"#).await,
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","UserDataItem":[{"To_Account":"bo","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_SNS_IM_Remark","Value":"Bo \"B.\""},{"Tag":"Tag_SNS_IM_Group","Value":["work"]},{"Tag":"Tag_SNS_IM_AddTime","Value":T},{"Tag":"Tag_SNS_IM_AddWording","Value":"it's me"}]}],"StandardSequence":1,"CustomSequence":1,"FriendNum":1,"CompleteFlag":1,"NextStartIndex":0}"#
    );
    // The remark and the group are ana's own.
    assert_eq!(
        sns(&app, "friend_get", r#"{"From_Account":"bo"}"#).await,
        answer(
            r#""UserDataItem":[{"To_Account":"ana","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_SNS_IM_AddTime","Value":T},{"Tag":"Tag_SNS_IM_AddWording","Value":"it's me"}]}],"StandardSequence":1,"CustomSequence":1,"FriendNum":1,"CompleteFlag":1,"NextStartIndex":0"#
        )
    );
    assert_eq!(sns(&app, "friend_add", request).await, results(&[("bo", 30001, EXISTS)]));

    let part = about("bo", &["ana"], r#","DeleteType":"Delete_Type_Both""#);
    assert_eq!(sns(&app, "friend_delete", &part).await, results(&[("ana", 0, "")]));
    assert_eq!(ana.hear().await, relation_push(2, "bo", "unfriended"));
    assert_eq!(bo.hear().await, relation_push(2, "ana", "unfriended"));
    let told = app.receiver.next().await;
    assert_eq!(told.parameter("CallbackCommand"), "Sns.CallbackFriendDelete");
    assert_eq!(
        literal(&told.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendDelete","PairList":[{"From_Account":"bo","To_Account":"ana"},{"From_Account":"ana","To_Account":"bo"}],"EventTime":MS}"#
    );
    let none = answer(
        r#""UserDataItem":[],"StandardSequence":2,"CustomSequence":2,"FriendNum":0,"CompleteFlag":1,"NextStartIndex":0"#,
    );
    assert_eq!(sns(&app, "friend_get", r#"{"From_Account":"ana"}"#).await, none);
    assert_eq!(sns(&app, "friend_get", r#"{"From_Account":"bo"}"#).await, none);
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_list_can_have_somebody_who_does_not_have_its_owner() {
    let mut app = Setup::telling(&ALL).start().await;
    let mut bo = app.device("bo").await;
    let single = add("ana", "bo", r#","AddType":"Add_Type_Single""#);
    assert_eq!(sns(&app, "friend_add", &single).await, results(&[("bo", 0, "")]));
    let added = |from: &str, to: &str, initiator: &str| {
        format!(
            r#"{{"CallbackCommand":"Sns.CallbackFriendAdd","PairList":[{{"From_Account":"{from}","To_Account":"{to}","Initiator_Account":"{initiator}"}}],"ClientCmd":"friend_add","Admin_Account":"administrator","ForceFlag":0,"EventTime":MS}}"#
        )
    };
    assert_eq!(literal(&app.receiver.next().await.body), added("ana", "bo", "ana"));
    assert_eq!((friends_of(&app, "ana").await, friends_of(&app, "bo").await), (vec!["bo".into()], vec![]));
    assert_eq!(sns(&app, "friend_add", &single).await, results(&[("bo", 30001, EXISTS)]));

    // Only the list that does not have the other yet gets an entry, and only that is told.
    befriend(&app, "ana", "bo").await;
    assert_eq!(literal(&app.receiver.next().await.body), added("bo", "ana", "ana"));
    // Of the entry in ana's list alone, bo heard nothing.
    assert_eq!(bo.hear().await, relation_push(1, "ana", "befriended"));

    // Without a DeleteType, one list alone loses its entry.
    assert_eq!(sns(&app, "friend_delete", &about("ana", &["bo"], "")).await, results(&[("bo", 0, "")]));
    let parted = |from: &str, to: &str| {
        format!(
            r#"{{"CallbackCommand":"Sns.CallbackFriendDelete","PairList":[{{"From_Account":"{from}","To_Account":"{to}"}}],"EventTime":MS}}"#
        )
    };
    assert_eq!(literal(&app.receiver.next().await.body), parted("ana", "bo"));
    assert_eq!((friends_of(&app, "ana").await, friends_of(&app, "bo").await), (vec![], vec!["ana".into()]));
    let not_friends = "the peer is not a friend";
    assert_eq!(
        sns(&app, "friend_delete", &about("ana", &["bo"], "")).await,
        results(&[("bo", 31704, not_friends)])
    );
    // What is left of it ends from either side.
    let both = about("ana", &["bo"], r#","DeleteType":"Delete_Type_Both""#);
    assert_eq!(sns(&app, "friend_delete", &both).await, results(&[("bo", 0, "")]));
    assert_eq!(literal(&app.receiver.next().await.body), parted("bo", "ana"));
    let nobody = about("ana", &["bo", "nobody", "ana", ""], r#","DeleteType":"Delete_Type_Both""#);
    assert_eq!(
        sns(&app, "friend_delete", &nobody).await,
        results(&[
            ("bo", 31704, not_friends),
            ("nobody", 31704, not_friends),
            ("ana", 30001, ONESELF),
            ("", 30001, "To_Account must be a String of 1 to 32 bytes"),
        ])
    );
    assert_eq!(sns(&app, "friend_delete", &about("nobody", &["bo"], "")).await, NOBODY);
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn whoever_wants_to_be_asked_is_asked() {
    // REST never asks the backend, whatever it wants to be asked.
    let mut app = Setup::telling(&["Sns.CallbackPrevFriendAdd", "Sns.CallbackFriendAdd"]).start().await;
    let mut bo = app.device("bo").await;
    set_profile(&app, "bo", "AllowType", "AllowType_Type_NeedConfirm").await;
    assert!(bo.hear().await.starts_with(r#"{"push":"profile""#));
    for offset in 2..=3 {
        assert_eq!(sns(&app, "friend_add", &add("ana", "bo", "")).await, results(&[("bo", 30539, PENDING)]));
        assert_eq!(bo.hear().await, relation_push(offset, "ana", "asked"));
    }
    assert_eq!((friends_of(&app, "ana").await, friends_of(&app, "bo").await), (vec![], vec![]));
    // Whoever was asked, and now asks, has agreed.
    set_profile(&app, "ana", "AllowType", "AllowType_Type_DenyAny").await;
    befriend(&app, "bo", "ana").await;
    assert_eq!(
        literal(&app.receiver.next().await.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendAdd","PairList":[{"From_Account":"bo","To_Account":"ana","Initiator_Account":"ana"},{"From_Account":"ana","To_Account":"bo","Initiator_Account":"ana"}],"ClientCmd":"friend_response","Admin_Account":"administrator","ForceFlag":0,"EventTime":MS}"#
    );
    assert_eq!(bo.hear().await, relation_push(4, "ana", "befriended"));

    // Nobody is asked when it is forced.
    let forced = add("cy", "bo", r#","ForceAddFlags":1"#);
    assert_eq!(sns(&app, "friend_add", &forced).await, results(&[("bo", 0, "")]));
    assert_eq!(
        literal(&app.receiver.next().await.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendAdd","PairList":[{"From_Account":"cy","To_Account":"bo","Initiator_Account":"cy"},{"From_Account":"bo","To_Account":"cy","Initiator_Account":"cy"}],"ClientCmd":"friend_add","Admin_Account":"administrator","ForceFlag":1,"EventTime":MS}"#
    );
    assert_eq!(friends_of(&app, "bo").await, ["ana", "cy"]);
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn why_somebody_does_not_become_a_friend() {
    let app = Setup::default().start().await;
    import_accounts(&app, &["dee".into(), "eve".into(), "fay".into()]).await;
    set_profile(&app, "dee", "AllowType", "AllowType_Type_DenyAny").await;
    set_profile(&app, "fay", "AdminForbidType", "AdminForbid_Type_SendOut").await;
    let block = |from: &str, to: &str| about(from, &[to], "");
    let refused = |to: &str, code: u32, info: &str| results(&[(to, code, info)]);
    let forced = r#","ForceAddFlags":1"#;
    walk(
        &app,
        &[
            ("black_list_add", block("ana", "bo"), refused("bo", 0, "")),
            ("friend_add", add("ana", "bo", ""), refused("bo", 30515, "the user blocks the peer")),
            ("friend_add", add("ana", "bo", forced), refused("bo", 30515, "the user blocks the peer")),
            ("friend_add", add("bo", "ana", ""), refused("ana", 30525, "the peer blocks the user")),
            ("friend_add", add("bo", "ana", forced), refused("ana", 30525, "the peer blocks the user")),
            ("black_list_delete", block("ana", "bo"), refused("bo", 0, "")),
            ("friend_add", add("ana", "bo", ""), refused("bo", 0, "")),
            ("friend_add", add("ana", "dee", ""), refused("dee", 30516, "the peer takes no friend requests")),
            ("friend_add", add("ana", "dee", forced), refused("dee", 0, "")),
            ("friend_add", add("fay", "eve", ""), refused("eve", 30009, "the user may not send friend requests")),
            ("friend_add", add("fay", "eve", forced), refused("eve", 0, "")),
            ("friend_add", add("ana", "ana", ""), refused("ana", 30001, ONESELF)),
            ("friend_add", add("ana", "nobody", ""), refused("nobody", 30003, UNKNOWN)),
            ("friend_add", add("nobody", "ana", ""), NOBODY.into()),
            // What is wrong with one of them is that one's own affair, and the order stays.
            (
                "friend_add",
                r#"{"From_Account":"cy","AddFriendItem":[{"To_Account":"nobody","AddSource":"AddSource_Type_Web"},{"To_Account":"bo"},{"To_Account":"eve","AddSource":"AddSource_Type_Web"},{"To_Account":"","AddSource":"AddSource_Type_Web"},{"To_Account":"eve","AddSource":"AddSource_Type_Web"}]}"#.into(),
                results(&[
                    ("nobody", 30003, UNKNOWN),
                    ("bo", 30001, "AddSource must be AddSource_Type_ and 1 to 8 letters"),
                    ("eve", 0, ""),
                    ("", 30001, "To_Account must be a String of 1 to 32 bytes"),
                    ("eve", 30001, EXISTS),
                ]),
            ),
            (
                "friend_add",
                "{".into(),
                r#"{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"Fail to Parse json data of body, Please check it","ErrorDisplay":""}"#.into(),
            ),
            (
                "friend_add",
                r#"{"From_Account":"cy","AddFriendItem":[]}"#.into(),
                r#"{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"AddFriendItem must be an Array of 1 to 1000 items","ErrorDisplay":""}"#.into(),
            ),
        ],
    )
    .await;
    assert_eq!(friends_of(&app, "cy").await, ["eve"]);
    app.stop().await;
}

#[tokio::test]
async fn lists_have_room_for_so_many() {
    let limits = "[limits]\nfriends_len_max = 1\nfriend_groups_len_max = 1\n";
    let app = Setup::default().settings(limits).start().await;
    import_accounts(&app, &["dee".into(), "eve".into()]).await;
    let one = |to: &str, code: u32, info: &str| results(&[(to, code, info)]);
    let single = r#","AddType":"Add_Type_Single""#;
    let grouped = |group: &str| {
        format!(
            r#"{{"From_Account":"ana","AddFriendItem":[{{"To_Account":"bo","AddSource":"AddSource_Type_Web","GroupName":"{group}"}}]}}"#
        )
    };
    let groups = r#"{"From_Account":"ana","GroupName":["work"]}"#;
    let import = |from: &str, to: &str| add(from, to, "");
    let no_room = "Err_SNS_FriendImport_My_Friend_Num_Exceed_Threshold";
    walk(
        &app,
        &[
            ("group_add", groups.into(), answer(r#""ResultItem":[],"CurrentSequence":1"#)),
            ("friend_add", grouped("home"), one("bo", 30011, "there are too many friend groups")),
            ("friend_add", grouped("work"), one("bo", 0, "")),
            ("friend_add", add("ana", "cy", ""), one("cy", 30010, "the friend list is full")),
            ("friend_import", import("ana", "cy"), one("cy", 30010, no_room)),
            // One who is there already needs no room.
            ("friend_import", import("ana", "bo"), one("bo", 0, "")),
            ("friend_add", add("cy", "ana", ""), one("ana", 30014, "the friend list of the peer is full")),
            ("friend_add", add("cy", "ana", single), one("ana", 0, "")),
        ],
    )
    .await;
    // Room is made, and taken again.
    walk(
        &app,
        &[
            ("friend_delete", about("ana", &["bo"], ""), one("bo", 0, "")),
            ("friend_import", import("ana", "dee"), one("dee", 0, "")),
            ("friend_import", import("ana", "eve"), one("eve", 30010, no_room)),
        ],
    )
    .await;
    app.stop().await;
}

#[tokio::test]
async fn requests_wait_in_a_bounded_number() {
    let app = Setup::default().settings("[limits]\nfriend_requests_len_max = 1\n").start().await;
    set_profile(&app, "bo", "AllowType", "AllowType_Type_NeedConfirm").await;
    let one = |to: &str, code: u32, info: &str| results(&[(to, code, info)]);
    let full = one("bo", 30012, "too many friend requests are waiting");
    walk(
        &app,
        &[
            ("friend_add", add("ana", "bo", ""), one("bo", 30539, PENDING)),
            ("friend_add", add("cy", "bo", ""), full.clone()),
            // Asking again takes no more room, and an answer gives it back.
            ("friend_add", add("ana", "bo", ""), one("bo", 30539, PENDING)),
            ("friend_add", add("bo", "ana", ""), one("ana", 0, "")),
            ("friend_add", add("cy", "bo", ""), one("bo", 30539, PENDING)),
        ],
    )
    .await;
    app.stop().await;
}

#[tokio::test]
async fn a_list_is_imported_as_it_was_elsewhere() {
    // No event tells of it: the harness would find one.
    let app = Setup::telling(&ALL).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    set_profile(&app, "bo", "AllowType", "AllowType_Type_DenyAny").await;
    assert!(bo.hear().await.starts_with(r#"{"push":"profile""#));
    let request = r#"{"From_Account":"ana","AddFriendItem":[{"To_Account":"bo","Remark":"Bo","RemarkTime":1500000001,"GroupName":["work","home"],"AddSource":"AddSource_Type_Web","AddWording":"hi","AddTime":1500000000,"CustomItem":[{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"},{"Tag":"Tag_SNS_Custom_Age","Value":4294967295}]},{"To_Account":"cy","AddSource":"AddSource_Type_Web","CustomItem":[{"Tag":"Tag_SNS_Custom_Age","Value":4294967296}]},{"To_Account":"nobody","AddSource":"AddSource_Type_Web"},{"To_Account":"ana","AddSource":"AddSource_Type_Web"},{"To_Account":"cy","AddSource":"Web"}]}"#;
    let number = "the number under Tag_SNS_Custom_Age must be an unsigned 32-bit integer";
    assert_eq!(
        sns(&app, "friend_import", request).await,
        results(&[
            ("bo", 0, ""),
            ("cy", 30001, number),
            ("nobody", 30003, UNKNOWN),
            ("ana", 30001, ONESELF),
            ("cy", 30001, "AddSource must be AddSource_Type_ and 1 to 8 letters"),
        ])
    );
    assert_eq!(ana.hear().await, relation_push(1, "bo", "befriended"));
    let page = answer(
        r#""UserDataItem":[{"To_Account":"bo","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_SNS_IM_Remark","Value":"Bo"},{"Tag":"Tag_SNS_IM_Group","Value":["work","home"]},{"Tag":"Tag_SNS_IM_AddTime","Value":1500000000},{"Tag":"Tag_SNS_IM_AddWording","Value":"hi"},{"Tag":"Tag_SNS_Custom_Age","Value":4294967295},{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}]}],"StandardSequence":1,"CustomSequence":1,"FriendNum":1,"CompleteFlag":1,"NextStartIndex":0"#,
    );
    assert_eq!(sns(&app, "friend_get", r#"{"From_Account":"ana"}"#).await, page);
    // A second import overwrites, and without an AddTime they are friends from now on.
    assert_eq!(sns(&app, "friend_import", &add("ana", "bo", "")).await, results(&[("bo", 0, "")]));
    assert_eq!(ana.hear().await, relation_push(2, "bo", "noted"));
    let page = answer(
        r#""UserDataItem":[{"To_Account":"bo","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_SNS_IM_AddTime","Value":T}]}],"StandardSequence":2,"CustomSequence":2,"FriendNum":1,"CompleteFlag":1,"NextStartIndex":0"#,
    );
    assert_eq!(sns(&app, "friend_get", r#"{"From_Account":"ana"}"#).await, page);
    assert_eq!(sns(&app, "friend_import", &add("nobody", "bo", "")).await, NOBODY);

    // It is ana's list alone.
    assert_eq!(friends_of(&app, "bo").await, [""; 0]);
    app.send_ok(["cy", "bo"], 1, "hi").await;
    assert_eq!(bo.hear_message().await, (2, 1, "hi".to_owned()));
    drop((ana, bo));
    app.stop().await;
}
