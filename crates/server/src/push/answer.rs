//! What a carrier's answer means for one device, and what several devices' come to.

use crate::callback::head;
use crate::outgoing::{CallError, Reply};
use chat::dispatch::{Failure, FailureKind, FailureReason, Receipt, Verdict};

/// What became of a notice for one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent,
    /// The app is no longer there, as was found out at this time, if that is known.
    Gone {
        at_ms: Option<u64>,
    },
    /// The carrier takes no notice of this length.
    TooLarge,
    /// The carrier does not take our word for who we are.
    Stranger(Failure),
    Failed {
        kind: FailureKind,
        failure: Failure,
    },
}

impl Outcome {
    /// One word for metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Gone { .. } => "gone",
            Self::TooLarge => "too_large",
            Self::Stranger(_) => "stranger",
            Self::Failed { kind: FailureKind::Lasting, .. } => "refused",
            Self::Failed { .. } => "failed",
        }
    }

    pub(super) fn unanswered(error: &CallError, latency_ms: u64) -> Self {
        Self::Failed { kind: FailureKind::Passing { after_ms: None }, failure: error.failure(latency_ms) }
    }

    /// An answer that says `why` in the carrier's own words.
    pub(super) fn refused(reply: &Reply, why: &str, latency_ms: u64) -> Self {
        Self::Failed { kind: reply.failure_kind(), failure: failure(reply, why, latency_ms) }
    }
}

pub(super) fn failure(reply: &Reply, why: &str, latency_ms: u64) -> Failure {
    let status = reply.status.as_u16();
    let words =
        if why.is_empty() { format!("answered {status}") } else { format!("answered {status} {why}") };
    Failure { reason: FailureReason::Status, status, latency_ms, words, answer: head(&reply.body) }
}

/// What all devices' outcomes come to. What can pass is waited for, also where something else never will.
pub(super) fn verdict(outcomes: Vec<Outcome>) -> Verdict {
    let mut lasting = None;
    let mut passing: Option<(Option<u64>, Failure)> = None;
    for outcome in outcomes {
        match outcome {
            Outcome::Sent | Outcome::Gone { .. } | Outcome::TooLarge => {}
            Outcome::Failed { kind: FailureKind::Passing { after_ms }, failure } => {
                let longest = passing.as_ref().and_then(|(after_ms, _)| *after_ms).max(after_ms);
                passing = Some((longest, failure));
            }
            Outcome::Stranger(failure) | Outcome::Failed { failure, .. } => lasting = Some(failure),
        }
    }
    match (passing, lasting) {
        (Some((after_ms, failure)), _) => {
            Verdict::Failed { kind: FailureKind::Passing { after_ms }, failure }
        }
        (None, Some(failure)) => Verdict::Failed { kind: FailureKind::Lasting, failure },
        (None, None) => Verdict::Done(Receipt::Answered { code: 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::StatusCode;

    fn answered(status: u16, retry_after_ms: Option<u64>) -> Outcome {
        let reply =
            Reply { status: StatusCode::from_u16(status).unwrap(), retry_after_ms, body: Bytes::new() };
        Outcome::refused(&reply, "", 1)
    }

    #[test]
    fn verdicts_as_a_table() {
        let stranger = || {
            let Outcome::Failed { failure, .. } = answered(401, None) else { unreachable!() };
            Outcome::Stranger(failure)
        };
        for (outcomes, expected) in [
            (vec![Outcome::Sent], "done"),
            (vec![Outcome::Gone { at_ms: None }, Outcome::TooLarge], "done"),
            (vec![Outcome::Sent, answered(503, Some(7_000))], "after Some(7000)"),
            (vec![answered(429, Some(9_000)), answered(503, None)], "after Some(9000)"),
            (vec![answered(400, None), answered(500, None)], "after None"),
            (vec![answered(500, None), stranger()], "after None"),
            (vec![Outcome::Sent, answered(400, None)], "lasting"),
            (vec![stranger()], "lasting"),
        ] {
            let found = match verdict(outcomes.clone()) {
                Verdict::Done(_) => "done".to_owned(),
                Verdict::Failed { kind: FailureKind::Passing { after_ms }, .. } => {
                    format!("after {after_ms:?}")
                }
                Verdict::Failed { .. } => "lasting".to_owned(),
            };
            assert_eq!(found, expected, "{outcomes:?}");
        }
    }
}
