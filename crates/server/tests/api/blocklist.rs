//! `sns/black_list_*`: who blocks whom.

use crate::app::Setup;
use crate::friends::{NOBODY, about, answer, befriend, results, sns, walk};
use crate::literal::literal;

const UNKNOWN: &str = "the account does not exist";
const BAD_ID: &str = "To_Account must be a String of 1 to 32 bytes";
const ONESELF: &str = "To_Account must be another user than From_Account";
const ALREADY: &str = "Err_SNS_BlackListAdd_Already_Exist";
const NOT_BLOCKED: &str = "the user is not on the blocklist";

fn pair(command: &str, from: &str, to: &str) -> String {
    format!(
        r#"{{"CallbackCommand":"Sns.Callback{command}","PairList":[{{"From_Account":"{from}","To_Account":"{to}"}}],"EventTime":MS}}"#
    )
}

fn push(offset: u64, peer: &str, news: &str) -> String {
    format!(
        r#"{{"push":"relation","position":{{"epoch":"E","offset":{offset}}},"unread":0,"peer":"{peer}","news":"{news}"}}"#
    )
}

#[tokio::test]
async fn blocking_ends_a_friendship() {
    let mut app = Setup::telling(&[
        "Sns.CallbackFriendDelete",
        "Sns.CallbackBlackListAdd",
        "Sns.CallbackBlackListDelete",
    ])
    .start()
    .await;
    befriend(&app, "ana", "bo").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let request = about("ana", &["bo", "ana", "nobody", ""], "");
    assert_eq!(
        sns(&app, "black_list_add", &request).await,
        results(&[("bo", 0, ""), ("ana", 30001, ONESELF), ("nobody", 30003, UNKNOWN), ("", 30001, BAD_ID)])
    );
    let told = app.receiver.next().await;
    assert_eq!(
        told.target,
        "POST /callback?SdkAppid=1400000001&CallbackCommand=Sns.CallbackBlackListAdd&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI"
    );
    assert_eq!(literal(&told.body), pair("BlackListAdd", "ana", "bo"));
    assert_eq!(
        literal(&app.receiver.next().await.body),
        r#"{"CallbackCommand":"Sns.CallbackFriendDelete","PairList":[{"From_Account":"ana","To_Account":"bo"},{"From_Account":"bo","To_Account":"ana"}],"EventTime":MS}"#
    );
    assert_eq!(ana.hear().await, push(2, "bo", "blocked"));
    assert_eq!(ana.hear().await, push(3, "bo", "unfriended"));
    // Who is blocked is not told of it, only of the friendship.
    assert_eq!(bo.hear().await, push(2, "ana", "unfriended"));
    let page = answer(
        r#""BlackListItem":[{"To_Account":"bo","AddBlackTimeStamp":T}],"StartIndex":0,"CurruentSequence":1,"CurrentSequence":1"#,
    );
    let get = r#"{"From_Account":"ana","StartIndex":0,"MaxLimited":30,"LastSequence":0}"#;
    assert_eq!(sns(&app, "black_list_get", get).await, page);
    assert_eq!(
        sns(&app, "black_list_add", &about("ana", &["bo"], "")).await,
        results(&[("bo", 30001, ALREADY)])
    );

    assert_eq!(sns(&app, "black_list_delete", &about("ana", &["bo"], "")).await, results(&[("bo", 0, "")]));
    let told = app.receiver.next().await;
    assert_eq!(told.parameter("CallbackCommand"), "Sns.CallbackBlackListDelete");
    assert_eq!(literal(&told.body), pair("BlackListDelete", "ana", "bo"));
    assert_eq!(ana.hear().await, push(4, "bo", "unblocked"));
    let none = answer(r#""BlackListItem":[],"StartIndex":0,"CurruentSequence":2,"CurrentSequence":2"#);
    walk(
        &app,
        &[
            ("black_list_get", get.into(), none),
            (
                "black_list_delete",
                about("ana", &["bo", "ana", ""], ""),
                results(&[("bo", 30001, NOT_BLOCKED), ("ana", 30001, ONESELF), ("", 30001, BAD_ID)]),
            ),
            ("black_list_add", about("nobody", &["bo"], ""), NOBODY.into()),
            ("black_list_delete", about("nobody", &["bo"], ""), NOBODY.into()),
            ("black_list_get", r#"{"From_Account":"nobody","MaxLimited":1}"#.into(), NOBODY.into()),
            (
                "black_list_get",
                r#"{"From_Account":"ana"}"#.into(),
                r#"{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"MaxLimited must be a positive integer","ErrorDisplay":""}"#.into(),
            ),
        ],
    )
    .await;
    // They are not friends again by that.
    assert_eq!(
        sns(&app, "friend_check", &about("ana", &["bo"], r#","CheckType":"CheckResult_Type_Both""#)).await,
        answer(
            r#""InfoItem":[{"To_Account":"bo","Relation":"CheckResult_Type_NoRelation","ResultCode":0,"ResultInfo":""}]"#
        )
    );
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_blocklist_comes_in_pages_and_has_room_for_so_many() {
    let app = Setup::default().settings("[limits]\nblocklist_len_max = 3\n").start().await;
    crate::friends::import_accounts(&app, &["dee".into(), "eve".into()]).await;
    let add = about("ana", &["eve", "bo", "dee", "cy"], "");
    assert_eq!(
        sns(&app, "black_list_add", &add).await,
        results(&[("eve", 0, ""), ("bo", 0, ""), ("dee", 0, ""), ("cy", 30013, "the blocklist is full")])
    );
    let page = |entries: &[&str], next: u32| {
        let entry = |user: &&str| format!(r#"{{"To_Account":"{user}","AddBlackTimeStamp":T}}"#);
        let entries = entries.iter().map(entry).collect::<Vec<_>>().join(",");
        answer(&format!(
            r#""BlackListItem":[{entries}],"StartIndex":{next},"CurruentSequence":3,"CurrentSequence":3"#
        ))
    };
    let get = |start: u32, limit: u32| {
        format!(r#"{{"From_Account":"ana","StartIndex":{start},"MaxLimited":{limit}}}"#)
    };
    walk(
        &app,
        &[
            ("black_list_get", get(0, 2), page(&["bo", "dee"], 2)),
            ("black_list_get", get(2, 2), page(&["eve"], 0)),
            ("black_list_get", get(0, 3), page(&["bo", "dee", "eve"], 0)),
            ("black_list_get", get(1, 1), page(&["dee"], 2)),
            ("black_list_get", get(3, 1), page(&[], 0)),
            ("black_list_get", get(4_294_967_295, 1), page(&[], 0)),
            ("black_list_delete", about("ana", &["dee"], ""), results(&[("dee", 0, "")])),
            ("black_list_add", about("ana", &["cy"], ""), results(&[("cy", 0, "")])),
        ],
    )
    .await;
    app.stop().await;
}

#[tokio::test]
async fn who_blocks_whom() {
    let app = Setup::default().start().await;
    crate::friends::import_accounts(&app, &["dee".into(), "eve".into()]).await;
    for (from, to) in [("ana", "bo"), ("bo", "ana"), ("ana", "cy"), ("dee", "ana")] {
        assert_eq!(sns(&app, "black_list_add", &about(from, &[to], "")).await, results(&[(to, 0, "")]));
    }
    let line = |to: &str, relation: &str, code: u32, info: &str| {
        format!(
            r#"{{"To_Account":"{to}","Relation":"BlackCheckResult_Type_{relation}","ResultCode":{code},"ResultInfo":"{info}"}}"#
        )
    };
    let all = |[bo, cy, dee, eve]: [&str; 4]| {
        let lines = [
            line("bo", bo, 0, ""),
            line("nobody", "NO", 30003, UNKNOWN),
            line("cy", cy, 0, ""),
            line("dee", dee, 0, ""),
            line("", "NO", 30001, BAD_ID),
            line("eve", eve, 0, ""),
        ];
        answer(&format!(r#""BlackListCheckItem":[{}],"Fail_Account":["nobody",""]"#, lines.join(",")))
    };
    let asked = ["bo", "nobody", "cy", "dee", "", "eve"];
    let (single, both) =
        (r#","CheckType":"BlackCheckResult_Type_Single""#, r#","CheckType":"BlackCheckResult_Type_Both""#);
    walk(
        &app,
        &[
            ("black_list_check", about("ana", &asked, both), all(["BothWay", "AWithB", "BWithA", "NO"])),
            ("black_list_check", about("ana", &asked, single), all(["AWithB", "AWithB", "NO", "NO"])),
            ("black_list_check", about("nobody", &["bo"], both), NOBODY.into()),
            (
                "black_list_check",
                about("ana", &["bo"], r#","CheckType":"CheckResult_Type_Both""#),
                r#"{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"CheckType must be one of the documented words","ErrorDisplay":""}"#.into(),
            ),
        ],
    )
    .await;
    app.stop().await;
}
