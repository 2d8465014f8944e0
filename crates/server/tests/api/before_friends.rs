//! The questions before a device adds a friend or answers who asked, and how their answers are obeyed.

use crate::app::{Setup, TestApp};
use crate::client_friends::set_profile;
use crate::client_people::{error, relation_push, walk};
use crate::device::Device;
use crate::friends::{befriend, sns};
use crate::literal::literal;
use crate::receiver::{Callback, Reply};
use crate::v1_call::read;
use serde_json::json;

const QUESTIONS: [&str; 2] = ["Sns.CallbackPrevFriendAdd", "Sns.CallbackPrevFriendResponse"];
const DONE: &str = r#""ok":{"pending":false}"#;
const PENDING: &str = r#""ok":{"pending":true}"#;

fn add(peer: &str) -> String {
    format!(r#""op":"befriend","peer":"{peer}","source":"AddSource_Type_Web""#)
}

fn asking() -> Setup {
    Setup::telling(&QUESTIONS)
}

/// An answer with this verdict on bo.
fn verdict(code: &str, info: &str) -> Reply {
    let items = format!(r#"[{{"To_Account":"bo","ResultCode":{code},"ResultInfo":"{info}"}}]"#);
    Reply::new(200, format!(r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":{items}}}"#))
}

/// The next question, in its normal form.
async fn question(app: &mut TestApp) -> String {
    let question = app.receiver.next().await;
    assert!(question.is_question(), "{question:?}");
    literal(&question.body)
}

/// Does something that is asked about, which any question that came before would stand in front of.
async fn nothing_else_was_asked(app: &mut TestApp, device: &mut Device, offset: u64) {
    walk(device, &[(&add("cy"), DONE, &[relation_push(offset, "cy", "befriended")])]).await;
    let body = question(app).await;
    assert!(body.contains(r#""FriendItem":[{"To_Account":"cy","#), "{body}");
}

#[tokio::test]
async fn the_questions_to_the_letter() {
    let mut app = asking().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let full = r#""op":"befriend","peer":"bo","source":"AddSource_Type_Web","wording":"it's me","remark":"Bo","group":"work","mutual":false"#;
    walk(&mut ana, &[(full, DONE, &[relation_push(1, "bo", "befriended")])]).await;
    let asked = app.receiver.next().await;
    assert_eq!(
        asked.target,
        "POST /callback?SdkAppid=1400000001&CallbackCommand=Sns.CallbackPrevFriendAdd&contenttype=json&ClientIP=127.0.0.1&OptPlatform=Web"
    );
    assert!(asked.header("webhook-id").starts_with("ask_"));
    assert_eq!(
        literal(&asked.body),
        r#"{"CallbackCommand":"Sns.CallbackPrevFriendAdd","Requester_Account":"ana","From_Account":"ana","FriendItem":[{"To_Account":"bo","Remark":"Bo","GroupName":"work","AddSource":"AddSource_Type_Web","AddWording":"it's me"}],"AddType":"Add_Type_Single","ForceAddFlags":0,"EventTime":MS}"#
    );
    set_profile(&app, "bo", "AllowType", "AllowType_Type_NeedConfirm").await;
    assert!(bo.hear().await.starts_with(r#"{"push":"profile""#));
    let mut cy = app.device("cy").await;
    for (offset, step, action) in [
        (2, r#""op":"accept","peer":"cy","remark":"Cy","mutual":false"#, "Agree"),
        (4, r#""op":"accept","peer":"cy","remark":"Cy""#, "AgreeAndAdd"),
        (7, r#""op":"refuse","peer":"cy""#, "Reject"),
    ] {
        walk(&mut cy, &[(&add("bo"), PENDING, &[])]).await;
        assert_eq!(
            question(&mut app).await,
            r#"{"CallbackCommand":"Sns.CallbackPrevFriendAdd","Requester_Account":"cy","From_Account":"cy","FriendItem":[{"To_Account":"bo","Remark":"","GroupName":"","AddSource":"AddSource_Type_Web","AddWording":""}],"AddType":"Add_Type_Both","ForceAddFlags":0,"EventTime":MS}"#
        );
        assert_eq!(bo.hear().await, relation_push(offset, "cy", "asked"));
        let news = if action == "AgreeAndAdd" { "befriended" } else { "unasked" };
        walk(&mut bo, &[(step, r#""ok":{}"#, &[relation_push(offset + 1, "cy", news)])]).await;
        let remark = if action == "Reject" { "" } else { "Cy" };
        assert_eq!(
            question(&mut app).await,
            format!(
                r#"{{"CallbackCommand":"Sns.CallbackPrevFriendResponse","Requester_Account":"bo","From_Account":"bo","ResponseFriendItem":[{{"To_Account":"cy","Remark":"{remark}","TagName":"","ResponseAction":"Response_Action_{action}"}}],"EventTime":MS}}"#
            )
        );
        if action != "Reject" {
            assert!(cy.hear().await.ends_with(r#""peer":"bo","news":"befriended"}"#));
        }
        // Strangers again.
        if action != "Reject" {
            let part = r#"{"From_Account":"cy","To_Account":["bo"],"DeleteType":"Delete_Type_Both"}"#;
            assert!(sns(&app, "friend_delete", part).await.contains(r#""ResultCode":0"#));
            assert!(cy.hear().await.ends_with(r#""peer":"bo","news":"unfriended"}"#));
        }
        if action == "AgreeAndAdd" {
            assert_eq!(bo.hear().await, relation_push(6, "cy", "unfriended"));
        }
    }
    drop((ana, bo, cy));
    app.stop().await;
}

/// Answers the n-th question with the n-th reply, and takes everything else.
fn in_turn(replies: Vec<Reply>) -> impl Fn(&Callback) -> Reply + Send + Sync + 'static {
    let replies = std::sync::Mutex::new(replies.into_iter());
    move |callback| match callback.is_question() {
        true => replies.lock().unwrap().next().unwrap_or_else(Reply::ok),
        false => Reply::ok(),
    }
}

#[tokio::test]
async fn verdicts_are_obeyed() {
    let refused = || error(20006, "the app's backend refused it");
    let rows = [
        (verdict("38000", r#"not \"now\""#), error(38_000, r#"not \"now\""#)),
        (verdict(r#""39000""#, ""), error(39_000, "")),
        // Other codes may mean something else already.
        (verdict("39001", "no"), refused()),
        (verdict("30001", "no"), refused()),
        (verdict("-1", "no"), refused()),
        // How the backend fares does not matter.
        (
            Reply::new(
                200,
                r#"{"ActionStatus":"FAIL","ErrorCode":1,"ResultItem":[{"To_Account":"bo","ResultCode":38001}]}"#,
            ),
            error(38_001, ""),
        ),
        (verdict("0", "").with(&[("content-type", "text/plain")]), DONE.to_owned()),
    ];
    let (replies, answers): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let count = answers.len();
    let mut app = asking().answering(in_turn(replies)).start().await;
    let mut ana = app.device("ana").await;
    for (number, answer) in answers.into_iter().enumerate() {
        let pushes = [relation_push(1, "bo", "befriended")];
        let pushes = if number + 1 == count { &pushes[..] } else { &[] };
        walk(&mut ana, &[(&add("bo"), &answer, pushes)]).await;
        question(&mut app).await;
    }
    // What was refused came to nothing, and stays to be seen.
    let asked = read(&app, "/questions?outcome=veto").await;
    assert_eq!(asked["questions"].as_array().unwrap().len(), count - 1);
    let last = &asked["questions"][0];
    assert_eq!(
        json!([last["event"], last["key"], last["from"], last["to"], last["operator"], last["words"]]),
        json!(["Sns.CallbackPrevFriendAdd", null, "ana", "bo", null, "38001 "])
    );
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn whoever_asked_can_be_kept_waiting() {
    let no = r#"{"ResultItem":[{"To_Account":"ana","ResultCode":38002,"ResultInfo":"not yet"}]}"#;
    let replies = vec![Reply::ok(), Reply::new(200, no), Reply::new(200, no)];
    let mut app = asking().answering(in_turn(replies)).start().await;
    set_profile(&app, "bo", "AllowType", "AllowType_Type_NeedConfirm").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    walk(&mut ana, &[(&add("bo"), PENDING, &[])]).await;
    assert!(bo.hear().await.ends_with(r#""peer":"ana","news":"asked"}"#));
    let not_yet = error(38_002, "not yet");
    walk(
        &mut bo,
        &[
            (r#""op":"accept","peer":"ana""#, &not_yet, &[]),
            (r#""op":"refuse","peer":"ana""#, &not_yet, &[]),
            (r#""op":"refuse","peer":"ana""#, r#""ok":{}"#, &[relation_push(3, "ana", "unasked")]),
        ],
    )
    .await;
    for _ in 0..4 {
        question(&mut app).await;
    }
    drop((ana, bo));
    app.stop().await;
}

/// Answers that say nothing that could be obeyed.
fn unusable() -> Vec<Reply> {
    vec![
        Reply::new(200, "success"),
        Reply::new(200, "[]"),
        Reply::new(200, r#"{"ErrorCode":0,"ResultItem":{}}"#),
        verdict(r#""no""#, ""),
        Reply::new(500, r#"{"ResultItem":[{"To_Account":"bo","ResultCode":0}]}"#),
        Reply::reset(),
    ]
}

/// Answers that say nothing of bo, which is no objection.
fn silent() -> Vec<Reply> {
    vec![
        Reply::ok(),
        Reply::new(200, "{}"),
        Reply::new(200, r#"{"ActionStatus":"FAIL","ErrorCode":1}"#),
        Reply::new(200, r#"{"ResultItem":[{"To_Account":"cy","ResultCode":38000}]}"#),
    ]
}

/// Lets ana add bo once for each reply, and looks at what she is answered.
async fn add_again_and_again(policy: &str, replies: Vec<Reply>, answer: &str) {
    let count = replies.len();
    let settings = format!("question_failures_max = 100\nbefore_failure = \"{policy}\"");
    let mut app = asking().callback(&settings).answering(in_turn(replies)).start().await;
    let mut ana = app.device("ana").await;
    for number in 0..count {
        ana.say(format!(r#"{{"id":2,{},"mutual":false}}"#, add("bo"))).await;
        let mut heard = ana.hear().await;
        while heard.starts_with(r#"{"push""#) {
            heard = ana.hear().await;
        }
        assert_eq!(heard, format!(r#"{{"id":2,{answer}}}"#), "row {number}");
        question(&mut app).await;
        let part = r#"{"From_Account":"ana","To_Account":["bo"],"DeleteType":"Delete_Type_Single"}"#;
        let parted = sns(&app, "friend_delete", part).await;
        assert_eq!(parted.contains(r#""ResultCode":0"#), answer == DONE, "row {number}");
    }
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn without_a_usable_answer_the_policy_decides() {
    let unavailable = r#""error":{"code":80003,"text":"the app's backend did not answer and the app wants it refused then","temporary":true}"#;
    add_again_and_again("pass", unusable(), DONE).await;
    add_again_and_again("reject", unusable(), unavailable).await;
    add_again_and_again("reject", silent(), DONE).await;
}

/// A backend that is known not to answer is not asked about friends either, whatever it was asked before.
#[tokio::test]
async fn one_breaker_for_all_questions() {
    let setup = asking().callback(
        "question_failures_max = 1\nquestion_probe_delay_ms = 3600000\nbefore_failure = \"reject\"",
    );
    let mut app = setup.answering(in_turn(vec![Reply::new(500, "")])).start().await;
    let mut ana = app.device("ana").await;
    for _ in 0..2 {
        let answer = ana.ask(format!(r#"{{"id":2,{}}}"#, add("bo"))).await;
        assert!(answer.contains(r#""code":80003"#), "{answer}");
    }
    question(&mut app).await;
    let asked = read(&app, "/questions").await;
    let outcomes: Vec<_> = asked["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asked| asked["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.contains(&"failed") && outcomes.contains(&"skipped"), "{outcomes:?}");
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn what_would_change_nothing_is_not_asked_about() {
    let mut app = asking().start().await;
    let mut ana = app.device("ana").await;
    befriend(&app, "ana", "bo").await;
    assert_eq!(ana.hear().await, relation_push(1, "bo", "befriended"));
    walk(
        &mut ana,
        &[
            (&add("bo"), &error(30001, "Err_SNS_FriendAdd_Friend_Exist"), &[]),
            (&add("nobody"), &error(30003, "the account does not exist"), &[]),
            (&add("ana"), &error(30001, "the peer must be another user"), &[]),
            (r#""op":"accept","peer":"cy""#, &error(30614, "there is no such friend request"), &[]),
            (r#""op":"refuse","peer":"cy""#, &error(30614, "there is no such friend request"), &[]),
            (
                r#""op":"unfriend","peers":["bo"]"#,
                r#""ok":{"results":[{"peer":"bo","code":0}]}"#,
                &[relation_push(2, "bo", "unfriended")],
            ),
        ],
    )
    .await;
    nothing_else_was_asked(&mut app, &mut ana, 3).await;
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn what_the_endpoint_does_not_want_is_not_asked_about() {
    // Not asked about answers, and only about what ana wants.
    let setup = Setup::telling(&["Sns.CallbackPrevFriendAdd"]).callback(r#"senders = ["ana"]"#);
    let mut app = setup.start().await;
    set_profile(&app, "ana", "AllowType", "AllowType_Type_NeedConfirm").await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    walk(&mut bo, &[(&add("ana"), PENDING, &[])]).await;
    assert_eq!(ana.hear().await, relation_push(2, "bo", "asked"));
    walk(&mut ana, &[(r#""op":"refuse","peer":"bo""#, r#""ok":{}"#, &[relation_push(3, "bo", "unasked")])])
        .await;
    nothing_else_was_asked(&mut app, &mut ana, 4).await;
    drop((ana, bo));
    app.stop().await;
}

/// A refusal that only others get would tell of the block.
#[tokio::test]
async fn whoever_is_blocked_is_asked_about_like_others() {
    let mut app = asking().answering(in_turn(vec![verdict("38000", "no")])).start().await;
    let mut ana = app.device("ana").await;
    let block = r#"{"From_Account":"bo","To_Account":["ana"]}"#;
    assert!(sns(&app, "black_list_add", block).await.contains(r#""ResultCode":0"#));
    walk(
        &mut ana,
        &[
            (&add("bo"), &error(38_000, "no"), &[]),
            (&add("bo"), DONE, &[relation_push(1, "bo", "befriended")]),
        ],
    )
    .await;
    for _ in 0..2 {
        question(&mut app).await;
    }
    drop(ana);
    app.stop().await;
}
