//! Which event is told to an endpoint next, and what follows from the answer.
//!
//! A pure state machine, driven by whoever can read the log, call the endpoint and keep checkpoints. It holds
//! what is unsettled and nothing else: events are read from the log as there is room for them.
//!
//! The promise it carries: the cursor only passes an event that is done, or that a checkpoint keeps as an exception
//! (retrying, waiting behind a retrying one of its conversation, or parked).

mod health;
mod progress;
mod schedule;

pub use health::HealthLimits;
pub use progress::{
    ANSWER_HEAD_BYTES_MAX, Checkpoint, Delivered, DeliveryState, Exception, ExceptionState, FailedAttempt,
    Failure, FailureReason, Kept, Progress, Receipt, Replay, Standing, Tenure,
};
pub use schedule::{FailureKind, Schedule, Verdict};

use crate::event::Event;
use crate::id::ConversationId;
use crate::pace::Pace;
use health::Health;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

#[derive(Debug, Clone, Copy)]
pub struct DispatchLimits {
    pub in_flight_max: usize,
    /// Further attempts, in place of ones that take much longer than is usual for the endpoint: a few that hang must not
    /// take the room of all others.
    pub stuck_max: usize,
    /// Events read from the log and never tried.
    pub fresh_max: usize,
    /// Exceptions still wanting attempts; the log is read no further while there are as many.
    pub held_max: usize,
    /// An attempt that has not been settled after this time is taken for lost.
    pub claim_ms: u64,
    pub health: HealthLimits,
}

/// Proves that a settler is the one who was given the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub offset: u64,
    id: u64,
}

/// One event to be told now.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub claim: Claim,
    /// Counted from 1.
    pub number: u32,
    /// `None`: read it from the log again. Only fresh events are kept.
    pub event: Option<Arc<Event>>,
}

/// What a settled attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Done,
    RetryAt {
        due_ms: u64,
    },
    Parked,
    /// The claim had expired, and somebody else has the event now.
    Stale,
}

#[derive(Debug)]
struct Entry {
    conversation: ConversationId,
    recorded_ms: u64,
    event: Option<Arc<Event>>,
    attempts: u32,
    first_attempt_ms: u64,
    due_ms: u64,
    claim: Option<Lease>,
    last_failure: String,
    /// A checkpoint keeps this entry as an exception, or is about to.
    kept: bool,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    id: u64,
    until_ms: u64,
}

#[derive(Debug)]
pub struct Dispatcher {
    limits: DispatchLimits,
    schedule: Schedule,
    health: Health,
    /// What its checkpoints build on.
    tenure: Tenure,
    /// Last offset taken from the log.
    read_to: u64,
    /// Everything unsettled, by offset.
    entries: BTreeMap<u64, Entry>,
    /// The unsettled events of each conversation. Only the first of a queue may be attempted.
    queues: FxHashMap<ConversationId, VecDeque<u64>>,
    /// Entries the cursor may not pass: never tried, and not behind one that failed.
    fresh: BTreeSet<u64>,
    /// First of their queue, to be attempted now.
    ready: BTreeSet<u64>,
    /// First of their queue, to be attempted later: (due, offset).
    delayed: BTreeSet<(u64, u64)>,
    /// Claimed: (until, offset).
    claims: BTreeSet<(u64, u64)>,
    /// Those of the claims that do not take longer than usual.
    brisk: BTreeSet<(u64, u64)>,
    pace: Pace,
    claim_last: u64,
    cursor_kept: u64,
    changed: BTreeSet<u64>,
    parked: Vec<Exception>,
    parked_count: u64,
    resolved: Vec<u64>,
    delivered: VecDeque<Delivered>,
    failures: VecDeque<FailedAttempt>,
}

/// Events of one conversation that are kept in memory to be told one after another. Those behind them become
/// exceptions, so that a conversation with very many does not take the room of all others.
const QUEUE_FRESH_MAX: usize = 64;

/// Deliveries, and failures, that wait for the next checkpoint.
const INSPECTION_LEN_MAX: usize = 20_000;

