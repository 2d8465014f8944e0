//! Load over the REST API: requests that are patched, never built.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, Result};
use memchr::memmem;
use tokio::{
    io::AsyncReadExt,
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
};

pub(super) const TEXT: &str = "Shall we meet at the fountain, at noon?";

const CONNECTS_AT_ONCE: u32 = 64;
const CONNECT_PAUSE: Duration = Duration::from_millis(1);

pub(super) struct Lines {
    load: Rc<Load>,
    scanner: Scanner,
    lines: Vec<Line>,
    /// Lines that wait for the schedule, and messages that wait for a line. One of the two is always empty. Lines take
    /// turns: one that was never used would be closed by the server.
    idle: RefCell<VecDeque<usize>>,
    overdue: RefCell<VecDeque<u32>>,
}

struct Line {
    writer: OwnedWriteHalf,
    request: RefCell<Request>,
    message: Cell<u32>,
}

impl Lines {
    pub(super) async fn connect(load: &Rc<Load>) -> Result<Rc<Self>> {
        let template = Request::new(&load.plan)?;
        let (mut lines, mut readers) = (Vec::new(), Vec::new());
        for line in 0..load.plan.lines {
            // One that finds the server's queue of new connections full is held up for a second, and those that
            // were opened before it are closed meanwhile, since they say nothing.
            if line % CONNECTS_AT_ONCE == 0 {
                tokio::time::sleep(CONNECT_PAUSE).await;
            }
            let stream = TcpStream::connect(load.plan.target).await?;
            stream.set_nodelay(true)?;
            let (reader, writer) = stream.into_split();
            lines.push(Line { writer, request: RefCell::new(template.clone()), message: Cell::new(0) });
            readers.push(reader);
        }
        let idle = RefCell::new((0..lines.len()).collect());
        let lines = Lines {
            load: Rc::clone(load),
            scanner: Scanner::new(),
            lines,
            idle,
            overdue: RefCell::default(),
        };
        let lines = Rc::new(lines);
        for (line, reader) in readers.into_iter().enumerate() {
            let lines = Rc::clone(&lines);
            spawn_local(async move {
                if let Err(error) = lines.read(line, reader).await {
                    lines.load.fail(format!("{error:#}"));
                }
            });
        }
        Ok(lines)
    }

    pub(super) fn start(&self) {
        for line in 0..self.lines.len() {
            if let Some(n) = self.load.next() {
                self.send(line, n);
            }
        }
    }

    pub(super) fn dispatch(&self, n: u32) {
        match self.idle.borrow_mut().pop_front() {
            Some(line) => self.send(line, n),
            None => self.overdue.borrow_mut().push_back(n),
        }
    }

    fn send(&self, line: usize, n: u32) {
        let line = &self.lines[line];
        line.message.set(n);
        let mut request = line.request.borrow_mut();
        request.patch(self.load.plan.people.pair_of(n), self.load.random_of(n));
        // The socket's buffer is empty, since the line had nothing under way.
        match line.writer.try_write(&request.bytes) {
            Ok(len) if len == request.bytes.len() => {}
            Ok(_) => self.load.fail("the server takes only part of a request"),
            Err(error) => self.load.fail(format!("sending: {error}")),
        }
    }

    async fn read(&self, line: usize, mut reader: OwnedReadHalf) -> Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        let mut filled = 0;
        loop {
            let len = reader.read(&mut buffer[filled..]).await.context("reading an answer")?;
            anyhow::ensure!(len > 0, "the server closed a connection");
            filled += len;
            if let Some(answer) = self.scanner.message(&buffer[..filled])? {
                anyhow::ensure!(answer.len() == filled, "an answer to nothing");
                let body = String::from_utf8_lossy(answer.body);
                anyhow::ensure!(self.scanner.is_ok(&answer), "a request is refused: {body}");
                filled = 0;
                self.answered(line);
            } else if filled == buffer.len() {
                buffer.resize(filled * 2, 0);
            }
        }
    }

    fn answered(&self, line: usize) {
        let answered_ns = clock::now_ns();
        self.load.note(self.lines[line].message.get(), |sent| sent.answered_ns = answered_ns);
        self.load.finish();
        let next = self.overdue.borrow_mut().pop_front().or_else(|| self.load.next());
        match next {
            Some(n) => self.send(line, n),
            None => self.idle.borrow_mut().push_back(line),
        }
    }
}

/// A request with the places that differ from message to message.
#[derive(Clone)]
struct Request {
    bytes: Vec<u8>,
    from_at: usize,
    to_at: usize,
    random_at: Option<usize>,
}

impl Request {
    fn new(plan: &Plan) -> Result<Self> {
        let names = "XXXXXXXX\",\"";
        let (path, body) = match &plan.work {
            Work::Send { path, event } => {
                let forbid = "\"ForbidCallbackControl\":[\"ForbidAfterSendMsgCallback\"],";
                let body = format!(
                    "{{\"From_Account\":\"{names}To_Account\":\"YYYYYYYY\",\"MsgRandom\":{RANDOM_MIN},{}\
                     \"MsgBody\":[{{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{{\"Text\":\"{TEXT}\"}}}}]}}",
                    if *event { "" } else { forbid }
                );
                (path, body)
            }
            Work::History { path } => {
                let body = format!(
                    "{{\"Operator_Account\":\"{names}Peer_Account\":\"YYYYYYYY\",\"MaxCnt\":20,\"MinTime\":0,\
                     \"MaxTime\":{}}}",
                    u32::MAX
                );
                (path, body)
            }
            Work::Sessions { .. } => anyhow::bail!("sessions do not send requests"),
        };
        let bytes = http::post_request(plan.target, path, &body);
        let find = |what: &str| memmem::rfind(&bytes, what.as_bytes());
        Ok(Request {
            from_at: find("XXXXXXXX").context("a sender")?,
            to_at: find("YYYYYYYY").context("a recipient")?,
            random_at: find("\"MsgRandom\":").map(|at| at + 12),
            bytes,
        })
    }

    fn patch(&mut self, (from, to): (u32, u32), random: u32) {
        people::write_name(&mut self.bytes[self.from_at..][..NAME_LEN], from);
        people::write_name(&mut self.bytes[self.to_at..][..NAME_LEN], to);
        if let Some(at) = self.random_at {
            people::write_digits(&mut self.bytes[at..][..RANDOM_LEN], random);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::people::People, *};

    #[test]
    fn a_patched_request_is_whole_and_valid() {
        let work = |event| Work::Send { path: "/v4/openim/sendmsg?x=1".to_owned(), event };
        for work in
            [work(true), work(false), Work::History { path: "/v4/openim/admin_getroammsg".to_owned() }]
        {
            let plan = Plan {
                target: "127.0.0.1:80".parse().unwrap(),
                work,
                lines: 1,
                people: People::new(100),
                first_random: RANDOM_MIN,
                ledger: None,
            };
            let mut request = Request::new(&plan).unwrap();
            request.patch((3, 14), 1_234_567_890);
            let message = Scanner::new().message(&request.bytes).unwrap().unwrap();
            assert_eq!(message.len(), request.bytes.len());
            let body: serde_json::Value = serde_json::from_slice(message.body).unwrap();
            let text = body.to_string();
            assert!(text.contains("\"u0000003\"") && text.contains("\"u0000014\""), "{text}");
            if request.random_at.is_some() {
                assert_eq!(body["MsgRandom"], 1_234_567_890);
            }
        }
    }
}
