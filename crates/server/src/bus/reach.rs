//! Who is online, wherever they are, and which session has to end.
//!
//! Each operation is something that is said to a user's sessions wherever they are, or asked of them: without an
//! answer, the user is offline. There is no table of who is online that could differ from the sessions that there are.

use super::nats::{Answer, Word};
use super::presence::{Custom, Seen, Tell};
use super::{Comer, Ear, Key, NodeBus, QueueLimits, Subscription, TooOften};
use chat::event::Platform;
use chat::login::Standing;
use chat::{AppId, UserId};
use protocol::client::{KickReason, Reach};

/// Another session of the user whose session has just arrived, or that session itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub standing: Standing,
    /// The device that has just arrived has a newer one.
    pub is_former: bool,
}

impl NodeBus {
    /// From now on, what happens to the user reaches the session, on whichever node it happens. The user is online
    /// once it has [arrived](Self::arrive).
    pub async fn subscribe(&self, comer: Comer<'_>, limits: QueueLimits) -> Subscription {
        let subscription = self.local.subscribe(comer, limits);
        if let Some(nats) = &self.nats {
            let key = (comer.app, comer.user);
            nats.hear_user(key).await;
            // Whatever the clocks of the nodes say, it is newer than those that were there before.
            let others = nats.who(key, |_| true).await;
            let newest = others.iter().flat_map(|other| &other.sessions).map(|other| other.session).max();
            if let Some(newest) = newest.filter(|newest| subscription.session() < *newest) {
                self.local.renumber(subscription.listener(), newest);
            }
        }
        subscription
    }

    /// The login is complete: the user is online from now on. All sessions of the user that have come so far, so that
    /// of two that arrive at the same time at least one hears of the other.
    pub async fn arrive(&self, subscription: &Subscription) -> Vec<Peer> {
        let me = subscription.listener();
        let tell = if self.nats.is_some() { Tell::Later } else { Tell::AtOnce };
        let (mut seen, was_offline) = self.local.arrive(me, tell);
        if tell == Tell::Later {
            let others = self.others(&me.key).await;
            // Of two that arrive at the same time and hear of each other, the older one tells.
            if was_offline && others.iter().all(|other| me.session() < other.session) {
                self.tell_online(me.key);
            }
            seen.extend(others);
        }
        peers(me.device.as_deref(), me.session(), &seen)
    }

    /// The same once more for a session that has arrived, after nobody could be heard for a while.
    pub async fn peers(&self, subscription: &Subscription) -> Vec<Peer> {
        let me = subscription.listener();
        let mut seen = self.local.arrived(&me.key);
        seen.extend(self.others(&me.key).await);
        peers(me.device.as_deref(), me.session(), &seen)
    }

    /// A user's sessions on other nodes. What was said there is known here from now on.
    async fn others(&self, key: &Key) -> Vec<Seen> {
        let Some(nats) = &self.nats else { return Vec::new() };
        let mut others = Vec::new();
        for Answer { sessions, custom } in nats.who(*key, |_| false).await {
            if let Some(custom) = custom {
                self.local.adopt(key, custom);
            }
            others.extend(sessions);
        }
        others
    }

    fn tell_online(&self, key: Key) {
        if let Some(Custom { text, .. }) = self.local.tell_online(&key)
            && let Some(nats) = &self.nats
        {
            nats.tell_watchers(key, Reach::Online, &text);
        }
    }

