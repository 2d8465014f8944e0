//! Every way in which an endpoint can be bad, for a while: sends go on meanwhile, and it is told everything once it is
//! well, in order, by a server that has not grown.

use crate::bad_endpoint::{BadEndpoint, Call, Certificate, Fault, Scheme, answer};
use crate::log::{Log, TOLD_AGAIN};
use crate::metrics::Metrics;
use crate::place::{self, Place, SDKAPPID};
use crate::process::Server;
use crate::receiver::Told;
use crate::rest::{self, Rest, SEND};
use bytes::Bytes;
use hyper::Version;
use protocol::callback;
use std::collections::{BTreeMap, HashMap, HashSet};

const CONVERSATIONS: usize = 3;
/// Messages of a conversation while the endpoint is bad, and as many when it is well.
const MESSAGES: usize = 3;
/// Attempts that fail before it is well: one for each conversation, and then one more.
const FAILURES: usize = 4;
const GROWTH_KB_MAX: u64 = 64 * 1024;

const EVENTS: &str = "events = [\"C2C.CallbackAfterSendMsg\"]\nretry_delays_secs = [1]\n";
const QUESTIONS: &str = "events = [\"C2C.CallbackBeforeSendMsg\"]\n";
/// For faults that show at once: a busy machine must not add some of its own.
const PATIENT: &str = "timeout_ms = 30000\nconnect_timeout_ms = 30000\n";
const HASTY: &str = "timeout_ms = 300\n";

/// What came of a run.
struct Outcome {
    calls: Vec<Call>,
    /// Attempts that failed, by their reason.
    failures: BTreeMap<String, u64>,
}

impl Outcome {
    /// When the attempts at each event were made.
    fn times_s(&self) -> Vec<Vec<u64>> {
        let mut times: HashMap<&str, Vec<u64>> = HashMap::new();
        for call in &self.calls {
            times.entry(call.id()).or_default().push(call.time_s());
        }
        times.into_values().collect()
    }
}

async fn started(place: &Place, users: &[String]) -> (Server, Log) {
    let mut command = place.serve();
    let log = Log::of(&mut command);
    let server = Server::start(&mut command).await;
    rest::import(&mut place::admin(&server).await, users).await;
    (server, log)
}

/// The next few messages of each conversation. The first of each is long.
async fn send(admin: &mut Rest, users: &[String], from: usize) {
    for index in from..from + MESSAGES {
        for conversation in 0..CONVERSATIONS {
            let filling = if index == from { ".".repeat(8_000) } else { String::new() };
            let (from, to) = (&users[2 * conversation], &users[2 * conversation + 1]);
            let random = u32::try_from(index * CONVERSATIONS + conversation).unwrap();
            let body = rest::message(from, to, random, &format!("{conversation} {index} {filling}"));
            let code = code_of(admin, body).await;
            assert_eq!(code, 0, "a send does not depend on the endpoint");
        }
    }
}

/// The code that a send is answered with.
async fn code_of(admin: &mut Rest, body: Bytes) -> u64 {
    admin.call(SEND, body).await.unwrap().code
}

/// Runs the server with an endpoint that is bad until so many attempts have failed.
async fn run(mut endpoint: BadEndpoint, settings: &str, failures: usize) -> Outcome {
    let place = Place::new("", &format!("{}{EVENTS}{settings}", endpoint.settings()));
    let users = place::users(2 * CONVERSATIONS);
    let (server, mut log) = started(&place, &users).await;
    let memory_kb = server.process.memory_kb("VmRSS");
    let mut admin = place::admin(&server).await;
    send(&mut admin, &users, 0).await;
    log.says(TOLD_AGAIN, failures).await;
    endpoint.becomes_well();
    send(&mut admin, &users, MESSAGES).await;
    endpoint.has(2 * MESSAGES * CONVERSATIONS).await;

    let calls = endpoint.calls();
    check_calls(&calls);
    let metrics = Metrics::of(&server).await;
    let parked = metrics.by("couplet_callback_parked", "sdkappid");
    assert_eq!(parked, BTreeMap::from([(SDKAPPID.to_string(), 0)]), "nothing is given up");
    let growth_kb = server.process.memory_kb("VmHWM").saturating_sub(memory_kb);
    assert!(growth_kb < GROWTH_KB_MAX, "it has grown by {growth_kb} kB");
    eprintln!("{} calls, grown by at most {growth_kb} kB", calls.len());
    let mut attempts = metrics.by("couplet_callback_attempts_total", "reason");
    attempts.remove("none");
    server.stop().await;
    Outcome { calls, failures: attempts }
}

