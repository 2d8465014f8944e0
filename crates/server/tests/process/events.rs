//! `couplet events` and `couplet trigger`: what they show, and what they make happen.

use crate::chance::Chance;
use crate::place::{self, ADMIN, Place, SDKAPPID, couplet};
use crate::process::{Process, Server};
use crate::receiver::{Mood, Receiver};
use crate::rest::{self, Rest};
use futures_util::future::join;
use serde_json::{Value, json};
use std::process::Output;

const USERS: usize = 2;

/// Runs a command against a server, as whoever has its settings.
fn run(place: &Place, server: &Server, arguments: &[&str]) -> Output {
    let url = format!("http://{}", server.address);
    couplet().args(arguments).arg("--config").arg(place.settings()).args(["--url", &url]).output().unwrap()
}

fn stdout(place: &Place, server: &Server, arguments: &[&str]) -> String {
    let done = run(place, server, arguments);
    let stderr = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8(done.stdout).unwrap()
}

fn json_lines(place: &Place, server: &Server, arguments: &[&str]) -> Vec<Value> {
    let lines = stdout(place, server, arguments);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn send(admin: &mut Rest, random: u32) -> String {
    let body = serde_json::from_slice(&rest::message("user00", "user01", random, "hello")).unwrap();
    let sent = admin.ask(rest::SEND, &body).await;
    sent["MsgKey"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_is_shown_and_told_again() {
    let receiver = Receiver::start(Mood::Accepts, &mut Chance::of_this_run());
    let place = Place::new("", &receiver.settings());
    let server = place.start_with(&place::users(USERS)).await;
    let mut admin = place::admin(&server).await;
    let key = send(&mut admin, 1).await;
    send(&mut admin, 2).await;
    receiver.has(2).await;

    let listed = json_lines(&place, &server, &["events", "list", "--since", "1h", "--json"]);
    let ids: Vec<&str> = listed.iter().map(|item| item["id"].as_str().unwrap()).collect();
    let told: Vec<String> = receiver.arrivals().into_iter().map(|arrival| arrival.id).collect();
    assert_eq!(ids, told);
    let first = ids[0];
    let text = stdout(&place, &server, &["events", "list", "--limit", "1"]);
    assert!(
        text.contains(first) && text.ends_with("user00 → user01  “hello”  delivered  unread 1\n"),
        "{text}"
    );
    let behind = json_lines(
        &place,
        &server,
        &["events", "list", "--json", "--from", listed[0]["position"].as_str().unwrap()],
    );
    assert_eq!(behind, &listed[1..]);

    let shown = json_lines(&place, &server, &["events", "show", first, "--json"]);
    assert_eq!(shown[0]["endpoints"][0]["state"], "done");
    let shown = stdout(&place, &server, &["events", "show", first]);
    assert!(shown.contains("\nep_default  told at ") && shown.contains("\n  \"MsgKey\": \""), "{shown}");
    let explained = stdout(&place, &server, &["events", "explain", &key]);
    assert!(explained.contains(first), "{explained}");
    let endpoints = json_lines(&place, &server, &["events", "endpoints", "--json"]);
    assert_eq!(endpoints[0]["endpoints"][0]["endpoint"], "ep_default");
    let followed =
        json_lines(&place, &server, &["events", "tail", "--after", "oldest", "--until-idle", "--json"]);
    assert_eq!(followed, listed);

    let again = ["events", "replay", "--id", first, "--json"];
    let asked = run(&place, &server, &again);
    assert_eq!(asked.status.code(), Some(2), "there is nobody to ask");
    assert!(String::from_utf8(asked.stderr).unwrap().contains("--yes"));
    assert_eq!(receiver.arrivals().len(), 2);
    let (_, replayed) =
        join(receiver.called(), async { json_lines(&place, &server, &[&again[..], &["--yes"]].concat()) })
            .await;
    assert_eq!(replayed, [json!({ "endpoint": "ep_default", "replayed": 1 })]);

    let event = "C2C.CallbackAfterSendMsg";
    let made = json_lines(&place, &server, &["trigger", event, "--text", "tried", "--json"]);
    receiver.has(3).await;
    let last = receiver.arrivals().pop().unwrap();
    assert_eq!(last.id, made[0]["id"].as_str().unwrap());
    assert_eq!(serde_json::from_slice::<Value>(&last.body).unwrap()["To_Account"], "sample_bo");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_on_is_listed_and_sent_again() {
    let receiver = Receiver::start(Mood::Fails, &mut Chance::of_this_run());
    let place = Place::new("", &(receiver.settings() + "retry_delays_secs = []\n"));
    let server = place.start_with(&place::users(USERS)).await;
    let mut admin = place::admin(&server).await;
    let (_, _) = join(receiver.called(), send(&mut admin, 1)).await;
    // The second of a conversation is told when the first is parked, and not before.
    let (_, _) = join(receiver.called(), send(&mut admin, 2)).await;
    let id = receiver.arrivals()[0].id.clone();
    let shown = json_lines(&place, &server, &["events", "show", &id, "--json"]);
    assert_eq!(shown[0]["endpoints"][0]["state"], "parked", "{}", shown[0]);
    let parked = json_lines(&place, &server, &["events", "parked", "--json"]);
    assert_eq!((&parked[0]["endpoint"], &parked[0]["id"]), (&"ep_default".into(), &id.as_str().into()));
    assert_eq!(parked[0]["attempts"], 1);
    let text = stdout(&place, &server, &["events", "parked", "--endpoint", "default"]);
    assert!(text.contains(&id) && text.contains("after 1 attempt: "), "{text}");

    receiver.becomes(Mood::Accepts);
    let replayed = json_lines(&place, &server, &["events", "replay", "--parked", "--yes", "--json"]);
    assert_eq!(replayed[0]["endpoint"], "ep_default");
    receiver.has(1).await;
    let times = receiver.arrivals().iter().filter(|arrival| arrival.id == id).count();
    assert_eq!(times, 2);
    server.stop().await;
}

/// `couplet serve` on an address that a server before had.
async fn start_again(place: &Place, address: std::net::SocketAddr) -> Server {
    let mut command = couplet();
    command.arg("serve").arg("--json").arg("--config").arg(place.settings());
    command.arg("--data-dir").arg(place.data_dir()).args(["--listen", &address.to_string()]);
    Server::start(&mut command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_goes_on_where_it_was() {
    const ROUNDS: u32 = 3;
    let place = Place::new("", "");
    let mut server = place.start_with(&place::users(USERS)).await;
    let address = server.address;
    let mut command = couplet();
    command.args(["events", "tail", "--json", "--after", "oldest", "--url", &format!("http://{address}")]);
    command.args(["--event", "C2C.CallbackAfterSendMsg", "--config"]).arg(place.settings());
    let mut tail = Process::start(&mut command);
    let mut sent = 0;
    for round in 0..ROUNDS {
        let mut admin = place::admin(&server).await;
        for _ in 0..=round {
            sent += 1;
            let key = send(&mut admin, sent).await;
            let heard = tail.json_line().await;
            assert_eq!(heard["body"]["MsgKey"], key, "message {sent}: none twice, and none left out");
        }
        // What is recorded while nobody follows comes too.
        if round + 1 < ROUNDS {
            server.kill();
            server = start_again(&place, address).await;
        }
    }
    tail.signal("INT");
    let (status, rest) = tail.ended().await;
    assert_eq!((status.code(), rest), (Some(0), vec![]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_one_line_without_secrets() {
    let place = Place::new("", "");
    let server = place.start().await;
    let list = &["events", "list"][..];
    for (arguments, expected) in [
        ([list, &["--from", "1-1"]].concat(), "(11103)"),
        ([list, &["--from", "nonsense"]].concat(), "(11104)"),
        ([list, &["--admin", "user00"]].concat(), "not an admin"),
        ([list, &["--key", "another key", "--sdkappid", &SDKAPPID.to_string()]].concat(), "UserSig"),
        ([list, &["--sdkappid", "7"]].concat(), "there is no such app"),
        (vec!["events", "show", "evt_1"], "(11102)"),
        (vec!["events", "parked", "--endpoint", "audit"], "(11101)"),
        (vec!["events", "replay", "--parked", "--yes"], "there is no endpoint ep_default"),
        (vec!["events", "explain", "no-key"], "(11104)"),
        (vec!["trigger", "C2C.Dance"], "C2C.CallbackAfterSendMsg"),
    ] {
        let done = run(&place, &server, &arguments);
        let stderr = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("couplet: ") && stderr.contains(expected), "{arguments:?}: {stderr}");
        assert_eq!((stderr.lines().count(), done.stdout.len()), (1, 0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("the key of") && !stderr.contains("another key"), "{stderr}");
    }
    for arguments in [vec!["events", "list", "--since", "soon"], vec!["events", "replay", "--yes"]] {
        let done = run(&place, &server, &arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
    }
    let address = server.address;
    server.stop().await;
    let done = couplet()
        .args(["events", "endpoints", "--url", &format!("http://{address}"), "--config"])
        .arg(place.settings())
        .output()
        .unwrap();
    let stderr = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(stderr.starts_with(&format!("couplet: cannot reach http://{address}: ")), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = Place::empty();
    let (cert, key) = (files.path("server.pem"), files.path("server.key"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let place = Place::new(&format!("[tls]\ncert = {cert:?}\nkey = {key:?}"), "");
    let server = place.start().await;
    let url = format!("https://localhost:{}", server.address.port());
    let mut command = couplet();
    command.args(["trigger", "State.StateChange", "--json", "--admin", ADMIN, "--url", &url]);
    command.arg("--config").arg(place.settings());
    let refused = command.output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(stderr.contains("UnknownIssuer") && stderr.contains("--ca"), "{stderr}");
    let done = command.arg("--ca").arg(&cert).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    server.stop().await;
}
