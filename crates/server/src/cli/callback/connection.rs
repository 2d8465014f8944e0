//! Connections to an endpoint, one step at a time, and what is heard over them.

use super::certificate::Certificate;
use crate::endpoint::{Endpoint, public_url};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::{http1, http2};
use hyper::header::{HOST, HeaderValue, LOCATION};
use hyper::{Request, Response, Uri, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What the server offers too, in its order.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where an endpoint's URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) tls: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The URL without its query and its user, which may be secrets.
    pub(super) shown: String,
}

impl Place {
    pub(super) fn of(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let tls = match url.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = url.host()?;
        let port = url.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Some(Self { tls, host: host.trim_matches(['[', ']']).to_owned(), port, shown: public_url(&url) })
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// The way to an endpoint, found step by step.
#[derive(Debug)]
pub(super) struct Way<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) place: &'a Place,
    pub(super) address: SocketAddr,
}

/// What an endpoint answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: Bytes,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Way<'_> {
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    pub(super) async fn secure(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut config = (*self.endpoint.tls).clone();
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        self.shake_hands(config, stream).await
    }

    async fn shake_hands(&self, config: ClientConfig, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.place.host.clone()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// The certificate that is shown there, be it good or bad. It is looked at, and then the connection is given up:
    /// nothing is ever sent to somebody who was not verified.
    pub(super) async fn shown_certificate(&self) -> Option<Certificate> {
        let seen = Arc::new(OnlyLook::default());
        let mut config = (*self.endpoint.tls).clone();
        config.dangerous().set_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>);
        let stream = self.connect().await.ok()?;
        match self.shake_hands(config, stream).await {
            Ok(_) => None,
            Err(_) => seen.certificate.lock().expect("nothing panics while it holds this lock").take(),
        }
    }

    /// Sends a request over a connection of its own.
    pub(super) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Reply, Box<dyn Error + Send + Sync>> {
        let stream = self.connect().await?;
        let (stream, is_http2): (Box<dyn Stream>, bool) = if self.place.tls {
            let stream = self.secure(stream).await?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(PROTOCOLS[0]);
            (Box::new(stream), is_http2)
        } else {
            (Box::new(stream), false)
        };
        // Moves the bytes until the answer is read; a connection that breaks fails the request on it.
        let mut driver = JoinSet::new();
        let response = if is_http2 {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
            driver.spawn(async { drop(connection.await) });
            sender.send_request(request).await?
        } else {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            driver.spawn(async { drop(connection.await) });
            sender.send_request(in_http1(request)).await?
        };
        read(response).await
    }
}

/// HTTP/1.1 has the host in a header, and only the rest in the first line.
fn in_http1(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let url = request.uri();
    // A user in the URL is not part of the host.
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = HeaderValue::from_str(host).expect("the URL was parsed when it was configured");
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let target: Uri = target.parse().expect("a part of a URL that was parsed");
    request.headers_mut().insert(HOST, host);
    *request.uri_mut() = target;
    request
}

async fn read(response: Response<Incoming>) -> Result<Reply, Box<dyn Error + Send + Sync>> {
    let status = response.status().as_u16();
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    // Its query may be a secret as well.
    let location = location.map(|location| location.split(['?', '#']).next().unwrap_or_default().to_owned());
    let body = Limited::new(response.into_body(), protocol::limits::CALLBACK_ANSWER_LEN_MAX);
    let body = body.collect().await?.to_bytes();
    Ok(Reply { status, location, body })
}

/// Accepts nobody, and remembers who it was.
#[derive(Debug, Default)]
struct OnlyLook {
    certificate: Mutex<Option<Certificate>>,
}

const NOBODY: rustls::Error =
    rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

impl ServerCertVerifier for OnlyLook {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = Certificate::read(end_entity);
        *self.certificate.lock().expect("nothing panics while it holds this lock") = certificate;
        Err(NOBODY)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(NOBODY)
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(NOBODY)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_urls_lead() {
        for (url, expected) in [
            (
                "http://127.0.0.1:18090/callback",
                Some((false, "127.0.0.1", 18_090, "http://127.0.0.1:18090/callback")),
            ),
            ("https://u:p@Example.com/a?secret=1", Some((true, "Example.com", 443, "https://Example.com/a"))),
            ("http://[::1]:80", Some((false, "::1", 80, "http://[::1]:80/"))),
            ("ftp://example.com/", None),
            ("/callback", None),
        ] {
            let place = Place::of(url);
            let seen = place.as_ref().map(|place| (place.tls, &*place.host, place.port, &*place.shown));
            assert_eq!(seen, expected, "{url}");
        }
    }
}