impl Dispatcher {
    /// Goes on from what a checkpoint kept. The clock may have been set back since then: nothing waits for longer than it
    /// would after an attempt that failed just now, and no attempt was made later than now.
    pub fn restore(limits: DispatchLimits, schedule: Schedule, state: DeliveryState, now_ms: u64) -> Self {
        assert!(
            limits.in_flight_max > 0 && limits.fresh_max > 0 && limits.held_max > 0,
            "a dispatcher has room to work"
        );
        let mut this = Self {
            limits,
            schedule,
            health: Health::new(limits.health),
            tenure: state.tenure,
            read_to: state.cursor,
            entries: BTreeMap::new(),
            queues: FxHashMap::default(),
            fresh: BTreeSet::new(),
            ready: BTreeSet::new(),
            delayed: BTreeSet::new(),
            claims: BTreeSet::new(),
            brisk: BTreeSet::new(),
            pace: Pace::default(),
            claim_last: 0,
            cursor_kept: state.cursor,
            changed: BTreeSet::new(),
            parked: Vec::new(),
            parked_count: state.parked_count,
            resolved: Vec::new(),
            delivered: VecDeque::new(),
            failures: VecDeque::new(),
        };
        let due_ms_max = now_ms + this.schedule.delay_ms_max();
        for exception in state.held {
            let ExceptionState::Held { due_ms } = exception.state else {
                continue;
            };
            let entry = Entry {
                conversation: exception.conversation,
                recorded_ms: exception.recorded_ms,
                event: None,
                attempts: exception.attempts,
                first_attempt_ms: exception.first_attempt_ms.min(now_ms),
                due_ms: due_ms.min(due_ms_max),
                claim: None,
                last_failure: exception.last_failure,
                kept: true,
            };
            this.enter(exception.offset, entry);
        }
        this
    }

    /// How many events to read from the log now, and after which offset. `None` while there is no room, or no
    /// sense: an endpoint that fails is not helped by reading on.
    pub fn wants(&self) -> Option<(u64, usize)> {
        let held = self.entries.len() - self.fresh.len();
        if held >= self.limits.held_max || (self.health.is_open() && !self.entries.is_empty()) {
            return None;
        }
        let room = self.limits.fresh_max.saturating_sub(self.fresh.len());
        (room > 0).then_some((self.read_to, room))
    }

    /// Takes events read from the log, which must follow those taken before.
    pub fn offer(&mut self, events: Vec<Event>) {
        for event in events {
            let offset = event.id.offset;
            // Not always the next one: what was forgotten before this endpoint came along is passed over.
            assert!(offset > self.read_to, "events come in order: {offset} after {}", self.read_to);
            self.read_to = offset;
            let (conversation, recorded_ms) = (event.conversation, event.recorded_ms);
            let behind_held = self.queues.get(&conversation).is_some_and(|queue| {
                queue.len() >= QUEUE_FRESH_MAX
                    || queue.front().is_some_and(|front| !self.fresh.contains(front))
            });
            let entry = Entry {
                conversation,
                recorded_ms,
                event: (!behind_held).then(|| Arc::new(event)),
                attempts: 0,
                first_attempt_ms: 0,
                due_ms: 0,
                claim: None,
                last_failure: String::new(),
                kept: behind_held,
            };
            if behind_held {
                self.changed.insert(offset);
            } else {
                self.fresh.insert(offset);
            }
            self.enter(offset, entry);
        }
    }

    /// The next event to tell, claimed for whoever asked. `None` when there is nothing to do before
    /// [`Self::wake_ms`].
    pub fn claim(&mut self, now_ms: u64) -> Option<Attempt> {
        self.expire_claims(now_ms);
        while let Some((due_ms, offset)) = self.delayed.first().copied()
            && due_ms <= now_ms
        {
            self.delayed.pop_first();
            self.ready.insert(offset);
        }
        self.notice_stuck(now_ms);
        if self.claims.len() >= self.health.allows(self.room(), now_ms) {
            return None;
        }
        let offset = match self.ready.pop_first() {
            Some(offset) => offset,
            // A probe asks whether the endpoint is back, so it need not wait until an event is due.
            None if self.health.is_open() => self.delayed.pop_first()?.1,
            None => return None,
        };
        self.health.probed();
        self.claim_last += 1;
        let lease = Lease { id: self.claim_last, until_ms: now_ms + self.limits.claim_ms };
        let entry = self.entries.get_mut(&offset).expect("ready offsets have entries");
        entry.claim = Some(lease);
        entry.attempts += 1;
        if entry.first_attempt_ms == 0 {
            entry.first_attempt_ms = now_ms;
        }
        self.claims.insert((lease.until_ms, offset));
        self.brisk.insert((lease.until_ms, offset));
        let claim = Claim { offset, id: lease.id };
        Some(Attempt { claim, number: entry.attempts, event: entry.event.clone() })
    }

