//! REST over one connection that is kept, as a backend's SDK does it.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One HTTP/1.1 connection.
#[derive(Debug)]
pub(crate) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// Moves the bytes for as long as the connection is held.
    _driver: JoinSet<()>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        // A connection that breaks fails the request on it, which is where it is dealt with.
        driver.spawn(async { drop(connection.await) });
        Ok(Self { requests, _driver: driver })
    }

    pub(crate) async fn post(&mut self, path_and_query: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
        let request = Request::post(path_and_query).header(CONTENT_TYPE, "application/json");
        self.exchange(request.body(Full::new(body))?).await
    }

    pub(crate) async fn exchange(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes)> {
        self.requests.ready().await?;
        request.headers_mut().insert(HOST, HeaderValue::from_static("couplet"));
        let response = self.requests.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

#[derive(Debug)]
pub(crate) struct Rest {
    connection: Connection,
    query: String,
}

/// What an API answered: every outcome is HTTP 200 with a code.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u64,
    pub(crate) body: Value,
}

impl Rest {
    pub(crate) async fn open(address: SocketAddr, query: String) -> Result<Self> {
        Ok(Self { connection: Connection::open(address).await?, query })
    }

    /// Fails when the connection does, and only then.
    pub(crate) async fn call(&mut self, api: &str, body: Bytes) -> Result<Answer> {
        let (status, body) = self.connection.post(&format!("/v4/{api}?{}", self.query), body).await?;
        ensure!(status == StatusCode::OK, "{api} answers {status}");
        let body: Value = serde_json::from_slice(&body)?;
        let code = body["ErrorCode"].as_u64().context("an answer has a code")?;
        Ok(Answer { code, body })
    }

    /// A call that has to succeed.
    pub(crate) async fn ask(&mut self, api: &str, body: &Value) -> Value {
        let answer = self.call(api, body.to_string().into()).await.unwrap();
        assert_eq!(answer.code, 0, "{api}: {}", answer.body);
        answer.body
    }
}

pub(crate) fn query(sdkappid: u32, identifier: &str, usersig: &str) -> String {
    format!("sdkappid={sdkappid}&identifier={identifier}&usersig={usersig}&random=1&contenttype=json")
}

pub(crate) async fn import(admin: &mut Rest, users: &[String]) {
    let accounts: Vec<Value> = users.iter().map(|user| json!({ "UserID": user })).collect();
    admin.ask("im_open_login_svc/multiaccount_import", &json!({ "AccountList": accounts })).await;
}

/// The body of a send. `random` tells a repetition from a second message.
pub(crate) fn message(from: &str, to: &str, random: u32, text: &str) -> Bytes {
    let element = json!({ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } });
    json!({ "From_Account": from, "To_Account": to, "MsgRandom": random, "MsgBody": [element] })
        .to_string()
        .into()
}

pub(crate) const SEND: &str = "openim/sendmsg";
