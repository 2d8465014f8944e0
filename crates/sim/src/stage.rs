//! What the ports share with the world: the time, the chance, the faults in force, and what has been noted.
//!
//! It is locked only for the length of a statement; nothing runs at the same time.

use crate::chance::Chance;
use crate::counts::Counts;
use crate::ledger::{Due, Ledger};
use crate::plan::Faults;
use crate::report::{Broken, Checked, Trace};
use chat::port::{Clock, Hint};
use chat::{AppId, EventId, Lane, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// Any time will do; this one makes the seconds easy to read.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

#[derive(Debug)]
pub(crate) struct Stage {
    state: Mutex<State>,
}

/// A request that the node works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(pub(crate) u64);

/// Something handed to the bus.
#[derive(Debug, Clone)]
pub(crate) enum Word {
    Changed { app: AppId, user: UserId, hint: Hint },
    Online { app: AppId, user: UserId },
    Recorded { lane: Lane },
    Revoked { app: AppId, user: UserId, revoked_s: u64 },
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now_ms: u64,
    pub(crate) chance: Chance,
    pub(crate) faults: Faults,
    /// Until then the store answers nothing at all.
    pub(crate) store_back_ms: u64,
    /// Until then no question before a send is answered.
    pub(crate) gate_back_ms: u64,
    pub(crate) counts: Counts,
    pub(crate) trace: Trace,
    pub(crate) ledger: Ledger,
    /// The first promise that a commit was seen to break.
    pub(crate) broken: Option<Broken>,
    /// Tasks that committed something, and what they have still to hand to the bus for it.
    pub(crate) committed: BTreeMap<TaskId, Due>,
    /// Events that a sabotage takes back out of the log.
    pub(crate) withheld: BTreeSet<EventId>,
    /// The task that is being polled.
    pub(crate) running: TaskId,
    /// Tasks that want to be polled again at a time.
    pub(crate) wakes: Vec<(u64, TaskId)>,
    /// Words given to the bus and not yet carried anywhere.
    pub(crate) outbox: Vec<Word>,
    /// Tasks whose send the gate dropped: their senders are told of a success that is none.
    pub(crate) dropped: BTreeSet<TaskId>,
}

impl Stage {
    pub(crate) fn new(chance: Chance, faults: Faults) -> Arc<Self> {
        let state = State {
            now_ms: START_MS,
            chance,
            faults,
            store_back_ms: START_MS,
            gate_back_ms: START_MS,
            counts: Counts::default(),
            trace: Trace::default(),
            ledger: Ledger::default(),
            broken: None,
            committed: BTreeMap::new(),
            withheld: BTreeSet::new(),
            running: TaskId(0),
            wakes: Vec::new(),
            outbox: Vec::new(),
            dropped: BTreeSet::new(),
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // After an assertion failed, the trace is still wanted.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, text: &str) {
        let mut state = self.lock();
        let at_ms = state.now_ms - START_MS;
        state.trace.note(at_ms, text);
    }

    /// Takes virtual time, so that other tasks get in between.
    pub(crate) fn sleep(self: &Arc<Self>, delay_ms: u64) -> Sleep {
        let until_ms = self.lock().now_ms + delay_ms;
        Sleep { stage: Arc::clone(self), until_ms }
    }
}

impl State {
    /// Writes into the ledger, which may object.
    pub(crate) fn noted(&mut self, note: impl FnOnce(&mut Ledger) -> Checked) {
        let checked = note(&mut self.ledger);
        self.heed(checked);
    }

    /// Ends the run at the next occasion, if a promise is broken.
    pub(crate) fn heed(&mut self, checked: Checked) {
        if let Err(broken) = checked {
            self.broken.get_or_insert(broken);
        }
    }

    /// The same for something that the running task made true.
    pub(crate) fn committed(&mut self, note: impl FnOnce(&mut Ledger) -> Checked) {
        self.noted(note);
        let Due { changed, online, recorded, revoked } = std::mem::take(&mut self.ledger.due);
        let due = self.committed.entry(self.running).or_default();
        due.changed.extend(changed);
        due.online += online;
        due.recorded += recorded;
        due.revoked += revoked;
    }

    /// Takes a word for the bus, for which the running task has to have a reason.
    pub(crate) fn hand_over(&mut self, word: Word) {
        let due = self.committed.get_mut(&self.running).expect("there is no word without a commit");
        let count = match &word {
            Word::Changed { app, user, hint } => {
                let place = due.changed.iter().position(|place| *place == (*app, *user, hint.position()));
                due.changed.remove(place.expect("a hint is of an entry that was just made"));
                return self.outbox.push(word);
            }
            Word::Online { .. } => &mut due.online,
            Word::Recorded { .. } => &mut due.recorded,
            Word::Revoked { .. } => &mut due.revoked,
        };
        *count = count.checked_sub(1).expect("every word has a reason of its own");
        self.outbox.push(word);
    }

    /// Whether a fault strikes now.
    pub(crate) fn strikes(&mut self, fault: impl FnOnce(&Faults) -> u32) -> bool {
        let per_mille = fault(&self.faults);
        self.chance.hits(per_mille)
    }
}

impl Clock for Stage {
    fn now_ms(&self) -> u64 {
        self.lock().now_ms
    }
}

#[derive(Debug)]
pub(crate) struct Sleep {
    stage: Arc<Stage>,
    until_ms: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let mut state = self.stage.lock();
        if state.now_ms >= self.until_ms {
            return Poll::Ready(());
        }
        let running = state.running;
        state.wakes.push((self.until_ms, running));
        Poll::Pending
    }
}
