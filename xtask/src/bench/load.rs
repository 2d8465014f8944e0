//! A load under way: which message is next, when the run is over, and what has become of each message.
//!
//! How a message looks on the wire is the business of [`super::rest`] and [`super::ws`], and when it is due that of
//! [`super::generator`].

use std::{
    cell::{Cell, OnceCell, RefCell},
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::sync::Notify;

use super::{
    clock::{self, SECOND_NS},
    ledger::Sent,
    plan::{Go, Plan},
};

/// How long the last answers may take after the last send.
const TAIL: Duration = Duration::from_secs(60);

pub(super) struct Load {
    pub plan: Plan,
    go: OnceCell<Go>,
    pub issued: Cell<u32>,
    pub done: Cell<u32>,
    /// No message will be issued any more.
    closing: Cell<bool>,
    pub sent: RefCell<Vec<Sent>>,
    failure: RefCell<Option<String>>,
    over: Notify,
}

impl Load {
    pub(super) fn new(plan: Plan) -> Self {
        Load {
            plan,
            go: OnceCell::new(),
            issued: Cell::new(0),
            done: Cell::new(0),
            closing: Cell::new(false),
            sent: RefCell::default(),
            failure: RefCell::default(),
            over: Notify::new(),
        }
    }

    pub(super) fn begin(&self, go: Go) {
        self.go.get_or_init(|| go);
    }

    /// The next message of a closed loop, if there is one.
    pub(super) fn next(&self) -> Option<u32> {
        let now_ns = clock::now_ns();
        let goes_on = match self.go.get() {
            Some(Go::Closed { end_ns }) => now_ns < *end_ns,
            Some(Go::Count { messages }) => self.issued.get() < *messages,
            Some(Go::Open { .. }) | None => return None,
        };
        if goes_on {
            return Some(self.issue(now_ns));
        }
        self.close();
        None
    }

    pub(super) fn issue(&self, start_ns: u64) -> u32 {
        let n = self.issued.get();
        self.issued.set(n + 1);
        if self.plan.ledger.is_some() {
            self.sent.borrow_mut().push(Sent { start_ns, ..Sent::default() });
        }
        n
    }

    pub(super) fn random_of(&self, n: u32) -> u32 {
        self.plan.first_random + n
    }

    /// The message with this number, if it belongs to this run.
    pub(super) fn message_of(&self, random: u32) -> Option<u32> {
        random.checked_sub(self.plan.first_random).filter(|n| *n < self.issued.get())
    }

    /// Changes the entry of a message in the ledger, and answers how it stands now.
    pub(super) fn note(&self, n: u32, change: impl FnOnce(&mut Sent)) -> Sent {
        match self.sent.borrow_mut().get_mut(n as usize) {
            Some(sent) => {
                change(sent);
                *sent
            }
            None => Sent::default(),
        }
    }

    /// A message has gone all its way.
    pub(super) fn finish(&self) {
        self.done.set(self.done.get() + 1);
        if self.closing.get() {
            self.close();
        }
    }

    pub(super) fn fail(&self, why: impl Into<String>) {
        self.failure.borrow_mut().get_or_insert_with(|| why.into());
        self.over.notify_one();
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    pub(super) fn close(&self) {
        self.closing.set(true);
        if self.done.get() == self.issued.get() {
            self.over.notify_one();
        }
    }

    pub(super) async fn wait_until_over(&self) -> Result<()> {
        let end_ns = match self.go.get() {
            Some(Go::Closed { end_ns } | Go::Open { end_ns, .. }) => end_ns.saturating_sub(clock::now_ns()),
            // Preparing a large store takes as long as it takes; the parent watches that it goes on.
            Some(Go::Count { .. }) | None => 24 * 3_600 * SECOND_NS,
        };
        let patience = Duration::from_nanos(end_ns) + TAIL;
        if tokio::time::timeout(patience, self.over.notified()).await.is_err() {
            bail!("{} messages are unfinished {TAIL:?} after the end", self.issued.get() - self.done.get());
        }
        match self.failure.take() {
            Some(why) => bail!("{why}"),
            None => Ok(()),
        }
    }
}
