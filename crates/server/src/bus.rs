//! The bus as this node has it: hands hints to the sessions and workers of this process, and to those of other nodes.
//!
//! It owns nothing that must not be lost. A session that is not keeping up misses hints and reads its log instead, and
//! so does one while there is no word from other nodes. The presence of users is in [`reach`](NodeBus::arrive): whoever
//! has a session is online. What is of this process alone is in `local`, what goes to other nodes and comes from them
//! in [`nats`].

mod local;
pub mod nats;
mod presence;
mod queue;
mod reach;
mod session;

pub use presence::TooOften;
pub use queue::QueueLimits;
pub use reach::Peer;
pub use session::{Ear, Subscription};

use crate::translate;
use axum::extract::ws::Utf8Bytes;
use chat::event::{Lane, Platform};
use chat::port::{Bus, Hint};
use chat::{AppId, Message, Position, UserId};
use local::LocalBus;
use nats::{Nats, NatsError, NatsOptions, Word};
use protocol::client::KickReason;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::Notify;

/// A user, within an app.
type Key = (AppId, UserId);

const UNPOISONED: &str = "nothing panics while it holds this lock";

#[derive(Debug, Default)]
pub struct NodeBus {
    local: Arc<LocalBus>,
    /// `None`: there are no other nodes.
    nats: Option<Arc<Nats>>,
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
    /// Word from other nodes may have been lost.
    Look {
        /// It comes again from now on: what else was missed can be asked for.
        regained: bool,
    },
}

impl Push {
    fn len_bytes(&self) -> usize {
        match self {
            Self::Change { frame, .. } | Self::Online { frame } => frame.len(),
            Self::Revoked { .. } | Self::Kicked { .. } | Self::Look { .. } => 0,
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

impl NodeBus {
    /// One that other nodes hear, and that hears them. Does not wait until they can be heard.
    pub async fn on_nats(options: NatsOptions) -> Result<Self, NatsError> {
        let local = Arc::new(LocalBus::tagged(nats::random_tag()));
        let nats = Nats::start(options, Arc::clone(&local)).await?;
        Ok(Self { local, nats: Some(nats) })
    }

    /// Returns once other nodes can be heard. Cancel-safe.
    pub async fn linked(&self) {
        if let Some(nats) = &self.nats {
            nats.linked().await;
        }
    }

    /// Ends its tasks. What was published before has gone out.
    pub async fn close(&self) {
        if let Some(nats) = &self.nats {
            nats.close().await;
        }
    }

    /// Whether there should be word from other nodes, and is none.
    pub fn is_away(&self) -> bool {
        self.nats.as_ref().is_some_and(|nats| !nats.is_up())
    }

    /// Rises whenever credentials were revoked: what was concluded before has to be looked at again.
    pub fn revocations(&self) -> Arc<AtomicU64> {
        self.local.revocations()
    }

    /// Rings whenever an event of the lane was recorded.
    pub fn lane(&self, lane: Lane) -> Bell {
        let bell = self.local.lane(lane);
        if let Some(nats) = &self.nats {
            nats.hear_lane(lane);
        }
        bell
    }

    fn up(&self) -> Option<&Nats> {
        self.nats.as_deref().filter(|nats| nats.is_up())
    }

    /// Carries something with a frame to all sessions of a user. It is encoded once, and only for those who hear it.
    fn carry(&self, key: Key, make: impl FnOnce() -> Word) {
        let Some(nats) = self.up() else {
            if let Some(nats) = &self.nats {
                nats.dropped_while_away();
            }
            return self.local.push(&key, || make().push());
        };
        let word = make();
        self.local.push(&key, || word.push());
        nats.tell_user(key, &word);
    }
}

fn text(frame: Vec<u8>) -> Utf8Bytes {
    Utf8Bytes::try_from(frame).expect("frames are written as JSON text")
}

impl Bus for NodeBus {
    fn user_changed(&self, app: AppId, user: UserId, hint: Hint) {
        self.carry((app, user), || {
            Word::change(hint.position(), |out| translate::write_change(app, hint.epoch, &hint.record, out))
        });
    }

    fn online_message(&self, app: AppId, user: UserId, message: Arc<Message>) {
        self.carry((app, user), || Word::online(|out| translate::write_online(app, &message, out)));
    }

    fn revoked(&self, app: AppId, user: UserId, revoked_s: u64) {
        self.local.revoked((app, user), revoked_s);
        if let Some(nats) = &self.nats {
            nats.tell_revoked((app, user), revoked_s);
        }
    }

    fn event_recorded(&self, lane: Lane) {
        self.local.ring(lane);
        if let Some(nats) = &self.nats {
            nats.ring(lane);
        }
    }
}
