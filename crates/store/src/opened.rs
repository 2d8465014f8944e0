//! A store that is open: its queue, its threads and its reads, whatever lies beneath.

use crate::engine::postgres::{Bond, Database, View};
use crate::engine::{Directory, Snapshot};
use crate::operation::stopped;
use crate::queue::Queue;
use chat::port::{StoreError, Stored};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::Semaphore;

/// A store on one of the engines. Dropping it stops its threads.
pub struct Opened<E> {
    pub(crate) engine: Arc<E>,
    pub(crate) queue: Arc<Queue>,
    reading: Reading,
    reads: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Where reads go.
#[derive(Clone)]
pub(crate) enum Reading {
    Directory(Arc<Directory>),
    Postgres(Arc<Database>),
}

/// How much one read looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looks {
    /// All that is found has to be of the same moment.
    Several,
    /// One statement, wherever there are statements.
    One,
}

impl<E> Opened<E> {
    pub(crate) fn new(engine: Arc<E>, queue: Arc<Queue>, reading: Reading, reads_max: usize) -> Self {
        let reads = Arc::new(Semaphore::new(reads_max.max(1)));
        Self { engine, queue, reading, reads, threads: Mutex::default() }
    }

    pub(crate) fn start(&self, name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
        self.threads.lock().expect("nothing under this lock panics").push(thread);
        Ok(())
    }

    /// Returns whether there was anything to stop.
    pub(crate) fn stop(&self) -> bool {
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

    pub(crate) fn lanes(&self) -> u16 {
        match &self.reading {
            Reading::Directory(_) => crate::engine::directory::LANES_PER_APP,
            Reading::Postgres(database) => database.lanes_per_app(),
        }
    }

    /// Reads at one moment, on a thread that may wait.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot<'_>) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        self.read_with(Looks::Several, read).await
    }

    pub(crate) async fn read_with<T: Send + 'static>(
        &self,
        looks: Looks,
        read: impl FnOnce(&Snapshot<'_>) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| stopped())?;
        let reading = self.reading.clone();
        let reading = tokio::task::spawn_blocking(move || {
            // The read goes on when its caller has gone, and is counted until it ends.
            let _permit = permit;
            match reading {
                Reading::Directory(directory) => read(&Snapshot::Directory(directory.snapshot())),
                Reading::Postgres(database) => {
                    let in_flight = metrics::gauge!("couplet_postgres_reads_in_flight");
                    in_flight.increment(1);
                    // Also when the read panics.
                    let _landing = Landing(in_flight);
                    let bond = if looks == Looks::One { Bond::Nothing } else { Bond::Moment };
                    read(&Snapshot::Postgres(&View::new(database, bond)))
                }
            }
        });
        reading.await.map_err(|error| StoreError::Unavailable(format!("a read was broken off: {error}")))?
    }
}

struct Landing(metrics::Gauge);

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

impl<E> std::fmt::Debug for Opened<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl<E> Drop for Opened<E> {
    fn drop(&mut self) {
        self.stop();
    }
}
