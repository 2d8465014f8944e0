//! Wires the process together, starts it and stops it. The only place that names a concrete store or bus.

pub mod control;
mod declared;
mod janitor;
mod link;
mod node;
mod registry;
mod stores;
pub mod upkeep;

use crate::address::{Names, SystemNames};
use crate::apps::{App, Apps};
use crate::asked::AskedLog;
use crate::bus::NodeBus;
use crate::bus::nats::NatsError;
use crate::callback::{Crew, Questions};
use crate::chat_page;
use crate::clock::SystemClock;
use crate::config::{BusKind, Config, ConfigError};
use crate::credentials::Credentials;
use crate::gateway::{self, Gateway};
use crate::http::{self, EventApi, Health, Rest};
use crate::listener::{self, Listener, TlsError};
use crate::media::{self, Media, MediaError};
use crate::push;
use crate::steering::Steering;
use crate::telemetry;
use crate::translate;
use axum::Router;
use chat::Chat;
use chat::port::{Account, Clock, StoreError};
use control::Control;
use metrics_exporter_prometheus::PrometheusHandle;
use registry::Registry;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{EmbeddedOptions, OpenError, PostgresError};
use stores::OpenStore;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest time that a stop waits for connections and calls to end. What is acknowledged is durable anyway.
const STOP_SECS_MAX: u64 = 15;

/// A server that serves.
pub struct Running {
    pub address: SocketAddr,
    pub tls: bool,
    pub data_dir: PathBuf,
    /// The apps it serves, as they were declared.
    pub apps: Vec<crate::config::App>,
    /// Where the apps were declared, when that is not the configuration file.
    pub apps_file: Option<PathBuf>,
    registry: Registry,
    store: OpenStore,
    bus: Arc<NodeBus>,
    health: Arc<Health>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why the server cannot start. Each text says what to look at.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot use the data directory {0}: {1}")]
    DataDir(PathBuf, io::Error),
    #[error(
        "a backup was not restored to its end in {0}: restore it into another directory, or empty this one"
    )]
    Unrestored(PathBuf),
    #[error("cannot open the store in PostgreSQL: {0}")]
    Postgres(#[from] PostgresError),
    #[error("cannot open the store in {0}: {1}")]
    Open(PathBuf, OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Listen(io::Error),
}

/// What a server has around it that is not in its settings.
#[derive(Clone)]
pub struct Surroundings {
    /// Further routes on the same address.
    pub routes: Router,
    /// Where the addresses of endpoints come from.
    pub names: Arc<dyn Names>,
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { routes: Router::new(), names: Arc::new(SystemNames), clock: Arc::new(SystemClock) }
    }
}

/// Starts a server.
pub async fn start(config: Config, surroundings: Surroundings) -> Result<Running, StartError> {
    // Before anything counts: what asks for a counter earlier keeps one that counts nothing.
    let metrics = telemetry::metrics();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    make_directory(&config.data_dir)?;
    if upkeep::is_unfinished(&config.data_dir) {
        return Err(StartError::Unrestored(config.data_dir));
    }
    let (declared, apps_file) = declared::apps(&config)?;
    let by_id = Apps::declared(&config, &declared)?;
    let tls =
        config.tls_is_on().then(|| listener::acceptor(&config.tls.cert, &config.tls.key)).transpose()?;
    // Before the address is taken: of two servers for one directory, the second should hear of the directory.
    let store = OpenStore::open(&config).await?;
    let socket = listener::bind(config.listen).await.map_err(StartError::Listen)?;
    let address = socket.local_addr().map_err(StartError::Listen)?;

    let clock = surroundings.clock;
    let bus = Arc::new(link::open(&config).await?);
    let asked = Arc::new(AskedLog::default());
    let questions = Arc::new(Questions::new(Arc::clone(&asked), Arc::clone(&clock), tasks.clone()));
    let chat = Chat {
        store: store.port(),
        bus: Arc::clone(&bus) as Arc<dyn chat::port::Bus>,
        gate: Arc::clone(&questions) as Arc<dyn chat::port::Gate>,
        clock: Arc::clone(&clock),
    };
    let steering = Arc::new(Steering::default());
    let crew = Arc::new(Crew {
        chat: chat.clone(),
        bus: Arc::clone(&bus),
        questions,
        steering: Arc::clone(&steering),
        names: surroundings.names,
        tasks: tasks.clone(),
        stop: stop.clone(),
        roster: Mutex::default(),
    });
    let apps = Arc::new(Apps::default());
    let credentials = Arc::new(Credentials::new(Arc::clone(&apps), &chat, bus.revocations()));
    let leases = node::leases(&config, &crew);
    let registry = Registry { apps: Arc::clone(&apps), crew, flags: config.flags.clone() };
    registry.adopt(by_id).await?;
    tasks.spawn(leases.run());
    tasks.spawn(janitor::run(Arc::clone(&apps), chat.clone(), config.events.retention_days, stop.clone()));

    if let Some(store) = store.embedded() {
        let (store, clock, data_dir) = (Arc::clone(store), Arc::clone(&clock), config.data_dir.clone());
        Control { store, data_dir, clock, tasks: tasks.clone(), stop: stop.clone() }.start();
    }
    let media = Media::open(&config, &clock, &tasks)?;
    let health = Arc::new(health(metrics, &store, &bus));
    let sides = Sides {
        chat,
        bus: Arc::clone(&bus),
        credentials,
        steering,
        asked,
        media,
        health: Arc::clone(&health),
        tasks: tasks.clone(),
        stop: stop.clone(),
    };
    let listener = sides.listener(&config, socket, tls, surroundings.routes);
    tasks.spawn(listener.run());
    health.ready.store(true, Ordering::Relaxed);
    let (tls, data_dir, apps) = (config.tls_is_on(), config.data_dir, declared);
    Ok(Running { address, tls, data_dir, apps, apps_file, registry, store, bus, health, tasks, stop })
}

