//! The other half of a callback: a receiver that checks what it gets and hands it on.
//!
//! `couplet listen` and `couplet demo` are built on it. It answers only when whoever it hands a callback to has
//! accepted it, so that a callback that was not recorded is told again.

use axum::Router;
use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use chat::port::Clock;
use protocol::callback::{self, ReceivedQuery, WebhookHeaders};
use serde::Serialize;
use serde_json::value::RawValue;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Largest callback that is read: the largest body with room for what surrounds it.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What a receiver insists on.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub sdkappid: Option<u32>,
    /// Empty: signatures are not asked for.
    pub token: String,
}

/// A callback that passed the checks.
#[derive(Debug, Clone, Serialize)]
pub struct Received {
    pub at_ms: u64,
    /// Path and query, as they came.
    pub url: String,
    pub signature: Signature,
    pub event_id: Option<String>,
    /// The headers of the Standard Webhooks convention, for passing them on.
    #[serde(skip)]
    pub webhook: HeaderMap,
    /// The body, byte for byte.
    pub body: Box<RawValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signature {
    /// Made with the token, less than a minute ago.
    Valid,
    /// No token is configured here, so nothing was checked.
    Unchecked,
}

/// Takes a callback over, and says what to answer.
pub trait Taker: Send + Sync + 'static {
    fn take(&self, received: Received) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>>;
}

/// What the caller is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Answer {
    pub fn ok() -> Self {
        Self { status: StatusCode::OK, body: Bytes::from_static(callback::accept().as_bytes()) }
    }

    pub fn refuse(status: StatusCode, why: &str) -> Self {
        let body = serde_json::json!({ "ActionStatus": "FAIL", "ErrorCode": 1, "ErrorInfo": why });
        Self { status, body: Bytes::from(body.to_string()) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

struct Receiver {
    expected: Expected,
    clock: Arc<dyn Clock>,
    taker: Arc<dyn Taker>,
}

/// Accepts callbacks on any path.
pub fn routes(expected: Expected, clock: Arc<dyn Clock>, taker: Arc<dyn Taker>) -> Router {
    let receiver = Arc::new(Receiver { expected, clock, taker });
    Router::new()
        .route("/", post(receive))
        .route("/{*path}", post(receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(receiver)
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    match receiver.check(&uri, &headers, &body) {
        Ok(received) => receiver.taker.take(received).await,
        Err(refusal) => refusal,
    }
}

impl Receiver {
    fn check(&self, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Received, Answer> {
        let forbidden = |why| Err(Answer::refuse(StatusCode::FORBIDDEN, why));
        let query = ReceivedQuery::parse(uri.query().unwrap_or_default());
        if self.expected.sdkappid.is_some() && query.sdkappid != self.expected.sdkappid {
            return forbidden("SdkAppid is not the one expected here");
        }
        let at_ms = self.clock.now_ms();
        let signature = if self.expected.token.is_empty() {
            Signature::Unchecked
        } else {
            match &query.sign {
                Some(sign) if sign.made_with(&self.expected.token, at_ms / 1000) => Signature::Valid,
                Some(_) => return forbidden("Sign is not made with this token, or more than a minute old"),
                None => return forbidden("Sign and RequestTime are missing, and a token is expected"),
            }
        };
        let Ok(body) = serde_json::from_slice::<Box<RawValue>>(body) else {
            return Err(Answer::refuse(StatusCode::BAD_REQUEST, "the body is not JSON"));
        };
        let event_id = headers.get(WebhookHeaders::ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let mut webhook = HeaderMap::new();
        for name in [WebhookHeaders::ID, WebhookHeaders::TIMESTAMP, WebhookHeaders::SIGNATURE] {
            if let Some(value) = headers.get(name) {
                webhook.insert(name, value.clone());
            }
        }
        Ok(Received { at_ms, url: uri.to_string(), signature, event_id, webhook, body })
    }
}

impl Received {
    /// One line of JSON. An app's own body may be written over several lines; only its white space can hold them.
    pub fn to_line(&self) -> String {
        let text = serde_json::to_string(self).expect("all members are JSON already");
        text.replace(['\n', '\r'], " ")
    }
}
