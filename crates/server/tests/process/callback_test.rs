//! `couplet callback test`: at which step it stops, and why, for endpoints that are wrong in one way each.

use crate::chance::Chance;
use crate::place::{Place, SDKAPPID, couplet};
use crate::receiver::{Mood, Receiver};
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use protocol::callback::{self, ReceivedQuery};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

const TOKEN: &str = "a token for tests";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

/// What a walk ended with.
struct Walked {
    code: Option<i32>,
    report: Value,
    stderr: String,
}

fn walk(arguments: &[&str]) -> Walked {
    let mut command = couplet();
    let done = command.args(["callback", "test", "--json"]).args(arguments).output().unwrap();
    let stdout = String::from_utf8(done.stdout).unwrap();
    let stderr = String::from_utf8(done.stderr).unwrap();
    let report = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("not JSON: {stdout}{stderr}"));
    Walked { code: done.status.code(), report, stderr }
}

impl Walked {
    /// `ok url, ok name, failed connect`.
    fn steps(&self) -> String {
        let steps = self.report["steps"].as_array().unwrap();
        let step =
            |step: &Value| format!("{} {}", step["result"].as_str().unwrap(), step["step"].as_str().unwrap());
        steps.iter().map(step).collect::<Vec<_>>().join(", ")
    }

    fn last(&self) -> (String, String) {
        let last = self.report["steps"].as_array().unwrap().last().unwrap();
        let text = |member: &str| last[member].as_str().unwrap_or_default().to_owned();
        (format!("{} {}", text("result"), text("step")), format!("{} {}", text("words"), text("fix")))
    }
}

/// Answers by the path it is called on.
async fn wayward(Path(path): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let now_s = chat::port::Clock::now_ms(&server::clock::SystemClock) / 1000;
    let is_signed = ReceivedQuery::parse(&query).sign.is_some_and(|sign| sign.made_with(TOKEN, now_s));
    match path.as_str() {
        "strict" if !is_signed => StatusCode::FORBIDDEN.into_response(),
        "strict" => callback::accept().into_response(),
        "moved" => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "https://example.com/new?key=1")])
            .into_response(),
        "page" => "<html>It works!</html>".into_response(),
        "broken" => (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response(),
        "lost" => StatusCode::NOT_FOUND.into_response(),
        "sorry" => r#"{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"sorry"}"#.into_response(),
        "mute" if query.contains("CallbackBeforeSendMsg") => "{}".into_response(),
        "slow" => std::future::pending().await,
        _ => callback::accept().into_response(),
    }
}

