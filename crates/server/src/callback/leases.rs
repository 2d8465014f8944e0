//! Keeps the leases of this node, and has the crew tell what it holds.
//!
//! One task asks the store for all lanes at once; what to ask, and what follows from the answer, is decided by
//! `chat::lease`. Each slot that the node holds has a task of its own, which lasts until its workers have ended, so that
//! a call that takes long holds up its own slot and nothing else. Word from other nodes only makes it look earlier.

use super::Crew;
use super::tenancy::{Tenancy, Term};
use crate::bus::Bell;
use crate::clock::Steady;
use chat::event::Lane;
use chat::lease::{self, Ending, Keeper, Lease, LeaseAsk, LeaseTable, NodeId, Order, Slot};
use chat::port::Stored;
use futures_util::FutureExt;
use metrics::{counter, gauge};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Rings when a node comes, or gives something up. No app has this lane.
const BELL: Lane = Lane { app: lease::APP, index: 0 };

/// Without anything else to do, it is looked again after this time.
const IDLE_MS: u64 = 60_000;

/// How long the store may take to hear that the node leaves. The others find out by themselves, only later.
const LEAVE_MS_MAX: u64 = 3_000;

pub struct Leases {
    crew: Arc<Crew>,
    keeper: Keeper,
    time: Steady,
    term: Arc<Term>,
    term_ms: Option<u64>,
    /// The question under way, if there is one.
    asking: JoinSet<Stored<LeaseTable>>,
    /// When it is given up.
    asking_until_ms: u64,
    /// Other nodes want to know what it says.
    is_news: bool,
    tenants: JoinSet<Lease>,
    stops: FxHashMap<Slot, CancellationToken>,
    rung: Bell,
    /// When the last tenant of a node that leaves had ended.
    leaves_ms: Option<u64>,
}

impl std::fmt::Debug for Leases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leases").field("keeper", &self.keeper).finish_non_exhaustive()
    }
}

impl Leases {
    /// Leases of a node, which last for `term_ms`; `None` for the only node that there can be.
    pub fn new(crew: Arc<Crew>, node: NodeId, term_ms: Option<u64>) -> Self {
        let time = Steady::beginning_at(0);
        Self {
            keeper: Keeper::new(node, term_ms),
            time,
            term: Arc::new(Term::new(time, term_ms.is_none())),
            term_ms,
            asking: JoinSet::new(),
            asking_until_ms: 0,
            is_news: false,
            tenants: JoinSet::new(),
            stops: FxHashMap::default(),
            rung: crew.bus.lane(BELL),
            leaves_ms: None,
            crew,
        }
    }

    /// Until the process stops. Then everything is given up as soon as it has ended in good order.
    pub async fn run(mut self) {
        let stop = self.crew.stop.clone();
        let mut leaves = false;
        while !(leaves && self.has_left()) {
            let now_ms = self.time.now_ms();
            let expired = self.keeper.expire(now_ms);
            self.obey(expired);
            self.ask(now_ms);
            let wake_ms = self.wake_ms(now_ms).saturating_sub(now_ms);
            tokio::select! {
                // First, so that the keeper has heard of the stop before it hears that its tenants have ended.
                biased;
                () = stop.cancelled(), if !leaves => {
                    leaves = true;
                    let orders = self.keeper.leave();
                    self.obey(orders);
                }
                Some(answer) = self.asking.join_next() => match answer {
                    Ok(answer) => self.answered(answer),
                    Err(error) => tracing::error!(%error, "a question for leases broke"),
                },
                Some(ended) = self.tenants.join_next() => {
                    self.keeper.stopped(ended.expect("what runs a slot does not panic"));
                    self.show();
                }
                () = self.rung.rung() => self.keeper.hint(),
                () = sleep(Duration::from_millis(wake_ms)) => {}
            }
        }
    }

