//! The app's backend: accepts callbacks as fast as one thread can, and notes when each came; or does as it is told to.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::{LocalSet, spawn_local},
    time::sleep,
};

use super::{
    clock,
    conduct::{Call, Conduct, Turn},
    http::{Message, Scanner},
    ledger::{self, Receipt},
    plan::{Ask, Received},
    process,
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n\
    {\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"ErrorInfo\":\"\"}";
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const FAILURE: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

/// The head of ten gibibytes.
const ENDLESS_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10737418240\r\n\r\n";
const ENDLESS_CHUNK: &[u8] = &[b' '; 64 * 1024];
const ENDLESS_CHUNKS: usize = 160 * 1024;

const TRICKLE_PAUSE: Duration = Duration::from_secs(1);

struct Receiver {
    port: u16,
    scanner: Scanner,
    conduct: Cell<Conduct>,
    calls: Cell<u64>,
    before: Cell<u64>,
    told: Cell<u64>,
    receipts: RefCell<Vec<Receipt>>,
    /// What was called for so far, by `MsgRandom`. Kept only where the conduct asks for it.
    met: RefCell<HashMap<u32, Met>>,
    fault: RefCell<Option<String>>,
}

#[derive(Default)]
struct Met {
    attempts: u32,
    accepted: bool,
}

pub(super) fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve())
}

async fn serve() -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.1:0".parse()?)?;
    let receiver = Rc::new(Receiver {
        port: socket.local_addr()?.port(),
        scanner: Scanner::new(),
        conduct: Cell::new(Conduct::Absent),
        calls: Cell::new(0),
        before: Cell::new(0),
        told: Cell::new(0),
        receipts: RefCell::default(),
        met: RefCell::default(),
        fault: RefCell::default(),
    });
    process::tell_parent(&receiver.received())?;
    // A socket that is bound and does not listen refuses connections, and nobody else can take its port meanwhile.
    let mut closed = Some(socket);
    let mut asked = process::parent::<Ask>();
    while let Some(ask) = asked.recv().await {
        let received = receiver.received();
        match ask {
            Ask::Behave { conduct: Conduct::Absent } if closed.is_some() => {}
            Ask::Behave { conduct: Conduct::Absent } => receiver.fail("it cannot stop to listen".to_owned()),
            Ask::Behave { conduct } => {
                receiver.conduct.set(conduct);
                if let Some(socket) = closed.take() {
                    spawn_local(accept(Rc::clone(&receiver), socket.listen(4096)?));
                }
            }
            Ask::Count => {}
            Ask::Take { path } => {
                ledger::write_receipts(&path, &receiver.receipts.take())?;
                receiver.met.take();
                for count in [&receiver.calls, &receiver.before, &receiver.told] {
                    count.set(0);
                }
            }
        }
        process::tell_parent(&received)?;
    }
    Ok(())
}

async fn accept(receiver: Rc<Receiver>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                spawn_local(connection(Rc::clone(&receiver), stream));
            }
            Err(error) => receiver.fail(format!("accepting: {error}")),
        }
    }
}

async fn connection(receiver: Rc<Receiver>, mut stream: TcpStream) {
    if let Err(error) = receiver.answer_all(&mut stream).await {
        receiver.fail(format!("{error:#}"));
    }
}

impl Receiver {
    async fn answer_all(&self, stream: &mut TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; 32 * 1024];
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await;
            // A server that stops or dies leaves its connections; that is judged by the counts.
            let Ok(len @ 1..) = read else { return Ok(()) };
            filled += len;
            let mut used = 0;
            while let Some(request) = self.scanner.message(&buffer[used..filled])? {
                let turn = self.take(&request)?;
                used += request.len();
                let is_done = match turn {
                    Turn::Accept => stream.write_all(ANSWER).await.is_ok(),
                    turn => act(turn, stream).await,
                };
                if !is_done {
                    return Ok(());
                }
            }
            buffer.copy_within(used..filled, 0);
            filled -= used;
            if filled == buffer.len() {
                buffer.resize(filled * 2, 0);
            }
        }
    }

    /// Notes a call, and decides about it.
    fn take(&self, request: &Message<'_>) -> Result<Turn> {
        self.calls.set(self.calls.get() + 1);
        let is_question = self.scanner.asks_before_send(request);
        if is_question {
            self.before.set(self.before.get() + 1);
        }
        let conduct = self.conduct.get();
        if conduct != Conduct::Healthy {
            return self.judge(conduct, request, is_question);
        }
        if !is_question {
            let random = self.scanner.random(request.body).context("a callback without MsgRandom")?;
            let receipt = Receipt { random, place: 0, accepted: true, received_ns: clock::now_ns() };
            self.receipts.borrow_mut().push(receipt);
            self.told.set(self.told.get() + 1);
        }
        Ok(Turn::Accept)
    }

    fn judge(&self, conduct: Conduct, request: &Message<'_>, is_question: bool) -> Result<Turn> {
        let received_ns = clock::now_ns();
        let random = self.scanner.random(request.body).context("a callback without MsgRandom")?;
        let place = if is_question {
            0
        } else {
            self.scanner.event_place(request.head).context("an event without id")?
        };
        let mut met = self.met.borrow_mut();
        let met = met.entry(random).or_default();
        let turn = conduct.turn(Call { random, attempts_before: met.attempts, at_ns: received_ns });
        let accepted = matches!(turn, Turn::Accept | Turn::AcceptLater { .. });
        self.receipts.borrow_mut().push(Receipt { random, place, accepted, received_ns });
        if accepted && !met.accepted && !is_question {
            self.told.set(self.told.get() + 1);
        }
        met.attempts += 1;
        met.accepted |= accepted;
        Ok(turn)
    }

    fn fail(&self, fault: String) {
        self.fault.borrow_mut().get_or_insert(fault);
    }

    fn received(&self) -> Received {
        Received {
            port: self.port,
            calls: self.calls.get(),
            before: self.before.get(),
            after: self.told.get(),
            fault: self.fault.borrow().clone(),
        }
    }
}

/// Does what was decided, and answers whether the connection can be used again.
async fn act(turn: Turn, stream: &mut TcpStream) -> bool {
    match turn {
        Turn::Accept => stream.write_all(ANSWER).await.is_ok(),
        Turn::AcceptLater { delay_ms } => {
            sleep(Duration::from_millis(delay_ms)).await;
            stream.write_all(ANSWER).await.is_ok()
        }
        Turn::Refuse => stream.write_all(REFUSAL).await.is_ok(),
        Turn::Fail => stream.write_all(FAILURE).await.is_ok(),
        Turn::Hang => {
            let mut rest = [0; 1_024];
            while let Ok(1..) = stream.read(&mut rest).await {}
            false
        }
        Turn::Trickle => {
            for byte in ANSWER.chunks(1) {
                if stream.write_all(byte).await.is_err() {
                    return false;
                }
                sleep(TRICKLE_PAUSE).await;
            }
            true
        }
        Turn::Endless => {
            if stream.write_all(ENDLESS_HEAD).await.is_err() {
                return false;
            }
            for _ in 0..ENDLESS_CHUNKS {
                if stream.write_all(ENDLESS_CHUNK).await.is_err() {
                    return false;
                }
            }
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        for text in [ANSWER, REFUSAL, FAILURE] {
            let answer = Scanner::new().message(text).unwrap().unwrap();
            assert_eq!(answer.len(), text.len());
        }
        assert_eq!(ENDLESS_CHUNK.len() * ENDLESS_CHUNKS, 10 << 30);
    }
}
