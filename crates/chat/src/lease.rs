//! Which node tells which lanes, when several nodes serve the same apps.
//!
//! All lanes of all apps fall into [`SLOTS`] slots, and a slot is leased to one node at a time. There is one small table
//! of them, whatever the number of apps, so that a node renews everything that it holds with one commit.
//!
//! Here is what the table means: [`LeaseTable::carry_out`] is what a store does at the commit, and every wish in a
//! [`LeaseAsk`] says under which condition it still holds. What a node wishes is decided by its [`Keeper`].
//!
//! A lease keeps two nodes from telling the same events, as long as nobody is paused for longer than it lasts. What
//! must hold even then is held elsewhere: a route's row remembers the highest fence that has written to it, and refuses
//! whoever comes with a lower one ([`Tenure`](crate::dispatch::Tenure)).

mod keeper;

pub use keeper::{Ending, Keeper, Order};

use crate::event::Lane;
use crate::id::AppId;
use std::collections::BTreeMap;

/// No app has this number: what belongs to all of them can be kept under it.
pub const APP: AppId = AppId(0);

/// Enough that some ten nodes get about the same, and few enough that the table is one short row.
pub const SLOTS: u16 = 64;

/// Nodes in the table. Further ones serve users, and tell no events until one of these goes.
pub const NODES_MAX: usize = 256;

/// A running process. One that starts again is another node, unless nobody else can use its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The only process that can use a store, by the lock on its directory. Always the same one: what it held when it
    /// died is its own when it starts again, and nobody waits for a term.
    pub const SOLE: Self = Self(0);
}

/// A share of all lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

impl Slot {
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOTS).map(Self)
    }

    /// Where a lane belongs, for ever: nodes of different releases must agree. Lanes of one app fall into slots beside
    /// one another, which seldom belong to the same node.
    pub fn of(lane: Lane) -> Self {
        // The numbers of apps often follow each other; their high bits after the product do not.
        let app = lane.app.0.wrapping_mul(0x9e37_79b1) >> 16;
        Self(((app + u32::from(lane.index)) % u32::from(SLOTS)) as u16)
    }
}

/// Rises with every change of a slot's holder, and is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fence(pub u64);

/// A slot in somebody's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    pub slot: Slot,
    pub fence: Fence,
}

/// Who is there, and who holds what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseTable {
    /// Each node with its last beat. That it changes is how others see that the node lives: no clock is compared with
    /// another.
    pub nodes: BTreeMap<NodeId, u64>,
    /// Slots that somebody holds.
    pub held: BTreeMap<Slot, (NodeId, Fence)>,
    /// The last number that was given, as a beat or as a fence.
    pub last: u64,
}

/// What a node wants of the table. Carried out in the order of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseAsk {
    pub node: NodeId,
    /// Nodes that have shown no sign of life for a whole term, each with its last beat: one that beats again was not
    /// dead. What they hold is free.
    pub silent: Vec<(NodeId, u64)>,
    pub released: Vec<Lease>,
    /// Taken if they are free.
    pub taken: Vec<Slot>,
    /// The node goes, and gives up all it holds.
    pub leaves: bool,
}

impl LeaseTable {
    /// Carries out what a node asks. To do so twice changes nothing but the node's beat.
    pub fn carry_out(&mut self, ask: &LeaseAsk) {
        for (node, beat) in &ask.silent {
            if self.nodes.get(node) == Some(beat) {
                self.forget(*node);
            }
        }
        for lease in &ask.released {
            if self.held.get(&lease.slot) == Some(&(ask.node, lease.fence)) {
                self.held.remove(&lease.slot);
            }
        }
        if ask.leaves {
            self.forget(ask.node);
            return;
        }
        if self.nodes.len() >= NODES_MAX && !self.nodes.contains_key(&ask.node) {
            return;
        }
        let beat = self.next();
        self.nodes.insert(ask.node, beat);
        for slot in &ask.taken {
            assert!(slot.0 < SLOTS, "there is no such slot: {slot:?}");
            if !self.held.contains_key(slot) {
                let fence = Fence(self.next());
                self.held.insert(*slot, (ask.node, fence));
            }
        }
    }

    /// What a node holds.
    pub fn of(&self, node: NodeId) -> impl Iterator<Item = Lease> {
        let own = self.held.iter().filter(move |(_, (holder, _))| *holder == node);
        own.map(|(slot, (_, fence))| Lease { slot: *slot, fence: *fence })
    }

