//! The sessions and workers of this process.

use super::nats::Line;
use super::presence::{Said, Watchers};
use super::session::{Listener, Newcomer};
use super::{Bell, Comer, Key, Push, QueueLimits, Subscription, UNPOISONED};
use crate::rate::Window;
use chat::event::Lane;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::Notify;

/// Enough that two cores rarely want the same one.
pub(super) const SHARDS: usize = 32;
/// Sessions that begin in the same millisecond are told apart by so many bits.
const SESSION_BITS: u32 = 16;

/// What there is of some of the users. One lock for both, so that who watches is told of changes in their order.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) present: FxHashMap<Key, Present>,
    pub(super) watchers: FxHashMap<Key, Watchers>,
}

/// A user who has sessions.
#[derive(Debug, Default)]
pub(super) struct Present {
    pub(super) listeners: Vec<Arc<Listener>>,
    /// Boxed, because few say anything.
    pub(super) said: Option<Box<Said>>,
    /// Sends from devices.
    pub(super) sent: Window,
    /// By which other nodes reach the sessions. Cut when it is dropped.
    pub(super) line: Option<Arc<Line>>,
}

#[derive(Debug)]
pub(super) struct LocalBus {
    shards: Vec<Mutex<Shard>>,
    lanes: Mutex<FxHashMap<Lane, Vec<Weak<Notify>>>>,
    /// Rises whenever credentials were revoked: what was concluded before has to be looked at again.
    revocations: Arc<AtomicU64>,
    last_session: AtomicU64,
    /// Below the time in the numbers of sessions, so that two nodes hardly ever give the same one.
    tag: u16,
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::tagged(0)
    }
}

impl LocalBus {
    pub(super) fn tagged(tag: u16) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            lanes: Mutex::default(),
            revocations: Arc::default(),
            last_session: AtomicU64::new(0),
            tag,
        }
    }

    pub(super) fn revocations(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.revocations)
    }

    /// From now on, what happens to the user reaches the session. The user is online once it has
    /// [arrived](Self::arrive).
    pub(super) fn subscribe(self: &Arc<Self>, comer: Comer<'_>, limits: QueueLimits) -> Subscription {
        let Comer { app, user, platform, device, now_ms } = comer;
        let newcomer = Newcomer { key: (app, user), platform, device };
        let subscription = Subscription::new(Arc::clone(self), newcomer, self.next_session(now_ms), limits);
        let listener = Arc::clone(subscription.listener());
        let mut shard = self.shard(&listener.key).lock().expect(UNPOISONED);
        shard.present.entry(listener.key).or_default().listeners.push(listener);
        subscription
    }

    /// Rises from session to session, also over a restart and, as far as clocks agree, from node to node.
    fn next_session(&self, now_ms: u64) -> u64 {
        let earliest = (now_ms << SESSION_BITS) | u64::from(self.tag);
        let next = |last: u64| Some((last + 1).max(earliest));
        let last = self.last_session.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        last.ok().and_then(next).expect("the function always has an answer")
    }

    /// Gives a session that nobody knows yet a number behind another one.
    pub(super) fn renumber(&self, listener: &Listener, after: u64) {
        self.last_session.fetch_max(after, Ordering::Relaxed);
        listener.session.store(self.next_session(0), Ordering::Relaxed);
    }

    /// The line by which other nodes reach a user's sessions: the one there is, or else a new one. `None` without
    /// sessions.
    pub(super) fn line(&self, key: &Key, make: impl FnOnce() -> Line) -> Option<Arc<Line>> {
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        let present = shard.present.get_mut(key)?;
        Some(Arc::clone(present.line.get_or_insert_with(|| Arc::new(make()))))
    }

    /// The users of one shard who have sessions.
    pub(super) fn users(&self, shard: usize) -> Vec<Key> {
        self.shards[shard].lock().expect(UNPOISONED).present.keys().copied().collect()
    }

    /// Says something to all sessions of one shard, and how many there are.
    pub(super) fn push_shard(&self, shard: usize, push: &Push) -> usize {
        let shard = self.shards[shard].lock().expect(UNPOISONED);
        let mut told = 0;
        for listener in shard.present.values().flat_map(|present| &present.listeners) {
            listener.offer(push.clone());
            told += 1;
        }
        told
    }

    pub(super) fn lane(&self, lane: Lane) -> Bell {
        let bell = Bell::default();
        let mut lanes = self.lanes.lock().expect(UNPOISONED);
        let bells = lanes.entry(lane).or_default();
        bells.retain(|bell| bell.strong_count() > 0);
        bells.push(Arc::downgrade(&bell.0));
        bell
    }

    /// Whether anybody heard it.
    pub(super) fn ring(&self, lane: Lane) -> bool {
        let lanes = self.lanes.lock().expect(UNPOISONED);
        ring_all(lanes.get(&lane).into_iter().flatten())
    }

    pub(super) fn ring_all_lanes(&self) {
        let lanes = self.lanes.lock().expect(UNPOISONED);
        ring_all(lanes.values().flatten());
    }

    pub(super) fn has_listeners(&self, lane: Lane) -> bool {
        let lanes = self.lanes.lock().expect(UNPOISONED);
        lanes.get(&lane).is_some_and(|bells| bells.iter().any(|bell| bell.strong_count() > 0))
    }

    /// Conclusions about credentials are drawn anew.
    pub(super) fn doubt_credentials(&self) {
        self.revocations.fetch_add(1, Ordering::Release);
    }

    pub(super) fn revoked(&self, key: Key, issued_s_max: u64) {
        self.doubt_credentials();
        self.push(&key, || Push::Revoked { issued_s_max });
    }

    pub(super) fn shard(&self, key: &Key) -> &Mutex<Shard> {
        &self.shards[FxBuildHasher.hash_one(key) as usize % SHARDS]
    }

    pub(super) fn push(&self, key: &Key, make: impl FnOnce() -> Push) {
        let shard = self.shard(key).lock().expect(UNPOISONED);
        let Some(present) = shard.present.get(key) else { return };
        let push = make();
        for listener in &present.listeners {
            listener.offer(push.clone());
        }
    }
}

fn ring_all<'a>(bells: impl Iterator<Item = &'a Weak<Notify>>) -> bool {
    let mut heard = false;
    for bell in bells.filter_map(Weak::upgrade) {
        bell.notify_one();
        heard = true;
    }
    heard
}
