//! Who is online in this process, who watches whom, and which session has to end.

use super::local::{LocalBus, Present, Shard};
use super::session::{Ear, Listener};
use super::{Key, Push, UNPOISONED, text};
use crate::rate::Window;
use chat::UserId;
use chat::event::Platform;
use protocol::client::{self, KickReason, Presence, Reach};
use protocol::limits::SUBSCRIPTIONS_PER_SESSION_MAX;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Everybody who is pushed one user's presence.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    by_session: FxHashMap<u64, Arc<Listener>>,
    /// Rises with everything that they are told.
    told: u64,
}

/// How often a user may say something else of themself: everybody who watches is told each time.
const SAID_PER_SEC_MAX: u32 = 5;

/// What a user says of themself while online.
#[derive(Debug, Default)]
pub(super) struct Said {
    custom: Box<str>,
    /// Of what was said on two nodes, the later one holds.
    said_ms: u64,
    said: Window,
}

/// A session whose login is complete, on whichever node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) session: u64,
    pub(super) platform: Platform,
    pub(super) device: Option<Box<str>>,
}

/// What a user has said, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Custom {
    pub(super) text: Box<str>,
    pub(super) said_ms: u64,
}

/// Whether those who watch are told at once of somebody who arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    AtOnce,
    /// It has to be found out first whether the user is online elsewhere.
    Later,
}

/// The user is not online, or says too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften;

impl LocalBus {
    /// The sessions of a user whose login is complete.
    pub(super) fn arrived(&self, key: &Key) -> Vec<Seen> {
        let shard = self.shard(key).lock().expect(UNPOISONED);
        shard.arrived(key).map(Seen::of).collect()
    }

    /// What a user says of themself. `None`: the user is not online.
    pub(super) fn said(&self, key: &Key) -> Option<Custom> {
        let shard = self.shard(key).lock().expect(UNPOISONED);
        shard.arrived(key).next()?;
        Some(shard.present.get(key).map(Present::said).unwrap_or_default())
    }

    /// The login is complete: the user is online from now on. All sessions of the user that have come so far, and
    /// whether this one is the first.
    pub(super) fn arrive(&self, me: &Listener, tell: Tell) -> (Vec<Seen>, bool) {
        let mut shard = self.shard(&me.key).lock().expect(UNPOISONED);
        let was_offline = shard.arrived(&me.key).next().is_none();
        me.arrived.store(true, Ordering::Relaxed);
        if was_offline && tell == Tell::AtOnce {
            let custom = shard.custom(&me.key);
            shard.tell(&me.key, Reach::Online, &custom);
        }
        (shard.arrived(&me.key).map(Seen::of).collect(), was_offline)
    }

    /// Tells whoever watches a user who is online that it is so. Answers what the user says.
    pub(super) fn tell_online(&self, key: &Key) -> Option<Custom> {
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        shard.arrived(key).next()?;
        let said = shard.present.get(key).map(Present::said).unwrap_or_default();
        shard.tell(key, Reach::Online, &said.text);
        Some(said)
    }

    /// Word from elsewhere of how a user can be reached. Whoever has sessions here is online, whatever others say.
    pub(super) fn tell_of(&self, key: &Key, reach: Reach, custom: &str) {
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        if reach == Reach::Online || shard.arrived(key).next().is_none() {
            shard.tell(key, reach, custom);
        }
    }

    /// Ends a session. From now on it counts no more, even if its connection takes its time. Whether it is here.
    pub(super) fn end(&self, key: &Key, session: u64, reason: KickReason) -> bool {
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        let found = shard.arrived(key).find(|listener| listener.session() == session).map(Arc::clone);
        if let Some(listener) = &found {
            listener.kick(reason);
            shard.remove(listener);
        }
        found.is_some()
    }

    /// A session has ended. If it was the user's last one, whoever watches is told how the user can be reached now.
    /// Whether it was.
    pub(super) fn leave(&self, key: &Key, reach: Reach) -> bool {
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        // Somebody who came back meanwhile is online, whatever was found out before.
        let is_offline = shard.arrived(key).next().is_none();
        if is_offline {
            shard.tell(key, reach, "");
        }
        is_offline
    }

    pub(super) fn is_watched(&self, key: &Key) -> bool {
        self.shard(key).lock().expect(UNPOISONED).watchers.contains_key(key)
    }

    pub(super) fn is_offline(&self, key: &Key) -> bool {
        self.shard(key).lock().expect(UNPOISONED).arrived(key).next().is_none()
    }

    /// How much was told of a user to those who watch.
    pub(super) fn told(&self, key: &Key) -> u64 {
        let shard = self.shard(key).lock().expect(UNPOISONED);
        shard.watchers.get(key).map_or(0, |watchers| watchers.told)
    }