/// Each event was accepted, the first time in the order of its conversation, and always under one id.
fn check_calls(calls: &[Call]) {
    let mut firsts = vec![Vec::new(); CONVERSATIONS];
    let mut seen = HashSet::new();
    let mut bodies: HashMap<&str, &Bytes> = HashMap::new();
    for call in calls {
        let body = bodies.entry(call.id()).or_insert(&call.body);
        assert_eq!(*body, &call.body, "event {} has changed", call.id());
        if call.accepted && seen.insert(call.id()) {
            let told = Told::parse(&call.body);
            let mut words = told.text.split(' ').map(|word| word.parse::<usize>());
            let conversation = words.next().unwrap().unwrap();
            firsts[conversation].push(words.next().unwrap().unwrap());
        }
    }
    let all: Vec<usize> = (0..2 * MESSAGES).collect();
    assert_eq!(firsts, vec![all; CONVERSATIONS]);
}

/// An endpoint that is bad for a while, and why its attempts fail.
async fn check(fault: Fault, scheme: Scheme, reason: &str) -> Outcome {
    let settings = if reason == "timeout" { HASTY } else { PATIENT };
    let outcome = run(BadEndpoint::start(fault, scheme), settings, FAILURES).await;
    let reasons: Vec<&str> = outcome.failures.keys().map(String::as_str).collect();
    assert_eq!(reasons, [reason], "{:?}", outcome.failures);
    assert!(outcome.failures[reason] >= FAILURES as u64, "{:?}", outcome.failures);
    outcome
}

/// The same for an answer that can be read: each attempt is one call.
async fn check_answer(answer: String, reason: &str) {
    let outcome = check(Fault::Says(answer), Scheme::Http, reason).await;
    let refused = outcome.calls.iter().filter(|call| !call.accepted).count();
    assert_eq!(refused as u64, outcome.failures[reason]);
}

/// With a status, and without JSON in its body.
async fn check_status(status: &str, body: &str, reason: &str) {
    check_answer(answer(status, "Connection: close\r\n", body), reason).await;
}

#[tokio::test]
async fn refuses_connections() {
    check(Fault::Refuses, Scheme::Http, "connection").await;
}

#[tokio::test]
async fn reads_nothing() {
    check(Fault::ReadsNothing, Scheme::Http, "timeout").await;
}

#[tokio::test]
async fn reads_nothing_where_tls_is_expected() {
    check(Fault::ReadsNothing, Scheme::Https, "timeout").await;
}

#[tokio::test]
async fn never_answers() {
    check(Fault::Hangs, Scheme::Http, "timeout").await;
}

#[tokio::test]
async fn trickles_its_answer() {
    check(Fault::Trickles, Scheme::Http, "timeout").await;
}

#[tokio::test]
async fn resets_within_its_answer() {
    check(Fault::BreaksOff, Scheme::Http, "connection").await;
}

#[tokio::test]
async fn answers_without_end() {
    check(Fault::Endless, Scheme::Http, "too_long").await;
}

#[tokio::test]
async fn announces_more_than_it_sends() {
    check(Fault::Announces, Scheme::Http, "timeout").await;
}

#[tokio::test]
async fn takes_an_event_and_answers_too_late() {
    let outcome = check(Fault::AnswersTooLate, Scheme::Http, "timeout").await;
    let calls: HashSet<&str> = outcome.calls.iter().map(Call::id).collect();
    assert!(outcome.calls.len() >= calls.len() + FAILURES, "what it took came again under the same id");
}

#[tokio::test]
async fn redirects_to_itself() {
    let outcome = check(Fault::Redirects(["/callback"; 2]), Scheme::Http, "status").await;
    assert_eq!(outcome.calls.iter().filter(|call| !call.accepted).count() as u64, outcome.failures["status"]);
}

#[tokio::test]
async fn redirects_in_a_circle() {
    let outcome = check(Fault::Redirects(["/callback", "/elsewhere"]), Scheme::Http, "status").await;
    assert_eq!(outcome.calls.iter().filter(|call| !call.accepted).count() as u64, outcome.failures["status"]);
    assert!(
        outcome.calls.iter().all(|call| call.target.starts_with("/callback?")),
        "redirects are not followed"
    );
}

