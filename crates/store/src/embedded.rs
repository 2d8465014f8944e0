//! The embedded store: one directory, which belongs to this process.
//!
//! While a group is being committed, the next one is put together: a [`Committer`] beside the writer waits for the disk.

use crate::commit::{self, Committer, LastWord};
use crate::engine::{Directory, Engine};
use crate::opened::{Opened, Reading};
use crate::queue::Queue;
use crate::writer::{Bounds, Commits, Writer};
use chat::port::Stored;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

const MIB: u64 = 1024 * 1024;

/// A store in a directory. Dropping it stops its threads; [`Self::close`] also leaves it quick to open.
pub type Embedded = Opened<Directory>;

/// Limits of an embedded store. The defaults suit a machine of two cores and a few GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// Blocks of the database kept in memory. Filled by reading.
    pub cache_bytes: u64,
    /// The journal is cut when it has grown to half of this. What stands in it is replayed after a crash, some
    /// 40 MiB in a second.
    pub journal_bytes_max: u64,
    /// Accounts the writer remembers; about 150 bytes each.
    pub accounts_cached_max: usize,
    /// Conversations the writer remembers; about 300 bytes each.
    pub conversations_cached_max: usize,
    /// Operations that wait for the writer, by the size of their content. Callers beyond it wait in turn.
    pub queue_bytes_max: usize,
    pub group_operations_max: usize,
    pub group_bytes_max: u64,
    /// Reads carried out at the same time. Readers beyond it wait in turn. Each holds a thread, and a thread that has
    /// read once keeps some MiB for the next time.
    pub reads_max: usize,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * MIB,
            journal_bytes_max: 128 * MIB,
            accounts_cached_max: 500_000,
            conversations_cached_max: 500_000,
            queue_bytes_max: 16 * MIB as usize,
            group_operations_max: 1_024,
            group_bytes_max: 4 * MIB,
            reads_max: 16,
        }
    }
}

/// Why a directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    #[error("{} could not be opened: {cause}", path.display())]
    Failed { path: PathBuf, cause: String },
}

/// Figures of the store on its disk, for metrics and alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedStats {
    pub disk_bytes: u64,
    /// A count that keeps growing means that the journal cannot be cut.
    pub journal_count: usize,
    pub journal_bytes: u64,
    /// Rows that stand only in the journal and in memory.
    pub memory_table_bytes: u64,
    pub block_cache_bytes: u64,
}

impl Embedded {
    /// Opens the store of a directory, and makes it when there is none.
    pub fn open(path: impl AsRef<Path>, options: EmbeddedOptions) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let failed =
            |cause: std::io::Error| OpenError::Failed { path: path.to_owned(), cause: cause.to_string() };
        let directory = Arc::new(Directory::open(path, &options)?);
        let queue = Arc::new(Queue::new(options.queue_bytes_max));
        // Room for one: the writer only hands over when the committer has finished.
        let (committer, groups) = sync_channel(1);
        // One sweep under way, and one that is wanted after it.
        let (sweeper, wanted) = sync_channel(1);
        let engine = Engine::Directory(Arc::clone(&directory));
        let writer =
            Writer::new(engine, Arc::clone(&queue), Commits::Beside(committer), Bounds::of(&options));
        let committer = Committer {
            directory: Arc::clone(&directory),
            queue: Arc::clone(&queue),
            groups,
            sweeper,
            _last_word: LastWord(Arc::clone(&queue)),
        };
        let reading = Reading::Directory(Arc::clone(&directory));
        let store = Self::new(Arc::clone(&directory), queue, reading, options.reads_max);
        store.start("store-sweep", move || commit::sweep(&directory, &wanted)).map_err(failed)?;
        store.start("store-commit", move || committer.run()).map_err(failed)?;
        store.start("store-write", move || writer.run()).map_err(failed)?;
        Ok(store)
    }

    /// Carries out what has been asked, takes nothing more, and writes everything out. Blocks for as long as that
    /// takes. Reading still works afterwards.
    pub fn close(&self) -> Stored<()> {
        if self.stop() { self.engine.flush() } else { Ok(()) }
    }

    /// Whether changes can be committed. After a write has failed they cannot, until the store is opened again.
    pub fn works(&self) -> bool {
        !self.engine.is_broken()
    }

    /// May wait for a commit that is under way.
    pub fn stats(&self) -> Stored<EmbeddedStats> {
        self.engine.stats()
    }
}

impl Bounds {
    fn of(options: &EmbeddedOptions) -> Self {
        Self {
            accounts_cached_max: options.accounts_cached_max,
            conversations_cached_max: options.conversations_cached_max,
            group_operations_max: options.group_operations_max,
            group_bytes_max: options.group_bytes_max,
        }
    }
}

#[cfg(test)]
mod tests;