    fn wake_ms(&self, now_ms: u64) -> u64 {
        let ask_ms =
            if self.asking.is_empty() { self.keeper.ask_ms(now_ms) } else { Some(self.asking_until_ms) };
        let leave_ms = self.leaves_ms.map(|leaves_ms| leaves_ms + LEAVE_MS_MAX);
        let times = [ask_ms, self.keeper.expire_ms(), leave_ms];
        times.into_iter().flatten().min().unwrap_or(now_ms + IDLE_MS)
    }

    /// Whether there is nothing left to do for a node that leaves.
    fn has_left(&mut self) -> bool {
        if !self.tenants.is_empty() {
            return false;
        }
        let now_ms = self.time.now_ms();
        let leaves_ms = *self.leaves_ms.get_or_insert(now_ms);
        // The only node keeps what it has for the next time.
        self.term_ms.is_none() || self.keeper.has_left() || now_ms >= leaves_ms + LEAVE_MS_MAX
    }

    fn ask(&mut self, now_ms: u64) {
        if !self.asking.is_empty() {
            if now_ms < self.asking_until_ms {
                return;
            }
            // It may be carried out all the same, and the next answer says so.
            self.asking.abort_all();
            while self.asking.try_join_next().is_some() {}
            tracing::warn!("the store does not answer who tells which lanes");
        }
        if self.keeper.ask_ms(now_ms).is_none_or(|ask_ms| ask_ms > now_ms) {
            return;
        }
        let ask = self.keeper.ask(now_ms);
        self.asking_until_ms = now_ms + self.term_ms.map_or(IDLE_MS, |term_ms| term_ms / 3);
        self.is_news = self.is_news(&ask);
        let store = Arc::clone(&self.crew.chat.store);
        self.asking.spawn(async move { store.lease(ask).await });
    }

    /// Whether others can do something about it.
    fn is_news(&self, ask: &LeaseAsk) -> bool {
        let comes = self.keeper.good_until_ms() == Some(0);
        self.term_ms.is_some() && (comes || ask.leaves || !ask.released.is_empty())
    }

    fn answered(&mut self, answer: Stored<LeaseTable>) {
        match answer {
            Ok(table) => {
                let orders = self.keeper.answered(table, self.time.now_ms());
                self.term.extend(self.keeper.good_until_ms());
                self.obey(orders);
                if self.is_news {
                    self.crew.chat.bus.event_recorded(BELL);
                    // It rings here as well.
                    let _own = self.rung.rung().now_or_never();
                }
            }
            Err(error) => {
                counter!("couplet_lease_failures_total").increment(1);
                tracing::error!(%error, "cannot renew which lanes are told here");
            }
        }
        self.show();
    }

    fn obey(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Start(lease) => {
                    counter!("couplet_lease_taken_total").increment(1);
                    let stop = self.crew.stop.child_token();
                    self.stops.insert(lease.slot, stop.clone());
                    let tenancy = Tenancy::new(lease.fence, Arc::clone(&self.term));
                    let crew = Arc::clone(&self.crew);
                    self.tenants.spawn(async move {
                        crew.hold(lease.slot, tenancy, stop.clone()).await;
                        stop.cancelled().await;
                        crew.release(lease.slot).await;
                        lease
                    });
                }
                Order::Stop(lease, ending) => {
                    let ended = match ending {
                        Ending::Lost => "couplet_lease_lost_total",
                        Ending::HandedOver => "couplet_lease_handed_over_total",
                    };
                    counter!(ended).increment(1);
                    let stop = self.stops.remove(&lease.slot).expect("what is stopped was started");
                    stop.cancel();
                }
            }
        }
    }

    fn show(&self) {
        gauge!("couplet_lease_held").set(self.keeper.held().count() as f64);
        let nodes = self.keeper.others(self.time.now_ms()) + 1;
        gauge!("couplet_lease_nodes").set(nodes as f64);
    }
}

#[cfg(test)]
mod tests;
