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
use protocol::callback::{self, ReceivedQuery, WEBHOOK_AGE_SECS_MAX, WebhookHeaders, WebhookSigner};
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
    /// Empty: signatures of the URL are not asked for.
    pub token: String,
    /// With one of them the body has to be signed. None: signatures of the body are not asked for.
    pub signers: Vec<WebhookSigner>,
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
    /// Made with the token, less than a minute ago, or with one of the signing secrets, or both.
    Valid,
    /// Nothing was checked: neither is configured here.
    Unchecked,
}

/// A callback that did not pass the checks.
#[derive(Debug, Clone)]
pub struct Refused {
    pub at_ms: u64,
    /// Path and query, as they came.
    pub url: String,
    pub status: StatusCode,
    pub why: &'static str,
}

/// Takes a callback over, and says what to answer.
pub trait Taker: Send + Sync + 'static {
    fn take(&self, received: Received) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>>;

    /// Learns of a callback that is refused. Whoever only wants the good ones leaves this out.
    fn refused(&self, _refused: &Refused) {}
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
        Err(refused) => {
            receiver.taker.refused(&refused);
            Answer::refuse(refused.status, refused.why)
        }
    }
}

impl Receiver {
    fn check(&self, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Received, Refused> {
        let at_ms = self.clock.now_ms();
        let refuse = |status, why| Refused { at_ms, url: uri.to_string(), status, why };
        let forbid = |why| refuse(StatusCode::FORBIDDEN, why);
        let query = ReceivedQuery::parse(uri.query().unwrap_or_default());
        if self.expected.sdkappid.is_some() && query.sdkappid != self.expected.sdkappid {
            return Err(forbid("SdkAppid is not the one expected here"));
        }
        let of_url = self.check_url(&query, at_ms / 1000).map_err(forbid)?;
        let Ok(json) = serde_json::from_slice::<Box<RawValue>>(body) else {
            return Err(refuse(StatusCode::BAD_REQUEST, "the body is not JSON"));
        };
        let of_body = self.check_body(headers, body, at_ms / 1000).map_err(forbid)?;
        let signature = if of_url == Signature::Valid || of_body == Signature::Valid {
            Signature::Valid
        } else {
            Signature::Unchecked
        };
        let event_id = header(headers, WebhookHeaders::ID).map(str::to_owned);
        let mut webhook = HeaderMap::new();
        for name in [WebhookHeaders::ID, WebhookHeaders::TIMESTAMP, WebhookHeaders::SIGNATURE] {
            if let Some(value) = headers.get(name) {
                webhook.insert(name, value.clone());
            }
        }
        Ok(Received { at_ms, url: uri.to_string(), signature, event_id, webhook, body: json })
    }

    /// `Sign` and `RequestTime`.
    fn check_url(&self, query: &ReceivedQuery<'_>, now_s: u64) -> Result<Signature, &'static str> {
        if self.expected.token.is_empty() {
            return Ok(Signature::Unchecked);
        }
        match &query.sign {
            Some(sign) if sign.made_with(&self.expected.token, now_s) => Ok(Signature::Valid),
            Some(_) => Err("Sign is not made with this token, or more than a minute old"),
            None => Err("Sign and RequestTime are missing, and a token is expected"),
        }
    }

    /// The headers of the Standard Webhooks convention. `body` is what they sign, byte for byte.
    fn check_body(&self, headers: &HeaderMap, body: &[u8], now_s: u64) -> Result<Signature, &'static str> {
        if self.expected.signers.is_empty() {
            return Ok(Signature::Unchecked);
        }
        let signature = header(headers, WebhookHeaders::SIGNATURE);
        let (Some(id), Some(timestamp), Some(signature)) =
            (header(headers, WebhookHeaders::ID), header(headers, WebhookHeaders::TIMESTAMP), signature)
        else {
            return Err(
                "webhook-id, webhook-timestamp or webhook-signature is missing, and a signing secret is expected",
            );
        };
        let Ok(timestamp_s) = timestamp.parse::<u64>() else {
            return Err("webhook-timestamp is not a number of seconds");
        };
        if now_s.abs_diff(timestamp_s) > WEBHOOK_AGE_SECS_MAX {
            return Err("webhook-timestamp is more than five minutes off");
        }
        let given = WebhookHeaders { id, timestamp_s, signature: signature.to_owned() };
        if self.expected.signers.iter().any(|signer| signer.verify(&given, body)) {
            Ok(Signature::Valid)
        } else {
            Err("webhook-signature is not made with this secret, or not over this body")
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl Received {
    /// One line of JSON. An app's own body may be written over several lines; only its white space can hold them.
    pub fn to_line(&self) -> String {
        let text = serde_json::to_string(self).expect("all members are JSON already");
        text.replace(['\n', '\r'], " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_767_000_100;
    const OLD: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    const NEW: &str = "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3Rz";
    const EVENT: &str = r#"{"CallbackCommand":"C2C.CallbackAfterSendMsg"}"#;
    const QUESTION: &str = r#"{"CallbackCommand":"C2C.CallbackBeforeSendMsg"}"#;

    struct Fixed;

    impl Clock for Fixed {
        fn now_ms(&self) -> u64 {
            NOW_S * 1000
        }
    }

    struct Nobody;

    impl Taker for Nobody {
        fn take(&self, _: Received) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
            unreachable!("only the checks are called")
        }
    }

    /// `valid`, `unchecked`, or why not.
    fn judged(secrets: &[&str], headers: &[(&'static str, String)], body: &str) -> String {
        let signers = secrets.iter().map(|secret| WebhookSigner::new(secret).unwrap()).collect();
        let expected = Expected { signers, ..Expected::default() };
        let receiver = Receiver { expected, clock: Arc::new(Fixed), taker: Arc::new(Nobody) };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        match receiver.check(&Uri::from_static("/callback?SdkAppid=1"), &map, body.as_bytes()) {
            Ok(received) => serde_json::to_value(received.signature).unwrap().as_str().unwrap().to_owned(),
            Err(refused) => {
                assert_eq!(refused.status, StatusCode::FORBIDDEN);
                refused.why.split(',').next().unwrap().to_owned()
            }
        }
    }

    #[test]
    fn signatures_of_bodies() {
        let signed = |secret: &str, timestamp_s: u64, body: &str| {
            let headers = WebhookSigner::new(secret).unwrap();
            let headers = headers.headers("evt_1", timestamp_s, body.as_bytes());
            vec![
                (WebhookHeaders::ID, "evt_1".to_owned()),
                (WebhookHeaders::TIMESTAMP, timestamp_s.to_string()),
                (WebhookHeaders::SIGNATURE, headers.signature),
            ]
        };
        let without = |name: &str| {
            let mut headers = signed(OLD, NOW_S, EVENT);
            headers.retain(|(header, _)| *header != name);
            headers
        };
        let not_made = "webhook-signature is not made with this secret";
        let off = "webhook-timestamp is more than five minutes off";
        let missing = "webhook-id";
        for (secrets, headers, body, expected) in [
            (&[][..], vec![], EVENT, "unchecked"),
            (&[][..], signed(OLD, 0, "another body"), EVENT, "unchecked"),
            (&[OLD][..], signed(OLD, NOW_S, EVENT), EVENT, "valid"),
            (&[OLD, NEW][..], signed(OLD, NOW_S, EVENT), EVENT, "valid"),
            (&[OLD, NEW][..], signed(NEW, NOW_S, EVENT), EVENT, "valid"),
            (&[OLD][..], signed(NEW, NOW_S, EVENT), EVENT, not_made),
            (&[OLD][..], signed(OLD, NOW_S, "{}"), EVENT, not_made),
            (&[OLD][..], signed(OLD, NOW_S - 300, EVENT), EVENT, "valid"),
            (&[OLD][..], signed(OLD, NOW_S + 300, EVENT), EVENT, "valid"),
            (&[OLD][..], signed(OLD, NOW_S - 301, EVENT), EVENT, off),
            (&[OLD][..], signed(OLD, NOW_S + 301, EVENT), EVENT, off),
            (&[OLD][..], without(WebhookHeaders::ID), EVENT, missing),
            (&[OLD][..], without(WebhookHeaders::TIMESTAMP), EVENT, missing),
            (&[OLD][..], without(WebhookHeaders::SIGNATURE), EVENT, missing),
            (&[OLD][..], vec![], EVENT, missing),
            (&[OLD][..], vec![], "{}", missing),
            (&[OLD][..], vec![], QUESTION, missing),
            (&[OLD][..], signed(OLD, NOW_S, QUESTION), QUESTION, "valid"),
            (&[OLD][..], signed(NEW, NOW_S, QUESTION), QUESTION, not_made),
        ] {
            assert_eq!(judged(secrets, &headers, body), expected, "{secrets:?} {headers:?} {body}");
        }
    }
}
