//! Whether an app's backend is worth asking before a send.
//!
//! Every sender waits for the answer to its own question, so a backend that has stopped to answer must be found out
//! before many have waited in vain. It opens after failures in a row, and also while questions pile up without an
//! answer: a backend that swallows connections shows no failure before the first deadline has passed. While it is
//! open, a question now and then finds out whether the backend is back.

use crate::pace::Pace;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy)]
pub struct BreakerLimits {
    /// Questions without an answer at the same time. Further ones are not asked.
    pub in_flight_max: usize,
    /// Failures in a row after which it opens.
    pub failures_max: u32,
    /// It also opens when so many questions wait for longer than is usual, and none was answered meanwhile.
    pub stalled_max: usize,
    pub probe_delay_ms: u64,
}

/// What to do with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Ask(Ticket),
    /// Ask, but do not let the sender wait for long.
    Probe(Ticket),
    /// The app's policy decides, without a call.
    Skip,
}

/// A question under way. Settled exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    begun_ms: u64,
    number: u64,
}

#[derive(Debug)]
pub struct Breaker {
    limits: BreakerLimits,
    under_way: BTreeSet<Ticket>,
    number_last: u64,
    failures_in_row: u32,
    answered_ms: u64,
    pace: Pace,
    /// When the next probe may go out, while it is open.
    probe_ms: Option<u64>,
}

impl Breaker {
    pub fn new(limits: BreakerLimits) -> Self {
        assert!(
            limits.in_flight_max > 0 && limits.failures_max > 0 && limits.stalled_max > 0,
            "a breaker lets something pass"
        );
        Self {
            limits,
            under_way: BTreeSet::new(),
            number_last: 0,
            failures_in_row: 0,
            answered_ms: 0,
            pace: Pace::default(),
            probe_ms: None,
        }
    }

    pub fn admit(&mut self, now_ms: u64) -> Admission {
        if self.under_way.len() >= self.limits.in_flight_max {
            return Admission::Skip;
        }
        if self.probe_ms.is_none() && self.is_stalled(now_ms) {
            self.open(now_ms);
        }
        match self.probe_ms {
            None => Admission::Ask(self.begin(now_ms)),
            Some(probe_ms) if now_ms >= probe_ms => {
                self.open(now_ms);
                Admission::Probe(self.begin(now_ms))
            }
            Some(_) => Admission::Skip,
        }
    }

    pub fn answered(&mut self, ticket: Ticket, now_ms: u64) {
        self.end(ticket);
        self.pace.answered(now_ms.saturating_sub(ticket.begun_ms));
        self.answered_ms = now_ms;
        self.failures_in_row = 0;
        self.probe_ms = None;
    }

    pub fn failed(&mut self, ticket: Ticket, now_ms: u64) {
        self.end(ticket);
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        if self.probe_ms.is_none() && self.failures_in_row >= self.limits.failures_max {
            self.open(now_ms);
        }
    }

    /// Nobody waits for the answer any more. That says nothing of the backend.
    pub fn abandoned(&mut self, ticket: Ticket) {
        self.end(ticket);
    }

    pub fn is_open(&self) -> bool {
        self.probe_ms.is_some()
    }

    fn begin(&mut self, now_ms: u64) -> Ticket {
        self.number_last += 1;
        let ticket = Ticket { begun_ms: now_ms, number: self.number_last };
        self.under_way.insert(ticket);
        ticket
    }

    fn end(&mut self, ticket: Ticket) {
        assert!(self.under_way.remove(&ticket), "a question is settled once");
    }

    fn open(&mut self, now_ms: u64) {
        self.probe_ms = Some(now_ms + self.limits.probe_delay_ms);
    }

    fn is_stalled(&self, now_ms: u64) -> bool {
        let Some(slow_ms) = self.pace.slow_ms() else {
            return false;
        };
        let is_slow = |ticket: &&Ticket| ticket.begun_ms + slow_ms <= now_ms;
        let slow = self.under_way.iter().take(self.limits.stalled_max).take_while(is_slow).count();
        slow == self.limits.stalled_max && self.answered_ms + slow_ms <= now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BreakerLimits =
        BreakerLimits { in_flight_max: 6, failures_max: 3, stalled_max: 2, probe_delay_ms: 250 };

    fn ask(breaker: &mut Breaker, now_ms: u64) -> Ticket {
        match breaker.admit(now_ms) {
            Admission::Ask(ticket) => ticket,
            other => panic!("{other:?} at {now_ms}"),
        }
    }

    fn probe(breaker: &mut Breaker, now_ms: u64) -> Ticket {
        match breaker.admit(now_ms) {
            Admission::Probe(ticket) => ticket,
            other => panic!("{other:?} at {now_ms}"),
        }
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_closes_it() {
        let mut breaker = Breaker::new(LIMITS);
        for now_ms in 1..=3 {
            assert!(!breaker.is_open());
            let ticket = ask(&mut breaker, now_ms);
            breaker.failed(ticket, now_ms);
        }
        assert_eq!(breaker.admit(252), Admission::Skip);
        let first = probe(&mut breaker, 253);
        assert_eq!(breaker.admit(300), Admission::Skip, "one probe at a time");
        let second = probe(&mut breaker, 503);
        breaker.failed(first, 504);
        assert!(breaker.is_open());
        breaker.answered(second, 505);
        assert!(!breaker.is_open());
        ask(&mut breaker, 505);
    }

    #[test]
    fn a_backend_that_swallows_questions_is_found_out_before_the_first_deadline() {
        let mut breaker = Breaker::new(LIMITS);
        let ticket = ask(&mut breaker, 0);
        breaker.answered(ticket, 5);
        let waiting = [ask(&mut breaker, 1_000), ask(&mut breaker, 1_050), ask(&mut breaker, 1_100)];
        ask(&mut breaker, 1_149);
        assert_eq!(breaker.admit(1_150), Admission::Skip, "two have waited for more than 100 ms");
        breaker.answered(waiting[2], 1_160);
        ask(&mut breaker, 1_160);
    }

    #[test]
    fn a_backend_that_is_always_slow_is_asked_all_the_same() {
        let mut breaker = Breaker::new(LIMITS);
        let first = [ask(&mut breaker, 0), ask(&mut breaker, 0), ask(&mut breaker, 0)];
        ask(&mut breaker, 1_900);
        for ticket in first {
            breaker.answered(ticket, 1_950);
        }
        ask(&mut breaker, 3_900);
    }

    #[test]
    fn no_more_are_asked_than_fit() {
        let mut breaker = Breaker::new(LIMITS);
        let tickets: Vec<Ticket> = (0..6).map(|_| ask(&mut breaker, 0)).collect();
        assert_eq!(breaker.admit(0), Admission::Skip);
        breaker.abandoned(tickets[0]);
        ask(&mut breaker, 0);
    }
}
