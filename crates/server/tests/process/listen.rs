//! `couplet listen`: what it records, passes on, counts and refuses.

use crate::chance::Chance;
use crate::history::{self, Pair};
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place, SDKAPPID, couplet};
use crate::process::Process;
use crate::receiver::{Arrival, Mood, Receiver, check_told};
use crate::rest::{self, Connection};
use hyper::{StatusCode, Uri};
use protocol::callback;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

const TOKEN: &str = "a token for tests";
const USERS: usize = 6;

/// `couplet listen`, ready.
struct Listening {
    process: Process,
    url: Uri,
}

impl Listening {
    async fn start(listen: &str, arguments: &[&str], record: &Path) -> Self {
        let mut command = couplet();
        command.args(["listen", "--json", "--listen", listen, "--token", TOKEN]);
        command.args(["--sdkappid", &SDKAPPID.to_string()]).args(arguments).arg("--record").arg(record);
        let mut process = Process::start(&mut command);
        let ready = process.json_line().await;
        let url = ready["ready"]["url"].as_str().unwrap_or_else(|| panic!("not ready: {ready}"));
        Self { url: url.parse().unwrap(), process }
    }

    fn address(&self) -> &str {
        self.url.authority().unwrap().as_str()
    }

    /// Ends it, and returns what it has counted.
    async fn statistics(self) -> Value {
        self.process.signal("INT");
        let (status, lines) = self.process.ended().await;
        assert_eq!(status.code(), Some(0));
        let mut statistics: Value =
            serde_json::from_str(lines.last().expect("it counts at the end")).unwrap();
        statistics["statistics"].take()
    }

    fn settings(&self) -> String {
        format!(
            "url = \"{}\"\ntoken = \"{TOKEN}\"\nevents = [\"C2C.CallbackAfterSendMsg\"]\nretry_delays_secs = [1]\n",
            self.url
        )
    }
}

