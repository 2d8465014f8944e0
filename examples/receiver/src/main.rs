//! A backend that receives callbacks, as small as one can be that loses none and keeps none twice.
//!
//! It checks each POST, answers questions from memory, and keeps events as JSON lines in a file. An event is answered
//! when it is on the disk; one that cannot be kept is answered with 503, and comes again.

use anyhow::{Context, Result, bail};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, body::Bytes, routing::post};
use protocol::callback::receive::{BeforeSendMsg, Callback, Checker, Incoming};
use protocol::callback::{FriendVerdict, WebhookHeaders, WebhookSigner, accept, friend_verdicts, veto};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, absolute};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// What can be set, and what holds if it is not. An empty token or secret is not checked.
const SETTINGS: [(&str, &str); 6] = [
    ("--listen", "127.0.0.1:18090"),
    ("--file", "events.jsonl"),
    ("--sdkappid", "1400000001"),
    ("--token", ""),
    ("--secret", ""),
    ("--refused-word", "forbidden"),
];

struct Receiver {
    checker: Checker,
    refused_word: String,
    journal: Mutex<Journal>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let settings = settings()?;
    let setting = |name: &str| settings[name].as_str();
    let secret = Some(setting("--secret")).filter(|secret| !secret.is_empty());
    let signer = secret.map(WebhookSigner::new).transpose()?;
    let sdkappid = setting("--sdkappid").parse().context("--sdkappid is a number")?;
    let checker = Checker::new(sdkappid, setting("--token"), signer);
    let refused_word = setting("--refused-word").to_owned();
    let journal = Journal::open(Path::new(setting("--file"))).context("--file cannot be opened")?;
    let receiver = Arc::new(Receiver { checker, refused_word, journal: Mutex::new(journal) });
    let listener = tokio::net::TcpListener::bind(setting("--listen")).await?;
    println!("ready http://{}/callback", listener.local_addr()?);
    Ok(axum::serve(listener, Router::new().route("/callback", post(receive)).with_state(receiver)).await?)
}

fn settings() -> Result<HashMap<&'static str, String>> {
    let mut settings = HashMap::from(SETTINGS.map(|(name, value)| (name, value.to_owned())));
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let (Some(setting), Some(value)) = (settings.get_mut(name.as_str()), words.next()) else {
            bail!("{name} is not one of {SETTINGS:?}, or has no value behind it");
        };
        *setting = value;
    }
    Ok(settings)
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, (StatusCode, String)> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let incoming = Incoming {
        query: query.as_deref().unwrap_or_default(),
        webhook_id: header(WebhookHeaders::ID),
        webhook_timestamp: header(WebhookHeaders::TIMESTAMP),
        webhook_signature: header(WebhookHeaders::SIGNATURE),
        body: &body,
    };
    let status = |code| StatusCode::from_u16(code).expect("400 and 403 are statuses");
    let received = receiver.checker.check(incoming, now_s());
    let received = received.map_err(|rejected| (status(rejected.status()), rejected.to_string()))?;
    match &received.callback {
        Callback::BeforeSendMsg(message) => return Ok(judge(message, &receiver.refused_word)),
        Callback::PrevFriendAdd(asked) => return Ok(allow(asked.items.iter().map(|item| &*item.to))),
        Callback::PrevFriendResponse(asked) => return Ok(allow(asked.items.iter().map(|item| &*item.to))),
        _ => {}
    }
    let (id, command) = (received.id.map(str::to_owned), received.command.as_str().to_owned());
    // The caller may hang up while the disk is slow. The event is then kept, and recognised when it comes again.
    let kept = tokio::task::spawn_blocking(move || {
        receiver.journal.lock().expect("nothing panics with the journal").keep(id, &command, &body)
    });
    let kept = kept.await.expect("keeping an event does not panic");
    kept.map(|()| accept().to_owned()).map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
}

fn judge(message: &BeforeSendMsg, word: &str) -> String {
    let body: Vec<Value> = serde_json::from_str(message.body.get()).unwrap_or_default();
    let has_word = |item: &Value| item["MsgContent"]["Text"].as_str().is_some_and(|text| text.contains(word));
    if body.iter().any(has_word) { veto(120_001, "This is not said here.") } else { accept().to_owned() }
}

fn allow<'a>(users: impl Iterator<Item = &'a str>) -> String {
    let verdicts = users.map(|to| FriendVerdict { to: to.into(), code: 0, info: "".into() });
    friend_verdicts(&verdicts.collect::<Vec<_>>())
}

#[expect(clippy::disallowed_methods, reason = "the age of a signature is measured against the real time")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The events that were kept. A real backend has a table for this, with the id as its key.
struct Journal {
    file: File,
    len: u64,
    ids: HashSet<String>,
}

impl Journal {
    fn open(path: &Path) -> io::Result<Journal> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // What stands behind the last line end was being written when the process died, and was not answered.
        bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
        file.set_len(bytes.len() as u64)?;
        // The last line may have reached the file and not the disk, and a new file's name only the folder's memory.
        file.sync_all()?;
        File::open(absolute(path)?.parent().unwrap_or(Path::new("/")))?.sync_all()?;
        let id = |line| Some(serde_json::from_slice::<Value>(line).ok()?["id"].as_str()?.to_owned());
        let ids = bytes.split(|&byte| byte == b'\n').filter_map(id).collect();
        Ok(Journal { file, len: bytes.len() as u64, ids })
    }

    fn keep(&mut self, id: Option<String>, command: &str, body: &[u8]) -> io::Result<()> {
        if id.as_ref().is_some_and(|id| self.ids.contains(id)) {
            return Ok(());
        }
        // JSON may have line ends between its members, and has none inside its strings.
        let event = String::from_utf8_lossy(body).replace(['\n', '\r'], " ");
        let line = format!("{{\"id\":{},\"command\":{},\"event\":{event}}}\n", json!(id), json!(command));
        // An attempt that failed may have left a piece of its line behind.
        self.file.set_len(self.len)?;
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()?;
        self.len += line.len() as u64;
        self.ids.extend(id);
        Ok(())
    }
}
