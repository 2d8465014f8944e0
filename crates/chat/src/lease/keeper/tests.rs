use super::*;
use std::collections::BTreeMap;

const TERM_MS: u64 = 15_000;
const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);

fn round(keeper: &mut Keeper, table: &mut LeaseTable, now_ms: u64) -> Vec<Order> {
    let ask = keeper.ask(now_ms);
    table.carry_out(&ask);
    keeper.answered(table.clone(), now_ms)
}

/// A keeper that holds everything, and asked for it last at 1,000.
fn alone(table: &mut LeaseTable) -> Keeper {
    let mut keeper = Keeper::new(ONE, Some(TERM_MS));
    assert_eq!(keeper.ask_ms(900), Some(900));
    assert_eq!(round(&mut keeper, table, 900), []);
    assert_eq!(keeper.ask_ms(901), Some(900));
    assert_eq!(round(&mut keeper, table, 1_000).len(), 64);
    keeper
}

fn slots(orders: &[Order], wanted: fn(&Order) -> bool) -> Vec<u16> {
    let slot = |order: &Order| match order {
        Order::Start(lease) | Order::Stop(lease, _) => lease.slot.0,
    };
    orders.iter().filter(|order| wanted(order)).map(slot).collect()
}

fn starts(order: &Order) -> bool {
    matches!(order, Order::Start(_))
}

#[test]
fn the_first_takes_everything_and_gives_every_second_to_another() {
    let mut table = LeaseTable::default();
    let (mut one, mut two) = (alone(&mut table), Keeper::new(TWO, Some(TERM_MS)));
    assert_eq!(one.ask_ms(1_000), Some(6_000));
    assert_eq!(round(&mut two, &mut table, 70), []);
    let handed = round(&mut one, &mut table, 2_000);
    assert_eq!(slots(&handed, starts), []);
    assert_eq!(slots(&handed, |_| true), (0..64).step_by(2).collect::<Vec<_>>());
    // Nothing is free before it has stopped.
    assert_eq!(round(&mut two, &mut table, 1_100), []);
    for order in handed {
        let Order::Stop(lease, _) = order else { panic!("{order:?}") };
        one.stopped(lease);
    }
    assert_eq!(one.ask_ms(2_050), Some(2_100));
    assert_eq!(round(&mut one, &mut table, 2_100), []);
    assert_eq!(round(&mut two, &mut table, 1_150), []);
    assert_eq!(two.ask_ms(1_250), Some(1_150));
    let taken = round(&mut two, &mut table, 1_250);
    assert_eq!(slots(&taken, starts), (0..64).step_by(2).collect::<Vec<_>>());
    assert_eq!((one.held().count(), two.held().count()), (32, 32));
    assert_eq!((one.ask_ms(2_100), two.ask_ms(1_250)), (Some(7_100), Some(6_250)));
}

#[test]
fn who_cannot_renew_stops_before_another_begins() {
    let mut table = LeaseTable::default();
    let mut one = alone(&mut table);
    assert_eq!(one.expire_ms(), Some(11_000));
    let ask = one.ask(6_000);
    assert_eq!(one.ask_ms(6_000), Some(7_000), "an answer that does not come is not waited for");
    assert_eq!(one.expire(10_999), []);
    let stops = one.expire(11_000);
    assert_eq!(slots(&stops, starts).len(), 0);
    assert_eq!((stops.len(), one.held().count(), one.expire_ms()), (64, 0, None));
    // It was still ours: told on, as soon as those who were stopped have ended.
    table.carry_out(&ask);
    assert_eq!(one.answered(table.clone(), 11_100), []);
    for order in stops {
        let Order::Stop(lease, _) = order else { panic!("{order:?}") };
        one.stopped(lease);
    }
    assert_eq!(round(&mut one, &mut table, 11_200).len(), 64);
}

#[test]
fn a_silent_node_is_dead_after_a_term_of_looking() {
    let mut table = LeaseTable::default();
    alone(&mut table);
    let mut two = Keeper::new(TWO, Some(TERM_MS));
    for now_ms in [100, 5_100, 10_100] {
        assert_eq!(round(&mut two, &mut table, now_ms), []);
    }
    // It did not look for so long that it knows nothing.
    assert_eq!(round(&mut two, &mut table, 20_101), []);
    for now_ms in [25_101, 30_101] {
        assert_eq!(round(&mut two, &mut table, now_ms), []);
    }
    assert_eq!((two.ask_ms(35_100), two.ask_ms(35_101)), (Some(35_101), Some(30_101)));
    assert_eq!(round(&mut two, &mut table, 35_101).len(), 64);
    assert_eq!(table.nodes.keys().collect::<Vec<_>>(), [&TWO]);
}

