//! `couplet bench ws`: what it counts is what there was.

use crate::place::{Place, couplet};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_held_written_to_and_cut() {
    let place = Place::new("", "");
    let server = place.start().await;
    let bench = |flags: &[&str]| {
        let mut command = couplet();
        command.args(["bench", "ws", "--url", &format!("http://{}", server.address)]);
        command.arg("--config").arg(place.settings()).args(flags).output().unwrap()
    };
    let pid = server.process.id().to_string();
    let flags =
        ["--sessions", "60", "--active", "20", "--rate", "200", "--seconds", "1", "--storm", "--json"];
    let done = bench(&[&flags[..], &["--server-pid", &pid]].concat());
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{stderr}");
    let figures: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(figures["sessions"], 60);
    for round in ["connected", "storm"] {
        assert_eq!((&figures[round]["failed"], &figures[round]["first_failure"]), (&json!(0), &Value::Null));
        let login = &figures[round]["login_ms"];
        assert!(
            login["p50"].as_f64() > Some(0.0) && login["p50"].as_f64() <= login["max"].as_f64(),
            "{figures}"
        );
    }
    let messages = &figures["messages"];
    assert_eq!((&messages["arrived"], &messages["refused"]), (&messages["sent"], &json!(0)), "{figures}");
    assert!(
        messages["sent"].as_u64() > Some(0) && messages["latency_ms"]["p50"].as_f64() > Some(0.0),
        "{figures}"
    );
    assert!(
        figures["session_kib"].is_number() && figures["session_kib_after_storm"].is_number(),
        "{figures}"
    );

    // For people, and what cannot be.
    let table = String::from_utf8(bench(&["--sessions", "1"]).stdout).unwrap();
    assert!(table.contains("1 sessions there after ") && table.contains("failed logins"), "{table}");
    let refused = bench(&["--sessions", "3", "--active", "2"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!((refused.status.code(), stderr.contains("--active")), (Some(1), true), "{stderr}");
    server.stop().await;
}
