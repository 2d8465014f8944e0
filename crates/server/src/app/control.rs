//! The control socket: what whoever owns the data directory may ask of the server that holds it.
//!
//! A Unix socket in that directory, which nobody but its owner can open: there is no password. It speaks HTTP, so that
//! `curl --unix-socket` can ask as well:
//!
//! - `GET /backup` is answered with the stream of a backup, as the store is when the question comes;
//! - `GET /check` with what was found, one JSON object a line.
//!
//! One of them is carried out at a time. Both read at a snapshot, and hold up nobody.

use super::upkeep::{self, News, backup};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use chat::port::Clock;
use futures_util::stream::unfold;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Embedded;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause after nobody could be accepted.
const ACCEPT_PAUSE_MS: u64 = 100;

/// In the data directory.
pub const SOCKET: &str = "control.sock";

/// Parts of an answer that wait for whoever asked. Behind them, reading the store waits.
const PARTS_MAX: usize = 4;
const PART_BYTES: usize = 64 << 10;
/// Whoever owns the directory has little reason to ask more at once.
const CONNECTIONS_MAX: usize = 16;
/// For what is under way to end. When whoever wanted it has gone, that is soon.
const PLACE_WAIT_SECS_MAX: u64 = 10;

pub(super) struct Control {
    pub(super) store: Arc<Embedded>,
    pub(super) data_dir: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

struct Shared {
    control: Control,
    /// Of the one thing that is done at a time.
    place: Arc<Semaphore>,
}

/// The socket, for as long as the server is there.
#[derive(Debug)]
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens at the socket until the server stops. One that cannot be made is no reason not to serve.
    pub(super) fn start(self) {
        let path = self.data_dir.join(SOCKET);
        match Socket::bind(&self.data_dir, path.clone()) {
            Ok(socket) => {
                let tasks = self.tasks.clone();
                let shared = Arc::new(Shared { control: self, place: Arc::new(Semaphore::new(1)) });
                tasks.spawn(serve(socket, shared));
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "there is no control socket: this server cannot be asked for a backup");
            }
        }
    }
}

impl Socket {
    /// Nobody else can open it at any time: it is made where nobody else can go, and then put into its place. One that
    /// a former server has left is replaced; that server is gone, by the lock on its store.
    fn bind(data_dir: &Path, path: PathBuf) -> io::Result<Self> {
        let private = data_dir.join("control.new");
        let unfinished = private.join("s");
        for left in [&unfinished, &private] {
            let removed = if *left == private { fs::remove_dir(left) } else { fs::remove_file(left) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        DirBuilder::new().mode(0o700).create(&private)?;
        let listener = UnixListener::bind(&unfinished)?;
        fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
        fs::rename(&unfinished, &path)?;
        fs::remove_dir(&private)?;
        Ok(Self { listener, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the control socket could not be removed");
        }
    }
}

async fn serve(socket: Socket, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let routes = Router::new().route("/backup", get(backup)).route("/check", get(check));
    let routes = routes.with_state(Arc::clone(&shared));
    let Control { tasks, stop, .. } = &shared.control;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = async {
                let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
                socket.listener.accept().await.map(|(stream, _)| (stream, place))
            } => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                tasks.spawn(speak(stream, place, routes.clone(), stop.clone()));
            }
            Err(error) => {
                // For want of descriptors, perhaps: that passes.
                tracing::warn!(%error, "the control socket could not accept somebody");
                sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

async fn speak(stream: UnixStream, place: OwnedSemaphorePermit, routes: Router, stop: CancellationToken) {
    let _place = place;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    tokio::select! {
        // A backup that is cut is known as such, and nobody should wait for it who wants the server to stop.
        () = stop.cancelled() => {}
        served = connection => if let Err(error) = served {
            tracing::debug!(%error, "a connection to the control socket broke");
        }
    }
}

async fn backup(State(shared): State<Arc<Shared>>) -> Response {
    let Control { store, data_dir, clock, .. } = &shared.control;
    let header = match upkeep::header(store, data_dir, clock.now_ms()) {
        Ok(header) => header,
        Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    };
    let store = Arc::clone(store);
    stream(&shared, move |out| {
        let mut writer = backup::Writer::begin(out, &header)?;
        store.copy(&mut writer, &mut |_| {}).map_err(io::Error::other)?;
        writer.end()?;
        Ok(())
    })
    .await
}

async fn check(State(shared): State<Arc<Shared>>) -> Response {
    let store = Arc::clone(&shared.control.store);
    stream(&shared, move |mut out| {
        let mut told = Ok(());
        let examined = store.check(&mut |news| {
            let line = match news {
                News::Rows(rows) => json!({ "rows": rows }),
                News::Found(upkeep::Finding { table, row, what }) => {
                    json!({ "found": { "table": table, "row": row, "what": what } })
                }
            };
            told = writeln!(out, "{line}").and_then(|()| out.flush());
            if told.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        told?;
        let line = match examined {
            Ok(examined) => json!({ "examined": { "rows": examined.rows, "findings": examined.findings } }),
            Err(error) => json!({ "failed": error.to_string() }),
        };
        writeln!(out, "{line}")?;
        out.flush()
    })
    .await
}

/// Answers with what is written on a thread that may wait, as far as it is taken.
async fn stream(shared: &Shared, write: impl FnOnce(Parts) -> io::Result<()> + Send + 'static) -> Response {
    let place = timeout(Duration::from_secs(PLACE_WAIT_SECS_MAX), Arc::clone(&shared.place).acquire_owned());
    let Ok(Ok(place)) = place.await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "another backup or check is under way").into_response();
    };
    let (sender, receiver) = mpsc::channel(PARTS_MAX);
    let parts = Parts { sender: sender.clone(), part: Vec::with_capacity(PART_BYTES) };
    shared.control.tasks.spawn_blocking(move || {
        let _place = place;
        if let Err(error) = write(parts)
            && sender.blocking_send(Err(error)).is_err()
        {
            tracing::debug!("whoever asked at the control socket has gone");
        }
    });
    let parts = unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    Response::new(Body::from_stream(parts))
}

/// What is written, in parts.
struct Parts {
    sender: mpsc::Sender<io::Result<Bytes>>,
    part: Vec<u8>,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.part.is_empty() {
            return Ok(());
        }
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART_BYTES));
        self.sender.blocking_send(Ok(part.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
