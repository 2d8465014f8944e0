//! Connections to the database: how they are made, kept and given up.
//!
//! A connection on which anything went wrong, or took too long, is given up. What it was in the middle of is never
//! guessed at here.

use super::schema::{self, Purpose};
use super::statement::Parameter;
use super::tls::Tls;
use bytes::Bytes;
use chat::port::StoreError;
use futures_util::{FutureExt, SinkExt};
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Row, RowStream};

/// After a connection could not be made, the next ones are not tried for so long: everybody who waits would wait
/// for the same answer.
const PAUSE_MS: u64 = 300;

/// What the server says goes through the network, so it may come a little later than it was said.
const GRACE_MS: u64 = 500;

/// How often an idle database is asked whether it is there.
const PROBE_MS: u64 = 2_000;

/// How to reach a database, checked.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) schema: String,
    pub(crate) root_cert: Option<PathBuf>,
    pub(crate) connect_timeout_ms: u64,
    pub(crate) statement_timeout_ms: u64,
}

/// Why something was not done.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) text: String,
    /// What the server said, if it was the server who said it.
    pub(super) code: Option<SqlState>,
}

impl Failure {
    pub(super) fn refused(text: String) -> Self {
        Self { text, code: None }
    }

    /// Whether it may well succeed when it is tried again: the connection was lost, or the server is busy, restarting,
    /// or no longer the one that is written to.
    pub(super) fn is_passing(&self) -> bool {
        let Some(code) = &self.code else { return true };
        ["08", "25", "40", "53", "55", "57"].iter().any(|class| code.code().starts_with(class))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(told) => Self { text: told.to_string(), code: Some(told.code().clone()) },
            None => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                Self { text: format!("{error}{}", cause.unwrap_or_default()), code: None }
            }
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(format!("PostgreSQL: {}", failure.text))
    }
}

pub(super) struct Connection {
    client: Client,
    task: AbortHandle,
    is_whole: AtomicBool,
}

impl Connection {
    /// One statement, with an answer that need not be prepared for.
    pub(super) async fn query(
        &self,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        Ok(self.client.query_typed(statement, parameters).await?)
    }

    pub(super) async fn execute(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<(), Failure> {
        self.client.execute_typed(statement, parameters).await?;
        Ok(())
    }

    /// Statements without parameters, in one string.
    pub(super) async fn batch(&self, statements: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(statements).await?)
    }

