//! Word to and from other nodes, over NATS.
//!
//! A subject for each user who has sessions: whoever has some of them listens to it. What is said there may be lost,
//! as everything on the bus, and so nothing is kept by NATS, and nobody waits for it but those who ask something.
//!
//! While there is no connection, sessions are made to look at their logs from time to time, and once when there is one
//! again: that is in [`keeper`]. Other nodes are counted in [`pulse`]. The words are in [`word`], the answers to questions in [`question`].

mod hearing;
mod keeper;
mod pulse;
mod question;
mod subject;
mod word;

pub(super) use hearing::Line;
pub(super) use question::Answer;
pub(super) use word::Word;

use super::Key;
use super::local::LocalBus;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use bytes::Bytes;
use chat::event::Lane;
use futures_util::FutureExt;
use keeper::Signals;
use metrics::{Counter, counter};
use protocol::client::Reach;
use pulse::Others;
use question::Inbox;
use rustc_hash::FxHashSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subject::Subjects;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What waits to be written. Enough for the hints of a second; at most some megabytes with their frames.
const WAITING_MAX: usize = 8_192;
/// What waits to be heard on one subject. Nothing is done there that takes long.
const UNHEARD_MAX: usize = 4_096;
/// A connection that says nothing for three times this long is taken for broken.
const PING_SECS: u64 = 5;
/// Longest time that the end of the process waits for the last words to go out.
const CLOSE_SECS_MAX: u64 = 1;

/// Where NATS is, and how to deal with it.
#[derive(Clone)]
pub struct NatsOptions {
    pub servers: Vec<ServerAddr>,
    /// What all subjects begin with.
    pub prefix: String,
    pub login: Login,
    pub require_tls: bool,
    /// Authorities that the servers' certificates may be of, in place of the system's.
    pub ca: Option<PathBuf>,
    /// Shown to the servers: certificate and key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Longest time that a question waits for answers.
    pub request_timeout: Duration,
    /// After the first answer, others are waited for so long.
    pub gather: Duration,
    /// How often sessions look at their logs while there is no connection.
    pub poll: Duration,
    /// Sessions that do so in a second, at most.
    pub polls_per_sec_max: u32,
    /// How often this node says that it is there.
    pub beat: Duration,
}

/// How this node shows who it is.
#[derive(Clone)]
pub enum Login {
    Nobody,
    User {
        name: String,
        password: String,
    },
    Token(String),
    /// The seed of a key pair.
    NKey(String),
    /// The contents of a credentials file.
    Credentials(String),
}

impl std::fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsOptions").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

/// NATS cannot be used with these settings. That it is not there is no error.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    #[error("nats.urls: {0}: {1}")]
    Url(String, std::io::Error),
    #[error("cannot read {0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("nats.creds does not hold credentials: {0}")]
    Credentials(std::io::Error),
    #[error("NATS cannot be used: {0}")]
    Unusable(String),
}