#[test]
fn the_only_node_there_can_be_asks_when_it_starts_and_never_again() {
    let mut table = LeaseTable::default();
    alone(&mut table);
    let mut sole = Keeper::new(NodeId::SOLE, None);
    assert_eq!(round(&mut sole, &mut table, 5), []);
    assert_eq!(sole.ask_ms(5), Some(5));
    assert_eq!(round(&mut sole, &mut table, 6).len(), 64);
    assert_eq!((sole.ask_ms(6), sole.expire_ms(), sole.good_until_ms()), (None, None, None));
    // The next process goes on under the same fences.
    let (before, mut again) = (table.held.clone(), Keeper::new(NodeId::SOLE, None));
    assert_eq!(round(&mut again, &mut table, 7).len(), 64);
    assert_eq!((again.ask_ms(7), table.held), (None, before));
}

#[test]
fn who_leaves_leaves_when_everybody_has_stopped() {
    let mut table = LeaseTable::default();
    let mut one = alone(&mut table);
    let stops = one.leave();
    assert_eq!((stops.len(), one.has_left()), (64, false));
    assert!(!one.ask(1_200).leaves);
    assert_eq!(one.answered(table.clone(), 1_300), []);
    for order in stops {
        let Order::Stop(lease, _) = order else { panic!("{order:?}") };
        one.stopped(lease);
    }
    assert_eq!(one.ask_ms(1_300), Some(1_300));
    assert_eq!(round(&mut one, &mut table, 1_300), []);
    assert!(one.has_left() && table.nodes.is_empty() && table.held.is_empty());
}

/// Enough chance for a test, from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A node with a clock of its own.
struct Node {
    keeper: Keeper,
    id: NodeId,
    /// Thousandths of real time.
    rate: u64,
    ahead_ms: u64,
    paused_until_ms: u64,
    /// On its way to the store, or back: when it is carried out, and when it is answered.
    question: Option<(LeaseAsk, u64, u64)>,
    answer: Option<LeaseTable>,
    running: BTreeMap<Slot, Fence>,
    /// Calls under way end at this real time.
    winding: BTreeMap<Slot, (Fence, u64)>,
}

impl Node {
    fn clock_ms(&self, real_ms: u64) -> u64 {
        self.ahead_ms + real_ms * self.rate / 1_000
    }
}

struct World {
    dice: Dice,
    real_ms: u64,
    table: LeaseTable,
    store_back_ms: u64,
    nodes: Vec<Node>,
    last_node: u64,
    pauses: bool,
    calm: bool,
    /// Who had each fence.
    holders: BTreeMap<Lease, NodeId>,
    /// The highest fence that has written to each slot, as the rows of routes remember it.
    written: BTreeMap<Slot, Fence>,
    refused: usize,
}

const STEP_MS: u64 = 50;

impl World {
    fn new(seed: u64, pauses: bool) -> Self {
        Self {
            dice: Dice(seed),
            real_ms: 0,
            table: LeaseTable::default(),
            store_back_ms: 0,
            nodes: Vec::new(),
            last_node: 0,
            pauses,
            calm: false,
            holders: BTreeMap::new(),
            written: BTreeMap::new(),
            refused: 0,
        }
    }

    fn join(&mut self) {
        self.last_node += 1;
        let id = NodeId(self.last_node);
        self.nodes.push(Node {
            keeper: Keeper::new(id, Some(TERM_MS)),
            id,
            rate: 990 + self.dice.below(20),
            ahead_ms: self.dice.below(1 << 40),
            paused_until_ms: 0,
            question: None,
            answer: None,
            running: BTreeMap::new(),
            winding: BTreeMap::new(),
        });
    }

    fn step(&mut self) {
        self.real_ms += STEP_MS;
        if !self.calm {
            self.happen();
        }
        for at in 0..self.nodes.len() {
            self.carry(at);
            if self.nodes[at].paused_until_ms <= self.real_ms {
                self.drive(at);
            }
        }
        self.nodes.retain(|node| !node.keeper.has_left());
        self.check();
    }

    fn happen(&mut self) {
        if self.nodes.len() < 5 && self.dice.below(300) == 0 {
            self.join();
        }
        let Some(at) = (!self.nodes.is_empty()).then(|| self.dice.below(self.nodes.len() as u64) as usize)
        else {
            return;
        };
        match self.dice.below(4_000) {
            // It dies.
            0..5 => drop(self.nodes.remove(at)),
            5..10 => {
                let orders = self.nodes[at].keeper.leave();
                self.obey(at, orders);
            }
            10..20 if self.pauses => {
                self.nodes[at].paused_until_ms = self.real_ms + self.dice.below(60_000);
            }
            20..23 => self.store_back_ms = self.real_ms + self.dice.below(40_000),
            _ => {}
        }
    }

