//! Callback workers: each drives the dispatcher of one route, as the process does.

use crate::backend::Fate;
use chat::dispatch::{Claim, Dispatcher};
use chat::lease::Fence;
use chat::port::{Checkpoint, Route};
use chat::{Event, EventId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Longer than a call may take, and shorter than the longest delay of a settler.
pub(crate) const CLAIM_MS: u64 = 10_000;

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) route: Route,
    pub(crate) backend: usize,
    pub(crate) dispatcher: Option<Dispatcher>,
    /// Of the lease under which the route is told. Rises when the lane moves to another node.
    pub(crate) fence: Fence,
    /// Until when nobody tells it, because its new node is slow.
    pub(crate) away_until_ms: u64,
    /// Taken from the dispatcher, and not known to be kept.
    pub(crate) unkept: Option<Checkpoint>,
    /// When each call was begun that may still be settled.
    pub(crate) begun: BTreeMap<u64, u64>,
    /// The next time the worker is sure to be woken.
    pub(crate) wake_ms: u64,
    pub(crate) call_last: u64,
    /// Last known of the store.
    pub(crate) cursor: u64,
    /// Counts the dispatchers: what a former one called settles nothing.
    pub(crate) term: u64,
    /// The term in which the log was begun to be told anew, after a replay from a position.
    pub(crate) pass: u64,
    /// Offsets that may come after later ones: ever given up, also by a worker that died before it could keep it, or
    /// replayed alone.
    pub(crate) out_of_turn: BTreeSet<u64>,
    /// Offsets that were to be told again, with the term that had to do so at the earliest.
    pub(crate) owed: BTreeMap<u64, u64>,
    /// Events that were forgotten before this endpoint came along.
    pub(crate) missed: BTreeSet<EventId>,
}

/// One attempt on its way.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) worker: usize,
    pub(crate) number: u64,
    /// The term of the dispatcher that made it.
    pub(crate) term: u64,
    pub(crate) claim: Claim,
    pub(crate) event: Arc<Event>,
    pub(crate) fate: Fate,
}

impl Worker {
    pub(crate) fn new(route: Route, backend: usize) -> Self {
        Self {
            route,
            backend,
            dispatcher: None,
            fence: Fence::default(),
            away_until_ms: 0,
            unkept: None,
            begun: BTreeMap::new(),
            wake_ms: 0,
            call_last: 0,
            cursor: 0,
            term: 0,
            pass: 0,
            out_of_turn: BTreeSet::new(),
            owed: BTreeMap::new(),
            missed: BTreeSet::new(),
        }
    }

    /// What dies with the node, and is given up for a replay.
    pub(crate) fn forget(&mut self) {
        self.term += 1;
        self.dispatcher = None;
        self.unkept = None;
        self.begun.clear();
    }
}
