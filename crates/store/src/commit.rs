//! The committer: makes one group after the other durable, and answers its callers.
//!
//! A thread of its own, so that the next group is put together while the disk works on this one. Beside it, the
//! sweeper keeps the journal short.

use super::engine::{Batch, Directory};
use super::group::Sealed;
use super::operation::stopped;
use super::queue::Queue;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

pub(super) struct Committer {
    pub(super) directory: Arc<Directory>,
    pub(super) queue: Arc<Queue>,
    pub(super) groups: Receiver<Sealed>,
    pub(super) sweeper: SyncSender<Sweep>,
    // Behind the receiver: whoever has heard the last word finds the channel closed.
    pub(super) _last_word: LastWord,
}

impl Committer {
    /// Ends when the writer has.
    pub(super) fn run(self) {
        let mut uncut_bytes = 0;
        while let Ok(Sealed { batch, answers }) = self.groups.recv() {
            uncut_bytes += batch.bytes();
            let Batch::Directory(batch) = batch else { unreachable!("a batch stays with its engine") };
            let outcome = if batch.is_empty() { Ok(()) } else { self.directory.commit(batch) };
            if let Err(error) = &outcome {
                tracing::error!(%error, operations = answers.len(), "a group of operations could not be committed");
            }
            // The writer first: it seals the next group while the callers of this one are woken.
            self.queue.committed(outcome.clone());
            for answer in answers {
                answer.give(&outcome);
            }
            if self.directory.wants_sweep(uncut_bytes) && self.sweeper.try_send(Sweep).is_ok() {
                uncut_bytes = 0;
            }
        }
    }
}

/// It is time to cut the journal.
pub(super) struct Sweep;

/// Cuts the journal. On a thread of its own, since no commit should wait for that. Ends when the committer has.
pub(super) fn sweep(directory: &Directory, wanted: &Receiver<Sweep>) {
    while let Ok(Sweep) = wanted.recv() {
        if let Err(error) = directory.sweep() {
            tracing::error!(%error, "the journal could not be cut");
        }
    }
}

/// Word to the writer that no commit will follow. It must not wait for one that never ends.
pub(super) struct LastWord(pub(super) Arc<Queue>);

impl Drop for LastWord {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.committed(Err(stopped()));
            self.0.close();
        }
    }
}
