//! Settings: the compiled-in defaults, under a file, under the environment, under flags.
//!
//! `config.default.toml` is the manual. Nothing else in the server reads the environment.

mod media;
mod push;
mod nats;
mod postgres;

pub use media::{Media, MediaStore, S3};
pub use nats::Nats;
pub use postgres::Postgres;
pub use push::{Apns, AppPush, Fcm, Push};

use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const DEFAULTS: &str = include_str!("../config.default.toml");
const ENVIRONMENT_PREFIX: &str = "COUPLET";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub store: StoreKind,
    pub bus: BusKind,
    pub nats: Nats,
    pub tls: Tls,
    pub log: Log,
    pub limits: Limits,
    pub gateway: Gateway,
    pub media: Media,
    pub chat: ChatPage,
    /// Defaults of every app, read with the app's own over them by [`Callback::of`].
    pub callback: Table,
    pub events: Events,
    pub push: Push,
    pub embedded: Embedded,
    pub postgres: Postgres,
    #[serde(default, rename = "app")]
    pub apps: Vec<App>,
    /// What it was read with, so that it can be read again.
    #[serde(skip)]
    pub flags: Flags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    Embedded,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BusKind {
    Local,
    Nats,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub message_bytes_max: usize,
    pub rest_body_bytes_max: usize,
    pub first_byte_timeout_ms: u64,
    pub keep_alive_secs: u64,
    pub connections_max: usize,
    pub history_page_len_max: usize,
    pub history_page_bytes_max: usize,
    pub contacts_page_len_max: usize,
    pub pinned_len_max: usize,
    pub friends_len_max: u32,
    pub friend_groups_len_max: usize,
    pub friend_requests_len_max: u32,
    pub blocklist_len_max: u32,
    pub sends_looked_at_max: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub login_timeout_ms: u64,
    pub heartbeat_secs: u64,
    pub frame_bytes_max: usize,
    pub session_queue_len_max: usize,
    pub session_queue_bytes_max: usize,
    pub session_requests_max: usize,
    pub user_sessions_max: usize,
    pub poll_secs: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatPage {
    pub enabled: bool,
}

/// Settings of calls to an endpoint: the server's defaults, or one endpoint's own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    pub timeout_ms: u64,
    pub connect_timeout_ms: u64,
    pub in_flight_max: usize,
    pub stuck_max: usize,
    pub before_failure: BeforeFailure,
    pub question_in_flight_max: usize,
    pub question_failures_max: u32,
    pub question_stalled_max: usize,
    pub question_probe_delay_ms: u64,
    pub question_probe_wait_ms: u64,
    pub retry_on_error_code: bool,
    pub retry_delays_secs: Vec<u64>,
    pub give_up_after_secs: u64,
    pub refused_attempts_max: u32,
    pub breaker_failures_max: u32,
    pub probe_delay_ms_min: u64,
    pub probe_delay_ms_max: u64,
    pub fresh_len_max: usize,
    pub held_len_max: usize,
    pub private_addresses: PrivateAddresses,
    pub checkpoint_ms: u64,
    pub begin: Begin,
}

/// Which events an endpoint that was never told anything begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Begin {
    Oldest,
    Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BeforeFailure {
    Pass,
    Reject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivateAddresses {
    Allow,
    Refuse,
}

const LEASE_SECS_MIN: u64 = 6;
const LEASE_SECS_MAX: u64 = 600;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub retention_days: u64,
    pub lease_secs: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedded {
    pub cache_mib: u64,
    pub journal_mib: u64,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub sdkappid: u32,
    pub key: String,
    #[serde(default)]
    pub previous_key: String,
    pub admins: Vec<String>,
    /// Whether logins and lost connections are events.
    #[serde(default)]
    pub state_changes: bool,
    /// Whether only friends may write to one another from their devices.
    #[serde(default)]
    pub friends_only: bool,
    /// Whether a blocked sender hears of it.
    #[serde(default)]
    pub tells_blocked: bool,
    /// Whether messages to many are events too.
    #[serde(default)]
    pub callback_on_batch: bool,
    /// For so long its sender can recall a message from a device.
    #[serde(default = "recall_secs")]
    pub recall_secs: u64,
    /// Whether only its sender can edit a message from a device.
    #[serde(default)]
    pub edits_own_only: bool,
    #[serde(default)]
    pub rates: Rates,
    #[serde(default)]
    pub logins: Logins,
    /// Who carries push to devices that are not connected.
    #[serde(default)]
    pub push: AppPush,
    /// The endpoint that is asked and told, as the original has it: its address, and its settings over the server's.
    #[serde(default)]
    pub callback: Option<Table>,
    /// Further endpoints, which are only told.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Table>,
    #[serde(default, rename = "filter")]
    pub filters: Vec<Filter>,
}

/// As in the original.
pub fn recall_secs() -> u64 {
    120
}

/// How often an app may call REST; 0 is as often as it likes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rates {
    pub calls_per_sec: u32,
    /// For every command by itself.
    pub command_calls_per_sec: u32,
    /// In place of that, for some commands by name.
    pub commands: BTreeMap<String, u32>,
    pub batch_messages_per_min: u32,
    /// Of one user, from all devices.
    pub device_sends_per_sec: u32,
}

