//! One random operation, and what it was answered.

use super::chance::Chance;
use crate::world::{
    APP, LANE, NOW_S, all_of, endpoint_id, logout, mark, message, pair, refusal, route, user,
};
use chat::Position;
use chat::dispatch::{
    Delivered, Exception, ExceptionState, FailedAttempt, Failure, FailureReason, Receipt, Replay,
};
use chat::guard::SendKey;
use chat::port::{Account, Append, Checkpoint, HistoryQuery, MarkRead, MessageKey, Store};

pub(crate) const NAMES: [&str; 5] = ["a", "ab", "b", "bo", "用户"];
pub(crate) const ENDPOINTS: [&str; 2] = ["one", "one more"];

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Append(Append),
    MarkRead(MarkRead),
    Refuse { from: &'static str, to: &'static str, now_s: u64 },
    Logout { name: &'static str, now_s: u64 },
    Preview { key: SendKey, now_s: u64 },
    Import { names: Vec<&'static str>, now_s: u64 },
    Delete { names: Vec<&'static str> },
    Settle { endpoint: &'static str, checkpoint: Checkpoint },
    Replay { endpoint: &'static str, replay: Replay, now_ms: u64 },
    Exception { endpoint: &'static str, offset: u64 },
    Failures { endpoint: &'static str, offset: u64 },
    Delivered { endpoint: &'static str, offset: u64, since_ms: u64 },
    Lane,
    Trim { endpoints: Vec<&'static str>, before_ms: u64 },
    History(HistoryQuery),
    Changes { name: &'static str, after: Position, limit: usize },
    Events { after: u64, limit: usize },
    Reopen { flushed: bool },
}

impl Step {
    /// The answer in words, so that the answers to all operations compare alike.
    pub(crate) async fn carry_out(&self, store: &dyn Store) -> String {
        match self.clone() {
            Self::Append(append) => format!("{:?}", store.append(append).await),
            Self::MarkRead(mark) => format!("{:?}", store.mark_read(mark).await),
            Self::Refuse { from, to, now_s } => {
                format!("{:?}", store.record(refusal(from, to, now_s)).await)
            }
            Self::Logout { name, now_s } => format!("{:?}", store.record(logout(name, now_s)).await),
            Self::Preview { key, now_s } => format!("{:?}", store.preview(key, now_s).await),
            Self::Import { names, now_s } => {
                let accounts = names.into_iter().map(|name| Account::bare(user(name))).collect();
                format!("{:?}", store.import_accounts(APP, accounts, now_s * 1000).await)
            }
            Self::Delete { names } => {
                let users = names.into_iter().map(user).collect();
                format!("{:?}", store.delete_accounts(APP, users, 0).await)
            }
            Self::Settle { endpoint, checkpoint } => {
                format!("{:?}", store.settle(&route(endpoint), checkpoint).await)
            }
            Self::Replay { endpoint, replay, now_ms } => {
                format!("{:?}", store.replay(&route(endpoint), replay, now_ms).await)
            }
            Self::Exception { endpoint, offset } => {
                format!("{:?}", store.exception(&route(endpoint), offset).await)
            }
            Self::Failures { endpoint, offset } => {
                format!("{:?}", store.failures(&route(endpoint), offset).await)
            }
            Self::Delivered { endpoint, offset, since_ms } => {
                format!("{:?}", store.delivered(&route(endpoint), offset, since_ms).await)
            }
            Self::Lane => format!("{:?}", store.lane(LANE).await),
            Self::Trim { endpoints, before_ms } => {
                let endpoints = endpoints.into_iter().map(endpoint_id).collect();
                format!("{:?}", store.trim_events(LANE, endpoints, before_ms).await)
            }
            Self::History(query) => format!("{:?}", store.history(query).await),
            Self::Changes { name, after, limit } => {
                format!("{:?}", store.changes(APP, user(name), after, limit).await)
            }
            Self::Events { after, limit } => format!("{:?}", store.events(LANE, after, limit).await),
            Self::Reopen { .. } => String::new(),
        }
    }
}

/// Chooses the steps. It keeps just enough of the past to come back to it.
#[derive(Debug)]
pub(crate) struct Walk {
    chance: Chance,
    now_s: u64,
    sent: Vec<Append>,
    /// Sends of different eras are never the same. A new one begins where the stores may rightly differ in what
    /// they remember: the clock has gone back behind what was forgotten.
    era: u32,
    /// The same for online-only messages, which are forgotten when the store is reopened.
    online_era: u32,
}

impl Walk {
    pub(crate) fn new(chance: Chance) -> Self {
        Self { chance, now_s: NOW_S, sent: Vec::new(), era: 1, online_era: 1 }
    }

    pub(crate) fn next(&mut self) -> Step {
        self.pass_time();
        let (one, other) = (self.name(), self.name());
        match self.chance.below(120) {
            100..120 => self.inspect(one),
            0..50 => self.append(one, other),
            50..62 => Step::MarkRead(mark(one, other, self.now_s)),
            62..66 => Step::Refuse { from: one, to: other, now_s: self.now_s },
            66..70 => self.preview(one, other),
            70..75 => Step::Import { names: self.names(), now_s: self.now_s },
            75..77 => Step::Delete { names: self.names() },
            77..83 => self.settle(),
            83..86 => self.trim(),
            86..91 => self.history(one, other),
            91..95 => self.changes(one),
            95..98 => Step::Events { after: self.chance.below(60), limit: self.chance.below(20) as usize },
            _ => {
                self.online_era += 1;
                self.sent.retain(|append| !append.delivery.online_only);
                Step::Reopen { flushed: self.chance.is_one_in(2) }
            }
        }
    }

    fn pass_time(&mut self) {
        self.now_s += match self.chance.below(30) {
            0..15 => 0,
            15..29 => self.chance.below(20),
            _ => 100 + self.chance.below(40),
        };
        if self.chance.is_one_in(100) {
            self.now_s -= 300;
            self.era += 1;
            self.sent.clear();
        }
    }

    fn name(&mut self) -> &'static str {
        self.chance.one_of(&NAMES)
    }

    fn names(&mut self) -> Vec<&'static str> {
        (0..=self.chance.below(3)).map(|_| self.name()).collect()
    }

    fn append(&mut self, from: &str, to: &str) -> Step {
        if self.chance.is_one_in(4) && !self.sent.is_empty() {
            let at = self.chance.below(self.sent.len() as u64) as usize;
            let mut again = self.sent[at].clone();
            (again.time_s, again.now_ms) = (self.now_s, self.now_s * 1000);
            return Step::Append(again);
        }
        let append = self.fresh(from, to);
        self.sent.push(append.clone());
        Step::Append(append)
    }

    fn fresh(&mut self, from: &str, to: &str) -> Append {
        let few = self.chance.below(4) as u32;
        let mut append = message(from, to, self.now_s, self.era * 10 + few);
        append.delivery.online_only = self.chance.is_one_in(8);
        append.delivery.hidden_from_sender = self.chance.is_one_in(6);
        append.delivery.no_unread = self.chance.is_one_in(6);
        append.delivery.no_last = self.chance.is_one_in(6);
        if append.delivery.online_only {
            append.random = 1_000_000 + (self.era * 1000 + self.online_era) * 10 + few;
        }
        if self.chance.is_one_in(3) {
            (append.wire_seq, append.wire_seq_given) = (Some(self.chance.below(3) as u32), true);
        }
        if self.chance.is_one_in(8) {
            append.event = None;
        }
        append
    }

    fn preview(&mut self, from: &str, to: &str) -> Step {
        let known = self.sent.last().filter(|_| self.chance.is_one_in(2)).map(Append::key);
        let key = known.unwrap_or_else(|| self.fresh(from, to).key());
        Step::Preview { key, now_s: self.now_s }
    }

    fn settle(&mut self) -> Step {
        let endpoint = self.chance.one_of(&ENDPOINTS);
        let exceptions = (0..self.chance.below(3)).map(|_| {
            let at_ms = self.chance.below(9);
            let parked = self.chance.is_one_in(2);
            Exception {
                offset: self.offset(),
                conversation: pair("a", "b"),
                recorded_ms: 3,
                state: if parked {
                    ExceptionState::Parked { at_ms }
                } else {
                    ExceptionState::Held { due_ms: at_ms }
                },
                attempts: 1,
                first_attempt_ms: 2,
                last_failure: "refused".to_owned(),
            }
        });
        let exceptions = exceptions.collect();
        let resolved = (0..self.chance.below(4)).map(|_| self.offset()).collect();
        let delivered = (0..self.chance.below(9)).map(|_| self.delivered()).collect();
        let failures = (0..self.chance.below(3)).map(|_| self.failed()).collect();
        let checkpoint = Checkpoint { cursor: self.offset() - 1, exceptions, resolved, delivered, failures };
        Step::Settle { endpoint, checkpoint }
    }

    /// Mostly among the first ones, so that different steps meet.
    fn offset(&mut self) -> u64 {
        let end = self.chance.one_of(&[60, 60, 300]);
        1 + self.chance.below(end)
    }

    /// Not in order, and more than one row of deliveries apart.
    fn at_ms(&mut self) -> u64 {
        (self.now_s - self.chance.below(40)) * 1000 + self.chance.below(2)
    }

    fn delivered(&mut self) -> Delivered {
        let receipt = match self.chance.below(3) {
            0 => Receipt::NotWanted,
            1 => Receipt::Answered { code: 0 },
            _ => Receipt::Answered { code: self.chance.next().cast_signed() },
        };
        let attempt = self.chance.below(300) as u32;
        Delivered { offset: self.offset(), at_ms: self.at_ms(), attempt, receipt }
    }

    fn failed(&mut self) -> FailedAttempt {
        let failure = Failure {
            reason: self.chance.one_of(&FailureReason::ALL),
            status: 500,
            latency_ms: self.chance.below(1_000),
            words: "failed".to_owned(),
            answer: String::new(),
        };
        FailedAttempt {
            offset: self.offset(),
            number: self.chance.below(3) as u32,
            at_ms: self.at_ms(),
            failure,
        }
    }

    fn inspect(&mut self, name: &'static str) -> Step {
        let (endpoint, offset) = (self.chance.one_of(&ENDPOINTS), self.offset());
        match self.chance.below(20) {
            0..3 => Step::Logout { name, now_s: self.now_s },
            3..6 => Step::Exception { endpoint, offset },
            6..9 => Step::Failures { endpoint, offset },
            9..13 => Step::Delivered { endpoint, offset, since_ms: self.at_ms() - 20_000 },
            13..15 => Step::Lane,
            kind => {
                let replay = match kind {
                    15 => Replay::From { after: offset - 1 },
                    16..18 => Replay::One { offset },
                    _ => Replay::Parked { limit: self.chance.below(4) as usize },
                };
                Step::Replay { endpoint, replay, now_ms: self.now_s * 1000 }
            }
        }
    }

    fn trim(&mut self) -> Step {
        let count = self.chance.below(ENDPOINTS.len() as u64 + 1) as usize;
        let before_s = self.now_s - self.chance.below(200);
        Step::Trim { endpoints: ENDPOINTS[..count].to_vec(), before_ms: before_s * 1000 }
    }

    fn history(&mut self, viewer: &str, peer: &str) -> Step {
        let time_s_min = self.now_s - self.chance.below(500);
        let before = self.sent.last().filter(|_| self.chance.is_one_in(2)).map(|append| MessageKey {
            wire_seq: append.wire_seq.unwrap_or(1),
            random: append.random,
            time_s: append.time_s,
        });
        Step::History(HistoryQuery {
            time_s_min,
            time_s_max: time_s_min + self.chance.below(300),
            before,
            limit: 1 + self.chance.below(6) as usize,
            bytes_max: 1 + self.chance.below(200) as usize,
            ..all_of(viewer, peer)
        })
    }

    fn changes(&mut self, name: &'static str) -> Step {
        let epoch = NOW_S * 1000 + self.chance.below(3);
        let after = Position { epoch, offset: self.chance.below(20) };
        Step::Changes { name, after, limit: 1 + self.chance.below(10) as usize }
    }
}
