//! The app's backend: accepts callbacks as fast as one thread can, and notes when each came.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::{LocalSet, spawn_local},
};

use super::{
    clock,
    http::Scanner,
    ledger::{self, Receipt},
    plan::{Ask, Received},
    process,
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n\
    {\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"ErrorInfo\":\"\"}";

struct Receiver {
    port: u16,
    scanner: Scanner,
    before: Cell<u64>,
    receipts: RefCell<Vec<Receipt>>,
    fault: RefCell<Option<String>>,
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
        before: Cell::new(0),
        receipts: RefCell::default(),
        fault: RefCell::default(),
    });
    process::tell_parent(&receiver.received())?;
    // A socket that is bound and does not listen refuses connections, and nobody else can take its port meanwhile.
    let mut closed = Some(socket);
    let mut asked = process::parent::<Ask>();
    while let Some(ask) = asked.recv().await {
        let received = receiver.received();
        match ask {
            Ask::Listen => {
                let listener = closed.take().context("told to listen twice")?.listen(4096)?;
                spawn_local(accept(Rc::clone(&receiver), listener));
            }
            Ask::Count => {}
            Ask::Take { path } => {
                ledger::write_receipts(&path, &receiver.receipts.take())?;
                receiver.before.set(0);
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
                if self.scanner.asks_before_send(&request) {
                    self.before.set(self.before.get() + 1);
                } else {
                    let random = self.scanner.random(request.body).context("a callback without MsgRandom")?;
                    self.receipts.borrow_mut().push(Receipt { random, received_ns: clock::now_ns() });
                }
                used += request.len();
                if stream.write_all(ANSWER).await.is_err() {
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

    fn fail(&self, fault: String) {
        self.fault.borrow_mut().get_or_insert(fault);
    }

    fn received(&self) -> Received {
        let after = self.receipts.borrow().len() as u64;
        Received { port: self.port, before: self.before.get(), after, fault: self.fault.borrow().clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let answer = Scanner::new().message(ANSWER).unwrap().unwrap();
        assert_eq!(answer.len(), ANSWER.len());
    }
}
