//! What the public signing libraries make is accepted. The libraries themselves take part.

use crate::app::{ADMIN, KEY, OK, SDKAPPID, Setup, query};
use std::process::Command;

/// Where a program or a library of another language is, as `cargo xtask test` says.
fn provided(variable: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the server's own settings are not meant")]
    let value = std::env::var(variable);
    value.unwrap_or_else(|_| {
        panic!(
            "{variable} is not set. This test signs with the public libraries of other languages, which \
             `cargo xtask test --only tests` installs. To run it without that, set COUPLET_TEST_PYTHON to a Python \
             that has tests/sdk/requirements.txt, and COUPLET_TEST_NODE_MODULES to tests/sdk/node_modules after \
             `npm ci` in tests/sdk."
        )
    })
}

async fn accepts(signer: &mut Command, text: &str) {
    let signed = signer.output().unwrap_or_else(|error| panic!("cannot start {signer:?}: {error}"));
    assert!(signed.status.success(), "{signer:?}: {}", String::from_utf8_lossy(&signed.stderr));
    let usersig = String::from_utf8(signed.stdout).unwrap();
    let app = Setup::default().start().await;
    let body = r#"{"UserID":"dee"}"#;
    let answer =
        app.call("im_open_login_svc/account_import", &query(SDKAPPID, ADMIN, usersig.trim()), body).await;
    assert_eq!(answer, OK, "{text}");
    app.stop().await;
}

#[tokio::test]
async fn the_python_library() {
    let script =
        format!("import TLSSigAPIv2; print(TLSSigAPIv2.TLSSigAPIv2({SDKAPPID}, '{KEY}').gen_sig('{ADMIN}'))");
    accepts(Command::new(provided("COUPLET_TEST_PYTHON")).args(["-c", &script]), &script).await;
}

#[tokio::test]
async fn the_node_library() {
    let script = format!(
        "const {{ Api }} = require('tls-sig-api-v2'); console.log(new Api({SDKAPPID}, '{KEY}').genUserSig('{ADMIN}', 3600))"
    );
    let mut node = Command::new("node");
    node.args(["-e", &script]).env("NODE_PATH", provided("COUPLET_TEST_NODE_MODULES"));
    accepts(&mut node, &script).await;
}
