//! One WebSocket: messages of text in, frames out, and an end in order.
//!
//! Most sessions are silent most of the time, and there are many: a socket holds no buffer while nothing is under way.
//! What arrives is read to the stack, and only what is not yet a whole message is kept.

use axum::extract::ws::Utf8Bytes;
use bytes::{Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use metrics::counter;
use protocol::CloseCode;
use protocol::client::{self, KickReason};
use protocol::websocket::{self, Head, HeadBytes, Op};
use std::future::poll_fn;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};

/// A write that gets no further for longer has a reader that is not there.
const WRITE_TIMEOUT_SECS: u64 = 10;
/// What a reader has to take in that time, if there is as much: a slow link gets a long answer in pieces of this length.
const WRITE_PROGRESS_BYTES: usize = 32 * 1024;
/// For the peer to take its leave.
const CLOSE_TIMEOUT_SECS: u64 = 1;
/// Read at once: many frames of usual size.
const READ_LEN_MAX: usize = 8 * 1024;
/// Frames taken apart at once. A message in many pieces is a while of work that brings nothing to anybody.
const FRAMES_AT_ONCE_MAX: usize = 256;
/// Room to read what nobody wants to know any more.
const DISCARDED_LEN_MAX: usize = 512;
/// How a client closes that does not want to come back. One whose page or process ends closes otherwise, or not at all.
const NORMAL_CLOSURE: u16 = 1000;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The peer closed, or the connection broke.
    Gone,
    Closed(CloseCode),
    /// The user is logged out, and hears of it before the close.
    Kicked(KickReason),
}

/// What a device did.
#[derive(Debug)]
pub(super) enum Heard {
    Text(Utf8Bytes),
    /// It is there, and says no more than that.
    Alive,
    Closed {
        /// It said goodbye, rather than vanish.
        for_good: bool,
    },
}

#[derive(Debug)]
pub(super) struct Socket {
    io: TokioIo<Upgraded>,
    message_len_max: usize,
    /// What has arrived of the next frame.
    input: BytesMut,
    /// What has arrived of a message that comes in several frames.
    pieces: Option<Box<Pieces>>,
    /// The latest ping, not yet answered.
    pinged: Option<Bytes>,
    /// An answer to a ping that has gone out in part.
    unsent: BytesMut,
}

#[derive(Debug)]
struct Pieces {
    is_text: bool,
    bytes: BytesMut,
}

struct Frame {
    op: Op,
    is_last: bool,
    payload: BytesMut,
}

/// How long a write may take. What matters is that it gets on: one deadline for the whole would let nobody on a slow
/// link have a long answer, and one for the next byte would let a reader hold a session for as long as it likes.
#[derive(Debug)]
struct Patience {
    until: Instant,
    /// Since the deadline was set.
    bytes: usize,
}

impl Patience {
    fn new(now: Instant) -> Self {
        Self { until: now + Duration::from_secs(WRITE_TIMEOUT_SECS), bytes: 0 }
    }

    fn wrote(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes;
        if self.bytes >= WRITE_PROGRESS_BYTES {
            *self = Self::new(now);
        }
    }
}

impl Socket {
    pub(super) fn new(io: Upgraded, message_len_max: usize) -> Self {
        let (input, unsent) = (BytesMut::new(), BytesMut::new());
        Self { io: TokioIo::new(io), message_len_max, input, pieces: None, pinged: None, unsent }
    }

    /// What the device does next. Cancel-safe.
    pub(super) async fn hear(&mut self) -> Result<Heard, End> {
        poll_fn(|cx| self.poll_hear(cx)).await
    }

    fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, End>> {
        let mut frames = 0;
        loop {
            while let Some(frame) = self.next_frame()? {
                frames += 1;
                if let Some(heard) = self.understand(frame)? {
                    self.answer_ping(cx)?;
                    return Poll::Ready(Ok(heard));
                }
                if frames >= FRAMES_AT_ONCE_MAX {
                    // The rest as soon as others had their turn.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            // A device that does not read its pongs is heard all the same.
            self.answer_ping(cx)?;
            let mut room = [const { MaybeUninit::uninit() }; READ_LEN_MAX];
            let mut read = ReadBuf::uninit(&mut room);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut read)).map_err(|_broken| End::Gone)?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(Heard::Closed { for_good: false }));
            }
            self.input.extend_from_slice(read.filled());
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, End> {
        let bad = End::Closed(CloseCode::BadFrame);
        let Some(head) = Head::parse(&self.input).map_err(|_malformed| bad)? else { return Ok(None) };
        let Head { op, is_last, mask, head_len, payload_len } = head;
        // What a client sends is masked: a server must not listen to anything else.
        let mask = mask.ok_or(bad)?;
        let len = usize::try_from(payload_len).ok().filter(|len| *len <= self.message_len_max);
        let len = len.ok_or(End::Closed(CloseCode::FrameTooLarge))?;
        if self.input.len() < head_len + len {
            return Ok(None);
        }
        let mut payload = self.input.split_to(head_len + len).split_off(head_len);
        websocket::mask(&mut payload, mask);
        if self.input.is_empty() {
            // Lets go of the memory, which the payload may outlive.
            self.input = BytesMut::new();
        }
        Ok(Some(Frame { op, is_last, payload }))
    }

