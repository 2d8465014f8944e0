//! Accepts connections: plain or TLS, HTTP/1.1 or HTTP/2, bounded in number, ended in order.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Pause after the system has refused to accept: it is out of something, and trying at once would only burn time.
const ACCEPT_PAUSE_MS: u64 = 50;

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
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| pem("cert", cert, error))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(cert.display().to_string()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| pem("key", key, error))?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, private)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
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
                    let this2 = Arc::clone(&this);
                    this.tasks.spawn(async move {
                        this2.serve(stream, peer).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                }
            }
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small and wanted at once; a connection that cannot be told so still works.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn off delays");
        }
        let served = match &self.tls {
            None => match timeout(self.first_byte_timeout, stream.peek(&mut [0])).await {
                Ok(Ok(_)) => self.speak(stream, peer).await,
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err("it said nothing in time".into()),
            },
            Some(tls) => match timeout(self.first_byte_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, peer).await,
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err("no TLS handshake in time".into()),
            },
        };
        // Peers break connections all the time: that is theirs to know, not the operator's.
        if let Err(error) = served {
            tracing::debug!(%peer, %error, "a connection broke");
        }
    }

    async fn speak<S>(
        &self,
        stream: S,
        peer: SocketAddr,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let routes = self.routes.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            routes.clone().oneshot(request)
        });
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(self.keep_alive);
        http.http2().timer(TokioTimer::new());
        let mut connection = pin!(http.serve_connection_with_upgrades(TokioIo::new(stream), service));
        tokio::select! {
            served = connection.as_mut() => return served,
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }
}

/// Binds the address. Kept here so that the error names it.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}