    fn forget(&mut self, node: NodeId) {
        self.nodes.remove(&node);
        self.held.retain(|_, (holder, _)| *holder != node);
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NodeId = NodeId(1);
    const TWO: NodeId = NodeId(2);

    fn ask(node: NodeId) -> LeaseAsk {
        LeaseAsk { node, silent: Vec::new(), released: Vec::new(), taken: Vec::new(), leaves: false }
    }

    fn takes(node: NodeId, slots: &[u16]) -> LeaseAsk {
        LeaseAsk { taken: slots.iter().copied().map(Slot).collect(), ..ask(node) }
    }

    fn held(table: &LeaseTable, node: NodeId) -> Vec<(u16, u64)> {
        table.of(node).map(|lease| (lease.slot.0, lease.fence.0)).collect()
    }

    #[test]
    fn only_what_is_free_is_taken() {
        let mut table = LeaseTable::default();
        table.carry_out(&takes(ONE, &[0, 7]));
        table.carry_out(&takes(TWO, &[7, 9]));
        assert_eq!(held(&table, ONE), [(0, 2), (7, 3)]);
        assert_eq!(held(&table, TWO), [(9, 5)]);
        // To ask for what one has keeps its fence.
        table.carry_out(&takes(ONE, &[0, 7]));
        assert_eq!(held(&table, ONE), [(0, 2), (7, 3)]);
        assert_eq!(table.nodes, BTreeMap::from([(ONE, 6), (TWO, 4)]));
    }

    #[test]
    fn a_release_means_the_lease_it_names() {
        let mut table = LeaseTable::default();
        table.carry_out(&takes(ONE, &[0, 1]));
        let lease = |slot, fence| Lease { slot: Slot(slot), fence: Fence(fence) };
        let released = vec![lease(0, 2), lease(1, 2), lease(5, 2)];
        table.carry_out(&LeaseAsk { released: released.clone(), ..ask(TWO) });
        assert_eq!(held(&table, ONE), [(0, 2), (1, 3)]);
        table.carry_out(&LeaseAsk { released, ..ask(ONE) });
        assert_eq!(held(&table, ONE), [(1, 3)]);
        // Its next holder has a higher fence, also when it is the same node.
        table.carry_out(&takes(ONE, &[0]));
        assert_eq!(held(&table, ONE), [(0, 7), (1, 3)]);
    }

    #[test]
    fn a_node_that_beats_again_was_not_dead() {
        let mut table = LeaseTable::default();
        table.carry_out(&takes(ONE, &[0]));
        let beat = table.nodes[&ONE];
        let buries = LeaseAsk { silent: vec![(ONE, beat)], ..takes(TWO, &[0]) };
        let mut alive = table.clone();
        alive.carry_out(&ask(ONE));
        alive.carry_out(&buries);
        assert_eq!((held(&alive, ONE), held(&alive, TWO)), (vec![(0, 2)], vec![]));
        table.carry_out(&buries);
        assert_eq!((held(&table, ONE), held(&table, TWO)), (vec![], vec![(0, 4)]));
        // It comes back with nothing, and with another beat than it ever had.
        table.carry_out(&takes(ONE, &[0]));
        assert_eq!((held(&table, ONE), table.nodes[&ONE]), (vec![], 5));
    }

    #[test]
    fn who_leaves_leaves_nothing() {
        let mut table = LeaseTable::default();
        table.carry_out(&takes(ONE, &[0, 1]));
        table.carry_out(&LeaseAsk { leaves: true, ..takes(ONE, &[2]) });
        assert_eq!(table, LeaseTable { last: 3, ..LeaseTable::default() });
    }

    #[test]
    fn the_table_has_room_for_so_many() {
        let mut table = LeaseTable::default();
        for node in 1..=300 {
            table.carry_out(&ask(NodeId(node)));
        }
        assert_eq!((table.nodes.len(), table.last), (256, 256));
        table.carry_out(&takes(NodeId(300), &[0]));
        assert_eq!(held(&table, NodeId(300)), []);
        table.carry_out(&ask(NodeId(1)));
        assert_eq!(table.nodes[&NodeId(1)], 257);
    }

    #[test]
    fn slots_never_change() {
        let slot = |app, index| Slot::of(Lane { app: AppId(app), index }).0;
        assert_eq!([slot(1_400_000_001, 0), slot(1_400_000_001, 1), slot(1_400_000_001, 3)], [29, 30, 32]);
        assert_eq!([slot(1, 0), slot(u32::MAX, 9)], [55, 17]);
        // A thousand apps in a row are spread evenly.
        let mut counts = [0; SLOTS as usize];
        for app in 1_400_000_000..1_400_001_000 {
            counts[usize::from(slot(app, 0))] += 1;
        }
        assert!(counts.iter().all(|count| (5..=30).contains(count)), "{counts:?}");
    }
}
