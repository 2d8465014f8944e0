//! `sns/group_*`: names under which friends stand.

use crate::app::Setup;
use crate::friends::{NOBODY, answer, befriend, lines, sns, walk};

fn refused(code: u32, info: &str) -> String {
    format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"{info}","ErrorDisplay":""}}"#)
}

#[tokio::test]
async fn groups_are_made_filled_read_and_removed() {
    let app = Setup::default().start().await;
    befriend(&app, "ana", "bo").await;
    befriend(&app, "ana", "cy").await;
    let sequence = |sequence: u64| answer(&format!(r#""CurrentSequence":{sequence}"#));
    let groups = |groups: &str, sequence: u64| {
        answer(&format!(r#""ResultItem":[{groups}],"CurrentSequence":{sequence}"#))
    };
    let all = r#"{"From_Account":"ana"}"#;
    let with_friends = r#"{"From_Account":"ana","NeedFriend":"Need_Friend_Type_Yes"}"#;
    let some = r#"{"From_Account":"ana","GroupName":["new","home"],"NeedFriend":"Need_Friend_Type_No"}"#;
    let unknown = r#"{"From_Account":"ana","GroupName":["none"],"NeedFriend":"Need_Friend_Type_Yes"}"#;
    walk(
        &app,
        &[
            ("group_get", all.into(), groups("", 2)),
            (
                "group_add",
                r#"{"From_Account":"ana","GroupName":["work","home"]}"#.into(),
                groups("", 3),
            ),
            // Friends are put into all of the named groups; into one that is there already as well.
            (
                "group_add",
                r#"{"From_Account":"ana","GroupName":["work","new"],"To_Account":["bo","ana","nobody","","cy"]}"#.into(),
                answer(&format!(
                    r#"{},"CurrentSequence":6"#,
                    lines(&[
                        ("bo", 0, ""),
                        ("ana", 30001, "To_Account must be another user than From_Account"),
                        ("nobody", 30003, "the account does not exist"),
                        ("", 30001, "To_Account must be a String of 1 to 32 bytes"),
                        ("cy", 0, ""),
                    ])
                )),
            ),
            (
                "group_get",
                all.into(),
                groups(
                    r#"{"GroupName":"work","FriendNumber":2},{"GroupName":"home","FriendNumber":0},{"GroupName":"new","FriendNumber":2}"#,
                    6,
                ),
            ),
            (
                "group_get",
                with_friends.into(),
                groups(
                    r#"{"GroupName":"work","FriendNumber":2,"To_Account":["bo","cy"]},{"GroupName":"home","FriendNumber":0,"To_Account":[]},{"GroupName":"new","FriendNumber":2,"To_Account":["bo","cy"]}"#,
                    6,
                ),
            ),
            (
                "group_get",
                some.into(),
                groups(r#"{"GroupName":"home","FriendNumber":0},{"GroupName":"new","FriendNumber":2}"#, 6),
            ),
            ("group_get", unknown.into(), groups("", 6)),
            // Whether they are there or not.
            ("group_delete", r#"{"From_Account":"ana","GroupName":["work","none"]}"#.into(), sequence(7)),
            ("group_delete", r#"{"From_Account":"ana","GroupName":["work"]}"#.into(), sequence(8)),
            (
                "group_get",
                all.into(),
                groups(r#"{"GroupName":"home","FriendNumber":0},{"GroupName":"new","FriendNumber":2}"#, 8),
            ),
            // One that is made anew under an old name has nobody in it.
            ("group_add", r#"{"From_Account":"ana","GroupName":["work"]}"#.into(), groups("", 9)),
            (
                "group_get",
                with_friends.into(),
                groups(
                    r#"{"GroupName":"home","FriendNumber":0,"To_Account":[]},{"GroupName":"new","FriendNumber":2,"To_Account":["bo","cy"]},{"GroupName":"work","FriendNumber":0,"To_Account":[]}"#,
                    9,
                ),
            ),
        ],
    )
    .await;
    // Friends show the groups that are still there, and those who leave the list leave the groups.
    let tags = r#"{"From_Account":"ana","To_Account":["bo"],"TagList":["Tag_SNS_IM_Group"]}"#;
    assert_eq!(
        sns(&app, "friend_get_list", tags).await,
        answer(
            r#""InfoItem":[{"To_Account":"bo","SnsProfileItem":[{"Tag":"Tag_SNS_IM_Group","Value":["new"]}],"ResultCode":0,"ResultInfo":""}]"#
        )
    );
    sns(&app, "friend_delete", r#"{"From_Account":"ana","To_Account":["bo"]}"#).await;
    assert_eq!(
        sns(&app, "group_get", r#"{"From_Account":"ana","GroupName":["new"]}"#).await,
        groups(r#"{"GroupName":"new","FriendNumber":1}"#, 10)
    );
    app.stop().await;
}

#[tokio::test]
async fn devices_hear_of_friends_that_are_put_into_groups() {
    let app = Setup::default().start().await;
    befriend(&app, "ana", "bo").await;
    let mut ana = app.device("ana").await;
    let request = r#"{"From_Account":"ana","GroupName":["work"],"To_Account":["bo","cy"]}"#;
    let expected = lines(&[("bo", 0, ""), ("cy", 30001, "Err_SNS_GroupAdd_Friend_Not_Exist")]);
    assert_eq!(sns(&app, "group_add", request).await, answer(&format!(r#"{expected},"CurrentSequence":3"#)));
    for (offset, peer, news) in [(2, "ana", "grouped"), (3, "bo", "noted")] {
        assert_eq!(
            ana.hear().await,
            format!(
                r#"{{"push":"relation","position":{{"epoch":"E","offset":{offset}}},"unread":0,"peer":"{peer}","news":"{news}"}}"#
            )
        );
    }
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn there_is_room_for_so_many_groups() {
    let app = Setup::default().settings("[limits]\nfriend_groups_len_max = 2\n").start().await;
    let add = |names: &str| format!(r#"{{"From_Account":"ana","GroupName":[{names}]}}"#);
    let made = |sequence: u64| answer(&format!(r#""ResultItem":[],"CurrentSequence":{sequence}"#));
    let full = refused(30011, "there are too many friend groups");
    let nobody = |request: &str| request.replace("ana", "nobody");
    walk(
        &app,
        &[
            ("group_add", add(r#""a","b","c""#), full.clone()),
            ("group_add", add(r#""a","b""#), made(1)),
            ("group_add", add(r#""c""#), full.clone()),
            ("group_add", add(r#""b","a""#), made(2)),
            ("group_delete", add(r#""a""#), answer(r#""CurrentSequence":3"#)),
            ("group_add", add(r#""c""#), made(4)),
            ("group_add", add(""), refused(30001, "GroupName must be an Array with at least one name")),
            ("group_delete", add(""), refused(30001, "GroupName must be an Array with at least one name")),
            ("group_add", nobody(&add(r#""a""#)), NOBODY.into()),
            ("group_delete", nobody(&add(r#""a""#)), NOBODY.into()),
            ("group_get", nobody(&add(r#""a""#)), NOBODY.into()),
        ],
    )
    .await;
    app.stop().await;
}
