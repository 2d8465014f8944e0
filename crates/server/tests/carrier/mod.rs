//! The carriers of push, as far as the server meets them: Google's and Apple's doors on one address, without TLS.
//!
//! Both doors check who calls as the real ones do: the assertion for an access token with the service account's public
//! key, and the provider token with that of the `.p8` key.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const RSA_KEY: &str = include_str!("only_for_tests.pem");
const EMAIL: &str = "couplet@chat.iam.example.com";

/// A test that waits longer has lost what it waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A notice as it arrived at either door.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// Of the device.
    pub(crate) token: String,
    pub(crate) body: Value,
    pub(crate) headers: hyper::HeaderMap,
}

/// What a notice is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after_secs: Option<u64>,
    pub(crate) body: String,
    /// Not before this is cancelled.
    pub(crate) after: Option<CancellationToken>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, retry_after_secs: None, body: body.into(), after: None }
    }

    pub(crate) fn ok() -> Self {
        Self::new(200, "")
    }
}

type Answers = Box<dyn Fn(&str, usize) -> Answer + Send + Sync>;

struct Doors {
    rsa: Vec<u8>,
    ecdsa: Vec<u8>,
    ecdsa_pem: String,
    /// By token and how many came before.
    answers: Mutex<Answers>,
    seen: AtomicU64,
    granted: AtomicU64,
    pushed: mpsc::UnboundedSender<Pushed>,
}

pub(crate) struct Carrier {
    pub(crate) address: SocketAddr,
    doors: Arc<Doors>,
    pushed: mpsc::UnboundedReceiver<Pushed>,
    _serving: JoinSet<()>,
}

impl Carrier {
    pub(crate) async fn start() -> Self {
        let random = SystemRandom::new();
        let rsa = PrivatePkcs8KeyDer::from_pem_slice(RSA_KEY.as_bytes()).unwrap();
        let rsa = RsaKeyPair::from_pkcs8(rsa.secret_pkcs8_der()).unwrap();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ecdsa =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let encoded = STANDARD.encode(pkcs8.as_ref());
        let (sender, pushed) = mpsc::unbounded_channel();
        let doors = Arc::new(Doors {
            rsa: rsa.public().as_ref().to_vec(),
            ecdsa: ecdsa.public_key().as_ref().to_vec(),
            ecdsa_pem: format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n"),
            answers: Mutex::new(Box::new(|_, _| Answer::ok())),
            seen: AtomicU64::new(0),
            granted: AtomicU64::new(0),
            pushed: sender,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(listen(listener, Arc::clone(&doors)));
        Self { address, doors, pushed, _serving: serving }
    }

    /// From now on, notices are answered so: by the device's token, and how many came before.
    pub(crate) fn answering(&self, answers: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) {
        self.doors.seen.store(0, Ordering::SeqCst);
        *self.doors.answers.lock().unwrap() = Box::new(answers);
    }

    /// The settings of an app whose notices come here. The keys are written into `directory`.
    pub(crate) fn settings(&self, directory: &Path) -> String {
        let account = directory.join("firebase.json");
        let key = directory.join("AuthKey.p8");
        let url = format!("http://{}", self.address);
        let token_url = format!("{url}/token");
        let file = json!({
            "type": "service_account",
            "project_id": "chat",
            "client_email": EMAIL,
            "private_key": RSA_KEY,
            "token_uri": token_url,
        });
        std::fs::write(&account, file.to_string()).unwrap();
        std::fs::write(&key, &self.doors.ecdsa_pem).unwrap();
        format!(
            "[app.push.fcm]\nservice_account = {account:?}\nurl = {url:?}\n[app.push.apns]\nkey = {key:?}\n\
             key_id = \"KEY\"\nteam_id = \"TEAM\"\ntopic = \"com.example.chat\"\nurl = {url:?}\n"
        )
    }

    /// The next notice.
    pub(crate) async fn next(&mut self) -> Pushed {
        let next = tokio::time::timeout(PATIENCE, self.pushed.recv()).await;
        next.expect("a notice never came").expect("the doors are open")
    }

    /// How many access tokens were given out.
    pub(crate) fn granted(&self) -> u64 {
        self.doors.granted.load(Ordering::SeqCst)
    }

    /// Nothing has come that nobody has looked at.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.pushed.try_recv().is_err()
    }
}

async fn listen(listener: TcpListener, doors: Arc<Doors>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let doors = Arc::clone(&doors);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&doors), request));
            let builder = auto::Builder::new(TokioExecutor::new());
            // How a connection ends is its peer's business.
            let _ended = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(doors: Arc<Doors>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let bearer = parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
    let path = parts.uri.path();
    let plain = |status: u16, body: String| {
        Ok(Response::builder().status(status).body(Full::new(Bytes::from(body))).unwrap())
    };
    if path == "/token" {
        let form = String::from_utf8(body.to_vec()).unwrap();
        let assertion = form
            .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
            .expect("the form that is documented");
        let claims = checked(assertion, "RS256", |signed, signature| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &doors.rsa).verify(signed, signature).is_ok()
        });
        assert_eq!((&claims["iss"], &claims["aud"]), (&EMAIL.into(), &format_token_url(&parts).into()));
        assert_eq!(claims["scope"], "https://www.googleapis.com/auth/firebase.messaging");
        assert_eq!(claims["exp"].as_u64().unwrap(), claims["iat"].as_u64().unwrap() + 3_600);
        let number = doors.granted.fetch_add(1, Ordering::SeqCst) + 1;
        return plain(
            200,
            json!({ "access_token": format!("granted-{number}"), "expires_in": 3_600 }).to_string(),
        );
    }
    let whole: Value = serde_json::from_slice(&body).unwrap();
    let token = match path.strip_prefix("/3/device/") {
        Some(token) => {
            assert_eq!(parts.version, Version::HTTP_2, "Apple speaks nothing else");
            let claims = checked(&bearer.unwrap(), "ES256", |signed, signature| {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &doors.ecdsa)
                    .verify(signed, signature)
                    .is_ok()
            });
            assert_eq!(claims["iss"], "TEAM");
            assert_eq!(parts.headers["apns-topic"], "com.example.chat");
            assert!(body.len() <= 4_096);
            token.to_owned()
        }
        None => {
            assert_eq!(path, "/v1/projects/chat/messages:send");
            if bearer != Some(format!("granted-{}", doors.granted.load(Ordering::SeqCst))) {
                return plain(401, r#"{"error":{"status":"UNAUTHENTICATED"}}"#.to_owned());
            }
            whole["message"]["token"].as_str().unwrap().to_owned()
        }
    };
    let before = doors.seen.fetch_add(1, Ordering::SeqCst) as usize;
    let answer = doors.answers.lock().unwrap()(&token, before);
    doors.pushed.send(Pushed { token, body: whole, headers: parts.headers }).unwrap();
    if let Some(after) = answer.after {
        after.cancelled().await;
    }
    let mut response = Response::builder().status(answer.status);
    if let Some(secs) = answer.retry_after_secs {
        response = response.header("retry-after", secs);
    }
    Ok(response.body(Full::new(Bytes::from(answer.body))).unwrap())
}

fn format_token_url(parts: &hyper::http::request::Parts) -> String {
    format!("http://{}/token", parts.headers["host"].to_str().unwrap())
}

/// The claims of a token whose signature is good.
fn checked(token: &str, algorithm: &str, is_good: impl Fn(&[u8], &[u8]) -> bool) -> Value {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let read =
        |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    assert_eq!(read(header)["alg"], algorithm);
    assert!(is_good(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()), "the signature is bad");
    read(claims)
}
