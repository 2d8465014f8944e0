//! A directory of this process: a log-structured merge tree, whose batches are durable before anybody sees them.
//!
//! Everything that is known of fjall is known here. It owns the tables, the bound on the journal, and the flush at the
//! end.

use super::{Row, Table, behind};
use crate::embedded::{EmbeddedOptions, EmbeddedStats, OpenError};
use chat::port::{StoreError, Stored};
use fjall::config::FilterPolicy;
use fjall::{
    AbstractTree, Database, Error, Keyspace, KeyspaceCreateOptions, LsmError, OwnedWriteBatch, PersistMode,
    Readable, Slice,
};
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One node, one dispatcher: spreading an app's events over several lanes would only cost.
pub(crate) const LANES_PER_APP: u16 = 1;

/// Least size of the engine's journal; smaller limits it does not take.
pub(crate) const JOURNAL_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Sealed journals that ordinary work leaves behind at most. More of them mean that an idle table holds them back.
const JOURNALS_ORDINARY: usize = 4;

/// How long the end waits for the flush to go on, before it leaves the rest to the next start.
const FLUSH_WAIT_MS_MAX: u64 = 30_000;

/// Shorter than what any row starts with, and so in no prefix that is ever scanned.
const TOUCH_KEY: &[u8] = &[0];

pub struct Directory {
    // Declared before the database, whose lock they share: it is released with the last of them.
    tables: [Keyspace; Table::ALL.len()],
    database: Database,
    /// Once the journal has grown by this much, the memory tables are written out, so that it can be cut.
    sweep_bytes: u64,
    /// Memory tables that are being written out, or were.
    ///
    /// The engine frees a table when it next looks for old ones, under a lock that every commit needs: for 64 MiB of
    /// journal that is 200 ms in which nobody is answered. As long as it is kept here too, there is nothing to free.
    retired: Mutex<Vec<Arc<dyn Send + Sync>>>,
    /// A write has failed. The database takes no further ones until it is opened again.
    broken: AtomicBool,
    /// Makes commits fail, for the test of what follows.
    #[cfg(test)]
    pub(crate) refuses: AtomicBool,
}

