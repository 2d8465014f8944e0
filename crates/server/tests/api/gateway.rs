//! The WebSocket: logging in, following the log, and what users do.

use crate::app::{KEY, OK, SDKAPPID, Setup, TestApp, login, now_s, signed, text_body, usersig};
use crate::literal::literal;
use crate::receiver::{Callback, Reply};
use futures_util::future::join_all;
use protocol::usersig::Lifetime;
use std::collections::BTreeSet;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

fn closed(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

fn resume(epoch: &serde_json::Value, offset: u64) -> String {
    format!(r#","position":{{"epoch":{epoch},"offset":{offset}}}"#)
}

fn send_frame(id: u64, to: &str, text: &str) -> String {
    format!(r#"{{"id":{id},"op":"send","to":"{to}","random":{id},"body":{}}}"#, text_body(text))
}

#[tokio::test]
async fn logging_in() {
    let app = Setup::default().start().await;
    let mut ana = app.socket().await;
    assert_eq!(
        ana.ask(login("ana", &usersig("ana"), r#","device_id":"phone","newer":{}"#)).await,
        r#"{"id":1,"ok":{"user_id":"ana","position":{"epoch":"E","offset":0},"resync":false,"unread":0,"heartbeat_secs":30,"server_time_ms":MS,"session":"S","recall_secs":120,"message_bytes_max":12288,"media":true}}"#
    );
    // A second login on the same connection is none.
    assert_eq!(
        ana.ask(login("bo", &usersig("bo"), "")).await,
        r#"{"id":1,"error":{"code":11002,"text":"this connection is logged in already","temporary":false}}"#
    );
    assert_eq!(ana.ask(r#"{"id":2,"op":"ping"}"#).await, r#"{"id":2,"ok":{"server_time_ms":MS}}"#);
    app.send_ok(["bo", "ana"], 1, "hi").await;
    ana.hear_message().await;
    // Whoever has a good UserSig has an account.
    let mut stranger = app.device("stranger").await;
    assert!(stranger.ask(send_frame(2, "ana", "hello")).await.starts_with(r#"{"id":2,"ok":{"#));
    let again = app.device("ana").await;
    assert_eq!((&again.connected["unread"], &again.connected["position"]["offset"]), (&2.into(), &2.into()));
    drop((ana, stranger, again));
    app.stop().await;
}

#[tokio::test]
async fn logins_that_are_refused() {
    let app = Setup::default().start().await;
    let hour = Lifetime { time_s: now_s(), expire_s: 3_600 };
    let past = Lifetime { time_s: now_s() - 60, expire_s: 60 };
    let connect = |rest: &str| format!(r#"{{"id":1,"op":"connect",{rest}}}"#);
    for (frame, id, code) in [
        (login("ana", &signed(SDKAPPID, "another key", "ana", hour), ""), "1", 70009),
        (login("ana", &signed(SDKAPPID, KEY, "ana", past), ""), "1", 70001),
        (login("ana", &usersig("bo"), ""), "1", 70013),
        (login("ana", &signed(7, KEY, "ana", hour), ""), "1", 70014),
        (login("ana", "", ""), "1", 70002),
        (login("ana", "eJx", ""), "1", 70003),
        (
            connect(&format!(r#""sdkappid":7,"user_id":"ana","usersig":"{}""#, signed(7, KEY, "ana", hour))),
            "1",
            70020,
        ),
        (connect(r#""user_id":"ana","usersig":"x""#), "1", 60012),
        (connect(r#""sdkappid":"x","user_id":"ana","usersig":"x""#), "1", 60025),
        (connect(&format!(r#""sdkappid":{SDKAPPID},"user_id":"","usersig":"x""#)), "1", 60025),
        (r#"{"id":7,"op":"ping"}"#.to_owned(), "7", 11001),
        (send_frame(8, "bo", "hi"), "8", 11001),
        (r#"{"id":9,"op":"dance"}"#.to_owned(), "9", 11004),
        (r#"{"op":"ping"}"#.to_owned(), "null", 11002),
        ("hello".to_owned(), "null", 11002),
        (String::new(), "null", 11002),
    ] {
        let mut device = app.socket().await;
        let answer = device.ask(frame.as_str()).await;
        assert!(
            answer.starts_with(&format!(r#"{{"id":{id},"error":{{"code":{code},"text":"#)),
            "{frame} {answer}"
        );
        assert!(answer.ends_with(r#","temporary":false}}"#), "{answer}");
        assert_eq!(device.closed().await, closed(4502, "login refused"), "{frame}");
    }
    app.is_unharmed().await;
    app.stop().await;
}

#[tokio::test]
async fn a_connection_that_never_logs_in() {
    let app = Setup::default().settings("[gateway]\nlogin_timeout_ms = 50\n").start().await;
    assert_eq!(app.socket().await.closed().await, closed(4501, "login timeout"));
    app.stop().await;
}

#[tokio::test]
async fn pushes_have_positions_without_gaps() {
    let app = Setup::default().start().await;
    let mut bo = app.device("bo").await;
    let sends = (0..100).map(|random| {
        let from = if random % 2 == 0 { "ana" } else { "cy" };
        let app = &app;
        async move { app.send_ok([from, "bo"], random, &random.to_string()).await }
    });
    join_all(sends).await;
    let mut texts = BTreeSet::new();
    for offset in 1..=100 {
        let (at, unread, text) = bo.hear_message().await;
        assert_eq!((at, unread), (offset, offset));
        texts.insert(text);
    }
    assert_eq!(texts.len(), 100);
    drop(bo);
    app.stop().await;
}

/// Hints that find a full queue are dropped; the log has everything.
#[tokio::test]
async fn a_queue_that_is_full_loses_nothing() {
    let app = Setup::default().settings("[gateway]\nsession_queue_len_max = 1\n").start().await;
    let mut bo = app.device("bo").await;
    let send = async |random| app.send_ok(["ana", "bo"], random, "hi").await;
    join_all((0..100).map(send)).await;
    // What was dropped last is noticed with the next hint.
    app.send_ok(["ana", "bo"], 100, "last").await;
    for offset in 1..=101 {
        assert_eq!(bo.hear_message().await.0, offset);
    }
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn resuming_from_a_position() {
    let app = Setup::default().start().await;
    let epoch = app.device("bo").await.connected["position"]["epoch"].clone();
    for random in 1..=250 {
        app.send_ok(["ana", "bo"], random, &random.to_string()).await;
    }
    for from in [0_u64, 1, 249] {
        let mut bo = app.device_with("bo", &resume(&epoch, from)).await;
        assert_eq!(
            (&bo.connected["resync"], &bo.connected["position"]["offset"]),
            (&false.into(), &250.into())
        );
        for offset in from + 1..=250 {
            assert_eq!(bo.hear_message().await, (offset, offset, offset.to_string()));
        }
    }
    // At the end there is nothing to catch up with, and the next change follows.
    let mut bo = app.device_with("bo", &resume(&epoch, 250)).await;
    app.send_ok(["ana", "bo"], 251, "next").await;
    assert_eq!(bo.hear_message().await, (251, 251, "next".to_owned()));
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn positions_of_no_use() {
    let app = Setup::default().start().await;
    app.send_ok(["ana", "bo"], 1, "before").await;
    let epoch = app.device("bo").await.connected["position"]["epoch"].clone();
    for (random, position) in (2..).zip([
        resume(&"1".into(), 0),
        resume(&"another server's".into(), 1),
        resume(&epoch, 1_000_000),
        resume(&"".into(), 0),
    ]) {
        let mut bo = app.device_with("bo", &position).await;
        assert_eq!(bo.connected["resync"], true, "{position}");
        // It goes on from the position that it was given.
        assert_eq!(bo.connected["position"]["offset"], random - 1);
        app.send_ok(["ana", "bo"], random, "after").await;
        assert_eq!(bo.hear_message().await, (random.into(), random.into(), "after".to_owned()));
    }
    app.stop().await;
}

#[tokio::test]
async fn a_deleted_account_begins_anew() {
    let app = Setup::default().start().await;
    app.send_ok(["ana", "bo"], 1, "before").await;
    let epoch = app.device("bo").await.connected["position"]["epoch"].clone();
    app.rest("im_open_login_svc/account_delete", r#"{"DeleteItem":[{"UserID":"bo"}]}"#).await;
    assert_eq!(app.rest("im_open_login_svc/account_import", r#"{"UserID":"bo"}"#).await, OK);
    let bo = app.device_with("bo", &resume(&epoch, 1)).await;
    assert_eq!((&bo.connected["resync"], &bo.connected["unread"]), (&true.into(), &0.into()));
    assert_ne!(bo.connected["position"]["epoch"], epoch);
    assert!(app.texts("bo", "ana").await.is_empty());
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn sending() {
    let mut app = Setup::told().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let body = r#"[ {"MsgType":"TIMTextElem","MsgContent":{"Text":"caf\u00e9","x":1.0}} ]"#;
    let frame = format!(
        r#"{{"id":2,"op":"send","to":"bo","random":4294967295,"seq":7,"client_time":1700000001,"custom_data":"c","need_read_receipt":true,"body":{body}}}"#
    );
    let answer = r#"{"id":2,"ok":{"MsgTime":T,"MsgKey":"7_4294967295_T","MsgId":"N-1700000001-4294967295"}}"#;
    assert_eq!(ana.ask(frame.as_str()).await, answer);
    let push = format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":4294967295,"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"7_4294967295_T","MsgId":"N-1700000001-4294967295","MsgBody":{body},"CloudCustomData":"c","MsgClientTime":1700000001,"MsgVersion":0,"IsNeedReadReceipt":1,"SupportMessageExtension":0}}}}"#
    );
    let pushed = |unread| {
        format!(
            r#"{{"push":"message","position":{{"epoch":"E","offset":1}},"unread":{unread},"message":{push}"#
        )
    };
    assert_eq!(ana.hear().await, pushed(0));
    assert_eq!(bo.hear().await, pushed(1));
    let callback = app.receiver.next().await;
    assert_eq!(callback.parameter("OptPlatform"), "Web");
    assert!(
        callback.body.contains(&format!(r#""MsgBody":{body},"CloudCustomData":"c","#)),
        "{}",
        callback.body
    );
    // A device that did not hear the answer sends again, and hears the same.
    assert_eq!(ana.ask(frame.as_str()).await, answer);

    for (frame, code) in [
        (send_frame(3, "nobody", "hi"), 20003),
        (send_frame(3, "", "hi"), 90003),
        (r#"{"id":3,"op":"send","to":"bo","random":1}"#.to_owned(), 90002),
        (r#"{"id":3,"op":"send","to":"bo","random":1,"body":{}}"#.to_owned(), 90007),
        (format!(r#"{{"id":3,"op":"send","to":"bo","body":{body}}}"#), 90005),
        (send_frame(3, "bo", &"a".repeat(12_289)), 80002),
        (r#"{"id":3,"op":"dance"}"#.to_owned(), 11004),
        (r#"{"id":3}"#.to_owned(), 11002),
    ] {
        let answer = ana.ask(frame.as_str()).await;
        assert!(answer.starts_with(&format!(r#"{{"id":3,"error":{{"code":{code},"text":"#)), "{answer}");
    }
    for frame in ["", "hello", "[]", r#"{"op":"ping"}"#] {
        let answer =
            r#"{"id":null,"error":{"code":11002,"text":"the frame is not understood","temporary":false}}"#;
        assert_eq!(ana.ask(frame).await, answer);
    }
    // Nothing of all that went on.
    ana.ask(send_frame(4, "bo", "last")).await;
    assert_eq!(bo.hear_message().await, (2, 2, "last".to_owned()));
    assert_eq!(app.receiver.next().await.text(), "last");
    drop((ana, bo));
    app.stop().await;
}

/// A device's requests are carried out in its order, and its messages stand in it.
#[tokio::test]
async fn messages_of_a_device_keep_their_order() {
    let app = Setup::default().settings("[gateway]\nsession_requests_max = 200\n").start().await;
    let mut ana = app.device("ana").await;
    for id in 2..102 {
        ana.say(send_frame(id, "bo", &id.to_string())).await;
    }
    let mut answered = Vec::new();
    while answered.len() < 100 {
        answered.extend(ana.hear_json().await["id"].as_u64());
    }
    assert_eq!(answered, (2..102).collect::<Vec<_>>());
    let texts: Vec<_> = (2..102).map(|id: u64| id.to_string()).collect();
    let mut bo = app.device("bo").await;
    let page = bo.ask(r#"{"id":2,"op":"history","peer":"ana","limit":100}"#).await;
    let at = |text: &String| page.find(&format!(r#""Text":"{text}""#)).unwrap();
    assert!(texts.is_sorted_by_key(at), "{page}");
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn reading() {
    let mut app = Setup::telling(&["C2C.CallbackAfterMsgReport"]).start().await;
    let (mut ana, mut bo, mut bos_tablet) =
        (app.device("ana").await, app.device("bo").await, app.device("bo").await);
    app.send_ok(["ana", "bo"], 1, "one").await;
    app.send_ok(["ana", "bo"], 2, "two").await;
    app.send_ok(["cy", "bo"], 3, "three").await;
    for unread in 1..=3 {
        assert_eq!(bo.hear_message().await.1, unread);
        bos_tablet.hear_message().await;
    }
    assert_eq!([ana.hear_message().await.0, ana.hear_message().await.0], [1, 2]);

    let read = r#"{"id":2,"op":"read","peer":"ana"}"#;
    assert_eq!(bo.ask(read).await, r#"{"id":2,"ok":{}}"#);
    let pushed = |offset, unread| {
        format!(
            r#"{{"push":"read","position":{{"epoch":"E","offset":{offset}}},"unread":{unread},"reader":"bo","peer":"ana","read_until":T}}"#
        )
    };
    assert_eq!(bo.hear().await, pushed(4, 1));
    assert_eq!(bos_tablet.hear().await, pushed(4, 1));
    assert_eq!(ana.hear().await, pushed(3, 0));
    let callback = app.receiver.next().await;
    assert_eq!(
        literal(&callback.body),
        r#"{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"bo","Peer_Account":"ana","LastReadTime":T,"UnreadMsgNum":1,"EventTime":MS}"#
    );
    assert!(callback.target.contains(
        "CallbackCommand=C2C.CallbackAfterMsgReport&contenttype=json&ClientIP=127.0.0.1&OptPlatform=Web"
    ));

    // Reading what is read already, or was never written, is no event.
    for frame in
        [read, r#"{"id":2,"op":"read","peer":"administrator"}"#, r#"{"id":2,"op":"read","peer":"nobody"}"#]
    {
        assert_eq!(bo.ask(frame).await, r#"{"id":2,"ok":{}}"#);
    }
    assert_eq!(bo.ask(r#"{"id":3,"op":"read","peer":"cy"}"#).await, r#"{"id":3,"ok":{}}"#);
    assert_eq!(app.receiver.next().await.json()["Peer_Account"], "cy");
    assert!(bo.hear().await.contains(r#""offset":5},"unread":0,"reader":"bo","peer":"cy""#));
    drop((ana, bo, bos_tablet));
    app.stop().await;
}

#[tokio::test]
async fn pages_of_history() {
    let app = Setup::default().start().await;
    for random in 1..=25 {
        app.send_ok(["ana", "bo"], random, &random.to_string()).await;
    }
    let mut bo = app.device("bo").await;
    let (mut before, mut seen) = (String::new(), Vec::new());
    loop {
        bo.say(format!(r#"{{"id":2,"op":"history","peer":"ana","limit":10{before}}}"#)).await;
        let page = bo.hear_json().await["ok"].clone();
        let messages = page["messages"].as_array().unwrap();
        let text = |message: &serde_json::Value| {
            message["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap().parse::<u32>().unwrap()
        };
        seen = messages.iter().map(text).chain(seen).collect();
        before = format!(r#","before":{}"#, messages[0]["MsgKey"]);
        if page["complete"] == true {
            break;
        }
    }
    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
    bo.say(r#"{"id":3,"op":"history","peer":"ana"}"#).await;
    assert_eq!(bo.hear_json().await["ok"]["messages"].as_array().unwrap().len(), 20);
    for (frame, answer) in [
        (
            r#"{"id":4,"op":"history","peer":"nobody"}"#,
            r#"{"id":4,"ok":{"messages":[],"complete":true,"next":null}}"#,
        ),
        (
            r#"{"id":5,"op":"history","peer":"ana","before":"1_2"}"#,
            r#"{"id":5,"error":{"code":90054,"text":"a MsgKey has the form <MsgSeq>_<MsgRandom>_<MsgTime>","temporary":false}}"#,
        ),
        (
            r#"{"id":6,"op":"history","peer":"ana","limit":0}"#,
            r#"{"id":6,"error":{"code":11002,"text":"limit is missing or not valid","temporary":false}}"#,
        ),
    ] {
        assert_eq!(bo.ask(frame).await, answer);
    }
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn every_device_of_both_people_gets_everything() {
    let app = Setup::default().start().await;
    let mut devices =
        [app.device("ana").await, app.device("ana").await, app.device("bo").await, app.device("bo").await];
    assert!(devices[0].ask(send_frame(2, "bo", "hi")).await.starts_with(r#"{"id":2,"ok":"#));
    for (device, unread) in devices.iter_mut().zip([0, 0, 1, 1]) {
        assert_eq!(device.hear_message().await, (1, unread, "hi".to_owned()));
    }
    let online = format!(
        r#"{{"id":3,"op":"send","to":"bo","random":3,"seq":7,"online_only":true,"body":{}}}"#,
        text_body("typing")
    );
    assert_eq!(
        devices[1].ask(online).await,
        r#"{"id":3,"ok":{"MsgTime":T,"MsgKey":"7_3_T","MsgId":"N-T-3"}}"#
    );
    for device in &mut devices[2..] {
        let push = device.hear_json().await;
        assert_eq!((&push["push"], push.get("position")), (&"online_message".into(), None));
    }
    // One leaves; the others go on.
    let [ana, anas_tablet, mut bo, bos_tablet] = devices;
    drop((anas_tablet, bos_tablet));
    app.send_ok(["ana", "bo"], 4, "still").await;
    assert_eq!(bo.hear_message().await, (2, 2, "still".to_owned()));
    assert_eq!(app.texts("bo", "ana").await, ["hi", "still"]);
    drop((ana, bo));
    app.stop().await;
}

#[tokio::test]
async fn frames_that_end_the_connection() {
    let app = Setup::default().settings("[gateway]\nframe_bytes_max = 20000\n").start().await;
    let long = send_frame(2, "bo", &"a".repeat(20_000));
    for (frame, code, reason) in [
        (Message::binary(&b"\x00\x01"[..]), 4500, "bad frame"),
        (Message::binary(&br#"{"id":2,"op":"ping"}"#[..]), 4500, "bad frame"),
        (Message::text(long), 4504, "frame too large"),
    ] {
        for is_logged_in in [true, false] {
            let mut device = if is_logged_in { app.device("ana").await } else { app.socket().await };
            device.send(frame.clone()).await;
            assert_eq!(device.closed().await, closed(code, reason), "logged in: {is_logged_in}");
        }
    }
    // As long as a frame may be.
    let mut ana = app.device("ana").await;
    let frame = format!(r#"{{"id":2,"op":"ping","x":"{}"}}"#, "a".repeat(20_000 - 28));
    assert!(ana.ask(frame).await.starts_with(r#"{"id":2,"ok":"#));
    drop(ana);
    app.is_unharmed().await;
    app.stop().await;
}

#[tokio::test]
async fn too_many_outstanding_requests() {
    let opened = CancellationToken::new();
    let hold = opened.clone();
    let answers = move |_: &Callback| Reply::ok().after(&hold);
    let setup = Setup::telling(&["C2C.CallbackBeforeSendMsg"]).callback("timeout_ms = 60000");
    let setup = setup.settings("[gateway]\nsession_requests_max = 2\n").answering(answers);
    let mut app = setup.start().await;
    let mut ana = app.device("ana").await;
    // One is being carried out, two wait.
    for id in 2..=4 {
        ana.say(send_frame(id, "bo", "hi")).await;
    }
    let refused = r#"{"id":5,"error":{"code":11003,"text":"too many requests are waiting for their answer","temporary":true}}"#;
    assert_eq!(ana.ask(r#"{"id":5,"op":"ping"}"#).await, refused);
    opened.cancel();
    let mut answered = Vec::new();
    while answered.len() < 3 {
        answered.extend(ana.hear_json().await["id"].as_u64());
    }
    assert_eq!(answered, [2, 3, 4]);
    for _ in 2..=4 {
        app.receiver.next().await;
    }
    drop(ana);
    app.stop().await;
}

/// Requests that wait are held in memory, so that long ones may be fewer.
#[tokio::test]
async fn too_many_bytes_outstanding() {
    let opened = CancellationToken::new();
    let hold = opened.clone();
    let setup = Setup::telling(&["C2C.CallbackBeforeSendMsg"]).callback("timeout_ms = 60000");
    let mut app = setup.answering(move |_: &Callback| Reply::ok().after(&hold)).start().await;
    let mut ana = app.device("ana").await;
    ana.say(send_frame(2, "bo", "hi")).await;
    app.receiver.next().await;
    let long = |id: u64| format!(r#"{{"id":{id},"op":"ping","x":"{}"}}"#, "a".repeat(100_000));
    for id in 3..=7 {
        ana.say(long(id)).await;
    }
    ana.say(long(8)).await;
    let refused = ana.hear_json().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&8.into(), &11_003.into()));
    // A short one fits.
    ana.say(r#"{"id":9,"op":"ping"}"#).await;
    opened.cancel();
    let mut answered = Vec::new();
    while answered.len() < 7 {
        answered.extend(ana.hear_json().await["id"].as_u64());
    }
    assert_eq!(answered, [2, 3, 4, 5, 6, 7, 9]);
    drop(ana);
    app.stop().await;
}

/// Whether it is stored was decided before the device went, and those that it concerns hear of it.
#[tokio::test]
async fn a_request_outlasts_its_session() {
    let opened = CancellationToken::new();
    let hold = opened.clone();
    let setup = Setup::telling(&["C2C.CallbackBeforeSendMsg"]).callback("timeout_ms = 60000");
    let mut app = setup.answering(move |_: &Callback| Reply::ok().after(&hold)).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    ana.say(send_frame(2, "bo", "hi")).await;
    app.receiver.next().await;
    ana.close(1000).await;
    opened.cancel();
    assert_eq!(bo.hear_message().await, (1, 1, "hi".to_owned()));
    drop(bo);
    app.stop().await;
}

/// A device that sends nothing, and does not even answer a ping, is taken for gone.
#[tokio::test]
async fn a_device_that_is_silent() {
    let app = Setup::default().settings("[gateway]\nheartbeat_secs = 1\n").start().await;
    let mut stream = app.device("ana").await.into_inner();
    let mut heard = Vec::new();
    crate::app::within("the end of the connection", stream.read_to_end(&mut heard)).await.unwrap();
    let close = [&[0x88, 2 + 17, 0x0f, 0xa2][..], b"heartbeat timeout"].concat();
    assert!(heard.ends_with(&close), "{heard:?}");
    assert!(heard.starts_with(&[0x89, 0]), "it was asked before: {heard:?}");
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let app = Setup::default().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let waiting = app.socket().await;
    let (ended, ..) = tokio::join!(
        TestApp::stop(app),
        async { assert_eq!(ana.closed().await, closed(4000, "server shutting down")) },
        async { assert_eq!(bo.closed().await, closed(4000, "server shutting down")) },
        async { drop(waiting) },
    );
    drop(ended);
}

/// The device goes on with another node, and would have to ask there whether its message was sent.
#[tokio::test]
async fn a_stop_answers_what_has_begun() {
    let opened = CancellationToken::new();
    let gate = opened.clone();
    let setup = Setup::telling(&["C2C.CallbackBeforeSendMsg"]);
    let mut app = setup.answering(move |_| Reply::ok().after(&gate)).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    ana.say(format!(r#"{{"id":2,"op":"send","to":"bo","random":1,"body":{}}}"#, text_body("hi"))).await;
    assert!(app.receiver.next().await.is_question());
    let ended = async {
        // The stop has begun.
        assert_eq!(bo.closed().await, closed(4000, "server shutting down"));
        opened.cancel();
        while ana.hear_json().await["id"] != 2 {}
        assert_eq!(ana.closed().await, closed(4000, "server shutting down"));
        drop((ana, bo));
    };
    tokio::join!(app.stop(), ended);
}
