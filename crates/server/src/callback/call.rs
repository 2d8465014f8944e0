//! One call to an endpoint: address checked, signed, bounded in time and size.

use crate::address;
use crate::apps::Endpoint;
use crate::config::PrivateAddresses;
use crate::translate;
use bytes::Bytes;
use chat::Origin;
use chat::port::Clock;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use protocol::callback::{CallbackCommand, CallbackQuery, Sign, WebhookHeaders};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Idle connections are kept for this long: longer than any pause of a busy app, shorter than most servers' own limit.
const IDLE_CONNECTION_SECS: u64 = 50;

/// Enough for every sender that waits for an answer to its before-callback at a busy moment; a new connection costs
/// more than an idle one.
const IDLE_CONNECTIONS_MAX: usize = 1_024;

type HttpClient = Client<HttpsConnector<HttpConnector<CheckedResolver>>, Full<Bytes>>;

/// Calls one endpoint, over connections that are kept.
#[derive(Clone)]
pub struct Caller {
    pub endpoint: Arc<Endpoint>,
    client: HttpClient,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A callback, ready but for what every attempt makes anew.
#[derive(Debug, Clone)]
pub struct Callback {
    pub command: CallbackCommand,
    pub origin: Origin,
    pub body: Bytes,
    /// The event's id, the same in every attempt. A question has none.
    pub id: Option<String>,
}

/// What an endpoint answered.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    /// Seconds from the `Retry-After` header.
    pub retry_after_secs: Option<u64>,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no answer within {0} ms")]
    TimedOut(u64),
    #[error("the connection failed: {0}")]
    Failed(String),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

impl Caller {
    pub fn new(endpoint: Arc<Endpoint>, clock: Arc<dyn Clock>) -> Self {
        let mut http = HttpConnector::new_with_resolver(CheckedResolver(endpoint.settings.private_addresses));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(Duration::from_millis(endpoint.settings.timeout_ms)));
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(IDLE_CONNECTION_SECS))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(https);
        Self { endpoint, client, clock }
    }

    /// Calls once. Redirects are not followed: an answer that is not 200 is the endpoint's own business.
    pub async fn call(&self, callback: &Callback) -> Result<Reply, CallError> {
        let timeout_ms = self.endpoint.settings.timeout_ms;
        match tokio::time::timeout(Duration::from_millis(timeout_ms), self.exchange(callback)).await {
            Ok(result) => result,
            Err(_) => Err(CallError::TimedOut(timeout_ms)),
        }
    }

    async fn exchange(&self, callback: &Callback) -> Result<Reply, CallError> {
        let response = self
            .client
            .request(self.request(callback))
            .await
            .map_err(|error| CallError::Failed(chain(&error)))?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after_secs = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let bytes_max = protocol::limits::CALLBACK_ANSWER_LEN_MAX;
        match Limited::new(response.into_body(), bytes_max).collect().await {
            Ok(body) => Ok(Reply { status, retry_after_secs, body: body.to_bytes() }),
            Err(error) if error.is::<LengthLimitError>() => Err(CallError::TooLong(bytes_max)),
            Err(error) => Err(CallError::Failed(chain(&*error))),
        }
    }

    /// Signs anew each time: receivers refuse a signature older than a minute.
    fn request(&self, callback: &Callback) -> Request<Full<Bytes>> {
        let now_s = self.clock.now_ms() / 1000;
        let endpoint = &self.endpoint;
        let client_ip = callback.origin.ip.to_string();
        let query = CallbackQuery {
            sdkappid: endpoint.app.0,
            command: callback.command,
            client_ip: Some(&client_ip),
            platform: Some(translate::opt_platform(callback.origin.platform)),
            sign: (!endpoint.token.is_empty())
                .then_some(Sign { token: &endpoint.token, request_time_s: now_s }),
        };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(query.append_to(&endpoint.url))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static(concat!("Couplet/", env!("CARGO_PKG_VERSION"))));
        if let Some(id) = &callback.id {
            request = request.header(WebhookHeaders::ID, id).header(WebhookHeaders::TIMESTAMP, now_s);
            if let Some(signer) = &endpoint.signer {
                let signature = signer.headers(id, now_s, &callback.body).signature;
                request = request.header(WebhookHeaders::SIGNATURE, signature);
            }
        }
        request.body(Full::new(callback.body.clone())).expect("the URL was parsed when it was configured")
    }
}

/// An error with its causes: the outer text alone says only that something failed.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Resolves names, and leaves out the addresses that may not be called.
#[derive(Debug, Clone)]
struct CheckedResolver(PrivateAddresses);

impl tower::Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let private = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let may_call: Vec<SocketAddr> =
                found.into_iter().filter(|found| address::may_call(found.ip(), private)).collect();
            if may_call.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "no address of this name may be called",
                ));
            }
            Ok(may_call.into_iter())
        })
    }
}
