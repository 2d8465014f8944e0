//! Clients that mean no good: they are refused, and two people who talk beside them notice nothing.

use crate::app::{KEY, OK, SDKAPPID, Setup, TestApp, TestClock, login, signed, text_body, within};
use crate::device::Device;
use futures_util::future::{join, join_all};
use protocol::usersig::Lifetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// Two people talk for as long as something else goes on, and for a while at least.
async fn beside<T>(app: &TestApp, attack: impl Future<Output = T>) -> T {
    const ROUNDS_MIN: u64 = 10;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let is_over = CancellationToken::new();
    let talk = async {
        let mut round = 0;
        while round < ROUNDS_MIN || !is_over.is_cancelled() {
            round += 1;
            let (id, body) = (round + 1, text_body(&round.to_string()));
            ana.say(format!(r#"{{"id":{id},"op":"send","to":"bo","random":{id},"body":{body}}}"#)).await;
            // Its answer and its push come in either order.
            for _ in 0..2 {
                let heard = ana.hear_json().await;
                assert!(heard["ok"]["MsgKey"].is_string() || heard["push"] == "message", "{heard}");
            }
            assert_eq!(bo.hear_message().await.2, round.to_string());
        }
        round
    };
    let attack = async {
        let result = attack.await;
        is_over.cancel();
        result
    };
    let (result, rounds) = join(attack, talk).await;
    let texts = app.texts("bo", "ana").await;
    assert_eq!(texts.last(), Some(&rounds.to_string()));
    result
}

fn code(answer: &serde_json::Value) -> Option<u64> {
    answer["error"]["code"].as_u64()
}

/// A frame as a client sends it, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

const FINAL_TEXT: u8 = 0x81;
const TEXT: u8 = 0x01;
const CONTINUATION: u8 = 0x00;
const PING: u8 = 0x89;

/// Whatever the server has to say until it ends the connection.
async fn read_to_the_end(mut stream: TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    // A connection that is reset has ended too.
    let _reset = within("the end of a connection", stream.read_to_end(&mut heard)).await;
    heard
}

/// The code of the close frame, if that is the last of it.
fn close_code(heard: &[u8]) -> Option<u16> {
    let at = (0..heard.len().saturating_sub(3)).rev().find(|at| heard[*at] == 0x88)?;
    let len = usize::from(heard[at + 1]);
    (at + 2 + len == heard.len()).then(|| u16::from_be_bytes([heard[at + 2], heard[at + 3]]))
}

#[tokio::test]
async fn frames_that_are_none() {
    let app = Setup::default().settings("[gateway]\nframe_bytes_max = 200000\n").start().await;
    let deep = |open: &str, close: &str| format!("{}0{}", open.repeat(25_000), close.repeat(25_000));
    let in_frame = |member: &str| format!(r#"{{"id":7,"op":"status","users":{member}}}"#);
    beside(&app, async {
        let mut mallory = app.device("mallory").await;
        for text in [
            String::new(),
            " ".to_owned(),
            "null".to_owned(),
            "\u{0}".to_owned(),
            "{".repeat(100_000),
            "[".repeat(190_000),
            deep("[", "]"),
            deep(r#"{"a":"#, "}"),
            r#"{"id":1e400,"op":"ping"}"#.to_owned(),
            r#"{"id":18446744073709551616,"op":"ping"}"#.to_owned(),
            r#"{"id":"\ud800","op":"ping"}"#.to_owned(),
            "é".repeat(60_000),
        ] {
            mallory.say(text.as_str()).await;
            let answer = mallory.hear_json().await;
            assert_eq!((&answer["id"], code(&answer)), (&serde_json::Value::Null, Some(11_002)));
        }
        let frames = [
            (in_frame(&deep("[", "]")), 90_003),
            (in_frame(&deep(r#"{"a":"#, "}")), 11_002),
            (in_frame(r#""\udfff""#), 11_002),
            (in_frame(r#"["\udfff"]"#), 90_003),
            (in_frame(&format!("[{}]", vec!["7"; 60_000].join(","))), 90_011),
            (in_frame(&format!("[{}]", vec![r#""bo""#; 20_000].join(","))), 90_011),
            (r#"{"id":7,"op":"\u0000"}"#.to_owned(), 11_004),
            (format!(r#"{{"id":7,"op":"{}"}}"#, "a".repeat(150_000)), 11_004),
            (format!(r#"{{"id":7,"op":"send","to":"bo","random":1,"body":{}}}"#, deep("[", "]")), 90_002),
        ];
        for (id, (text, expected)) in (10..).zip(frames) {
            mallory.say(text.replacen(r#""id":7"#, &format!(r#""id":{id}"#), 1)).await;
            let answer = mallory.hear_json().await;
            assert_eq!((&answer["id"], code(&answer)), (&id.into(), Some(expected)), "{}", &text[..60]);
        }
        // Many small members are as good as any others.
        let strangers: String = (0..9_000).map(|number| format!(r#""m{number}":{number},"#)).collect();
        let answer = mallory.ask(format!(r#"{{{strangers}"id":8,"op":"ping"}}"#)).await;
        assert_eq!(answer, r#"{"id":8,"ok":{"server_time_ms":MS}}"#);
    })
    .await;
    app.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_frames() {
    let app = Setup::default().settings("[gateway]\nframe_bytes_max = 20000\n").start().await;
    let fragments = [frame(TEXT, &[b'a'; 9_000]), frame(CONTINUATION, &[b'a'; 9_000]).repeat(3)].concat();
    let endless = [frame(TEXT, b"{"), frame(CONTINUATION, b"")].concat();
    let announced = [&[FINAL_TEXT, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    beside(&app, async {
        for (what, bytes, expected) in [
            ("text that is not UTF-8", frame(FINAL_TEXT, b"\xff\xfe"), None),
            ("a continuation of nothing", frame(0x80, b"{}"), None),
            ("a reserved bit", frame(FINAL_TEXT | 0x40, b"{}"), None),
            ("a reserved kind", frame(0x83, b"{}"), None),
            ("a ping that is too long", frame(PING, &[0; 126]), None),
            ("a ping in parts", frame(0x09, b"a"), None),
            ("no mask", vec![FINAL_TEXT, 2, b'{', b'}'], None),
            ("a close of one byte", frame(0x88, b"a"), None),
            ("noise", vec![0xa5; 4_096], None),
            ("parts that are too long together", fragments, Some(4504)),
            ("a length beyond everything", announced, Some(4504)),
            ("a part that brings nothing", endless, Some(4500)),
            ("bytes in place of text", frame(0x82, b"{}"), Some(4500)),
        ] {
            let mut stream = app.device("mallory").await.into_inner();
            stream.write_all(&bytes).await.unwrap();
            let heard = read_to_the_end(stream).await;
            // Who does not keep to the WebSocket protocol is not owed a code of this one.
            if expected.is_some() {
                assert_eq!(close_code(&heard), expected, "{what}");
            }
        }
        // In parts, with a ping between them, is how it may be.
        let mut mallory = app.device("mallory").await.into_inner();
        let parts = [frame(TEXT, br#"{"id":7,"#), frame(PING, b"?"), frame(0x80, br#""op":"ping"}"#)];
        mallory.write_all(&parts.concat()).await.unwrap();
        mallory.write_all(&frame(0x88, &1000_u16.to_be_bytes())).await.unwrap();
        let heard = String::from_utf8_lossy(&read_to_the_end(mallory).await).into_owned();
        assert!(heard.contains(r#"{"id":7,"ok":{"server_time_ms":"#), "{heard}");
    })
    .await;
    app.stop().await;
}

#[tokio::test]
async fn usersigs_of_others() {
    const OTHER_APP: u32 = 1_400_000_002;
    const OTHER_KEY: &str = "another key";
    let clock = TestClock::new();
    let other =
        format!("[[app]]\nsdkappid = {OTHER_APP}\nkey = {OTHER_KEY:?}\nadmins = [\"administrator\"]\n");
    let app = Setup::default().app(&other).clock(&clock).start().await;
    let hour = Lifetime { time_s: clock.now_s(), expire_s: 3_600 };
    let revoked = app.usersig("mallory");
    drop(app.device("mallory").await);
    assert_eq!(app.rest("im_open_login_svc/kick", r#"{"UserID":"mallory"}"#).await, OK);
    clock.advance_secs(1);
    let past = Lifetime { time_s: clock.now_s() - 60, expire_s: 60 };
    let in_app = |app: u32, usersig: &str| {
        format!(r#"{{"id":1,"op":"connect","sdkappid":{app},"user_id":"mallory","usersig":"{usersig}"}}"#)
    };
    let of_other_app = signed(OTHER_APP, OTHER_KEY, "mallory", hour);
    let cases = [
        (in_app(SDKAPPID, &of_other_app), 70_014),
        (in_app(SDKAPPID, &signed(SDKAPPID, OTHER_KEY, "mallory", hour)), 70_009),
        (in_app(OTHER_APP, &app.usersig("mallory")), 70_014),
        (in_app(3, &of_other_app), 70_020),
        (in_app(SDKAPPID, &app.usersig("bo")), 70_013),
        (in_app(SDKAPPID, &signed(SDKAPPID, KEY, "mallory", past)), 70_001),
        (in_app(SDKAPPID, &revoked), 70_052),
        (in_app(SDKAPPID, &"A".repeat(100_000)), 70_003),
    ];
    beside(&app, async {
        for (connect, expected) in cases {
            // As the first frame, and on a connection that somebody is logged in on already.
            let mut stranger = app.socket().await;
            stranger.say(connect.as_str()).await;
            assert_eq!(code(&stranger.hear_json().await), Some(expected));
            assert_eq!(stranger.closed().await, (4502, "login refused".to_owned()));
            let mut mallory = app.device("mallory").await;
            mallory.say(connect).await;
            assert_eq!(code(&mallory.hear_json().await), Some(11_002));
        }
    })
    .await;
    // The same name in another app is another person.
    let mut namesake = app.socket().await;
    namesake.ask(in_app(OTHER_APP, &of_other_app)).await;
    let status = namesake.ask(r#"{"id":2,"op":"status","users":["mallory","ana"]}"#).await;
    assert!(status.contains(r#"{"user_id":"ana","status":"Unknown","custom":""}"#), "{status}");
    let body = text_body("hi");
    namesake.say(format!(r#"{{"id":3,"op":"send","to":"ana","random":1,"body":{body}}}"#)).await;
    assert_eq!(code(&namesake.hear_json().await), Some(20_003));
    drop(namesake);
    app.stop().await;
}

#[tokio::test]
async fn what_is_between_others() {
    let app = Setup::default().start().await;
    app.send_ok(["ana", "bo"], 1, "between us").await;
    app.send_ok(["bo", "ana"], 2, "yes").await;
    let before = (app.history("ana", "bo").await, app.history("bo", "ana").await);
    let epoch = app.device("ana").await.connected["position"]["epoch"].clone();
    let mut ana = app.device("ana").await;
    let keys: Vec<String> = {
        ana.say(r#"{"id":2,"op":"history","peer":"bo"}"#).await;
        let page = ana.hear_json().await;
        let messages = page["ok"]["messages"].as_array().unwrap();
        messages.iter().map(|message| message["MsgKey"].as_str().unwrap().to_owned()).collect()
    };
    // Whoever presents the position of another is at another place of another log.
    for position in [
        format!(r#","position":{{"epoch":{epoch},"offset":0}}"#),
        format!(r#","position":{{"epoch":{epoch},"offset":18446744073709551615}}"#),
    ] {
        let mut mallory = app.device_with("mallory", &position).await;
        assert_eq!(mallory.connected["resync"], true, "{position}");
        let page = mallory.ask(r#"{"id":2,"op":"history","peer":"ana"}"#).await;
        assert_eq!(page, r#"{"id":2,"ok":{"messages":[],"complete":true,"next":null}}"#);
    }
    let mut mallory = app.device("mallory").await;
    let (first, body) = (&keys[0], text_body("mine"));
    for peer in ["ana", "bo"] {
        for (members, must_fail) in [
            (format!(r#""op":"recall","peer":"{peer}","key":"{first}""#), true),
            (format!(r#""op":"edit","peer":"{peer}","key":"{first}","body":{body}"#), true),
            (format!(r#""op":"extensions","peer":"{peer}","key":"{first}""#), true),
            (
                format!(r#""op":"extend","peer":"{peer}","key":"{first}","set":[{{"Key":"k","Value":"v"}}]"#),
                true,
            ),
            (format!(r#""op":"confirm","peer":"{peer}","keys":["{first}"]"#), false),
            (format!(r#""op":"delete","peer":"{peer}","keys":["{first}"]"#), false),
            (format!(r#""op":"clear","peer":"{peer}""#), false),
            (format!(r#""op":"read","peer":"{peer}""#), false),
            (format!(r#""op":"remove","peer":"{peer}","erase":true"#), false),
            // Nobody says for whom they ask.
            (
                format!(
                    r#""op":"history","peer":"{peer}","user_id":"bo","From_Account":"bo","Operator_Account":"bo""#
                ),
                false,
            ),
        ] {
            mallory.say(format!(r#"{{"id":3,{members}}}"#)).await;
            let answer = mallory.hear_json().await;
            assert_eq!(answer["id"], 3, "{answer}");
            assert!(!must_fail || code(&answer).is_some(), "{members} {answer}");
            assert!(!answer.to_string().contains("between us"), "{answer}");
        }
    }
    let as_ana = format!(
        r#"{{"id":4,"op":"send","from":"ana","From_Account":"ana","user_id":"ana","to":"bo","random":9,"body":{body}}}"#
    );
    assert!(mallory.ask(as_ana).await.starts_with(r#"{"id":4,"ok":"#));
    assert_eq!((app.history("ana", "bo").await, app.history("bo", "ana").await), before);
    assert_eq!(app.texts("bo", "mallory").await, ["mine"]);
    drop((ana, mallory));
    app.stop().await;
}

/// Connections that begin, and go no further.
#[tokio::test]
async fn handshakes_that_stop_half_way() {
    let settings =
        "[gateway]\nlogin_timeout_ms = 300\n[limits]\nfirst_byte_timeout_ms = 300\nkeep_alive_secs = 1\n";
    let app = Setup::default().settings(settings).start().await;
    let upgrade = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let beginnings = ["", "G", "GET /ws HTTP/1.1\r\nHost: x\r\n", &upgrade[..60], upgrade];
    let cut = frame(FINAL_TEXT, br#"{"id":1,"op":"connect""#);
    beside(&app, async {
        let half = beginnings.iter().cycle().take(100).map(async |beginning| {
            let mut stream = app.connect().await;
            stream.write_all(beginning.as_bytes()).await.unwrap();
            read_to_the_end(stream).await
        });
        let cut = (0..20).map(async |len| {
            let mut stream = app.connect().await;
            stream.write_all(upgrade.as_bytes()).await.unwrap();
            stream.write_all(&cut[..len]).await.unwrap();
            read_to_the_end(stream).await
        });
        let (half, cut) = join(join_all(half), join_all(cut)).await;
        let upgraded = half.iter().skip(4).step_by(5).chain(&cut);
        for heard in upgraded {
            assert_eq!(close_code(heard), Some(4501), "{}", String::from_utf8_lossy(heard));
        }
    })
    .await;
    app.is_unharmed().await;
    app.stop().await;
}

/// More connections than there may be. Those that are there stay, and there is room again when the others are gone.
#[tokio::test]
async fn a_flood_of_connections() {
    let settings = "[limits]\nconnections_max = 40\nfirst_byte_timeout_ms = 200\n";
    let app = Setup::default().settings(settings).start().await;
    beside(&app, async {
        join_all((0..150).map(async |_| read_to_the_end(app.connect().await).await)).await;
        // Each of these has its place from its predecessor.
        for _ in 0..50 {
            drop(app.device("mallory").await);
        }
    })
    .await;
    app.is_unharmed().await;
    app.stop().await;
}

#[tokio::test]
async fn a_flood_of_frames() {
    const FRAMES: u64 = 5_000;
    let app = Setup::default().start().await;
    beside(&app, async {
        let flood = (0..4).map(async |_| {
            let mut mallory = app.device("mallory").await;
            let mut answered = Vec::new();
            // More at once than may wait, again and again.
            for hundred in 0..FRAMES / 100 {
                let ids = hundred * 100 + 2..hundred * 100 + 102;
                for id in ids.clone() {
                    let frame = match id % 4 {
                        0 => format!(r#"{{"id":{id},"op":"ping"}}"#),
                        1 => format!(r#"{{"id":{id},"op":"history","peer":"ana","limit":100}}"#),
                        2 => format!(r#"{{"id":{id},"op":"subscribe","users":["u{id}","v{id}","w{id}"]}}"#),
                        _ => format!(r#"{{"id":{id},"op":"status","users":[7]}}"#),
                    };
                    mallory.say(frame).await;
                    mallory.send(Message::Ping(vec![0; 125].into())).await;
                }
                for _ in ids {
                    let answer = mallory.hear_json().await;
                    let refused = code(&answer);
                    assert!(matches!(refused, None | Some(11_003 | 90_003)), "{answer}");
                    answered.push(answer["id"].as_u64().unwrap());
                }
            }
            answered.sort_unstable();
            assert_eq!(answered, (2..FRAMES + 2).collect::<Vec<_>>());
        });
        join_all(flood).await;
    })
    .await;
    app.stop().await;
}

/// Somebody who is logged out while there is much to catch up with, and takes it slowly.
#[tokio::test]
async fn a_session_that_is_revoked_while_it_catches_up() {
    const MESSAGES: u32 = 600;
    let app = Setup::default().start().await;
    let epoch = app.device("mallory").await.connected["position"]["epoch"].clone();
    let long = "m".repeat(12_000);
    join_all((0..MESSAGES).map(|random| app.send_ok(["cy", "mallory"], random, &long))).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut mallory = Device::over(socket.connect(app.address).await.unwrap()).await;
    let position = format!(r#","position":{{"epoch":{epoch},"offset":0}}"#);
    mallory.ask(login("mallory", &app.usersig("mallory"), &position)).await;
    mallory.hear_message().await;
    // All of it is more than what the connection holds.
    assert_eq!(app.rest("im_open_login_svc/kick", r#"{"UserID":"mallory"}"#).await, OK);
    let mut heard = 1;
    let reason = loop {
        let push = mallory.hear_json().await;
        if push["push"] == "kicked" {
            break push["reason"].clone();
        }
        heard += 1;
    };
    assert_eq!(reason, "revoked");
    assert!(heard < MESSAGES, "everything was told to somebody who is logged out");
    drop(mallory);
    app.stop().await;
}

/// Somebody who logs in, is sent much, and reads nothing: noticed after 10 seconds, and gone.
#[tokio::test]
async fn a_slow_reader() {
    const MESSAGES: u32 = 600;
    let app = Setup::default().start().await;
    let mut watcher = app.device("cy").await;
    watcher.ask(r#"{"id":2,"op":"subscribe","users":["mallory"]}"#).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream = socket.connect(app.address).await.unwrap();
    let mut mallory = Device::over(stream).await;
    assert!(mallory.ask(login("mallory", &app.usersig("mallory"), "")).await.starts_with(r#"{"id":1,"ok":"#));
    let status = |status: &str| {
        format!(r#"{{"push":"presence","user_id":"mallory","status":"{status}","custom":""}}"#)
    };
    assert_eq!(watcher.hear().await, status("Online"));
    let long = "m".repeat(12_000);
    beside(&app, async {
        join_all((0..MESSAGES).map(|random| app.send_ok(["cy", "mallory"], random, &long))).await;
        // Cy is told of the own messages too, and maybe once more that mallory is there.
        let mut heard = watcher.hear().await;
        while heard != status("Offline") {
            assert!(heard.starts_with(r#"{"push":"message""#) || heard == status("Online"), "{heard}");
            heard = watcher.hear().await;
        }
    })
    .await;
    // Nothing is lost to whoever comes back.
    let mallory = app.device("mallory").await;
    assert_eq!(mallory.connected["unread"], MESSAGES);
    drop((mallory, watcher));
    app.stop().await;
}
