//! A client of a running server: finds it, proves to be an admin, calls its event API.

pub(super) mod feed;

use super::output::printable;
use super::which_app::{Found, WhichApp};
use crate::address::is_http;
use crate::causes::causes;
use crate::clock::SystemClock;
use crate::trust::{self, BadCertificates};
use chat::port::Clock;
use feed::Feed;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request;
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use protocol::url;
use protocol::usersig::{self, Lifetime, Secret};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::error::Error;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;

/// The name that a first start gives its admin.
const ADMIN: &str = "administrator";
/// A UserSig is made for every request, so it need not be good for longer than clocks differ.
const USERSIG_SECS: u64 = 300;
const CONNECT_SECS_MAX: u64 = 10;
const ANSWER_SECS_MAX: u64 = 60;
/// A page of a hundred events with the largest bodies, many times over.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Which server, and as whom.
#[derive(Debug, clap::Args)]
pub(super) struct Server {
    #[command(flatten)]
    app: WhichApp,
    /// The admin to be; left out: the first one of the app
    #[arg(long, value_name = "USER")]
    admin: Option<String>,
    /// Where the server is; left out: where its configuration says
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    url: Option<Uri>,
    /// Certificates the server's own may be issued by, in place of the public authorities (a PEM file)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

pub(super) struct Api {
    base: String,
    secret: Found,
    admin: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Why there is no answer that could be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("cannot reach {base}: {words}")]
    Unreachable { base: String, words: String },
    /// What the server says is wrong.
    #[error("{text} ({code})")]
    Refused { status: u16, code: u32, text: String },
    #[error("{base} answered {status}, and not as a Couplet server does; look at --url")]
    Stranger { base: String, status: u16 },
}

impl ApiError {
    /// Whether the same may work later.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } | Self::Stranger { status, .. } => matches!(status, 502..=504),
        }
    }
}

impl Server {
    pub(super) fn open(&self) -> Result<Api, Box<dyn Error + Send + Sync>> {
        let secret = self.app()?;
        let base = self.url()?.to_string().trim_end_matches('/').to_owned();
        let admin = self.admin.clone().or_else(|| secret.admin.clone()).unwrap_or_else(|| ADMIN.to_owned());
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(Duration::from_secs(CONNECT_SECS_MAX)));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(self.tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Api { base, secret, admin, client: Client::builder(TokioExecutor::new()).build(https) })
    }

    /// What its UserSigs are made with.
    pub(super) fn app(&self) -> Result<Found, Box<dyn Error + Send + Sync>> {
        self.app.find()
    }

    pub(super) fn url(&self) -> Result<Uri, Box<dyn Error + Send + Sync>> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let settings = self.app.settings()?;
        let scheme = if settings.tls_is_on() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", reachable(settings.listen)).parse()?)
    }

    /// Whose certificates are trusted.
    pub(super) fn tls(&self) -> Result<ClientConfig, String> {
        tls(self.ca.as_deref())
    }
}

/// An address that everybody is heard on is called on this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let loopback = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ip => ip,
    };
    SocketAddr::new(loopback, listen.port())
}

fn parse_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error| format!("{error}"))?;
    if is_http(&url) && url.query().is_none() {
        return Ok(url);
    }
    Err("write http://HOST:PORT or https://HOST:PORT".to_owned())
}

fn tls(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let roots = match ca {
        None => trust::public_authorities(),
        Some(path) => {
            let failed = |words: &dyn Display| format!("--ca {}: {words}", path.display());
            let found = trust::certificates(path).map_err(|bad| match bad {
                BadCertificates::Unreadable(error) => failed(&error),
                BadCertificates::Empty => failed(&"there is no certificate in it"),
            })?;
            let mut roots = RootCertStore::empty();
            for certificate in found {
                roots.add(certificate).map_err(|error| failed(&error))?;
            }
            roots
        }
    };
    Ok(trust::trusting(roots).with_no_client_auth())
}

