//! By which right a worker tells its lane, and until when.

use crate::clock::Steady;
use chat::lease::Fence;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A worker's lane as long as its lease is good.
#[derive(Debug, Clone)]
pub(super) struct Tenancy {
    fence: Fence,
    term: Arc<Term>,
}

/// Until when all leases of this node are good. Whoever has them renews them all at once.
#[derive(Debug)]
pub(super) struct Term {
    time: Steady,
    /// `None`: for ever.
    until_ms: Option<AtomicU64>,
}

impl Term {
    pub(super) fn new(time: Steady, is_endless: bool) -> Self {
        Self { time, until_ms: (!is_endless).then(AtomicU64::default) }
    }

    pub(super) fn extend(&self, good_until_ms: Option<u64>) {
        if let (Some(until_ms), Some(good_until_ms)) = (&self.until_ms, good_until_ms) {
            until_ms.store(good_until_ms, Ordering::Relaxed);
        }
    }

    fn is_good(&self) -> bool {
        let until_ms = self.until_ms.as_ref().map(|until_ms| until_ms.load(Ordering::Relaxed));
        until_ms.is_none_or(|until_ms| self.time.now_ms() < until_ms)
    }
}

impl Tenancy {
    pub(super) fn new(fence: Fence, term: Arc<Term>) -> Self {
        Self { fence, term }
    }

    pub(super) fn fence(&self) -> Fence {
        self.fence
    }

    pub(super) fn is_good(&self) -> bool {
        self.term.is_good()
    }

    /// Whether other nodes may tell the lane when this one does not.
    pub(super) fn is_shared(&self) -> bool {
        self.term.until_ms.is_some()
    }
}
