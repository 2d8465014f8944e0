use super::events::{at, held, parked, told};
use crate::world::route;
use chat::dispatch::Replay;
use chat::lease::{Fence, LeaseAsk, NodeId, Slot};
use chat::port::{Checkpoint, DeliveryState, Kept, Store, Tenure};

const ONE: NodeId = NodeId(u64::MAX);
const TWO: NodeId = NodeId(2);

fn takes(node: NodeId, slots: &[u16]) -> LeaseAsk {
    let taken = slots.iter().copied().map(Slot).collect();
    LeaseAsk { node, silent: Vec::new(), released: Vec::new(), taken, leaves: false }
}

/// What a node holds after it has asked.
async fn lease(store: &dyn Store, ask: LeaseAsk) -> Vec<(u16, u64)> {
    let node = ask.node;
    let table = store.lease(ask).await.unwrap();
    table.of(node).map(|lease| (lease.slot.0, lease.fence.0)).collect()
}

pub(crate) async fn a_slot_has_one_holder(store: &dyn Store) {
    assert_eq!(lease(store, takes(ONE, &[])).await, []);
    assert_eq!(lease(store, takes(ONE, &[3, 63])).await, [(3, 3), (63, 4)]);
    assert_eq!(lease(store, takes(TWO, &[3, 5])).await, [(5, 6)]);
    let table = store.lease(takes(ONE, &[])).await.unwrap();
    let released = table.of(ONE).take(1).collect();
    assert_eq!(lease(store, LeaseAsk { released, ..takes(ONE, &[]) }).await, [(63, 4)]);
    assert_eq!(lease(store, takes(TWO, &[3, 63])).await, [(3, 10), (5, 6)]);
    assert_eq!(lease(store, LeaseAsk { leaves: true, ..takes(TWO, &[]) }).await, []);
    assert_eq!(lease(store, takes(ONE, &[3])).await, [(3, 12), (63, 4)]);
}

pub(crate) async fn what_a_silent_node_held_is_free(store: &dyn Store) {
    store.lease(takes(ONE, &[7])).await.unwrap();
    let beat = |beat| LeaseAsk { silent: vec![(ONE, beat)], ..takes(TWO, &[7]) };
    store.lease(takes(ONE, &[])).await.unwrap();
    assert_eq!(lease(store, beat(1)).await, [], "it beat again");
    assert_eq!(lease(store, beat(3)).await, [(7, 6)]);
    let table = store.lease(takes(ONE, &[7])).await.unwrap();
    assert_eq!((table.of(ONE).count(), table.nodes[&ONE]), (0, 7));
}

fn under(fence: u64, turn: u64, checkpoint: Checkpoint) -> Checkpoint {
    Checkpoint { tenure: Tenure { fence: Fence(fence), turn }, ..checkpoint }
}

pub(crate) async fn a_former_holder_writes_nothing(store: &dyn Store) {
    told(store, 9).await;
    let route = route("one");
    assert_eq!(store.tenure(&route).await, Ok(Tenure::default()));
    let first = under(7, 0, Checkpoint { exceptions: vec![held(2, 40)], ..at(3) });
    assert_eq!(store.settle(&route, first).await, Ok(Kept::Done));
    // Another one takes over, and looks what there is after it has said so.
    let claim = Checkpoint::claim(&store.delivery(&route).await.unwrap(), Fence(9));
    assert_eq!(store.settle(&route, claim).await, Ok(Kept::Done));
    let tenure = Tenure { fence: Fence(9), turn: 0 };
    let state =
        DeliveryState { tenure, has_begun: true, cursor: 3, held: vec![held(2, 40)], parked_count: 0 };
    assert_eq!(store.delivery(&route).await, Ok(state.clone()));
    let late = Checkpoint { exceptions: vec![parked(4)], resolved: vec![2], ..at(8) };
    assert_eq!(store.settle(&route, under(7, 0, late.clone())).await, Ok(Kept::Lost));
    assert_eq!(store.settle(&route, under(8, 1, late.clone())).await, Ok(Kept::Lost));
    assert_eq!(store.delivery(&route).await, Ok(state));
    assert_eq!(store.settle(&route, under(9, 0, late)).await, Ok(Kept::Done));
    assert_eq!(store.delivery(&route).await.unwrap().cursor, 8);
    assert_eq!(store.tenure(&crate::world::route("one more")).await, Ok(Tenure::default()));
}

pub(crate) async fn what_was_read_before_a_replay_is_not_written(store: &dyn Store) {
    told(store, 9).await;
    let route = route("one");
    let state = Checkpoint { exceptions: vec![parked(2)], ..at(6) };
    assert_eq!(store.settle(&route, under(5, 0, state)).await, Ok(Kept::Done));
    // Those that change nothing disturb nobody.
    for nothing in [Replay::One { offset: 8 }, Replay::Parked { limit: 0 }] {
        assert_eq!(store.replay(&route, nothing, 1).await, Ok(0));
    }
    assert_eq!(store.settle(&route, under(5, 0, at(7))).await, Ok(Kept::Done));
    let replays = [Replay::One { offset: 1 }, Replay::Parked { limit: 9 }, Replay::From { after: 4 }];
    for (turn, replay) in (0..).zip(replays) {
        store.replay(&route, replay.clone(), 1).await.unwrap();
        assert_eq!(store.settle(&route, under(5, turn, at(9))).await, Ok(Kept::Replayed), "{replay:?}");
        assert_eq!(store.tenure(&route).await, Ok(Tenure { fence: Fence(5), turn: turn + 1 }));
    }
    assert_eq!(store.delivery(&route).await.unwrap().cursor, 4);
    assert_eq!(store.settle(&route, under(5, 2, at(9))).await, Ok(Kept::Replayed));
    assert_eq!(store.settle(&route, under(6, 3, at(9))).await, Ok(Kept::Done));
    assert_eq!(store.delivery(&route).await.unwrap().cursor, 9);
}
