//! `couplet usersig`

use super::Outcome;
use super::output::{say, unless_the_reader_left};
use super::which_app::{Found, WhichApp};
use crate::clock::SystemClock;
use chat::port::Clock;
use protocol::usersig::{self, Lifetime, Secret};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The user the credential is for
    user: String,
    /// Lifetime in seconds
    #[arg(long, default_value_t = 180 * 24 * 60 * 60, value_parser = clap::value_parser!(u64).range(1..))]
    expire: u64,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    app: WhichApp,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let Found { sdkappid, key, .. } = arguments.app.find()?;
    let time_s = SystemClock.now_ms() / 1000;
    let secret = Secret { sdkappid, key: &key };
    let usersig =
        usersig::generate(&secret, &arguments.user, Lifetime { time_s, expire_s: arguments.expire }, None);
    let said = if arguments.json {
        let expires_at = time_s + arguments.expire;
        let user = &arguments.user;
        let made = serde_json::json!({ "sdkappid": sdkappid, "identifier": user, "usersig": usersig, "expires_at": expires_at });
        made.to_string()
    } else {
        usersig
    };
    unless_the_reader_left(say(&said).map_err(Into::into))
}