/// The connection of this node.
pub(super) struct Nats {
    client: Client,
    local: Arc<LocalBus>,
    subjects: Subjects,
    inbox: Inbox,
    signals: Arc<Signals>,
    others: Others,
    /// Lanes that are heard.
    lanes: Mutex<FxHashSet<Lane>>,
    timing: Timing,
    figures: Figures,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats").field("signals", &self.signals).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
struct Timing {
    request_timeout: Duration,
    gather: Duration,
    poll: Duration,
    polls_per_sec_max: u32,
    beat: Duration,
}

struct Figures {
    published: Counter,
    received: Counter,
    unreadable: Counter,
    dropped_away: Counter,
    dropped_full: Counter,
}

impl Figures {
    fn new() -> Self {
        let dropped = |reason: &'static str| counter!("couplet_bus_dropped_total", "reason" => reason);
        Self {
            published: counter!("couplet_bus_published_total"),
            received: counter!("couplet_bus_received_total"),
            unreadable: counter!("couplet_bus_unreadable_total"),
            dropped_away: dropped("away"),
            dropped_full: dropped("full"),
        }
    }
}

/// For the numbers of sessions, see [`LocalBus::tagged`].
pub(super) fn random_tag() -> u16 {
    random() as u16
}

fn random() -> u64 {
    getrandom::u64().expect("the system has random numbers")
}

impl Nats {
    /// Goes on connecting by itself for as long as it takes.
    pub(super) async fn start(options: NatsOptions, local: Arc<LocalBus>) -> Result<Arc<Self>, NatsError> {
        let signals = Arc::<Signals>::default();
        let subjects = Subjects::new(&options.prefix, random());
        let timing = Timing {
            request_timeout: options.request_timeout,
            gather: options.gather,
            poll: options.poll,
            polls_per_sec_max: options.polls_per_sec_max,
            beat: options.beat,
        };
        let servers = options.servers.clone();
        let connecting = connect_options(options, Arc::clone(&signals))?.connect(servers).await;
        let client = connecting.map_err(|error| NatsError::Unusable(error.to_string()))?;
        let nats = Arc::new(Self {
            client,
            local,
            subjects,
            inbox: Inbox::default(),
            signals,
            others: Others::default(),
            lanes: Mutex::default(),
            timing,
            figures: Figures::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        nats.hear_everybody().await?;
        nats.tasks.spawn(keeper::run(Arc::clone(&nats)));
        nats.tasks.spawn(pulse::run(Arc::clone(&nats)));
        Ok(nats)
    }

    pub(super) fn is_up(&self) -> bool {
        self.signals.is_up.load(Ordering::Relaxed)
    }

    pub(super) async fn linked(&self) {
        self.signals.linked().await;
        self.settle().await;
    }

    /// Says something to a user's sessions on other nodes.
    pub(super) fn tell_user(&self, key: Key, word: &Word) {
        self.publish(self.subjects.user(key), word.wire());
    }

    /// Says how a user can be reached to those who watch, on other nodes.
    pub(super) fn tell_watchers(&self, key: Key, reach: Reach, custom: &str) {
        self.publish(self.subjects.watch(key), word::watch(key, reach, custom));
    }

    pub(super) fn tell_revoked(&self, key: Key, issued_s_max: u64) {
        self.publish(self.subjects.revoked(), word::revoked(key, issued_s_max));
    }

    pub(super) fn ring(&self, lane: Lane) {
        self.publish(self.subjects.lane(lane), Bytes::new());
    }

    pub(super) fn dropped_while_away(&self) {
        self.figures.dropped_away.increment(1);
    }

    /// Never waits: what finds no room, or nobody who takes it, is dropped.
    fn publish(&self, subject: String, wire: Bytes) {
        if !self.is_up() {
            return self.dropped_while_away();
        }
        // Ready at once or not at all. Without the runtime's budget, or a busy task would drop what has room.
        let publishing = tokio::task::unconstrained(self.client.publish(subject, wire));
        match publishing.now_or_never() {
            Some(Ok(())) => self.figures.published.increment(1),
            Some(Err(_)) | None => self.figures.dropped_full.increment(1),
        }
    }

    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // Nobody is waiting for what is said last; others find it out by asking.
        let _unheard = timeout(Duration::from_secs(CLOSE_SECS_MAX), self.client.flush()).await;
    }
}

fn connect_options(options: NatsOptions, signals: Arc<Signals>) -> Result<ConnectOptions, NatsError> {
    let on_event = move |event: Event| {
        signals.heard(&event);
        std::future::ready(())
    };
    let mut connect = ConnectOptions::new()
        .name("couplet")
        // What happens here is known here.
        .no_echo()
        .retry_on_initial_connect()
        .ping_interval(Duration::from_secs(PING_SECS))
        .client_capacity(WAITING_MAX)
        .subscription_capacity(UNHEARD_MAX)
        // They are made here, of what cannot break them.
        .skip_subject_validation(true)
        .require_tls(options.require_tls)
        .event_callback(on_event);
    connect = match options.login {
        Login::Nobody => connect,
        Login::User { name, password } => connect.user_and_password(name, password),
        Login::Token(token) => connect.token(token),
        Login::NKey(seed) => connect.nkey(seed),
        Login::Credentials(text) => connect.credentials(&text).map_err(NatsError::Credentials)?,
    };
    if let Some(ca) = options.ca {
        connect = connect.add_root_certificates(ca);
    }
    if let Some((certificate, key)) = options.certificate {
        connect = connect.add_client_certificate(certificate, key);
    }
    Ok(connect)
}
