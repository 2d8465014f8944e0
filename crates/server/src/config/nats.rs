//! Where NATS is, and how this node shows who it is.

use super::{ConfigError, unusable};
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    pub urls: Vec<String>,
    pub prefix: String,
    pub user: String,
    pub password: String,
    pub token: String,
    pub nkey: PathBuf,
    pub creds: PathBuf,
    pub tls: bool,
    pub ca: PathBuf,
    pub client_cert: PathBuf,
    pub client_key: PathBuf,
    pub request_timeout_ms: u64,
    pub gather_ms: u64,
    pub poll_ms: u64,
    pub polls_per_sec_max: u32,
    pub session_poll_secs: u64,
}

// Without the secrets.
impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Nats {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("nats.request_timeout_ms", self.request_timeout_ms),
            ("nats.gather_ms", self.gather_ms),
            ("nats.poll_ms", self.poll_ms),
            ("nats.polls_per_sec_max", u64::from(self.polls_per_sec_max)),
            ("nats.session_poll_secs", self.session_poll_secs),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return unusable(format!("{key} is 0: nothing could pass; leave it out for the default"));
        }
        if self.urls.is_empty() {
            return unusable("nats.urls is empty: there is nothing to connect to");
        }
        // They would be in whatever names the server that could not be reached.
        if self.urls.iter().any(|url| url.contains('@')) {
            return unusable(
                "nats.urls must not hold credentials: set nats.user and nats.password, or nats.token",
            );
        }
        let is_token = |token: &str| {
            let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
            !token.is_empty() && token.chars().all(fits)
        };
        if !self.prefix.split('.').all(is_token) {
            return unusable("nats.prefix has to be letters, digits, - and _, in parts that dots separate");
        }
        if self.user.is_empty() != self.password.is_empty() {
            return unusable("nats.user and nats.password go together: set both, or neither");
        }
        if self.client_cert.as_os_str().is_empty() != self.client_key.as_os_str().is_empty() {
            return unusable("nats.client_cert and nats.client_key go together: set both, or neither");
        }
        let files = [&self.nkey, &self.creds].map(|file| !file.as_os_str().is_empty());
        let ways = [!self.user.is_empty(), !self.token.is_empty(), files[0], files[1]];
        if ways.iter().filter(|way| **way).count() > 1 {
            return unusable("of nats.user, nats.token, nats.nkey and nats.creds, set one at most");
        }
        Ok(())
    }
}
