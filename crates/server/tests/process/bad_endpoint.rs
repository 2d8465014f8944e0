//! An app's backend that misbehaves at the socket, until it is told to be well. It keeps every call that it could read.
//!
//! `Receiver` speaks HTTP through a library, so it can only be wrong in ways that the library allows. This one writes its
//! bytes itself.

mod fault;

use crate::authority::{Authority, Issued};
use crate::place::Place;
use crate::process::awaited;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use protocol::callback::{self, WebhookHeaders};
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(crate) use fault::{Certificate, Fault, answer};

/// How it can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    /// The caller trusts its authority.
    Https,
    /// It demands a certificate, and the caller has one.
    Mutual,
    /// Over TLS, where both agree on HTTP/2.
    Http2,
}

/// One call, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) version: Version,
    /// Path and query.
    pub(crate) target: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// Whether it was taken. The caller may not have heard of it.
    pub(crate) accepted: bool,
}

impl Call {
    pub(crate) fn id(&self) -> &str {
        &self.headers[WebhookHeaders::ID]
    }

    /// When it was made, by the caller's clock.
    pub(crate) fn time_s(&self) -> u64 {
        self.headers[WebhookHeaders::TIMESTAMP].parse().unwrap()
    }
}

#[derive(Debug)]
pub(crate) struct BadEndpoint {
    shared: Arc<Shared>,
    settings: String,
    /// The certificates that the settings name.
    _files: Place,
    /// Until it listens: then connections are refused, and yet nobody else can take the port.
    closed: Option<TcpSocket>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    fault: Fault,
    is_bad: AtomicBool,
    tls: Option<TlsConfigs>,
    /// What it says when it is well.
    well: String,
    calls: Mutex<Vec<Call>>,
    accepted: Mutex<HashSet<String>>,
    /// Different calls accepted so far.
    count: watch::Sender<usize>,
}

#[derive(Debug)]
struct TlsConfigs {
    well: Arc<ServerConfig>,
    bad: Arc<ServerConfig>,
}

impl BadEndpoint {
    pub(crate) fn start(fault: Fault, scheme: Scheme) -> Self {
        Self::answering(fault, scheme, callback::accept())
    }

    /// Accepts calls with this answer when it is well.
    pub(crate) fn answering(fault: Fault, scheme: Scheme, well: impl Into<String>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let files = Place::empty();
        let (tls, settings) = match scheme {
            Scheme::Http => (None, format!("url = \"http://{address}/callback\"\n")),
            _ => secure(&fault, scheme, address, &files),
        };
        let refuses = matches!(fault, Fault::Refuses);
        let shared = Shared {
            fault,
            is_bad: AtomicBool::new(true),
            tls,
            well: well.into(),
            calls: Mutex::default(),
            accepted: Mutex::default(),
            count: watch::Sender::new(0),
        };
        let mut this = Self {
            shared: Arc::new(shared),
            settings,
            _files: files,
            closed: Some(socket),
            tasks: JoinSet::new(),
        };
        if !refuses {
            this.open();
        }
        this
    }

    fn open(&mut self) {
        let listener = self.closed.take().expect("it is closed").listen(1024).unwrap();
        self.tasks.spawn(serve(listener, Arc::clone(&self.shared)));
    }

    /// From now on it takes what it is told. Connections that it has mistreated stay as they are.
    pub(crate) fn becomes_well(&mut self) {
        self.shared.is_bad.store(false, Ordering::SeqCst);
        if self.closed.is_some() {
            self.open();
        }
    }

    /// Where it is, for `[app.callback]`.
    pub(crate) fn settings(&self) -> &str {
        &self.settings
    }