/// How many sessions a user may have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logins {
    pub policy: LoginPolicy,
    /// By the platform's name; 1 for those that are not named.
    pub max_per_platform: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginPolicy {
    #[default]
    Any,
    Last,
    Class,
    Count,
}

/// Where an app's backend listens, and how it is called.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Of a further endpoint; the first has none.
    #[serde(default)]
    pub name: String,
    pub url: String,
    #[serde(default)]
    pub token: String,
    #[serde(default)]
    pub signing_secret: String,
    #[serde(default)]
    pub previous_signing_secret: String,
    /// Left out: all events. So with the next three.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    #[serde(default)]
    pub senders: Option<Vec<String>>,
    #[serde(default)]
    pub recipients: Option<Vec<String>>,
    #[serde(default)]
    pub message_types: Option<Vec<String>>,
    /// Certificates that the endpoint's own may be issued by, in place of the public ones.
    #[serde(default)]
    pub ca: PathBuf,
    #[serde(default)]
    pub client_cert: PathBuf,
    #[serde(default)]
    pub client_key: PathBuf,
}

/// The keys of [`Endpoint`]; all others of its table are settings of [`Callback`].
const ENDPOINT_KEYS: [&str; 12] = [
    "name",
    "url",
    "token",
    "signing_secret",
    "previous_signing_secret",
    "events",
    "senders",
    "recipients",
    "message_types",
    "ca",
    "client_cert",
    "client_key",
];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    pub words: Vec<String>,
    pub action: FilterAction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterAction {
    Block,
    Mask,
    Mark,
}

// Without the secrets.
impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("sdkappid", &self.sdkappid)
            .field("admins", &self.admins)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("events", &self.events).finish_non_exhaustive()
    }
}

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Flags {
    /// Settings that differ from the defaults (a TOML file)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The engine that keeps everything: embedded or postgres
    #[arg(long, value_name = "ENGINE")]
    pub store: Option<String>,
    /// What carries wake-ups between sessions: local or nats
    #[arg(long, value_name = "BUS")]
    pub bus: Option<String>,
}

/// Why the settings cannot be used. Each text says which key, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    #[error("{0}: {1}")]
    NotToml(String, Box<toml::de::Error>),
    #[error("{variable}: {value:?} is not of the kind of the default, {default}")]
    Environment { variable: String, value: String, default: String },
    #[error("{0}")]
    Unusable(String),
}