    /// Takes the verdict on an attempt. `jitter` is between 0 and 1.
    pub fn settle(&mut self, claim: Claim, verdict: &Verdict, now_ms: u64, jitter: f64) -> Settled {
        let Claim { offset, id } = claim;
        let Some(entry) = self.entries.get_mut(&offset) else {
            return Settled::Stale;
        };
        match entry.claim {
            Some(current) if current.id == id => {
                entry.claim = None;
                self.claims.remove(&(current.until_ms, offset));
                self.brisk.remove(&(current.until_ms, offset));
                if matches!(verdict, Verdict::Done(Receipt::Answered { .. })) {
                    let begun_ms = current.until_ms - self.limits.claim_ms;
                    self.pace.answered(now_ms.saturating_sub(begun_ms));
                }
            }
            _ => return Settled::Stale,
        }
        match verdict {
            Verdict::Failed { failure, .. } => self.note_failure(offset, failure.clone(), now_ms),
            Verdict::Done(receipt) => {
                let done = Delivered { offset, at_ms: now_ms, attempt: entry.attempts, receipt: *receipt };
                inspect(&mut self.delivered, done);
            }
        }
        self.judge_health(verdict, now_ms);
        self.follow(offset, verdict, now_ms, jitter)
    }

    /// Does what the schedule says.
    fn follow(&mut self, offset: u64, verdict: &Verdict, now_ms: u64, jitter: f64) -> Settled {
        let entry = &self.entries[&offset];
        let age_ms = now_ms.saturating_sub(entry.first_attempt_ms);
        match self.schedule.next(verdict, entry.attempts, age_ms, jitter) {
            schedule::Next::Done => {
                self.leave(offset);
                Settled::Done
            }
            schedule::Next::RetryIn(delay_ms) => {
                let due_ms = now_ms + delay_ms;
                self.hold(offset, due_ms);
                Settled::RetryAt { due_ms }
            }
            schedule::Next::Park => {
                self.park(offset, now_ms);
                Settled::Parked
            }
        }
    }

    /// Only what came of a call says anything about the endpoint.
    fn judge_health(&mut self, verdict: &Verdict, now_ms: u64) {
        match verdict {
            Verdict::Done(Receipt::Answered { .. }) => {
                if self.health.succeeded() {
                    self.hurry();
                }
            }
            Verdict::Failed { kind: FailureKind::Passing { .. } | FailureKind::Lasting, .. } => {
                self.health.failed(now_ms);
            }
            Verdict::Done(Receipt::NotWanted)
            | Verdict::Failed { kind: FailureKind::Ours | FailureKind::Gone, .. } => {}
        }
    }

    fn note_failure(&mut self, offset: u64, failure: Failure, now_ms: u64) {
        let entry = self.entries.get_mut(&offset).expect("only entries are attempted");
        entry.last_failure.clone_from(&failure.words);
        let number = entry.attempts;
        inspect(&mut self.failures, FailedAttempt { offset, number, at_ms: now_ms, failure });
    }

    /// When to ask again if nothing else happens. `None`: not before an event is offered or settled.
    pub fn wake_ms(&self) -> Option<u64> {
        let claim_ms = self.claims.first().map(|(until_ms, _)| *until_ms);
        let work_ms = match self.health.probe_ms() {
            Some(probe_ms) if self.claims.is_empty() && !self.entries.is_empty() => Some(probe_ms),
            Some(_) => None,
            None => self.delayed.first().map(|(due_ms, _)| *due_ms),
        };
        // Whoever waits for room has it as soon as a call turns out to be stuck.
        let room_ms = (!self.ready.is_empty() && !self.health.is_open()).then(|| self.stuck_ms()).flatten();
        [claim_ms, work_ms, room_ms].into_iter().flatten().min()
    }

