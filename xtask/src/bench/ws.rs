//! Load over WebSockets: pairs of sessions, of which the even one writes and the odd one reads.
//!
//! A client's frame is masked with a key of zeros, which leaves the text as it is. The mask guards intermediaries
//! against hostile pages; there are neither here, and the server has to unmask all the same.

use std::{cell::RefCell, ops::Range, rc::Rc};

use anyhow::{Context, Result, anyhow, bail, ensure};
use memchr::memmem::{self, Finder};
use protocol::{
    usersig::{Lifetime, Secret, generate},
    websocket::{Head, HeadBytes, Op},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::spawn_local,
};

use super::{
    clock,
    http::{self, Scanner},
    load::Load,
    people::{self, NAME_LEN, RANDOM_LEN, RANDOM_MIN},
    plan::{Plan, Work},
    rest::TEXT,
};

pub(super) struct Lines {
    load: Rc<Load>,
    scanner: Scanner,
    ok: Finder<'static>,
    sessions: Vec<OwnedWriteHalf>,
    send: RefCell<SendFrame>,
}

/// What was read of a session and not yet understood.
#[derive(Default)]
struct Inbox {
    bytes: Vec<u8>,
    used: usize,
}

impl Lines {
    pub(super) async fn connect(load: &Rc<Load>) -> Result<Rc<Self>> {
        let (mut sessions, mut readers) = (Vec::new(), Vec::new());
        for user in 0..load.plan.lines * 2 {
            let (reader, writer, inbox) =
                connect(&load.plan, user).await.with_context(|| format!("session {user}"))?;
            sessions.push(writer);
            readers.push((reader, inbox));
        }
        let lines = Rc::new(Lines {
            load: Rc::clone(load),
            scanner: Scanner::new(),
            ok: Finder::new("\"ok\":"),
            sessions,
            send: RefCell::new(SendFrame::new()),
        });
        for (session, (reader, inbox)) in readers.into_iter().enumerate() {
            let lines = Rc::clone(&lines);
            spawn_local(async move {
                if let Err(error) = lines.read(session, reader, inbox).await {
                    lines.load.fail(format!("session {session}: {error:#}"));
                }
            });
        }
        Ok(lines)
    }

    pub(super) fn start(&self) {
        for pair in 0..self.load.plan.lines {
            if let Some(n) = self.load.next() {
                self.send(pair, n);
            }
        }
    }

    pub(super) fn dispatch(&self, n: u32) {
        self.send(n % self.load.plan.lines, n);
    }

    fn send(&self, pair: u32, n: u32) {
        let mut frame = self.send.borrow_mut();
        frame.patch(pair * 2 + 1, self.load.random_of(n));
        self.write((pair * 2) as usize, &frame.bytes);
    }

    fn write(&self, session: usize, frame: &[u8]) {
        match self.sessions[session].try_write(frame) {
            Ok(len) if len == frame.len() => {}
            Ok(_) => self.load.fail("the server takes only part of a frame"),
            Err(error) => self.load.fail(format!("sending: {error}")),
        }
    }

    async fn read(&self, session: usize, mut reader: OwnedReadHalf, mut inbox: Inbox) -> Result<()> {
        loop {
            while let Some((op, payload)) = inbox.frame()? {
                match op {
                    Op::Text => self.text(session, &inbox.bytes[payload])?,
                    Op::Ping => self.write(session, &client_frame(Op::Pong, &inbox.bytes[payload])),
                    Op::Close => bail!("closed: {:?}", String::from_utf8_lossy(&inbox.bytes[payload])),
                    _ => {}
                }
            }
            inbox.fill(&mut reader).await?;
        }
    }

    fn text(&self, session: usize, text: &[u8]) -> Result<()> {
        if text.starts_with(b"{\"push\":\"message\"") {
            // The sender's own device is told as well; only the recipient's counts.
            let random = if session % 2 == 1 { self.scanner.random(text) } else { None };
            if let Some(n) = random.and_then(|random| self.load.message_of(random)) {
                let now_ns = clock::now_ns();
                let before = self.load.note(n, |_| {});
                ensure!(before.pushed_ns == 0, "WRONG COUNT: message {n} was pushed twice to one session");
                self.progress(session, self.load.note(n, |sent| sent.pushed_ns = now_ns));
            }
        } else if let Some(id) = text.strip_prefix(b"{\"id\":").and_then(http::leading_number) {
            ensure!(self.ok.find(text).is_some(), "refused: {}", String::from_utf8_lossy(text));
            if let Some(n) = u32::try_from(id).ok().and_then(|random| self.load.message_of(random)) {
                let now_ns = clock::now_ns();
                self.progress(session, self.load.note(n, |sent| sent.answered_ns = now_ns));
            }
        }
        Ok(())
    }

    /// A pair has one message under way in a closed loop, and writes the next when both ends have seen it.
    fn progress(&self, session: usize, sent: super::ledger::Sent) {
        if sent.answered_ns > 0 && sent.pushed_ns > 0 {
            self.load.finish();
            if let Some(n) = self.load.next() {
                self.send((session / 2) as u32, n);
            }
        }
    }
}