    /// The texts of a column; those that are null are left out.
    pub(super) async fn texts(&self, statement: &str) -> Result<Vec<String>, Failure> {
        let rows = self.query(statement, &[]).await?;
        let texts = rows.iter().map(|row| row.try_get::<_, Option<String>>(0));
        Ok(texts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Puts rows into a table, as a binary copy has them.
    pub(super) async fn copy_in(&self, statement: &str, content: Bytes) -> Result<(), Failure> {
        let mut sink = pin!(self.client.copy_in(statement).await?);
        sink.send(content).await?;
        sink.finish().await?;
        Ok(())
    }

    /// The rows of an answer that may be larger than the memory.
    pub(super) async fn stream(&self, statement: &str) -> Result<RowStream, Failure> {
        let nothing: [Parameter<'_>; 0] = [];
        Ok(self.client.query_typed_raw(statement, nothing).await?)
    }

    /// Sends what nobody waits for. The answer is taken by the connection itself.
    pub(super) fn send(&self, statements: &str) {
        // The request is on its way as soon as it has been polled once.
        drop(self.client.batch_execute(statements).now_or_never());
    }

    /// Something went wrong on it. Nobody is to have it after this.
    pub(super) fn give_up(&self) {
        self.is_whole.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_usable(&self) -> bool {
        self.is_whole.load(Ordering::Relaxed) && !self.client.is_closed()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_usable() {
            // It would otherwise stay until everything that was sent is answered, which may be never.
            self.task.abort();
        }
    }
}

/// Connections have threads of their own: the store is closed by threads on which nothing else may run.
struct OwnRuntime(Option<Runtime>);

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Not awaited, since this may be a thread that must not wait. Connections end with it.
            runtime.shutdown_background();
        }
    }
}

/// What drives a connection.
type Established =
    tokio_postgres::Connection<tokio_postgres::Socket, super::tls::Secured<tokio_postgres::Socket>>;

pub struct Database {
    runtime: OwnRuntime,
    hosts: Vec<Config>,
    /// Which of the hosts was the one to be written to when last a connection was made.
    host: AtomicUsize,
    tls: Tls,
    pub(super) schema: String,
    pub(super) settings: Settings,
    pub(super) lanes_per_app: u16,
    idle: Mutex<Vec<Connection>>,
    /// Why the last connection could not be made, and until when none is tried.
    away: Mutex<Option<(Instant, Failure)>>,
    up: AtomicBool,
    round_trips: AtomicU64,
}

impl Database {
    /// Connects, and makes the tables where they are missing.
    pub(crate) async fn open(
        settings: Settings,
        lanes_wanted: u16,
        purpose: Purpose,
    ) -> Result<Arc<Self>, String> {
        let (config, tls) = configured(&settings)?;
        let hosts = each_host(&config, settings.connect_timeout_ms);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let mut database = Self {
            runtime: OwnRuntime(Some(runtime)),
            hosts,
            host: 0.into(),
            tls,
            schema: settings.schema.clone(),
            settings,
            lanes_per_app: 0,
            idle: Mutex::default(),
            away: Mutex::default(),
            up: true.into(),
            round_trips: 0.into(),
        };
        let handle = database.runtime().handle().clone();
        let preparing = handle.spawn(async move {
            let connection = database.connect().await?;
            let preparing = schema::prepare(&connection, &database.schema, lanes_wanted, &purpose);
            let limit = Duration::from_millis(database.settings.statement_timeout_ms * 2);
            let late = |_| Failure::refused("making the tables takes too long".to_owned());
            database.lanes_per_app = timeout(limit, preparing).await.map_err(late)??;
            warn_of_loose_commits(&connection).await?;
            database.keep(connection);
            Ok::<_, Failure>(database)
        });
        let prepared = preparing.await.map_err(|error| error.to_string())?;
        let database = Arc::new(prepared.map_err(|failure| failure.text)?);
        let probed = Arc::downgrade(&database);
        handle.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(PROBE_MS)).await;
                let Some(database) = probed.upgrade() else { break };
                database.probe().await;
            }
        });
        Ok(database)
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.0.as_ref().expect("it is only taken in the end")
    }

    /// Waits for something that is on its way, on a thread that may wait.
    pub(super) fn wait<T>(&self, flight: impl Future<Output = T>) -> T {
        self.runtime().handle().block_on(flight)
    }

    /// One way to the database and back, on a connection that is given up when it fails.
    pub(super) async fn fly<T>(
        &self,
        connection: &Connection,
        flight: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("couplet_postgres_round_trips_total").increment(1);
        let limit = Duration::from_millis(self.settings.statement_timeout_ms + GRACE_MS);
        let late = || Failure::refused("it does not answer in time".to_owned());
        let outcome = timeout(limit, flight).await.unwrap_or_else(|_| Err(late()));
        match &outcome {
            Ok(_) => self.up.store(true, Ordering::Relaxed),
            Err(_) => connection.give_up(),
        }
        outcome
    }

    /// A connection on which nothing is under way.
    pub(super) async fn connection(&self) -> Result<Connection, Failure> {
        loop {
            let kept = self.idle.lock().expect(NOT_POISONED).pop();
            match kept {
                Some(connection) if connection.is_usable() => return Ok(connection),
                Some(_) => {}
                None => return self.connect().await,
            }
        }
    }

    pub(super) fn keep(&self, connection: Connection) {
        if connection.is_usable() {
            self.idle.lock().expect(NOT_POISONED).push(connection);
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        if let Some((until, failure)) = &*self.away.lock().expect(NOT_POISONED)
            && Instant::now() < *until
        {
            return Err(failure.clone());
        }
        let connected = self.connect_to_any().await;
        match connected {
            Ok((client, connection)) => {
                let driven = self.runtime().handle().spawn(async move {
                    // Whoever uses the connection hears of its end as well, and says what it means.
                    drop(connection.await);
                });
                *self.away.lock().expect(NOT_POISONED) = None;
                Ok(Connection { client, task: driven.abort_handle(), is_whole: true.into() })
            }
            Err(failure) => {
                if self.up.swap(false, Ordering::Relaxed) {
                    tracing::error!(error = failure.text, "the database cannot be reached");
                }
                let until = Instant::now() + Duration::from_millis(PAUSE_MS);
                *self.away.lock().expect(NOT_POISONED) = Some((until, failure.clone()));
                Err(failure)
            }
        }
    }

    /// Tries one host after the other, and first the one that was it the last time: a standby that was promoted is not
    /// left because the former primary can be reached again.
    async fn connect_to_any(&self) -> Result<(Client, Established), Failure> {
        let count = self.hosts.len();
        // Each has its part of the time, so that one that is silent does not hide the next.
        let limit = Duration::from_millis(self.settings.connect_timeout_ms / count as u64);
        let first = self.host.load(Ordering::Relaxed);
        let mut failure = None;
        for host in (0..count).map(|index| (first + index) % count) {
            match timeout(limit, self.hosts[host].connect(self.tls.clone())).await {
                Ok(Ok(connected)) => {
                    self.host.store(host, Ordering::Relaxed);
                    return Ok(connected);
                }
                Ok(Err(error)) => failure = Some(Failure::from(error)),
                Err(_) => {
                    failure =
                        Some(Failure::refused(format!("no connection within {} ms", limit.as_millis())));
                }
            }
        }
        Err(failure.expect("a URL without hosts was refused"))
    }

    /// Asks a database that is not heard of, so that an idle node knows when it can be used, and when it cannot.
    async fn probe(&self) {
        let was_up = self.is_up();
        let Ok(connection) = self.connection().await else { return };
        let asked = self.fly(&connection, connection.batch("SELECT 1")).await;
        match asked {
            Ok(()) if !was_up => tracing::info!("the database can be reached again"),
            Ok(()) => {}
            // The connection may have been an old one, so this says nothing of a new one: that is what the next
            // probe makes.
            Err(failure) => tracing::warn!(error = failure.text, "the database was asked in vain"),
        }
        self.keep(connection);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(crate) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }

    pub(crate) fn lanes_per_app(&self) -> u16 {
        self.lanes_per_app
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its settings have a password in them.
        f.debug_struct("Database").field("schema", &self.schema).finish_non_exhaustive()
    }
}

