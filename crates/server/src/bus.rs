//! The bus of a single node: hands hints to the sessions and workers of this process.
//!
//! It owns nothing that must not be lost. A session that is not keeping up misses hints and reads its log instead. The
//! presence of users is in [`presence`](LocalBus::arrive): whoever has a session is online.

mod presence;
mod queue;
mod session;

pub use presence::{Peer, TooOften};
pub use queue::QueueLimits;
pub use session::{Ear, Subscription};

use crate::rate::Window;
use crate::translate;
use axum::extract::ws::Utf8Bytes;
use chat::event::{Lane, Platform};
use chat::port::{Bus, Hint};
use chat::{AppId, Message, Position, UserId};
use presence::{Said, Watchers};
use protocol::client::KickReason;
use rustc_hash::{FxBuildHasher, FxHashMap};
use session::{Listener, Newcomer};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::Notify;

/// Enough that two cores rarely want the same one.
const SHARDS: usize = 32;
/// Sessions that begin in the same millisecond are told apart by so many bits.
const SESSION_BITS: u32 = 16;

type Key = (AppId, UserId);

/// What there is of some of the users. One lock for both, so that who watches is told of changes in their order.
#[derive(Debug, Default)]
struct Shard {
    present: FxHashMap<Key, Present>,
    watchers: FxHashMap<Key, Watchers>,
}

/// A user who has sessions.
#[derive(Debug, Default)]
struct Present {
    listeners: Vec<Arc<Listener>>,
    /// Boxed, because few say anything.
    said: Option<Box<Said>>,
    /// Sends from devices.
    sent: Window,
}

#[derive(Debug)]
pub struct LocalBus {
    shards: Vec<Mutex<Shard>>,
    lanes: Mutex<FxHashMap<Lane, Vec<Weak<Notify>>>>,
    /// Rises whenever credentials were revoked: what was concluded before has to be looked at again.
    revocations: Arc<AtomicU64>,
    last_session: AtomicU64,
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
    /// This session has to end.
    Kicked {
        reason: KickReason,
    },
}

impl Push {
    fn len_bytes(&self) -> usize {
        match self {
            Self::Change { frame, .. } | Self::Online { frame } => frame.len(),
            Self::Revoked { .. } | Self::Kicked { .. } => 0,
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

/// A device that logs in.
#[derive(Debug, Clone, Copy)]
pub struct Comer<'a> {
    pub app: AppId,
    pub user: UserId,
    pub platform: Platform,
    pub device: Option<&'a str>,
    pub now_ms: u64,
}

impl Default for LocalBus {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            lanes: Mutex::default(),
            revocations: Arc::default(),
            last_session: AtomicU64::new(0),
        }
    }
}

impl LocalBus {
    pub fn revocations(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.revocations)
    }

    /// From now on, what happens to the user reaches the session. The user is online once it has
    /// [arrived](Self::arrive).
    pub fn subscribe(self: &Arc<Self>, comer: Comer<'_>, limits: QueueLimits) -> Subscription {
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
        let next = |last: u64| Some((last + 1).max(now_ms << SESSION_BITS));
        let last = self.last_session.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        last.ok().and_then(next).expect("the function always has an answer")
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

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        &self.shards[FxBuildHasher.hash_one(key) as usize % SHARDS]
    }

    fn push(&self, key: &Key, make: impl FnOnce() -> Push) {
        let shard = self.shard(key).lock().expect(UNPOISONED);
        let Some(present) = shard.present.get(key) else { return };
        let push = make();
        for listener in &present.listeners {
            listener.offer(push.clone());
        }
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

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
