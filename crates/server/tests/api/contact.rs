//! `recentcontact`: a user's list of conversations.

use crate::app::{Setup, TestApp, TestClock};
use std::sync::Arc;

const LIST: &str = "recentcontact/get_list";
const DELETE: &str = "recentcontact/delete";
const PIN: &str = "recentcontact/top";
const OK_DISPLAY: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#;

fn failed(code: u32, info: &str) -> String {
    format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"{info}","ErrorDisplay":""}}"#)
}

fn unknown() -> String {
    failed(50001, "the account does not exist")
}

/// A place in the list, in the order of the request's members.
type Cursor = [u64; 4];

fn list_body(owner: &str, [time, index, top_time, top_index]: Cursor, flags: u32) -> String {
    format!(
        r#"{{"From_Account":"{owner}","TimeStamp":{time},"StartIndex":{index},"TopTimeStamp":{top_time},"TopStartIndex":{top_index},"AssistFlags":{flags}}}"#
    )
}

/// A page: its lines as `peer time pinned`, whether it is the last, and where it ends.
async fn page(app: &TestApp, cursor: Cursor, flags: u32) -> (Vec<String>, bool, Cursor) {
    let answer = app.call_exactly(LIST, &app.admin_query(), &list_body("ana", cursor, flags)).await;
    let page: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(page["ErrorCode"], 0, "{page}");
    let line = |item: &serde_json::Value| {
        assert_eq!(item["Type"], 1);
        format!("{} {} {}", item["To_Account"].as_str().unwrap(), item["MsgTime"], item["TopFlag"])
    };
    let lines = page["SessionItem"].as_array().unwrap().iter().map(line).collect();
    let next = ["TimeStamp", "StartIndex", "TopTimeStamp", "TopStartIndex"];
    (lines, page["CompleteFlag"] == 1, next.map(|name| page[name].as_u64().unwrap()))
}