    /// What has to be kept so that a restart goes on from here. `None` when nothing changed since the last one.
    /// The caller keeps it, retrying if it must, before it asks for another.
    pub fn checkpoint(&mut self) -> Option<Checkpoint> {
        let cursor = self.fresh.first().map_or(self.read_to, |first| first - 1);
        assert!(cursor >= self.cursor_kept, "a cursor never goes back: {cursor} after {}", self.cursor_kept);
        if cursor == self.cursor_kept
            && self.changed.first().is_none_or(|first| *first > cursor)
            && self.parked.iter().all(|exception| exception.offset > cursor)
            && self.resolved.is_empty()
            && self.failures.is_empty()
        {
            return None;
        }
        self.cursor_kept = cursor;
        // What the cursor has not passed is read again after a restart, so it must not be kept as well.
        let ahead = self.changed.split_off(&(cursor + 1));
        let passed = std::mem::replace(&mut self.changed, ahead);
        let (mut exceptions, later) = std::mem::take(&mut self.parked)
            .into_iter()
            .partition(|exception: &Exception| exception.offset <= cursor);
        self.parked = later;
        for offset in passed {
            // What was settled since it changed is in `resolved`, or was never kept.
            let Some(entry) = self.entries.get(&offset) else {
                continue;
            };
            exceptions.push(Exception {
                offset,
                conversation: entry.conversation,
                recorded_ms: entry.recorded_ms,
                state: ExceptionState::Held { due_ms: entry.due_ms },
                attempts: entry.attempts,
                first_attempt_ms: entry.first_attempt_ms,
                last_failure: entry.last_failure.clone(),
            });
        }
        Some(Checkpoint {
            tenure: self.tenure,
            cursor,
            exceptions,
            resolved: std::mem::take(&mut self.resolved),
            delivered: std::mem::take(&mut self.delivered).into(),
            failures: std::mem::take(&mut self.failures).into(),
        })
    }

    /// Before the last checkpoint: what was read and not told becomes an exception, so that the cursor passes it. What
    /// was told further on would otherwise be told again by whoever goes on from there.
    pub fn set_aside(&mut self) {
        for offset in std::mem::take(&mut self.fresh) {
            self.entries.get_mut(&offset).expect("fresh offsets have entries").kept = true;
            self.changed.insert(offset);
        }
    }

    /// Where the event at this offset stands.
    pub fn standing(&self, offset: u64) -> Standing {
        let Some(entry) = self.entries.get(&offset) else {
            return self.settled(offset);
        };
        let first = self.queues[&entry.conversation].front().expect("every entry is in a queue");
        match entry.claim {
            _ if *first != offset => Standing::Behind { offset: *first },
            Some(_) => Standing::InFlight { attempt: entry.attempts },
            None if self.ready.contains(&offset) => Standing::Ready,
            None => Standing::RetryAt { due_ms: entry.due_ms, attempts: entry.attempts },
        }
    }

    fn settled(&self, offset: u64) -> Standing {
        let told = self.delivered.iter().rev().find(|told| told.offset == offset);
        let parked = self.parked.iter().find(|exception| exception.offset == offset);
        match (told, parked) {
            _ if offset > self.read_to => Standing::NotRead,
            (Some(told), _) => Standing::Told(*told),
            (_, Some(Exception { state: ExceptionState::Parked { at_ms }, attempts, .. })) => {
                Standing::Parked { at_ms: *at_ms, attempts: *attempts }
            }
            _ => Standing::Settled,
        }
    }

    pub fn progress(&self) -> Progress {
        Progress {
            read_to: self.read_to,
            unsettled: self.entries.len(),
            in_flight: self.claims.len(),
            held: self.held(),
            parked: self.parked_count,
            oldest_recorded_ms: self.entries.first_key_value().map(|(_, entry)| entry.recorded_ms),
            is_open: self.is_open(),
        }
    }

