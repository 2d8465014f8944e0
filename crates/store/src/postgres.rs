//! The store on PostgreSQL, which several nodes share.
//!
//! Every rule is the ledger's, as in the embedded store. A group of operations is one transaction, which locks the apps
//! that it changes; what another node has changed meanwhile, the ledger hears when it gets the lock.

use crate::engine::Engine;
use crate::engine::postgres::{Database, Purpose, Settings, Transactions};
use crate::opened::{Opened, Reading};
use crate::queue::Queue;
use crate::writer::{Bounds, Commits, Writer};
use chat::port::Stored;
use std::path::PathBuf;
use std::sync::Arc;

/// A store in a database. Dropping it stops its threads; what is in the database stays as it is.
pub type Postgres = Opened<Database>;

/// How to reach a database, and limits of this node.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`, as libpq has it.
    pub url: String,
    /// The schema that has the tables. Made when it is not there.
    pub schema: String,
    /// Certificates that are trusted, instead of those of the public authorities.
    pub root_cert: Option<PathBuf>,
    /// Connections for reads. There is one more for changes.
    pub pool_size: usize,
    pub connect_timeout_ms: u64,
    /// How long one statement may take, waiting for another node included.
    pub statement_timeout_ms: u64,
    /// Over how many lanes the events of an app are spread. Only looked at when the schema is made.
    pub lanes_per_app: u16,
    pub accounts_cached_max: usize,
    pub conversations_cached_max: usize,
    /// Operations that wait for the writer, by the size of their content. Callers beyond it wait in turn.
    pub queue_bytes_max: usize,
    pub group_operations_max: usize,
    pub group_bytes_max: u64,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            url: String::new(),
            schema: "couplet".to_owned(),
            root_cert: None,
            pool_size: 8,
            connect_timeout_ms: 3_000,
            statement_timeout_ms: 5_000,
            lanes_per_app: 4,
            accounts_cached_max: 500_000,
            conversations_cached_max: 500_000,
            queue_bytes_max: 16 * MIB,
            group_operations_max: 512,
            group_bytes_max: 4 * MIB as u64,
        }
    }
}

impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL has a password in it.
        f.debug_struct("PostgresOptions").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// Why a database could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PostgresError(String);

/// Figures of the connection to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresStats {
    /// Ways to the database and back, those of reads included.
    pub round_trips: u64,
}

impl Postgres {
    /// Connects to a database, and makes the tables where there are none.
    pub async fn open(options: PostgresOptions) -> Result<Self, PostgresError> {
        let settings = options.settings(options.statement_timeout_ms)?;
        let opening = Database::open(settings, options.lanes_per_app, Purpose::Serve);
        let database = opening.await.map_err(PostgresError)?;
        let queue = Arc::new(Queue::new(options.queue_bytes_max));
        let transactions = Arc::new(Transactions::new(Arc::clone(&database)));
        let engine = Engine::Postgres(transactions);
        let writer = Writer::new(engine, Arc::clone(&queue), Commits::InLine, options.bounds());
        let reading = Reading::Postgres(Arc::clone(&database));
        let store = Self::new(database, queue, reading, options.pool_size);
        let started = store.start("store-write", move || writer.run());
        started.map_err(|error| PostgresError(error.to_string()))?;
        Ok(store)
    }

    /// Carries out what has been asked, and takes nothing more. Blocks for as long as that takes. Reading still works
    /// afterwards.
    pub fn close(&self) -> Stored<()> {
        self.stop();
        Ok(())
    }

    /// Whether the database was there when it was last asked, which is a few seconds ago at most.
    pub fn works(&self) -> bool {
        self.engine.is_up()
    }

    pub fn stats(&self) -> PostgresStats {
        PostgresStats { round_trips: self.engine.round_trips() }
    }
}

impl PostgresError {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

impl PostgresOptions {
    pub(crate) fn settings(&self, statement_timeout_ms: u64) -> Result<Settings, PostgresError> {
        self.check().map_err(PostgresError)?;
        Ok(Settings {
            url: self.url.clone(),
            schema: self.schema.clone(),
            root_cert: self.root_cert.clone(),
            connect_timeout_ms: self.connect_timeout_ms,
            statement_timeout_ms,
        })
    }

    fn check(&self) -> Result<(), String> {
        // It stands in statements as it is.
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let begins = self.schema.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !begins || !self.schema.chars().all(is_plain) || self.schema.len() > 48 {
            return Err(format!(
                "{:?} cannot be a schema: small letters, digits and underscores, a letter first, 48 at most",
                self.schema
            ));
        }
        if self.lanes_per_app == 0 || self.statement_timeout_ms == 0 || self.connect_timeout_ms == 0 {
            return Err("lanes and timeouts of PostgreSQL cannot be 0".to_owned());
        }
        Ok(())
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            accounts_cached_max: self.accounts_cached_max,
            conversations_cached_max: self.conversations_cached_max,
            group_operations_max: self.group_operations_max,
            group_bytes_max: self.group_bytes_max,
        }
    }
}
