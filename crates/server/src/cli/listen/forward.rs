//! Passing callbacks on, to the backend that is worked on.

use crate::causes::chain;
use crate::receiver::{Answer, Received};
use axum::http::Uri;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::time::Duration;
use tokio::time::timeout;

/// Longer than the original waits for an answer, so that it is the caller who gives up.
const ANSWER_SECS_MAX: u64 = 10;

/// Backends close idle connections; most of them later than this.
const IDLE_SECS_MAX: u64 = 20;

#[derive(Debug)]
pub(super) struct Forwarder {
    client: Client<HttpsConnector<HttpConnector>, Full<bytes::Bytes>>,
    url: Uri,
}

impl Forwarder {
    pub(super) fn new(url: Uri) -> Self {
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(IDLE_SECS_MAX))
            .build(connector);
        Self { client, url }
    }

    /// Passes a callback on with its query, its id, its signature and its body. The error says why there is no
    /// answer.
    pub(super) async fn pass_on(&self, received: &Received) -> Result<Answer, String> {
        let query = received.url.split_once('?').map_or("", |(_, query)| query);
        let separator = if self.url.query().is_some() { '&' } else { '?' };
        let mut request =
            Request::post(format!("{}{separator}{query}", self.url)).header(CONTENT_TYPE, "application/json");
        for (name, value) in &received.webhook {
            request = request.header(name, value);
        }
        let body = Full::new(bytes::Bytes::from(received.body.get().to_owned()));
        let request = request.body(body).map_err(|error| error.to_string())?;
        let answer = async {
            let response = self.client.request(request).await.map_err(|error| chain(&error))?;
            let status = response.status();
            let bytes_max = protocol::limits::CALLBACK_ANSWER_LEN_MAX;
            let body = Limited::new(response.into_body(), bytes_max).collect().await;
            Ok(Answer { status, body: body.map_err(|error| chain(&*error))?.to_bytes() })
        };
        match timeout(Duration::from_secs(ANSWER_SECS_MAX), answer).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {ANSWER_SECS_MAX} s")),
        }
    }
}