    /// Everything that was read is settled.
    pub fn is_idle(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn in_flight(&self) -> usize {
        self.claims.len()
    }

    pub fn held(&self) -> usize {
        self.entries.len() - self.fresh.len()
    }

    /// What its checkpoints build on.
    pub fn tenure(&self) -> Tenure {
        self.tenure
    }

    /// Where the cursor stood in the last checkpoint.
    pub fn cursor_kept(&self) -> u64 {
        self.cursor_kept
    }

    /// Last offset taken from the log.
    pub fn read_to(&self) -> u64 {
        self.read_to
    }

    /// Whether the endpoint is considered to be failing, and only probed.
    pub fn is_open(&self) -> bool {
        self.health.is_open()
    }

    fn enter(&mut self, offset: u64, entry: Entry) {
        let queue = self.queues.entry(entry.conversation).or_default();
        queue.push_back(offset);
        if queue.len() == 1 {
            if entry.due_ms == 0 {
                self.ready.insert(offset);
            } else {
                self.delayed.insert((entry.due_ms, offset));
            }
        }
        self.entries.insert(offset, entry);
    }

    /// Removes a settled entry and lets the next of its conversation forward.
    fn leave(&mut self, offset: u64) -> Entry {
        let entry = self.entries.remove(&offset).expect("only entries are settled");
        self.fresh.remove(&offset);
        if entry.kept {
            self.resolved.push(offset);
        }
        let queue = self.queues.get_mut(&entry.conversation).expect("every entry is in a queue");
        assert!(queue.pop_front() == Some(offset), "only the first of a conversation is attempted");
        match queue.front() {
            Some(next) => {
                self.ready.insert(*next);
            }
            None => {
                self.queues.remove(&entry.conversation);
            }
        }
        entry
    }

    /// Turns an entry, and everything behind it in its conversation, into exceptions.
    fn hold(&mut self, offset: u64, due_ms: u64) {
        let conversation = self.entries[&offset].conversation;
        for queued in &self.queues[&conversation] {
            let entry = self.entries.get_mut(queued).expect("queued offsets have entries");
            if *queued == offset {
                entry.due_ms = due_ms;
                self.changed.insert(offset);
            } else if !entry.kept {
                self.changed.insert(*queued);
            }
            entry.kept = true;
            entry.event = None;
            self.fresh.remove(queued);
        }
        self.delayed.insert((due_ms, offset));
    }

    fn park(&mut self, offset: u64, now_ms: u64) {
        let entry = self.leave(offset);
        // The exception stays, in another state, so it must not be resolved.
        self.resolved.retain(|resolved| *resolved != offset);
        self.parked_count += 1;
        self.parked.push(Exception {
            offset,
            conversation: entry.conversation,
            recorded_ms: entry.recorded_ms,
            state: ExceptionState::Parked { at_ms: now_ms },
            attempts: entry.attempts,
            first_attempt_ms: entry.first_attempt_ms,
            last_failure: entry.last_failure,
        });
    }

    /// An attempt whose settler died must not hold its conversation for ever.
    fn expire_claims(&mut self, now_ms: u64) {
        while let Some((until_ms, offset)) = self.claims.first().copied()
            && until_ms <= now_ms
        {
            self.claims.pop_first();
            self.brisk.remove(&(until_ms, offset));
            let entry = self.entries.get_mut(&offset).expect("claimed offsets have entries");
            entry.claim = None;
            let failure = Failure {
                reason: FailureReason::Lost,
                status: 0,
                latency_ms: self.limits.claim_ms,
                words: "the attempt was lost".to_owned(),
                answer: String::new(),
            };
            self.note_failure(offset, failure, now_ms);
            // Not parked, however old it is: its call may still arrive, and the next of its conversation must not
            // overtake it.
            self.hold(offset, now_ms + schedule::OURS_DELAY_MS);
        }
    }

    /// How many attempts may be under way at a healthy endpoint.
    fn room(&self) -> usize {
        let stuck = self.claims.len() - self.brisk.len();
        self.limits.in_flight_max + stuck.min(self.limits.stuck_max)
    }

    fn notice_stuck(&mut self, now_ms: u64) {
        while let Some(stuck_ms) = self.stuck_ms()
            && stuck_ms <= now_ms
        {
            self.brisk.pop_first();
        }
    }

    /// When the oldest of the brisk calls will be stuck.
    fn stuck_ms(&self) -> Option<u64> {
        let (until_ms, _) = self.brisk.first()?;
        Some(until_ms - self.limits.claim_ms + self.pace.slow_ms()?)
    }

    /// The endpoint is back, or may be: nothing waits for its time any more.
    pub fn hurry(&mut self) {
        for (_, offset) in std::mem::take(&mut self.delayed) {
            self.ready.insert(offset);
        }
    }
}

/// Keeps something for whoever looks at it later. The oldest goes first: a store that does not answer must not fill the
/// memory.
fn inspect<T>(kept: &mut VecDeque<T>, item: T) {
    if kept.len() == INSPECTION_LEN_MAX {
        kept.pop_front();
    }
    kept.push_back(item);
}

#[cfg(test)]
mod tests;