impl Api {
    /// The server and the app.
    pub(super) fn place(&self) -> String {
        format!("{}/v1/apps/{}", self.base, self.secret.sdkappid)
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Box<RawValue>, ApiError> {
        let request = self.request(Method::GET, path, query);
        self.answer(request.body(Full::default()).expect(WELL_FORMED)).await
    }

    pub(super) async fn post(&self, path: &str, body: &serde_json::Value) -> Result<Box<RawValue>, ApiError> {
        let request = self.request(Method::POST, path, &[]).header(CONTENT_TYPE, "application/json");
        self.answer(request.body(Full::from(body.to_string())).expect(WELL_FORMED)).await
    }

    pub(super) async fn post_bytes(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Box<RawValue>, ApiError> {
        let request = self.request(Method::POST, path, query);
        self.answer(request.body(Full::new(body)).expect(WELL_FORMED)).await
    }

    /// Events from a position on, as they come.
    pub(super) async fn follow(&self, query: &[(&str, &str)]) -> Result<Feed, ApiError> {
        let request = self.request(Method::GET, "events", query).header(ACCEPT, "text/event-stream");
        let asked = self.ask(request.body(Full::default()).expect(WELL_FORMED));
        let response = match timeout(Duration::from_secs(ANSWER_SECS_MAX), asked).await {
            Ok(response) => response?,
            Err(_) => return Err(self.unreachable(NO_ANSWER.to_owned())),
        };
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(Feed::new(response.into_body()));
        }
        let body = self.read(response.into_body()).await?;
        Err(self.refused(status, &body))
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> request::Builder {
        let lifetime = Lifetime { time_s: SystemClock.now_ms() / 1000, expire_s: USERSIG_SECS };
        let secret = Secret { sdkappid: self.secret.sdkappid, key: &self.secret.key };
        let usersig = usersig::generate(&secret, &self.admin, lifetime, None);
        let mut url = format!("{}/{path}", self.place());
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&format!("{name}={}", encoded(value)));
        }
        Request::builder().method(method).uri(url).header(AUTHORIZATION, format!("Bearer {usersig}"))
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Box<RawValue>, ApiError> {
        let exchange = async {
            let response = self.ask(request).await?;
            let status = response.status().as_u16();
            Ok((status, self.read(response.into_body()).await?))
        };
        let (status, body) = match timeout(Duration::from_secs(ANSWER_SECS_MAX), exchange).await {
            Ok(exchanged) => exchanged?,
            Err(_) => return Err(self.unreachable(NO_ANSWER.to_owned())),
        };
        if status != 200 {
            return Err(self.refused(status, &body));
        }
        serde_json::from_slice(&body).map_err(|_| ApiError::Stranger { base: self.base.clone(), status })
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ApiError> {
        self.client.request(request).await.map_err(|error| self.unreachable(words(&error)))
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, ApiError> {
        let read = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        Ok(read.map_err(|error| self.unreachable(error.to_string()))?.to_bytes())
    }

    /// Reads an answer as what it has to be.
    pub(super) fn understood<'a, T: Deserialize<'a>>(&self, answer: &'a RawValue) -> Result<T, ApiError> {
        serde_json::from_str(answer.get())
            .map_err(|_| ApiError::Stranger { base: self.base.clone(), status: 200 })
    }

    fn unreachable(&self, words: String) -> ApiError {
        ApiError::Unreachable { base: self.base.clone(), words }
    }

    fn refused(&self, status: u16, body: &[u8]) -> ApiError {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Failed {
            error_code: u32,
            error_info: String,
        }
        match serde_json::from_slice(body) {
            Ok(Failed { error_code: code, error_info }) => {
                ApiError::Refused { status, code, text: printable(&error_info) }
            }
            Err(_) => ApiError::Stranger { base: self.base.clone(), status },
        }
    }
}

const WELL_FORMED: &str = "the URL was parsed, and what is added to it is encoded";
const NO_ANSWER: &str = "there is no answer";

/// The innermost cause says what happened; those around it only that a request failed.
fn words(error: &(dyn Error + 'static)) -> String {
    let words = causes(error).last().unwrap_or(error).to_string();
    if words.contains("UnknownIssuer") {
        return format!("{words} (say with --ca who issued the server's certificate)");
    }
    if words.contains("Connection refused") {
        return format!("{words} (is it running? --url says where)");
    }
    words
}

/// As it has to stand in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    url::encode(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_encoded() {
        for (text, expected) in [
            ("evt_1_0_1a-2.~", "evt_1_0_1a-2.~"),
            ("@RBT#1 ä&", "%40RBT%231%20%C3%A4%26"),
            ("../x", "..%2Fx"),
        ] {
            assert_eq!(encoded(text), expected);
        }
    }

    #[test]
    fn where_a_server_is_called() {
        for (listen, expected) in
            [("0.0.0.0:8080", "127.0.0.1:8080"), ("[::]:8080", "[::1]:8080"), ("10.0.0.1:80", "10.0.0.1:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        }
        for (url, fits) in [
            ("http://127.0.0.1:8080", true),
            ("https://chat.example.com/", true),
            ("ftp://x", false),
            ("127.0.0.1:8080", false),
            ("http://x/?a=1", false),
        ] {
            assert_eq!(parse_url(url).is_ok(), fits, "{url}");
        }
    }
}
