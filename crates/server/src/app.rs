//! Wires the process together, starts it and stops it. The only place that names a concrete store or bus.

mod declared;
mod janitor;

use crate::apps::{App, Apps};
use crate::bus::LocalBus;
use crate::callback::{Caller, Questions, Worker};
use crate::clock::SystemClock;
use crate::config::{BusKind, Config, ConfigError, StoreKind};
use crate::credentials::Credentials;
use crate::gateway::{self, Gateway};
use crate::http::{self, Health, Rest};
use crate::listener::{self, Listener, TlsError};
use crate::telemetry;
use axum::Router;
use chat::Chat;
use chat::event::Lane;
use chat::port::{Account, Clock, Route, Store, StoreError};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::embedded::{Embedded, EmbeddedOptions, OpenError};
use tokio::time::timeout;
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
    store: Arc<Embedded>,
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
    #[error("cannot open the store in {0}: {1}")]
    Open(PathBuf, OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Listen(io::Error),
}

/// Starts a server. `more` are further routes on the same address.
pub async fn start(config: Config, more: Router) -> Result<Running, StartError> {
    // Before anything counts: what asks for a counter earlier keeps one that counts nothing.
    let metrics = telemetry::metrics();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| StartError::DataDir(config.data_dir.clone(), error))?;
    let (declared, apps_file) = declared::apps(&config)?;
    let apps = Arc::new(Apps::new(&config, &declared)?);
    let tls = match config.tls_is_on() {
        true => Some(listener::acceptor(&config.tls.cert, &config.tls.key)?),
        false => None,
    };
    // Before the address is taken: of two servers for one directory, the second should hear of the directory.
    let store = open_store(&config).await?;
    let socket = listener::bind(config.listen).await.map_err(StartError::Listen)?;
    let address = socket.local_addr().map_err(StartError::Listen)?;

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let bus = match config.bus {
        BusKind::Local => Arc::new(LocalBus::default()),
    };
    let callers = callers(&apps, &clock);
    let chat = Chat {
        store: Arc::clone(&store) as Arc<dyn Store>,
        bus: Arc::clone(&bus) as Arc<dyn chat::port::Bus>,
        gate: Arc::new(Questions::new(callers.iter().cloned(), Arc::clone(&clock))),
        clock: Arc::clone(&clock),
    };
    import_admins(&*chat.store, &apps, clock.now_ms()).await?;
    for worker in callers.iter().flat_map(|caller| workers(caller, &chat, &bus, &stop)) {
        tasks.spawn(Arc::new(worker).supervise());
    }
    tasks.spawn(janitor::run(Arc::clone(&apps), chat.clone(), config.events.retention_days, stop.clone()));

    let written = Arc::clone(&store);
    let health =
        Health { metrics, ready: AtomicBool::new(false), store_works: Box::new(move || written.works()) };
    let health = Arc::new(health);
    let credentials = Arc::new(Credentials::new(apps, clock));
    let limits = config.limits.clone();
    let rest = Rest { chat: chat.clone(), credentials: Arc::clone(&credentials), limits: limits.clone() };
    let settings = config.gateway.clone();
    let gateway =
        Gateway { chat, credentials, bus, settings, limits, tasks: tasks.clone(), stop: stop.clone() };
    let routes = http::routes(Arc::new(rest), Arc::clone(&health));
    let listener = Listener {
        socket,
        tls,
        routes: routes.merge(gateway::routes(Arc::new(gateway))).merge(more),
        first_byte_timeout: Duration::from_millis(config.limits.first_byte_timeout_ms),
        keep_alive: Duration::from_secs(config.limits.keep_alive_secs),
        connections_max: config.limits.connections_max,
        tasks: tasks.clone(),
        stop: stop.clone(),
    };
    tasks.spawn(listener.run());
    health.ready.store(true, Ordering::Relaxed);
    let (tls, data_dir) = (config.tls_is_on(), config.data_dir);
    Ok(Running { address, tls, data_dir, apps: declared, apps_file, store, health, tasks, stop })
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
            Some(Account { nick: Some((*nick).to_owned()), ..Account::bare(user) })
        };
        let accounts = people.iter().filter_map(account).collect();
        self.store.import_accounts(chat::AppId(sdkappid), accounts, SystemClock.now_ms()).await
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

async fn open_store(config: &Config) -> Result<Arc<Embedded>, StartError> {
    const MIB: u64 = 1 << 20;
    let StoreKind::Embedded = config.store;
    let path = config.data_dir.join("store");
    let options = EmbeddedOptions {
        cache_bytes: config.embedded.cache_mib * MIB,
        journal_bytes_max: config.embedded.journal_mib * MIB,
        ..EmbeddedOptions::default()
    };
    let (opening, at) = (path.clone(), path);
    let opened = tokio::task::spawn_blocking(move || Embedded::open(&opening, options)).await;
    let opened = opened.expect("opening the store does not panic");
    opened.map(Arc::new).map_err(|error| StartError::Open(at, error))
}

/// Admins are ordinary accounts besides, and may be shown as senders.
async fn import_admins(store: &dyn Store, apps: &Apps, now_ms: u64) -> Result<(), StoreError> {
    for app in apps.iter() {
        store
            .import_accounts(app.id, app.admins.iter().copied().map(Account::bare).collect(), now_ms)
            .await?;
    }
    Ok(())
}

fn callers(apps: &Apps, clock: &Arc<dyn Clock>) -> Vec<Caller> {
    let endpoints = apps.iter().filter_map(|app| app.endpoint.as_ref());
    endpoints.map(|endpoint| Caller::new(Arc::clone(endpoint), Arc::clone(clock))).collect()
}

fn workers<'a>(
    caller: &'a Caller,
    chat: &'a Chat,
    bus: &'a LocalBus,
    stop: &'a CancellationToken,
) -> impl Iterator<Item = Worker> + 'a {
    lanes(&caller.endpoint.app, chat.store.lanes_per_app()).map(|lane| Worker {
        route: Route { lane, endpoint: caller.endpoint.id.clone() },
        caller: caller.clone(),
        store: Arc::clone(&chat.store),
        clock: Arc::clone(&chat.clock),
        recorded: bus.lane(lane),
        stop: stop.clone(),
    })
}

fn lanes(app: &chat::AppId, count: u16) -> impl Iterator<Item = Lane> + use<> {
    let app = *app;
    (0..count).map(move |index| Lane { app, index })
}

/// Everything that is told of an app's events.
fn endpoints(app: &App) -> Vec<chat::port::EndpointId> {
    app.endpoint.iter().map(|endpoint| endpoint.id.clone()).collect()
}