const NOT_POISONED: &str = "nothing under this lock panics";

/// What was acknowledged has to be on disk, which is the server's to promise.
async fn warn_of_loose_commits(connection: &Connection) -> Result<(), Failure> {
    for setting in ["fsync", "synchronous_commit"] {
        let value = connection.texts(&format!("SELECT current_setting('{setting}')")).await?;
        if value.iter().any(|value| value == "off") {
            tracing::warn!(
                "PostgreSQL has {setting} = off: a crash of its machine loses what was acknowledged"
            );
        }
    }
    Ok(())
}

fn configured(settings: &Settings) -> Result<(Config, Tls), String> {
    let is_named = settings.url.contains("sslmode=");
    // The library does not know the word. What it says is what is done here whenever there is TLS.
    let url = settings.url.replace("sslmode=verify-full", "sslmode=require");
    let mut config: Config = url.parse().map_err(|_| "the URL of the database is not valid".to_owned())?;
    if config.get_hosts().is_empty() {
        return Err("the URL of the database names no host".to_owned());
    }
    let is_local = |host: &Host| match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    match config.get_ssl_mode() {
        SslMode::Prefer if is_named => {
            return Err("sslmode=prefer protects nothing: say disable or verify-full".to_owned());
        }
        SslMode::Prefer if config.get_hosts().iter().all(is_local) => {
            config.ssl_mode(SslMode::Disable);
        }
        SslMode::Prefer => {
            config.ssl_mode(SslMode::Require);
        }
        _ => {}
    }
    if config.get_application_name().is_none() {
        config.application_name("couplet");
    }
    config
        .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
        .tcp_user_timeout(Duration::from_millis(settings.statement_timeout_ms + GRACE_MS))
        .keepalives_idle(Duration::from_secs(15))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok((config, Tls::new(settings.root_cert.as_deref())?))
}

