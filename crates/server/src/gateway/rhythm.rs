//! What a session does from time to time: two rhythms on one timer, since there are many sessions.

use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Debug)]
pub(super) struct Rhythm {
    beat: Recurring,
    poll: Recurring,
    timer: Pin<Box<Sleep>>,
}

/// What it is time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    Beat,
    Poll,
}

#[derive(Debug)]
struct Recurring {
    period: Duration,
    due: Instant,
}

impl Rhythm {
    pub(super) fn new(beat: Duration, poll: Duration, now: Instant) -> Self {
        let recurring = |period| Recurring { period, due: now + period };
        let timer = Box::pin(sleep_until(now + beat.min(poll)));
        Self { beat: recurring(beat), poll: recurring(poll), timer }
    }

    /// Cancel-safe.
    pub(super) async fn tick(&mut self) -> Tick {
        self.timer.as_mut().await;
        let tick = earlier(&mut self.beat, &mut self.poll, Instant::now());
        self.timer.as_mut().reset(self.beat.due.min(self.poll.due));
        tick
    }
}

/// Which of the two it is time for. It is due again a period from now, and not from when it was due: what is late is
/// not made up for.
fn earlier(beat: &mut Recurring, poll: &mut Recurring, now: Instant) -> Tick {
    let (tick, recurring) = if beat.due <= poll.due { (Tick::Beat, beat) } else { (Tick::Poll, poll) };
    recurring.due = now + recurring.period;
    tick
}

#[cfg(test)]
mod tests {
    use super::Tick::{Beat, Poll};
    use super::*;

    #[test]
    fn two_rhythms_on_one_timer() {
        let secs = Duration::from_secs;
        let begin = Instant::now();
        let recurring = |period| Recurring { period, due: begin + period };
        let (mut beat, mut poll) = (recurring(secs(15)), recurring(secs(20)));
        // Always when the next one is due.
        let mut ticks = Vec::new();
        for _ in 0..7 {
            let now = beat.due.min(poll.due);
            ticks.push((earlier(&mut beat, &mut poll, now), now.duration_since(begin).as_secs()));
        }
        assert_eq!(
            ticks,
            [(Beat, 15), (Poll, 20), (Beat, 30), (Poll, 40), (Beat, 45), (Beat, 60), (Poll, 60)]
        );
        // What was slept through comes once.
        let late = begin + secs(1_000);
        assert_eq!([(); 2].map(|()| earlier(&mut beat, &mut poll, late)), [Beat, Poll]);
        assert_eq!([beat.due, poll.due], [late + secs(15), late + secs(20)]);
    }
}
