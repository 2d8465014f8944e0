//! The backend of an app under test: records every callback, and answers as the test says.

use crate::app::within;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use protocol::callback::{CallbackCommand, WebhookHeaders, WebhookSigner};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a callback is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: Bytes,
    /// Not before this is cancelled.
    pub(crate) after: Option<CancellationToken>,
    /// Ends the connection instead of answering.
    pub(crate) reset: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: &[], body: body.into(), after: None, reset: false }
    }

    pub(crate) fn ok() -> Self {
        Self::new(200, r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#)
    }

    pub(crate) fn with(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    pub(crate) fn after(self, opened: &CancellationToken) -> Self {
        Self { after: Some(opened.clone()), ..self }
    }

    /// An answer that never comes.
    pub(crate) fn never() -> Self {
        Self::ok().after(&CancellationToken::new())
    }

    pub(crate) fn reset() -> Self {
        Self { reset: true, ..Self::ok() }
    }
}

/// A callback as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Callback {
    /// Method and target, as in the request line.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Callback {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a parameter of the URL, as it stands there.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// Whether the signature over the body is of this secret.
    pub(crate) fn body_is_signed(&self, secret: &str) -> bool {
        let received = WebhookHeaders {
            id: self.header("webhook-id"),
            timestamp_s: self.header("webhook-timestamp").parse().unwrap(),
            signature: self.header("webhook-signature").to_owned(),
        };
        WebhookSigner::new(secret).unwrap().verify(&received, self.body.as_bytes())
    }

    pub(crate) fn is_question(&self) -> bool {
        CallbackCommand::parse(self.parameter("CallbackCommand")).is_some_and(CallbackCommand::is_question)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn to(&self) -> String {
        self.json()["To_Account"].as_str().unwrap_or_default().to_owned()
    }

    /// The text of the first element.
    pub(crate) fn text(&self) -> String {
        self.json()["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) type Answers = Box<dyn Fn(&Callback) -> Reply + Send + Sync>;

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    callbacks: mpsc::UnboundedReceiver<Callback>,
    _connections: JoinSet<()>,
}

impl Receiver {
    pub(crate) async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, callbacks) = mpsc::unbounded_channel();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::new(answers), sender));
        Self { address, callbacks, _connections: accepting }
    }

    /// The next callback, question or event.
    pub(crate) async fn next(&mut self) -> Callback {
        within("a callback", self.callbacks.recv()).await.expect("the receiver lives as long as this")
    }

    /// Callbacks that no test has asked for.
    pub(crate) fn unexpected(&mut self) -> Vec<Callback> {
        std::iter::from_fn(|| self.callbacks.try_recv().ok()).collect()
    }
}

async fn accept(listener: TcpListener, answers: Arc<Answers>, sender: mpsc::UnboundedSender<Callback>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (answers, sender) = (Arc::clone(&answers), sender.clone());
        let service = service_fn(move |request| answer(request, Arc::clone(&answers), sender.clone()));
        connections.spawn(async move {
            // A connection that is reset on purpose ends with an error.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: Arc<Answers>,
    sender: mpsc::UnboundedSender<Callback>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "the caller went away")?.to_bytes();
    let callback = Callback {
        target: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body: String::from_utf8(body.into()).map_err(|_| "not UTF-8")?,
    };
    let reply = answers(&callback);
    sender.send(callback).map_err(|_| "the test is over")?;
    if let Some(opened) = &reply.after {
        opened.cancelled().await;
    }
    if reply.reset {
        return Err("reset, as the test wants it");
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(*name, *value);
    }
    Ok::<_, Infallible>(response.body(Full::new(reply.body)).unwrap()).map_err(|never| match never {})
}
