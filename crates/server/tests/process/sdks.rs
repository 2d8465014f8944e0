//! Public server SDKs, as they come from their registries, make every call they have. Only the host and the certificate
//! are other than in production.

use crate::authority::Authority;
use crate::place::{ADMIN, KEY, Place, SDKAPPID};
use crate::process::Server;
use crate::signatures::provided;
use std::path::Path;
use std::process::Command;

const HOST: &str = "localhost";

/// A server that speaks TLS, and the file with the authority of its certificate.
struct Secure {
    place: Place,
    server: Server,
}

impl Secure {
    async fn start() -> Self {
        let authority = Authority::new();
        let issued = authority.issue(HOST, |_| ());
        let place = Place::empty();
        let [cert, key, ca] = ["server.pem", "server.key", "ca.pem"].map(|name| place.path(name));
        std::fs::write(&cert, issued.certificate_pem).unwrap();
        std::fs::write(&key, issued.key_pem).unwrap();
        std::fs::write(&ca, authority.pem()).unwrap();
        place.declare(&format!("[tls]\ncert = {cert:?}\nkey = {key:?}"), "");
        let server = place.start().await;
        Self { place, server }
    }

    /// Runs a program that uses SDKs. It ends well if every answer was as it should be.
    async fn used_by(self, program: &mut Command) {
        let settings = [
            ("HOST", HOST.to_owned()),
            ("PORT", self.server.address.port().to_string()),
            ("CA", self.place.path("ca.pem").display().to_string()),
            ("APPID", SDKAPPID.to_string()),
            ("KEY", KEY.to_owned()),
            ("ADMIN", ADMIN.to_owned()),
        ];
        program.envs(settings.map(|(name, value)| (format!("COUPLET_SDK_{name}"), value)));
        let done = program.output().unwrap();
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(done.status.success(), "{}\n{}", said[0], said[1]);
        assert!(said[0].lines().count() > 30, "a line for each call: {}", said[0]);
        self.server.stop().await;
    }
}

fn driver(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sdk").join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_python() {
    let secure = Secure::start().await;
    secure.used_by(Command::new(provided("COUPLET_TEST_PYTHON")).arg(driver("server_sdk.py"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_node() {
    // The modules lie beside the driver.
    assert_eq!(Path::new(&provided("COUPLET_TEST_NODE_MODULES")).file_name().unwrap(), "node_modules");
    Secure::start().await.used_by(Command::new("node").arg(driver("server_sdk.mjs"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_rust() {
    Secure::start().await.used_by(&mut Command::new(provided("COUPLET_TEST_RUST_SDK"))).await;
}