impl Config {
    /// Reads the defaults, the file of the flags, the process's environment and the flags, and checks the result.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        Self::load_with(flags, |name| std::env::var(name).ok())
    }

    fn load_with(flags: &Flags, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut table: Table =
            DEFAULTS.parse().expect("the compiled-in defaults are TOML, as a test makes sure");
        if let Some(path) = &flags.config {
            overlay(&mut table, read_table(path)?);
        }
        apply_environment(&mut table, ENVIRONMENT_PREFIX, &environment)?;
        let mut set = |key: &str, value: String| table.insert(key.to_owned(), Value::String(value));
        if let Some(data_dir) = &flags.data_dir {
            set("data_dir", data_dir.to_string_lossy().into_owned());
        }
        if let Some(listen) = &flags.listen {
            set("listen", listen.to_string());
        }
        if let Some(store) = &flags.store {
            set("store", store.clone());
        }
        if let Some(bus) = &flags.bus {
            set("bus", bus.clone());
        }
        let source = flags.config.as_ref().map_or("settings".to_owned(), |path| path.display().to_string());
        let mut config: Self =
            table.try_into().map_err(|error| ConfigError::NotToml(source, Box::new(error)))?;
        config.flags = flags.clone();
        config.check()?;
        Ok(config)
    }

    /// The apps of a file that holds nothing else.
    pub fn read_apps(path: &Path) -> Result<Vec<App>, ConfigError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Apps {
            #[serde(default, rename = "app")]
            apps: Vec<App>,
        }
        let apps: Apps = read_table(path)?
            .try_into()
            .map_err(|error| ConfigError::NotToml(path.display().to_string(), Box::new(error)))?;
        Ok(apps.apps)
    }

    pub fn tls_is_on(&self) -> bool {
        !self.tls.cert.as_os_str().is_empty()
    }

    fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("limits.message_bytes_max", self.limits.message_bytes_max as u64),
            ("limits.rest_body_bytes_max", self.limits.rest_body_bytes_max as u64),
            ("limits.first_byte_timeout_ms", self.limits.first_byte_timeout_ms),
            ("limits.keep_alive_secs", self.limits.keep_alive_secs),
            ("limits.connections_max", self.limits.connections_max as u64),
            ("limits.history_page_len_max", self.limits.history_page_len_max as u64),
            ("limits.history_page_bytes_max", self.limits.history_page_bytes_max as u64),
            ("limits.contacts_page_len_max", self.limits.contacts_page_len_max as u64),
            ("limits.pinned_len_max", self.limits.pinned_len_max as u64),
            ("limits.friends_len_max", u64::from(self.limits.friends_len_max)),
            ("limits.friend_groups_len_max", self.limits.friend_groups_len_max as u64),
            ("limits.friend_requests_len_max", u64::from(self.limits.friend_requests_len_max)),
            ("limits.blocklist_len_max", u64::from(self.limits.blocklist_len_max)),
            ("limits.sends_looked_at_max", self.limits.sends_looked_at_max as u64),
            ("gateway.login_timeout_ms", self.gateway.login_timeout_ms),
            ("gateway.heartbeat_secs", self.gateway.heartbeat_secs),
            ("gateway.session_queue_len_max", self.gateway.session_queue_len_max as u64),
            ("gateway.session_queue_bytes_max", self.gateway.session_queue_bytes_max as u64),
            ("gateway.session_requests_max", self.gateway.session_requests_max as u64),
            ("gateway.user_sessions_max", self.gateway.user_sessions_max as u64),
            ("gateway.poll_secs", self.gateway.poll_secs),
            ("events.retention_days", self.events.retention_days),
            ("embedded.cache_mib", self.embedded.cache_mib),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return unusable(format!("{key} is 0: nothing could pass; leave it out for the default"));
        }
        if self.tls.cert.as_os_str().is_empty() != self.tls.key.as_os_str().is_empty() {
            return unusable("tls.cert and tls.key go together: set both, or neither");
        }
        if self.limits.message_bytes_max > protocol::limits::MESSAGE_LEN_MAX {
            return unusable(
                "limits.message_bytes_max cannot be above 12288, the most that the wire format allows",
            );
        }
        if !(LEASE_SECS_MIN..=LEASE_SECS_MAX).contains(&self.events.lease_secs) {
            return unusable(
                "events.lease_secs must be from 6 to 600: a node renews in a third of it, and the rest is how long \
                 events wait when one dies",
            );
        }
        if self.embedded.journal_mib < 64 {
            return unusable(
                "embedded.journal_mib must be at least 64, which the engine needs to rotate journals",
            );
        }
        if self.gateway.frame_bytes_max < self.limits.message_bytes_max {
            return unusable(
                "gateway.frame_bytes_max is below limits.message_bytes_max: long messages could not come",
            );
        }
        self.postgres.check(self.store == StoreKind::Postgres, !self.apps.is_empty())?;
        self.nats.check()?;
        self.media.check()?;
        Callback::of(&self.callback, &Table::new(), "callback").map(|_| ())
    }
}

