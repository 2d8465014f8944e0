//! The embedded store: one directory, one writer, group commit.
//!
//! ```text
//! callers ── queue ──► writer ── ledger (caches, guard) ── group ──► committer ── engine
//!    ▲                                                                   │
//!    └───────────────────────────── answers ◄────────────────────────────┘
//! ```
//!
//! Changes go through the writer, which sees all of them in order; reads go straight to the engine, at a snapshot.
//! Start at `writer`, then read `ledger`. What the rows look like is in `key` and `codec`; what is known of the engine
//! is in `engine` and nowhere else.
//!
//! A commit is on disk before anyone is answered and before any reader sees it.

mod cache;
mod codec;
mod commit;
mod engine;
mod group;
mod key;
mod ledger;
mod notation;
mod operation;
mod port;
mod queue;
mod read;
mod writer;

use chat::port::{StoreError, Stored};
use commit::{Committer, LastWord};
use engine::{Engine, Snapshot};
use operation::stopped;
use queue::Queue;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::Semaphore;
use writer::Writer;

const MIB: u64 = 1024 * 1024;

/// One node, one dispatcher: spreading an app's events over several lanes would only cost.
const LANES_PER_APP: u16 = 1;

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

/// A store in a directory. Dropping it stops its threads; [`Self::close`] also leaves it quick to open.
#[derive(Debug)]
pub struct Embedded {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    reads: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Embedded {
    /// Opens the store of a directory, and makes it when there is none.
    pub fn open(path: impl AsRef<Path>, options: EmbeddedOptions) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let failed =
            |cause: std::io::Error| OpenError::Failed { path: path.to_owned(), cause: cause.to_string() };
        let engine = Arc::new(Engine::open(path, &options)?);
        let queue = Arc::new(Queue::new(options.queue_bytes_max));
        // Room for one: the writer only hands over when the committer has finished.
        let (committer, groups) = sync_channel(1);
        // One sweep under way, and one that is wanted after it.
        let (sweeper, wanted) = sync_channel(1);
        let writer = Writer::new(Arc::clone(&engine), Arc::clone(&queue), committer, &options);
        let committer = Committer {
            engine: Arc::clone(&engine),
            queue: Arc::clone(&queue),
            groups,
            sweeper,
            _last_word: LastWord(Arc::clone(&queue)),
        };
        let store = Self {
            engine: Arc::clone(&engine),
            queue,
            reads: Arc::new(Semaphore::new(options.reads_max.max(1))),
            threads: Mutex::default(),
        };
        store.start("store-sweep", move || commit::sweep(&engine, &wanted)).map_err(failed)?;
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

    fn start(&self, name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        self.threads.lock().expect("nothing under this lock panics").push(thread);
        Ok(())
    }

    /// Returns whether there was anything to stop.
    fn stop(&self) -> bool {
        self.queue.close();
        let threads = std::mem::take(&mut *self.threads.lock().expect("nothing under this lock panics"));
        let any = !threads.is_empty();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store has panicked");
            }
        }
        any
    }

    /// Reads at a snapshot, on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot<'_>) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| stopped())?;
        let engine = Arc::clone(&self.engine);
        let reading = tokio::task::spawn_blocking(move || {
            // The read goes on when its caller has gone, and is counted until it ends.
            let _permit = permit;
            read(&engine.snapshot())
        });
        reading.await.map_err(|error| StoreError::Unavailable(format!("a read was broken off: {error}")))?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