    /// The user says something of themself, until the last session ends. Answers what is news.
    pub(super) fn say(&self, ear: &Ear, custom: &str, now_ms: u64) -> Result<Option<Custom>, TooOften> {
        let key = &ear.0.key;
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        // A session that was ended meanwhile has nothing to say.
        let Some(present) = shard.present.get_mut(key) else { return Ok(None) };
        if present.custom() == custom {
            return Ok(None);
        }
        let said = present.said.get_or_insert_default();
        if !said.said.take(SAID_PER_SEC_MAX, now_ms / 1000) {
            return Err(TooOften);
        }
        said.custom = custom.into();
        said.said_ms = now_ms.max(said.said_ms + 1);
        let news = present.said();
        shard.tell(key, Reach::Online, custom);
        Ok(Some(news))
    }

    /// Takes what the user has said on another node, if that was later.
    pub(super) fn adopt(&self, key: &Key, custom: Custom) {
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        let Some(present) = shard.present.get_mut(key) else { return };
        let said = present.said.get_or_insert_default();
        if said.said_ms < custom.said_ms {
            (said.custom, said.said_ms) = (custom.text, custom.said_ms);
        }
    }

    /// Counts a send from one of the user's devices, unless there were too many in this second.
    pub(super) fn may_send(&self, ear: &Ear, per_sec_max: u32, now_s: u64) -> bool {
        let mut shard = self.shard(&ear.0.key).lock().expect(UNPOISONED);
        shard.present.get_mut(&ear.0.key).is_none_or(|present| present.sent.take(per_sec_max, now_s))
    }

    /// The session is pushed the presence of these users from now on. Answers whom it is not pushed any more, because
    /// there would be too many: those that it has watched for longest.
    pub(super) fn watch(&self, ear: &Ear, users: &[UserId]) -> Vec<UserId> {
        let me = &ear.0;
        let mut dropped = Vec::new();
        {
            let mut watching = me.watching.lock().expect(UNPOISONED);
            let watching = watching.get_or_insert_default();
            for user in users {
                watching.retain(|other| other != user);
                watching.push_back(*user);
            }
            while watching.len() > SUBSCRIPTIONS_PER_SESSION_MAX {
                dropped.extend(watching.pop_front());
            }
        }
        for user in users {
            let key = (me.key.0, *user);
            let mut shard = self.shard(&key).lock().expect(UNPOISONED);
            shard.watchers.entry(key).or_default().by_session.insert(me.session(), Arc::clone(me));
        }
        self.forget(me, &dropped);
        // A request may outlast its session, which has forgotten everybody when it ended.
        if me.ended.load(Ordering::SeqCst) {
            self.unwatch_all(me);
            self.forget(me, users);
        }
        dropped
    }

    pub(super) fn unwatch(&self, ear: &Ear, users: &[UserId]) {
        if let Some(watching) = &mut *ear.0.watching.lock().expect(UNPOISONED) {
            watching.retain(|user| !users.contains(user));
        }
        self.forget(&ear.0, users);
    }

    /// Whom the session watches.
    pub(super) fn watching(&self, ear: &Ear) -> Vec<UserId> {
        ear.0.watching.lock().expect(UNPOISONED).iter().flat_map(|users| users.iter().copied()).collect()
    }

    pub(super) fn unwatch_all(&self, me: &Arc<Listener>) {
        let users = me.watching.lock().expect(UNPOISONED).take();
        if let Some(mut users) = users {
            self.forget(me, users.make_contiguous());
        }
    }

    fn forget(&self, me: &Arc<Listener>, users: &[UserId]) {
        for user in users {
            let key = (me.key.0, *user);
            let mut shard = self.shard(&key).lock().expect(UNPOISONED);
            if let Some(watchers) = shard.watchers.get_mut(&key) {
                watchers.by_session.remove(&me.session());
                if watchers.by_session.is_empty() {
                    shard.watchers.remove(&key);
                }
            }
        }
    }
}

impl Seen {
    fn of(listener: &Arc<Listener>) -> Self {
        Self { session: listener.session(), platform: listener.platform, device: listener.device.clone() }
    }
}

impl Present {
    fn custom(&self) -> &str {
        self.said.as_ref().map_or("", |said| &said.custom)
    }

    fn said(&self) -> Custom {
        let said = self.said.as_ref();
        said.map(|said| Custom { text: said.custom.clone(), said_ms: said.said_ms }).unwrap_or_default()
    }
}

impl Shard {
    /// The user's sessions whose login is complete.
    fn arrived(&self, key: &Key) -> impl Iterator<Item = &Arc<Listener>> {
        let listeners = self.present.get(key).map_or(&[][..], |present| &present.listeners);
        listeners.iter().filter(|listener| listener.arrived.load(Ordering::Relaxed))
    }

    fn custom(&self, key: &Key) -> Box<str> {
        self.present.get(key).map(Present::custom).unwrap_or_default().into()
    }

    /// Tells whoever watches a user, under the lock that the change was made under: what is told last is true.
    fn tell(&mut self, key: &Key, status: Reach, custom: &str) {
        let Some(watchers) = self.watchers.get_mut(key) else { return };
        watchers.told += 1;
        let presence = Presence { user_id: key.1.as_str(), status, custom };
        let mut frame = Vec::new();
        client::Push::Presence(presence).write(&mut frame);
        let push = Push::Online { frame: text(frame) };
        for listener in watchers.by_session.values() {
            listener.offer(push.clone());
        }
    }
}
