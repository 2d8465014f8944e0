//! What a node does about its leases: when it asks, what it takes and gives up, and when it stops by itself.
//!
//! A pure state machine. Whoever drives it can reach the store, and starts and stops those who tell. All times are of
//! one steady clock of this node, and are only compared with each other:
//!
//! - A node stops telling when two thirds of a term have passed since it *asked* for the last renewal that it was
//!   granted. The last third is for the calls that are under way.
//! - Another takes a node for dead when it has itself seen the same beat for a whole term, which began after that
//!   renewal was committed.
//!
//! So two nodes do not tell the same lane as long as their clocks run about equally fast, however they are set. The
//! time of the database would do as well, but it would be one more thing to ask of each store, and it can be set back.

use super::{Fence, Lease, LeaseAsk, LeaseTable, NodeId, SLOTS, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// Between two questions, so that many small reasons to ask make one question.
const PAUSE_MS: u64 = 100;

/// What the driver has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Tell the events of these lanes, under this fence.
    Start(Lease),
    /// End it in good order, and say so with [`Keeper::stopped`].
    Stop(Lease, Ending),
}

/// Why a lane is not told by this node any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The lease is no longer ours, or may not be.
    Lost,
    /// Somebody else shall have it.
    HandedOver,
}

#[derive(Debug)]
pub struct Keeper {
    node: NodeId,
    /// `None`: nobody else can ever hold anything, so nothing expires.
    term_ms: Option<u64>,
    /// As it was last answered.
    table: LeaseTable,
    asked_ms: u64,
    /// When the question was asked that was answered last.
    renewed_ms: Option<u64>,
    /// When the last answer came.
    heard_ms: u64,
    is_answered: bool,
    /// Somebody said that it is worth to look.
    is_hinted: bool,
    /// Those who were started and have not stopped.
    running: BTreeMap<Slot, Tenant>,
    /// Stopped, to be given up.
    released: BTreeSet<Lease>,
    /// The beat of every other node, and since when it is the same.
    beats: BTreeMap<NodeId, (u64, u64)>,
    leaves: bool,
}

#[derive(Debug, Clone, Copy)]
struct Tenant {
    fence: Fence,
    /// Told to stop.
    ending: Option<Ending>,
}

impl Keeper {
    /// A lease lasts for `term_ms`; `None` for the only node that there can be.
    pub fn new(node: NodeId, term_ms: Option<u64>) -> Self {
        assert!(
            term_ms.is_none_or(|term_ms| term_ms >= 30 * PAUSE_MS),
            "a term has room to renew: {term_ms:?}"
        );
        Self {
            node,
            term_ms,
            table: LeaseTable::default(),
            asked_ms: 0,
            renewed_ms: None,
            heard_ms: 0,
            is_answered: true,
            is_hinted: false,
            running: BTreeMap::new(),
            released: BTreeSet::new(),
            beats: BTreeMap::new(),
            leaves: false,
        }
    }

    /// What to ask of the store now.
    pub fn ask(&mut self, now_ms: u64) -> LeaseAsk {
        (self.asked_ms, self.is_answered, self.is_hinted) = (now_ms, false, false);
        LeaseAsk {
            node: self.node,
            silent: self.silent(now_ms),
            released: self.released.iter().copied().collect(),
            taken: self.wanted(now_ms),
            leaves: self.leaves && self.running.is_empty(),
        }
    }

    /// Takes the table as it is after what was asked last.
    pub fn answered(&mut self, table: LeaseTable, now_ms: u64) -> Vec<Order> {
        self.look_at_beats(&table, now_ms);
        (self.renewed_ms, self.heard_ms, self.is_answered) = (Some(self.asked_ms), now_ms, true);
        self.table = table;
        let own: BTreeMap<Slot, Fence> =
            self.table.of(self.node).map(|lease| (lease.slot, lease.fence)).collect();
        self.released.retain(|lease| own.get(&lease.slot) == Some(&lease.fence));
        let mut orders = self.stop(|slot, fence| (own.get(&slot) != Some(&fence)).then_some(Ending::Lost));
        if self.leaves {
            return orders;
        }
        for (slot, fence) in own {
            let lease = Lease { slot, fence };
            if !self.running.contains_key(&slot) && !self.released.contains(&lease) {
                self.running.insert(slot, Tenant { fence, ending: None });
                orders.push(Order::Start(lease));
            }
        }
        let surplus = self.surplus(now_ms);
        orders.extend(self.stop(|slot, _| surplus.contains(&slot).then_some(Ending::HandedOver)));
        orders
    }

    /// Stops what could not be renewed for too long.
    pub fn expire(&mut self, now_ms: u64) -> Vec<Order> {
        if self.good_until_ms().is_some_and(|until_ms| now_ms >= until_ms) {
            return self.stop(|_, _| Some(Ending::Lost));
        }
        Vec::new()
    }

    /// Gives up everything, for good. [`Self::ask`] says so as soon as all have stopped.
    pub fn leave(&mut self) -> Vec<Order> {
        self.leaves = true;
        self.stop(|_, _| Some(Ending::HandedOver))
    }

    /// Another node came, or gave something up: that is seen earlier than it would be.
    pub fn hint(&mut self) {
        self.is_hinted = true;
    }

    /// Those who told the events of these lanes have ended.
    pub fn stopped(&mut self, lease: Lease) {
        let stopped = self.running.remove(&lease.slot).expect("who stops was started");
        assert!(stopped.fence == lease.fence, "a slot is started again when it has stopped: {lease:?}");
        assert!(stopped.ending.is_some(), "nobody stops without an order: {lease:?}");
        if stopped.ending == Some(Ending::HandedOver) {
            self.released.insert(lease);
        }
    }

