//! HTTP calls to elsewhere: to addresses that may be called, over connections that are kept, bounded in time and size.

use crate::address::{self, Names};
use crate::causes::{causes, chain};
use crate::config::PrivateAddresses;
use bytes::Bytes;
use chat::dispatch::{Failure, FailureKind, FailureReason};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;

/// Idle connections are kept for this long: longer than any pause of a busy app, shorter than most servers' own limit.
const IDLE_CONNECTION_SECS: u64 = 50;

/// Enough for every sender that waits for an answer to its before-callback at a busy moment; a new connection costs
/// more than an idle one.
const IDLE_CONNECTIONS_MAX: usize = 1_024;

/// Look-ups of one receiver's name at the same time. They use threads that the store's reads need as well.
const LOOK_UPS_MAX: usize = 4;

/// How often an HTTP/2 connection is asked whether it is alive, and how long it may take to say so.
const KEEP_ALIVE_SECS: u64 = 3;

type HttpClient = Client<HttpsConnector<HttpConnector<CheckedResolver>>, Full<Bytes>>;

/// Calls one receiver. Clones share its connections.
#[derive(Clone)]
pub struct Outgoing {
    client: HttpClient,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

/// What is spoken to a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// HTTP/2 where the receiver offers it, else HTTP/1.1.
    Either,
    /// The receiver knows nothing else, also without TLS.
    Http2,
}

/// How a receiver is called.
#[derive(Debug, Clone)]
pub struct Manner {
    pub tls: ClientConfig,
    pub spoken: Spoken,
    pub connect_timeout_ms: u64,
    pub private: PrivateAddresses,
}

/// How much of an answer is read.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Of one with status 200, which has to be complete.
    pub answer_bytes_max: usize,
    /// Of any other, which is cut there: a page that explains a refusal may be of any length.
    pub refusal_bytes_max: usize,
}

/// What a receiver answered.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    /// What the `Retry-After` header asks for.
    pub retry_after_ms: Option<u64>,
    pub body: Bytes,
}

impl Reply {
    /// What becomes of the attempt that a refusal ends, by its status alone.
    pub fn failure_kind(&self) -> FailureKind {
        match self.status.as_u16() {
            408 | 429 | 500..=599 => FailureKind::Passing { after_ms: self.retry_after_ms },
            400..=499 => FailureKind::Lasting,
            // Redirects are not followed, and nobody promised that other answers mean anything.
            _ => FailureKind::Passing { after_ms: None },
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no answer within {0} ms")]
    TimedOut(u64),
    #[error("{words}")]
    Failed { reason: FailureReason, words: String },
    #[error("the answer, with status {status}, broke off: {words}")]
    BrokenOff { status: StatusCode, words: String },
    #[error("the answer, with status {status}, is longer than {bytes_max} bytes")]
    TooLong { status: StatusCode, bytes_max: usize },
}

impl CallError {
    pub fn failure(&self, latency_ms: u64) -> Failure {
        Failure {
            reason: self.reason(),
            status: self.status(),
            latency_ms,
            words: self.to_string(),
            answer: String::new(),
        }
    }

    pub fn reason(&self) -> FailureReason {
        match self {
            Self::TimedOut(_) => FailureReason::TimedOut,
            Self::Failed { reason, .. } => *reason,
            Self::BrokenOff { .. } => FailureReason::Connection,
            Self::TooLong { .. } => FailureReason::TooLong,
        }
    }

    /// Of the HTTP answer; 0 when there was none.
    pub fn status(&self) -> u16 {
        match self {
            Self::TimedOut(_) | Self::Failed { .. } => 0,
            Self::BrokenOff { status, .. } | Self::TooLong { status, .. } => status.as_u16(),
        }
    }
}

impl Outgoing {
    pub fn new(manner: Manner, names: Arc<dyn Names>) -> Self {
        let permits = Arc::new(Semaphore::new(LOOK_UPS_MAX));
        let resolver = CheckedResolver { names, permits, private: manner.private };
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(Duration::from_millis(manner.connect_timeout_ms)));
        let https = HttpsConnectorBuilder::new().with_tls_config(manner.tls).https_or_http();
        let https = match manner.spoken {
            Spoken::Either => https.enable_http1().enable_http2().wrap_connector(http),
            Spoken::Http2 => https.enable_http2().wrap_connector(http),
        };
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .http2_only(manner.spoken == Spoken::Http2)
            // All calls share one connection there. One that went silent would be called over again and again.
            .http2_keep_alive_interval(Duration::from_secs(KEEP_ALIVE_SECS))
            .http2_keep_alive_timeout(Duration::from_secs(KEEP_ALIVE_SECS))
            .pool_idle_timeout(Duration::from_secs(IDLE_CONNECTION_SECS))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(https);
        Self { client }
    }

    /// Calls once. Redirects are not followed: an answer that is not 200 is the receiver's own business.
    pub async fn call(
        &self,
        request: Request<Full<Bytes>>,
        timeout_ms: u64,
        room: Room,
        now_ms: impl Fn() -> u64,
    ) -> Result<Reply, CallError> {
        let exchange = self.exchange(request, room, now_ms);
        match tokio::time::timeout(Duration::from_millis(timeout_ms), exchange).await {
            Ok(result) => result,
            Err(_) => Err(CallError::TimedOut(timeout_ms)),
        }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        room: Room,
        now_ms: impl Fn() -> u64,
    ) -> Result<Reply, CallError> {
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| CallError::Failed { reason: reason(&error), words: chain(&error) })?;
        let status = response.status();
        let retry_after_ms = retry_after_ms(response.headers(), now_ms());
        if status != StatusCode::OK {
            // Judged by its status.
            let body = beginning(response.into_body(), room.refusal_bytes_max).await;
            return Ok(Reply { status, retry_after_ms, body });
        }
        let bytes_max = room.answer_bytes_max;
        match Limited::new(response.into_body(), bytes_max).collect().await {
            Ok(body) => Ok(Reply { status, retry_after_ms, body: body.to_bytes() }),
            Err(error) if error.is::<LengthLimitError>() => Err(CallError::TooLong { status, bytes_max }),
            Err(error) => Err(CallError::BrokenOff { status, words: chain(&*error) }),
        }
    }
}

