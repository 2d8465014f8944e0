//! The engine under the store: an ordered map of bytes for each table, read at a snapshot, changed by batches that are
//! durable before anybody sees them.
//!
//! Everything that is known of the engine is known here, so that another could stand in its place. It owns the
//! tables, the bound on the journal, and the flush at the end; it does not know what a row means.

use super::{EmbeddedOptions, EmbeddedStats, OpenError};
use chat::port::{StoreError, Stored};
use fjall::config::FilterPolicy;
use fjall::{
    Database, Error, Keyspace, KeyspaceCreateOptions, LsmError, OwnedWriteBatch, PersistMode, Readable, Slice,
};
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Least size of the engine's journal; smaller limits it does not take.
pub(super) const JOURNAL_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Sealed journals that ordinary work leaves behind at most. More of them mean that an idle table holds them back.
const JOURNALS_ORDINARY: usize = 4;

/// How long the end waits for the flush to go on, before it leaves the rest to the next start.
const FLUSH_WAIT_MS_MAX: u64 = 30_000;

/// Shorter than what any row starts with, and so in no prefix that is ever scanned.
const TOUCH_KEY: &[u8] = &[0];

/// Sets of rows. Their numbers index the engine's list of open tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    Accounts,
    /// What people show of themselves. Only read by those who ask for it.
    Profiles,
    /// What a user keeps of another.
    Ties,
    /// The state of a pair of users, with the views of both.
    Conversations,
    /// With whom a user has conversations.
    Peers,
    /// What a user has noted of a conversation, where there is anything.
    Notes,
    Messages,
    /// The key-value pairs of messages.
    Extensions,
    /// What happened to a user. The last entry carries the state of the inbox.
    Logs,
    Events,
    /// Which events tell of a refused send, for whoever asks what became of one.
    Refusals,
    Lanes,
    /// How far an endpoint was told the events of a lane.
    Routes,
    Exceptions,
    /// Failed attempts, for whoever looks into them.
    Failures,
    /// What was told, when, and how: one row for each checkpoint.
    Deliveries,
    /// How push reaches the devices of a user.
    PushTokens,
    /// Which user a token is of, so that it moves with the device.
    TokenOwners,
}

impl Table {
    const ALL: [Self; 18] = [
        Self::Accounts,
        Self::Profiles,
        Self::Ties,
        Self::Conversations,
        Self::Peers,
        Self::Notes,
        Self::Messages,
        Self::Extensions,
        Self::Logs,
        Self::Events,
        Self::Refusals,
        Self::Lanes,
        Self::Routes,
        Self::Exceptions,
        Self::Failures,
        Self::Deliveries,
        Self::PushTokens,
        Self::TokenOwners,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Profiles => "profiles",
            Self::Ties => "ties",
            Self::Conversations => "conversations",
            Self::Peers => "peers",
            Self::Notes => "notes",
            Self::Messages => "messages",
            Self::Extensions => "extensions",
            Self::Logs => "logs",
            Self::Events => "events",
            Self::Refusals => "refusals",
            Self::Lanes => "lanes",
            Self::Routes => "routes",
            Self::Exceptions => "exceptions",
            Self::Failures => "failures",
            Self::Deliveries => "deliveries",
            Self::PushTokens => "push_tokens",
            Self::TokenOwners => "token_owners",
        }
    }

    fn options(self) -> KeyspaceCreateOptions {
        let options = KeyspaceCreateOptions::default();
        match self {
            // Only ever scanned: a filter would be memory for nothing.
            Self::Peers
            | Self::Logs
            | Self::Events
            | Self::Refusals
            | Self::Exceptions
            | Self::Failures
            | Self::Deliveries => options.filter_policy(FilterPolicy::disabled()),
            // Asked by key only for what a log entry or an earlier message names.
            Self::Messages => options.expect_point_read_hits(true),
            Self::Accounts
            | Self::Profiles
            | Self::Ties
            | Self::Conversations
            | Self::Notes
            | Self::Extensions
            | Self::Lanes
            | Self::Routes
            | Self::PushTokens
            | Self::TokenOwners => options,
        }
    }

    /// Something in this table is not what was written.
    pub(super) fn corrupt(self, key: &[u8], what: &str) -> StoreError {
        StoreError::Corrupt { table: self.name(), row: key.escape_ascii().to_string(), what: what.to_owned() }
    }
}

