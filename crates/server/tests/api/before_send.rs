//! The question before a send, and how its answer is obeyed.

use crate::app::{Setup, TestApp, text_body};
use crate::client_people::ask;
use crate::literal::literal;
use crate::receiver::{Callback, Reply};
use std::sync::Mutex;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const FORBID_BEFORE: &str = r#","ForbidCallbackControl":["ForbidBeforeSendMsgCallback"]"#;

fn sent(seq: usize, random: usize) -> String {
    format!(
        r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgTime":T,"MsgKey":"{seq}_{random}_T","MsgId":"N-T-{random}"}}"#
    )
}

fn refused(code: u32, info: &str) -> String {
    format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"{info}"}}"#)
}

/// Answers the message whose text is a number with that reply, and lets others pass.
fn numbered(replies: Vec<Reply>) -> impl Fn(&Callback) -> Reply + Send + Sync + 'static {
    move |callback| match callback.text().parse::<usize>() {
        Ok(number) if callback.is_question() => replies[number].clone(),
        _ => Reply::ok(),
    }
}

/// The next callback, which must be of this kind.
async fn next(app: &mut TestApp, is_question: bool) -> Callback {
    let callback = app.receiver.next().await;
    assert_eq!(callback.is_question(), is_question, "{callback:?}");
    callback
}

#[tokio::test]
async fn the_question_to_the_letter() {
    let token = "xxxxyyyy";
    let mut app = Setup::asked().callback(&format!("token = {token:?}")).start().await;
    let body = format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgRandom":4021,"CloudCustomData":"c","MsgBody":{}}}"#,
        text_body("lunch?")
    );
    let answer = app.rest("openim/sendmsg", &body).await;
    assert_eq!(answer, sent(1, 4021));
    let question = next(&mut app, true).await;
    let expected = format!(
        r#"{{"CallbackCommand":"C2C.CallbackBeforeSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":4021,"MsgTime":T,"MsgKey":"1_4021_T","OnlineOnlyFlag":0,"MsgBody":{},"CloudCustomData":"c","MsgId":"N-T-4021","EventTime":MS}}"#,
        text_body("lunch?")
    );
    assert_eq!(literal(&question.body), expected);
    let sign = question.parameter("Sign");
    let target = format!(
        "POST /callback?SdkAppid=1400000001&CallbackCommand=C2C.CallbackBeforeSendMsg&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI&Sign={sign}&RequestTime=T"
    );
    assert_eq!(literal(&question.target), target);
    assert_eq!(question.header("content-type"), "application/json");
    // The event speaks of the same message.
    let (event, question) = (next(&mut app, false).await.json(), question.json());
    for member in ["MsgKey", "MsgSeq", "MsgRandom", "MsgTime", "MsgId", "MsgBody", "CloudCustomData"] {
        assert_eq!(question[member], event[member], "{member}");
    }
    app.stop().await;
}

/// A row: what is answered to the question, what the sender is answered, and, where the message goes on, its text
/// and custom data.
type Row = (Reply, fn(usize) -> String, Option<(&'static str, &'static str)>);

