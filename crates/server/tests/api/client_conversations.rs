//! What devices do with conversations, and the list of them.

use crate::app::{Setup, TestApp, TestClock, text_body};
use crate::client_people::{ask, error, walk};
use crate::device::Device;
use crate::friends::import_accounts;
use crate::literal::literal;

/// When the tests take place.
const NOW_S: u64 = 1_700_000_000;
const NOBODY: &str = "the account does not exist: nobody";

/// The first message from a user to ana, sent so many seconds after [`NOW_S`].
fn shown(from: &str, random: u32, after_s: u64, text: &str) -> String {
    let time = NOW_S + after_s;
    format!(
        r#"{{"From_Account":"{from}","To_Account":"ana","MsgSeq":1,"MsgRandom":{random},"MsgTimeStamp":{time},"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"1_{random}_{time}","MsgId":"N-{time}-{random}","MsgBody":{},"CloudCustomData":"","MsgClientTime":{time},"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#,
        text_body(text)
    )
}

/// A conversation of which nothing was set and nothing read, with one message.
fn plain(peer: &str, random: u32, after_s: u64, text: &str) -> String {
    format!(
        r#"{{"peer":"{peer}","time":{},"unread":1,"pinned":false,"pinned_time_ms":0,"notify":"AcceptAndNotify","marks":[],"custom":"","last":{},"peer_read_until":0,"read_until":0,"remark":""}}"#,
        NOW_S + after_s,
        shown(peer, random, after_s, text)
    )
}

