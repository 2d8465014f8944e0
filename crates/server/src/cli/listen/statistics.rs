//! What came in, counted in bounded memory. The time is handed in, so that the counts can be tested.

use super::bounded::{AtLeast, Distinct, Lately, Tally};
use super::show::Seen;
use crate::receiver::Received;
use axum::http::StatusCode;
use std::collections::{BTreeMap, VecDeque};

/// Ids remembered to tell repetitions; retries of an event end long before so many others have come.
const IDS_MAX: usize = 1_000_000;
const USERS_MAX: usize = 1_000_000;
const CONVERSATIONS_MAX: usize = 1_000_000;
const SENDERS_MAX: usize = 100_000;
/// There are twenty; the others are those of whoever calls without a signature.
const COMMANDS_MAX: usize = 64;
const CODES_MAX: usize = 256;
/// For an hour the minutes are kept one by one.
pub(super) const MINUTES_MAX: usize = 60;
/// The rate of now is that of so many seconds.
const RATE_SECS: u64 = 10;
const LATENCY_MS_MAX: u64 = 60_000;
/// At more than so many events a minute, percentiles are those of the last so many.
const LATENCIES_MAX: usize = 10_000;
const TOP_SENDERS: usize = 5;

#[derive(Debug)]
pub(super) struct Statistics {
    since_ms: u64,
    callbacks: u64,
    repeated: u64,
    refused: u64,
    messages: u64,
    failures: u64,
    users: Distinct,
    conversations: Distinct,
    ids: Lately,
    by_command: Tally<String>,
    failures_by_code: Tally<u32>,
    senders: Tally<String>,
    minutes: BTreeMap<u64, Minute>,
    seconds: BTreeMap<u64, u64>,
    latencies: VecDeque<Latency>,
    forwarded: Forwarded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Minute {
    /// When it began.
    pub at_ms: u64,
    pub callbacks: u64,
    pub messages: u64,
    pub failures: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Forwarded {
    pub callbacks: u64,
    pub without_answer: u64,
    /// Answered, but with a status other than 200.
    pub not_ok: u64,
}

#[derive(Debug, Clone, Copy)]
struct Latency {
    at_ms: u64,
    latency_ms: u64,
}

/// The counts of one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Summary {
    pub elapsed_ms: u64,
    pub callbacks: u64,
    pub repeated: AtLeast,
    pub refused: u64,
    pub messages: u64,
    pub failures: u64,
    pub users: AtLeast,
    pub conversations: AtLeast,
    /// Most frequent first.
    pub by_command: Vec<(String, u64)>,
    /// Most frequent first.
    pub failures_by_code: Vec<(u32, u64)>,
    /// Most frequent first.
    pub top_senders: Vec<(String, u64)>,
    /// Callbacks a second, just now.
    pub rate_now: f64,
    /// Since the start, an hour at most, the present one last.
    pub minutes: Vec<Minute>,
    /// Of the last minute: the median, and what only one in a hundred exceeds.
    pub latency_ms: Option<(u64, u64)>,
    pub forwarded: Forwarded,
}

impl Statistics {
    pub(super) fn new(now_ms: u64) -> Self {
        Self {
            since_ms: now_ms,
            callbacks: 0,
            repeated: 0,
            refused: 0,
            messages: 0,
            failures: 0,
            users: Distinct::new(USERS_MAX),
            conversations: Distinct::new(CONVERSATIONS_MAX),
            ids: Lately::new(IDS_MAX),
            by_command: Tally::new(COMMANDS_MAX),
            failures_by_code: Tally::new(CODES_MAX),
            senders: Tally::new(SENDERS_MAX),
            minutes: BTreeMap::new(),
            seconds: BTreeMap::new(),
            latencies: VecDeque::new(),
            forwarded: Forwarded::default(),
        }
    }

    pub(super) fn count(&mut self, seen: &Seen, received: &Received) {
        self.callbacks += 1;
        *self.seconds.entry(received.at_ms / 1000).or_default() += 1;
        // One more than are looked at, since the present second is not over.
        bound(&mut self.seconds, RATE_SECS as usize + 1);
        self.minute(received.at_ms).callbacks += 1;
        if received.event_id.as_ref().is_some_and(|id| !self.ids.is_new(id)) {
            self.repeated += 1;
            return;
        }
        self.by_command.count(seen.command.clone());
        seen.users().iter().for_each(|user| self.users.see(user));
        if let Some(conversation) = seen.conversation() {
            self.conversations.see(conversation);
        }
        if let Some(latency_ms) = seen.latency_ms(received.at_ms) {
            self.latencies.push_back(Latency { at_ms: received.at_ms, latency_ms });
            if self.latencies.len() > LATENCIES_MAX {
                self.latencies.pop_front();
            }
        }
        match seen.result() {
            Some(0) => {
                self.messages += 1;
                self.senders.count(seen.sender());
                self.minute(received.at_ms).messages += 1;
            }
            Some(code) => {
                self.failures += 1;
                self.failures_by_code.count(code);
                self.minute(received.at_ms).failures += 1;
            }
            None => {}
        }
    }

