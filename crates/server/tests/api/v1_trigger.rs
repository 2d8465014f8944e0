//! Samples, to try a backend with.

use crate::app::Setup;
use crate::literal::literal;
use crate::receiver::Reply;
use crate::v1_call::{act, ids, post, read, refused};

const FACTS: [&str; 12] = [
    "C2C.CallbackAfterSendMsg",
    "C2C.CallbackAfterMsgReport",
    "C2C.CallbackAfterMsgWithDraw",
    "C2C.CallbackAfterModifyMsg",
    "C2C.CallbackAfterC2CMsgExtension",
    "Bot.OnC2CMessage",
    "State.StateChange",
    "Profile.CallbackPortraitSet",
    "Sns.CallbackFriendAdd",
    "Sns.CallbackFriendDelete",
    "Sns.CallbackBlackListAdd",
    "Sns.CallbackBlackListDelete",
];

#[tokio::test]
async fn every_kind_of_event_is_told() {
    let mut app = Setup::telling(&FACTS).start().await;
    for event in FACTS {
        let recorded = act(&app, "/trigger", &format!(r#"{{"event":"{event}"}}"#)).await;
        let told = app.receiver.next().await;
        assert_eq!(told.parameter("CallbackCommand"), event);
        assert_eq!(told.json()["CallbackCommand"], event);
        assert_eq!(recorded["id"], told.header("webhook-id"));
        assert_eq!(told.parameter("OptPlatform"), "RESTAPI");
    }
    assert_eq!(ids(&app).await.len(), FACTS.len());
    // Nothing is stored but the events.
    assert!(
        app.rest("im_open_login_svc/account_check", r#"{"CheckItem":[{"UserID":"sample_ana"}]}"#)
            .await
            .contains("NotImported")
    );
    app.stop().await;
}

#[tokio::test]
async fn a_sample_to_the_letter() {
    let mut app = Setup::telling(&FACTS).start().await;
    let body = r#"{"event":"C2C.CallbackAfterSendMsg","from":"dee","to":"ed","text":"a \"b\""}"#;
    act(&app, "/trigger", body).await;
    let told = app.receiver.next().await;
    let random = told.json()["MsgRandom"].to_string();
    let expected = r#"{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"dee","To_Account":"ed","MsgSeq":R,"MsgRandom":R,"MsgTime":T,"MsgKey":"R_R_T","OnlineOnlyFlag":0,"SendMsgResult":0,"ErrorInfo":"send msg succeed","UnreadMsgNum":1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a \"b\""}}],"CloudCustomData":"","MsgId":"N-T-R","EventTime":MS}"#;
    assert_eq!(literal(&told.body.replace(&random, "R")), expected);
    app.stop().await;
}

#[tokio::test]
async fn a_question_is_asked_in_earnest() {
    let setup = Setup::asked().answering(|callback| match callback.text().as_str() {
        "no" => Reply::new(200, r#"{"ActionStatus":"OK","ErrorCode":120001,"ErrorInfo":"not today"}"#),
        "what?" => Reply::new(500, "oh"),
        _ => Reply::ok(),
    });
    let mut app = setup.start().await;
    for (text, outcome, words) in
        [("yes", "pass", ""), ("no", "veto", "120001 not today"), ("what?", "failed", "answered 500")]
    {
        let body = format!(r#"{{"event":"C2C.CallbackBeforeSendMsg","text":"{text}"}}"#);
        let answer = act(&app, "/trigger", &body).await;
        assert_eq!((&answer["outcome"], &answer["words"]), (&outcome.into(), &words.into()));
        let asked = app.receiver.next().await;
        assert!(asked.is_question());
        assert_eq!(asked.text(), text);
    }
    let questions = read(&app, "/questions").await;
    let outcomes: Vec<_> =
        questions["questions"].as_array().unwrap().iter().map(|asked| &asked["outcome"]).collect();
    assert_eq!(outcomes.len(), 3);
    assert!(ids(&app).await.is_empty());
    app.stop().await;
}

#[tokio::test]
async fn where_nobody_is_asked_the_answer_says_so() {
    let app = Setup::told().start().await;
    let answer = act(&app, "/trigger", r#"{"event":"C2C.CallbackBeforeSendMsg"}"#).await;
    assert_eq!(answer["outcome"], "not_asked");
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_triggered() {
    let app = Setup::default().start().await;
    let all = "event must be one of C2C.CallbackBeforeSendMsg, C2C.CallbackAfterSendMsg, C2C.CallbackAfterMsgReport, C2C.CallbackAfterMsgWithDraw, C2C.CallbackAfterModifyMsg, C2C.CallbackAfterC2CMsgExtension, Bot.OnC2CMessage, State.StateChange, Profile.CallbackPortraitSet, Sns.CallbackFriendAdd, Sns.CallbackFriendDelete, Sns.CallbackBlackListAdd, Sns.CallbackBlackListDelete, Couplet.CallbackMsgOffline";
    for event in ["Push.OfflinePush", "C2C.CallbackAfterMsgReadReceipt", "Sns.CallbackPrevFriendAdd", "x", ""]
    {
        let answer = post(&app, "/trigger", &format!(r#"{{"event":"{event}"}}"#)).await;
        assert_eq!(refused(&answer), (400, 11_104, all.to_owned()), "{event}");
    }
    let long = "x".repeat(1_001);
    for (body, code) in [
        ("", 11_104),
        ("[]", 11_104),
        ("{}", 11_104),
        (r#"{"event":"State.StateChange","who":"ana"}"#, 11_104),
        (r#"{"event":"State.StateChange","from":""}"#, 11_104),
        (r#"{"event":"Bot.OnC2CMessage","to":"ana"}"#, 11_104),
        (r#"{"event":"C2C.CallbackAfterSendMsg","to":"@RBT#x"}"#, 11_104),
        (&format!(r#"{{"event":"State.StateChange","text":"{long}"}}"#), 11_104),
    ] {
        let (status, found, text) = refused(&post(&app, "/trigger", body).await);
        assert_eq!((status, found), (400, code), "{text}");
    }
    let huge = format!(r#"{{"event":"{}"}}"#, "x".repeat(20_000));
    let (status, code, _) = refused(&post(&app, "/trigger", &huge).await);
    assert_eq!((status, code), (413, 93_000));
    app.stop().await;
}
