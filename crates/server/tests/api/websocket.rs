//! The WebSocket below its messages: the handshake, frames as they may come, and pongs.

use crate::app::{Setup, login, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn the_handshake() {
    let app = Setup::default().start().await;
    for (request, status, says) in [
        (
            format!(
                "POST /ws HTTP/1.1\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n{VERSION}{KEY}"
            ),
            405,
            "a WebSocket begins with GET\n",
        ),
        (format!("GET /ws HTTP/1.1\r\nConnection: close\r\n{VERSION}{KEY}"), 426, "this is a WebSocket\n"),
        (
            format!("GET /ws HTTP/1.1\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n{VERSION}{KEY}"),
            426,
            "this is a WebSocket\n",
        ),
        (
            format!(
                "GET /ws HTTP/1.1\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n{KEY}"
            ),
            400,
            "unknown version of WebSocket\n",
        ),
        (
            format!("GET /ws HTTP/1.1\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n{VERSION}"),
            400,
            "Sec-WebSocket-Key is missing\n",
        ),
    ] {
        let answer = app.exchange(format!("{request}Host: test\r\n\r\n").as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, says), "{request}");
    }
    // Words in any case, in lists and over several lines, as browsers and proxies write them.
    let mut stream = app.connect().await;
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: test\r\nconnection: keep-alive\r\nConnection: UPGRADE\r\nupgrade: WebSocket\r\n{VERSION}{KEY}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the handshake", stream.read_u8()).await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
    drop(stream);
    app.stop().await;
}

/// A client's frame, masked so that every byte of the text differs from what it stands for.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first, 0x80 | u8::try_from(payload.len()).unwrap()];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

#[tokio::test]
async fn frames_come_as_they_like() {
    let app = Setup::default().start().await;
    let mut stream = app.device("ana").await.into_inner();
    let ping = |id: u32| masked(0x81, format!(r#"{{"id":{id},"op":"ping"}}"#).as_bytes());
    // Byte for byte.
    for byte in ping(2) {
        stream.write_all(&[byte]).await.unwrap();
    }
    // Many at once, with half a frame at the end.
    let last = ping(7);
    let bytes = [ping(3), ping(4), ping(5), ping(6), last[..9].to_vec()].concat();
    stream.write_all(&bytes).await.unwrap();
    stream.write_all(&last[9..]).await.unwrap();
    let mut heard = Vec::new();
    while heard.windows(5).filter(|five| five == br#""ok":"#).count() < 6 {
        within("answers", stream.read_buf(&mut heard)).await.unwrap();
    }
    let heard = String::from_utf8_lossy(&heard);
    let at = (2..=7).map(|id| heard.find(&format!(r#"{{"id":{id},"ok":"#)));
    assert!(at.is_sorted() && !heard.contains("error"), "{heard}");
    drop(stream);
    app.stop().await;
}

#[tokio::test]
async fn pings_are_answered() {
    let app = Setup::default().start().await;
    // Before the login as well as after it, and with what they say.
    let mut device = app.socket().await;
    device.send(Message::Ping("one".into())).await;
    assert_eq!(device.hear_pong().await, b"one");
    device.ask(login("ana", &app.usersig("ana"), "")).await;
    device.send(Message::Ping(vec![7; 125].into())).await;
    assert_eq!(device.hear_pong().await, [7; 125]);
    drop(device);
    // Whoever pings and does not read gets one answer for many, and is not waited for.
    let mut deaf = app.device("ana").await.into_inner();
    let pings = masked(0x89, &[b'x'; 125]).repeat(100_000);
    let written = within("pings", deaf.write_all(&pings)).await;
    assert!(written.is_ok());
    deaf.write_all(&masked(0x88, &1000_u16.to_be_bytes())).await.unwrap();
    drop(deaf);
    app.is_unharmed().await;
    app.stop().await;
}