/// The same settings for each host by itself. The library would give all of them the time of one.
fn each_host(config: &Config, connect_timeout_ms: u64) -> Vec<Config> {
    let count = config.get_hosts().len();
    let one = |index: usize| {
        let mut one = config_without_hosts(config);
        match &config.get_hosts()[index] {
            Host::Tcp(name) => one.host(name),
            #[cfg(unix)]
            Host::Unix(path) => one.host_path(path),
        };
        if let Some(address) = config.get_hostaddrs().get(index) {
            one.hostaddr(*address);
        }
        if let Some(port) = config.get_ports().get(index).or(config.get_ports().first()) {
            one.port(*port);
        }
        one.connect_timeout(Duration::from_millis(connect_timeout_ms / count as u64));
        one
    };
    (0..count).map(one).collect()
}
fn config_without_hosts(of: &Config) -> Config {
    let mut config = Config::new();
    config.ssl_mode(of.get_ssl_mode());
    config.ssl_negotiation(of.get_ssl_negotiation());
    config.channel_binding(of.get_channel_binding());
    config.keepalives(of.get_keepalives()).keepalives_idle(of.get_keepalives_idle());
    config.target_session_attrs(of.get_target_session_attrs());
    of.get_keepalives_interval().map(|interval| config.keepalives_interval(interval));
    of.get_keepalives_retries().map(|retries| config.keepalives_retries(retries));
    of.get_tcp_user_timeout().map(|limit| config.tcp_user_timeout(*limit));
    of.get_user().map(|user| config.user(user));
    of.get_password().map(|password| config.password(password));
    of.get_dbname().map(|name| config.dbname(name));
    of.get_options().map(|options| config.options(options));
    of.get_application_name().map(|name| config.application_name(name));
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configure(url: &str) -> Result<SslMode, String> {
        let settings = Settings {
            url: url.to_owned(),
            schema: "couplet".to_owned(),
            root_cert: None,
            connect_timeout_ms: 1,
            statement_timeout_ms: 1,
        };
        configured(&settings).map(|(config, _)| config.get_ssl_mode())
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted() {
        assert_eq!(configure("postgres://me@localhost/db"), Ok(SslMode::Disable));
        assert_eq!(configure("postgres:///db?host=/var/run/postgresql"), Ok(SslMode::Disable));
        assert_eq!(configure("postgres://me@db.example/db"), Ok(SslMode::Require));
        assert_eq!(configure("postgres://me@localhost,db.example/db"), Ok(SslMode::Require));
        assert_eq!(configure("postgres://me@db.example/db?sslmode=verify-full"), Ok(SslMode::Require));
        assert_eq!(configure("postgres://me@db.example/db?sslmode=disable"), Ok(SslMode::Disable));
        assert!(configure("postgres://me@db.example/db?sslmode=prefer").is_err());
        assert!(configure("postgres://").is_err());
    }

    #[test]
    fn each_host_is_a_database_by_itself() {
        let url = "postgres://me:secret@one:1,two:2/db?options=-cgeqo%3Doff&sslmode=disable";
        let whole: Config = url.parse().unwrap();
        let hosts = each_host(&whole, 3000);
        let expected = ["postgres://me:secret@one:1/db", "postgres://me:secret@two:2/db"].map(|url| {
            let url = format!("{url}?options=-cgeqo%3Doff&sslmode=disable");
            let mut one: Config = url.parse().unwrap();
            one.connect_timeout(Duration::from_millis(1500));
            one
        });
        assert_eq!(hosts, expected);
    }

    #[test]
    fn a_password_is_not_in_what_is_said_of_a_url() {
        let told = configure("postgres://me:secret@host:port/db").unwrap_err();
        assert!(!told.contains("secret"), "{told}");
    }
}
