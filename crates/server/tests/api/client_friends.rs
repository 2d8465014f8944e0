//! Friends, friend requests and friend groups, as devices use them.

use crate::app::{Setup, TestApp};
use crate::client_people::{ask, error, relation_push, walk};
use crate::friends::{DONE, import_accounts};
use crate::literal::literal;

const ALL: [&str; 2] = ["Sns.CallbackFriendAdd", "Sns.CallbackFriendDelete"];
const EMPTY: &str = r#""ok":{"friends":[],"next":null,"groups":[]}"#;
const DONE_NOW: &str = r#""ok":{"pending":false}"#;
const PENDING: &str = r#""ok":{"pending":true}"#;

fn befriend(peer: &str) -> String {
    format!(r#""op":"befriend","peer":"{peer}","source":"AddSource_Type_Web""#)
}

fn results(lines: &[(&str, u32, &str)]) -> String {
    let line = |(peer, code, text): &(&str, u32, &str)| match code {
        0 => format!(r#"{{"peer":"{peer}","code":0}}"#),
        code => format!(r#"{{"peer":"{peer}","code":{code},"text":"{text}"}}"#),
    };
    format!(r#""ok":{{"results":[{}]}}"#, lines.iter().map(line).collect::<Vec<_>>().join(","))
}

pub(crate) async fn set_profile(app: &TestApp, user: &str, tag: &str, value: &str) {
    let request = format!(
        r#"{{"From_Account":"{user}","ProfileItem":[{{"Tag":"Tag_Profile_IM_{tag}","Value":"{value}"}}]}}"#
    );
    assert_eq!(app.rest("profile/portrait_set", &request).await, DONE);
}

#[tokio::test]
async fn two_people_become_friends_and_part() {
    let mut app = Setup::telling(&ALL).start().await;
    let (mut ana, mut phone, mut bo) =
        (app.device("ana").await, app.device("ana").await, app.device("bo").await);
    let request = r#""op":"befriend","peer":"bo","source":"AddSource_Type_Web","wording":"it's me","remark":"Bo \"B.\"","group":"work""#;
    walk(&mut ana, &[(request, DONE_NOW, &[relation_push(1, "bo", "befriended")])]).await;
    assert_eq!(phone.hear().await, relation_push(1, "bo", "befriended"));
    assert_eq!(bo.hear().await, relation_push(1, "ana", "befriended"));
    let told = app.receiver.next().await;
    assert_eq!(
        told.target,
        "POST /callback?SdkAppid=1400000001&CallbackCommand=Sns.CallbackFriendAdd&contenttype=json&ClientIP=127.0.0.1&OptPlatform=Web"
    );
    assert_eq!(
        literal(&told.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendAdd","PairList":[{"From_Account":"ana","To_Account":"bo","Initiator_Account":"ana"},{"From_Account":"bo","To_Account":"ana","Initiator_Account":"ana"}],"ClientCmd":"friend_add","Admin_Account":"","ForceFlag":0,"EventTime":MS}"#
    );
    let anas = r#""ok":{"friends":[{"peer":"bo","time":T,"remark":"Bo \"B.\"","groups":["work"],"source":"AddSource_Type_Web","wording":"it's me","custom":{},"profile":{"Tag_Profile_IM_Nick":"bo"}}],"next":null,"groups":["work"]}"#;
    walk(
        &mut ana,
        &[
            (r#""op":"friends""#, anas, &[]),
            (r#""op":"friends","peers":["cy","bo","nobody"]"#, anas, &[]),
            (request, &error(30001, "Err_SNS_FriendAdd_Friend_Exist"), &[]),
        ],
    )
    .await;
    // The remark and the group are ana's own.
    let bos = r#""ok":{"friends":[{"peer":"ana","time":T,"remark":"","groups":[],"source":"AddSource_Type_Web","wording":"it's me","custom":{},"profile":{"Tag_Profile_IM_Nick":"ana"}}],"next":null,"groups":[]}"#;
    walk(&mut bo, &[(r#""op":"friends""#, bos, &[])]).await;

    let part = r#""op":"unfriend","peers":["ana","cy","nobody"],"mutual":true"#;
    let not_friends = "the peer is not a friend";
    let parted = results(&[("ana", 0, ""), ("cy", 31704, not_friends), ("nobody", 31704, not_friends)]);
    walk(&mut bo, &[(part, &parted, &[relation_push(2, "ana", "unfriended")])]).await;
    assert_eq!(phone.hear().await, relation_push(2, "bo", "unfriended"));
    assert_eq!(ana.hear().await, relation_push(2, "bo", "unfriended"));
    assert_eq!(
        literal(&app.receiver.next().await.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendDelete","PairList":[{"From_Account":"bo","To_Account":"ana"},{"From_Account":"ana","To_Account":"bo"}],"EventTime":MS}"#
    );
    walk(&mut bo, &[(r#""op":"friends""#, EMPTY, &[])]).await;
    drop((ana, phone, bo));
    app.stop().await;
}

#[tokio::test]
async fn one_list_alone_gets_and_loses_an_entry() {
    let app = Setup::default().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let single = format!(r#"{},"mutual":false"#, befriend("bo"));
    let check = |mutual: &str, relation: &str| {
        (
            format!(r#""op":"check_friends","peers":["bo","cy","nobody"]{mutual}"#),
            format!(
                r#""ok":{{"results":[{{"peer":"bo","relation":"CheckResult_Type_{relation}"}},{{"peer":"cy","relation":"CheckResult_Type_NoRelation"}},{{"peer":"nobody","relation":"CheckResult_Type_NoRelation"}}]}}"#
            ),
        )
    };
    walk(&mut ana, &[(&single, DONE_NOW, &[relation_push(1, "bo", "befriended")])]).await;
    for (mutual, relation) in [("", "AWithB"), (r#","mutual":true"#, "AWithB")] {
        let (request, expected) = check(mutual, relation);
        walk(&mut ana, &[(&request, &expected, &[])]).await;
    }
    walk(&mut bo, &[(r#""op":"friends""#, EMPTY, &[])]).await;
    let answer = r#""ok":{"results":[{"peer":"ana","relation":"CheckResult_Type_BWithA"}]}"#;
    walk(
        &mut bo,
        &[
            (r#""op":"check_friends","peers":["ana"],"mutual":true"#, answer, &[]),
            (
                r#""op":"check_friends","peers":["ana"]"#,
                r#""ok":{"results":[{"peer":"ana","relation":"CheckResult_Type_NoRelation"}]}"#,
                &[],
            ),
            (&befriend("ana"), DONE_NOW, &[relation_push(1, "ana", "befriended")]),
        ],
    )
    .await;
    let (request, expected) = check(r#","mutual":true"#, "BothWay");
    walk(
        &mut ana,
        &[
            (&request, &expected, &[]),
            // Out of ana's list alone, since nothing else is said.
            (
                r#""op":"unfriend","peers":["bo"]"#,
                &results(&[("bo", 0, "")]),
                &[relation_push(2, "bo", "unfriended")],
            ),
        ],
    )
    .await;
    let (request, expected) = check(r#","mutual":true"#, "BWithA");
    walk(&mut ana, &[(&request, &expected, &[])]).await;
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn requests_wait_for_an_answer() {
    let mut app = Setup::telling(&ALL).start().await;
    import_accounts(&app, &["dee".into()]).await;
    set_profile(&app, "bo", "AllowType", "AllowType_Type_NeedConfirm").await;
    let (mut ana, mut cy, mut dee) =
        (app.device("ana").await, app.device("cy").await, app.device("dee").await);
    let (mut bo, mut phone) = (app.device("bo").await, app.device("bo").await);
    let request = r#""op":"befriend","peer":"bo","source":"AddSource_Type_Web","wording":"it's me","remark":"Bo","group":"work""#;
    walk(&mut ana, &[(request, PENDING, &[]), (r#""op":"friends""#, EMPTY, &[])]).await;
    walk(&mut cy, &[(&format!(r#"{},"mutual":false"#, befriend("bo")), PENDING, &[])]).await;
    walk(&mut dee, &[(&befriend("bo"), PENDING, &[])]).await;
    for (offset, peer) in [(2, "ana"), (3, "cy"), (4, "dee")] {
        assert_eq!(bo.hear().await, relation_push(offset, peer, "asked"));
        assert_eq!(phone.hear().await, relation_push(offset, peer, "asked"));
    }
    // What ana will note of bo is ana's own affair.
    let anas = r#"{"peer":"ana","time":T,"mutual":true,"source":"AddSource_Type_Web","wording":"it's me","profile":{"Tag_Profile_IM_Nick":"ana"}}"#;
    let cys = r#"{"peer":"cy","time":T,"mutual":false,"source":"AddSource_Type_Web","wording":"","profile":{"Tag_Profile_IM_Nick":"cy"}}"#;
    let dees =
        r#"{"peer":"dee","time":T,"mutual":true,"source":"AddSource_Type_Web","wording":"","profile":{}}"#;
    let first = format!(r#""ok":{{"requests":[{anas},{cys}],"next":"cy"}}"#);
    let rest = format!(r#""ok":{{"requests":[{dees}],"next":null}}"#);
    let nothing_waits = error(30614, "there is no such friend request");
    walk(
        &mut bo,
        &[
            (r#""op":"requests","limit":2"#, &first, &[]),
            (r#""op":"requests","limit":2,"after":"cy""#, &rest, &[]),
            (
                r#""op":"accept","peer":"ana","remark":"Ana""#,
                r#""ok":{}"#,
                &[relation_push(5, "ana", "befriended")],
            ),
            (
                r#""op":"accept","peer":"cy","mutual":false"#,
                r#""ok":{}"#,
                &[relation_push(6, "cy", "unasked")],
            ),
            (r#""op":"refuse","peer":"dee""#, r#""ok":{}"#, &[relation_push(7, "dee", "unasked")]),
            (r#""op":"refuse","peer":"dee""#, &nothing_waits, &[]),
            (r#""op":"accept","peer":"dee""#, &nothing_waits, &[]),
            (r#""op":"accept","peer":"nobody""#, &error(30003, "the account does not exist"), &[]),
            (r#""op":"requests""#, r#""ok":{"requests":[],"next":null}"#, &[]),
        ],
    )
    .await;
    for push in [(5, "ana", "befriended"), (6, "cy", "unasked"), (7, "dee", "unasked")] {
        assert_eq!(phone.hear().await, relation_push(push.0, push.1, push.2));
    }
    assert_eq!(ana.hear().await, relation_push(1, "bo", "befriended"));
    assert_eq!(cy.hear().await, relation_push(1, "bo", "befriended"));
    let entry = |remark: &str, groups: &str, wording: &str| {
        format!(
            r#""ok":{{"friends":[{{"peer":"bo","time":T,"remark":"{remark}","groups":{groups},"source":"AddSource_Type_Web","wording":"{wording}","custom":{{}},"profile":{{"Tag_Profile_IM_AllowType":"AllowType_Type_NeedConfirm","Tag_Profile_IM_Nick":"bo"}}}}],"next":null,"groups":{groups}}}"#
        )
    };
    walk(&mut ana, &[(r#""op":"friends""#, &entry("Bo", r#"["work"]"#, "it's me"), &[])]).await;
    walk(&mut cy, &[(r#""op":"friends""#, &entry("", "[]", ""), &[])]).await;
    // Dee hears nothing, and may ask again.
    walk(&mut dee, &[(r#""op":"friends""#, EMPTY, &[]), (&befriend("bo"), PENDING, &[])]).await;
    let bos = r#""ok":{"friends":[{"peer":"ana","time":T,"remark":"Ana","groups":[],"source":"AddSource_Type_Web","wording":"it's me","custom":{},"profile":{"Tag_Profile_IM_Nick":"ana"}}],"next":null,"groups":[]}"#;
    assert_eq!(bo.hear().await, relation_push(8, "dee", "asked"));
    walk(&mut bo, &[(r#""op":"friends""#, bos, &[])]).await;
    for pairs in [
        r#"[{"From_Account":"bo","To_Account":"ana","Initiator_Account":"ana"},{"From_Account":"ana","To_Account":"bo","Initiator_Account":"ana"}]"#,
        r#"[{"From_Account":"cy","To_Account":"bo","Initiator_Account":"cy"}]"#,
    ] {
        assert_eq!(
            literal(&app.receiver.next().await.body),
            format!(
                r#"{{"CallbackCommand":"Sns.CallbackFriendAdd","PairList":{pairs},"ClientCmd":"friend_response","Admin_Account":"","ForceFlag":0,"EventTime":MS}}"#
            )
        );
    }
    drop((ana, cy, dee, bo, phone));
    app.stop().await;
}

#[tokio::test]
async fn why_somebody_does_not_become_a_friend() {
    let limits = "[limits]\nfriends_len_max = 1\nfriend_groups_len_max = 1\nfriend_requests_len_max = 1\n";
    let app = Setup::default().settings(limits).start().await;
    import_accounts(&app, &["dee".into(), "eve".into(), "fay".into()]).await;
    set_profile(&app, "dee", "AllowType", "AllowType_Type_DenyAny").await;
    set_profile(&app, "eve", "AllowType", "AllowType_Type_NeedConfirm").await;
    set_profile(&app, "fay", "AdminForbidType", "AdminForbid_Type_SendOut").await;
    let (mut ana, mut cy, mut fay) =
        (app.device("ana").await, app.device("cy").await, app.device("fay").await);
    let befriended = |peer| [relation_push(1, peer, "befriended")];
    walk(&mut fay, &[(&befriend("bo"), &error(30009, "the user may not send friend requests"), &[])]).await;
    let grouped = format!(r#"{},"group":"work""#, befriend("bo"));
    walk(
        &mut ana,
        &[
            (&befriend("ana"), &error(30001, "the peer must be another user"), &[]),
            (&befriend("nobody"), &error(30003, "the account does not exist"), &[]),
            (&befriend("dee"), &error(30516, "the peer takes no friend requests"), &[]),
            (&befriend("eve"), PENDING, &[]),
            (
                r#""op":"befriend","peer":"bo","source":"Web""#,
                &error(30001, "source must be AddSource_Type_ and 1 to 8 letters"),
                &[],
            ),
            (&grouped, DONE_NOW, &befriended("bo")),
            (&befriend("cy"), &error(30010, "the friend list is full"), &[]),
            (r#""op":"add_groups","names":["home"]"#, &error(30011, "there are too many friend groups"), &[]),
        ],
    )
    .await;
    walk(
        &mut cy,
        &[
            (&befriend("bo"), &error(30014, "the friend list of the peer is full"), &[]),
            (&befriend("eve"), &error(30012, "too many friend requests are waiting"), &[]),
            (
                r#""op":"block","peers":["dee"]"#,
                &results(&[("dee", 0, "")]),
                &[relation_push(1, "dee", "blocked")],
            ),
            (&befriend("dee"), &error(30515, "the user blocks the peer"), &[]),
        ],
    )
    .await;
    drop((ana, cy, fay));
    app.stop().await;
}

/// Somebody who is blocked was told so when they wanted to be friends.
#[tokio::test]
async fn nobody_learns_of_being_blocked() {
    let app = Setup::default().start().await;
    import_accounts(&app, &["dee".into(), "eve".into()]).await;
    set_profile(&app, "dee", "AllowType", "AllowType_Type_DenyAny").await;
    set_profile(&app, "eve", "AllowType", "AllowType_Type_NeedConfirm").await;
    let mut ana = app.device("ana").await;
    let (mut bo, mut eve) = (app.device("bo").await, app.device("eve").await);
    let block = r#"{"id":2,"op":"block","peers":["ana"]}"#;
    assert_eq!(ask(&mut bo, block, 1).await.1, [relation_push(1, "ana", "blocked")]);
    assert_eq!(ask(&mut eve, block, 1).await.1, [relation_push(2, "ana", "blocked")]);
    assert_eq!(
        app.device("dee").await.ask(block).await,
        format!(r#"{{"id":2,{}}}"#, results(&[("ana", 0, "")]))
    );

    // To each, ana is answered as if she were anybody.
    let refused = error(30516, "the peer takes no friend requests");
    walk(
        &mut ana,
        &[
            (&befriend("bo"), DONE_NOW, &[relation_push(1, "bo", "befriended")]),
            (&befriend("bo"), &error(30001, "Err_SNS_FriendAdd_Friend_Exist"), &[]),
            (&befriend("dee"), &refused, &[]),
            (&befriend("eve"), PENDING, &[]),
            (&befriend("eve"), PENDING, &[]),
        ],
    )
    .await;
    // Nothing of it comes to those who block her.
    let none = r#""ok":{"requests":[],"next":null}"#;
    walk(&mut bo, &[(r#""op":"friends""#, EMPTY, &[]), (r#""op":"requests""#, none, &[])]).await;
    walk(&mut eve, &[(r#""op":"friends""#, EMPTY, &[]), (r#""op":"requests""#, none, &[])]).await;
    drop((ana, bo, eve));
    app.stop().await;
}

#[tokio::test]
async fn an_app_may_tell_who_is_blocked() {
    let app = Setup::default().rules("tells_blocked = true").start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    ask(&mut bo, r#"{"id":2,"op":"block","peers":["ana"]}"#, 1).await;
    walk(&mut ana, &[(&befriend("bo"), &error(30525, "the peer blocks the user"), &[])]).await;
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn friends_are_noted_and_grouped() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let not_friend = "Err_SNS_GroupAdd_Friend_Not_Exist";
    let no_group = "there is no such friend group";
    let friends = |groups: &str, bos: &str, cys: &str| {
        let entry = |peer: &str, noted: &str| {
            format!(r#"{{"peer":"{peer}","time":T,{noted},"profile":{{"Tag_Profile_IM_Nick":"{peer}"}}}}"#)
        };
        format!(
            r#""ok":{{"friends":[{},{}],"next":null,"groups":{groups}}}"#,
            entry("bo", bos),
            entry("cy", cys)
        )
    };
    let noted = |remark: &str, groups: &str, custom: &str| {
        format!(
            r#""remark":"{remark}","groups":{groups},"source":"AddSource_Type_Web","wording":"","custom":{custom}"#
        )
    };
    let custom = r#"{"Tag_SNS_Custom_Age":7,"Tag_SNS_Custom_Dog":"Rex"}"#;
    let push = |offset, peer| [relation_push(offset, peer, "noted")];
    let grouped = |offset| [relation_push(offset, "ana", "grouped")];
    walk(
        &mut ana,
        &[
            (&befriend("bo"), DONE_NOW, &[relation_push(1, "bo", "befriended")]),
            (&befriend("cy"), DONE_NOW, &[relation_push(2, "cy", "befriended")]),
            (
                r#""op":"note_friend","peer":"bo","remark":"Bo","groups":["work"],"custom":{"Tag_SNS_Custom_Dog":"Rex","Tag_SNS_Custom_Age":7}"#,
                r#""ok":{}"#,
                &push(3, "bo"),
            ),
            (
                r#""op":"add_groups","names":["home","work"],"peers":["cy","nobody"]"#,
                &results(&[("cy", 0, ""), ("nobody", 30003, "the account does not exist")]),
                &[relation_push(4, "ana", "grouped"), relation_push(5, "cy", "noted")],
            ),
            (r#""op":"add_groups","names":["club"]"#, &results(&[]), &grouped(6)),
            (
                r#""op":"friends""#,
                &friends(
                    r#"["work","home","club"]"#,
                    &noted("Bo", r#"["work"]"#, custom),
                    &noted("", r#"["work","home"]"#, "{}"),
                ),
                &[],
            ),
            // What is not named stays.
            (r#""op":"note_friend","peer":"bo","remark":"""#, r#""ok":{}"#, &push(7, "bo")),
            (r#""op":"rename_group","name":"work","to":"job""#, r#""ok":{}"#, &grouped(8)),
            (
                r#""op":"rename_group","name":"home","to":"job""#,
                &error(30001, "there is another friend group of this name"),
                &[],
            ),
            (r#""op":"rename_group","name":"work","to":"x""#, &error(30001, no_group), &[]),
            (
                r#""op":"join_group","name":"club","peers":["bo","dee"]"#,
                &results(&[("bo", 0, ""), ("dee", 30003, "the account does not exist")]),
                &push(9, "bo"),
            ),
            (
                r#""op":"leave_group","name":"job","peers":["cy"]"#,
                &results(&[("cy", 0, "")]),
                &push(10, "cy"),
            ),
            (r#""op":"leave_group","name":"x","peers":["cy"]"#, &results(&[("cy", 30001, no_group)]), &[]),
            (r#""op":"delete_groups","names":["home","x"]"#, r#""ok":{}"#, &grouped(11)),
            (
                r#""op":"friends""#,
                &friends(
                    r#"["job","club"]"#,
                    &noted("", r#"["job","club"]"#, custom),
                    &noted("", "[]", "{}"),
                ),
                &[],
            ),
            (
                r#""op":"unfriend","peers":["bo"]"#,
                &results(&[("bo", 0, "")]),
                &[relation_push(12, "bo", "unfriended")],
            ),
            (
                r#""op":"note_friend","peer":"bo","remark":"Bo""#,
                &error(30001, "Err_SNS_FriendUpdate_Friend_Not_Exist"),
                &[],
            ),
            (
                r#""op":"join_group","name":"club","peers":["bo"]"#,
                &results(&[("bo", 30001, not_friend)]),
                &[],
            ),
        ],
    )
    .await;
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn a_friend_list_has_pages() {
    let app = Setup::default().start().await;
    let names: Vec<_> = (100..205).map(|number| format!("u{number}")).collect();
    import_accounts(&app, &names).await;
    let mut ana = app.device("ana").await;
    let items =
        names.iter().map(|name| format!(r#"{{"To_Account":"{name}","AddSource":"AddSource_Type_Web"}}"#));
    let items = items.collect::<Vec<_>>().join(",");
    app.rest("sns/friend_import", &format!(r#"{{"From_Account":"ana","AddFriendItem":[{items}]}}"#)).await;
    for _ in &names {
        assert!(ana.hear().await.starts_with(r#"{"push":"relation""#));
    }
    for (request, first, last, len, next) in [
        ("", "u100", "u199", 100, r#""u199""#),
        (r#","limit":3"#, "u100", "u102", 3, r#""u102""#),
        (r#","limit":1000"#, "u100", "u199", 100, r#""u199""#),
        (r#","after":"u199""#, "u200", "u204", 5, "null"),
        (r#","limit":5,"after":"u199""#, "u200", "u204", 5, "null"),
        (r#","limit":4,"after":"u199""#, "u200", "u203", 4, r#""u203""#),
        // One who is no friend any more is as good a place as any.
        (r#","limit":1,"after":"u1205""#, "u121", "u121", 1, r#""u121""#),
    ] {
        ana.say(format!(r#"{{"id":2,"op":"friends"{request}}}"#)).await;
        let page = ana.hear_json().await["ok"].clone();
        let friends = page["friends"].as_array().unwrap();
        assert_eq!(friends.len(), len, "{request}");
        assert_eq!(
            (&friends[0]["peer"], &friends[len - 1]["peer"]),
            (&first.into(), &last.into()),
            "{request}"
        );
        assert_eq!(page["next"].to_string(), next, "{request}");
    }
    drop(ana);
    app.stop().await;
}
