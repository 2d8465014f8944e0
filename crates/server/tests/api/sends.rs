//! `GET /v1/apps/{sdkappid}/sends`: what became of a send whose answer was lost.

use crate::app::{Setup, TestApp, TestClock, text_body};
use crate::receiver::Reply;
use crate::v1_call::{get, read_text, refused};

const WEEK_SECS: u64 = 7 * 24 * 60 * 60;

fn asking([from, to]: [&str; 2], random: u32, more: &str) -> String {
    format!("/sends?from={from}&to={to}&random={random}{more}")
}

fn stored(seq: u32, random: u32) -> String {
    format!(r#"{{"state":"stored","MsgTime":T,"MsgKey":"{seq}_{random}_T","MsgId":"N-T-{random}"}}"#)
}

fn refusal(code: u32, info: &str, event: u32) -> String {
    format!(
        r#"{{"state":"refused","ErrorCode":{code},"ErrorInfo":"{info}","event":"evt_1400000001_0_E_{event}"}}"#
    )
}

fn unseen(looked_back_to: u64) -> String {
    format!(r#"{{"state":"unseen","looked_back_to":{looked_back_to}}}"#)
}

/// Nothing is found when everything is looked at.
async fn is_unseen(app: &TestApp, between: [&str; 2], random: u32, more: &str) {
    let asked = asking(between, random, &format!("{more}&since=0"));
    assert_eq!(read_text(app, &asked).await, unseen(0), "{asked}");
}

#[tokio::test]
async fn what_was_stored() {
    let app = Setup::default().start().await;
    let sent = app.send(["ana", "bo"], 4021, "hi", "").await;
    let found = read_text(&app, &asking(["ana", "bo"], 4021, "")).await;
    assert_eq!(found, stored(1, 4021));
    // To the letter what the send was answered.
    let members = |answer: &str| answer[answer.find(r#""MsgTime""#).unwrap()..].to_owned();
    assert_eq!(members(&found), members(&sent));
    // The other way round, another number, another conversation.
    is_unseen(&app, ["bo", "ana"], 4021, "").await;
    is_unseen(&app, ["ana", "bo"], 4022, "").await;
    is_unseen(&app, ["ana", "cy"], 4021, "").await;
    is_unseen(&app, ["ana", "nobody"], 4021, "").await;
    // The sender's own number tells sends apart that share the other.
    app.send(["ana", "bo"], 9, "first", r#","MsgSeq":7"#).await;
    app.send(["ana", "bo"], 9, "second", r#","MsgSeq":8"#).await;
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 9, "&seq=7")).await, stored(7, 9));
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 9, "&seq=8")).await, stored(8, 9));
    is_unseen(&app, ["ana", "bo"], 9, "&seq=6").await;
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 9, "")).await, stored(8, 9), "the newest");
    // A sender who keeps no copy asks all the same, and so does one who writes to themself.
    app.send(["ana", "bo"], 10, "no copy", r#","SyncOtherMachine":2"#).await;
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 10, "")).await, stored(4, 10));
    app.send_ok(["ana", "ana"], 11, "a note").await;
    assert_eq!(read_text(&app, &asking(["ana", "ana"], 11, "")).await, stored(1, 11));
    app.stop().await;
}

#[tokio::test]
async fn what_was_refused() {
    let app = Setup::default().filter("block", "packet").start().await;
    let blocked = refusal(80001, "the message contains words that the app does not allow", 1);
    app.send(["ana", "bo"], 1, "red packet", "").await;
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 1, "")).await, blocked);
    is_unseen(&app, ["ana", "bo"], 2, "").await;
    let mute = r#"{"Set_Account":"ana","C2CmsgNospeakingTime":60}"#;
    app.rest("openconfigsvr/setnospeaking", mute).await;
    let mut ana = app.device("ana").await;
    let send = |random: u32, seq: u32| {
        format!(
            r#"{{"id":2,"op":"send","to":"bo","random":{random},"seq":{seq},"body":{}}}"#,
            text_body("may I?")
        )
    };
    assert!(ana.ask(send(3, 5)).await.contains(r#""code":20012"#));
    let muted = refusal(20012, "the sender is muted", 2);
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 3, "")).await, muted);
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 3, "&seq=5")).await, muted);
    is_unseen(&app, ["ana", "bo"], 3, "&seq=6").await;
    // Tried again, it was stored after all.
    app.rest("openconfigsvr/setnospeaking", r#"{"Set_Account":"ana","C2CmsgNospeakingTime":0}"#).await;
    assert!(ana.ask(send(3, 5)).await.starts_with(r#"{"id":2,"ok":{"#));
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 3, "")).await, stored(5, 3));
    drop(ana);
    app.stop().await;
}