async fn connect(plan: &Plan, user: u32) -> Result<(OwnedReadHalf, OwnedWriteHalf, Inbox)> {
    let Work::Sessions { sdkappid, key } = &plan.work else { bail!("only sessions connect") };
    let stream = TcpStream::connect(plan.target).await?;
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.into_split();
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        plan.target
    );
    writer.write_all(upgrade.as_bytes()).await?;
    let mut inbox = Inbox::default();
    let scanner = Scanner::new();
    let head_len = loop {
        if let Some(len) = scanner.head_len(&inbox.bytes) {
            break len;
        }
        inbox.fill(&mut reader).await?;
    };
    let head = String::from_utf8_lossy(&inbox.bytes[..head_len]);
    ensure!(head.starts_with("HTTP/1.1 101"), "no upgrade: {head}");
    inbox.used = head_len;

    let name = people::name(user);
    let lifetime = Lifetime { time_s: clock::unix_s(), expire_s: 86_400 };
    let usersig = generate(&Secret { sdkappid: *sdkappid, key }, &name, lifetime, None);
    let connect = format!(
        "{{\"id\":1,\"op\":\"connect\",\"sdkappid\":{sdkappid},\"user_id\":\"{name}\",\"usersig\":\"{usersig}\",\
         \"platform\":\"Web\",\"device_id\":\"bench\"}}"
    );
    writer.write_all(&client_frame(Op::Text, connect.as_bytes())).await?;
    loop {
        if let Some((op, payload)) = inbox.frame()? {
            let text = String::from_utf8_lossy(&inbox.bytes[payload]);
            ensure!(op != Op::Close, "closed: {text:?}");
            if text.starts_with("{\"id\":1,") {
                ensure!(text.contains("\"ok\":"), "refused: {text}");
                return Ok((reader, writer, inbox));
            }
        } else {
            inbox.fill(&mut reader).await?;
        }
    }
}

impl Inbox {
    async fn fill(&mut self, reader: &mut OwnedReadHalf) -> Result<()> {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.reserve(4_096);
        let len = reader.read_buf(&mut self.bytes).await.context("reading a frame")?;
        ensure!(len > 0, "the server closed the connection");
        Ok(())
    }

    /// The next whole frame: what it is, and where its payload is.
    fn frame(&mut self) -> Result<Option<(Op, Range<usize>)>> {
        let head = Head::parse(&self.bytes[self.used..]).map_err(|malformed| anyhow!("{malformed:?}"))?;
        let Some(Head { op, is_last, mask, head_len, payload_len }) = head else { return Ok(None) };
        ensure!(is_last && mask.is_none(), "a fragmented or masked frame");
        let start = self.used + head_len;
        let end = start + usize::try_from(payload_len)?;
        if self.bytes.len() < end {
            return Ok(None);
        }
        self.used = end;
        Ok(Some((op, start..end)))
    }
}

fn client_frame(op: Op, payload: &[u8]) -> Vec<u8> {
    let head = HeadBytes::new(op, payload.len(), Some([0; 4]));
    [head.as_ref(), payload].concat()
}

/// The frame of a send. Its request id is the message's random number, so that the answer says which message it is for.
struct SendFrame {
    bytes: Vec<u8>,
    id_at: usize,
    to_at: usize,
    random_at: usize,
}

impl SendFrame {
    fn new() -> Self {
        let text = format!(
            "{{\"id\":{RANDOM_MIN},\"op\":\"send\",\"to\":\"YYYYYYYY\",\"random\":{RANDOM_MIN},\"body\":\
             [{{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{{\"Text\":\"{TEXT}\"}}}}]}}"
        );
        let bytes = client_frame(Op::Text, text.as_bytes());
        let find =
            |what: &str| memmem::find(&bytes, what.as_bytes()).expect("the text above has it") + what.len();
        SendFrame { id_at: find("\"id\":"), to_at: find("\"to\":\""), random_at: find("\"random\":"), bytes }
    }

    fn patch(&mut self, to: u32, random: u32) {
        people::write_digits(&mut self.bytes[self.id_at..][..RANDOM_LEN], random);
        people::write_name(&mut self.bytes[self.to_at..][..NAME_LEN], to);
        people::write_digits(&mut self.bytes[self.random_at..][..RANDOM_LEN], random);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_arrive() {
        for len in [0, 5, 125, 126, 4_000, 70_000] {
            let payload = vec![b'x'; len];
            let mut frame = vec![0x81];
            match len {
                0..=125 => frame.push(len as u8),
                126..=65_535 => frame.extend([[126].as_slice(), &(len as u16).to_be_bytes()].concat()),
                _ => frame.extend([[127].as_slice(), &(len as u64).to_be_bytes()].concat()),
            }
            frame.extend_from_slice(&payload);
            for cut in [0, 1, 2, 3, frame.len() - 1] {
                let mut inbox = Inbox { bytes: frame[..cut.min(frame.len() - 1)].to_vec(), used: 0 };
                assert_eq!(inbox.frame().unwrap(), None, "{cut} of {len}");
            }
            let mut inbox = Inbox { bytes: [frame.as_slice(), &frame].concat(), used: 0 };
            for _ in 0..2 {
                let (op, at) = inbox.frame().unwrap().unwrap();
                assert_eq!((op, &inbox.bytes[at]), (Op::Text, payload.as_slice()));
            }
            assert_eq!(inbox.frame().unwrap(), None);
        }
    }

    #[test]
    fn a_patched_frame_is_valid() {
        let mut frame = SendFrame::new();
        frame.patch(7, 1_234_567_890);
        let json: serde_json::Value = serde_json::from_slice(&frame.bytes[8..]).unwrap();
        assert_eq!((&json["id"], &json["random"]), (&1_234_567_890_u32.into(), &1_234_567_890_u32.into()));
        assert_eq!(json["to"], "u0000007");
    }
}
