//! The first start with nothing but a directory, and starts that cannot be.

use crate::place::{ADMIN, Place, couplet};
use crate::process::Server;
use crate::rest::{self, Rest};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_first_start_needs_no_settings() {
    let place = Place::empty();
    let mut serve = couplet();
    serve.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]).arg(place.data_dir());
    let server = Server::start(&mut serve).await;
    let apps = place.data_dir().join("apps.toml");
    // Its key lets whoever has it act as anybody.
    assert_eq!(std::fs::metadata(&apps).unwrap().permissions().mode() & 0o777, 0o600);
    let made = std::fs::read_to_string(&apps).unwrap();

    let usersig = |more: &[&str]| {
        let mut command = couplet();
        let made =
            command.args(["usersig", ADMIN, "--data-dir"]).arg(place.data_dir()).args(more).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap()
    };
    let described: Value = serde_json::from_str(&usersig(&["--json"])).unwrap();
    let sdkappid = u32::try_from(described["sdkappid"].as_u64().unwrap()).unwrap();
    assert_eq!(described["identifier"], ADMIN);
    for usersig in [usersig(&[]).trim_end(), described["usersig"].as_str().unwrap()] {
        let mut admin = Rest::open(server.address, rest::query(sdkappid, ADMIN, usersig)).await.unwrap();
        rest::import(&mut admin, &["ana".to_owned()]).await;
        admin
            .ask(rest::SEND, &serde_json::from_slice(&rest::message(ADMIN, "ana", 1, "hello")).unwrap())
            .await;
    }
    server.stop().await;

    // The next start finds the app, and makes no other.
    let server = Server::start(&mut serve).await;
    assert_eq!(std::fs::read_to_string(&apps).unwrap(), made);
    server.stop().await;
}

#[tokio::test]
async fn settings_that_cannot_be_are_named() {
    let app = "[[app]]\nsdkappid = 1\nkey = \"k\"\nadmins = [\"a\"]\n";
    let callback = |settings: &str| format!("{app}[app.callback]\n{settings}\n");
    for (settings, named) in [
        ("[gateway]\nheartbeat_sec = 5".to_owned(), "heartbeat_sec"),
        ("[gateway]\npoll_secs = 0".to_owned(), "gateway.poll_secs"),
        ("[gateway]\npoll_secs = \"often\"".to_owned(), "poll_secs"),
        ("[log]\nformat = \"prose\"".to_owned(), "format"),
        ("[tls]\ncert = \"server.pem\"".to_owned(), "tls.key"),
        ("[tls]\ncert = \"none.pem\"\nkey = \"none.key\"".to_owned(), "tls.cert"),
        ("[embedded]\njournal_mib = 1".to_owned(), "embedded.journal_mib"),
        ("[[app]]\nsdkappid = 1\nadmins = [\"a\"]".to_owned(), "key"),
        ("[[app]]\nsdkappid = 1\nkey = \"k\"\nadmins = []".to_owned(), "admins"),
        (format!("{app}{app}"), "app 1 is declared twice"),
        (callback("url = \"ftp://127.0.0.1/\""), "callback: url"),
        (callback("url = \"http://169.254.169.254/\""), "callback: url"),
        (callback("url = \"http://127.0.0.1/\"\nretry_delays_secs = [0]"), "retry_delays_secs"),
        (callback("url = \"http://127.0.0.1/\"\nevents = [\"C2C.Dance\"]"), "C2C.Dance"),
        (callback("token = \"t\""), "url"),
    ] {
        let place = Place::empty();
        std::fs::write(place.settings(), &settings).unwrap();
        let text = place.refusal(&mut place.serve()).await;
        assert!(
            text.contains(named),
            "{settings}
{text}"
        );
        assert!(!place.data_dir().join("store").exists(), "{settings}: nothing is made for what cannot be");
    }
    let place = Place::empty();
    std::fs::write(place.settings(), "").unwrap();
    let text = place.refusal(place.serve().env("COUPLET_GATEWAY_POLL_SECS", "often")).await;
    assert!(text.contains("COUPLET_GATEWAY_POLL_SECS"), "{text}");
}
