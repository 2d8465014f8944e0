//! Writing to a device that may not be reading, and ending a connection in order.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use metrics::counter;
use protocol::CloseCode;
use std::time::Duration;
use tokio::time::timeout;

/// A write that takes longer has a reader that is not there.
const WRITE_TIMEOUT_SECS: u64 = 10;

/// Why a session ends. `None`: the peer closed, or the connection broke.
pub(super) type End = Option<CloseCode>;

/// The peer's fault, or nobody's?
pub(super) fn broken(error: &axum::Error) -> End {
    let text = error.to_string();
    // The library tells these apart only in words.
    if text.contains("too long") || text.contains("Space limit exceeded") {
        return Some(CloseCode::FrameTooLarge);
    }
    None
}

pub(super) async fn write(socket: &mut WebSocket, frame: Vec<u8>) -> Result<(), End> {
    let text = Utf8Bytes::try_from(frame).expect("frames are written as JSON text");
    write_text(socket, text).await
}

pub(super) async fn write_text(socket: &mut WebSocket, frame: Utf8Bytes) -> Result<(), End> {
    send(socket, Message::Text(frame)).await
}

pub(super) async fn send(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(Duration::from_secs(WRITE_TIMEOUT_SECS), socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(None),
        Err(_) => Err(Some(CloseCode::SlowReader)),
    }
}

pub(super) async fn close(mut socket: WebSocket, code: CloseCode) {
    counter!("couplet_gateway_closes_total", "code" => code.name()).increment(1);
    let frame = CloseFrame { code: code.number(), reason: Utf8Bytes::from_static(code.text()) };
    // A peer that is gone or not reading does not hear it; that is why it finds its code again when it reconnects.
    let _unheard = timeout(Duration::from_secs(1), async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            // The peer's own close ends the connection in order; without reading it, it might be reset.
            while let Some(Ok(_)) = socket.recv().await {}
        }
    })
    .await;
}

/// Lets the library answer the close of a peer, which it does while it is being read.
pub(super) async fn finish(mut socket: WebSocket) {
    let _unheard =
        timeout(Duration::from_secs(1), async { while let Some(Ok(_)) = socket.recv().await {} }).await;
}
