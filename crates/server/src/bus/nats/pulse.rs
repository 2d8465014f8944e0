//! Which other nodes there are.
//!
//! Nobody decides anything by it. It tells when a question has been answered by everybody who can, and when a node has
//! gone without a word: what it would have said of its sessions has to be found out then.

use super::super::UNPOISONED;
use super::{Nats, word};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A node that has missed so many beats is gone.
const SILENT_BEATS_MAX: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Others(Mutex<FxHashMap<u64, Instant>>);

impl Others {
    pub(super) fn count(&self) -> usize {
        self.0.lock().expect(UNPOISONED).len()
    }

    /// Whether it was not known.
    fn is_there(&self, node: u64, now: Instant) -> bool {
        self.0.lock().expect(UNPOISONED).insert(node, now).is_none()
    }

    fn has_left(&self, node: u64) {
        self.0.lock().expect(UNPOISONED).remove(&node);
    }

    /// Forgets those that were silent for too long, and whether there were any.
    fn forget_silent(&self, silence_max: Duration, now: Instant) -> bool {
        let mut others = self.0.lock().expect(UNPOISONED);
        let before = others.len();
        others.retain(|_, heard| now.duration_since(*heard) < silence_max);
        others.len() < before
    }

    fn forget_all(&self) {
        self.0.lock().expect(UNPOISONED).clear();
    }
}

impl Nats {
    pub(super) fn heard_of_node(&self, node: u64, is_leaving: bool) {
        if is_leaving {
            self.others.has_left(node);
        } else if self.others.is_there(node, Instant::now()) {
            // It should know this one before it asks anything.
            self.say_hello(false);
        }
    }

    pub(super) fn say_hello(&self, is_leaving: bool) {
        self.publish(self.subjects.nodes(), word::node(self.subjects.node(), is_leaving));
    }
}

pub(super) async fn run(nats: Arc<Nats>) {
    let mut up = nats.signals.watch();
    loop {
        if nats.is_up() {
            nats.say_hello(false);
            if nats.others.forget_silent(nats.timing.beat * SILENT_BEATS_MAX, Instant::now()) {
                tracing::warn!("another node has gone without a word");
                nats.signals.lost();
            }
        } else {
            // Nobody is heard, and nothing follows from that.
            nats.others.forget_all();
        }
        tokio::select! {
            () = nats.stop.cancelled() => return nats.say_hello(true),
            _changed = up.changed() => {}
            () = sleep(nats.timing.beat) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_gone_when_it_says_so_or_nothing() {
        let begin = Instant::now();
        let after = |secs| begin + Duration::from_secs(secs);
        let others = Others::default();
        assert_eq!([1, 2, 1].map(|node| others.is_there(node, begin)), [true, true, false]);
        others.is_there(1, after(5));
        let forgets = |secs| others.forget_silent(Duration::from_secs(10), after(secs));
        assert!(!forgets(9));
        assert!(forgets(10));
        assert_eq!(others.count(), 1);
        // One that says goodbye has told everything by itself.
        others.has_left(1);
        assert!(!forgets(100));
        assert_eq!(others.count(), 0);
    }
}