pub(super) struct Engine {
    // Declared before the database, whose lock they share: it is released with the last of them.
    tables: [Keyspace; Table::ALL.len()],
    database: Database,
    /// Once the journal has grown by this much, the memory tables are written out, so that it can be cut.
    sweep_bytes: u64,
    /// A write has failed. The database takes no further ones until it is opened again.
    broken: AtomicBool,
    /// Makes commits fail, for the test of what follows.
    #[cfg(test)]
    pub(super) refuses: AtomicBool,
}

impl Engine {
    pub(super) fn open(path: &Path, options: &EmbeddedOptions) -> Result<Self, OpenError> {
        let at = |error| refused(path, &error);
        let database = Database::builder(path)
            .cache_size(options.cache_bytes)
            .max_journaling_size(options.journal_bytes_max.max(JOURNAL_BYTES_MIN))
            .manual_journal_persist(true)
            .open()
            .map_err(at)?;
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            tables.push(database.keyspace(table.name(), || table.options()).map_err(at)?);
        }
        let tables = tables.try_into().ok().expect("as many tables were opened as there are");
        Ok(Self {
            tables,
            database,
            sweep_bytes: options.journal_bytes_max / 2,
            broken: false.into(),
            #[cfg(test)]
            refuses: false.into(),
        })
    }

    pub(super) fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { engine: self, inner: self.database.snapshot() }
    }

    pub(super) fn batch(&self, rows_expected: usize) -> Batch {
        Batch { inner: OwnedWriteBatch::with_capacity(self.database.clone(), rows_expected), bytes: 0 }
    }

    /// Makes a batch durable, and only then visible.
    pub(super) fn commit(&self, batch: Batch) -> Stored<()> {
        #[cfg(test)]
        if self.refuses.load(Ordering::Relaxed) {
            return Err(unavailable(Error::Poisoned));
        }
        let committed = batch.inner.durability(Some(PersistMode::SyncData)).commit();
        committed.map_err(|error| {
            self.broken.store(true, Ordering::Relaxed);
            unavailable(error)
        })
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Whether so much has been committed since the last [`Self::sweep`] that it is time for another.
    pub(super) fn wants_sweep(&self, bytes: u64) -> bool {
        bytes >= self.sweep_bytes
    }

    /// Begins to write out the memory tables, so that the journal can be cut.
    ///
    /// It takes a good while, because the engine uses the occasion to free the tables of the time before.
    pub(super) fn sweep(&self) -> Stored<()> {
        if self.database.journal_count() > JOURNALS_ORDINARY {
            // The engine keeps a journal until each of its tables has written something newer to disk. A table whose
            // last rows were removed again has nothing to write, and would hold the journals for ever.
            let mut touch = self.batch(self.tables.len());
            for table in Table::ALL {
                touch.put(self, table, TOUCH_KEY, &[]);
            }
            self.commit(touch)?;
        }
        self.rotate()
    }

    /// Writes out all memory tables, so that the next start finds little to replay.
    pub(super) fn flush(&self) -> Stored<()> {
        if self.is_broken() {
            // Its workers have stopped, and waiting for them would not bring them back.
            return Err(unavailable(Error::Poisoned));
        }
        self.rotate()?;
        for _ in 0..FLUSH_WAIT_MS_MAX {
            if self.tables.iter().all(|table| table.sealed_memtable_count() == 0) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(StoreError::Unavailable("the memory tables could not be written out in time".to_owned()))
    }

    pub(super) fn stats(&self) -> Stored<EmbeddedStats> {
        Ok(EmbeddedStats {
            disk_bytes: self.database.disk_space().map_err(unavailable)?,
            journal_count: self.database.journal_count(),
            journal_bytes: self.database.journal_disk_space().map_err(unavailable)?,
            memory_table_bytes: self.database.write_buffer_size(),
            block_cache_bytes: self.database.cache_size(),
        })
    }

    fn rotate(&self) -> Stored<()> {
        for table in &self.tables {
            table.rotate_memtable().map_err(unavailable)?;
        }
        Ok(())
    }

    fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Rows to be changed in one commit. A key may be in it only once.
pub(super) struct Batch {
    inner: OwnedWriteBatch,
    bytes: u64,
}

impl Batch {
    pub(super) fn put(&mut self, engine: &Engine, table: Table, key: &[u8], value: &[u8]) {
        self.bytes += (key.len() + value.len()) as u64;
        self.inner.insert(engine.table(table), key, value);
    }

    pub(super) fn remove(&mut self, engine: &Engine, table: Table, key: &[u8]) {
        self.bytes += key.len() as u64;
        self.inner.remove(engine.table(table), key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// About what it adds to the journal.
    pub(super) fn bytes(&self) -> u64 {
        const ROW_OVERHEAD_BYTES: u64 = 24;
        self.bytes + self.inner.len() as u64 * ROW_OVERHEAD_BYTES
    }
}

/// All tables as they were at one commit.
pub(super) struct Snapshot<'a> {
    engine: &'a Engine,
    inner: fjall::Snapshot,
}

pub(super) type Row = (Slice, Slice);

impl Snapshot<'_> {
    pub(super) fn get(&self, table: Table, key: impl AsRef<[u8]>) -> Stored<Option<Slice>> {
        self.inner.get(self.engine.table(table), key).map_err(|error| failed(table, &error))
    }

    /// The rows whose keys start with `prefix`, in order.
    pub(super) fn scan(&self, table: Table, prefix: impl AsRef<[u8]>) -> impl Iterator<Item = Stored<Row>> {
        rows(table, self.inner.prefix(self.engine.table(table), prefix))
    }

    /// The same, from the key `from` on.
    pub(super) fn scan_from(
        &self,
        table: Table,
        prefix: impl AsRef<[u8]>,
        from: impl AsRef<[u8]>,
    ) -> impl Iterator<Item = Stored<Row>> {
        let end = behind(prefix.as_ref());
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let range = (Bound::Included(from.as_ref()), end);
        rows(table, self.inner.range::<&[u8], _>(self.engine.table(table), range))
    }

    /// The rows whose keys start with `prefix`, backwards from the key `from`.
    pub(super) fn scan_back(
        &self,
        table: Table,
        prefix: impl AsRef<[u8]>,
        from: impl AsRef<[u8]>,
    ) -> impl Iterator<Item = Stored<Row>> {
        let range = (Bound::Included(prefix.as_ref()), Bound::Included(from.as_ref()));
        let range = self.inner.range::<&[u8], _>(self.engine.table(table), range);
        range.rev().map(move |row| row.into_inner().map_err(|error| failed(table, &error)))
    }

    /// The last row whose key starts with `prefix`.
    pub(super) fn last(&self, table: Table, prefix: impl AsRef<[u8]>) -> Stored<Option<Row>> {
        let last = self.inner.prefix(self.engine.table(table), prefix).next_back();
        last.map(fjall::Guard::into_inner).transpose().map_err(|error| failed(table, &error))
    }
}

fn rows(table: Table, rows: fjall::Iter) -> impl Iterator<Item = Stored<Row>> {
    rows.map(move |row| row.into_inner().map_err(|error| failed(table, &error)))
}

/// The first key behind all that start with `prefix`; `None` when there is none.
fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn unavailable(error: Error) -> StoreError {
    match error {
        Error::Poisoned => {
            StoreError::Unavailable("a write has failed, and the store has to be reopened".to_owned())
        }
        error => StoreError::Unavailable(error.to_string()),
    }
}

fn refused(path: &Path, error: &Error) -> OpenError {
    match error {
        Error::Locked => OpenError::Locked(path.to_owned()),
        error => OpenError::Failed { path: path.to_owned(), cause: error.to_string() },
    }
}

/// A read failed: either the disk did not answer, or what it answered is not what was written.
fn failed(table: Table, error: &Error) -> StoreError {
    match error {
        Error::Storage(LsmError::Io(error)) | Error::Io(error) => StoreError::Unavailable(error.to_string()),
        Error::Poisoned | Error::Locked | Error::KeyspaceDeleted => {
            StoreError::Unavailable(error.to_string())
        }
        error => {
            StoreError::Corrupt { table: table.name(), row: "unknown".to_owned(), what: error.to_string() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_behind_all_its_keys() {
        assert_eq!(behind(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(behind(&[1, 0xff]), Some(vec![2]));
        assert_eq!(behind(&[0xff, 0xff]), None);
    }
}