async fn import(app: &TestApp, names: &[&str]) {
    let body = format!(r#"{{"Accounts":{names:?}}}"#);
    let answer = app.rest("im_open_login_svc/multiaccount_import", &body).await;
    assert!(answer.contains(r#""FailAccounts":[]"#), "{answer}");
}

/// Pins or unpins conversations of ana.
async fn pin(app: &TestApp, operation: u32, peers: &[&str]) -> String {
    let items: Vec<_> = peers.iter().map(|peer| format!(r#"{{"Type":1,"To_Account":"{peer}"}}"#)).collect();
    let body = format!(
        r#"{{"From_Account":"ana","OperationType":{operation},"RecentContactItem":[{}]}}"#,
        items.join(",")
    );
    app.rest(PIN, &body).await
}

/// Messages between ana and the others, one a second.
async fn talk(app: &TestApp, clock: &Arc<TestClock>, peers: &[&str]) {
    for (random, peer) in (1..).zip(peers) {
        app.send_ok([peer, "ana"], random, "hi").await;
        clock.advance_secs(1);
    }
}

#[tokio::test]
async fn the_list_to_the_letter() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let empty = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","SessionItem":[],"CompleteFlag":1,"TimeStamp":0,"StartIndex":0,"TopTimeStamp":0,"TopStartIndex":0}"#;
    assert_eq!(app.rest(LIST, r#"{"From_Account":"ana"}"#).await, empty);
    app.send_ok(["bo", "ana"], 1, "one").await;
    clock.advance_secs(1);
    app.send_ok(["ana", "cy"], 2, "two").await;
    assert_eq!(pin(&app, 1, &["bo"]).await, OK_DISPLAY);
    let expected = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","SessionItem":[{"Type":1,"To_Account":"bo","MsgTime":T,"TopFlag":1},{"Type":1,"To_Account":"cy","MsgTime":T,"TopFlag":0}],"CompleteFlag":1,"TimeStamp":T,"StartIndex":1,"TopTimeStamp":T,"TopStartIndex":1}"#;
    assert_eq!(app.rest(LIST, &list_body("ana", [0; 4], 7)).await, expected);
    app.stop().await;
}

#[tokio::test]
async fn what_the_assist_flags_do() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    import(&app, &["dee", "eve"]).await;
    let begin_s = clock.now_s();
    talk(&app, &clock, &["bo", "cy", "dee"]).await;
    // Eve is pinned without ever having written.
    assert_eq!(pin(&app, 1, &["bo", "eve"]).await, OK_DISPLAY);
    let line = |peer: &str, second: u64, pinned: u32| format!("{peer} {} {pinned}", begin_s + second);
    let by_time = vec![line("dee", 2, 0), line("cy", 1, 0), line("bo", 0, 0)];
    let with_empty = [by_time.clone(), vec!["eve 0 0".to_owned()]].concat();
    let pinned_first = vec![line("bo", 0, 1), line("dee", 2, 0), line("cy", 1, 0)];
    let all = vec![line("bo", 0, 1), "eve 0 1".to_owned(), line("dee", 2, 0), line("cy", 1, 0)];
    for (flags, expected) in [
        (0, &by_time),
        (1, &pinned_first),
        (2, &with_empty),
        (3, &all),
        // Pages of pinned ones are nothing to whoever does not know pinned ones.
        (4, &by_time),
        (5, &pinned_first),
        (6, &with_empty),
        (7, &all),
        // Of the further bits, nothing is known here.
        (15, &all),
        (63, &all),
        (56, &by_time),
    ] {
        let (lines, complete, _) = page(&app, [0; 4], flags).await;
        assert_eq!((&lines, complete), (expected, true), "{flags}");
    }
    app.stop().await;
}

/// The names on every page, following the cursors from the beginning to the end; behind it, nothing is left.
async fn walk(app: &TestApp, flags: u32) -> Vec<String> {
    let mut pages = Vec::new();
    let mut cursor = [0; 4];
    loop {
        let (lines, complete, next) = page(app, cursor, flags).await;
        let names: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
        pages.push(names.join(" "));
        cursor = next;
        if complete {
            break;
        }
    }
    // A list of pinned ones only has no other end, when those are not read in pages.
    if cursor[..2] != [0; 2] || flags & 4 != 0 {
        assert_eq!(page(app, cursor, flags).await, (Vec::new(), true, cursor), "behind the last page");
    }
    pages
}

#[tokio::test]
async fn pages() {
    let clock = TestClock::new();
    let setup = Setup::default().settings("[limits]\ncontacts_page_len_max = 2\n");
    let app = setup.clock(&clock).start().await;
    assert_eq!(walk(&app, 7).await, [""]);
    import(&app, &["dee", "eve", "fay"]).await;
    // The last three are of one second, in which names decide.
    talk(&app, &clock, &["bo", "cy"]).await;
    for (random, peer) in (1..).zip(["fay", "dee", "eve"]) {
        app.send_ok([peer, "ana"], random, "hi").await;
    }
    for (pinned, flags, expected) in [
        (&[][..], 0, &["dee eve", "fay cy", "bo"][..]),
        (&[], 1, &["dee eve", "fay cy", "bo"]),
        (&[], 7, &["dee eve", "fay cy", "bo"]),
        (&["bo"], 0, &["dee eve", "fay cy", "bo"]),
        (&["bo"], 1, &["bo dee", "eve fay", "cy"]),
        (&["bo"], 7, &["bo dee", "eve fay", "cy"]),
        // A page of pinned ones that is full is not the last, whatever comes.
        (&["bo", "cy"], 1, &["cy bo dee", "eve fay"]),
        (&["bo", "cy"], 7, &["cy bo", "dee eve", "fay"]),
        (&["bo", "eve", "fay"], 0, &["dee eve", "fay cy", "bo"]),
        (&["bo", "eve", "fay"], 1, &["eve fay bo dee", "cy"]),
        (&["bo", "eve", "fay"], 7, &["eve fay", "bo dee", "cy"]),
        (&["bo", "cy", "dee", "eve", "fay"], 1, &["dee eve fay cy bo"]),
        (&["bo", "cy", "dee", "eve", "fay"], 7, &["dee eve", "fay cy", "bo"]),
        (&["cy", "dee", "eve", "fay"], 1, &["dee eve fay cy bo"]),
        (&["cy", "dee", "eve", "fay"], 7, &["dee eve", "fay cy", "bo"]),
    ] {
        if !pinned.is_empty() {
            assert_eq!(pin(&app, 1, pinned).await, OK_DISPLAY);
        }
        assert_eq!(walk(&app, flags).await, expected, "{pinned:?} {flags}");
        if !pinned.is_empty() {
            assert_eq!(pin(&app, 2, pinned).await, OK_DISPLAY);
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_deleted_conversation_comes_back_with_the_next_message() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let mut ana = app.device("ana").await;
    app.send_ok(["bo", "ana"], 1, "one").await;
    app.send_ok(["cy", "ana"], 2, "other").await;
    assert_eq!(pin(&app, 1, &["bo"]).await, OK_DISPLAY);
    for (unread, offset) in [(1, 1), (2, 2)] {
        let (at, total, _) = ana.hear_message().await;
        assert_eq!((at, total), (offset, unread));
    }
    let changed = |offset: u32, unread: u32, change: &str| {
        format!(
            r#"{{"push":"conversation","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"peer":"bo","change":"{change}"}}"#
        )
    };
    assert_eq!(ana.hear().await, changed(3, 2, "pinned"));
    let names = async || walk(&app, 1).await.join("|");
    assert_eq!(names().await, "bo cy");

    let delete = |more: &str| format!(r#"{{"From_Account":"ana","Type":1,"To_Account":"bo"{more}}}"#);
    assert_eq!(app.rest(DELETE, &delete("")).await, OK_DISPLAY);
    // What was unread in it counts no longer, its pin is gone, and its history stays.
    assert_eq!(ana.hear().await, changed(4, 1, "removed"));
    assert_eq!(names().await, "cy");
    assert_eq!(app.texts("ana", "bo").await, ["one"]);
    // It is not there to be deleted again.
    assert_eq!(app.rest(DELETE, &delete(r#","ClearRamble":0"#)).await, OK_DISPLAY);

    clock.advance_secs(1);
    app.send_ok(["bo", "ana"], 3, "two").await;
    assert_eq!(ana.hear_message().await, (5, 2, "two".to_owned()));
    assert_eq!(page(&app, [0; 4], 1).await.0[0], format!("bo {} 0", clock.now_s()));
    assert_eq!(app.texts("ana", "bo").await, ["one", "two"]);

    assert_eq!(app.rest(DELETE, &delete(r#","ClearRamble":1"#)).await, OK_DISPLAY);
    assert_eq!(ana.hear().await, changed(6, 1, "erased"));
    assert_eq!(names().await, "cy");
    assert_eq!(app.texts("ana", "bo").await, Vec::<String>::new());
    // The other side keeps everything.
    assert_eq!(app.texts("bo", "ana").await, ["one", "two"]);
    let bos = app.rest(LIST, &list_body("bo", [0; 4], 0)).await;
    assert!(
        bos.contains(r#""SessionItem":[{"Type":1,"To_Account":"ana","MsgTime":T,"TopFlag":0}]"#),
        "{bos}"
    );

    app.send_ok(["bo", "ana"], 4, "three").await;
    assert_eq!(ana.hear_message().await, (7, 2, "three".to_owned()));
    assert_eq!(app.texts("ana", "bo").await, ["three"]);
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn pinning_again_and_unpinning_what_is_not_pinned_change_nothing() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    for (operation, pushed) in
        [(2, None), (1, Some("pinned")), (1, None), (2, Some("unpinned")), (2, None), (1, Some("pinned"))]
    {
        assert_eq!(pin(&app, operation, &["bo"]).await, OK_DISPLAY);
        if let Some(change) = pushed {
            let push = ana.hear_json().await;
            assert_eq!((&push["peer"], &push["change"]), (&"bo".into(), &change.into()), "{push}");
        }
    }
    app.send_ok(["bo", "ana"], 1, "last").await;
    assert_eq!(ana.hear_message().await.0, 4, "one entry for each of the three changes");
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn so_many_can_be_pinned_and_no_more() {
    let app = Setup::default().start().await;
    let names: Vec<_> = (1..=52).map(|number| format!("u{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    import(&app, &names).await;
    let too_many = failed(51012, "too many conversations are pinned");
    assert_eq!(pin(&app, 1, &names[..50]).await, OK_DISPLAY);
    // One that is pinned already takes no more room.
    assert_eq!(pin(&app, 1, &["u1"]).await, OK_DISPLAY);
    assert_eq!(pin(&app, 1, &["u51"]).await, too_many);
    assert_eq!(pin(&app, 2, &["u1"]).await, OK_DISPLAY);
    // Item by item: the first that does not fit is the answer, and those before it are pinned.
    assert_eq!(pin(&app, 1, &["u51", "u52", "u2"]).await, too_many);
    let (lines, complete, _) = page(&app, [0; 4], 3).await;
    assert!(complete);
    let mut pinned: Vec<_> = lines.iter().map(|line| line.strip_suffix(" 0 1").unwrap()).collect();
    pinned.sort_unstable();
    let mut expected: Vec<_> = names[1..51].to_vec();
    expected.sort_unstable();
    assert_eq!(pinned, expected);
    app.stop().await;
}

#[tokio::test]
async fn requests_that_are_refused() {
    let app = Setup::default().start().await;
    let no_groups = failed(50002, "Type must be 1: this server has no groups");
    let not_json = failed(50002, "Fail to Parse json data of body, Please check it");
    let account = failed(50002, "From_Account must be a UserID: a String of 1 to 32 bytes");
    let item = r#""RecentContactItem":[{"Type":1,"To_Account":"bo"}]"#;
    for (command, body, expected) in [
        (LIST, list_body("nobody", [0; 4], 7), unknown()),
        (LIST, list_body("nobody", [0; 4], 0), unknown()),
        (LIST, "{}".to_owned(), account.clone()),
        (LIST, "nothing".to_owned(), not_json.clone()),
        (
            LIST,
            r#"{"From_Account":"ana","StartIndex":-1}"#.to_owned(),
            failed(50002, "StartIndex must be an unsigned integer"),
        ),
        (DELETE, r#"{"From_Account":"nobody","Type":1,"To_Account":"bo"}"#.to_owned(), unknown()),
        // There need be nothing to delete.
        (DELETE, r#"{"From_Account":"ana","Type":1,"To_Account":"nobody"}"#.to_owned(), OK_DISPLAY.to_owned()),
        (DELETE, r#"{"From_Account":"ana","Type":2,"ToGroupid":"g"}"#.to_owned(), no_groups.clone()),
        (DELETE, r#"{"Type":1,"To_Account":"bo"}"#.to_owned(), account.clone()),
        (DELETE, "[]".to_owned(), not_json.clone()),
        (PIN, format!(r#"{{"From_Account":"nobody","OperationType":1,{item}}}"#), unknown()),
        (PIN, format!(r#"{{"From_Account":"nobody","OperationType":2,{item}}}"#), unknown()),
        (
            PIN,
            r#"{"From_Account":"ana","OperationType":1,"RecentContactItem":[{"Type":1,"To_Account":"nobody"}]}"#
                .to_owned(),
            unknown(),
        ),
        (
            PIN,
            format!(r#"{{"From_Account":"ana","OperationType":3,{item}}}"#),
            failed(50002, "OperationType must be 1 or 2"),
        ),
        (
            PIN,
            r#"{"From_Account":"ana","OperationType":1,"RecentContactItem":[{"Type":2,"GroupId":"g"}]}"#
                .to_owned(),
            no_groups,
        ),
        (PIN, format!(r#"{{"OperationType":1,{item}}}"#), account),
        (PIN, String::new(), not_json),
    ] {
        assert_eq!(app.rest(command, &body).await, expected, "{command} {body}");
    }
    // A cursor from elsewhere leads somewhere.
    let far = list_body("ana", [u64::MAX, u64::MAX, u64::MAX, u64::MAX], 7);
    assert!(app.rest(LIST, &far).await.contains(r#""SessionItem":[],"CompleteFlag":1"#));
    app.stop().await;
}
