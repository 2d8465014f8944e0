//! What people, and the app's backend, may have against a message that a device sends. The backend's own sends
//! pass all of it.

use crate::app::{OK, Setup, TestApp, TestClock, text_body};
use crate::device::Device;
use crate::literal::literal;

const MUTE: &str = "openconfigsvr/setnospeaking";
const BLOCK: &str = "sns/black_list_add";
const UNBLOCK: &str = "sns/black_list_delete";
const BEFRIEND: &str = "sns/friend_import";
const PROFILE: &str = "profile/portrait_set";
const MUTED: (u32, &str) = (20012, "the sender is muted");
const BLOCKED: (u32, &str) = (20007, "the recipient has blocked the sender");

fn frame(to: &str, random: u32, text: &str) -> String {
    format!(r#"{{"id":2,"op":"send","to":"{to}","random":{random},"body":{}}}"#, text_body(text))
}

fn sent(seq: u32, random: u32) -> String {
    format!(r#"{{"id":2,"ok":{{"MsgTime":T,"MsgKey":"{seq}_{random}_T","MsgId":"N-T-{random}"}}}}"#)
}

fn refused((code, text): (u32, &str)) -> String {
    format!(r#"{{"id":2,"error":{{"code":{code},"text":"{text}","temporary":false}}}}"#)
}

/// The event of a message from ana to bo.
fn told(seq: u32, random: u32, (code, info): (u32, &str), unread: i64, text: &str) -> String {
    format!(
        r#"{{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":{seq},"MsgRandom":{random},"MsgTime":T,"MsgKey":"{seq}_{random}_T","OnlineOnlyFlag":0,"SendMsgResult":{code},"ErrorInfo":"{info}","UnreadMsgNum":{unread},"MsgBody":{},"CloudCustomData":"","MsgId":"N-T-{random}","EventTime":MS}}"#,
        text_body(text)
    )
}

const SUCCEEDED: (u32, &str) = (0, "send msg succeed");

async fn ok(app: &TestApp, command: &str, body: &str) {
    let answer = app.rest(command, body).await;
    assert!(answer.contains(r#""ActionStatus":"OK","ErrorCode":0,"#), "{command} {body} {answer}");
    assert!(!answer.contains("Fail_Account"), "{command} {body} {answer}");
}

async fn block(app: &TestApp, from: &str, peer: &str) {
    ok(app, BLOCK, &format!(r#"{{"From_Account":"{from}","To_Account":["{peer}"]}}"#)).await;
}

async fn befriend(app: &TestApp, from: &str, peer: &str) {
    let item = format!(r#"{{"To_Account":"{peer}","AddSource":"AddSource_Type_test"}}"#);
    ok(app, BEFRIEND, &format!(r#"{{"From_Account":"{from}","AddFriendItem":[{item}]}}"#)).await;
}

/// Whether the user wants to receive messages.
async fn receive(app: &TestApp, user: &str, wanted: bool) {
    let value = u32::from(!wanted);
    let item = format!(r#"{{"Tag":"Tag_Profile_IM_MsgSettings","Value":{value}}}"#);
    ok(app, PROFILE, &format!(r#"{{"From_Account":"{user}","ProfileItem":[{item}]}}"#)).await;
}

/// The next callback that the app's backend gets, which must not be a question.
async fn event(app: &mut TestApp) -> String {
    let callback = app.receiver.next().await;
    assert!(!callback.is_question(), "{callback:?}");
    literal(&callback.body)
}

/// The backend is asked, and told: the event.
async fn asked_and_told(app: &mut TestApp) -> String {
    let callback = app.receiver.next().await;
    assert!(callback.is_question(), "{callback:?}");
    event(app).await
}

/// All of the devices hear a message of this text next.
async fn all_hear(devices: &mut [&mut Device], text: &str) {
    for device in devices {
        assert_eq!(device.hear_message().await.2, text);
    }
}

fn online_only(frame: &str) -> String {
    frame.replace(r#","body""#, r#","online_only":true,"body""#)
}

#[tokio::test]
async fn a_muted_user_cannot_send() {
    let clock = TestClock::new();
    let mut app = Setup::asked().clock(&clock).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let mute = async |app: &TestApp, time: &str| {
        assert_eq!(app.rest(MUTE, &format!(r#"{{"Set_Account":"ana",{time}}}"#)).await, OK);
    };
    mute(&app, r#""C2CmsgNospeakingTime":60"#).await;
    assert_eq!(ana.ask(frame("bo", 1, "one")).await, refused(MUTED));
    // The backend is not asked about what is refused anyway, and hears of it.
    assert_eq!(event(&mut app).await, told(1, 1, MUTED, -1, "one"));
    // Whoever is muted is written to all the same, and the backend writes in their name.
    assert_eq!(bo.ask(frame("ana", 2, "two")).await, sent(1, 2));
    asked_and_told(&mut app).await;
    all_hear(&mut [&mut ana, &mut bo], "two").await;
    app.send_ok(["ana", "bo"], 3, "three").await;
    assert_eq!(asked_and_told(&mut app).await, told(2, 3, SUCCEEDED, 1, "three"));
    all_hear(&mut [&mut ana, &mut bo], "three").await;
    clock.advance_secs(59);
    assert_eq!(ana.ask(online_only(&frame("bo", 4, "four"))).await, refused(MUTED));
    let of_four = told(4, 4, MUTED, -1, "four").replace(r#"OnlyFlag":0"#, r#"OnlyFlag":1"#);
    assert_eq!(event(&mut app).await, of_four);
    // It ends by itself.
    clock.advance_secs(1);
    assert_eq!(ana.ask(frame("bo", 5, "five")).await, sent(3, 5));
    assert_eq!(asked_and_told(&mut app).await, told(3, 5, SUCCEEDED, 2, "five"));
    all_hear(&mut [&mut ana, &mut bo], "five").await;
    // This one only when somebody ends it.
    mute(&app, r#""C2CmsgNospeakingTime":4294967295"#).await;
    clock.advance_secs(3_000);
    assert_eq!(ana.ask(frame("bo", 6, "six")).await, refused(MUTED));
    assert_eq!(event(&mut app).await, told(6, 6, MUTED, -1, "six"));
    // A mute for groups is nothing to messages between two people.
    mute(&app, r#""C2CmsgNospeakingTime":0,"GroupmsgNospeakingTime":4294967295"#).await;
    assert_eq!(ana.ask(frame("bo", 7, "seven")).await, sent(4, 7));
    assert_eq!(asked_and_told(&mut app).await, told(4, 7, SUCCEEDED, 3, "seven"));
    all_hear(&mut [&mut ana, &mut bo], "seven").await;
    assert_eq!(app.texts("bo", "ana").await, ["two", "three", "five", "seven"]);
    drop((ana, bo));
    app.stop().await;
}

/// Whether the backend would be asked makes no difference to what it is told.
#[tokio::test]
async fn a_refusal_in_the_commit_is_told_alike() {
    let mut app = Setup::told().start().await;
    let mut ana = app.device("ana").await;
    assert_eq!(app.rest(MUTE, r#"{"Set_Account":"ana","C2CmsgNospeakingTime":60}"#).await, OK);
    assert_eq!(ana.ask(frame("bo", 1, "one")).await, refused(MUTED));
    assert_eq!(event(&mut app).await, told(1, 1, MUTED, -1, "one"));
    let numbered = frame("bo", 2, "two").replace(r#","body""#, r#","seq":7,"body""#);
    assert_eq!(ana.ask(numbered).await, refused(MUTED));
    assert_eq!(event(&mut app).await, told(7, 2, MUTED, -1, "two"));
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn a_blocked_sender_is_shown_success() {
    let mut app = Setup::asked().start().await;
    block(&app, "bo", "ana").await;
    let (mut ana, mut elsewhere) = (app.device("ana").await, app.device("ana").await);
    let mut bo = app.device("bo").await;
    assert_eq!(ana.ask(frame("bo", 1, "one")).await, sent(1, 1));
    assert_eq!(asked_and_told(&mut app).await, told(1, 1, BLOCKED, -1, "one"));
    // The sender sees it on every device, and the recipient nowhere.
    all_hear(&mut [&mut ana, &mut elsewhere], "one").await;
    assert_eq!(app.texts("ana", "bo").await, ["one"]);
    assert_eq!(app.texts("bo", "ana").await, Vec::<String>::new());
    let list = app.rest("recentcontact/get_list", r#"{"From_Account":"bo"}"#).await;
    assert!(list.contains(r#""SessionItem":[]"#), "{list}");
    // Sent again, it is the same send.
    assert_eq!(ana.ask(frame("bo", 1, "one")).await, sent(1, 1));
    // Nor does it reach whoever is online now. There is no place for it, so it borrows the next.
    assert_eq!(ana.ask(online_only(&frame("bo", 2, "two"))).await, sent(2, 2));
    let of_two = told(2, 2, BLOCKED, -1, "two").replace(r#"OnlyFlag":0"#, r#"OnlyFlag":1"#);
    assert_eq!(asked_and_told(&mut app).await, of_two);
    // Whoever blocks may still write, and so may the backend.
    assert_eq!(bo.ask(frame("ana", 3, "three")).await, sent(2, 3));
    asked_and_told(&mut app).await;
    all_hear(&mut [&mut ana, &mut elsewhere, &mut bo], "three").await;
    app.send_ok(["ana", "bo"], 4, "four").await;
    assert_eq!(asked_and_told(&mut app).await, told(3, 4, SUCCEEDED, 1, "four"));
    all_hear(&mut [&mut ana, &mut elsewhere, &mut bo], "four").await;
    ok(&app, UNBLOCK, r#"{"From_Account":"bo","To_Account":["ana"]}"#).await;
    assert_eq!(bo.hear_json().await["news"], "unblocked");
    assert_eq!(ana.ask(frame("bo", 5, "five")).await, sent(4, 5));
    assert_eq!(asked_and_told(&mut app).await, told(4, 5, SUCCEEDED, 2, "five"));
    all_hear(&mut [&mut ana, &mut elsewhere, &mut bo], "five").await;
    assert_eq!(app.texts("bo", "ana").await, ["three", "four", "five"]);
    drop((ana, elsewhere, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_blocked_sender_hears_of_it_if_the_app_wants_that() {
    let mut app = Setup::asked().rules("tells_blocked = true").start().await;
    block(&app, "bo", "ana").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    assert_eq!(ana.ask(frame("bo", 1, "one")).await, refused(BLOCKED));
    assert_eq!(event(&mut app).await, told(1, 1, BLOCKED, -1, "one"));
    assert_eq!(ana.ask(online_only(&frame("bo", 2, "two"))).await, refused(BLOCKED));
    let of_two = told(2, 2, BLOCKED, -1, "two").replace(r#"OnlyFlag":0"#, r#"OnlyFlag":1"#);
    assert_eq!(event(&mut app).await, of_two);
    assert_eq!(bo.ask(frame("ana", 3, "three")).await, sent(1, 3));
    asked_and_told(&mut app).await;
    all_hear(&mut [&mut ana, &mut bo], "three").await;
    app.send_ok(["ana", "bo"], 4, "four").await;
    assert_eq!(asked_and_told(&mut app).await, told(2, 4, SUCCEEDED, 1, "four"));
    all_hear(&mut [&mut ana, &mut bo], "four").await;
    assert_eq!(app.texts("ana", "bo").await, ["three", "four"]);
    drop((ana, bo));
    app.stop().await;
}

/// Who has whom on the friend list, and what a message from ana to bo comes to.
#[tokio::test]
async fn only_friends_may_write_if_the_app_wants_that() {
    let strangers = (20009, "sender and recipient are not friends");
    let not_bos = (20010, "the recipient does not have the sender as a friend");
    let not_anas = (20011, "the sender does not have the recipient as a friend");
    for (lists, refusal) in [
        (&[][..], Some(strangers)),
        (&[["ana", "bo"]], Some(not_bos)),
        (&[["bo", "ana"]], Some(not_anas)),
        (&[["ana", "bo"], ["bo", "ana"]], None),
        (&[["ana", "cy"], ["cy", "ana"]], Some(strangers)),
    ] {
        let mut app = Setup::told().rules("friends_only = true").start().await;
        for [from, peer] in lists {
            befriend(&app, from, peer).await;
        }
        let mut ana = app.device("ana").await;
        let expected = refusal.map_or_else(|| sent(1, 1), refused);
        assert_eq!(ana.ask(frame("bo", 1, "one")).await, expected, "{lists:?}");
        let of_one = match refusal {
            Some(refusal) => told(1, 1, refusal, -1, "one"),
            None => told(1, 1, SUCCEEDED, 1, "one"),
        };
        assert_eq!(event(&mut app).await, of_one);
        // The backend writes to anybody in anybody's name.
        app.send_ok(["ana", "bo"], 2, "two").await;
        event(&mut app).await;
        let expected: &[&str] = if refusal.is_some() { &["two"] } else { &["one", "two"] };
        assert_eq!(app.texts("bo", "ana").await, expected);
        assert_eq!(app.texts("ana", "bo").await, expected);
        drop(ana);
        app.stop().await;
    }
}

/// A user who wants no messages gets those that the backend sends without asking about that.
#[tokio::test]
async fn a_user_who_wants_no_messages() {
    let mut app = Setup::told().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    receive(&app, "bo", false).await;
    assert_eq!(bo.hear_json().await["push"], "profile");
    // The sender sees nothing of it, and it is no failure.
    assert_eq!(ana.ask(frame("bo", 1, "one")).await, sent(1, 1));
    assert_eq!(event(&mut app).await, told(1, 1, SUCCEEDED, 0, "one"));
    all_hear(&mut [&mut ana], "one").await;
    assert_eq!(ana.ask(online_only(&frame("bo", 2, "two"))).await, sent(2, 2));
    event(&mut app).await;
    app.send_ok(["ana", "bo"], 3, "three").await;
    assert_eq!(event(&mut app).await, told(2, 3, SUCCEEDED, 1, "three"));
    all_hear(&mut [&mut ana, &mut bo], "three").await;
    let respectful = r#","SendMsgControl":["WithMuteNotifications"]"#;
    let send = async |app: &TestApp, random: u32, text: &str| {
        let answer = app.send(["ana", "bo"], random, text, respectful).await;
        assert!(answer.starts_with(OK.trim_end_matches('}')), "{answer}");
    };
    send(&app, 4, "four").await;
    assert_eq!(event(&mut app).await, told(3, 4, SUCCEEDED, 1, "four"));
    all_hear(&mut [&mut ana], "four").await;
    assert_eq!(app.texts("ana", "bo").await, ["one", "three", "four"]);
    assert_eq!(app.texts("bo", "ana").await, ["three"]);
    // Bo may write, as ever.
    assert_eq!(bo.ask(frame("ana", 5, "five")).await, sent(4, 5));
    event(&mut app).await;
    all_hear(&mut [&mut ana, &mut bo], "five").await;
    receive(&app, "bo", true).await;
    assert_eq!(bo.hear_json().await["push"], "profile");
    send(&app, 6, "six").await;
    assert_eq!(event(&mut app).await, told(5, 6, SUCCEEDED, 2, "six"));
    assert_eq!(ana.hear_message().await.2, "six");
    assert_eq!(ana.ask(frame("bo", 7, "seven")).await, sent(6, 7));
    event(&mut app).await;
    for text in ["six", "seven"] {
        all_hear(&mut [&mut bo], text).await;
    }
    drop((ana, bo));
    app.stop().await;
}
