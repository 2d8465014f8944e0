//! One session, as a device holds it.

use crate::cli::api::Server;
use crate::cli::which_app::Found;
use crate::clock::SystemClock;
use bytes::{Buf, Bytes, BytesMut};
use chat::port::Clock;
use protocol::usersig::{self, Lifetime, Secret};
use protocol::websocket::{Head, HeadBytes, Op, accept_key};
use rustls::pki_types::ServerName;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// From connecting to the answer of the login.
const LOGIN_SECS_MAX: u64 = 30;
const USERSIG_SECS: u64 = 24 * 60 * 60;
/// Any key does, since whoever answers is asked to show that it understood.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// Between a client and its own server nobody listens in who could be tricked: the mask changes nothing.
const MASK: [u8; 4] = [0; 4];
/// For the server to understand that it is no WebSocket.
const ANSWER_LEN_MAX: usize = 8 * 1024;

/// The server, and how to get there.
pub(super) struct Target {
    address: SocketAddr,
    authority: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    app: Found,
    prefix: String,
    local_addresses: u8,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Session {
    stream: Box<dyn Stream>,
    input: BytesMut,
}

/// Something that the server sent.
pub(super) enum Frame {
    Text(Bytes),
    Ping(Bytes),
    Other,
}

impl Target {
    pub(super) async fn find(
        server: &Server,
        local_addresses: u8,
        prefix: &str,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let (url, app) = (server.url()?, server.app()?);
        let is_https = url.scheme_str() == Some("https");
        let authority = url.authority().ok_or("the URL has no host")?.to_string();
        let host = url.host().ok_or("the URL has no host")?.trim_matches(['[', ']']).to_owned();
        let port = url.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let found =
            lookup_host((host.as_str(), port)).await.map_err(|error| format!("{host}: {error}"))?.next();
        let address = found.ok_or_else(|| format!("{host} has no address"))?;
        let tls = match is_https {
            true => Some((TlsConnector::from(Arc::new(server.tls()?)), ServerName::try_from(host)?)),
            false => None,
        };
        Ok(Self { address, authority, tls, app, prefix: prefix.to_owned(), local_addresses })
    }

    pub(super) fn name(&self, user: u32) -> String {
        format!("{}{user:06}", self.prefix)
    }

    /// Connects and logs in.
    pub(super) async fn log_in(&self, user: u32) -> Result<Session, String> {
        match timeout(Duration::from_secs(LOGIN_SECS_MAX), self.try_to_log_in(user)).await {
            Ok(logged_in) => logged_in.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer to a login in {LOGIN_SECS_MAX} s")),
        }
    }

    async fn try_to_log_in(&self, user: u32) -> Result<Session, Box<dyn Error + Send + Sync>> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(local) = self.local_address(user) {
            socket.bind(local)?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some((tls, name)) => Box::new(tls.connect(name.clone(), stream).await?),
        };
        let mut session = Session { stream, input: BytesMut::new() };
        session.upgrade(&self.authority).await?;
        let name = self.name(user);
        let lifetime = Lifetime { time_s: SystemClock.now_ms() / 1000, expire_s: USERSIG_SECS };
        let (sdkappid, key) = (self.app.sdkappid, self.app.key.as_str());
        let usersig = usersig::generate(&Secret { sdkappid, key }, &name, lifetime, None);
        let connect = format!(
            r#"{{"id":1,"op":"connect","sdkappid":{sdkappid},"user_id":"{name}","usersig":"{usersig}","platform":"Web","device_id":"bench"}}"#
        );
        session.say(&connect).await?;
        loop {
            match session.next().await? {
                Frame::Text(text) if text.starts_with(br#"{"id":1,"ok":"#) => return Ok(session),
                Frame::Text(text) => return Err(String::from_utf8_lossy(&text).into()),
                Frame::Ping(payload) => session.send(Op::Pong, &payload).await?,
                Frame::Other => {}
            }
        }
    }

    /// Each address has a few ten thousand ports, and one that was used rests for a minute.
    fn local_address(&self, user: u32) -> Option<SocketAddr> {
        let has_many = self.address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) && self.local_addresses > 0;
        let last = has_many.then(|| 2 + (user % u32::from(self.local_addresses)) as u8)?;
        Some(SocketAddr::from(([127, 0, 0, last], 0)))
    }
}

impl Session {
    async fn upgrade(&mut self, authority: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let head_len = loop {
            if let Some(at) = self.input.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.input.len() > ANSWER_LEN_MAX {
                return Err("the server's answer does not end".into());
            }
            self.read().await?;
        };
        let head = self.input.split_to(head_len);
        let head = String::from_utf8_lossy(&head);
        if head.starts_with("HTTP/1.1 101") && head.contains(&accept_key(KEY.as_bytes())) {
            return Ok(());
        }
        Err(format!("no WebSocket: {}", head.lines().next().unwrap_or_default()).into())
    }

    pub(super) async fn say(&mut self, text: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.send(Op::Text, text.as_bytes()).await
    }

    pub(super) async fn send(&mut self, op: Op, payload: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let head = HeadBytes::new(op, payload.len(), Some(MASK));
        Ok(self.stream.write_all(&[head.as_ref(), payload].concat()).await?)
    }

    /// What comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Frame, Box<dyn Error + Send + Sync>> {
        loop {
            let head = Head::parse(&self.input).map_err(|_malformed| "the server sent what is no frame")?;
            if let Some(Head { op, head_len, payload_len, .. }) = head
                && self.input.len() - head_len >= payload_len as usize
            {
                self.input.advance(head_len);
                let payload = self.input.split_to(payload_len as usize).freeze();
                return match op {
                    Op::Text => Ok(Frame::Text(payload)),
                    Op::Ping => Ok(Frame::Ping(payload)),
                    Op::Close => Err(farewell(&payload).into()),
                    Op::Binary | Op::Continuation | Op::Pong => Ok(Frame::Other),
                };
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.input.reserve(1_024);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }
}

fn farewell(payload: &[u8]) -> String {
    let code = payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
    format!("the server closed with {code} {}", String::from_utf8_lossy(payload.get(2..).unwrap_or_default()))
}
