//! What the server signs is accepted by the public libraries of the convention. The libraries themselves take part.

use crate::bad_endpoint::{BadEndpoint, Call, Fault, Scheme};
use crate::place::{self, Place};
use crate::rest::{self, SEND};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const NEXT_SECRET: &str = "whsec_dGhlIHNlY3JldCB0aGF0IGlzIG9uIGl0cyB3YXkgaW4=";
const STRANGE_SECRET: &str = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldCBhbHRvZ2V0aGVy";

const PYTHON: &str = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
call = json.load(open(sys.argv[1], encoding='utf-8'))
try:
    Webhook(sys.argv[2]).verify(call['body'].encode(), call['headers'])
    print('accepted')
except WebhookVerificationError as error:
    print('refused:', error)
";

const NODE: &str = "
const { Webhook, WebhookVerificationError } = require('standardwebhooks');
const [, file, secret] = process.argv;
const call = JSON.parse(require('fs').readFileSync(file, 'utf8'));
try {
    new Webhook(secret).verify(call.body, call.headers);
    console.log('accepted');
} catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    console.log('refused:', error.message);
}
";

/// Where a program or a library of another language is, as `cargo xtask test` says.
pub(crate) fn provided(variable: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the server's own settings are not meant")]
    let value = std::env::var(variable);
    value.unwrap_or_else(|_| {
        panic!(
            "{variable} is not set. This test needs the public libraries of other languages, which \
             `cargo xtask test --only tests` installs. To run it without that, set COUPLET_TEST_PYTHON to a Python \
             that has tests/sdk/requirements.txt, and COUPLET_TEST_NODE_MODULES to tests/sdk/node_modules after \
             `npm ci` in tests/sdk, and COUPLET_TEST_RUST_SDK to what tests/sdk/rust builds."
        )
    })
}

fn python(file: &Path, secret: &str) -> String {
    said(Command::new(provided("COUPLET_TEST_PYTHON")).args(["-c", PYTHON]).arg(file).arg(secret))
}

fn node(file: &Path, secret: &str) -> String {
    let mut node = Command::new("node");
    said(
        node.args(["-e", NODE]).arg(file).arg(secret).env("NODE_PATH", provided("COUPLET_TEST_NODE_MODULES")),
    )
}

/// The first word that a verifier says.
fn said(verifier: &mut Command) -> String {
    let ended = verifier.output().unwrap_or_else(|error| panic!("cannot start {verifier:?}: {error}"));
    let (text, error) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{verifier:?}: {error}");
    text.split(&[':', '\n']).next().unwrap().to_owned()
}

/// One callback of a server with these secrets.
async fn called(secrets: &str) -> Call {
    let mut endpoint = BadEndpoint::start(Fault::Hangs, Scheme::Http);
    endpoint.becomes_well();
    let events = "events = [\"C2C.CallbackAfterSendMsg\"]\n";
    let place = Place::new("", &format!("{}{events}{secrets}", endpoint.settings()));
    let users = place::users(2);
    let server = place.start_with(&users).await;
    let body = rest::message(&users[0], &users[1], 1, "Grüße: \u{1f600} \"quoted\" </script>");
    assert_eq!(place::admin(&server).await.call(SEND, body).await.unwrap().code, 0);
    endpoint.has(1).await;
    server.stop().await;
    endpoint.calls().remove(0)
}

fn write(files: &Place, name: &str, call: &Call, body: &str) -> PathBuf {
    let file = files.path(name);
    std::fs::write(&file, json!({ "headers": call.headers, "body": body }).to_string()).unwrap();
    file
}

/// What both libraries say of a callback, and of one whose body was changed on the way.
async fn check(secrets: &str, accepted_with: &[&str], refused_with: &[&str]) {
    let call = called(secrets).await;
    let body = std::str::from_utf8(&call.body).unwrap();
    let changed = body.replace("quoted", "Quoted");
    assert_ne!(changed, body);
    let files = Place::empty();
    let as_sent = write(&files, "as-sent.json", &call, body);
    let changed = write(&files, "changed.json", &call, &changed);
    for verify in [python, node] {
        for secret in accepted_with {
            assert_eq!(verify(&as_sent, secret), "accepted", "{secret} {:?}", call.headers);
            assert_eq!(verify(&changed, secret), "refused", "{secret} {:?}", call.headers);
        }
        for secret in refused_with {
            assert_eq!(verify(&as_sent, secret), "refused", "{secret} {:?}", call.headers);
        }
    }
}

#[tokio::test]
async fn with_one_secret() {
    check(&format!("signing_secret = {SECRET:?}\n"), &[SECRET], &[NEXT_SECRET, STRANGE_SECRET]).await;
}

/// Receivers change from the one secret to the other when it suits them.
#[tokio::test]
async fn with_two_secrets_while_they_are_changed() {
    let secrets = format!("signing_secret = {NEXT_SECRET:?}\nprevious_signing_secret = {SECRET:?}\n");
    check(&secrets, &[NEXT_SECRET, SECRET], &[STRANGE_SECRET]).await;
}
