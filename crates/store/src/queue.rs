//! Where callers, the writer and the committer meet.
//!
//! Callers wait here for room, the writer for operations and for word of the last commit. It owns no operation for
//! longer than that, and knows nothing of what they do.

use super::operation::{Operation, Reply, stopped};
use chat::port::Stored;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use tokio::sync::{Semaphore, oneshot};

/// Weight of an operation without content, in bytes.
const WEIGHT_UNIT_BYTES: usize = 1024;

pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// Room for operations, each weighing one unit and one more for each KiB of content.
    room: Semaphore,
    units_max: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u32, Operation)>,
    /// How the last commit ended, until the writer has heard of it.
    committed: Option<Stored<()>>,
    closed: bool,
    writer_sleeps: bool,
}

/// What the writer was woken for.
pub(super) struct Woken {
    pub(super) committed: Option<Stored<()>>,
    /// Nothing will follow.
    pub(super) ended: bool,
}

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        let units_max = (bytes_max / WEIGHT_UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Self { state: Mutex::default(), wake: Condvar::new(), room: Semaphore::new(units_max), units_max }
    }

    /// Hands an operation to the writer and waits for its answer. Waits for room first, in turn.
    pub(super) async fn ask<T>(
        &self,
        content_bytes: usize,
        operation: impl FnOnce(Reply<T>) -> Operation,
    ) -> Stored<T> {
        // One that is larger than all the room has it for itself.
        let units = (1 + content_bytes / WEIGHT_UNIT_BYTES).min(self.units_max) as u32;
        self.room.acquire_many(units).await.map_err(|_| stopped())?.forget();
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.lock();
            if state.closed {
                return Err(stopped());
            }
            state.waiting.push_back((units, operation(reply)));
            if std::mem::take(&mut state.writer_sleeps) {
                self.wake.notify_one();
            }
        }
        answer.await.map_err(|_| stopped())?
    }

    /// Moves at most `operations_max` operations to `taken`. Sleeps until there is one, or a commit has ended, or
    /// the queue has.
    pub(super) fn wait(&self, operations_max: usize, taken: &mut VecDeque<Operation>) -> Woken {
        let mut state = self.lock();
        loop {
            let count = operations_max.min(state.waiting.len());
            let committed = state.committed.take();
            let ended = state.closed && state.waiting.is_empty();
            if count > 0 || committed.is_some() || (ended && operations_max > 0) {
                let mut units = 0;
                for (weight, operation) in state.waiting.drain(..count) {
                    units += weight as usize;
                    taken.push_back(operation);
                }
                drop(state);
                self.room.add_permits(units);
                return Woken { committed, ended };
            }
            state.writer_sleeps = true;
            state = self.wake.wait(state).expect(NOT_POISONED);
        }
    }

    /// Tells the writer how a commit ended.
    pub(super) fn committed(&self, outcome: Stored<()>) {
        let mut state = self.lock();
        state.committed = Some(outcome);
        state.writer_sleeps = false;
        self.wake.notify_one();
    }

    /// Takes no more operations. Those that wait are still carried out.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.writer_sleeps = false;
        self.wake.notify_one();
        self.room.close();
    }

    /// Nobody is left to carry out anything: everybody who waits is told so.
    pub(super) fn abandon(&self) {
        self.close();
        // Dropping an operation drops its reply, which its caller notices.
        let waiting = std::mem::take(&mut self.lock().waiting);
        drop(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NOT_POISONED)
    }
}

const NOT_POISONED: &str = "nothing under this lock panics";

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}
