//! `couplet import`: everything comes in once, in order, also when it was broken off.

use crate::place::{self, Place, couplet};
use crate::process::Server;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::process::Output;

const USERS: usize = 4;
const MESSAGES: usize = 30_000;
const LINE_TOO_LONG_BYTES: usize = 600 * 1024;

fn import(place: &Place, server: &Server, export: &Path, flags: &[&str]) -> Output {
    let mut command = couplet();
    command.arg("import").arg(export).args(["--url", &format!("http://{}", server.address)]);
    command.arg("--config").arg(place.settings()).args(flags).output().unwrap()
}

fn report(done: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{stderr}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// The n-th message goes between two of the users, who take turns; a hundred of them are of one second.
fn line(n: usize) -> String {
    let users = place::users(USERS);
    let from = n % USERS;
    let to = (from + 1 + n / USERS % (USERS - 1)) % USERS;
    let line = json!({
        "From_Account": users[from],
        "To_Account": users[to],
        "MsgSeq": n,
        "MsgRandom": 1,
        "MsgTimeStamp": 1_700_000_000 + n / 100,
        "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": format!("number {n}") } }],
    });
    line.to_string() + "\n"
}

fn export() -> String {
    let mut text = String::new();
    for user in place::users(USERS) {
        writeln!(text, "{}", json!({ "UserID": user, "Nick": user.to_uppercase() })).unwrap();
    }
    (0..MESSAGES).for_each(|n| text.push_str(&line(n)));
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ended_early_goes_on_where_it_was() {
    let place = Place::new("", "");
    let server = place.start().await;
    let path = place.path("export.jsonl");
    let state = place.path("export.jsonl.imported");
    let whole = export();
    // Three quarters down there is a line that cannot be meant.
    let at = whole.len() * 3 / 4;
    let at = at + whole[at..].find('\n').unwrap() + 1;
    let broken = format!("{}{}\n{}", &whole[..at], "x".repeat(LINE_TOO_LONG_BYTES), &whole[at..]);
    std::fs::write(&path, broken).unwrap();
    let ended = import(&place, &server, &path, &["--json"]);
    assert_eq!(ended.status.code(), Some(1));
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(stderr.contains(&format!("the line at byte {at} is longer than")), "{stderr}");
    let kept: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    let offset = kept["offset"].as_u64().unwrap() as usize;
    assert!(0 < offset && offset <= at, "{offset}");
    assert!(whole.is_char_boundary(offset) && whole[..offset].ends_with('\n'));

    std::fs::write(&path, &whole).unwrap();
    let gone_on = report(&import(&place, &server, &path, &["--json"]));
    let done = |report: &Value, what: &str| report[what].as_u64().unwrap() as usize;
    assert!(done(&gone_on, "messages") > 0);
    assert_eq!(done(&gone_on, "accounts") + done(&gone_on, "rejected") + done(&gone_on, "skipped"), 0);
    let behind = whole[offset..].lines().count();
    assert_eq!(done(&gone_on, "messages") + done(&gone_on, "duplicates"), behind);
    assert!(!state.exists(), "it is not needed any more");

    // Another file in its place, and a run that means something else, do not go on from there.
    for (text, flags) in [(format!(" {whole}"), &["--json"][..]), (whole.clone(), &["--json", "--live"])] {
        std::fs::write(&path, text).unwrap();
        std::fs::write(&state, kept.to_string()).unwrap();
        let anew = report(&import(&place, &server, &path, flags));
        assert_eq!(
            anew["messages"].as_u64().unwrap() + anew["duplicates"].as_u64().unwrap(),
            MESSAGES as u64
        );
    }
    std::fs::write(&path, &whole).unwrap();
    let again = report(&import(&place, &server, &path, &["--json"]));
    assert_eq!((done(&again, "messages"), done(&again, "duplicates")), (0, MESSAGES));
    in_order(&server).await;
    server.stop().await;
}

/// The newest page of a conversation: a hundred messages of the last seconds, as they stand in the export.
async fn in_order(server: &Server) {
    let mut admin = place::admin(server).await;
    let users = place::users(USERS);
    let body = json!({
        "Operator_Account": users[0],
        "Peer_Account": users[1],
        "MaxCnt": 40,
        "MinTime": 0,
        "MaxTime": 4_000_000_000_u32,
    });
    let page = admin.ask("openim/admin_getroammsg", &body).await;
    let numbers: Vec<u64> = page["MsgList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["MsgSeq"].as_u64().unwrap())
        .collect();
    let expected = (0..MESSAGES).filter(|n| {
        let line: Value = serde_json::from_str(&line(*n)).unwrap();
        let pair = [line["From_Account"].as_str().unwrap(), line["To_Account"].as_str().unwrap()];
        pair.contains(&users[0].as_str()) && pair.contains(&users[1].as_str())
    });
    let expected: Vec<u64> = expected.map(|n| n as u64).collect();
    assert_eq!(numbers, expected[expected.len() - numbers.len()..]);
    assert_eq!(numbers.len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_is_kept_with_its_reason() {
    let place = Place::new("", "");
    let server = place.start().await;
    let path = place.path("export.jsonl");
    let stranger = line(1).replace("user01", "stranger");
    std::fs::write(&path, format!("{}\n{}{}{stranger}?\n", json!({ "UserID": "user00" }), line(0), line(1)))
        .unwrap();
    let done = import(&place, &server, &path, &[]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "Imported 1 account and 0 messages.\n");
    let rejected = place.path("export.jsonl.rejected");
    let told = format!("couplet: not taken: 4 lines; see {}\n", rejected.display());
    assert_eq!(String::from_utf8(done.stderr).unwrap(), told);
    let mut reasons: Vec<(u64, String)> = std::fs::read_to_string(&rejected)
        .unwrap()
        .lines()
        .map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            (entry["ErrorCode"].as_u64().unwrap(), entry["line"].as_str().unwrap().to_owned())
        })
        .collect();
    reasons.sort_unstable();
    let refused = |line: &str| (90048, line.trim().to_owned());
    let mut expected =
        vec![(90001, "?".to_owned()), refused(&line(0)), refused(&line(1)), refused(&stranger)];
    expected.sort_unstable();
    assert_eq!(reasons, expected);

    std::fs::write(&path, format!("{}{}{stranger}", line(0), line(1))).unwrap();
    let all = report(&import(&place, &server, &path, &["--json", "--create-accounts"]));
    assert_eq!(all["messages"], 3);
    server.stop().await;
}