#[tokio::test]
async fn is_busy_for_some_seconds() {
    let busy = answer("429 Too Many Requests", "Connection: close\r\nRetry-After: 3\r\n", "");
    check_pauses(Fault::Says(busy)).await;
}

#[tokio::test]
async fn is_busy_until_a_time() {
    // The date has no fraction of a second, so at least three are left.
    check_pauses(Fault::BusyUntil(4)).await;
}

/// The endpoint asks for a pause of at least three seconds before it is called about the same event again.
async fn check_pauses(fault: Fault) {
    let outcome = run(BadEndpoint::start(fault, Scheme::Http), PATIENT, CONVERSATIONS).await;
    assert_eq!(outcome.failures, BTreeMap::from([("status".to_owned(), CONVERSATIONS as u64)]));
    let (again, once): (Vec<_>, Vec<_>) = outcome.times_s().into_iter().partition(|times| times.len() > 1);
    assert_eq!((again.len(), once.len()), (CONVERSATIONS, (2 * MESSAGES - 1) * CONVERSATIONS));
    for times in again {
        // The seconds are cut off, and are of another clock than the pause is measured with.
        assert!(times.len() == 2 && times[1] >= times[0] + 2, "{times:?}");
    }
}

#[tokio::test]
async fn is_unavailable() {
    check_status("503 Service Unavailable", "try later", "status").await;
}

/// That it is JSON is all that is asked of an answer to an event.
#[tokio::test]
async fn answers_json_of_another_type() {
    for answer in ["[{\"ErrorCode\":0}]", "{\"ActionStatus\":1,\"ErrorCode\":\"none\"}"] {
        let mut endpoint = BadEndpoint::answering(Fault::Hangs, Scheme::Http, answer);
        endpoint.becomes_well();
        let outcome = run(endpoint, PATIENT, 0).await;
        assert_eq!((outcome.failures, outcome.calls.len()), (BTreeMap::new(), 2 * MESSAGES * CONVERSATIONS));
    }
}

#[tokio::test]
async fn answers_json_that_is_cut() {
    check_status("200 OK", "{\"ActionStatus\":\"OK\",\"Erro", "not_json").await;
}

#[tokio::test]
async fn answers_a_page_for_people() {
    check_status("200 OK", "<!doctype html><title>It works!</title>", "not_json").await;
}

#[tokio::test]
async fn answers_nothing() {
    check_status("200 OK", "", "not_json").await;
}

#[tokio::test]
async fn answers_that_there_is_nothing_to_say() {
    check_answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned(), "status").await;
}