    /// Waits until it has accepted this many different calls.
    pub(crate) async fn has(&self, calls: usize) {
        let mut count = self.shared.count.subscribe();
        while *count.borrow_and_update() < calls {
            // As long as it goes on, it may take as long as it takes.
            awaited("the remaining calls", count.changed()).await.unwrap();
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }
}

/// The settings of an endpoint that speaks TLS, and how it speaks it.
fn secure(fault: &Fault, scheme: Scheme, address: SocketAddr, files: &Place) -> (Option<TlsConfigs>, String) {
    let authority = Authority::new();
    let file = |name: &str, text: &str| {
        std::fs::write(files.path(name), text).unwrap();
        files.path(name)
    };
    let ca = file("ca.pem", &authority.pem());
    let mut settings = format!("url = \"https://{address}/callback\"\nca = {ca:?}\n");
    if scheme == Scheme::Mutual {
        let client = authority.issue("couplet", |_| {});
        let cert = file("client.pem", &client.certificate_pem);
        let key = file("client.key", &client.key_pem);
        settings += &format!("client_cert = {cert:?}\nclient_key = {key:?}\n");
    }
    let valid = authority.issue("127.0.0.1", |_| {});
    let clients = (scheme == Scheme::Mutual).then_some(&authority);
    let mut well = tls_config(&valid, clients);
    if scheme == Scheme::Http2 {
        well.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    let bad = match fault {
        Fault::Presents(Certificate::OfStranger) => {
            tls_config(&Authority::new().issue("127.0.0.1", |_| {}), None)
        }
        Fault::Presents(Certificate::Expired) => {
            let expired =
                authority.issue("127.0.0.1", |asked| asked.not_after = rcgen::date_time_ymd(2020, 1, 1));
            tls_config(&expired, None)
        }
        Fault::Presents(Certificate::OfAnotherName) => {
            tls_config(&authority.issue("another.example", |_| {}), None)
        }
        Fault::DemandsCertificate => tls_config(&valid, Some(&authority)),
        _ => well.clone(),
    };
    (Some(TlsConfigs { well: Arc::new(well), bad: Arc::new(bad) }), settings)
}

fn tls_config(issued: &Issued, clients: Option<&Authority>) -> ServerConfig {
    let builder = match clients {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    builder.with_single_cert(vec![issued.certificate.clone()], issued.key.clone_key()).unwrap()
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.unwrap();
                let shared = Arc::clone(&shared);
                // A connection that breaks is what all of this is about.
                connections.spawn(async move { drop(shared.connection(stream).await) });
            }
            Some(ended) = connections.join_next() => ended.unwrap(),
        }
    }
}

impl Shared {
    /// What is wrong now.
    fn fault(&self) -> Option<&Fault> {
        self.is_bad.load(Ordering::SeqCst).then_some(&self.fault)
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        match self.fault() {
            Some(Fault::ReadsNothing) => std::future::pending::<()>().await,
            Some(Fault::PlainText) => return fault::leave_with(stream, fault::PLAIN_TEXT).await,
            // Closing it then resets it.
            Some(Fault::BreaksOff) => stream.set_zero_linger()?,
            _ => {}
        }
        let Some(tls) = &self.tls else { return self.http_1(stream).await };
        let config = if self.fault().is_some() { &tls.bad } else { &tls.well };
        let stream = match TlsAcceptor::from(Arc::clone(config)).accept(stream).into_fallible().await {
            Ok(stream) => stream,
            // The caller has been told why.
            Err((_, stream)) => return fault::leave_with(stream, b"").await,
        };
        if let Some(Fault::Garbage) = self.fault() {
            return fault::leave_with(stream.into_inner().0, fault::GARBAGE).await;
        }
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            return self.http_2(stream).await;
        }
        self.http_1(stream).await
    }

    async fn http_1(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        while let Some(mut call) = read(&mut stream).await? {
            if let Some(fault) = self.fault().filter(|fault| fault.is_about(&call.body)) {
                call.accepted = matches!(fault, Fault::AnswersTooLate);
                let target = call.target.clone();
                self.keep(call);
                return fault.misbehave(&mut stream, &target).await;
            }
            call.accepted = true;
            self.keep(call);
            stream.write_all(answer("200 OK", "", &self.well).as_bytes()).await?;
        }
        Ok(())
    }

    /// Only the well speak HTTP/2.
    async fn http_2(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let service = service_fn(|request| {
            let shared = Arc::clone(&self);
            async move { Ok::<_, Infallible>(shared.take(request).await) }
        });
        let served =
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
        served.await.map_err(io::Error::other)
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8(value.as_bytes().to_vec()).unwrap())
        });
        self.keep(Call {
            version: head.version,
            target: head.uri.path_and_query().unwrap().to_string(),
            headers: headers.collect(),
            body: body.collect().await.unwrap().to_bytes(),
            accepted: true,
        });
        Response::new(Full::new(Bytes::from(self.well.clone())))
    }

    fn keep(&self, call: Call) {
        let is_new = call.accepted && self.accepted.lock().unwrap().insert(call.id().to_owned());
        self.calls.lock().unwrap().push(call);
        if is_new {
            self.count.send_modify(|count| *count += 1);
        }
    }
}

/// Reads one call of HTTP/1.1. `None` when there is none any more.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Call>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let mut body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.trim_end().lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers: BTreeMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    let body = Bytes::from(body);
    Ok(Some(Call { version: Version::HTTP_11, target, headers, body, accepted: false }))
}
