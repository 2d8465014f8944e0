//! The one app of the cluster, and what is allowed in its name.

use super::http;
use anyhow::{Result, ensure};
use protocol::usersig::{Lifetime, Secret, generate};
use rustix::time::{ClockId, clock_gettime};
use std::net::SocketAddr;

pub(super) const SDKAPPID: u32 = 1_400_000_001;
pub(super) const PEOPLE: [&str; 2] = ["ana", "bo"];
const ADMIN: &str = "administrator";
const KEY: &str = "a key that is good for trying things out";
/// Nobody tries things out for longer without starting anew.
const LIFETIME_SECS: u64 = 7 * 24 * 60 * 60;

/// As the configuration has it. Whoever starts the receiver late does not want to wait long for the next attempt.
pub(super) fn declaration(receiver_port: u16) -> String {
    format!(
        "[[app]]\nsdkappid = {SDKAPPID}\nkey = {KEY:?}\nadmins = [{ADMIN:?}]\n\n\
         [app.callback]\nurl = \"http://127.0.0.1:{receiver_port}/callback\"\nevents = [\"C2C.CallbackAfterSendMsg\"]\n\
         retry_delays_secs = [1, 2, 5]\n"
    )
}

pub(super) fn usersig(user: &str) -> String {
    let time_s = clock_gettime(ClockId::Realtime).tv_sec.cast_unsigned();
    let lifetime = Lifetime { time_s, expire_s: LIFETIME_SECS };
    generate(&Secret { sdkappid: SDKAPPID, key: KEY }, user, lifetime, None)
}

/// The path of a REST command, with all that makes it the admin's.
pub(super) fn path(command: &str) -> String {
    let usersig = usersig(ADMIN);
    format!(
        "/v4/{command}?sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={usersig}&random=1&contenttype=json"
    )
}

pub(super) fn make_accounts(node: SocketAddr) -> Result<()> {
    let accounts: Vec<_> = PEOPLE.iter().map(|user| serde_json::json!({ "UserID": user })).collect();
    let body = serde_json::json!({ "AccountList": accounts }).to_string();
    let answer = http::post(node, &path("im_open_login_svc/multiaccount_import"), &body)?;
    ensure!(answer.contains("\"ErrorCode\":0"), "the accounts cannot be made: {answer}");
    Ok(())
}