/// What the sides need that the world talks to.
struct Sides {
    chat: Chat,
    bus: Arc<NodeBus>,
    credentials: Arc<Credentials>,
    steering: Arc<Steering>,
    asked: Arc<AskedLog>,
    media: Option<Arc<Media>>,
    health: Arc<Health>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Sides {
    /// Serves the sides, and further routes.
    fn listener(
        self,
        config: &Config,
        socket: TcpListener,
        tls: Option<TlsAcceptor>,
        more: Router,
    ) -> Listener {
        let (tasks, stop) = (self.tasks.clone(), self.stop.clone());
        Listener {
            socket,
            tls,
            routes: self.routes(config).merge(more),
            first_byte_timeout: Duration::from_millis(config.limits.first_byte_timeout_ms),
            keep_alive: Duration::from_secs(config.limits.keep_alive_secs),
            connections_max: config.limits.connections_max,
            tasks,
            stop,
        }
    }

    fn routes(self, config: &Config) -> Router {
        let Self { chat, bus, credentials, steering, asked, media, health, tasks, stop } = self;
        let limits = config.limits.clone();
        let rest = Rest {
            chat: chat.clone(),
            credentials: Arc::clone(&credentials),
            bus: Arc::clone(&bus),
            limits: limits.clone(),
            tasks: tasks.clone(),
        };
        let events = EventApi {
            chat: chat.clone(),
            credentials: Arc::clone(&credentials),
            steering,
            asked,
            bus: Arc::clone(&bus),
            readers: http::Readers::default(),
            sends_looked_at_max: limits.sends_looked_at_max,
            stop: stop.clone(),
        };
        let mut settings = config.gateway.clone();
        if config.bus == BusKind::Nats {
            settings.poll_secs = config.nats.session_poll_secs;
        }
        let gateway = Gateway { chat, credentials, bus, settings, limits, media: media.clone(), tasks, stop };
        let routes = http::routes(Arc::new(rest), Arc::new(events), health);
        let routes = routes.merge(gateway::routes(Arc::new(gateway)));
        let routes = if config.chat.enabled { routes.merge(chat_page::routes()) } else { routes };
        match media {
            Some(media) => routes.merge(media::routes(media)),
            None => routes,
        }
    }
}

impl Running {
    /// Where a client on this machine finds the server.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// Makes accounts exist, as their first login would.
    pub async fn import_accounts(&self, sdkappid: u32, people: &[(&str, &str)]) -> Result<(), StoreError> {
        let account = |(name, nick): &(&str, &str)| {
            let user = chat::UserId::new(name)?;
            Some(Account { profile: vec![translate::nick((*nick).to_owned())], ..Account::bare(user) })
        };
        let accounts = people.iter().filter_map(account).collect();
        self.store.port().import_accounts(chat::AppId(sdkappid), accounts, SystemClock.now_ms()).await
    }

    /// Reads the declarations of apps anew and serves them from now on, endpoints included. When they cannot be used,
    /// nothing changes. Other settings wait for the next start.
    pub async fn reload(&self) -> Result<(), StartError> {
        self.registry.reload().await
    }

    /// Refuses new work, finishes what is acknowledged, and keeps where it was. Says whether everything ended in
    /// order; what did not is in the log.
    pub async fn stop(self) -> bool {
        self.health.ready.store(false, Ordering::Relaxed);
        self.stop.cancel();
        self.tasks.close();
        let ended = timeout(Duration::from_secs(STOP_SECS_MAX), self.tasks.wait()).await.is_ok();
        if !ended {
            tracing::warn!(tasks = self.tasks.len(), "some connections did not end in time, and are cut");
        }
        self.bus.close().await;
        let store = self.store;
        // Closing writes what is in memory to its place, so that the next start has nothing to replay.
        let closed = tokio::task::spawn_blocking(move || store.close().map_err(|error| error.to_string()));
        let closed = closed.await.unwrap_or_else(|panicked| Err(panicked.to_string()));
        if let Err(error) = &closed {
            tracing::error!(%error, "the store did not close in order; its journal has everything");
        }
        ended && closed.is_ok()
    }
}

/// Not ready before everything is.
fn health(metrics: PrometheusHandle, store: &OpenStore, bus: &Arc<NodeBus>) -> Health {
    let (written, linked) = (store.clone(), Arc::clone(bus));
    let store_works = Box::new(move || written.works());
    let bus_is_away = Box::new(move || linked.is_away());
    Health { metrics, ready: AtomicBool::new(false), store_works, bus_is_away }
}

fn make_directory(path: &Path) -> Result<(), StartError> {
    std::fs::create_dir_all(path).map_err(|error| StartError::DataDir(path.to_owned(), error))
}

fn embedded_options(config: &Config) -> EmbeddedOptions {
    const MIB: u64 = 1 << 20;
    EmbeddedOptions {
        cache_bytes: config.embedded.cache_mib * MIB,
        journal_bytes_max: config.embedded.journal_mib * MIB,
        ..EmbeddedOptions::default()
    }
}

/// Everybody who is told of an app's events.
fn endpoints(app: &App) -> Vec<chat::port::EndpointId> {
    let endpoints = app.endpoints.iter().map(|endpoint| endpoint.id.clone());
    endpoints.chain(push::names(app).into_iter().map(|(id, _)| id)).collect()
}