#[tokio::test]
async fn answers_what_is_no_http() {
    check_answer("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), "connection").await;
}

#[tokio::test]
async fn speaks_no_tls() {
    check(Fault::PlainText, Scheme::Https, "tls").await;
}

#[tokio::test]
async fn speaks_tls_and_then_garbage() {
    let outcome = run(BadEndpoint::start(Fault::Garbage, Scheme::Https), PATIENT, FAILURES).await;
    // Whether the request is on its way already when the garbage comes decides who notices.
    let is_right = |reason: &String| ["tls", "connection"].contains(&reason.as_str());
    assert!(outcome.failures.keys().all(is_right), "{:?}", outcome.failures);
    assert!(outcome.failures.values().sum::<u64>() >= FAILURES as u64, "{:?}", outcome.failures);
}

#[tokio::test]
async fn shows_a_certificate_of_an_unknown_authority() {
    let outcome = check(Fault::Presents(Certificate::OfStranger), Scheme::Https, "tls").await;
    assert!(outcome.calls.iter().all(|call| call.accepted), "it was told nothing before it could be trusted");
}

#[tokio::test]
async fn shows_an_expired_certificate() {
    let outcome = check(Fault::Presents(Certificate::Expired), Scheme::Https, "tls").await;
    assert!(outcome.calls.iter().all(|call| call.accepted), "it was told nothing before it could be trusted");
}

#[tokio::test]
async fn shows_a_certificate_of_another_name() {
    let outcome = check(Fault::Presents(Certificate::OfAnotherName), Scheme::Https, "tls").await;
    assert!(outcome.calls.iter().all(|call| call.accepted), "it was told nothing before it could be trusted");
}

#[tokio::test]
async fn demands_a_certificate_that_the_server_does_not_have() {
    check(Fault::DemandsCertificate, Scheme::Https, "tls").await;
}

#[tokio::test]
async fn demands_a_certificate_that_the_server_has() {
    check(
        Fault::Says(answer("503 Service Unavailable", "Connection: close\r\n", "")),
        Scheme::Mutual,
        "status",
    )
    .await;
}

#[tokio::test]
async fn speaks_http_2() {
    let mut endpoint = BadEndpoint::start(Fault::Hangs, Scheme::Http2);
    endpoint.becomes_well();
    let outcome = run(endpoint, PATIENT, 0).await;
    assert_eq!(outcome.failures, BTreeMap::new());
    assert!(outcome.calls.iter().all(|call| call.version == Version::HTTP_2));
}

/// One conversation's events are refused. The others are told all of theirs meanwhile.
#[tokio::test]
async fn is_bad_about_one_conversation() {
    let refusal = answer("503 Service Unavailable", "", "");
    let mut endpoint = BadEndpoint::start(Fault::SaysAbout("\"1 ", refusal), Scheme::Http);
    let place = Place::new("", &format!("{}{EVENTS}{PATIENT}", endpoint.settings()));
    let users = place::users(2 * CONVERSATIONS);
    let (server, _log) = started(&place, &users).await;
    let mut admin = place::admin(&server).await;
    for from in [0, MESSAGES] {
        send(&mut admin, &users, from).await;
    }
    endpoint.has(2 * MESSAGES * (CONVERSATIONS - 1)).await;
    let refused: HashSet<String> =
        endpoint.calls().iter().filter(|call| !call.accepted).map(|call| call.id().to_owned()).collect();
    assert_eq!(refused.len(), 1, "what stands behind it waits: {refused:?}");
    endpoint.becomes_well();
    endpoint.has(2 * MESSAGES * CONVERSATIONS).await;
    check_calls(&endpoint.calls());
    server.stop().await;
}

/// A backend that swallows questions is asked a few, and then no sender waits for it.
#[tokio::test]
async fn swallows_questions() {
    const SENDS: u32 = 40;
    const ASKED: usize = 5;
    let endpoint = BadEndpoint::start(Fault::Hangs, Scheme::Http);
    let settings = format!(
        "{}{QUESTIONS}{HASTY}question_failures_max = {ASKED}\nquestion_probe_delay_ms = 3600000\n",
        endpoint.settings()
    );
    let place = Place::new("", &settings);
    let users = place::users(2);
    let (server, _log) = started(&place, &users).await;
    let mut admin = place::admin(&server).await;
    for random in 0..SENDS {
        let answer = code_of(&mut admin, rest::message(&users[0], &users[1], random, "hello")).await;
        assert_eq!(answer, 0, "a question without an answer lets the message pass");
    }
    assert_eq!(endpoint.calls().len(), ASKED);
    let answers = Metrics::of(&server).await.by("couplet_callback_questions_total", "answer");
    assert_eq!((answers["failed"], answers["skipped"]), (5, 35), "{answers:?}");
    server.stop().await;
}

/// Once it answers again, its word counts again.
#[tokio::test]
async fn answers_questions_again() {
    const REFUSED: u64 = 120_001;
    let mut endpoint =
        BadEndpoint::answering(Fault::Hangs, Scheme::Http, callback::veto(120_001, "not today"));
    let settings = format!(
        "{}{QUESTIONS}timeout_ms = 1000\nquestion_failures_max = 2\nquestion_probe_delay_ms = 50\n\
         question_probe_wait_ms = 60000\n",
        endpoint.settings()
    );
    let place = Place::new("", &settings);
    let users = place::users(2);
    let (server, _log) = started(&place, &users).await;
    let mut admin = place::admin(&server).await;
    let mut randoms = 0..;
    let mut next = || rest::message(&users[0], &users[1], randoms.next().unwrap(), "hello");
    for _ in 0..3 {
        assert_eq!(code_of(&mut admin, next()).await, 0);
    }
    endpoint.becomes_well();
    // A sender now and then is the one who finds out.
    let swallowed = endpoint.calls().len();
    while endpoint.calls().len() == swallowed {
        let answer = code_of(&mut admin, next()).await;
        let was_asked = endpoint.calls().len() > swallowed;
        assert_eq!(answer, if was_asked { REFUSED } else { 0 });
    }
    assert_eq!(code_of(&mut admin, next()).await, REFUSED);
    server.stop().await;
}
