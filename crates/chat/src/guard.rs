//! The duplicate guard: a resend of the same message within 120 s is answered like the first, and changes nothing.
//!
//! Kept in memory by whoever commits. It needs no storage of its own: a store that meets a conversation for the
//! first time since it started puts the conversation's last 120 s of messages back.

use crate::id::{AppId, UserId};
use crate::message::Message;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

/// How long a send is remembered.
pub const DUPLICATE_WINDOW_SECS: u64 = 120;

/// What makes two sends the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SendKey {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    /// The sender's own sequence number; `None` where the server filled it.
    pub seq: Option<u32>,
    pub random: u32,
    pub content_crc: u32,
}

impl SendKey {
    pub fn of(app: AppId, message: &Message) -> Self {
        Self {
            app,
            from: message.from,
            to: message.to,
            seq: message.wire_seq_given.then_some(message.wire_seq),
            random: message.random,
            content_crc: message.content_crc,
        }
    }
}

/// What the first send was answered, as far as a second one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSend {
    pub time_s: u64,
    pub client_time_s: u64,
    pub wire_seq: u32,
}

impl FirstSend {
    pub fn of(message: &Message) -> Self {
        Self { time_s: message.time_s, client_time_s: message.client_time_s, wire_seq: message.wire_seq }
    }
}

/// Sends of the last 120 s.
///
/// At 25,000 messages a second it holds three million of them, so a key is kept as a fingerprint of 128 bits.
/// The fingerprint is keyed at random for each process: nobody can prepare two sends that collide.
#[derive(Debug)]
pub struct DuplicateGuard {
    keys: [RandomState; 2],
    sends: FxHashMap<[u64; 2], FirstSend>,
    by_age: VecDeque<([u64; 2], u64)>,
}

/// Sends remembered at most: 120 s at more than any one writer commits. Only a clock that was set back could want
/// more, and the oldest go first.
const SENDS_MAX: usize = 6_000_000;

impl Default for DuplicateGuard {
    fn default() -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            sends: FxHashMap::default(),
            by_age: VecDeque::new(),
        }
    }
}

impl DuplicateGuard {
    pub fn find(&self, key: &SendKey, now_s: u64) -> Option<FirstSend> {
        let first = self.sends.get(&self.fingerprint(key))?;
        (now_s < first.time_s + DUPLICATE_WINDOW_SECS).then_some(*first)
    }

    /// Remembers a send. One that is remembered already keeps its first answer.
    pub fn remember(&mut self, key: &SendKey, first: FirstSend) {
        let fingerprint = self.fingerprint(key);
        if let Some(known) = self.sends.get(&fingerprint)
            && first.time_s < known.time_s + DUPLICATE_WINDOW_SECS
        {
            return;
        }
        self.sends.insert(fingerprint, first);
        self.by_age.push_back((fingerprint, first.time_s));
        if self.by_age.len() > SENDS_MAX {
            self.forget_oldest();
        }
    }

    /// Forgets a send whose message is no more.
    pub fn forget(&mut self, key: &SendKey) {
        self.sends.remove(&self.fingerprint(key));
    }

    /// Forgets what is past the window. Called often, it does little each time.
    pub fn expire(&mut self, now_s: u64) {
        while let Some((_, time_s)) = self.by_age.front().copied()
            && time_s + DUPLICATE_WINDOW_SECS <= now_s
        {
            self.forget_oldest();
        }
        // A burst should not leave its memory behind.
        if self.sends.capacity() > 8 * self.sends.len().max(1024) {
            self.sends.shrink_to_fit();
            self.by_age.shrink_to_fit();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((fingerprint, time_s)) = self.by_age.pop_front() else { return };
        // The same send may have been remembered anew after its first window.
        if self.sends.get(&fingerprint).is_some_and(|first| first.time_s == time_s) {
            self.sends.remove(&fingerprint);
        }
    }

    fn fingerprint(&self, key: &SendKey) -> [u64; 2] {
        [self.keys[0].hash_one(key), self.keys[1].hash_one(key)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(random: u32) -> SendKey {
        let user = |text| UserId::new(text).unwrap();
        SendKey { app: AppId(1), from: user("ana"), to: user("bo"), seq: None, random, content_crc: 9 }
    }

    fn first(time_s: u64) -> FirstSend {
        FirstSend { time_s, client_time_s: time_s, wire_seq: 1 }
    }

    #[test]
    fn a_send_is_remembered_for_exactly_the_window() {
        let mut guard = DuplicateGuard::default();
        guard.remember(&key(1), first(1000));
        guard.remember(&key(1), first(1050));
        assert_eq!(guard.find(&key(1), 1119), Some(first(1000)));
        assert_eq!(guard.find(&key(1), 1120), None);
        assert_eq!(guard.find(&key(2), 1000), None);
        guard.remember(&key(1), first(1120));
        guard.expire(1121);
        assert_eq!(guard.find(&key(1), 1121), Some(first(1120)));
        guard.expire(1240);
        assert!(guard.sends.is_empty() && guard.by_age.is_empty());
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let mut guard = DuplicateGuard::default();
        guard.remember(&key(1), first(1000));
        let other = UserId::new("cy").unwrap();
        for different in [
            SendKey { app: AppId(2), ..key(1) },
            SendKey { from: other, ..key(1) },
            SendKey { to: other, ..key(1) },
            SendKey { seq: Some(0), ..key(1) },
            SendKey { content_crc: 8, ..key(1) },
        ] {
            assert_eq!(guard.find(&different, 1000), None, "{different:?}");
        }
    }
}