impl Directory {
    pub(crate) fn open(path: &Path, options: &EmbeddedOptions) -> Result<Self, OpenError> {
        let at = |error| refused(path, &error);
        let database = Database::builder(path)
            .cache_size(options.cache_bytes)
            .max_journaling_size(options.journal_bytes_max.max(JOURNAL_BYTES_MIN))
            .manual_journal_persist(true)
            .open()
            .map_err(at)?;
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            tables.push(database.keyspace(table.name(), || table_options(table)).map_err(at)?);
        }
        let tables = tables.try_into().ok().expect("as many tables were opened as there are");
        Ok(Self {
            tables,
            database,
            sweep_bytes: options.journal_bytes_max / 2,
            retired: Mutex::default(),
            broken: false.into(),
            #[cfg(test)]
            refuses: false.into(),
        })
    }

    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { engine: self, inner: self.database.snapshot() }
    }

    /// About how many rows there are.
    pub(crate) fn rows_expected(&self) -> u64 {
        self.tables.iter().map(|table| table.approximate_len() as u64).sum()
    }

    pub(crate) fn batch(&self, rows_expected: usize) -> Batch {
        Batch { inner: OwnedWriteBatch::with_capacity(self.database.clone(), rows_expected), bytes: 0 }
    }

    /// Makes a batch durable, and only then visible.
    pub(crate) fn commit(&self, batch: Batch) -> Stored<()> {
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

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Whether so much has been committed since the last [`Self::sweep`] that it is time for another.
    pub(crate) fn wants_sweep(&self, bytes: u64) -> bool {
        bytes >= self.sweep_bytes
    }

    /// Begins to write out the memory tables, so that the journal can be cut.
    ///
    /// It takes a good while, because it is the occasion to free the tables of the time before.
    pub(crate) fn sweep(&self) -> Stored<()> {
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
    pub(crate) fn flush(&self) -> Stored<()> {
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

    pub(crate) fn stats(&self) -> Stored<EmbeddedStats> {
        Ok(EmbeddedStats {
            disk_bytes: self.database.disk_space().map_err(unavailable)?,
            journal_count: self.database.journal_count(),
            journal_bytes: self.database.journal_disk_space().map_err(unavailable)?,
            memory_table_bytes: self.database.write_buffer_size(),
            block_cache_bytes: self.database.cache_size(),
        })
    }

    fn rotate(&self) -> Stored<()> {
        let mut retired = self.retired.lock().expect("nothing panics while it holds this lock");
        for table in &self.tables {
            let memory = table.tree.active_memtable();
            if table.rotate_memtable().map_err(unavailable)? {
                retired.push(memory);
            }
        }
        // Those that nobody else has are freed here, where nobody waits for it. Others are still being written out or
        // read.
        retired.retain(|memory| Arc::strong_count(memory) > 1);
        Ok(())
    }

    fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

/// What suits how a table is read.
fn table_options(table: Table) -> KeyspaceCreateOptions {
    let options = KeyspaceCreateOptions::default();
    match table {
        // Only ever scanned: a filter would be memory for nothing.
        Table::Peers
        | Table::Logs
        | Table::Events
        | Table::Refusals
        | Table::Exceptions
        | Table::Failures
        | Table::Deliveries => options.filter_policy(FilterPolicy::disabled()),
        // Asked by key only for what a log entry or an earlier message names.
        Table::Messages => options.expect_point_read_hits(true),
        Table::Accounts
        | Table::Profiles
        | Table::Ties
        | Table::Conversations
        | Table::Notes
        | Table::Extensions
        | Table::Lanes
        | Table::Routes
        | Table::PushTokens
        | Table::TokenOwners
        | Table::Leases => options,
    }
}

/// Rows to be changed in one commit. A key may be in it only once.
pub(crate) struct Batch {
    inner: OwnedWriteBatch,
    bytes: u64,
}

impl Batch {
    pub(crate) fn put(&mut self, engine: &Directory, table: Table, key: &[u8], value: &[u8]) {
        self.bytes += (key.len() + value.len()) as u64;
        self.inner.insert(engine.table(table), key, value);
    }

    pub(crate) fn remove(&mut self, engine: &Directory, table: Table, key: &[u8]) {
        self.bytes += key.len() as u64;
        self.inner.remove(engine.table(table), key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// About what it adds to the journal.
    pub(crate) fn bytes(&self) -> u64 {
        const ROW_OVERHEAD_BYTES: u64 = 24;
        self.bytes + self.inner.len() as u64 * ROW_OVERHEAD_BYTES
    }
}

/// All tables as they were at one commit.
pub(crate) struct Snapshot<'a> {
    engine: &'a Directory,
    inner: fjall::Snapshot,
}

impl Snapshot<'_> {
    pub(crate) fn get(&self, table: Table, key: impl AsRef<[u8]>) -> Stored<Option<Slice>> {
        self.inner.get(self.engine.table(table), key).map_err(|error| failed(table, &error))
    }

    /// The rows whose keys start with `prefix`, in order.
    pub(crate) fn scan(&self, table: Table, prefix: impl AsRef<[u8]>) -> Scan {
        Scan::Forwards(table, self.inner.prefix(self.engine.table(table), prefix))
    }

    /// The same, from the key `from` on.
    pub(crate) fn scan_from(&self, table: Table, prefix: impl AsRef<[u8]>, from: impl AsRef<[u8]>) -> Scan {
        self.scan_until(table, from.as_ref(), behind(prefix.as_ref()).as_deref())
    }

    /// The rows from one key on until another, which is not among them.
    pub(crate) fn scan_until(&self, table: Table, from: &[u8], until: Option<&[u8]>) -> Scan {
        let range = (Bound::Included(from), until.map_or(Bound::Unbounded, Bound::Excluded));
        Scan::Forwards(table, self.inner.range::<&[u8], _>(self.engine.table(table), range))
    }

    /// The rows whose keys start with `prefix`, backwards from the key `from`.
    pub(crate) fn scan_back(&self, table: Table, prefix: impl AsRef<[u8]>, from: impl AsRef<[u8]>) -> Scan {
        let range = (Bound::Included(prefix.as_ref()), Bound::Included(from.as_ref()));
        Scan::Backwards(table, self.inner.range::<&[u8], _>(self.engine.table(table), range))
    }

    /// The last row whose key starts with `prefix`.
    pub(crate) fn last(&self, table: Table, prefix: impl AsRef<[u8]>) -> Stored<Option<Row>> {
        let last = self.inner.prefix(self.engine.table(table), prefix).next_back();
        last.map(fjall::Guard::into_inner).transpose().map_err(|error| failed(table, &error))
    }
}

/// Rows on the way from the disk.
pub(crate) enum Scan {
    Forwards(Table, fjall::Iter),
    Backwards(Table, fjall::Iter),
}

impl Iterator for Scan {
    type Item = Stored<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let (table, row) = match self {
            Self::Forwards(table, rows) => (*table, rows.next()?),
            Self::Backwards(table, rows) => (*table, rows.next_back()?),
        };
        Some(row.into_inner().map_err(|error| failed(table, &error)))
    }
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
