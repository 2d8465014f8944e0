//! The log as a stream of server-sent events, read from the bare connection.

use crate::app::{ADMIN, Setup, TestApp, usersig, within};
use crate::v1_call::{act, bearer};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

struct Stream {
    lines: Lines<BufReader<TcpStream>>,
}

#[derive(Debug)]
struct Heard {
    id: String,
    event: String,
    data: Value,
}

impl Stream {
    async fn open(app: &TestApp, query: &str, headers: &str) -> Self {
        let mut connection = app.connect().await;
        let admin = bearer(&usersig(ADMIN));
        let request = format!(
            "GET /v1/apps/1400000001/events{query} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAccept: text/event-stream\r\n{admin}{headers}\r\n"
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        Self { lines: BufReader::new(connection).lines() }
    }

    async fn line(&mut self) -> Option<String> {
        within("a line of the stream", self.lines.next_line()).await.unwrap()
    }

    /// Status line and headers, in lower case.
    async fn head(&mut self) -> String {
        let mut head = String::new();
        while let Some(line) = self.line().await.filter(|line| !line.is_empty()) {
            head.push_str(&line.to_lowercase());
            head.push('\n');
        }
        head
    }

    /// The next event. `None` at the end of the stream.
    async fn next(&mut self) -> Option<Heard> {
        let mut heard = Heard { id: String::new(), event: String::new(), data: Value::Null };
        // The lines between are of the chunks that the stream comes in.
        while let Some(line) = self.line().await {
            match line.split_once(": ") {
                Some(("id", id)) => heard.id = id.to_owned(),
                Some(("event", event)) => heard.event = event.to_owned(),
                Some(("data", data)) => {
                    heard.data = serde_json::from_str(data).unwrap();
                    return Some(heard);
                }
                _ => {}
            }
        }
        None
    }

    async fn text(&mut self) -> Option<String> {
        let heard = self.next().await?;
        assert_eq!((&heard.data["event"], &heard.data["position"]), (&heard.event.into(), &heard.id.into()));
        Some(heard.data["body"]["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn events_come_as_they_are_recorded_until_the_server_stops() {
    let app = Setup::default().start().await;
    app.send_ok(["ana", "bo"], 1, "one").await;
    let mut stream = Stream::open(&app, "", "").await;
    let head = stream.head().await;
    assert!(head.starts_with("http/1.1 200 ok\n"), "{head}");
    assert!(head.contains("\ncontent-type: text/event-stream\n"), "{head}");
    assert!(head.contains("\ncache-control: no-store\n"), "{head}");
    assert_eq!(stream.text().await.unwrap(), "one");
    for text in ["two", "three"] {
        app.send_ok(["ana", "bo"], 2, text).await;
        assert_eq!(stream.text().await.unwrap(), text);
    }
    app.stop().await;
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_left() {
    let mut app = Setup::default().start().await;
    let mut stream = Stream::open(&app, "?after=0-0", "").await;
    for text in ["one", "two", "three"] {
        app.send_ok(["ana", "bo"], 1, text).await;
    }
    assert_eq!(stream.text().await.unwrap(), "one");
    let second = stream.next().await.unwrap();
    drop(stream);
    app = app.restart().await;
    app.send_ok(["ana", "bo"], 1, "four").await;
    // As a browser does it: the same address as in the beginning, and the position as a header.
    let last = format!("Last-Event-ID: {}\r\n", second.id);
    let mut stream = Stream::open(&app, "?after=0-0", &last).await;
    for text in ["three", "four"] {
        assert_eq!(stream.text().await.unwrap(), text);
    }
    app.stop().await;
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_stream_may_be_of_some_events_only() {
    let app = Setup::default().start().await;
    let mut stream = Stream::open(&app, "?event=State.StateChange", "").await;
    for event in
        ["C2C.CallbackAfterSendMsg", "State.StateChange", "Sns.CallbackFriendAdd", "State.StateChange"]
    {
        act(&app, "/trigger", &format!(r#"{{"event":"{event}","from":"{event}"}}"#)).await;
    }
    for place in ["-2", "-4"] {
        let heard = stream.next().await.unwrap();
        assert_eq!(heard.event, "State.StateChange");
        assert!(heard.id.ends_with(place), "{heard:?}");
        assert_eq!(heard.data["body"]["Info"]["To_Account"], "State.StateChange");
    }
    app.stop().await;
}

/// A stream cannot be refused once it has begun, so everything is looked at before.
#[tokio::test]
async fn a_stream_that_cannot_begin_is_refused() {
    let app = Setup::default().start().await;
    for (query, headers, status) in [
        ("?after=1-1", "", "410 gone"),
        ("", "Last-Event-ID: 1-1\r\n", "410 gone"),
        ("", "Last-Event-ID: nonsense\r\n", "400 bad request"),
        ("?limit=x", "", "400 bad request"),
    ] {
        let mut stream = Stream::open(&app, query, headers).await;
        let head = stream.head().await;
        assert!(head.starts_with(&format!("http/1.1 {status}\n")), "{head}");
    }
    app.stop().await;
}