async fn start_wayward(tasks: &mut JoinSet<()>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let routes = Router::new().route("/{path}", post(wayward));
    tasks.spawn(async move { axum::serve(socket, routes).await.unwrap() });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_at_the_first_thing_that_is_wrong() {
    let mut tasks = JoinSet::new();
    let address = start_wayward(&mut tasks).await;
    let place = Place::new("[callback]\ntimeout_ms = 300", "");
    let settings = place.settings();
    let closed = Receiver::closed(Mood::Accepts, &mut Chance::of_this_run());
    let refused = format!("http://{}/", closed.address);
    for (url, last, words) in [
        (refused.as_str(), "failed connect", "refused"),
        ("http://169.254.169.254/", "failed settings", "never called"),
        ("gopher://127.0.0.1/", "failed settings", "http:// or https://"),
        ("moved", "failed event", "308, a redirect to https://example.com/new;"),
        ("page", "failed answer", "not JSON: <html>It works!</html>"),
        ("broken", "failed event", "answered 500: out of order"),
        ("lost", "failed event", "answered 404 correct the path"),
        ("slow", "failed event", "no answer within 300 ms"),
        ("mute", "failed verdict", "nothing that could be obeyed"),
        ("sorry", "ok verdict", "refused: "),
        ("kind", "ok verdict", "may be sent"),
    ] {
        let whole = if url.contains(':') { url.to_owned() } else { format!("http://{address}/{url}?key=1") };
        let walked = walk(&["--url", &whole, "--config", settings.to_str().unwrap()]);
        let (seen, text) = walked.last();
        assert_eq!(seen, last, "{url}: {text}");
        assert!(text.contains(words), "{url}: {text}");
        let failed = last.starts_with("failed");
        assert_eq!(walked.code, Some(i32::from(failed)), "{url}");
        assert_eq!(walked.report["ok"], !failed, "{url}");
        assert_eq!(walked.stderr.lines().count(), usize::from(failed), "{url}: {}", walked.stderr);
        assert!(!text.contains("key=1"), "a query may hold a secret: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_who_checks_signatures() {
    let mut tasks = JoinSet::new();
    let address = start_wayward(&mut tasks).await;
    let (strict, kind) = (format!("http://{address}/strict"), format!("http://{address}/kind"));
    for (arguments, expected) in [
        (vec!["--url", &strict, "--token", TOKEN], "ok wrong sign, ok repetition"),
        (vec!["--url", &kind, "--token", TOKEN], "warning wrong sign, ok repetition"),
        (vec!["--url", &kind, "--signing-secret", SECRET], "warning wrong signature, ok repetition"),
        (vec!["--url", &kind], "warning signature, ok repetition"),
    ] {
        let walked = walk(&arguments);
        let before = "ok url, ok name, ok addresses, ok connect, ok event, ok answer";
        assert_eq!(walked.steps(), format!("{before}, {expected}, ok question, ok verdict"), "{arguments:?}");
        assert_eq!(walked.code, Some(0));
    }
    for arguments in [vec!["--url", &strict], vec!["--url", &strict, "--token", "another"]] {
        let (last, words) = walk(&arguments).last();
        assert_eq!(last, "failed event");
        assert!(words.contains("answered 403") && words.contains("token"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_walks_to_the_endpoint_that_is_configured() {
    let receiver = Receiver::start(Mood::Accepts, &mut Chance::of_this_run());
    let place = Place::new("", &receiver.settings());
    let settings = place.settings();
    let walked = walk(&["--config", settings.to_str().unwrap()]);
    assert_eq!((walked.code, &walked.report["endpoint"]), (Some(0), &"ep_default".into()));
    assert_eq!(walked.report["sdkappid"], SDKAPPID);
    // It asks for one event only, so it is not asked.
    assert!(walked.steps().ends_with("warning signature, ok repetition"), "{}", walked.steps());
    let arrivals = receiver.arrivals();
    let ids: Vec<&str> = arrivals.iter().map(|arrival| arrival.id.as_str()).collect();
    assert_eq!(ids, [ids[0], ids[0]], "the same event twice");
    let body: Value = serde_json::from_slice(&arrivals[0].body).unwrap();
    assert_eq!((&body["From_Account"], &body["To_Account"]), (&"sample_ana".into(), &"sample_bo".into()));
    let done = couplet()
        .args(["callback", "test", "--endpoint", "audit", "--config"])
        .arg(&settings)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(done.stderr).unwrap(),
        format!("couplet: app {SDKAPPID} has no endpoint audit\n")
    );
}

/// An authority, and what it issues.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, host: &str, until_year: i32) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

/// A receiver that speaks TLS and accepts everything.
async fn start_secured(
    tasks: &mut JoinSet<()>,
    (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
) -> u16 {
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tasks.spawn(async move {
        loop {
            let (stream, _) = socket.accept().await.unwrap();
            // Whoever does not trust it goes away.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let accept = service_fn(|_| async {
                Ok::<_, std::convert::Infallible>(hyper::Response::new(callback::accept().to_owned()))
            });
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), accept).await);
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_names_what_is_wrong_with_a_certificate() {
    let mut tasks = JoinSet::new();
    let (known, unknown) = (Authority::new("Known"), Authority::new("Unknown"));
    let place = Place::empty();
    let ca = place.path("ca.pem");
    std::fs::write(&ca, &known.certificate).unwrap();
    for (issued, last, words) in [
        (known.issue("localhost", 2090), "ok verdict", "may be sent"),
        (known.issue("localhost", 2021), "failed certificate", "has expired on 2021-01-01; it is "),
        (
            known.issue("chat.example.com", 2090),
            "failed certificate",
            "is for chat.example.com, and not for localhost",
        ),
        (
            unknown.issue("localhost", 2090),
            "failed certificate",
            "issued by CN=Unknown, good until 2090-01-01",
        ),
    ] {
        let port = start_secured(&mut tasks, issued).await;
        let walked = walk(&["--url", &format!("https://localhost:{port}/"), "--ca", ca.to_str().unwrap()]);
        let (seen, text) = walked.last();
        assert_eq!(seen, last, "{text}");
        assert!(text.contains(words), "{text}");
        if last.starts_with("ok") {
            assert!(
                walked.steps().contains("ok connect, ok tls, ok certificate, ok event"),
                "{}",
                walked.steps()
            );
        }
    }
    let plain = start_wayward(&mut tasks).await;
    let (last, words) = walk(&["--url", &format!("https://{plain}/kind")]).last();
    assert_eq!(last, "failed tls");
    assert!(words.contains("does not speak TLS") && words.contains("http://"), "{words}");
}