/// As much of a body as is wanted. What breaks off after that is not missed.
async fn beginning(mut body: Incoming, bytes_max: usize) -> Bytes {
    let mut head = Vec::new();
    while head.len() < bytes_max
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Ok(data) = frame.into_data() {
            let room = bytes_max - head.len();
            head.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    Bytes::from(head)
}

/// `Retry-After` is a number of seconds, or a time.
fn retry_after_ms(headers: &HeaderMap, now_ms: u64) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = text.parse::<u64>() {
        return Some(secs.saturating_mul(1000));
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((at.as_millis() as u64).saturating_sub(now_ms))
}

fn reason(error: &hyper_util::client::legacy::Error) -> FailureReason {
    for cause in causes(error) {
        if let Some(unresolved) = cause.downcast_ref::<Unresolved>() {
            return match unresolved {
                Unresolved::Forbidden => FailureReason::Address,
                Unresolved::Unknown(_) => FailureReason::Name,
            };
        }
        if std::iter::successors(Some(cause), |error| carried(*error))
            .any(<dyn std::error::Error>::is::<rustls::Error>)
        {
            return FailureReason::Tls;
        }
    }
    FailureReason::Connection
}

/// What an I/O error carries is not among its causes. It may be another one: a failed handshake is wrapped twice.
fn carried<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    let carried = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(carried)
}

/// Resolves names, and leaves out the addresses that may not be called.
#[derive(Debug, Clone)]
struct CheckedResolver {
    names: Arc<dyn Names>,
    /// Look-ups at the same time. Each may hold a thread for long after its caller has given up.
    permits: Arc<Semaphore>,
    private: PrivateAddresses,
}

#[derive(Debug, thiserror::Error)]
enum Unresolved {
    #[error("no address of this name may be called")]
    Forbidden,
    #[error("the name has no address: {0}")]
    Unknown(io::Error),
}

impl tower::Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Unresolved;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Unresolved>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (names, permits, private) = (Arc::clone(&self.names), Arc::clone(&self.permits), self.private);
        Box::pin(async move {
            let permit = permits.acquire_owned().await.expect("nobody closes this semaphore");
            let found = names.look_up(name.as_str(), permit).await.map_err(Unresolved::Unknown)?;
            let may_call = found.into_iter().filter(|found| address::may_call(*found, private));
            // The port is filled in from the URL.
            let may_call: Vec<SocketAddr> = may_call.map(|ip| SocketAddr::new(ip, 0)).collect();
            if may_call.is_empty() { Err(Unresolved::Forbidden) } else { Ok(may_call.into_iter()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn a_wish_for_a_pause_is_a_number_or_a_time() {
        const NOW_MS: u64 = 1_767_000_000_000;
        for (text, expected) in [
            ("7", Some(7_000)),
            (" 0 ", Some(0)),
            ("Mon, 29 Dec 2025 09:20:30 GMT", Some(30_000)),
            ("Mon, 29 Dec 2025 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("18446744073709551615", Some(u64::MAX)),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(retry_after_ms(&headers, NOW_MS), expected, "{text}");
        }
    }
}
