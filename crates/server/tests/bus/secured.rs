//! Ways to log in to NATS.

use crate::nats_server::NatsServer;
use crate::node::{APP, change, comes, frame, hint, linked, options, user};
use chat::port::Bus;
use server::bus::NodeBus;
use server::bus::nats::{Login, NatsOptions};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Two nodes with these options hear each other.
async fn hear_each_other(options: NatsOptions) {
    let (here, there) = (linked(options.clone()).await, linked(options).await);
    let mut far = comes(&there, "ana", None, 1_000).await;
    here.user_changed(APP, user("ana"), hint(1));
    assert_eq!(frame(&mut far).await, change(1));
}

/// Waits until the server says so.
fn complains(said: &Receiver<String>, of: &str) {
    while !said.recv_timeout(Duration::from_secs(60)).unwrap().contains(of) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_logs_in_with_a_name_or_a_token() {
    let (nats, said) = NatsServer::start_with(&["--port", "-1", "--user", "couplet", "--pass", "s3cret"]);
    let login = Login::User { name: "couplet".to_owned(), password: "s3cret".to_owned() };
    hear_each_other(NatsOptions { login, ..options(&nats.url()) }).await;
    let stranger = NodeBus::on_nats(options(&nats.url())).await.unwrap();
    complains(&said, "authentication error");
    assert!(stranger.is_away());
    let (nats, _said) = NatsServer::start_with(&["--port", "-1", "--auth", "t0ken"]);
    hear_each_other(NatsOptions { login: Login::Token("t0ken".to_owned()), ..options(&nats.url()) }).await;
}

/// The seed of a key pair that is good for nothing else, and its public half.
const NKEY: [&str; 2] = [
    "SUAJNW6UHUCH2ILIXQUPORPOXYFLSQJW7MEQESIUPZFJ2URT3UKR3TO22E",
    "UDVAGGXXIDACUFLQCPUKKAVSNCXOHY3P3GFC6Y3JS2JC75NNZ47XPMCL",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_node_logs_in_with_a_key_pair() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("nats.conf");
    std::fs::write(&config, format!("authorization {{ users = [ {{ nkey: {} }} ] }}", NKEY[1])).unwrap();
    let (nats, _said) = NatsServer::start_with(&["--port", "-1", "--config", config.to_str().unwrap()]);
    hear_each_other(NatsOptions { login: Login::NKey(NKEY[0].to_owned()), ..options(&nats.url()) }).await;
}

/// Both sides show who they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_speaks_tls() {
    let directory = tempfile::tempdir().unwrap();
    let keep = |name: &str, pem: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    // Trusts itself, and so serves as authority, server and node.
    let made = || rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let own = made();
    let (certificate, key) =
        (keep("own.pem", &own.cert.pem()), keep("own.key", &own.signing_key.serialize_pem()));
    let [trusted, shown] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let tls = ["--tlsverify", "--tlscert", trusted, "--tlskey", shown, "--tlscacert", trusted];
    let (nats, said) = NatsServer::start_with(&[&["--port", "-1"][..], &tls].concat());
    let secured = NatsOptions {
        require_tls: true,
        ca: Some(certificate.clone()),
        certificate: Some((certificate.clone(), key.clone())),
        ..options(&nats.url())
    };
    hear_each_other(secured.clone()).await;
    let nameless = NodeBus::on_nats(NatsOptions { certificate: None, ..secured.clone() }).await.unwrap();
    complains(&said, "TLS handshake error");
    assert!(nameless.is_away());
    let other = keep("other.pem", &made().cert.pem());
    let misled = NodeBus::on_nats(NatsOptions { ca: Some(other), ..secured }).await.unwrap();
    complains(&said, "TLS handshake error");
    assert!(misled.is_away());
}

/// What the guide says an account needs is enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_needs_its_own_subjects_only() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("nats.conf");
    let text = "authorization { users = [ { user: couplet, password: s3cret, permissions: \
                { publish: \"test.>\", subscribe: \"test.>\" } } ] }";
    std::fs::write(&config, text).unwrap();
    let (nats, _said) = NatsServer::start_with(&["--port", "-1", "--config", config.to_str().unwrap()]);
    let login = Login::User { name: "couplet".to_owned(), password: "s3cret".to_owned() };
    let options = NatsOptions { login, ..options(&nats.url()) };
    hear_each_other(options.clone()).await;
    // Also the subject that nobody listens to.
    let node = linked(options).await;
    assert_eq!(node.said(APP, user("ana")).await, None);
}
