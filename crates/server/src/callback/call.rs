//! One call to an endpoint: signed, and bounded in time and size.

use crate::address::Names;
use crate::endpoint::Endpoint;
use crate::outgoing::{CallError, Manner, Outgoing, Reply, Room, Spoken};
use crate::render::Callback;
use crate::translate;
use bytes::Bytes;
use chat::dispatch::ANSWER_HEAD_BYTES_MAX;
use chat::port::Clock;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use protocol::callback::{CallbackQuery, Sign, WebhookHeaders};
use std::sync::Arc;

const ROOM: Room = Room {
    answer_bytes_max: protocol::limits::CALLBACK_ANSWER_LEN_MAX,
    refusal_bytes_max: ANSWER_HEAD_BYTES_MAX,
};

/// Calls one endpoint, over connections that are kept.
#[derive(Clone)]
pub struct Caller {
    pub endpoint: Arc<Endpoint>,
    outgoing: Outgoing,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Caller {
    pub fn new(endpoint: Arc<Endpoint>, names: Arc<dyn Names>, clock: Arc<dyn Clock>) -> Self {
        let settings = &endpoint.settings;
        let manner = Manner {
            tls: (*endpoint.tls).clone(),
            spoken: Spoken::Either,
            connect_timeout_ms: settings.connect_timeout_ms,
            private: settings.private_addresses,
        };
        Self { outgoing: Outgoing::new(manner, names), endpoint, clock }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Calls once.
    pub async fn call(&self, callback: &Callback) -> Result<Reply, CallError> {
        let timeout_ms = self.endpoint.settings.timeout_ms;
        let request = request(&self.endpoint, callback, self.now_ms() / 1000);
        self.outgoing.call(request, timeout_ms, ROOM, || self.now_ms()).await
    }
}

/// The request of one attempt. Signed anew each time: receivers refuse a signature older than a minute.
pub fn request(endpoint: &Endpoint, callback: &Callback, now_s: u64) -> Request<Full<Bytes>> {
    let client_ip = callback.origin.ip.to_string();
    let query = CallbackQuery {
        sdkappid: endpoint.app.0,
        command: callback.command,
        client_ip: Some(&client_ip),
        platform: Some(translate::opt_platform(callback.origin.platform)),
        sign: (!endpoint.token.is_empty()).then_some(Sign { token: &endpoint.token, request_time_s: now_s }),
    };
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(query.append_to(&endpoint.url))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(USER_AGENT, HeaderValue::from_static(concat!("Couplet/", env!("CARGO_PKG_VERSION"))))
        .header(WebhookHeaders::ID, &callback.id)
        .header(WebhookHeaders::TIMESTAMP, now_s);
    if let Some(signer) = &endpoint.signer {
        let signature = signer.headers(&callback.id, now_s, &callback.body).signature;
        request = request.header(WebhookHeaders::SIGNATURE, signature);
    }
    request.body(Full::new(callback.body.clone())).expect("the URL was parsed when it was configured")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Config, Flags};
    use chat::AppId;
    use chat::event::{Origin, Platform};
    use protocol::callback::{CallbackCommand, ReceivedQuery};
    use std::net::Ipv4Addr;

    /// Receivers refuse a `Sign` that is older than a minute, or of a minute ahead.
    #[test]
    fn a_retry_is_signed_anew_under_the_same_id() {
        const TOKEN: &str = "a token";
        const FIRST_S: u64 = 1_767_000_000;
        const RETRY_S: u64 = FIRST_S + 3_600;
        let own = format!("url = \"http://127.0.0.1/callback\"\ntoken = {TOKEN:?}").parse().unwrap();
        let config = Config::load(&Flags::default()).unwrap();
        let (settings, declared) = config::Callback::of(&config.callback, &own, "app 1").unwrap();
        let endpoint = Endpoint::new(AppId(1), declared.unwrap(), settings).unwrap();
        let callback = Callback {
            command: CallbackCommand::C2cAfterSendMsg,
            origin: Origin { ip: Ipv4Addr::LOCALHOST.into(), platform: Platform::RestApi },
            body: Bytes::from_static(b"{}"),
            id: "evt_1".to_owned(),
        };
        let (first, retry) = (request(&endpoint, &callback, FIRST_S), request(&endpoint, &callback, RETRY_S));
        for (request, receiver_s, accepted) in [
            (&first, FIRST_S, true),
            (&first, RETRY_S, false),
            (&retry, RETRY_S - 50, true),
            (&retry, RETRY_S + 50, true),
            (&retry, FIRST_S, false),
        ] {
            let query = ReceivedQuery::parse(request.uri().query().unwrap());
            assert_eq!(query.sign.unwrap().made_with(TOKEN, receiver_s), accepted, "{receiver_s} {query:?}");
        }
        let header = |request: &Request<_>, name| request.headers()[name].to_str().unwrap().to_owned();
        for (request, timestamp) in [(&first, "1767000000"), (&retry, "1767003600")] {
            assert_eq!(header(request, WebhookHeaders::ID), "evt_1");
            assert_eq!(header(request, WebhookHeaders::TIMESTAMP), timestamp);
        }
    }
}
