//! The server under test: built, configured, started and filled with accounts.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use protocol::usersig::{Lifetime, Secret, generate};
use serde::Deserialize;

use super::{
    clock, http,
    people::{self, People},
    plan::Work,
    process::Process,
};

pub(super) const SDKAPPID: u32 = 1_400_000_001;
/// A second app in the same server.
pub(super) const NEIGHBOUR: u32 = 1_400_000_002;
const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
const ADMIN: &str = "administrator";
pub(super) const AFTER_SEND: &str = "C2C.CallbackAfterSendMsg";
pub(super) const BEFORE_SEND: &str = "C2C.CallbackBeforeSendMsg";

/// Journals of ten million messages are read at start.
const READY_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
struct Ready {
    ready: ReadyAt,
}

#[derive(Deserialize)]
struct ReadyAt {
    listen: SocketAddr,
}

pub(super) struct App {
    pub sdkappid: u32,
    pub callback: SocketAddr,
    pub events: &'static [&'static str],
    /// Further keys of `[app.callback]`, as lines.
    pub settings: &'static str,
}

pub(super) struct Started {
    pub process: Process,
    pub listen: SocketAddr,
    pub ready_ms: f64,
}

/// Starts the server in a directory, which may hold the data of an earlier one.
pub(super) fn start(binary: &Path, dir: &Path, apps: &[App]) -> Result<Started> {
    let config = dir.join("couplet.toml");
    let data_dir = dir.join("data");
    let mut text = format!("listen = \"127.0.0.1:0\"\ndata_dir = {data_dir:?}\n");
    for App { sdkappid, callback, events, settings } in apps {
        text += &format!(
            "[[app]]\nsdkappid = {sdkappid}\nkey = \"{KEY}\"\nadmins = [\"{ADMIN}\"]\n\
             [app.callback]\nurl = \"http://{callback}/callback\"\ntoken = \"\"\nevents = {events:?}\n{settings}\n"
        );
    }
    std::fs::write(&config, text)?;
    let mut command = Command::new(binary);
    command.arg("serve").arg("--config").arg(&config).arg("--json");
    let started_ns = clock::now_ns();
    let mut process = Process::spawn("server", command, Some(dir.join("couplet.log")))?;
    let ready: Ready = process.hear(READY_TIMEOUT)?;
    Ok(Started { process, listen: ready.ready.listen, ready_ms: clock::elapsed_ms(started_ns) })
}

/// Makes the accounts. Names that exist already are no error.
pub(super) fn import(
    server: SocketAddr,
    sdkappid: u32,
    people: People,
    progress: impl Fn(u64),
) -> Result<()> {
    let path = path(sdkappid, "im_open_login_svc/multiaccount_import");
    for first in (0..people.users).step_by(100) {
        let end = people.users.min(first + 100);
        let names: Vec<String> =
            (first..end).map(|user| format!("{{\"UserID\":\"{}\"}}", people::name(user))).collect();
        let answer = http::post(server, &path, &format!("{{\"AccountList\":[{}]}}", names.join(",")))
            .context("importing accounts")?;
        ensure!(!answer.contains("\"FailAccounts\":[\""), "accounts are refused: {answer}");
        progress(u64::from(end));
    }
    Ok(())
}

pub(super) fn send(sdkappid: u32, event: bool) -> Work {
    Work::Send { path: path(sdkappid, "openim/sendmsg"), event }
}

pub(super) fn history() -> Work {
    Work::History { path: path(SDKAPPID, "openim/admin_getroammsg") }
}

pub(super) fn sessions() -> Work {
    Work::Sessions { sdkappid: SDKAPPID, key: KEY.to_owned() }
}

pub(super) fn path(sdkappid: u32, command: &str) -> String {
    let lifetime = Lifetime { time_s: clock::unix_s(), expire_s: 86_400 };
    let usersig = generate(&Secret { sdkappid, key: KEY }, ADMIN, lifetime, None);
    format!(
        "/v4/{command}?sdkappid={sdkappid}&identifier={ADMIN}&usersig={usersig}&random=1000000000&contenttype=json"
    )
}