    /// `None`: a piece of something.
    fn understand(&mut self, frame: Frame) -> Result<Option<Heard>, End> {
        let bad = End::Closed(CloseCode::BadFrame);
        let Frame { op, is_last, payload } = frame;
        let (is_text, bytes) = match op {
            Op::Ping => {
                self.pinged = Some(payload.freeze());
                return Ok(Some(Heard::Alive));
            }
            Op::Pong => return Ok(Some(Heard::Alive)),
            Op::Close => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                return Ok(Some(Heard::Closed { for_good: code == Some(NORMAL_CLOSURE) }));
            }
            Op::Text | Op::Binary if self.pieces.is_some() => return Err(bad),
            Op::Text | Op::Binary => (op == Op::Text, payload),
            // It would be no end of a message that never gets longer.
            Op::Continuation if payload.is_empty() && !is_last => return Err(bad),
            Op::Continuation => {
                let mut pieces = self.pieces.take().ok_or(bad)?;
                if pieces.bytes.len() + payload.len() > self.message_len_max {
                    return Err(End::Closed(CloseCode::FrameTooLarge));
                }
                pieces.bytes.extend_from_slice(&payload);
                (pieces.is_text, pieces.bytes)
            }
        };
        if !is_last {
            self.pieces = Some(Box::new(Pieces { is_text, bytes }));
            return Ok(None);
        }
        match Utf8Bytes::try_from(bytes.freeze()) {
            Ok(text) if is_text => Ok(Some(Heard::Text(text))),
            _ => Err(bad),
        }
    }

    /// Writes pongs as far as there is room. Only the latest ping has to be answered.
    fn answer_ping(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            match self.poll_unsent(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(written) => written?,
            }
            let Some(ping) = self.pinged.take() else { return Ok(()) };
            self.unsent.extend_from_slice(HeadBytes::new(Op::Pong, ping.len(), None).as_ref());
            self.unsent.extend_from_slice(&ping);
        }
    }

    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        while !self.unsent.is_empty() {
            let len =
                ready!(Pin::new(&mut self.io).poll_write(cx, &self.unsent)).map_err(|_broken| End::Gone)?;
            let _written = self.unsent.split_to(len);
            if len == 0 {
                return Poll::Ready(Err(End::Gone));
            }
        }
        self.unsent = BytesMut::new();
        // Under TLS, what was taken is not yet out.
        Pin::new(&mut self.io).poll_flush(cx).map_err(|_broken| End::Gone)
    }

    async fn send(&mut self, op: Op, payload: &[u8]) -> Result<(), End> {
        let head = HeadBytes::new(op, payload.len(), None);
        let (mut head, mut payload) = (head.as_ref(), payload);
        let mut patience = Patience::new(Instant::now());
        let mut alarm = pin!(sleep_until(patience.until));
        let written = poll_fn(|cx| {
            if let Poll::Ready(written) = self.poll_send(cx, [&mut head, &mut payload], &mut patience) {
                return Poll::Ready(Some(written));
            }
            alarm.as_mut().reset(patience.until);
            alarm.as_mut().poll(cx).map(|()| None)
        });
        if let Some(written) = written.await {
            return written;
        }
        // Whatever is said after this must not stand in the middle of a frame.
        self.unsent.extend_from_slice(head);
        self.unsent.extend_from_slice(payload);
        Err(End::Closed(CloseCode::SlowReader))
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        [head, payload]: [&mut &[u8]; 2],
        patience: &mut Patience,
    ) -> Poll<Result<(), End>> {
        ready!(self.poll_unsent(cx))?;
        while !head.is_empty() || !payload.is_empty() {
            let slices = [IoSlice::new(head), IoSlice::new(payload)];
            let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, &slices));
            let len = written.map_err(|_broken| End::Gone)?;
            if len == 0 {
                return Poll::Ready(Err(End::Gone));
            }
            patience.wrote(len, Instant::now());
            let of_head = len.min(head.len());
            (*head, *payload) = (&head[of_head..], &payload[len - of_head..]);
        }
        Pin::new(&mut self.io).poll_flush(cx).map_err(|_broken| End::Gone)
    }

    pub(super) async fn write(&mut self, text: &[u8]) -> Result<(), End> {
        self.send(Op::Text, text).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), End> {
        self.send(Op::Ping, &[]).await
    }

    /// Ends a connection as its end wants it.
    pub(super) async fn end(mut self, end: End) {
        let code = match end {
            End::Gone => None,
            End::Closed(code) => Some(code),
            End::Kicked(reason) => {
                counter!("couplet_gateway_kicks_total", "reason" => reason.as_str()).increment(1);
                let mut frame = Vec::new();
                client::Push::Kicked { reason }.write(&mut frame);
                // The close frame says nearly the same to whoever is still there.
                let _unheard = self.write(&frame).await;
                Some(reason.close_code())
            }
        };
        let mut payload = Vec::new();
        if let Some(code) = code {
            counter!("couplet_gateway_closes_total", "code" => code.name()).increment(1);
            payload.extend(code.number().to_be_bytes());
            payload.extend(code.text().as_bytes());
        }
        // A peer that is gone or not reading does not hear it; that is why it finds its code again when it reconnects.
        let _unheard = timeout(Duration::from_secs(CLOSE_TIMEOUT_SECS), self.close(&payload)).await;
    }

    /// Says goodbye, and reads until the peer has closed its half: a connection that is closed over unread bytes is
    /// reset, and the peer would not hear what was said last.
    async fn close(&mut self, payload: &[u8]) -> Result<(), End> {
        self.send(Op::Close, payload).await?;
        self.io.shutdown().await.map_err(|_broken| End::Gone)?;
        poll_fn(|cx| {
            loop {
                let mut room = [const { MaybeUninit::uninit() }; DISCARDED_LEN_MAX];
                let mut read = ReadBuf::uninit(&mut room);
                let polled = ready!(Pin::new(&mut self.io).poll_read(cx, &mut read));
                if polled.is_err() || read.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_gets_on_may_take_long() {
        let begin = Instant::now();
        let after = |secs| begin + Duration::from_secs(secs);
        let mut patience = Patience::new(begin);
        assert_eq!(patience.until, after(10));
        // Byte by byte is not how it gets on.
        patience.wrote(1, after(9));
        patience.wrote(WRITE_PROGRESS_BYTES - 2, after(9));
        assert_eq!(patience.until, after(10));
        patience.wrote(1, after(9));
        assert_eq!(patience.until, after(19));
        patience.wrote(WRITE_PROGRESS_BYTES - 1, after(18));
        assert_eq!(patience.until, after(19));
        patience.wrote(100_000, after(19));
        assert_eq!(patience.until, after(29));
    }
}