fn list(conversations: &[String], next: &str, unread: u64) -> String {
    let conversations = conversations.join(",");
    format!(r#"{{"id":2,"ok":{{"conversations":[{conversations}],"next":{next},"unread":{unread}}}}}"#)
}

fn refused(code: u32, text: &str) -> String {
    format!(r#"{{"id":2,{}}}"#, error(code, text))
}

fn pushed(offset: u64, unread: u64, peer: &str, change: &str) -> String {
    format!(
        r#"{{"push":"conversation","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"peer":"{peer}","change":"{change}"}}"#
    )
}

/// The answer to `conversations`. Up to where in the log it knows is another test's subject.
async fn listed(device: &mut Device, more: &str) -> String {
    let answer = device.ask(format!(r#"{{"id":2,"op":"conversations"{more}}}"#)).await;
    let Some((before, rest)) = answer.split_once(r#""position":{"#) else { return answer };
    format!("{before}{}", rest.split_once("},").unwrap().1)
}

#[tokio::test]
async fn a_list_says_up_to_where_it_knows() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    three(&clock, &app).await;
    let mut ana = app.device("ana").await;
    for (offset, peers) in [(3, ""), (3, r#","peers":["bo"]"#)] {
        let answer = ana.ask(format!(r#"{{"id":2,"op":"conversations"{peers}}}"#)).await;
        let position = format!(r#""next":null,"position":{{"epoch":"E","offset":{offset}}},"unread":3"#);
        assert!(answer.contains(&position), "{answer}");
    }
    drop(ana);
    app.stop().await;
}

/// Bo, cy and dee write to ana, one second after the other.
async fn three(clock: &TestClock, app: &TestApp) {
    import_accounts(app, &["dee".to_owned()]).await;
    for (random, from) in [(1, "bo"), (2, "cy"), (3, "dee")] {
        clock.advance_secs(1);
        app.send_ok([from, "ana"], random, from).await;
    }
}

#[tokio::test]
async fn the_list_is_read_in_pages() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    let mut ana = app.device("ana").await;
    assert_eq!(listed(&mut ana, "").await, list(&[], "null", 0));
    drop(ana);
    three(&clock, &app).await;
    let mut ana = app.device("ana").await;
    let [bo, cy, dee] = [plain("bo", 1, 1, "bo"), plain("cy", 2, 2, "cy"), plain("dee", 3, 3, "dee")];
    assert_eq!(listed(&mut ana, "").await, list(&[dee.clone(), cy.clone(), bo.clone()], "null", 3));
    // A pinned one stays where its time puts it.
    let (answer, push) = ask(&mut ana, r#"{"id":2,"op":"pin","peer":"cy","pinned":true}"#, 1).await;
    assert_eq!((answer.as_str(), push), (r#"{"id":2,"ok":{}}"#, vec![pushed(4, 3, "cy", "pinned")]));
    let pinned_ms = (NOW_S + 3) * 1000;
    let cy = cy.replace(
        r#""pinned":false,"pinned_time_ms":0"#,
        &format!(r#""pinned":true,"pinned_time_ms":{pinned_ms}"#),
    );
    let next = format!(r#""{}-1""#, NOW_S + 2);
    assert_eq!(listed(&mut ana, r#","limit":2"#).await, list(&[dee, cy], &next, 3));
    assert_eq!(listed(&mut ana, &format!(r#","limit":2,"after":{next}"#)).await, list(&[bo], "null", 3));
    // Behind the end there is nothing.
    let end = format!(r#","after":"{}-5""#, NOW_S + 1);
    assert_eq!(listed(&mut ana, &end).await, list(&[], "null", 3));
    assert_eq!(listed(&mut ana, r#","after":"x""#).await, refused(11002, "after is missing or not valid"));
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn given_conversations_are_read() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    three(&clock, &app).await;
    let mut ana = app.device("ana").await;
    let peers = r#","peers":["bo","nobody","ana","dee","bo"]"#;
    let [bo, dee] = [plain("bo", 1, 1, "bo"), plain("dee", 3, 3, "dee")];
    assert_eq!(listed(&mut ana, peers).await, list(&[bo.clone(), dee, bo], "null", 3));
    let friend = r#"{"From_Account":"ana","AddFriendItem":[{"To_Account":"bo","AddSource":"AddSource_Type_test","Remark":"Bobby"}]}"#;
    assert!(app.rest("sns/friend_import", friend).await.contains(r#""ResultCode":0"#));
    ana.hear().await;
    // Both people read, and each sees of the other up to when.
    assert_eq!(ask(&mut ana, r#"{"id":2,"op":"read","peer":"bo"}"#, 1).await.0, r#"{"id":2,"ok":{}}"#);
    clock.advance_secs(6);
    let mut bo = app.device("bo").await;
    ask(&mut bo, &format!(r#"{{"id":2,"op":"send","to":"ana","random":9,"body":{}}}"#, text_body("you?")), 1)
        .await;
    ana.hear().await;
    let entry = |unread, peer_read, read, remark, random, after_s, text: &str| {
        plain("bo", random, after_s, text)
            .replace(r#""unread":1,"#, &format!(r#""unread":{unread},"#))
            .replace(
                r#""peer_read_until":0,"read_until":0,"remark":"""#,
                &format!(r#""peer_read_until":{peer_read},"read_until":{read},"remark":"{remark}""#),
            )
            .replace(r#""MsgSeq":1,"MsgRandom":9"#, r#""MsgSeq":2,"MsgRandom":9"#)
            .replace(r#""MsgKey":"1_9_"#, r#""MsgKey":"2_9_"#)
    };
    assert_eq!(
        listed(&mut ana, r#","peers":["bo"]"#).await,
        list(&[entry(1, 0, NOW_S + 1, "Bobby", 9, 9, "you?")], "null", 3)
    );
    let of_bo = listed(&mut bo, r#","peers":["ana"]"#).await;
    let read = format!(r#""peer_read_until":{},"read_until":0,"remark":"""#, NOW_S + 1);
    assert!(of_bo.contains(&read), "{of_bo}");
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_conversation_is_cleared_removed_and_erased() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    three(&clock, &app).await;
    let (mut ana, mut tablet) = (app.device("ana").await, app.device("ana").await);
    let ok = r#""ok":{}"#;
    let steps = [
        (r#""op":"clear","peer":"bo""#, ok, [pushed(4, 2, "bo", "cleared")]),
        (r#""op":"remove","peer":"cy""#, ok, [pushed(5, 1, "cy", "removed")]),
        (r#""op":"remove","peer":"dee","erase":true"#, ok, [pushed(6, 0, "dee", "erased")]),
    ];
    let steps: Vec<_> = steps.iter().map(|(request, ok, push)| (*request, *ok, &push[..])).collect();
    walk(&mut ana, &steps).await;
    for (_, _, push) in &steps {
        assert_eq!(tablet.hear().await, push[0]);
    }
    // The cleared one is still in the list, where it was, and shows nothing.
    let bo = plain("bo", 1, 1, "bo")
        .replace(&shown("bo", 1, 1, "bo"), "null")
        .replace(r#""unread":1,"#, r#""unread":0,"#);
    assert_eq!(listed(&mut ana, "").await, list(&[bo], "null", 0));
    let texts = |peer| app.texts("ana", peer);
    assert_eq!(
        (texts("bo").await, texts("cy").await, texts("dee").await),
        (vec![], vec!["cy".to_owned()], vec![])
    );
    assert_eq!(app.texts("bo", "ana").await, ["bo"]);
    // There is nothing more to do: nothing is told.
    let steps: Vec<(&str, &str, &[String])> =
        steps.iter().map(|(request, ok, _)| (*request, *ok, [].as_slice())).collect();
    walk(&mut ana, &steps).await;
    walk(&mut ana, &[(r#""op":"clear","peer":"nobody""#, ok, &[])]).await;
    // What is said afterwards is there again.
    app.send_ok(["bo", "ana"], 9, "and now?").await;
    for device in [&mut ana, &mut tablet] {
        assert_eq!(device.hear_message().await, (7, 1, "and now?".to_owned()));
    }
    assert_eq!(app.texts("ana", "bo").await, ["and now?"]);
    drop((ana, tablet));
    app.stop().await;
}

#[tokio::test]
async fn so_many_are_pinned() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().settings("[limits]\npinned_len_max = 1\n").clock(&clock).start().await;
    let mut ana = app.device("ana").await;
    let ok = r#""ok":{}"#;
    walk(
        &mut ana,
        &[
            (r#""op":"pin","peer":"bo","pinned":true"#, ok, &[pushed(1, 0, "bo", "pinned")]),
            (r#""op":"pin","peer":"bo","pinned":true"#, ok, &[]),
            (
                r#""op":"pin","peer":"cy","pinned":true"#,
                &error(51012, "too many conversations are pinned"),
                &[],
            ),
            (r#""op":"pin","peer":"nobody","pinned":true"#, &error(50001, NOBODY), &[]),
        ],
    )
    .await;
    // One without messages is in the list as long as it is pinned.
    let bo = format!(
        r#"{{"peer":"bo","time":0,"unread":0,"pinned":true,"pinned_time_ms":{NOW_S}000,"notify":"AcceptAndNotify","marks":[],"custom":"","last":null,"peer_read_until":0,"read_until":0,"remark":""}}"#
    );
    assert_eq!(listed(&mut ana, "").await, list(&[bo], "null", 0));
    walk(
        &mut ana,
        &[
            (r#""op":"pin","peer":"bo","pinned":false"#, ok, &[pushed(2, 0, "bo", "unpinned")]),
            (r#""op":"pin","peer":"cy","pinned":true"#, ok, &[pushed(3, 0, "cy", "pinned")]),
        ],
    )
    .await;
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn what_is_set_and_noted_of_a_conversation() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    app.send_ok(["bo", "ana"], 1, "bo").await;
    let (mut ana, mut tablet) = (app.device("ana").await, app.device("ana").await);
    let ok = r#""ok":{}"#;
    let noted = |offset| [pushed(offset, 1, "bo", "noted")];
    let (two, three, four, five) = (noted(2), noted(3), noted(4), noted(5));
    let steps: [(&str, &str, &[String]); 11] = [
        (r#""op":"notify","peers":["bo"],"notify":"AcceptNotNotify""#, ok, &two),
        (r#""op":"notify","peers":["bo"],"notify":"AcceptNotNotify""#, ok, &[]),
        (r#""op":"mark","peers":["bo"],"mark":1,"on":true"#, ok, &three),
        (r#""op":"mark","peers":["bo"],"mark":63,"on":1"#, ok, &four),
        (r#""op":"mark","peers":["bo"],"mark":2,"on":false"#, ok, &[]),
        (r#""op":"annotate","peers":["bo"],"custom":"vip \"1\"""#, ok, &five),
        (r#""op":"annotate","peers":["nobody"],"custom":"c""#, &error(50001, NOBODY), &[]),
        (r#""op":"mark","peers":["nobody"],"mark":1,"on":true"#, &error(50001, NOBODY), &[]),
        (r#""op":"notify","peers":["nobody"],"notify":"Discard""#, &error(50001, NOBODY), &[]),
        (
            r#""op":"notify","peers":["bo"],"notify":"Silent""#,
            &error(50002, "notify must be AcceptAndNotify, AcceptNotNotify or Discard"),
            &[],
        ),
        (
            r#""op":"mark","peers":["bo"],"mark":64,"on":true"#,
            &error(50002, "mark must be a number from 1 to 63"),
            &[],
        ),
    ];
    walk(&mut ana, &steps).await;
    for push in [two, three, four, five] {
        assert_eq!(tablet.hear().await, push[0]);
    }
    let bo = plain("bo", 1, 0, "bo").replace(
        r#""notify":"AcceptAndNotify","marks":[],"custom":"""#,
        r#""notify":"AcceptNotNotify","marks":[1,63],"custom":"vip \"1\"""#,
    );
    assert_eq!(listed(&mut tablet, r#","peers":["bo"]"#).await, list(&[bo], "null", 1));
    let (answer, _) =
        ask(&mut ana, r#"{"id":2,"op":"annotate","peers":["cy","bo"],"custom":"both"}"#, 2).await;
    assert_eq!(answer, r#"{"id":2,"ok":{}}"#);
    let many = vec![r#""bo""#; 101].join(",");
    let frame = format!(r#"{{"id":2,"op":"annotate","peers":[{many}],"custom":"c"}}"#);
    assert_eq!(ana.ask(frame).await, refused(51006, "peers has more than 100 items"));
    drop((ana, tablet));
    app.stop().await;
}

/// Whoever is discarded is shown success, as if blocked; the backend is told the truth.
#[tokio::test]
async fn nothing_comes_from_whom_one_discards() {
    let clock = TestClock::at(NOW_S);
    let mut app = Setup::told().rules("tells_blocked = true").clock(&clock).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let notify = |notify| format!(r#"{{"id":2,"op":"notify","peers":["bo"],"notify":"{notify}"}}"#);
    assert_eq!(ask(&mut ana, &notify("Discard"), 1).await.1, [pushed(1, 0, "bo", "noted")]);
    let send = |random: u32| {
        format!(r#"{{"id":2,"op":"send","to":"ana","random":{random},"body":{}}}"#, text_body("hi"))
    };
    let (answer, push) = ask(&mut bo, &send(1), 1).await;
    let sent =
        format!(r#"{{"id":2,"ok":{{"MsgTime":{NOW_S},"MsgKey":"1_1_{NOW_S}","MsgId":"N-{NOW_S}-1"}}}}"#);
    assert_eq!(answer, sent);
    assert!(push[0].starts_with(r#"{"push":"message","#), "{push:?}");
    let told = literal(&app.receiver.next().await.body);
    assert!(
        told.contains(
            r#""SendMsgResult":20007,"ErrorInfo":"the recipient has blocked the sender","UnreadMsgNum":-1"#
        ),
        "{told}"
    );
    assert_eq!((app.texts("ana", "bo").await, app.texts("bo", "ana").await), (vec![], vec!["hi".to_owned()]));
    // An edit and a pair do not come through either.
    let edit = format!(r#"{{"id":2,"op":"edit","peer":"ana","key":"1_1_{NOW_S}","custom_data":"c"}}"#);
    assert!(bo.ask(edit).await.contains(r#""version":1"#));
    // The app's backend knows what it does.
    app.send_ok(["bo", "ana"], 2, "from the app").await;
    assert_eq!(ana.hear_message().await, (2, 1, "from the app".to_owned()));
    app.receiver.next().await;
    bo.hear_message().await;
    ask(&mut ana, &notify("AcceptAndNotify"), 1).await;
    ask(&mut bo, &send(3), 1).await;
    assert_eq!(ana.hear_message().await, (4, 2, "hi".to_owned()));
    app.receiver.next().await;
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn reading_in_part_and_reading_all() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    three(&clock, &app).await;
    clock.advance_secs(1);
    app.send_ok(["bo", "ana"], 4, "more").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let read = |until: u64| format!(r#"{{"id":2,"op":"read","peer":"bo","until":{until}}}"#);
    let push = |offset: u64, unread: u64, peer: &str, until: u64| {
        format!(
            r#"{{"push":"read","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"reader":"ana","peer":"{peer}","read_until":{until}}}"#
        )
    };
    let ok = r#"{"id":2,"ok":{}}"#;
    assert_eq!(ask(&mut ana, &read(NOW_S), 0).await.0, ok);
    assert_eq!(ask(&mut ana, &read(NOW_S + 3), 1).await, (ok.into(), vec![push(5, 3, "bo", NOW_S + 3)]));
    assert_eq!(bo.hear().await, push(3, 0, "bo", NOW_S + 3));
    let (answer, mut pushes) = ask(&mut ana, r#"{"id":2,"op":"read_all"}"#, 3).await;
    assert_eq!(answer, ok);
    // In which order is not said, but what is unread goes down with each.
    for (index, pushed) in pushes.iter_mut().enumerate() {
        let at = format!(r#""position":{{"epoch":"E","offset":{}}},"unread":{}"#, 6 + index, 2 - index);
        assert!(pushed.contains(&at), "{pushed}");
    }
    assert_eq!(bo.hear().await, push(4, 0, "bo", NOW_S + 4));
    // Nothing is unread, and nothing is told.
    assert_eq!(ana.ask(r#"{"id":2,"op":"read_all"}"#).await, ok);
    assert_eq!(app.device("ana").await.connected["unread"], 0);
    drop((ana, bo));
    app.stop().await;
}

/// However long the messages are that the list shows, a page stays of a size that a device can take.
#[tokio::test]
async fn a_page_of_long_messages_ends_early() {
    let clock = TestClock::at(NOW_S);
    let app = Setup::default().clock(&clock).start().await;
    let names: Vec<String> = (0..30).map(|number| format!("user{number:02}")).collect();
    import_accounts(&app, &names).await;
    let text = "x".repeat(12_000);
    for (random, name) in (1..).zip(&names) {
        app.send_ok([name, "ana"], random, &text).await;
    }
    let mut ana = app.device("ana").await;
    let mut after = String::new();
    let mut lens = Vec::new();
    let mut peers = Vec::new();
    loop {
        ana.say(format!(r#"{{"id":2,"op":"conversations","limit":100{after}}}"#)).await;
        let page = ana.hear_json().await["ok"].take();
        let conversations = page["conversations"].as_array().unwrap();
        lens.push(conversations.len());
        peers.extend(conversations.iter().map(|entry| entry["peer"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!(r#","after":"{next}""#);
    }
    assert_eq!((lens, peers), (vec![21, 9], names));
    drop(ana);
    app.stop().await;
}