    /// The platforms of a user's sessions, each once.
    pub async fn online(&self, app: AppId, user: UserId) -> Vec<Platform> {
        let key = (app, user);
        let mut seen = self.local.arrived(&key);
        seen.extend(self.others(&key).await);
        let mut platforms = Vec::new();
        for Seen { platform, .. } in seen {
            if !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        platforms
    }

    /// Whether the user has any session. Faster than asking for all of them.
    pub async fn is_online(&self, app: AppId, user: UserId) -> bool {
        self.said(app, user).await.is_some()
    }

    /// What a user says of themself. `None`: the user is not online.
    pub async fn said(&self, app: AppId, user: UserId) -> Option<Box<str>> {
        let key = (app, user);
        if let Some(custom) = self.local.said(&key) {
            return Some(custom.text);
        }
        let answers = self.nats.as_ref()?.who(key, Answer::is_online).await;
        let online = answers.into_iter().find(Answer::is_online)?;
        Some(online.custom.unwrap_or_default().text)
    }

    /// Ends a session. From now on it counts no more, even if its connection takes its time.
    pub fn end(&self, app: AppId, user: UserId, session: u64, reason: KickReason) {
        let key = (app, user);
        if !self.local.end(&key, session, reason)
            && let Some(nats) = self.up()
        {
            nats.tell_user(key, &Word::end(session, reason));
        }
    }

    /// Whether the user has no session here, and somebody may want to know how they can be reached now.
    pub fn is_missed(&self, app: AppId, user: UserId) -> bool {
        let key = (app, user);
        self.local.is_offline(&key) && (self.nats.is_some() || self.local.is_watched(&key))
    }

    /// A session has ended. If it was the user's last one, whoever watches is told how the user can be reached now.
    pub async fn leave(&self, app: AppId, user: UserId, reach: Reach) {
        let key = (app, user);
        if !self.local.leave(&key, reach) {
            return;
        }
        let Some(nats) = &self.nats else { return };
        nats.tell_watchers(key, reach, "");
        // Somebody who arrived elsewhere meanwhile has said so, but perhaps before this was told.
        let answers = nats.who(key, Answer::is_online).await;
        if let Some(Answer { custom, .. }) = answers.into_iter().find(Answer::is_online) {
            let text = custom.unwrap_or_default().text;
            self.local.tell_of(&key, Reach::Online, &text);
            nats.tell_watchers(key, Reach::Online, &text);
        }
    }

    /// The user says something of themself, until the last session ends.
    pub fn say(&self, ear: &Ear, custom: &str, now_ms: u64) -> Result<(), TooOften> {
        let key = ear.0.key;
        if let Some(news) = self.local.say(ear, custom, now_ms)?
            && let Some(nats) = self.up()
        {
            nats.tell_user(key, &Word::said(&news));
            nats.tell_watchers(key, Reach::Online, custom);
        }
        Ok(())
    }

    /// Counts a send from one of the user's devices, unless there were too many in this second.
    pub fn may_send(&self, ear: &Ear, per_sec_max: u32, now_s: u64) -> bool {
        self.local.may_send(ear, per_sec_max, now_s)
    }

    /// The session is pushed the presence of these users from now on. Answers whom it is not pushed any more, because
    /// there would be too many: those that it has watched for longest.
    pub fn watch(&self, ear: &Ear, users: &[UserId]) -> Vec<UserId> {
        self.local.watch(ear, users)
    }

    pub fn unwatch(&self, ear: &Ear, users: &[UserId]) {
        self.local.unwatch(ear, users);
    }

    pub fn unwatch_everybody(&self, ear: &Ear) {
        self.local.unwatch_all(&ear.0);
    }

    /// Whom the session watches.
    pub fn watching(&self, ear: &Ear) -> Vec<UserId> {
        self.local.watching(ear)
    }

    /// How much was told of each of these users to those who watch them. What was found out about them while it rose
    /// may be older than what was told.
    pub fn told(&self, app: AppId, users: &[UserId]) -> Vec<u64> {
        users.iter().map(|user| self.local.told(&(app, *user))).collect()
    }
}

/// How the sessions stand to the one of this device.
fn peers(device: Option<&str>, session: u64, seen: &[Seen]) -> Vec<Peer> {
    let is_of_device = |other: &Seen| device.is_some() && other.device.as_deref() == device;
    let newest = seen.iter().filter(|other| is_of_device(other)).map(|other| other.session).max();
    let newest = newest.unwrap_or(session);
    let peer = |other: &Seen| Peer {
        standing: Standing { session: other.session, platform: other.platform },
        is_former: is_of_device(other) && other.session < newest,
    };
    seen.iter().map(peer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Push;
    use futures_util::FutureExt;

    const APP: AppId = AppId(7);

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn comes(bus: &NodeBus, name: &str, device: Option<&str>) -> Subscription {
        let comer = Comer { app: APP, user: user(name), platform: Platform::Web, device, now_ms: 1_000 };
        now(bus.subscribe(comer, QueueLimits { len_max: 4, bytes_max: 1_000 }))
    }

    /// There are no other nodes to wait for.
    fn now<T>(answer: impl Future<Output = T>) -> T {
        answer.now_or_never().unwrap()
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
        let bus = NodeBus::default();
        let (older, newer) = (comes(&bus, "bo", Some("d")), comes(&bus, "bo", Some("d")));
        let formers = |subscription: &Subscription| -> Vec<_> {
            now(bus.arrive(subscription)).iter().map(|peer| (peer.standing.session, peer.is_former)).collect()
        };
        assert_eq!(formers(&newer), [(newer.session(), false)]);
        assert_eq!(formers(&older), [(older.session(), true), (newer.session(), false)]);
        // Whoever has not said which device it is can be any.
        let nameless = comes(&bus, "bo", None);
        assert!(now(bus.arrive(&nameless)).iter().all(|peer| !peer.is_former));
    }

    #[test]
    fn a_login_that_is_not_complete_is_no_presence() {
        let bus = NodeBus::default();
        let bo = comes(&bus, "bo", None);
        assert_eq!((now(bus.online(APP, user("bo"))), now(bus.said(APP, user("bo")))), (Vec::new(), None));
        now(bus.arrive(&bo));
        assert_eq!(now(bus.online(APP, user("bo"))), [Platform::Web]);
        bus.say(&bo.ear(), "busy", 1).unwrap();
        assert_eq!(now(bus.said(APP, user("bo"))).as_deref(), Some("busy"));
        // What was said ends with the last session, though another one is on its way.
        let next = comes(&bus, "bo", None);
        drop(bo);
        assert_eq!(now(bus.said(APP, user("bo"))), None);
        now(bus.arrive(&next));
        assert_eq!(now(bus.said(APP, user("bo"))).as_deref(), Some(""));
    }

    /// Finding out how somebody who went can be reached takes a while, in which they may be back.
    #[test]
    fn nobody_is_told_that_somebody_went_who_is_back() {
        let bus = NodeBus::default();
        let mut watcher = comes(&bus, "ana", None);
        now(bus.arrive(&watcher));
        assert_eq!(bus.watch(&watcher.ear(), &[user("bo")]), []);
        let bo = comes(&bus, "bo", None);
        now(bus.arrive(&bo));
        drop(bo);
        assert!(bus.is_missed(APP, user("bo")));
        let back = comes(&bus, "bo", None);
        now(bus.arrive(&back));
        now(bus.leave(APP, user("bo"), Reach::Offline));
        assert_eq!(
            [told(&mut watcher), told(&mut watcher), told(&mut watcher)],
            [status("Online"), status("Online"), None]
        );
        drop(back);
        now(bus.leave(APP, user("bo"), Reach::PushOnline));
        assert_eq!(told(&mut watcher), status("PushOnline"));
        // Nothing is left of a watch when its session has ended.
        drop(watcher);
        assert!(!bus.is_missed(APP, user("bo")));
    }

    /// A request that is under way when its session ends is carried out.
    #[test]
    fn a_session_that_is_over_watches_nobody() {
        let bus = NodeBus::default();
        let watcher = comes(&bus, "ana", None);
        now(bus.arrive(&watcher));
        let ear = watcher.ear();
        drop(watcher);
        bus.watch(&ear, &[user("bo")]);
        assert!(!bus.is_missed(APP, user("bo")));
        assert_eq!(bus.watching(&ear), []);
    }

    #[test]
    fn a_session_with_a_full_queue_hears_that_it_has_to_end() {
        let bus = NodeBus::default();
        let mut bo = comes(&bus, "bo", None);
        now(bus.arrive(&bo));
        bus.watch(&bo.ear(), &[user("bo")]);
        for custom in ["1", "2", "3", "4", "5"] {
            bus.say(&bo.ear(), custom, 1).unwrap();
        }
        assert!(bo.missed());
        bus.end(APP, user("bo"), bo.session(), KickReason::OtherDevice);
        bus.end(APP, user("bo"), bo.session(), KickReason::SameDevice);
        assert_eq!(now(bus.online(APP, user("bo"))), []);
        assert_eq!(told(&mut bo).as_deref(), Some("other_device"));
    }
}
