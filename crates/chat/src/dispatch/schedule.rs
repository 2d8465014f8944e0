//! When to try again, and when to stop trying.

use super::progress::{Failure, Receipt};

/// What an attempt came to, as far as the schedule cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Done(Receipt),
    Failed { kind: FailureKind, failure: Failure },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The endpoint may well accept it later. It may have asked for a delay.
    Passing { after_ms: Option<u64> },
    /// The endpoint refuses it. A few attempts make sure.
    Lasting,
    /// It was not the endpoint's doing, and says nothing of it.
    Ours,
    /// The event is no longer in the log, and never will be again.
    Gone,
}

/// Delays between attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// After the first, second, … attempt; the last one repeats. Empty: one attempt only.
    pub delays_ms: Vec<u64>,
    /// An event is parked when this much time has passed since its first attempt.
    pub give_up_after_ms: u64,
    /// Attempts at an event that is refused for good.
    pub lasting_attempts_max: u32,
}

/// Before another attempt after one that failed on this side. Also where the app wants a single attempt: its endpoint
/// has not had it yet.
pub(super) const OURS_DELAY_MS: u64 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Done,
    RetryIn(u64),
    Park,
}

impl Schedule {
    /// The longest of the delays, when the endpoint asks for none.
    pub(super) fn delay_ms_max(&self) -> u64 {
        self.delays_ms.iter().copied().max().unwrap_or(0)
    }

    /// `jitter` between 0 and 1 spreads a delay over its last fifth, so that a recovering endpoint is not hit by
    /// everything at once.
    pub(super) fn next(&self, verdict: &Verdict, attempts: u32, age_ms: u64, jitter: f64) -> Next {
        let kind = match verdict {
            Verdict::Done(_) => return Next::Done,
            Verdict::Failed { kind: FailureKind::Gone, .. } => return Next::Park,
            Verdict::Failed { kind: FailureKind::Ours, .. } => return self.again(age_ms, OURS_DELAY_MS),
            Verdict::Failed { kind, .. } => *kind,
        };
        let Some(last) = self.delays_ms.last() else {
            return Next::Park;
        };
        let base_ms = *self.delays_ms.get(attempts as usize - 1).unwrap_or(last);
        let spread_ms = (base_ms as f64 * (0.8 + 0.2 * jitter.clamp(0.0, 1.0))) as u64;
        let delay_ms = match kind {
            FailureKind::Lasting if attempts >= self.lasting_attempts_max => return Next::Park,
            FailureKind::Passing { after_ms: Some(asked_ms) } => {
                spread_ms.max(asked_ms.min(self.give_up_after_ms / 2))
            }
            _ => spread_ms,
        };
        self.again(age_ms, delay_ms)
    }

    fn again(&self, age_ms: u64, delay_ms: u64) -> Next {
        if age_ms.saturating_add(delay_ms) > self.give_up_after_ms {
            Next::Park
        } else {
            Next::RetryIn(delay_ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::FailureReason;
    use super::*;

    #[test]
    fn the_schedule_as_a_table() {
        let schedule =
            Schedule { delays_ms: vec![1_000, 5_000], give_up_after_ms: 60_000, lasting_attempts_max: 3 };
        let failed = |kind| Verdict::Failed {
            kind,
            failure: Failure {
                reason: FailureReason::Status,
                status: 503,
                latency_ms: 0,
                words: String::new(),
                answer: String::new(),
            },
        };
        let passing = failed(FailureKind::Passing { after_ms: None });
        let asked = |after_ms| failed(FailureKind::Passing { after_ms: Some(after_ms) });
        let lasting = failed(FailureKind::Lasting);
        let (ours, gone) = (failed(FailureKind::Ours), failed(FailureKind::Gone));
        for (verdict, attempts, age_ms, jitter, next) in [
            (&Verdict::Done(Receipt::NotWanted), 1, 0, 1.0, Next::Done),
            (&passing, 1, 0, 1.0, Next::RetryIn(1_000)),
            (&passing, 1, 0, 0.0, Next::RetryIn(800)),
            (&passing, 2, 0, 1.0, Next::RetryIn(5_000)),
            (&passing, 9, 0, 1.0, Next::RetryIn(5_000)),
            (&passing, 9, 55_000, 1.0, Next::RetryIn(5_000)),
            (&passing, 9, 55_001, 1.0, Next::Park),
            (&asked(20_000), 1, 0, 1.0, Next::RetryIn(20_000)),
            (&asked(10), 1, 0, 1.0, Next::RetryIn(1_000)),
            (&asked(u64::MAX), 1, 0, 1.0, Next::RetryIn(30_000)),
            (&lasting, 2, 0, 1.0, Next::RetryIn(5_000)),
            (&lasting, 3, 0, 1.0, Next::Park),
            (&ours, 9, 0, 0.0, Next::RetryIn(1_000)),
            (&ours, 9, 59_001, 1.0, Next::Park),
            (&gone, 1, 0, 1.0, Next::Park),
        ] {
            assert_eq!(
                schedule.next(verdict, attempts, age_ms, jitter),
                next,
                "{verdict:?} {attempts} {age_ms}"
            );
        }
        let once = Schedule { delays_ms: vec![], ..schedule };
        assert_eq!(once.next(&passing, 1, 0, 1.0), Next::Park);
        assert_eq!(once.next(&ours, 1, 0, 1.0), Next::RetryIn(1_000));
    }
}
