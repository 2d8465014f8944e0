//! Settings of push to devices that are not connected.

use super::{Callback, ConfigError};
use serde::Deserialize;
use std::path::PathBuf;
use toml::Table;

/// Defaults of every app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    pub timeout_ms: u64,
    pub connect_timeout_ms: u64,
    pub in_flight_max: usize,
    pub retry_delays_secs: Vec<u64>,
    pub age_secs_max: u64,
}

/// Who carries push to an app's devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppPush {
    pub fcm: Option<Fcm>,
    pub apns: Option<Apns>,
}

/// Firebase Cloud Messaging, its HTTP v1 API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fcm {
    /// The key file of a service account.
    pub service_account: PathBuf,
    #[serde(default = "fcm_url")]
    pub url: String,
    /// Empty: the one that the key file names.
    #[serde(default)]
    pub token_url: String,
}

fn fcm_url() -> String {
    "https://fcm.googleapis.com".to_owned()
}

/// Apple Push Notification service, with a key for tokens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apns {
    /// The `.p8` file.
    pub key: PathBuf,
    pub key_id: String,
    pub team_id: String,
    /// The bundle id of the installed app.
    pub topic: String,
    /// Apps that were installed from a developer's machine.
    #[serde(default)]
    pub sandbox: bool,
    /// Empty: Apple's.
    #[serde(default)]
    pub url: String,
}

impl Push {
    /// How whoever follows the log for push does it: the callbacks' settings, but for those that are push's own.
    pub fn follower(&self, callback: &Table) -> Result<Callback, ConfigError> {
        let (mut settings, _) = Callback::of(callback, &Table::new(), "callback")?;
        settings.timeout_ms = self.timeout_ms;
        settings.connect_timeout_ms = self.connect_timeout_ms;
        settings.in_flight_max = self.in_flight_max;
        settings.retry_delays_secs.clone_from(&self.retry_delays_secs);
        // What is too old is dropped, and that should come first: only what can be mended is parked.
        let longest = self.retry_delays_secs.iter().copied().max().unwrap_or(0);
        settings.give_up_after_secs = self.age_secs_max.saturating_add(longest.saturating_mul(2));
        // A message that was written long ago is no news on a phone.
        settings.begin = super::Begin::Now;
        settings.check("push")?;
        Ok(settings)
    }
}
