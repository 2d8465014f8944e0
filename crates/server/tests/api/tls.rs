//! TLS: both versions of HTTP, and the WebSocket, on one port.

use crate::app::{Setup, TestApp, admin_query, login, plain_send, plain_sent, usersig, within};
use crate::device::Device;
use crate::literal::literal;
use crate::raw_http::{self, exchange};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

struct Secured {
    app: TestApp,
    certificate: CertificateDer<'static>,
    _files: TempDir,
}

impl Secured {
    async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = tempfile::tempdir().unwrap();
        let (cert, key) = (files.path().join("server.pem"), files.path().join("server.key"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let app =
            Setup::default().settings(&format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n")).start().await;
        Self { app, certificate: made.cert.der().clone(), _files: files }
    }

    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, self.app.connect().await);
        within("the TLS handshake", handshake).await.unwrap()
    }
}

#[tokio::test]
async fn http_1_with_and_without_negotiation() {
    let secured = Secured::start().await;
    for (random, protocols, agreed) in [
        (1, &[][..], None),
        (2, &["http/1.1"][..], Some("http/1.1")),
        (3, &["http/1.1", "http/1.0"], Some("http/1.1")),
    ] {
        let stream = secured.connect(protocols).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed.map(str::as_bytes));
        let target = format!("/v4/openim/sendmsg?{}", admin_query());
        let request = raw_http::request("POST", &target, "", plain_send(random).as_bytes());
        let answer = within("an answer", exchange(stream, &request)).await;
        assert_eq!((answer.status, literal(&answer.body)), (200, plain_sent(random)));
        assert!(answer.head.starts_with("HTTP/1.1 "), "{}", answer.head);
    }
    secured.app.stop().await;
}

#[tokio::test]
async fn http_2_is_preferred_where_it_is_spoken() {
    let secured = Secured::start().await;
    let stream = secured.connect(&["http/1.1", "h2"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    // Many calls at once, over one connection.
    let calls = (0..50).map(|random| {
        let mut client = client.clone();
        async move {
            let request =
                hyper::Request::post(format!("https://localhost/v4/openim/sendmsg?{}", admin_query()))
                    .body(Full::new(Bytes::from(plain_send(random))))
                    .unwrap();
            let response = client.send_request(request).await.unwrap();
            assert_eq!((response.status().as_u16(), response.version()), (200, hyper::Version::HTTP_2));
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(literal(std::str::from_utf8(&body).unwrap()), plain_sent(random));
        }
    });
    within("all answers", futures_util::future::join_all(calls)).await;
    drop(client);
    within("the end of the connection", connections.join_next()).await.unwrap().unwrap().unwrap();
    assert_eq!(count(&secured).await, 50);
    secured.app.stop().await;
}

/// The first frame of a server says how many requests one connection may have under way.
#[tokio::test]
async fn requests_of_one_http_2_connection_are_bounded() {
    let secured = Secured::start().await;
    let mut stream = secured.connect(&["h2"]).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    within("settings", stream.read_exact(&mut head)).await.unwrap();
    assert_eq!(head[3], 4, "SETTINGS");
    let mut settings = vec![0; usize::from(head[2])];
    within("settings", stream.read_exact(&mut settings)).await.unwrap();
    // MAX_CONCURRENT_STREAMS is number 3.
    let streams = settings.chunks(6).find_map(|setting| setting.strip_prefix(&[0, 3]));
    assert_eq!(streams, Some(&[0, 0, 0, 64][..]));
    drop(stream);
    secured.app.stop().await;
}

async fn count(secured: &Secured) -> usize {
    let body =
        r#"{"Operator_Account":"bo","Peer_Account":"ana","MaxCnt":100,"MinTime":0,"MaxTime":4000000000}"#;
    let target = format!("/v4/openim/admin_getroammsg?{}", admin_query());
    let request = raw_http::request("POST", &target, "", body.as_bytes());
    let answer = within("an answer", exchange(secured.connect(&[]).await, &request)).await;
    answer.body.matches(r#""MsgTimeStamp":"#).count()
}

#[tokio::test]
async fn the_websocket() {
    let secured = Secured::start().await;
    for protocols in [&[][..], &["http/1.1"]] {
        let mut ana = Device::over(secured.connect(protocols).await).await;
        let answer = ana.ask(login("ana", &usersig("ana"), "")).await;
        assert!(answer.starts_with(r#"{"id":1,"ok":{"user_id":"ana""#), "{answer}");
        assert_eq!(ana.ask(r#"{"id":2,"op":"ping"}"#).await, r#"{"id":2,"ok":{"server_time_ms":MS}}"#);
    }
    secured.app.stop().await;
}

#[tokio::test]
async fn plain_http_on_a_tls_port_fails_and_harms_nobody() {
    let secured = Secured::start().await;
    for bytes in [&b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"[..], b"\x16\x03\x01\x00\x05hello", b"\0"] {
        let mut stream = secured.app.connect().await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // Ends with an alert or without a word, but ends.
        let _ended = within("the end", stream.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    let request = raw_http::request("GET", "/readyz", "", b"");
    let answer = within("an answer", exchange(secured.connect(&[]).await, &request)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ready\n"));
    secured.app.stop().await;
}
