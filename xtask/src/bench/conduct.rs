//! How the app's backend treats the calls it gets.
//!
//! What becomes of a call depends on the call and the time alone, so that every run meets the same faults.

use serde::{Deserialize, Serialize};

use super::{clock::SECOND_NS, people};

/// How long an endpoint takes that is asked and answers, where that matters.
const ANSWER_DELAY_MS: u64 = 1;

/// Chooses the calls that go wrong.
const SEED: u64 = 0x5eed;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Conduct {
    /// Refuses connections. Its port is held, so that nobody else takes it meanwhile.
    Absent,
    /// Accepts everything, as fast as it can.
    Healthy,
    /// Accepts, but for some calls, and notes every single one with its place in the event log.
    Shaky { refused_per_mille: u64, hung_per_mille: u64 },
    /// Takes calls and never answers.
    Mute,
    /// Answers one byte a second.
    Trickle,
    /// Begins an answer that does not end.
    Endless,
    /// Answers 500 at once.
    Broken,
    /// Answers at a usual pace, but takes calls and never answers from one instant of the clock to another.
    Swallow { from_ns: u64, until_ns: u64 },
}

/// A call: which message it is about, and how often the same was called for before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub random: u32,
    pub attempts_before: u32,
    pub at_ns: u64,
}

/// What is done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Accept,
    AcceptLater { delay_ms: u64 },
    Refuse,
    Fail,
    Hang,
    Trickle,
    Endless,
}

impl Conduct {
    /// Accepts all, and notes every single call.
    pub(super) const WATCHFUL: Conduct = Conduct::Shaky { refused_per_mille: 0, hung_per_mille: 0 };

    /// Swallows nothing yet, since it is not known yet when the load begins.
    pub(super) const BEFORE_SWALLOW: Conduct = Conduct::Swallow { from_ns: u64::MAX, until_ns: u64::MAX };

    pub(super) fn swallow(start_ns: u64, from_s: u64, until_s: u64) -> Self {
        Conduct::Swallow { from_ns: start_ns + from_s * SECOND_NS, until_ns: start_ns + until_s * SECOND_NS }
    }

    pub(super) fn turn(self, call: Call) -> Turn {
        match self {
            Conduct::Absent | Conduct::Healthy => Turn::Accept,
            // The message's random number stands for the event's id, which is another in every run.
            Conduct::Shaky { refused_per_mille, hung_per_mille } => {
                let attempt = u64::from(call.random) << 32 | u64::from(call.attempts_before);
                match people::scatter(SEED ^ attempt) % 1_000 {
                    draw if draw < refused_per_mille => Turn::Refuse,
                    draw if draw < refused_per_mille + hung_per_mille => Turn::Hang,
                    _ => Turn::Accept,
                }
            }
            Conduct::Mute => Turn::Hang,
            Conduct::Trickle => Turn::Trickle,
            Conduct::Endless => Turn::Endless,
            Conduct::Broken => Turn::Fail,
            Conduct::Swallow { from_ns, until_ns } if (from_ns..until_ns).contains(&call.at_ns) => Turn::Hang,
            Conduct::Swallow { .. } => Turn::AcceptLater { delay_ms: ANSWER_DELAY_MS },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(random: u32, attempts_before: u32, at_ns: u64) -> Call {
        Call { random, attempts_before, at_ns }
    }

    #[test]
    fn a_shaky_receiver_fails_in_its_proportions_and_the_same_way_each_time() {
        let shaky = Conduct::Shaky { refused_per_mille: 100, hung_per_mille: 20 };
        let turns: Vec<Turn> = (0..100_000).map(|n| shaky.turn(call(1_000_000_000 + n, 0, 0))).collect();
        let count = |turn| turns.iter().filter(|each| **each == turn).count();
        assert!((9_600..10_400).contains(&count(Turn::Refuse)), "{} refused", count(Turn::Refuse));
        assert!((1_800..2_200).contains(&count(Turn::Hang)), "{} hung", count(Turn::Hang));
        let again = (0..100_000).map(|n| shaky.turn(call(1_000_000_000 + n, 0, 7)));
        assert!(turns.iter().copied().eq(again));
    }

    #[test]
    fn another_attempt_is_drawn_anew() {
        let shaky = Conduct::Shaky { refused_per_mille: 100, hung_per_mille: 20 };
        let failed =
            (1_000_000_000..1_000_100_000).filter(|random| shaky.turn(call(*random, 0, 0)) != Turn::Accept);
        let (mut failed_len, mut failed_twice) = (0, 0);
        for random in failed {
            failed_len += 1;
            failed_twice += usize::from(shaky.turn(call(random, 1, 0)) != Turn::Accept);
        }
        assert!((11_500..12_500).contains(&failed_len), "{failed_len} failed");
        assert!((1_200..1_700).contains(&failed_twice), "{failed_twice} failed twice");
    }

    #[test]
    fn calls_are_swallowed_between_two_instants() {
        let swallow = Conduct::swallow(500, 3, 9);
        let answers = Turn::AcceptLater { delay_ms: 1 };
        for (at_ns, turn) in [
            (3_000_000_499, answers),
            (3_000_000_500, Turn::Hang),
            (9_000_000_499, Turn::Hang),
            (9_000_000_500, answers),
        ] {
            assert_eq!(swallow.turn(call(1, 0, at_ns)), turn, "{at_ns}");
        }
        assert_eq!(Conduct::BEFORE_SWALLOW.turn(call(1, 0, 9_000_000_499)), answers);
    }
}
