//! A device on the WebSocket.

use crate::app::within;
use crate::client_document::Asked;
use crate::literal::literal;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, client_async};

#[derive(Debug)]
pub(crate) struct Device<S = TcpStream> {
    socket: WebSocketStream<S>,
    /// What the server said of the login; `null` before it.
    pub(crate) connected: Value,
    asked: Asked,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Device<S> {
    /// Opens a WebSocket over a connection, and does not log in.
    pub(crate) async fn over(stream: S) -> Self {
        let opening = client_async("ws://test/ws", stream);
        let (socket, _) = within("the WebSocket handshake", opening).await.unwrap();
        Self { socket, connected: Value::Null, asked: Asked::default() }
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn say(&mut self, frame: impl Into<String>) {
        let frame = frame.into();
        self.asked.note(&frame);
        self.send(Message::text(frame)).await;
    }

    /// What the next pong says.
    pub(crate) async fn hear_pong(&mut self) -> Vec<u8> {
        match within("a pong", self.socket.next()).await {
            Some(Ok(Message::Pong(said))) => said.to_vec(),
            other => panic!("a pong was expected: {other:?}"),
        }
    }

    /// The connection alone: nobody answers pings any more.
    pub(crate) fn into_inner(self) -> S {
        self.socket.into_inner()
    }

    async fn hear_exactly(&mut self) -> String {
        loop {
            match within("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    self.asked.check(text.as_str());
                    return text.as_str().to_owned();
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a text frame was expected: {other:?}"),
            }
        }
    }

    /// The next frame, in normal form.
    pub(crate) async fn hear(&mut self) -> String {
        literal(&self.hear_exactly().await)
    }

    pub(crate) async fn hear_json(&mut self) -> Value {
        serde_json::from_str(&self.hear_exactly().await).unwrap()
    }

    pub(crate) async fn ask(&mut self, frame: impl Into<String>) -> String {
        self.say(frame).await;
        self.hear().await
    }

    /// The next push, which must be of a message: its offset, unread total and first text.
    pub(crate) async fn hear_message(&mut self) -> (u64, u64, String) {
        let push = self.hear_json().await;
        assert_eq!(push["push"], "message", "{push}");
        let text = push["message"]["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap_or_default();
        let number = |value: &Value| value.as_u64().unwrap();
        (number(&push["position"]["offset"]), number(&push["unread"]), text.to_owned())
    }

    /// Says goodbye with this code, and waits for the answer.
    pub(crate) async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.send(Message::Close(Some(frame))).await;
        within("the answer to a close", async { while let Some(Ok(_)) = self.socket.next().await {} }).await;
    }

    /// Why the server logs the device out, and the code that it closes with. Nothing may come before.
    pub(crate) async fn kicked(&mut self) -> (String, u16) {
        let push = self.hear_json().await;
        assert_eq!(push["push"], "kicked", "{push}");
        (push["reason"].as_str().unwrap().to_owned(), self.closed().await.0)
    }

    /// The code and the reason that the server closes with. Nothing may come before.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match within("a close frame", self.socket.next()).await {
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    // Reads on, so that the peer hears that its close was heard.
                    while let Some(Ok(_)) = self.socket.next().await {}
                    return (code.into(), reason.as_str().to_owned());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a close frame was expected: {other:?}"),
            }
        }
    }
}