    /// Until when leases are good; `None` as long as nothing expires. What was never renewed is good for nothing.
    pub fn good_until_ms(&self) -> Option<u64> {
        self.term_ms.map(|term_ms| self.renewed_ms.map_or(0, |renewed_ms| renewed_ms + term_ms / 3 * 2))
    }

    /// When to ask next. `None`: not before something happens.
    pub fn ask_ms(&self, now_ms: u64) -> Option<u64> {
        if self.has_left() {
            return None;
        }
        if self.renewed_ms.is_none() && self.is_answered {
            return Some(now_ms);
        }
        if !self.is_answered {
            return Some(self.asked_ms + self.term_ms.map_or(10 * PAUSE_MS, |term_ms| term_ms / 15));
        }
        if !self.wanted(now_ms).is_empty() {
            return Some(self.asked_ms);
        }
        if self.is_hinted || !self.released.is_empty() || (self.leaves && self.running.is_empty()) {
            return Some(self.asked_ms + PAUSE_MS);
        }
        self.term_ms.map(|term_ms| self.asked_ms + term_ms / 3)
    }

    /// When [`Self::expire`] has something to do.
    pub fn expire_ms(&self) -> Option<u64> {
        let any = self.running.values().any(|tenant| tenant.ending.is_none());
        self.good_until_ms().filter(|_| any)
    }

    /// Whether the node has given up everything that it had.
    pub fn has_left(&self) -> bool {
        self.leaves
            && self.running.is_empty()
            && self.is_answered
            && !self.table.nodes.contains_key(&self.node)
    }

    /// Slots whose events this node tells now.
    pub fn held(&self) -> impl Iterator<Item = Lease> {
        let running = self.running.iter().filter(|(_, tenant)| tenant.ending.is_none());
        running.map(|(slot, tenant)| Lease { slot: *slot, fence: tenant.fence })
    }

    /// Other nodes as they were last seen, those that seem dead left out.
    pub fn others(&self, now_ms: u64) -> usize {
        let silent = self.silent(now_ms).len();
        self.beats.len() - silent
    }

    fn stop(&mut self, why: impl Fn(Slot, Fence) -> Option<Ending>) -> Vec<Order> {
        let mut orders = Vec::new();
        for (slot, tenant) in &mut self.running {
            if tenant.ending.is_none()
                && let Some(ending) = why(*slot, tenant.fence)
            {
                tenant.ending = Some(ending);
                orders.push(Order::Stop(Lease { slot: *slot, fence: tenant.fence }, ending));
            }
        }
        orders
    }

    /// Who could not look for a while cannot say that nothing was to be seen: when the store was away for everybody,
    /// nobody is dead because of it.
    fn has_looked(&self, now_ms: u64) -> bool {
        self.term_ms.is_none_or(|term_ms| now_ms - self.heard_ms <= term_ms / 3 * 2)
    }

    fn look_at_beats(&mut self, table: &LeaseTable, now_ms: u64) {
        let looked = self.renewed_ms.is_some() && self.has_looked(now_ms);
        let others = table.nodes.iter().filter(|(node, _)| **node != self.node);
        let beats = others.map(|(node, beat)| match self.beats.get(node) {
            Some((before, since_ms)) if before == beat && looked => (*node, (*beat, *since_ms)),
            _ => (*node, (*beat, now_ms)),
        });
        self.beats = beats.collect();
    }

    fn silent(&self, now_ms: u64) -> Vec<(NodeId, u64)> {
        // Where there can be no other, those who stand there were here before, and cannot come back.
        let (term_ms, looked) = (self.term_ms.unwrap_or(0), self.has_looked(now_ms));
        let silent = self.beats.iter().filter(|(_, (_, since_ms))| looked && now_ms >= since_ms + term_ms);
        silent.map(|(node, (beat, _))| (*node, *beat)).collect()
    }

    /// Most slots that a node should have.
    fn share(&self, now_ms: u64) -> usize {
        usize::from(SLOTS).div_ceil(self.others(now_ms) + 1)
    }

    /// Free slots to take, up to a fair share.
    fn wanted(&self, now_ms: u64) -> Vec<Slot> {
        if self.leaves || !self.table.nodes.contains_key(&self.node) {
            return Vec::new();
        }
        let dead: BTreeSet<NodeId> = self.silent(now_ms).into_iter().map(|(node, _)| node).collect();
        let held_by_living = |slot: &Slot| {
            let holder = self.table.held.get(slot).map(|(holder, _)| *holder);
            holder.is_some_and(|holder| !dead.contains(&holder))
        };
        // What is winding down here has to end before it begins again.
        let free: Vec<Slot> =
            Slot::all().filter(|slot| !held_by_living(slot) && !self.running.contains_key(slot)).collect();
        let own = self.table.of(self.node).filter(|lease| !self.released.contains(lease)).count();
        let room = self.share(now_ms).saturating_sub(own);
        spread(&free, room)
    }

    /// Slots to hand over, so that others get their share.
    fn surplus(&self, now_ms: u64) -> Vec<Slot> {
        let running: Vec<Slot> = self.held().map(|lease| lease.slot).collect();
        spread(&running, running.len().saturating_sub(self.share(now_ms)))
    }
}

/// So many of them, evenly: the lanes of an app lie beside each other, and should not all go the same way.
fn spread(slots: &[Slot], count: usize) -> Vec<Slot> {
    let count = count.min(slots.len());
    (0..count).map(|at| slots[at * slots.len() / count]).collect()
}

#[cfg(test)]
mod tests;