    pub(super) fn count_refused(&mut self) {
        self.refused += 1;
    }

    /// With the status of the answer, if there was one.
    pub(super) fn count_forwarded(&mut self, status: Option<StatusCode>) {
        self.forwarded.callbacks += 1;
        match status {
            None => self.forwarded.without_answer += 1,
            Some(StatusCode::OK) => {}
            Some(_) => self.forwarded.not_ok += 1,
        }
    }

    fn minute(&mut self, at_ms: u64) -> &mut Minute {
        let minute = at_ms / 60_000;
        self.minutes.entry(minute).or_insert(Minute { at_ms: minute * 60_000, ..Minute::default() });
        bound(&mut self.minutes, MINUTES_MAX);
        // A clock that was set back can name a minute that is gone already.
        self.minutes.entry(minute).or_insert(Minute { at_ms: minute * 60_000, ..Minute::default() })
    }

    pub(super) fn summary(&self, now_ms: u64) -> Summary {
        let mut by_command = self.by_command.top(COMMANDS_MAX);
        if self.by_command.others() > 0 {
            by_command.push(("other".to_owned(), self.by_command.others()));
        }
        Summary {
            elapsed_ms: now_ms.saturating_sub(self.since_ms),
            callbacks: self.callbacks,
            repeated: AtLeast { count: self.repeated, is_open: self.ids.has_forgotten() },
            refused: self.refused,
            messages: self.messages,
            failures: self.failures,
            users: self.users.count(),
            conversations: self.conversations.count(),
            by_command,
            failures_by_code: self.failures_by_code.top(CODES_MAX),
            top_senders: self.senders.top(TOP_SENDERS),
            rate_now: self.rate(now_ms),
            minutes: self.minutes(now_ms),
            latency_ms: self.latency(now_ms),
            forwarded: self.forwarded,
        }
    }

    /// Of the seconds that are over; the present one would make it jump.
    fn rate(&self, now_ms: u64) -> f64 {
        let now_s = now_ms / 1000;
        let secs = now_s.saturating_sub(self.since_ms / 1000).clamp(1, RATE_SECS);
        self.seconds.range(now_s.saturating_sub(secs)..now_s).map(|(_, count)| count).sum::<u64>() as f64
            / secs as f64
    }

    fn minutes(&self, now_ms: u64) -> Vec<Minute> {
        let now = now_ms / 60_000;
        let first = (self.since_ms / 60_000).max((now + 1).saturating_sub(MINUTES_MAX as u64));
        let empty = |minute: u64| Minute { at_ms: minute * 60_000, ..Minute::default() };
        (first..=now).map(|minute| self.minutes.get(&minute).copied().unwrap_or(empty(minute))).collect()
    }

    fn latency(&self, now_ms: u64) -> Option<(u64, u64)> {
        let recent = self.latencies.iter().filter(|latency| latency.at_ms + LATENCY_MS_MAX > now_ms);
        let mut sorted: Vec<u64> = recent.map(|latency| latency.latency_ms).collect();
        sorted.sort_unstable();
        let percentile = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?);
        Some((*percentile(50)?, *percentile(99)?))
    }
}

/// Forgets the oldest ones.
fn bound<V>(map: &mut BTreeMap<u64, V>, len_max: usize) {
    while map.len() > len_max {
        map.pop_first();
    }
}

