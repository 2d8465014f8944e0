//! Who is online, who watches whom, and which session has to end.
//!
//! Each operation is something that can be said to a user's sessions wherever they are, or asked of them: without an
//! answer, the user is offline. There is no table of who is online that could differ from the sessions that there are.

use super::session::{Ear, Listener};
use super::{Key, LocalBus, Present, Push, Shard, Subscription, UNPOISONED, text};
use crate::rate::Window;
use chat::event::Platform;
use chat::login::Standing;
use chat::{AppId, UserId};
use protocol::client::{self, KickReason, Presence, Reach};
use protocol::limits::SUBSCRIPTIONS_PER_SESSION_MAX;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Everybody who is pushed one user's presence, by session.
pub(super) type Watchers = FxHashMap<u64, Arc<Listener>>;

/// How often a user may say something else of themself: everybody who watches is told each time.
const SAID_PER_SEC_MAX: u32 = 5;

/// What a user says of themself while online.
#[derive(Debug, Default)]
pub(super) struct Said {
    custom: Box<str>,
    said: Window,
}

/// Another session of the user whose session has just arrived, or that session itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub standing: Standing,
    /// The device that has just arrived has a newer one.
    pub is_former: bool,
}

/// The user is not online, or says too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften;

impl LocalBus {
    /// The platforms of a user's sessions, each once.
    pub fn online(&self, app: AppId, user: UserId) -> Vec<Platform> {
        let key = (app, user);
        let shard = self.shard(&key).lock().expect(UNPOISONED);
        let mut platforms = Vec::new();
        for listener in shard.arrived(&key) {
            if !platforms.contains(&listener.platform) {
                platforms.push(listener.platform);
            }
        }
        platforms
    }

    /// What a user says of themself. `None`: the user is not online.
    pub fn said(&self, app: AppId, user: UserId) -> Option<Box<str>> {
        let key = (app, user);
        let shard = self.shard(&key).lock().expect(UNPOISONED);
        shard.arrived(&key).next()?;
        Some(shard.present.get(&key).map(Present::custom).unwrap_or_default().into())
    }

    /// The login is complete: the user is online from now on. All sessions of the user that have come so far, so that
    /// of two that arrive at the same time at least one hears of the other.
    pub fn arrive(&self, subscription: &Subscription) -> Vec<Peer> {
        let me = subscription.listener();
        let shard = self.shard(&me.key).lock().expect(UNPOISONED);
        let was_offline = shard.arrived(&me.key).next().is_none();
        me.arrived.store(true, Ordering::Relaxed);
        if was_offline {
            shard.tell(&me.key, Reach::Online);
        }
        let device = me.device.as_deref();
        let of_device = shard.arrived(&me.key).filter(|other| other.is_of(device));
        let newest = of_device.map(|other| other.session).max().unwrap_or(me.session);
        let peer = |other: &Arc<Listener>| Peer {
            standing: Standing { session: other.session, platform: other.platform },
            is_former: other.is_of(device) && other.session < newest,
        };
        shard.arrived(&me.key).map(peer).collect()
    }

    /// Ends a session. From now on it counts no more, even if its connection takes its time.
    pub fn end(&self, app: AppId, user: UserId, session: u64, reason: KickReason) {
        let key = (app, user);
        let mut shard = self.shard(&key).lock().expect(UNPOISONED);
        let found = shard.arrived(&key).find(|listener| listener.session == session).map(Arc::clone);
        if let Some(listener) = found {
            listener.kick(reason);
            shard.remove(&listener);
        }
    }

    /// A session has ended. If it was the user's last one, whoever watches is told how the user can be reached now.
    pub fn leave(&self, app: AppId, user: UserId, reach: Reach) {
        let key = (app, user);
        let shard = self.shard(&key).lock().expect(UNPOISONED);
        // Somebody who came back meanwhile is online, whatever was found out before.
        if shard.arrived(&key).next().is_none() {
            shard.tell(&key, reach);
        }
    }

    /// Whether the user is offline, and somebody wants to know.
    pub fn is_missed(&self, app: AppId, user: UserId) -> bool {
        let key = (app, user);
        let shard = self.shard(&key).lock().expect(UNPOISONED);
        shard.watchers.contains_key(&key) && shard.arrived(&key).next().is_none()
    }