/// The lines of a record, as a receiver would have them.
fn recorded(record: &Path) -> Vec<Arrival> {
    let text = fs::read_to_string(record).unwrap();
    let arrival = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        assert_eq!(line["signature"], "valid");
        let url = line["url"].as_str().unwrap();
        Arrival {
            id: line["event_id"].as_str().unwrap().to_owned(),
            query: url.split_once('?').unwrap().1.to_owned(),
            body: line["body"].to_string().into(),
            accepted: true,
        }
    };
    text.lines().map(arrival).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_records_forwards_and_counts() {
    const MESSAGES: usize = 120;
    let mut chance = Chance::of_this_run();
    let behind = Receiver::start(Mood::Accepts, &mut chance);
    let files = Place::empty();
    let record = files.path("record.jsonl");
    let forward = format!("http://{}/behind?from=listen", behind.address);
    let mut listening = Listening::start("127.0.0.1:0", &["--forward-to", &forward], &record).await;
    let place = Place::new("", &listening.settings());
    let users = place::users(USERS);
    let server = place.start_with(&users).await;
    let load = Load::start((4, WhenBroken::End), &users, server.address, &mut chance);
    load.more(MESSAGES).await;
    let acknowledged = load.finish().await;
    behind.has(acknowledged.len()).await;
    let histories = history::read_all(&mut place::admin(&server).await, &users).await;

    // What it shows, what it records and what it passes on are the same.
    let mut shown = HashSet::new();
    for _ in &acknowledged {
        shown.insert(listening.process.json_line().await["event_id"].as_str().unwrap().to_owned());
    }
    let (recorded, forwarded) = (recorded(&record), behind.arrivals());
    check_told(&recorded, &histories);
    check_told(&forwarded, &histories);
    let ids: HashSet<String> = recorded.iter().map(|arrival| arrival.id.clone()).collect();
    assert_eq!(ids, shown);
    let query = &forwarded[0].query;
    assert!(
        query.starts_with(&format!("from=listen&SdkAppid={SDKAPPID}&")) && query.contains("&Sign="),
        "{query}"
    );

    let statistics = listening.statistics().await;
    let sent = acknowledged.len();
    let people: HashSet<&str> = acknowledged.iter().flat_map(|sent| [&*sent.from, &*sent.to]).collect();
    assert_eq!(statistics["messages"], sent);
    assert_eq!(statistics["callbacks"], sent);
    assert_eq!((&statistics["repeated"], &statistics["failures"]), (&0.into(), &0.into()));
    assert_eq!(statistics["users"], people.len());
    let pairs: HashSet<Pair> = acknowledged.iter().map(|sent| Pair::new(&sent.from, &sent.to)).collect();
    assert_eq!(statistics["conversations"], pairs.len());
    let forwarded = json!({ "callbacks": sent, "without_answer": 0, "not_ok": 0 });
    assert_eq!(statistics["forwarded"], forwarded);
    let minutes = statistics["minutes"].as_array().unwrap().iter();
    assert_eq!(minutes.map(|minute| minute["messages"].as_u64().unwrap()).sum::<u64>(), sent as u64);
    assert_eq!(statistics["by_command"]["C2C.CallbackAfterSendMsg"], sent);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_refuses_what_is_not_meant_for_it() {
    let files = Place::empty();
    let record = files.path("record.jsonl");
    // As a crash of the machine in the middle of a line leaves it. What is recorded next must not share that line.
    fs::write(&record, "{\"at_ms\":1,\"url\":\"/callb").unwrap();
    let listening = Listening::start("127.0.0.1:0", &[], &record).await;
    let mut connection = Connection::open(listening.address().parse().unwrap()).await.unwrap();
    let now_s = chat::port::Clock::now_ms(&server::clock::SystemClock) / 1000;
    let signed = |token: &str, time_s: u64| {
        format!("SdkAppid={SDKAPPID}&Sign={}&RequestTime={time_s}", callback::sign(token, time_s))
    };
    for (query, body, expected) in [
        (signed("another token", now_s), "{}", StatusCode::FORBIDDEN),
        (signed(TOKEN, now_s - 3600), "{}", StatusCode::FORBIDDEN),
        (format!("SdkAppid={SDKAPPID}"), "{}", StatusCode::FORBIDDEN),
        (signed(TOKEN, now_s).replace(&SDKAPPID.to_string(), "7"), "{}", StatusCode::FORBIDDEN),
        (signed(TOKEN, now_s), "no JSON", StatusCode::BAD_REQUEST),
        (signed(TOKEN, now_s), "{\n}", StatusCode::OK),
    ] {
        let (status, answer) = connection.post(&format!("/callback?{query}"), body.into()).await.unwrap();
        assert_eq!(status, expected, "{query} {body}");
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["ErrorCode"], u32::from(status != StatusCode::OK));
    }
    let lines = fs::read_to_string(&record).unwrap();
    assert_eq!(lines.lines().count(), 2, "what is refused is not recorded: {lines}");
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["body"], json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_takes_only_the_events_that_are_chosen_and_signed() {
    const SECRETS: [&str; 2] = ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3Rz"];
    const MESSAGES: u32 = 7;
    let files = Place::empty();
    let record = files.path("record.jsonl");
    let chosen = ["--event", "C2C.CallbackAfterSendMsg", "--event", "State.StateChange"];
    let both = ["--signing-secret", SECRETS[0], "--signing-secret", SECRETS[1]];
    let mut listening = Listening::start("127.0.0.1:0", &[&chosen[..], &both].concat(), &record).await;
    let settings = listening.settings().replace("events = [", "events = [\"C2C.CallbackBeforeSendMsg\", ");
    let signed =
        |secret: &str| format!("{settings}before_failure = \"reject\"\nsigning_secret = \"{secret}\"\n");
    let place = Place::new("", &signed(SECRETS[1]));
    let users = place::users(2);
    let server = place.start_with(&users).await;
    let mut admin = place::admin(&server).await;
    // Each is asked about first: a question that is not chosen is accepted, or this would fail.
    for random in 0..MESSAGES {
        let answer =
            admin.call(rest::SEND, rest::message(&users[0], &users[1], random, "hello")).await.unwrap();
        assert_eq!(answer.code, 0, "{}", answer.body);
    }
    for _ in 0..MESSAGES {
        let line = listening.process.json_line().await;
        assert_eq!(line["body"]["CallbackCommand"], "C2C.CallbackAfterSendMsg");
    }
    assert_eq!(recorded(&record).len(), MESSAGES as usize);

    // Now with the first secret alone, which is not the one in use.
    server.stop().await;
    let listen = listening.address().to_owned();
    assert_eq!(listening.statistics().await["by_command"], json!({ "C2C.CallbackAfterSendMsg": MESSAGES }));
    let mut listening = Listening::start(&listen, &both[..2], &record).await;
    let server = place.start().await;
    let mut admin = place::admin(&server).await;
    // Questions are signed as well: this one is refused, and so is the message.
    let refused =
        admin.call(rest::SEND, rest::message(&users[0], &users[1], MESSAGES, "hello")).await.unwrap();
    assert_eq!(refused.code, 80_003, "{}", refused.body);
    let refused = &listening.process.json_line().await["refused"];
    assert_eq!(refused["status"], 403);
    assert_eq!(refused["why"], "webhook-signature is not made with this secret, or not over this body");
    server.stop().await;
    let statistics = listening.statistics().await;
    assert!(statistics["refused"].as_u64().unwrap() >= 1, "{statistics}");
    assert_eq!((&statistics["callbacks"], &statistics["messages"]), (&0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_counts_what_it_could_not_forward() {
    let mut chance = Chance::of_this_run();
    let mut behind = Receiver::closed(Mood::Accepts, &mut chance);
    let files = Place::empty();
    let forward = format!("http://{}/behind", behind.address);
    let record = files.path("record.jsonl");
    let mut listening = Listening::start("127.0.0.1:0", &["--forward-to", &forward], &record).await;
    let place = Place::new("", &listening.settings());
    let users = place::users(2);
    let server = place.start_with(&users).await;
    let mut admin = place::admin(&server).await;
    admin.call(rest::SEND, rest::message(&users[0], &users[1], 1, "hello")).await.unwrap();
    // The line of a second attempt means that the first one has been answered.
    let first = listening.process.json_line().await;
    let second = listening.process.json_line().await;
    assert_eq!(first["event_id"], second["event_id"]);
    behind.open();
    behind.has(1).await;
    server.stop().await;
    let statistics = listening.statistics().await;
    assert!(statistics["forwarded"]["without_answer"].as_u64().unwrap() >= 1, "{statistics}");
    assert!(statistics["repeated"].as_u64().unwrap() >= 1, "{statistics}");
    assert_eq!(statistics["messages"], 1);
}

#[tokio::test]
async fn it_says_what_is_wrong_with_its_flags() {
    let place = Place::empty();
    let refusal = place.refusal(couplet().args(["listen", "--live"])).await;
    assert_eq!(refusal, "couplet: --live needs a terminal, for its keys and for its view");
    let three = ["--signing-secret", "YQ=="].repeat(3);
    let refusal = place.refusal(couplet().arg("listen").args(three)).await;
    assert_eq!(refusal, "couplet: --signing-secret can be given 2 times at most");
    for (flags, names) in [
        (["--event", "C2C.CallbackAfterSend"], "C2C.CallbackAfterSendMsg"),
        (["--event", "x"], "Alert.RequestOverLimit"),
        (["--signing-secret", "not base64!"], "base64"),
        (["--live", "--json"], "--json"),
    ] {
        let output = couplet().arg("listen").args(flags).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(names), "{flags:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_record_is_whole_after_crashes() {
    const ROUNDS: usize = 5;
    let mut chance = Chance::of_this_run();
    let files = Place::empty();
    let record = files.path("record.jsonl");
    let mut listening = Listening::start("127.0.0.1:0", &[], &record).await;
    let listen = listening.address().to_owned();
    let place = Place::new("", &(listening.settings() + "probe_delay_ms_min = 100\n"));
    let users = place::users(USERS);
    let mut server = place.start_with(&users).await;
    let load = Load::start((8, WhenBroken::Resend), &users, server.address, &mut chance);
    for _ in 0..ROUNDS {
        load.more(1 + chance.below(200)).await;
        server.kill();
        server = place.start().await;
        load.server_is_at(server.address);
        load.more(1 + chance.below(200)).await;
        listening.process.kill();
        listening = Listening::start(&listen, &[], &record).await;
    }
    let acknowledged = load.finish().await;
    let mut recorded_ids: HashSet<String> = recorded(&record).into_iter().map(|arrival| arrival.id).collect();
    while recorded_ids.len() < acknowledged.len() {
        recorded_ids.insert(listening.process.json_line().await["event_id"].as_str().unwrap().to_owned());
    }
    let histories = history::read_all(&mut place::admin(&server).await, &users).await;
    assert_eq!(history::check_acknowledged(&acknowledged, &histories), []);
    check_told(&recorded(&record), &histories);
    server.stop().await;
}