impl Summary {
    /// Never so short that a rate over it would be nonsense.
    pub(super) fn elapsed_minutes(&self) -> f64 {
        (self.elapsed_ms as f64 / 60_000.0).max(1.0 / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::show::tests::received;
    use super::*;

    const START_MS: u64 = 1_767_000_000_000;

    fn sent(from: &str, to: &str, result: u32, event_time_ms: u64) -> String {
        format!(
            r#"{{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"{from}","To_Account":"{to}","SendMsgResult":{result},"EventTime":{event_time_ms}}}"#
        )
    }

    fn count(statistics: &mut Statistics, at_ms: u64, id: &str, body: &str) {
        let mut received = received("", body);
        received.at_ms = at_ms;
        received.event_id = (!id.is_empty()).then(|| id.to_owned());
        statistics.count(&Seen::of(&received), &received);
    }

    #[test]
    fn everything_is_counted_once() {
        let mut statistics = Statistics::new(START_MS);
        let at_ms = START_MS + 1_000;
        count(&mut statistics, at_ms, "1", &sent("ana", "bo", 0, at_ms - 20));
        count(&mut statistics, at_ms, "1", &sent("ana", "bo", 0, at_ms - 20));
        count(&mut statistics, at_ms, "2", &sent("bo", "ana", 0, at_ms - 900));
        count(&mut statistics, at_ms, "3", &sent("bo", "ana", 0, at_ms + 900));
        count(&mut statistics, at_ms, "4", &sent("cy", "ana", 20_007, at_ms - 40));
        count(
            &mut statistics,
            at_ms,
            "5",
            r#"{"CallbackCommand":"State.StateChange","Info":{"To_Account":"dee"}}"#,
        );
        // A question has no id, and is never a repetition.
        let question = r#"{"CallbackCommand":"C2C.CallbackBeforeSendMsg","From_Account":"ana","To_Account":"bo","EventTime":1}"#;
        count(&mut statistics, at_ms, "", question);
        count(&mut statistics, at_ms, "", question);
        statistics.count_refused();
        for status in [None, Some(StatusCode::OK), Some(StatusCode::BAD_GATEWAY), None] {
            statistics.count_forwarded(status);
        }
        let exactly = |count| AtLeast { count, is_open: false };
        let named =
            |counts: &[(&str, u64)]| counts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        assert_eq!(
            statistics.summary(START_MS + 2_500),
            Summary {
                elapsed_ms: 2_500,
                callbacks: 8,
                repeated: exactly(1),
                refused: 1,
                messages: 3,
                failures: 1,
                users: exactly(4),
                conversations: exactly(2),
                by_command: named(&[
                    ("C2C.CallbackAfterSendMsg", 4),
                    ("C2C.CallbackBeforeSendMsg", 2),
                    ("State.StateChange", 1)
                ]),
                failures_by_code: vec![(20_007, 1)],
                top_senders: named(&[("bo", 2), ("ana", 1)]),
                rate_now: 4.0,
                minutes: vec![Minute { at_ms: START_MS, callbacks: 8, messages: 3, failures: 1 }],
                latency_ms: Some((20, 900)),
                forwarded: Forwarded { callbacks: 4, without_answer: 2, not_ok: 1 },
            }
        );
    }

    #[test]
    fn rates_are_those_of_whole_seconds() {
        let mut statistics = Statistics::new(START_MS);
        for second in 0..20 {
            for _ in 0..=second {
                count(&mut statistics, START_MS + second * 1_000 + 999, "", "{}");
            }
        }
        let rate = |now_ms| statistics.summary(now_ms).rate_now;
        // 11 and 12 and so on up to 20; the callbacks of the present second do not count yet.
        assert_eq!(rate(START_MS + 20_000), 15.5);
        assert_eq!(rate(START_MS + 19_999), 14.5);
        assert_eq!(rate(START_MS + 29_000), 2.0);
        assert_eq!(rate(START_MS + 30_000), 0.0);
        assert_eq!(Statistics::new(START_MS).summary(START_MS).rate_now, 0.0);
    }

    #[test]
    fn an_hour_of_minutes_is_kept() {
        let mut statistics = Statistics::new(START_MS);
        for minute in [0, 1, 3, 70] {
            count(&mut statistics, START_MS + minute * 60_000, "", &sent("ana", "bo", 0, 0));
        }
        let minutes = |now: u64| -> Vec<(u64, u64)> {
            let summary = statistics.summary(START_MS + now * 60_000);
            let minutes = summary.minutes.iter();
            minutes.map(|minute| ((minute.at_ms - START_MS) / 60_000, minute.messages)).collect()
        };
        assert_eq!(minutes(4), [(0, 1), (1, 1), (2, 0), (3, 1), (4, 0)]);
        let hour = minutes(70);
        assert_eq!((hour.len(), hour[0], hour[59]), (60, (11, 0), (70, 1)));
        // A clock that was set back spoils nothing but its own minute.
        let mut statistics = Statistics::new(START_MS + 600_000);
        for minute in (0..100).rev() {
            count(&mut statistics, START_MS + minute * 60_000, "", "{}");
        }
        assert_eq!(statistics.summary(START_MS).minutes, []);
        assert!(statistics.minutes.len() <= MINUTES_MAX + 1);
    }

    #[test]
    fn latencies_are_those_of_the_last_minute() {
        let mut statistics = Statistics::new(START_MS);
        for latency_ms in 1..=200 {
            count(&mut statistics, START_MS, "", &sent("ana", "bo", 0, START_MS - latency_ms));
        }
        assert_eq!(statistics.summary(START_MS + 59_999).latency_ms, Some((100, 198)));
        assert_eq!(statistics.summary(START_MS + 60_000).latency_ms, None);
        for _ in 0..=LATENCIES_MAX {
            count(&mut statistics, START_MS + 1, "", &sent("ana", "bo", 0, START_MS));
        }
        assert_eq!(statistics.latencies.len(), LATENCIES_MAX);
        assert_eq!(statistics.summary(START_MS + 2).latency_ms, Some((1, 1)));
    }

    #[test]
    fn names_that_nobody_knows_do_not_fill_the_memory() {
        let mut statistics = Statistics::new(START_MS);
        for name in 0..COMMANDS_MAX + 3 {
            count(&mut statistics, START_MS, "", &format!(r#"{{"CallbackCommand":"Name{name:03}"}}"#));
        }
        let by_command = statistics.summary(START_MS).by_command;
        assert_eq!(by_command.len(), COMMANDS_MAX + 1);
        assert_eq!(by_command[COMMANDS_MAX], ("other".to_owned(), 3));
    }
}