    /// The user says something of themself, until the last session ends.
    pub fn say(&self, ear: &Ear, custom: &str, now_s: u64) -> Result<(), TooOften> {
        let key = &ear.0.key;
        let mut shard = self.shard(key).lock().expect(UNPOISONED);
        // A session that was ended meanwhile has nothing to say.
        let Some(present) = shard.present.get_mut(key) else { return Ok(()) };
        if present.custom() == custom {
            return Ok(());
        }
        let said = present.said.get_or_insert_default();
        if !said.said.take(SAID_PER_SEC_MAX, now_s) {
            return Err(TooOften);
        }
        said.custom = custom.into();
        shard.tell(key, Reach::Online);
        Ok(())
    }

    /// Counts a send from one of the user's devices, unless there were too many in this second.
    pub fn may_send(&self, ear: &Ear, per_sec_max: u32, now_s: u64) -> bool {
        let mut shard = self.shard(&ear.0.key).lock().expect(UNPOISONED);
        shard.present.get_mut(&ear.0.key).is_none_or(|present| present.sent.take(per_sec_max, now_s))
    }

    /// The session is pushed the presence of these users from now on. Answers whom it is not pushed any more, because
    /// there would be too many: those that it has watched for longest.
    pub fn watch(&self, ear: &Ear, users: &[UserId]) -> Vec<UserId> {
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
            shard.watchers.entry(key).or_default().insert(me.session, Arc::clone(me));
        }
        self.forget(me, &dropped);
        // A request may outlast its session, which has forgotten everybody when it ended.
        if me.ended.load(Ordering::SeqCst) {
            self.unwatch_all(me);
            self.forget(me, users);
        }
        dropped
    }

    pub fn unwatch(&self, ear: &Ear, users: &[UserId]) {
        if let Some(watching) = &mut *ear.0.watching.lock().expect(UNPOISONED) {
            watching.retain(|user| !users.contains(user));
        }
        self.forget(&ear.0, users);
    }

    pub fn unwatch_everybody(&self, ear: &Ear) {
        self.unwatch_all(&ear.0);
    }

    /// Whom the session watches.
    pub fn watching(&self, ear: &Ear) -> Vec<UserId> {
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
                watchers.remove(&me.session);
                if watchers.is_empty() {
                    shard.watchers.remove(&key);
                }
            }
        }
    }
}

impl Present {
    fn custom(&self) -> &str {
        self.said.as_ref().map_or("", |said| &said.custom)
    }
}

impl Shard {
    /// The user's sessions whose login is complete.
    fn arrived(&self, key: &Key) -> impl Iterator<Item = &Arc<Listener>> {
        let listeners = self.present.get(key).map_or(&[][..], |present| &present.listeners);
        listeners.iter().filter(|listener| listener.arrived.load(Ordering::Relaxed))
    }