fn verdicts() -> Vec<Row> {
    let ok = |body: &'static str| Reply::new(200, body);
    let goes_on: fn(usize) -> String = |number| sent(7, number);
    let vetoed: fn(usize) -> String = |_| refused(20006, "the app's backend refused the message");
    vec![
        (Reply::ok(), goes_on, Some(("", "c"))),
        (ok(r#"{"ErrorCode":"0"}"#).with(&[("content-type", "text/plain")]), goes_on, Some(("", "c"))),
        (ok(r#"{"ActionStatus":"OK"}"#), goes_on, Some(("", "c"))),
        (
            ok(r#"{"ActionStatus":"OK","ErrorCode":0,"MsgBody":null,"CloudCustomData":null}"#),
            goes_on,
            Some(("", "c")),
        ),
        (ok(r#"{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":"no"}"#), vetoed, None),
        (ok(r#"{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"no"}"#), vetoed, None),
        (
            ok(r#"{"ActionStatus":"OK","ErrorCode":120001,"ErrorInfo":"not \"now\""}"#),
            |_| refused(120_001, r#"not \"now\""#),
            None,
        ),
        (ok(r#"{"ActionStatus":"FAIL","ErrorCode":130000}"#), |_| refused(130_000, ""), None),
        (ok(r#"{"ActionStatus":"OK","ErrorCode":2,"ErrorInfo":""}"#), goes_on, None),
        (
            ok(r#"{"ErrorCode":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"checked"}}]}"#),
            goes_on,
            Some(("checked", "c")),
        ),
        (ok(r#"{"ErrorCode":0,"CloudCustomData":"{\"lvl\":3}"}"#), goes_on, Some(("", r#"{"lvl":3}"#))),
        (ok(r#"{"ErrorCode":0,"CloudCustomData":""}"#), goes_on, Some(("", ""))),
        (
            ok(
                r#"{"ErrorCode":0,"CloudCustomData":"d","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"both"}}]}"#,
            ),
            goes_on,
            Some(("both", "d")),
        ),
        // A replaced message passes the filter like any other.
        (
            ok(r#"{"ErrorCode":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"darn it"}}]}"#),
            goes_on,
            Some(("**** it", "c")),
        ),
    ]
}

#[tokio::test]
async fn verdicts_are_obeyed() {
    let rows = verdicts();
    let replies = rows.iter().map(|(reply, ..)| reply.clone()).collect();
    let mut app = Setup::asked().filter("mask", "darn").answering(numbered(replies)).start().await;
    let mut bo = app.device("bo").await;
    let mut kept = Vec::new();
    for (number, (_, answer, goes_on)) in rows.into_iter().enumerate() {
        let text = number.to_string();
        let more = r#","MsgSeq":7,"CloudCustomData":"c""#;
        assert_eq!(app.send(["ana", "bo"], number as u32, &text, more).await, answer(number), "row {number}");
        let question = next(&mut app, true).await;
        assert_eq!(question.text(), text);
        if let Some((shown, custom_data)) = goes_on {
            let shown = if shown.is_empty() { &text } else { shown };
            let event = next(&mut app, false).await;
            assert_eq!(
                (event.text().as_str(), &event.json()["CloudCustomData"]),
                (shown, &custom_data.into()),
                "row {number}"
            );
            assert_eq!(event.json()["MsgKey"], question.json()["MsgKey"], "row {number}");
            let push = bo.hear_json().await;
            assert_eq!(push["message"]["MsgBody"][0]["MsgContent"]["Text"], *shown, "row {number}");
            assert_eq!(push["message"]["CloudCustomData"], *custom_data, "row {number}");
            kept.push(shown.to_owned());
        }
        // Whatever else this row might have caused would come before this, in callbacks and pushes alike.
        app.send(["ana", "bo"], 99, &format!("after {number}"), FORBID_BEFORE).await;
        assert_eq!(next(&mut app, false).await.text(), format!("after {number}"));
        assert_eq!(bo.hear_message().await.2, format!("after {number}"));
        kept.push(format!("after {number}"));
    }
    assert_eq!(app.texts("bo", "ana").await, kept);
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn a_replacement_that_breaks_the_filter_is_refused_and_told() {
    let replaced =
        r#"{"ErrorCode":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"red packet"}}]}"#;
    let setup = Setup::asked().filter("block", "red packet");
    let mut app = setup.answering(numbered(vec![Reply::new(200, replaced)])).start().await;
    let answer = app.send(["ana", "bo"], 1, "0", r#","MsgSeq":7"#).await;
    assert_eq!(answer, refused(80001, "the message contains words that the app does not allow"));
    next(&mut app, true).await;
    let event = next(&mut app, false).await;
    assert_eq!((event.text().as_str(), &event.json()["SendMsgResult"]), ("red packet", &80001.into()));
    assert_eq!(event.json()["MsgKey"].as_str().unwrap().split('_').next(), Some("7"));
    assert!(app.texts("bo", "ana").await.is_empty());
    app.stop().await;
}

/// Answers that say nothing that could be obeyed.
fn unusable() -> Vec<Reply> {
    let long = text_body(&"a".repeat(12_289));
    let custom = r#"{"MsgType":"TIMCustomElem","MsgContent":{}}"#;
    vec![
        Reply::new(200, r#"{"ActionStatus":"OK","ErrorCode":3}"#),
        Reply::new(200, r#"{"ErrorCode":120000}"#),
        Reply::new(200, r#"{"ErrorCode":130001}"#),
        Reply::new(200, r#"{"ErrorCode":-1}"#),
        Reply::new(200, r#"{"ActionStatus":"FAIL","ErrorCode":0}"#),
        Reply::new(200, "{}"),
        Reply::new(200, "[]"),
        Reply::new(200, "success"),
        Reply::new(200, ""),
        Reply::new(204, ""),
        Reply::new(302, "").with(&[("location", "/elsewhere")]),
        Reply::new(403, r#"{"ActionStatus":"OK","ErrorCode":1}"#),
        Reply::new(500, r#"{"ActionStatus":"OK","ErrorCode":1}"#),
        Reply::reset(),
        Reply::new(200, " ".repeat(10_000_000)),
        Reply::new(200, r#"{"ErrorCode":0,"MsgBody":[]}"#),
        Reply::new(200, r#"{"ErrorCode":0,"MsgBody":"text"}"#),
        Reply::new(200, r#"{"ErrorCode":0,"MsgBody":[{"MsgType":"TIMTextElem"}]}"#),
        Reply::new(200, format!(r#"{{"ErrorCode":0,"MsgBody":[{custom},{custom}]}}"#)),
        Reply::new(200, format!(r#"{{"ErrorCode":0,"MsgBody":{long}}}"#)),
    ]
}

#[tokio::test]
async fn without_a_usable_answer_the_message_passes() {
    let count = unusable().len();
    let mut app = Setup::asked()
        .callback("timeout_ms = 30000\nquestion_failures_max = 100")
        .answering(numbered(unusable()))
        .start()
        .await;
    for number in 0..count {
        let answer = app.send(["ana", "bo"], number as u32, &number.to_string(), r#","MsgSeq":7"#).await;
        assert_eq!(answer, sent(7, number));
        next(&mut app, true).await;
        assert_eq!(next(&mut app, false).await.text(), number.to_string());
    }
    assert_eq!(app.texts("bo", "ana").await.len(), count);
    app.stop().await;
}

const UNAVAILABLE: &str = r#"{"ActionStatus":"FAIL","ErrorCode":80003,"ErrorInfo":"the app's backend did not answer and the app wants messages refused then"}"#;

#[tokio::test]
async fn or_is_refused_if_the_app_wants_it_so() {
    let count = unusable().len();
    let setup = Setup::asked()
        .callback("timeout_ms = 30000\nquestion_failures_max = 100\nbefore_failure = \"reject\"");
    let mut app = setup.answering(numbered(unusable())).start().await;
    for number in 0..count {
        let answer = app.send(["ana", "bo"], 1, &number.to_string(), "").await;
        assert_eq!(answer, UNAVAILABLE, "row {number}");
        next(&mut app, true).await;
    }
    let mut ana = app.device("ana").await;
    let frame = format!(r#"{{"id":2,"op":"send","to":"bo","random":1,"body":{}}}"#, text_body("0"));
    assert!(ana.ask(frame).await.contains(r#"{"code":80003,"#));
    next(&mut app, true).await;
    // Nothing of all that was sent, or told.
    app.send(["ana", "bo"], 2, "last", FORBID_BEFORE).await;
    assert_eq!(next(&mut app, false).await.text(), "last");
    assert_eq!(app.texts("bo", "ana").await, ["last"]);
    drop(ana);
    app.stop().await;
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/callback", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_backend_that_is_down() {
    let before = Setup::telling(&["C2C.CallbackBeforeSendMsg"]);
    let app = before.url(nobody().await).start().await;
    assert_eq!(app.send(["ana", "bo"], 1, "hi", "").await, sent(1, 1));
    app.stop().await;

    let before = Setup::telling(&["C2C.CallbackBeforeSendMsg"]).callback("before_failure = \"reject\"");
    let app = before.url(nobody().await).start().await;
    assert_eq!(app.send(["ana", "bo"], 1, "hi", "").await, UNAVAILABLE);
    app.stop().await;
}

#[tokio::test]
async fn a_backend_that_hangs_is_not_waited_for() {
    let hanging = |callback: &Callback| if callback.is_question() { Reply::never() } else { Reply::ok() };
    let mut app = Setup::asked().callback("timeout_ms = 300").answering(hanging).start().await;
    assert_eq!(app.send(["ana", "bo"], 1, "hi", "").await, sent(1, 1));
    next(&mut app, true).await;
    let event = next(&mut app, false).await;
    assert_eq!(event.json()["SendMsgResult"], 0);
    app.stop().await;

    let setup = Setup::asked().callback("timeout_ms = 300\nbefore_failure = \"reject\"");
    let mut app = setup.answering(hanging).start().await;
    assert_eq!(app.send(["ana", "bo"], 1, "hi", "").await, UNAVAILABLE);
    next(&mut app, true).await;
    app.stop().await;
}

#[tokio::test]
async fn a_question_that_waits_holds_up_nobody_else() {
    let opened = CancellationToken::new();
    let held = Mutex::new(Some(Reply::ok().after(&opened)));
    let answers = move |callback: &Callback| {
        let held = callback.is_question().then(|| held.lock().unwrap().take()).flatten();
        held.unwrap_or_else(Reply::ok)
    };
    let mut app = Setup::asked().callback("timeout_ms = 60000").answering(answers).start().await;
    let mut ana = app.device("ana").await;
    ana.say(format!(r#"{{"id":2,"op":"send","to":"bo","random":1,"body":{}}}"#, text_body("waits"))).await;
    assert_eq!(next(&mut app, true).await.text(), "waits");
    for (random, between) in [(2, ["cy", "bo"]), (3, ["ana", "cy"]), (4, ["bo", "ana"])] {
        assert_eq!(app.send(between, random, "goes on", "").await, sent(1, random as usize));
        next(&mut app, true).await;
        next(&mut app, false).await;
        if between.contains(&"ana") {
            assert_eq!(ana.hear_message().await.2, "goes on");
        }
    }
    opened.cancel();
    assert_eq!(ana.hear_json().await["id"], 2);
    assert_eq!(ana.hear_message().await.2, "waits");
    assert_eq!(next(&mut app, false).await.text(), "waits");
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn a_resend_is_not_asked_about_again() {
    let mut app = Setup::asked().start().await;
    for _ in 0..3 {
        assert_eq!(app.send(["ana", "bo"], 1, "hi", "").await, sent(1, 1));
    }
    assert_eq!(next(&mut app, true).await.text(), "hi");
    assert_eq!(next(&mut app, false).await.text(), "hi");
    app.send_ok(["ana", "bo"], 2, "last").await;
    assert_eq!(next(&mut app, true).await.text(), "last");
    assert_eq!(next(&mut app, false).await.text(), "last");
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_asked_about() {
    let mut app = Setup::asked().filter("block", "red packet").start().await;
    let unknown = refused(20003, "the sender or the recipient is not a known account");
    assert_eq!(app.send(["ana", "nobody"], 1, "hi", "").await, unknown);
    app.send(["ana", "bo"], 2, "red packet", "").await;
    assert_eq!(next(&mut app, false).await.json()["SendMsgResult"], 80001);
    app.send(["ana", "bo"], 3, "typing", r#","OnlineOnlyFlag":1"#).await;
    assert_eq!(next(&mut app, true).await.json()["OnlineOnlyFlag"], 1);
    next(&mut app, false).await;
    app.stop().await;
}

#[tokio::test]
async fn devices_are_told_too() {
    let replies = vec![
        Reply::new(200, r#"{"ErrorCode":1}"#),
        Reply::new(200, r#"{"ErrorCode":120007,"ErrorInfo":"not now"}"#),
        Reply::new(200, r#"{"ErrorCode":2}"#),
    ];
    let mut app = Setup::asked().answering(numbered(replies)).start().await;
    let mut ana = app.device("ana").await;
    for (number, answer) in [
        (0, r#""error":{"code":20006,"text":"the app's backend refused the message","temporary":false}"#),
        (1, r#""error":{"code":120007,"text":"not now","temporary":false}"#),
        (2, r#""ok":{"MsgTime":T,"MsgKey":"7_2_T","MsgId":"N-T-2"}"#),
    ] {
        let body = text_body(&number.to_string());
        let frame =
            format!(r#"{{"id":{number},"op":"send","to":"bo","seq":7,"random":{number},"body":{body}}}"#);
        assert_eq!(ana.ask(frame).await, format!(r#"{{"id":{number},{answer}}}"#));
        next(&mut app, true).await;
    }
    assert!(app.texts("ana", "bo").await.is_empty());
    drop(ana);
    app.stop().await;
}

/// The edit by a device of the first message, from ana to bo.
fn edit(peer: &str, key: &str, more: &str) -> String {
    format!(r#"{{"id":2,"op":"edit","peer":"{peer}","key":"{key}",{more}}}"#)
}

/// Sends that message, and returns its key.
async fn say_hi(app: &mut TestApp) -> String {
    app.send(["ana", "bo"], 9, "hi", r#","MsgSeq":7"#).await;
    next(app, true).await;
    next(app, false).await.json()["MsgKey"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_question_about_an_edit_to_the_letter() {
    let mut app = Setup::asked().start().await;
    let key = say_hi(&mut app).await;
    let mut bo = app.device("bo").await;
    let body = format!(r#""body":{}"#, text_body("noon"));
    let (answer, _) = ask(&mut bo, &edit("ana", &key, &body), 1).await;
    assert!(answer.starts_with(r#"{"id":2,"ok":{"version":1,"#), "{answer}");
    let question = next(&mut app, true).await;
    let expected = format!(
        r#"{{"CallbackCommand":"C2C.CallbackBeforeSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":9,"MsgTime":T,"MsgKey":"7_9_T","OnlineOnlyFlag":0,"Operator_Account":"bo","MsgBody":{},"CloudCustomData":"","MsgId":"N-T-9","EventTime":MS}}"#,
        text_body("noon")
    );
    assert_eq!(literal(&question.body), expected);
    // A part that is not edited is shown as it stands.
    ask(&mut bo, &edit("ana", &key, r#""custom_data":"c""#), 1).await;
    let question = next(&mut app, true).await;
    assert_eq!((question.text().as_str(), &question.json()["CloudCustomData"]), ("noon", &"c".into()));
    // What cannot be done is not asked about: whatever was would come before the next question.
    let late = edit("ana", &key, &format!(r#"{body},"version":0"#));
    assert!(bo.ask(late).await.contains(r#""code":20027"#));
    app.send(["ana", "bo"], 10, "after", "").await;
    assert_eq!(next(&mut app, true).await.text(), "after");
    next(&mut app, false).await;
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn verdicts_hold_for_edits() {
    let ok = |body: &'static str| Reply::new(200, body);
    let error =
        |code: u32, text: &str| format!(r#""error":{{"code":{code},"text":"{text}","temporary":false}}"#);
    let refused = error(20006, "the app's backend refused the message");
    let filtered = error(80001, "the message contains words that the app does not allow");
    let unavailable = r#""error":{"code":80003,"#.to_owned();
    let texts = |text: &str| format!(r#"{{"ErrorCode":0,"MsgBody":{}}}"#, text_body(text));
    // What is answered to the question, the device's answer, and what the message says then: text and custom data.
    let rows = [
        (Reply::ok(), None, ("0", "")),
        (Reply::new(200, texts("checked")), None, ("checked", "")),
        (Reply::new(200, texts("darn it")), None, ("**** it", "")),
        (ok(r#"{"ErrorCode":0,"CloudCustomData":"d"}"#), None, ("3", "d")),
        (Reply::new(200, texts("a never b")), Some(filtered), ("3", "d")),
        (ok(r#"{"ErrorCode":1}"#), Some(refused), ("3", "d")),
        (ok(r#"{"ErrorCode":120007,"ErrorInfo":"not now"}"#), Some(error(120_007, "not now")), ("3", "d")),
        (Reply::new(500, ""), Some(unavailable), ("3", "d")),
    ];
    let replies = rows.iter().map(|(reply, ..)| reply.clone()).collect();
    let setup = Setup::asked().filter("mask", "darn").filter("block", "never");
    let setup = setup.callback("before_failure = \"reject\"");
    let mut app = setup.answering(numbered(replies)).start().await;
    let key = say_hi(&mut app).await;
    let mut ana = app.device("ana").await;
    for (number, (_, error, (text, custom_data))) in rows.into_iter().enumerate() {
        let frame = edit("bo", &key, &format!(r#""body":{}"#, text_body(&number.to_string())));
        match error {
            Some(error) => {
                let answer = ana.ask(frame).await;
                assert!(answer.starts_with(&format!(r#"{{"id":2,{error}"#)), "row {number}: {answer}");
            }
            None => {
                let (answer, _) = ask(&mut ana, &frame, 1).await;
                let shown = format!(r#""MsgBody":{},"CloudCustomData":"{custom_data}""#, text_body(text));
                assert!(answer.contains(&shown), "row {number}: {answer}");
            }
        }
        assert_eq!(next(&mut app, true).await.text(), number.to_string());
        assert_eq!(app.texts("bo", "ana").await, [text], "row {number}");
    }
    drop(ana);
    app.stop().await;
}

/// Also of somebody who is blocked: a refusal that only others get would tell of the block.
#[tokio::test]
async fn edits_that_are_dropped_are_answered_like_others() {
    let replies = vec![Reply::new(200, r#"{"ErrorCode":2}"#), Reply::new(200, r#"{"ErrorCode":1}"#)];
    let mut app = Setup::asked().answering(numbered(replies)).start().await;
    let key = say_hi(&mut app).await;
    let mut ana = app.device("ana").await;
    let frame = |text: &str| edit("bo", &key, &format!(r#""body":{}"#, text_body(text)));
    let answer = ana.ask(frame("0")).await;
    assert!(answer.starts_with(r#"{"id":2,"ok":{"version":1,"#) && answer.contains(r#""Text":"0""#));
    next(&mut app, true).await;
    let block = r#"{"From_Account":"bo","To_Account":["ana"]}"#;
    assert!(app.rest("sns/black_list_add", block).await.contains(r#""ResultCode":0"#));
    assert!(ana.ask(frame("1")).await.contains(r#""code":20006"#));
    next(&mut app, true).await;
    assert_eq!(app.texts("bo", "ana").await, ["hi"]);
    drop(ana);
    app.stop().await;
}
