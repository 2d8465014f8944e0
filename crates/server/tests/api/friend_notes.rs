//! `sns`: what is noted of friends, how lists are read, and how they end.

use crate::app::Setup;
use crate::friends::{DONE, NOBODY, about, answer, befriend, import_accounts, json, results, sns, walk};
use crate::literal::literal;
use serde_json::Value;
use std::collections::HashSet;

const UNKNOWN: &str = "the account does not exist";
const BAD_ID: &str = "To_Account must be a String of 1 to 32 bytes";

/// What is to be noted of one friend.
fn update(to: &str, values: &str) -> String {
    format!(r#"{{"From_Account":"ana","UpdateItem":[{{"To_Account":"{to}","SnsItem":[{values}]}}]}}"#)
}

#[tokio::test]
async fn what_is_noted_of_a_friend() {
    let app = Setup::default().settings("[limits]\nfriend_groups_len_max = 3\n").start().await;
    befriend(&app, "ana", "bo").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let values = r#"{"Tag":"Tag_SNS_IM_Remark","Value":"Bo"},{"Tag":"Tag_SNS_IM_Group","Value":["work","home"]},{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"},{"Tag":"Tag_SNS_Custom_Age","Value":7}"#;
    assert_eq!(sns(&app, "friend_update", &update("bo", values)).await, results(&[("bo", 0, "")]));
    let noted =
        r#"{"push":"relation","position":{"epoch":"E","offset":2},"unread":0,"peer":"bo","news":"noted"}"#;
    assert_eq!(ana.hear().await, noted);
    let shown = |version: u64, values: &str| {
        answer(&format!(
            r#""UserDataItem":[{{"To_Account":"bo","ValueItem":[{{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"}},{values}]}}],"StandardSequence":{version},"CustomSequence":{version},"FriendNum":1,"CompleteFlag":1,"NextStartIndex":0"#
        ))
    };
    let time = r#"{"Tag":"Tag_SNS_IM_AddTime","Value":T}"#;
    let (dog, age) =
        (r#"{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}"#, r#"{"Tag":"Tag_SNS_Custom_Age","Value":7}"#);
    let get = r#"{"From_Account":"ana"}"#;
    let all = format!(
        r#"{{"Tag":"Tag_SNS_IM_Remark","Value":"Bo"}},{{"Tag":"Tag_SNS_IM_Group","Value":["work","home"]}},{time},{age},{dog}"#
    );
    assert_eq!(sns(&app, "friend_get", get).await, shown(2, &all));

    // What is not named stays; the groups are exactly those that are named.
    let values = r#"{"Tag":"Tag_SNS_IM_Remark","Value":""},{"Tag":"Tag_SNS_IM_Group","Value":["new"]},{"Tag":"Tag_SNS_Custom_Age","Value":"old"}"#;
    assert_eq!(sns(&app, "friend_update", &update("bo", values)).await, results(&[("bo", 0, "")]));
    let all = format!(
        r#"{{"Tag":"Tag_SNS_IM_Group","Value":["new"]}},{time},{{"Tag":"Tag_SNS_Custom_Age","Value":"old"}},{dog}"#
    );
    assert_eq!(sns(&app, "friend_get", get).await, shown(3, &all));

    // A refusal changes nothing, the sequence neither.
    let remark = r#"{"Tag":"Tag_SNS_IM_Remark","Value":"lost"}"#;
    let one = |to: &str, code: u32, info: &str| results(&[(to, code, info)]);
    let too_many = r#"{"Tag":"Tag_SNS_IM_Group","Value":["work","more"]}"#;
    let large = r#"{"Tag":"Tag_SNS_Custom_Age","Value":4294967296}"#;
    walk(
        &app,
        &[
            (
                "friend_update",
                update("bo", &format!("{remark},{too_many}")),
                one("bo", 30011, "Err_SNS_FriendUpdate_Group_Num_Exceed_Threshold"),
            ),
            (
                "friend_update",
                update("bo", &format!("{remark},{large}")),
                one("bo", 30001, "the number under Tag_SNS_Custom_Age must be an unsigned 32-bit integer"),
            ),
            (
                "friend_update",
                update("cy", remark),
                one("cy", 30001, "Err_SNS_FriendUpdate_Friend_Not_Exist"),
            ),
            ("friend_update", update("nobody", remark), one("nobody", 30003, UNKNOWN)),
            (
                "friend_update",
                update("bo", ""),
                one("bo", 30001, "SnsItem must be an Array with at least one item"),
            ),
            ("friend_update", update("bo", remark).replace("ana", "nobody"), NOBODY.into()),
            ("friend_get", get.into(), shown(3, &all)),
        ],
    )
    .await;
    // Two of the twenty are there.
    let customs = |letters: std::ops::RangeInclusive<char>| {
        let customs = letters.map(|letter| format!(r#"{{"Tag":"Tag_SNS_Custom_{letter}","Value":1}}"#));
        customs.collect::<Vec<_>>().join(",")
    };
    let full = one("bo", 30001, "there would be more than 20 custom tags");
    walk(
        &app,
        &[
            ("friend_update", update("bo", &customs('a'..='s')), full.clone()),
            ("friend_update", update("bo", &customs('a'..='r')), one("bo", 0, "")),
            ("friend_update", update("bo", &customs('s'..='s')), full),
            ("friend_update", update("bo", &customs('r'..='r')), one("bo", 0, "")),
        ],
    )
    .await;

    // The notes are ana's own: the next thing that bo hears of is a message.
    app.send_ok(["cy", "bo"], 1, "hi").await;
    assert_eq!(bo.hear_message().await, (2, 1, "hi".to_owned()));
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn some_tags_of_some_friends() {
    let app = Setup::default().start().await;
    befriend(&app, "ana", "bo").await;
    let values = r#"{"Tag":"Tag_SNS_IM_Group","Value":["work"]},{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}"#;
    assert_eq!(sns(&app, "friend_update", &update("bo", values)).await, results(&[("bo", 0, "")]));
    let tags = r#","TagList":["Tag_SNS_Custom_Dog","Tag_SNS_Custom_Cat","Tag_Profile_IM_Nick","Tag_SNS_IM_Group","Tag_SNS_IM_Remark","Tag_SNS_IM_AddTime","Tag_SNS_IM_AddWording","Tag_SNS_IM_AddSource","Tag_Profile_IM_Level","Tag_Profile_Custom_Vip"]"#;
    let not_friend = "Err_SNS_FriendGetList_Friend_Not_Exist";
    let bo = r#"{"To_Account":"bo","SnsProfileItem":[{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"},{"Tag":"Tag_Profile_IM_Nick","Value":"bo"},{"Tag":"Tag_SNS_IM_Group","Value":["work"]},{"Tag":"Tag_SNS_IM_Remark","Value":""},{"Tag":"Tag_SNS_IM_AddTime","Value":T},{"Tag":"Tag_SNS_IM_AddWording","Value":""},{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_Profile_IM_Level","Value":0}],"ResultCode":0,"ResultInfo":""}"#;
    let failed = |to: &str, code: u32, info: &str| {
        format!(r#"{{"To_Account":"{to}","ResultCode":{code},"ResultInfo":"{info}"}}"#)
    };
    let lines = [
        failed("cy", 30001, not_friend),
        failed("", 30001, BAD_ID),
        bo.to_owned(),
        failed("nobody", 30003, UNKNOWN),
        failed("ana", 30001, not_friend),
    ];
    let all = format!(r#""InfoItem":[{}],"Fail_Account":["cy","","nobody","ana"]"#, lines.join(","));
    let refused = |info: &str| {
        format!(r#"{{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"{info}","ErrorDisplay":""}}"#)
    };
    walk(
        &app,
        &[
            ("friend_get_list", about("ana", &["cy", "", "bo", "nobody", "ana"], tags), answer(&all)),
            ("friend_get_list", about("ana", &["bo"], tags), answer(&format!(r#""InfoItem":[{bo}]"#))),
            ("friend_get_list", about("nobody", &["bo"], tags), NOBODY.into()),
            (
                "friend_get_list",
                about("ana", &["bo"], r#","TagList":["Tag_SNS_IM_Other"]"#),
                refused("there is no such tag"),
            ),
            (
                "friend_get_list",
                about("ana", &["bo"], ""),
                refused("TagList must be an Array with at least one item"),
            ),
        ],
    )
    .await;
    app.stop().await;
}

#[tokio::test]
async fn who_is_whose_friend() {
    let app = Setup::default().start().await;
    import_accounts(&app, &["dee".into(), "eve".into()]).await;
    befriend(&app, "ana", "bo").await;
    for (from, to) in [("ana", "cy"), ("dee", "ana")] {
        let request = format!(
            r#"{{"From_Account":"{from}","AddFriendItem":[{{"To_Account":"{to}","AddSource":"AddSource_Type_Web"}}]}}"#
        );
        assert_eq!(sns(&app, "friend_import", &request).await, results(&[(to, 0, "")]));
    }
    let line = |to: &str, relation: &str, code: u32, info: &str| {
        format!(
            r#"{{"To_Account":"{to}","Relation":"CheckResult_Type_{relation}","ResultCode":{code},"ResultInfo":"{info}"}}"#
        )
    };
    let all = |relations: [&str; 5]| {
        let [bo, cy, dee, eve, ana] = relations;
        let lines = [
            line("bo", bo, 0, ""),
            line("cy", cy, 0, ""),
            line("nobody", "NoRelation", 30003, UNKNOWN),
            line("dee", dee, 0, ""),
            line("", "NoRelation", 30001, BAD_ID),
            line("eve", eve, 0, ""),
            line("ana", ana, 0, ""),
        ];
        answer(&format!(r#""InfoItem":[{}],"Fail_Account":["nobody",""]"#, lines.join(",")))
    };
    let asked = ["bo", "cy", "nobody", "dee", "", "eve", "ana"];
    let (single, both) =
        (r#","CheckType":"CheckResult_Type_Single""#, r#","CheckType":"CheckResult_Type_Both""#);
    walk(
        &app,
        &[
            (
                "friend_check",
                about("ana", &asked, both),
                all(["BothWay", "AWithB", "BWithA", "NoRelation", "NoRelation"]),
            ),
            (
                "friend_check",
                about("ana", &asked, single),
                all(["AWithB", "AWithB", "NoRelation", "NoRelation", "NoRelation"]),
            ),
            ("friend_check", about("nobody", &["bo"], both), NOBODY.into()),
            (
                "friend_check",
                about("ana", &["bo"], ""),
                r#"{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"CheckType must be one of the documented words","ErrorDisplay":""}"#.into(),
            ),
        ],
    )
    .await;
    app.stop().await;
}

#[tokio::test]
async fn what_a_client_has_is_not_listed_again() {
    let app = Setup::default().start().await;
    befriend(&app, "ana", "bo").await;
    let custom = r#"{"Tag":"Tag_SNS_Custom_Dog","Value":"Rex"}"#;
    assert_eq!(sns(&app, "friend_update", &update("bo", custom)).await, results(&[("bo", 0, "")]));
    let standard = r#"{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Web"},{"Tag":"Tag_SNS_IM_AddTime","Value":T}"#;
    let page = |items: &str| {
        answer(&format!(
            r#""UserDataItem":[{items}],"StandardSequence":2,"CustomSequence":2,"FriendNum":1,"CompleteFlag":1,"NextStartIndex":0"#
        ))
    };
    let entry = |values: &str| page(&format!(r#"{{"To_Account":"bo","ValueItem":[{values}]}}"#));
    let all = entry(&format!("{standard},{custom}"));
    let table = [
        ("", all.clone()),
        (r#","StandardSequence":0,"CustomSequence":0"#, all.clone()),
        (r#","StandardSequence":1,"CustomSequence":1"#, all.clone()),
        (r#","StandardSequence":3,"CustomSequence":3"#, all.clone()),
        (r#","StandardSequence":2"#, entry(custom)),
        (r#","StandardSequence":1,"CustomSequence":2"#, entry(standard)),
        (r#","StandardSequence":2,"CustomSequence":2"#, page("")),
        // Behind the first page the sequence may be the one that came with the page before.
        (r#","StartIndex":1,"StandardSequence":2,"CustomSequence":2"#, page("")),
    ];
    for (more, expected) in table {
        let request = format!(r#"{{"From_Account":"ana"{more}}}"#);
        assert_eq!(sns(&app, "friend_get", &request).await, expected, "{more}");
    }
    assert_eq!(sns(&app, "friend_get", r#"{"From_Account":"nobody"}"#).await, NOBODY);
    app.stop().await;
}

#[tokio::test]
async fn long_lists_come_in_pages_and_end_at_once() {
    let app = Setup::default().start().await;
    let names: Vec<String> = (0..501).map(|number| format!("friend-{number:03}")).collect();
    import_accounts(&app, &names).await;
    let item = |name: &String| {
        format!(r#"{{"To_Account":"{name}","AddSource":"AddSource_Type_Web","GroupName":["all"]}}"#)
    };
    let items: Vec<_> = names.iter().map(item).collect();
    let request = format!(r#"{{"From_Account":"ana","AddFriendItem":[{}]}}"#, items.join(","));
    let imported: Vec<_> = names.iter().map(|name| (name.as_str(), 0, "")).collect();
    assert_eq!(sns(&app, "friend_import", &request).await, results(&imported));

    let first = json(&app, "friend_get", r#"{"From_Account":"ana","StartIndex":0}"#).await;
    assert_eq!((&first["CompleteFlag"], &first["NextStartIndex"]), (&0.into(), &500.into()));
    // A client that sends the sequence of the first page with the second gets the second all the same.
    let sequence = &first["StandardSequence"];
    let request = format!(
        r#"{{"From_Account":"ana","StartIndex":500,"StandardSequence":{sequence},"CustomSequence":{sequence}}}"#
    );
    let second = json(&app, "friend_get", &request).await;
    assert_eq!((&second["CompleteFlag"], &second["NextStartIndex"]), (&1.into(), &0.into()));
    let friends = |page: &Value| -> Vec<String> {
        assert_eq!(page["FriendNum"], 501);
        let items = page["UserDataItem"].as_array().unwrap();
        items.iter().map(|item| item["To_Account"].as_str().unwrap().to_owned()).collect()
    };
    let (first, second) = (friends(&first), friends(&second));
    assert_eq!((first.len(), second.len()), (500, 1));
    let seen: HashSet<String> = first.into_iter().chain(second).collect();
    assert_eq!(seen, names.iter().cloned().collect());
    assert_eq!(
        sns(&app, "group_get", r#"{"From_Account":"ana"}"#).await,
        answer(r#""ResultItem":[{"GroupName":"all","FriendNumber":501}],"CurrentSequence":501"#)
    );

    assert_eq!(sns(&app, "friend_delete_all", r#"{"From_Account":"ana"}"#).await, DONE);
    let none = answer(
        r#""UserDataItem":[],"StandardSequence":1002,"CustomSequence":1002,"FriendNum":0,"CompleteFlag":1,"NextStartIndex":0"#,
    );
    assert_eq!(sns(&app, "friend_get", r#"{"From_Account":"ana"}"#).await, none);
    app.stop().await;
}

#[tokio::test]
async fn all_friendships_end() {
    let mut app = Setup::telling(&["Sns.CallbackFriendDelete"]).start().await;
    let both = r#"{"From_Account":"ana","DeleteType":"Delete_Type_Both"}"#;
    // Who has no friends has none afterwards either.
    assert_eq!(sns(&app, "friend_delete_all", both).await, DONE);
    assert_eq!(sns(&app, "friend_delete_all", r#"{"From_Account":"nobody"}"#).await, NOBODY);
    befriend(&app, "ana", "bo").await;
    befriend(&app, "cy", "ana").await;
    let mut cy = app.device("cy").await;
    assert_eq!(sns(&app, "friend_delete_all", both).await, DONE);
    let parted = |peer: &str| {
        format!(
            r#"{{"CallbackCommand":"Sns.CallbackFriendDelete","PairList":[{{"From_Account":"ana","To_Account":"{peer}"}},{{"From_Account":"{peer}","To_Account":"ana"}}],"EventTime":MS}}"#
        )
    };
    // Between different people, events come in no particular order.
    let mut told = [literal(&app.receiver.next().await.body), literal(&app.receiver.next().await.body)];
    told.sort_unstable();
    assert_eq!(told, [parted("bo"), parted("cy")]);
    assert_eq!(
        cy.hear().await,
        r#"{"push":"relation","position":{"epoch":"E","offset":2},"unread":0,"peer":"ana","news":"unfriended"}"#
    );
    // Of one side alone, unless both are named.
    befriend(&app, "ana", "bo").await;
    assert_eq!(sns(&app, "friend_delete_all", r#"{"From_Account":"ana"}"#).await, DONE);
    assert_eq!(
        literal(&app.receiver.next().await.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendDelete","PairList":[{"From_Account":"ana","To_Account":"bo"}],"EventTime":MS}"#
    );
    assert_eq!(
        sns(&app, "friend_check", &about("ana", &["bo"], r#","CheckType":"CheckResult_Type_Both""#)).await,
        answer(
            r#""InfoItem":[{"To_Account":"bo","Relation":"CheckResult_Type_BWithA","ResultCode":0,"ResultInfo":""}]"#
        )
    );
    drop(cy);
    app.stop().await;
}

#[tokio::test]
async fn an_account_that_goes_leaves_every_list() {
    let app = Setup::default().start().await;
    import_accounts(&app, &["dee".into()]).await;
    befriend(&app, "bo", "dee").await;
    assert_eq!(sns(&app, "black_list_add", &about("cy", &["dee"], "")).await, results(&[("dee", 0, "")]));
    let (mut bo, mut cy) = (app.device("bo").await, app.device("cy").await);
    let delete = r#"{"DeleteItem":[{"UserID":"dee"}]}"#;
    let deleted = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[{"ResultCode":0,"ResultInfo":"","UserID":"dee"}]}"#;
    assert_eq!(app.rest("im_open_login_svc/account_delete", delete).await, deleted);

    let no_friends = answer(
        r#""UserDataItem":[],"StandardSequence":2,"CustomSequence":2,"FriendNum":0,"CompleteFlag":1,"NextStartIndex":0"#,
    );
    let nobody_blocked =
        answer(r#""BlackListItem":[],"StartIndex":0,"CurruentSequence":2,"CurrentSequence":2"#);
    let none = |users: &[&str]| {
        let line = |user: &&str| {
            format!(
                r#"{{"To_Account":"{user}","Relation":"CheckResult_Type_NoRelation","ResultCode":0,"ResultInfo":""}}"#
            )
        };
        answer(&format!(r#""InfoItem":[{}]"#, users.iter().map(line).collect::<Vec<_>>().join(",")))
    };
    let both = r#","CheckType":"CheckResult_Type_Both""#;
    let gone = answer(
        r#""InfoItem":[{"To_Account":"dee","Relation":"CheckResult_Type_NoRelation","ResultCode":30003,"ResultInfo":"the account does not exist"}],"Fail_Account":["dee"]"#,
    );
    walk(
        &app,
        &[
            ("friend_get", r#"{"From_Account":"bo"}"#.into(), no_friends),
            ("black_list_get", r#"{"From_Account":"cy","MaxLimited":10}"#.into(), nobody_blocked),
            ("friend_check", about("bo", &["dee"], both), gone),
            ("friend_get", r#"{"From_Account":"dee"}"#.into(), NOBODY.into()),
        ],
    )
    .await;
    // An account of that name which is made anew begins with nobody.
    import_accounts(&app, &["dee".into()]).await;
    assert_eq!(sns(&app, "friend_check", &about("dee", &["bo", "cy"], both)).await, none(&["bo", "cy"]));
    befriend(&app, "cy", "dee").await;

    // What devices are told of an account that goes is in their log, and comes with the next change at the latest.
    app.send_ok(["ana", "bo"], 1, "hi").await;
    app.send_ok(["ana", "cy"], 2, "hi").await;
    let relation = |offset: u64, news: &str| {
        format!(
            r#"{{"push":"relation","position":{{"epoch":"E","offset":{offset}}},"unread":0,"peer":"dee","news":"{news}"}}"#
        )
    };
    assert_eq!(bo.hear().await, relation(2, "unfriended"));
    assert_eq!(bo.hear_message().await, (3, 1, "hi".to_owned()));
    assert_eq!(cy.hear().await, relation(2, "unblocked"));
    assert_eq!(cy.hear().await, relation(3, "befriended"));
    assert_eq!(cy.hear_message().await, (4, 1, "hi".to_owned()));
    drop((bo, cy));
    app.stop().await;
}