    /// Tells whoever watches a user, under the lock that the change was made under: what is told last is true.
    fn tell(&self, key: &Key, status: Reach) {
        let Some(watchers) = self.watchers.get(key) else { return };
        let custom = match status {
            Reach::Online => self.present.get(key).map_or("", Present::custom),
            Reach::PushOnline | Reach::Offline | Reach::Unknown => "",
        };
        let presence = Presence { user_id: key.1.as_str(), status, custom };
        let mut frame = Vec::new();
        client::Push::Presence(presence).write(&mut frame);
        let push = Push::Online { frame: text(frame) };
        for listener in watchers.values() {
            listener.offer(push.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Comer, QueueLimits};
    use futures_util::FutureExt;

    const APP: AppId = AppId(7);

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn comes(bus: &Arc<LocalBus>, name: &str, device: Option<&str>) -> Subscription {
        let comer = Comer { app: APP, user: user(name), platform: Platform::Web, device, now_ms: 1_000 };
        bus.subscribe(comer, QueueLimits { len_max: 4, bytes_max: 1_000 })
    }

    /// What the session is told next.
    fn told(subscription: &mut Subscription) -> Option<String> {
        match subscription.next().now_or_never()? {
            Push::Online { frame } => Some(frame.as_str().to_owned()),
            Push::Kicked { reason } => Some(reason.as_str().to_owned()),
            other => panic!("{other:?}"),
        }
    }

    fn status(status: &str) -> Option<String> {
        Some(format!(r#"{{"push":"presence","user_id":"bo","status":"{status}","custom":""}}"#))
    }

    /// The login that began first may be complete last. It still is the older one.
    #[test]
    fn of_two_that_arrive_together_the_older_one_is_former() {
        let bus = Arc::new(LocalBus::default());
        let (older, newer) = (comes(&bus, "bo", Some("d")), comes(&bus, "bo", Some("d")));
        let formers = |subscription: &Subscription| -> Vec<_> {
            bus.arrive(subscription).iter().map(|peer| (peer.standing.session, peer.is_former)).collect()
        };
        assert_eq!(formers(&newer), [(newer.session(), false)]);
        assert_eq!(formers(&older), [(older.session(), true), (newer.session(), false)]);
        // Whoever has not said which device it is can be any.
        let nameless = comes(&bus, "bo", None);
        assert!(bus.arrive(&nameless).iter().all(|peer| !peer.is_former));
    }

    #[test]
    fn a_login_that_is_not_complete_is_no_presence() {
        let bus = Arc::new(LocalBus::default());
        let bo = comes(&bus, "bo", None);
        assert_eq!((bus.online(APP, user("bo")), bus.said(APP, user("bo"))), (Vec::new(), None));
        bus.arrive(&bo);
        assert_eq!(bus.online(APP, user("bo")), [Platform::Web]);
        bus.say(&bo.ear(), "busy", 1).unwrap();
        assert_eq!(bus.said(APP, user("bo")).as_deref(), Some("busy"));
        // What was said ends with the last session, though another one is on its way.
        let next = comes(&bus, "bo", None);
        drop(bo);
        assert_eq!(bus.said(APP, user("bo")), None);
        bus.arrive(&next);
        assert_eq!(bus.said(APP, user("bo")).as_deref(), Some(""));
    }

    /// Finding out how somebody who went can be reached takes a while, in which they may be back.
    #[test]
    fn nobody_is_told_that_somebody_went_who_is_back() {
        let bus = Arc::new(LocalBus::default());
        let mut watcher = comes(&bus, "ana", None);
        bus.arrive(&watcher);
        assert_eq!(bus.watch(&watcher.ear(), &[user("bo")]), []);
        let bo = comes(&bus, "bo", None);
        bus.arrive(&bo);
        drop(bo);
        assert!(bus.is_missed(APP, user("bo")));
        let back = comes(&bus, "bo", None);
        bus.arrive(&back);
        bus.leave(APP, user("bo"), Reach::Offline);
        assert_eq!(
            [told(&mut watcher), told(&mut watcher), told(&mut watcher)],
            [status("Online"), status("Online"), None]
        );
        drop(back);
        bus.leave(APP, user("bo"), Reach::PushOnline);
        assert_eq!(told(&mut watcher), status("PushOnline"));
        // Nothing is left of a watch when its session has ended.
        drop(watcher);
        assert!(!bus.is_missed(APP, user("bo")));
    }

    /// A request that is under way when its session ends is carried out.
    #[test]
    fn a_session_that_is_over_watches_nobody() {
        let bus = Arc::new(LocalBus::default());
        let watcher = comes(&bus, "ana", None);
        bus.arrive(&watcher);
        let ear = watcher.ear();
        drop(watcher);
        bus.watch(&ear, &[user("bo")]);
        assert!(!bus.is_missed(APP, user("bo")));
        assert_eq!(bus.watching(&ear), []);
    }

    #[test]
    fn a_session_with_a_full_queue_hears_that_it_has_to_end() {
        let bus = Arc::new(LocalBus::default());
        let mut bo = comes(&bus, "bo", None);
        bus.arrive(&bo);
        bus.watch(&bo.ear(), &[user("bo")]);
        for custom in ["1", "2", "3", "4", "5"] {
            bus.say(&bo.ear(), custom, 1).unwrap();
        }
        assert!(bo.missed());
        bus.end(APP, user("bo"), bo.session(), KickReason::OtherDevice);
        bus.end(APP, user("bo"), bo.session(), KickReason::SameDevice);
        assert_eq!(bus.online(APP, user("bo")), []);
        assert_eq!(told(&mut bo).as_deref(), Some("other_device"));
    }
}
