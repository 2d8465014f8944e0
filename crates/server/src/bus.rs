//! The bus of a single node: hands hints to the sessions and workers of this process.
//!
//! It owns nothing that must not be lost. A session that is not keeping up misses hints and reads its log instead.

use crate::translate;
use axum::extract::ws::Utf8Bytes;
use chat::event::{Lane, Platform};
use chat::port::{Bus, Hint};
use chat::{AppId, Message, Position, UserId};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::{Notify, mpsc};

/// Enough that two cores rarely want the same one.
const SHARDS: usize = 32;

type Sessions = FxHashMap<(AppId, UserId), Vec<Arc<Listener>>>;

#[derive(Debug)]
pub struct LocalBus {
    shards: Vec<Mutex<Sessions>>,
    lanes: Mutex<FxHashMap<Lane, Vec<Weak<Notify>>>>,
    /// Rises whenever credentials were revoked: what was concluded before has to be looked at again.
    revocations: Arc<AtomicU64>,
}

/// Something for a device, encoded once for all devices of its user.
#[derive(Debug, Clone)]
pub enum Push {
    Change {
        position: Position,
        frame: Utf8Bytes,
    },
    /// Belongs to no log.
    Online {
        frame: Utf8Bytes,
    },
    /// Sessions that rest on a credential issued up to this time have to end.
    Revoked {
        issued_s_max: u64,
    },
}

impl Push {
    fn len_bytes(&self) -> usize {
        match self {
            Self::Change { frame, .. } | Self::Online { frame } => frame.len(),
            Self::Revoked { .. } => 0,
        }
    }
}

/// For one listener. What rings while it is not listening is heard when it does.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Cancel-safe.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

/// The bus's end of a session.
#[derive(Debug)]
struct Listener {
    queue: mpsc::Sender<Push>,
    state: Arc<QueueState>,
    platform: Platform,
}

#[derive(Debug)]
struct QueueState {
    bytes: AtomicUsize,
    bytes_max: usize,
    missed: AtomicBool,
}

/// A session's end of the bus. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    bus: Arc<LocalBus>,
    key: (AppId, UserId),
    listener: Arc<Listener>,
    queue: mpsc::Receiver<Push>,
}

#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    pub len_max: usize,
    pub bytes_max: usize,
}

impl Default for LocalBus {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            lanes: Mutex::default(),
            revocations: Arc::default(),
        }
    }
}

impl LocalBus {
    pub fn revocations(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.revocations)
    }

    /// The platforms of a user's sessions, each once.
    pub fn online(&self, app: AppId, user: UserId) -> Vec<Platform> {
        let key = (app, user);
        let sessions = self.shard(&key).lock().expect(UNPOISONED);
        let mut platforms = Vec::new();
        for listener in sessions.get(&key).into_iter().flatten() {
            if !platforms.contains(&listener.platform) {
                platforms.push(listener.platform);
            }
        }
        platforms
    }

    pub fn subscribe(
        self: &Arc<Self>,
        app: AppId,
        user: UserId,
        platform: Platform,
        limits: QueueLimits,
    ) -> Subscription {
        let (sender, queue) = mpsc::channel(limits.len_max);
        let state = QueueState {
            bytes: AtomicUsize::new(0),
            bytes_max: limits.bytes_max,
            missed: AtomicBool::new(false),
        };
        let listener = Arc::new(Listener { queue: sender, state: Arc::new(state), platform });
        let key = (app, user);
        self.shard(&key).lock().expect(UNPOISONED).entry(key).or_default().push(Arc::clone(&listener));
        Subscription { bus: Arc::clone(self), key, listener, queue }
    }

    /// Rings whenever an event of the lane was recorded.
    pub fn lane(&self, lane: Lane) -> Bell {
        let bell = Bell::default();
        let mut lanes = self.lanes.lock().expect(UNPOISONED);
        let bells = lanes.entry(lane).or_default();
        bells.retain(|bell| bell.strong_count() > 0);
        bells.push(Arc::downgrade(&bell.0));
        bell
    }

    fn shard(&self, key: &(AppId, UserId)) -> &Mutex<Sessions> {
        &self.shards[FxBuildHasher.hash_one(key) as usize % SHARDS]
    }

    fn push(&self, key: &(AppId, UserId), make: impl FnOnce() -> Push) {
        let sessions = self.shard(key).lock().expect(UNPOISONED);
        let Some(listeners) = sessions.get(key) else { return };
        let push = make();
        for listener in listeners {
            listener.offer(push.clone());
        }
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

impl Listener {
    fn offer(&self, push: Push) {
        let len_bytes = push.len_bytes();
        let queued = self.state.bytes.fetch_add(len_bytes, Ordering::Relaxed);
        if queued + len_bytes > self.state.bytes_max || self.queue.try_send(push).is_err() {
            self.state.bytes.fetch_sub(len_bytes, Ordering::Relaxed);
            self.state.missed.store(true, Ordering::Release);
        }
    }
}

impl Subscription {
    /// The next push. Cancel-safe.
    pub async fn next(&mut self) -> Push {
        let push = self.queue.recv().await.expect("the listener that holds the sender lives as long as this");
        self.listener.state.bytes.fetch_sub(push.len_bytes(), Ordering::Relaxed);
        push
    }

    /// Whether pushes were dropped since the last time this was asked.
    pub fn missed(&self) -> bool {
        self.listener.state.missed.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut sessions = self.bus.shard(&self.key).lock().expect(UNPOISONED);
        if let Some(listeners) = sessions.get_mut(&self.key) {
            listeners.retain(|listener| !Arc::ptr_eq(listener, &self.listener));
            if listeners.is_empty() {
                sessions.remove(&self.key);
            }
        }
    }
}

fn text(frame: Vec<u8>) -> Utf8Bytes {
    Utf8Bytes::try_from(frame).expect("frames are written as JSON text")
}

impl Bus for LocalBus {
    fn user_changed(&self, app: AppId, user: UserId, hint: Hint) {
        self.push(&(app, user), || {
            let frame = text(translate::change_frame(app, hint.epoch, &hint.record));
            let position = hint.position();
            Push::Change { position, frame }
        });
    }

    fn online_message(&self, app: AppId, user: UserId, message: Arc<Message>) {
        self.push(&(app, user), || Push::Online { frame: text(translate::online_frame(app, &message)) });
    }

    fn revoked(&self, app: AppId, user: UserId, revoked_s: u64) {
        self.revocations.fetch_add(1, Ordering::Release);
        self.push(&(app, user), || Push::Revoked { issued_s_max: revoked_s });
    }

    fn event_recorded(&self, lane: Lane) {
        let lanes = self.lanes.lock().expect(UNPOISONED);
        for bell in lanes.get(&lane).into_iter().flatten().filter_map(Weak::upgrade) {
            bell.notify_one();
        }
    }
}
