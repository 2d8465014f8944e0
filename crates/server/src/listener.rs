//! Accepts connections: plain or TLS, HTTP/1.1 or HTTP/2, bounded in number, ended in order.

mod patient;

use crate::trust::{self, BadCertificates};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use patient::Patient;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tower::util::Oneshot;

/// Pause after the system has refused to accept: it is out of something, and trying at once would only burn time.
const ACCEPT_PAUSE_MS: u64 = 50;
/// Connections that the system completes before they are accepted. When a server comes back, all its devices do at
/// once, and those that find no room wait for seconds before they try again.
const BACKLOG: u32 = 4_096;
/// Requests under way on one connection of HTTP/2. Each may hold an answer that nobody reads.
const STREAMS_MAX: u32 = 64;

pub struct Listener {
    pub socket: TcpListener,
    pub tls: Option<TlsAcceptor>,
    pub routes: Router,
    /// For a new connection to say something.
    pub first_byte_timeout: Duration,
    /// Between two requests, and for the head of one.
    pub keep_alive: Duration,
    pub connections_max: usize,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("tls.{key}: {path}: {error}")]
    Pem { key: &'static str, path: String, error: rustls::pki_types::pem::Error },
    #[error("tls.cert: {0} holds no certificate")]
    NoCertificate(String),
    #[error("tls.cert and tls.key do not go together: {0}")]
    Unusable(#[from] rustls::Error),
}

/// TLS with both versions of HTTP, the newer one preferred.
pub fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let pem = |key, path: &Path, error| TlsError::Pem { key, path: path.display().to_string(), error };
    let chain = trust::certificates(cert).map_err(|bad| match bad {
        BadCertificates::Unreadable(error) => pem("cert", cert, error),
        BadCertificates::Empty => TlsError::NoCertificate(cert.display().to_string()),
    })?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| pem("key", key, error))?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, private)?;
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Listener {
    /// Accepts until it is told to stop. Connections end by themselves, on the same token.
    pub async fn run(self) {
        let this = Arc::new(self);
        let places = Arc::new(Semaphore::new(this.connections_max));
        loop {
            let accepted = tokio::select! {
                biased;
                () = this.stop.cancelled() => return,
                // The place comes first, so that what cannot be served waits in the system's own queue.
                accepted = async {
                    let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
                    this.socket.accept().await.map(|(stream, peer)| (stream, peer, place))
                } => accepted,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    let serving = Arc::clone(&this);
                    let place = Place(Arc::new(place));
                    this.tasks.spawn(async move { serving.serve(stream, peer, place).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                }
            }
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        // Answers are small and wanted at once; a connection that cannot be told so still works.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn off delays");
        }
        let served = match &self.tls {
            None => match timeout(self.first_byte_timeout, stream.peek(&mut [0])).await {
                Ok(Ok(_)) => self.speak_http1(Patient::new(stream), peer, place).await,
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err("it said nothing in time".into()),
            },
            // In boxes: a plain connection, of which there may be many, should not have room for what TLS needs.
            Some(tls) => {
                match Box::pin(timeout(self.first_byte_timeout, tls.accept(Patient::new(stream)))).await {
                    Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(HTTP2) => {
                        Box::pin(self.speak_http2(stream, peer, place)).await
                    }
                    Ok(Ok(stream)) => Box::pin(self.speak_http1(stream, peer, place)).await,
                    Ok(Err(error)) => Err(error.into()),
                    Err(_) => Err("no TLS handshake in time".into()),
                }
            }
        };
        // Peers break connections all the time: that is theirs to know, not the operator's.
        if let Err(error) = served {
            tracing::debug!(%peer, %error, "a connection broke");
        }
    }

    async fn speak_http1<S>(&self, stream: S, peer: SocketAddr, place: Place) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.keep_alive);
        let connection = http.serve_connection(TokioIo::new(stream), self.service(peer, place));
        let mut connection = pin!(connection.with_upgrades());
        tokio::select! {
            served = connection.as_mut() => return Ok(served?),
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        Ok(connection.await?)
    }

    /// Only over TLS, where the two sides have agreed on it: finding out from the first bytes of a plain connection
    /// would mean waiting for them without an end.
    async fn speak_http2<S>(&self, stream: S, peer: SocketAddr, place: Place) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .keep_alive_interval(self.keep_alive)
            .keep_alive_timeout(self.first_byte_timeout);
        let connection = http.serve_connection(TokioIo::new(stream), self.service(peer, place));
        let mut connection = pin!(connection);
        tokio::select! {
            served = connection.as_mut() => return Ok(served?),
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        Ok(connection.await?)
    }

    fn service(&self, peer: SocketAddr, place: Place) -> Service {
        Service { routes: self.routes.clone(), peer, place }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What TLS calls HTTP/2.
const HTTP2: &[u8] = b"h2";

/// A connection's share of `limits.connections_max`. A WebSocket takes it along.
#[derive(Debug, Clone)]
pub struct Place(
    #[expect(dead_code, reason = "held, not used: the place is free when the last holder is gone")]
    Arc<OwnedSemaphorePermit>,
);

/// The routes, told who is at the other end.
#[derive(Clone)]
struct Service {
    routes: Router,
    peer: SocketAddr,
    place: Place,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response;
    type Error = Infallible;
    type Future = Oneshot<Router, Request<Body>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request.extensions_mut().insert(self.place.clone());
        self.routes.clone().oneshot(request)
    }
}

/// Binds the address. Kept here so that the error names it.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // So that a server that starts again does not wait for the connections of the former one to fade.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}
