//! `couplet usersig`

use super::Outcome;
use crate::clock::SystemClock;
use crate::config::{Config, Flags};
use chat::port::Clock;
use protocol::usersig::{self, Lifetime, Secret};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The user the credential is for
    user: String,
    /// The app; left out: the only one of the configuration or of the data directory
    #[arg(long)]
    sdkappid: Option<u32>,
    /// The app's key; left out: the one of the configuration or of the data directory
    #[arg(long)]
    key: Option<String>,
    /// Lifetime in seconds
    #[arg(long, default_value_t = 180 * 24 * 60 * 60, value_parser = clap::value_parser!(u64).range(1..))]
    expire: u64,
    /// Settings of the server (a TOML file)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory of the server
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let (sdkappid, key) = match (arguments.sdkappid, &arguments.key) {
        (Some(sdkappid), Some(key)) => (sdkappid, key.clone()),
        (wanted, _) => configured(arguments, wanted)?,
    };
    let time_s = SystemClock.now_ms() / 1000;
    let secret = Secret { sdkappid, key: arguments.key.as_deref().unwrap_or(&key) };
    let usersig =
        usersig::generate(&secret, &arguments.user, Lifetime { time_s, expire_s: arguments.expire }, None);
    if arguments.json {
        let expires_at = time_s + arguments.expire;
        let user = &arguments.user;
        println!(
            "{}",
            serde_json::json!({ "sdkappid": sdkappid, "identifier": user, "usersig": usersig, "expires_at": expires_at })
        );
    } else {
        println!("{usersig}");
    }
    Ok(())
}

/// The app a server with these settings would serve.
fn configured(
    arguments: &Arguments,
    wanted: Option<u32>,
) -> Result<(u32, String), Box<dyn std::error::Error + Send + Sync>> {
    let flags =
        Flags { config: arguments.config.clone(), data_dir: arguments.data_dir.clone(), ..Flags::default() };
    let config = Config::load(&flags)?;
    let apps = match config.apps.is_empty() {
        false => config.apps,
        true => Config::read_apps(&config.data_dir.join("apps.toml"))?,
    };
    let mut fitting = apps.into_iter().filter(|app| wanted.is_none_or(|wanted| app.sdkappid == wanted));
    match (fitting.next(), fitting.next()) {
        (Some(app), None) => Ok((app.sdkappid, app.key)),
        (None, _) => Err("there is no such app; give --sdkappid and --key".into()),
        (Some(_), Some(_)) => Err("there are several apps; say which with --sdkappid".into()),
    }
}