    /// A question reaches the store and is answered, or is lost on either way.
    fn carry(&mut self, at: usize) {
        let (real_ms, is_away) = (self.real_ms, self.real_ms < self.store_back_ms);
        let node = &mut self.nodes[at];
        let Some((ask, carried_ms, _)) = &node.question else { return };
        if node.answer.is_none() && *carried_ms <= real_ms && !is_away {
            self.table.carry_out(ask);
            for slot in Slot::all() {
                if let Some((holder, fence)) = self.table.held.get(&slot) {
                    let known = *self.holders.entry(Lease { slot, fence: *fence }).or_insert(*holder);
                    assert_eq!(known, *holder, "a fence has one holder");
                }
            }
            node.answer = Some(self.table.clone());
        }
    }

    fn drive(&mut self, at: usize) {
        let real_ms = self.real_ms;
        let node = &mut self.nodes[at];
        let now_ms = node.clock_ms(real_ms);
        let ended: Vec<Lease> = node
            .winding
            .extract_if(.., |_, (_, until_ms)| *until_ms <= real_ms)
            .map(|(slot, (fence, _))| Lease { slot, fence })
            .collect();
        for lease in ended {
            node.keeper.stopped(lease);
        }
        let expired = node.keeper.expire(now_ms);
        self.obey(at, expired);
        let node = &mut self.nodes[at];
        if let Some((_, _, answered_ms)) = node.question
            && (answered_ms <= real_ms || node.keeper.ask_ms(now_ms).is_some_and(|ask_ms| ask_ms <= now_ms))
        {
            // Late ones are given up, although they may have been carried out.
            node.question = None;
            if let Some(table) = node.answer.take()
                && answered_ms <= real_ms
                && (self.calm || self.dice.below(20) > 0)
            {
                let orders = node.keeper.answered(table, now_ms);
                self.obey(at, orders);
            }
        }
        let node = &mut self.nodes[at];
        if node.question.is_none() && node.keeper.ask_ms(now_ms).is_some_and(|ask_ms| ask_ms <= now_ms) {
            let carried_ms = real_ms + self.dice.below(400);
            let answered_ms = carried_ms + self.dice.below(400);
            node.question = Some((node.keeper.ask(now_ms), carried_ms, answered_ms));
        }
    }

    fn obey(&mut self, at: usize, orders: Vec<Order>) {
        for order in orders {
            let ends_ms = self.real_ms + self.dice.below(4_000);
            let node = &mut self.nodes[at];
            match order {
                Order::Start(lease) => {
                    assert_eq!(node.running.insert(lease.slot, lease.fence), None);
                    assert!(!node.winding.contains_key(&lease.slot), "it begins when it has ended");
                }
                Order::Stop(lease, _) => {
                    assert_eq!(node.running.remove(&lease.slot), Some(lease.fence));
                    node.winding.insert(lease.slot, (lease.fence, ends_ms));
                }
            }
        }
    }

    /// Everybody who runs writes. Nobody does so behind a successor, and without pauses nobody even tries.
    fn check(&mut self) {
        let mut tellers: BTreeMap<Slot, usize> = BTreeMap::new();
        for node in &self.nodes {
            let winding = node.winding.iter().map(|(slot, (fence, _))| (slot, fence));
            for (slot, fence) in node.running.iter().chain(winding) {
                *tellers.entry(*slot).or_default() += 1;
                assert_eq!(self.holders[&Lease { slot: *slot, fence: *fence }], node.id);
                if node.paused_until_ms > self.real_ms {
                    continue;
                }
                let written = self.written.entry(*slot).or_default();
                if fence < written {
                    self.refused += 1;
                } else {
                    *written = *fence;
                }
            }
        }
        assert!(self.pauses || self.refused == 0, "nobody writes behind a successor");
        assert!(self.pauses || tellers.values().all(|count| *count == 1), "nobody tells what another tells");
    }
}

/// Breaks everything for a while, and looks whether it heals.
fn play(seed: u64, pauses: bool) -> usize {
    let mut world = World::new(seed, pauses);
    world.join();
    for _ in 0..6_000 {
        world.step();
    }
    world.calm = true;
    world.join();
    for _ in 0..2_400 {
        world.step();
    }
    let mut slots: Vec<Slot> = world.nodes.iter().flat_map(|node| node.running.keys().copied()).collect();
    slots.sort();
    assert_eq!(slots, Slot::all().collect::<Vec<_>>(), "every slot is told by one node, seed {seed}");
    let share = 64_usize.div_ceil(world.nodes.len());
    let counts: Vec<usize> = world.nodes.iter().map(|node| node.running.len()).collect();
    assert!(counts.iter().all(|count| *count <= share), "nobody has too many, seed {seed}: {counts:?}");
    assert_eq!(world.table.nodes.len(), world.nodes.len(), "the dead are forgotten, seed {seed}");
    world.refused
}

#[test]
fn two_nodes_never_tell_the_same_slot() {
    for seed in 0..6 {
        play(seed, false);
    }
}

#[test]
fn who_was_paused_writes_nothing_behind_a_successor() {
    let refused: usize = (0..6).map(|seed| play(seed, true)).sum();
    assert!(refused > 0, "some have tried");
}