/// What leaves nothing behind.
#[tokio::test]
async fn what_cannot_be_seen() {
    let mut app = Setup::asked()
        .answering(|callback| match callback.text().as_str() {
            "veto" if callback.is_question() => Reply::new(200, r#"{"ErrorCode":1}"#),
            "drop" if callback.is_question() => Reply::new(200, r#"{"ErrorCode":2}"#),
            _ => Reply::ok(),
        })
        .start()
        .await;
    app.send(["ana", "bo"], 1, "veto", "").await;
    app.receiver.next().await;
    is_unseen(&app, ["ana", "bo"], 1, "").await;
    app.send(["ana", "bo"], 2, "drop", "").await;
    app.receiver.next().await;
    is_unseen(&app, ["ana", "bo"], 2, "").await;
    app.send_ok(["ana", "bo"], 3, "pass").await;
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 3, "")).await, stored(1, 3));
    app.send(["ana", "bo"], 4, "now or never", r#","OnlineOnlyFlag":1"#).await;
    is_unseen(&app, ["ana", "bo"], 4, "").await;
    for _ in 0..4 {
        app.receiver.next().await;
    }
    app.stop().await;
}

#[tokio::test]
async fn how_far_back() {
    let clock = TestClock::new();
    let setup = Setup::default().settings("[limits]\nsends_looked_at_max = 3\n");
    let app = setup.clock(&clock).start().await;
    let begin_s = clock.now_s();
    let ask = async |more: &str| read_text(&app, &asking(["ana", "bo"], 1, more)).await;
    app.send_ok(["ana", "bo"], 1, "first").await;
    let since = |at_s: u64| format!("&since={at_s}");
    assert_eq!(ask(&since(begin_s)).await, stored(1, 1));
    assert_eq!(ask(&since(begin_s + 1)).await, r#"{"state":"unseen","looked_back_to":T}"#);
    // A week, if the caller does not say.
    clock.advance_secs(WEEK_SECS);
    assert_eq!(ask("").await, stored(1, 1));
    clock.advance_secs(1);
    assert_eq!(ask("").await, r#"{"state":"unseen","looked_back_to":T}"#);
    assert_eq!(ask("&since=0").await, stored(1, 1));
    // So many messages are looked at, and no more; the answer says how far back that was.
    for (random, from, to) in [(2, "ana", "bo"), (3, "bo", "ana"), (4, "ana", "bo")] {
        clock.advance_secs(1);
        app.send_ok([from, to], random, "more").await;
    }
    let last_s = clock.now_s();
    let exactly = async || get(&app, &asking(["ana", "bo"], 1, "&since=0")).await.body;
    assert_eq!(exactly().await, unseen(begin_s + 1));
    assert_eq!(read_text(&app, &asking(["ana", "bo"], 2, "")).await.find(r#""stored""#), Some(9));
    // Of a second that was not looked at to its end, nothing is said.
    for (random, looked_back_to) in [(5, last_s - 1), (6, last_s), (7, last_s + 1)] {
        app.send_ok(["ana", "bo"], random, "more").await;
        assert_eq!(exactly().await, unseen(looked_back_to));
    }
    app.stop().await;
}

#[tokio::test]
async fn questions_that_make_no_sense() {
    let app = Setup::default().start().await;
    let a_user = "must be a UserID: 1 to 32 bytes";
    let a_u32 = "must be a number from 0 to 4294967295";
    for (query, text) in [
        ("", "from is missing".to_owned()),
        ("?from=ana&random=1", "to is missing".into()),
        ("?to=bo&random=1", "from is missing".into()),
        ("?from=ana&to=bo", "random is missing".into()),
        ("?from=&to=bo&random=1", format!("from {a_user}")),
        ("?from=ana&to=123456789012345678901234567890123&random=1", format!("to {a_user}")),
        ("?from=ana&to=bo&random=4294967296", format!("random {a_u32}")),
        ("?from=ana&to=bo&random=-1", format!("random {a_u32}")),
        ("?from=ana&to=bo&random=", format!("random {a_u32}")),
        ("?from=ana&to=bo&random=1&random=1", "random is there twice".into()),
        ("?from=ana&to=bo&random=1&seq=x", format!("seq {a_u32}")),
        (
            "?from=ana&to=bo&random=1&since=9007199254740992",
            "since must be a number from 0 to 9007199254740991".into(),
        ),
        ("?from=ana&to=bo&random=1&since_ms=1", r#"there is no parameter "since_ms" here"#.into()),
    ] {
        let answer = get(&app, &format!("/sends{query}")).await;
        assert_eq!(refused(&answer), (400, 11_104, text), "{query}");
    }
    app.stop().await;
}