impl Callback {
    /// An endpoint's settings: the server's, with its own over them.
    pub fn of(server: &Table, own: &Table, name: &str) -> Result<(Self, Option<Endpoint>), ConfigError> {
        let (mut settings, mut endpoint) = (server.clone(), Table::new());
        for (key, value) in own {
            let of_endpoint = ENDPOINT_KEYS.contains(&key.as_str());
            let table = if of_endpoint { &mut endpoint } else { &mut settings };
            table.insert(key.clone(), value.clone());
        }
        let not_toml = |error| ConfigError::NotToml(name.to_owned(), Box::new(error));
        let settings: Self = settings.try_into().map_err(not_toml)?;
        settings.check(name)?;
        let endpoint = (!own.is_empty()).then(|| endpoint.try_into().map_err(not_toml)).transpose()?;
        Ok((settings, endpoint))
    }

    fn check(&self, name: &str) -> Result<(), ConfigError> {
        let positive = [
            ("timeout_ms", self.timeout_ms),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("in_flight_max", self.in_flight_max as u64),
            ("question_in_flight_max", self.question_in_flight_max as u64),
            ("question_failures_max", u64::from(self.question_failures_max)),
            ("question_stalled_max", self.question_stalled_max as u64),
            ("question_probe_delay_ms", self.question_probe_delay_ms),
            ("refused_attempts_max", u64::from(self.refused_attempts_max)),
            ("breaker_failures_max", u64::from(self.breaker_failures_max)),
            ("probe_delay_ms_min", self.probe_delay_ms_min),
            ("fresh_len_max", self.fresh_len_max as u64),
            ("held_len_max", self.held_len_max as u64),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return unusable(format!(
                "{name}: {key} is 0: no call could be made; leave it out for the default"
            ));
        }
        if self.timeout_ms > TIMEOUT_MS_MAX {
            return unusable(format!(
                "{name}: timeout_ms is above {TIMEOUT_MS_MAX}: a stop would wait for as long"
            ));
        }
        let delays = self.retry_delays_secs.iter().chain([&self.give_up_after_secs]);
        if delays.copied().any(|secs| secs > DELAY_SECS_MAX) {
            return unusable(format!(
                "{name}: a delay in retry_delays_secs, or give_up_after_secs, is above a year"
            ));
        }
        if self.retry_delays_secs.contains(&0) {
            return unusable(format!("{name}: a delay of 0 in retry_delays_secs would hammer the endpoint"));
        }
        if self.probe_delay_ms_max < self.probe_delay_ms_min {
            return unusable(format!("{name}: probe_delay_ms_max is below probe_delay_ms_min"));
        }
        Ok(())
    }
}

/// Longest time for a call. Every stop and every reload waits for calls to end.
const TIMEOUT_MS_MAX: u64 = 60_000;
const DELAY_SECS_MAX: u64 = 366 * 24 * 60 * 60;

fn unusable<T>(text: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::Unusable(text.into()))
}

fn read_table(path: &Path) -> Result<Table, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
    text.parse().map_err(|error| ConfigError::NotToml(path.display().to_string(), Box::new(error)))
}

