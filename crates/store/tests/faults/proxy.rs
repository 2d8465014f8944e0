//! Stands between a store and its database, and breaks what passes at the worst moment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What goes wrong next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Once: the connection ends instead of a commit's arrival.
    CutAtCommit,
    /// Once: the connection ends instead of the answer to a commit.
    CutAtCommitted,
    /// The same, and no other connection is made after it.
    CutAtCommittedAndRefuse,
    /// No connection is left, and none is made.
    Refuse,
}

struct Shared {
    server: String,
    fault: Mutex<Fault>,
    cuts: AtomicUsize,
    /// Raised whenever a connection is to look whether it may go on.
    changed: watch::Sender<u64>,
}

pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

impl Proxy {
    #[expect(clippy::disallowed_methods, reason = "a test has no tracker; the task ends with its runtime")]
    pub(crate) async fn before(url: &str) -> Self {
        let at = url.rfind('@').map_or_else(|| url.find("://").unwrap() + 3, |at| at + 1);
        let server = url[at..].split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let own = url.replacen(&server, &address.to_string(), 1);
        let shared = Arc::new(Shared {
            server,
            fault: Mutex::new(Fault::None),
            cuts: AtomicUsize::new(0),
            changed: watch::Sender::new(0),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { url: own, shared }
    }

    pub(crate) fn next(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = fault;
        self.shared.changed.send_modify(|times| *times += 1);
    }

    pub(crate) fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Waits until a connection was cut.
    pub(crate) async fn has_cut(&self) {
        let mut changed = self.shared.changed.subscribe();
        while self.cuts() == 0 {
            changed.changed().await.unwrap();
        }
    }
}

impl Shared {
    fn refuses(&self) -> bool {
        *self.fault.lock().unwrap() == Fault::Refuse
    }

    /// Whether these bytes are where the fault strikes, which then is over.
    fn strikes(&self, bytes: &[u8], to_server: bool) -> bool {
        let mut fault = self.fault.lock().unwrap();
        let has_commit = bytes.windows(7).any(|window| window == b"COMMIT\0");
        let (strikes, next) = match *fault {
            Fault::CutAtCommit => (to_server && has_commit, Fault::None),
            Fault::CutAtCommitted => (!to_server && has_commit, Fault::None),
            Fault::CutAtCommittedAndRefuse => (!to_server && has_commit, Fault::Refuse),
            Fault::Refuse => (true, Fault::Refuse),
            Fault::None => (false, Fault::None),
        };
        if strikes {
            *fault = next;
            drop(fault);
            self.cuts.fetch_add(1, Ordering::SeqCst);
            self.changed.send_modify(|times| *times += 1);
        }
        strikes
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no tracker; the task ends with its runtime")]
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if shared.refuses() {
            continue;
        }
        let server = TcpStream::connect(&shared.server).await.unwrap();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // When one way ends, so does the other.
            tokio::select! {
                () = pass(from_client, to_server, &shared, true) => {}
                () = pass(from_server, to_client, &shared, false) => {}
            }
        });
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, to_server: bool) {
    let mut changed = shared.changed.subscribe();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = changed.changed() => {
                if shared.refuses() {
                    return;
                }
                continue;
            }
        };
        let Ok(len @ 1..) = read else { return };
        if shared.strikes(&buffer[..len], to_server) || to.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}
