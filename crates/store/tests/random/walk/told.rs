//! How far events were told, and forgetting them.

use super::Walk;
use crate::random::step::{ENDPOINTS, Step};
use crate::world::{pair, route};
use chat::dispatch::{
    Delivered, Exception, ExceptionState, FailedAttempt, Failure, FailureReason, Receipt, Replay,
};
use chat::lease::{Fence, LeaseAsk, NodeId, Slot};
use chat::model::Model;
use chat::port::{Checkpoint, Store, Tenure};

impl Walk {
    pub(super) async fn settle(&mut self, model: &Model) -> Step {
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
        let cursor = self.offset() - 1;
        let tenure = self.tenure(model.tenure(&route(endpoint)).await.unwrap());
        let checkpoint = Checkpoint { tenure, cursor, exceptions, resolved, delivered, failures };
        Step::Settle { endpoint, checkpoint }
    }

    /// As it is, now and then of a later holder, and sometimes of one that is not admitted.
    fn tenure(&mut self, Tenure { fence: Fence(fence), turn }: Tenure) -> Tenure {
        match self.chance.below(20) {
            0 => Tenure { fence: Fence(fence + 2), turn },
            1 => Tenure { fence: Fence(fence.saturating_sub(1)), turn },
            2 => Tenure { fence: Fence(fence), turn: turn + 1 },
            _ => Tenure { fence: Fence(fence), turn },
        }
    }

    pub(super) async fn lease(&mut self, model: &Model) -> Step {
        let node = NodeId(self.chance.below(4));
        let nobody = LeaseAsk {
            node: NodeId(9),
            silent: Vec::new(),
            released: Vec::new(),
            taken: Vec::new(),
            leaves: true,
        };
        // Whoever is not there changes nothing by leaving.
        let table = model.lease(nobody).await.unwrap();
        let others = table.nodes.iter().filter(|(other, _)| **other != node);
        let silent =
            others.filter(|_| self.chance.is_one_in(5)).map(|(other, beat)| (*other, *beat)).collect();
        let released = table.of(node).filter(|_| self.chance.is_one_in(4)).collect();
        let taken = (0..self.chance.below(5)).map(|_| Slot(self.chance.below(9) as u16)).collect();
        Step::Lease(LeaseAsk { node, silent, released, taken, leaves: self.chance.is_one_in(10) })
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
