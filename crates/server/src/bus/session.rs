//! The bus's two ends of a session: what is offered to it, and what it takes.

use super::local::{LocalBus, Shard};
use super::queue::{Queue, QueueLimits};
use super::{Key, Push, UNPOISONED};
use chat::UserId;
use chat::event::Platform;
use protocol::client::KickReason;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Where the bus puts what a session has to know.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) key: Key,
    /// Rises with every session, so that it tells the newer of two. Stays as it is once the session has arrived.
    pub(super) session: AtomicU64,
    pub(super) platform: Platform,
    pub(super) device: Option<Box<str>>,
    queue: Queue,
    /// Whether the login is complete. One that is not is no presence yet.
    pub(super) arrived: AtomicBool,
    /// Whether the session is over. Its last request may still be under way, and must leave nothing behind.
    pub(super) ended: AtomicBool,
    /// Not in the queue alone, which may be full.
    kicked: OnceLock<KickReason>,
    /// Whom the session watches, oldest first. Most sessions watch nobody.
    #[expect(clippy::box_collection, reason = "one word in each of many sessions that watch nobody")]
    pub(super) watching: Mutex<Option<Box<VecDeque<UserId>>>>,
}

/// A session's end of the bus. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    bus: Arc<LocalBus>,
    listener: Arc<Listener>,
}

/// Names a session to the bus, for requests that are carried out in its name.
#[derive(Debug, Clone)]
pub struct Ear(pub(super) Arc<Listener>);

impl Ear {
    /// What the device calls itself, if it does.
    pub fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }
}

impl Listener {
    pub(super) fn session(&self) -> u64 {
        self.session.load(Ordering::Relaxed)
    }

    pub(super) fn offer(&self, push: Push) {
        self.queue.offer(push);
    }

    pub(super) fn kick(&self, reason: KickReason) {
        // A session ends once, for the first reason.
        let _first = self.kicked.set(reason);
        // In a full queue something else wakes the session.
        self.offer(Push::Kicked { reason });
    }
}

impl Subscription {
    pub(super) fn new(bus: Arc<LocalBus>, newcomer: Newcomer<'_>, session: u64, limits: QueueLimits) -> Self {
        let Newcomer { key, platform, device } = newcomer;
        let listener = Arc::new(Listener {
            key,
            session: AtomicU64::new(session),
            platform,
            device: device.map(Box::from),
            queue: Queue::new(limits),
            arrived: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            kicked: OnceLock::new(),
            watching: Mutex::default(),
        });
        Self { bus, listener }
    }

    pub(super) fn listener(&self) -> &Arc<Listener> {
        &self.listener
    }

    /// The next push. Cancel-safe.
    pub async fn next(&mut self) -> Push {
        let push = self.listener.queue.next().await;
        match self.listener.kicked.get() {
            Some(reason) => Push::Kicked { reason: *reason },
            None => push,
        }
    }

    /// Why the session has to end, if it does. What waits before that in the queue needs no more taking.
    pub fn kicked(&self) -> Option<KickReason> {
        self.listener.kicked.get().copied()
    }

    /// Whether pushes were dropped since the last time this was asked.
    pub fn missed(&self) -> bool {
        self.listener.queue.missed()
    }

    /// Whether nothing waits to be taken.
    pub fn is_drained(&self) -> bool {
        self.listener.queue.is_empty()
    }

    pub fn session(&self) -> u64 {
        self.listener.session()
    }

    pub fn ear(&self) -> Ear {
        Ear(Arc::clone(&self.listener))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.listener.ended.store(true, Ordering::SeqCst);
        self.bus.unwatch_all(&self.listener);
        let key = &self.listener.key;
        self.bus.shard(key).lock().expect(UNPOISONED).remove(&self.listener);
    }
}

/// A session that begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newcomer<'a> {
    pub(super) key: Key,
    pub(super) platform: Platform,
    pub(super) device: Option<&'a str>,
}

impl Shard {
    pub(super) fn remove(&mut self, listener: &Arc<Listener>) {
        if let Some(present) = self.present.get_mut(&listener.key) {
            present.listeners.retain(|other| !Arc::ptr_eq(other, listener));
            if present.listeners.is_empty() {
                self.present.remove(&listener.key);
            } else if present.listeners.iter().all(|other| !other.arrived.load(Ordering::Relaxed)) {
                // Those that are still logging in are no reason to remember what the user said.
                present.said = None;
            }
        }
    }
}
