//! How far events were told, and forgetting them.

use super::Walk;
use crate::random::step::{ENDPOINTS, Step};
use crate::world::pair;
use chat::dispatch::{
    Delivered, Exception, ExceptionState, FailedAttempt, Failure, FailureReason, Receipt, Replay,
};
use chat::port::Checkpoint;

impl Walk {
    pub(super) fn settle(&mut self) -> Step {
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

    /// Mostly among the first that are left, so that different steps meet.
    pub(super) fn offset(&mut self) -> u64 {
        let end = self.chance.one_of(&[60, 60, 300]);
        self.gone + 1 + self.chance.below(end)
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

    pub(super) fn inspect(&mut self) -> Step {
        let (endpoint, offset) = (self.chance.one_of(&ENDPOINTS), self.offset());
        match self.chance.below(17) {
            0..3 => Step::Exception { endpoint, offset },
            3..6 => Step::Failures { endpoint, offset },
            6..10 => Step::Delivered { endpoint, offset, since_ms: self.at_ms() - 20_000 },
            10..12 => Step::Lane,
            kind => {
                let replay = match kind {
                    12 => Replay::From { after: offset - 1 },
                    13..15 => Replay::One { offset },
                    _ => Replay::Parked { limit: self.chance.below(4) as usize },
                };
                Step::Replay { endpoint, replay, now_ms: self.now_s * 1000 }
            }
        }
    }

    pub(super) fn trim(&mut self) -> Step {
        let count = self.chance.below(ENDPOINTS.len() as u64 + 1) as usize;
        let before_s = self.now_s - self.chance.below(200);
        Step::Trim { endpoints: ENDPOINTS[..count].to_vec(), before_ms: before_s * 1000 }
    }
}