/// Puts the values of `over` into `table`; sections are merged, everything else is replaced.
fn overlay(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(section)), Value::Table(own)) => overlay(section, own),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Replaces every value that has a variable. The kind of the default decides how the text is read.
fn apply_environment(
    table: &mut Table,
    prefix: &str,
    environment: &impl Fn(&str) -> Option<String>,
) -> Result<(), ConfigError> {
    for (key, value) in table.iter_mut() {
        let variable = format!("{prefix}_{}", key.to_uppercase());
        if let Value::Table(section) = value {
            apply_environment(section, &variable, environment)?;
            continue;
        }
        let Some(text) = environment(&variable) else { continue };
        let read = match value {
            Value::String(_) => Some(Value::String(text.clone())),
            Value::Integer(_) => text.parse().ok().map(Value::Integer),
            Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
            // Lists are written as TOML writes them.
            _ => format!("value = {text}").parse::<Table>().ok().and_then(|mut read| read.remove("value")),
        };
        let Some(read) = read.filter(|read| read.same_type(value)) else {
            return Err(ConfigError::Environment { variable, value: text, default: value.to_string() });
        };
        *value = read;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)], flags: Flags) -> Result<Config, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("couplet.toml");
        std::fs::write(&path, file).unwrap();
        let flags = Flags { config: Some(path), ..flags };
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        Config::load_with(&flags, lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn the_layers_come_in_order() {
        let file = "listen = \"127.0.0.1:1\"\n[gateway]\nheartbeat_secs = 5\npoll_secs = 6";
        let environment = [("COUPLET_LISTEN", "127.0.0.1:2"), ("COUPLET_GATEWAY_POLL_SECS", "7")];
        let config = load(file, &environment, Flags::default()).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!((config.gateway.heartbeat_secs, config.gateway.poll_secs), (5, 7));
        assert_eq!(config.gateway.login_timeout_ms, 10_000);
        let flags = Flags { listen: Some("127.0.0.1:3".parse().unwrap()), ..Flags::default() };
        assert_eq!(load(file, &environment, flags).unwrap().listen.port(), 3);
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_keys_name() {
        for (file, expected) in [
            ("lisen = \"127.0.0.1:1\"", "lisen"),
            ("listen = \"nowhere\"", "listen"),
            ("store = \"postgres\"", "postgres.url"),
            ("store = \"postgres\"\n[postgres]\nurl = \"postgres://db\"", "the configuration file"),
            ("[postgres]\npool_size = 0", "postgres.pool_size"),
            ("[tls]\ncert = \"a.pem\"", "tls.cert and tls.key"),
            ("[limits]\nmessage_bytes_max = 0", "limits.message_bytes_max"),
            ("[callback]\nretry_delays_secs = [1, 0]", "retry_delays_secs"),
            ("[callback]\nbefore_failure = \"maybe\"", "before_failure"),
            ("[callback]\nurl = \"http://x\"", "url"),
            ("[embedded]\njournal_mib = 1", "embedded.journal_mib"),
            ("[[app]]\nsdkappid = 1", "key"),
            ("[[app]]\nsdkappid = 1\nkey = \"k\"\nadmins = []\n[app.logins]\npolicy = \"one\"", "one"),
            ("bus = \"pigeon\"", "bus"),
            ("[nats]\nurls = []", "nats.urls"),
            ("[nats]\nurls = [\"nats://ana:secret@host\"]", "nats.password"),
            ("[nats]\nprefix = \"a.*\"", "nats.prefix"),
            ("[nats]\nuser = \"couplet\"", "nats.user and nats.password"),
            ("[nats]\ntoken = \"t\"\ncreds = \"c\"", "set one at most"),
            ("[media]\nimage_types = [\"svg\"]", "svg"),
            ("[media]\nimage_types = [\"mp4\"]", "media.image_types"),
            ("[media]\nuploads_max = 0", "media.uploads_max"),
            ("[media]\npublic_url = \"chat.example.com\"", "media.public_url"),
            ("[media]\nstore = \"s3\"", "media.s3.bucket"),
            (
                "[media]\nstore = \"s3\"\n[media.s3]\nbucket = \"b\"\naccess_key = \"a\"",
                "media.s3.secret_key",
            ),
        ] {
            let error = load(file, &[], Flags::default()).unwrap_err();
            assert!(error.contains(expected), "{file:?}: {error}");
        }
        let error = load("", &[("COUPLET_GATEWAY_POLL_SECS", "soon")], Flags::default()).unwrap_err();
        assert!(error.contains("COUPLET_GATEWAY_POLL_SECS"), "{error}");
    }

    #[test]
    fn an_app_may_have_callback_settings_of_its_own() {
        let file = "[[app]]\nsdkappid = 1\nkey = \"k\"\nadmins = [\"a\"]\n[app.callback]\n\
                    url = \"http://127.0.0.1/x\"\ntimeout_ms = 5";
        let config = load(file, &[("COUPLET_CALLBACK_IN_FLIGHT_MAX", "3")], Flags::default()).unwrap();
        let own = config.apps[0].callback.as_ref().unwrap();
        let (settings, endpoint) = Callback::of(&config.callback, own, "app 1").unwrap();
        assert_eq!((settings.timeout_ms, settings.in_flight_max), (5, 3));
        assert_eq!(endpoint.unwrap().url, "http://127.0.0.1/x");
    }
}
