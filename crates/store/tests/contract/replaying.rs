use super::events::{at, held, parked, told, trim};
use crate::world::{LANE, NOW_S, logout, pair, route};
use chat::dispatch::{Exception, ExceptionState, Replay};
use chat::port::{Checkpoint, DeliveryState, Kept, Store, Tenure};

async fn replay(store: &dyn Store, replay: Replay) -> u64 {
    store.replay(&route("one"), replay, 1_234).await.unwrap()
}

async fn settle(store: &dyn Store, cursor: u64, exceptions: Vec<Exception>) {
    let tenure = store.tenure(&route("one")).await.unwrap();
    let kept = store.settle(&route("one"), Checkpoint { tenure, exceptions, ..at(cursor) }).await;
    assert_eq!(kept, Ok(Kept::Done));
}

/// Counts the replays that changed something.
fn turned(turn: u64) -> Tenure {
    Tenure { turn, ..Tenure::default() }
}

/// The event as [`told`] has recorded it, to be told once more.
fn again(offset: u64) -> Exception {
    Exception {
        offset,
        conversation: pair("ana", "bo"),
        recorded_ms: (NOW_S + offset - 1) * 1000,
        state: ExceptionState::Held { due_ms: 1_234 },
        attempts: 0,
        first_attempt_ms: 0,
        last_failure: String::new(),
    }
}

pub(crate) async fn a_range_is_told_again_from_a_position(store: &dyn Store) {
    told(store, 9).await;
    settle(store, 8, vec![parked(2), held(5, 40), parked(7)]).await;
    let other = Checkpoint { exceptions: vec![parked(7)], ..at(8) };
    store.settle(&route("one more"), other).await.unwrap();

    assert_eq!(replay(store, Replay::From { after: 4 }).await, 5);
    // What stood before the position stays as it was; what stood behind it is told in its turn.
    let expected =
        DeliveryState { tenure: turned(1), has_begun: true, cursor: 4, held: vec![], parked_count: 1 };
    assert_eq!(store.delivery(&route("one")).await.unwrap(), expected);
    assert_eq!(store.parked(&route("one"), 0, 9).await.unwrap(), [parked(2)]);
    let untouched = DeliveryState { has_begun: true, cursor: 8, parked_count: 1, ..DeliveryState::default() };
    assert_eq!(store.delivery(&route("one more")).await.unwrap(), untouched);

    // A cursor goes on from there, and is not moved forward by a replay.
    settle(store, 6, vec![]).await;
    assert_eq!(replay(store, Replay::From { after: 7 }).await, 3);
    assert_eq!(store.delivery(&route("one")).await.unwrap().cursor, 6);
    assert_eq!(replay(store, Replay::From { after: u64::MAX }).await, 3);
    store.record(logout("ana", NOW_S)).await.unwrap();
    assert_eq!(replay(store, Replay::From { after: 0 }).await, 10);
    let anew = DeliveryState { tenure: turned(4), has_begun: true, ..DeliveryState::default() };
    assert_eq!(store.delivery(&route("one")).await.unwrap(), anew);
    assert_eq!(store.delivery(&route("two")).await.unwrap(), DeliveryState::default());
}

pub(crate) async fn one_event_is_told_again(store: &dyn Store) {
    told(store, 9).await;
    settle(store, 7, vec![held(4, 9)]).await;
    assert_eq!(store.exception(&route("one"), 4).await.unwrap(), Some(held(4, 9)));
    assert_eq!(store.exception(&route("one"), 3).await.unwrap(), None);
    assert_eq!(store.exception(&route("one more"), 4).await.unwrap(), None);

    assert_eq!(replay(store, Replay::One { offset: 3 }).await, 1);
    assert_eq!(replay(store, Replay::One { offset: 4 }).await, 1);
    let state = store.delivery(&route("one")).await.unwrap();
    assert_eq!((state.cursor, state.held), (7, vec![again(3), again(4)]));
    assert_eq!(store.exception(&route("one"), 3).await.unwrap(), Some(again(3)));
    // What was not told yet, what was never there, and what is no more.
    settle(store, 20, vec![]).await;
    assert_eq!(replay(store, Replay::One { offset: 10 }).await, 0);
    assert_eq!(replay(store, Replay::One { offset: 0 }).await, 0);
    assert_eq!(trim(store, &["one"], 2).await, 2);
    assert_eq!(replay(store, Replay::One { offset: 2 }).await, 0);
    settle(store, 20, vec![]).await;
    store.replay(&route("one more"), Replay::One { offset: 9 }, 1).await.unwrap();
    assert_eq!(store.delivery(&route("one more")).await.unwrap(), DeliveryState::default());
}

pub(crate) async fn parked_events_are_held_again_oldest_first(store: &dyn Store) {
    told(store, 9).await;
    settle(store, 9, vec![parked(8), held(4, 9), parked(2), parked(5)]).await;
    assert_eq!(replay(store, Replay::Parked { limit: 0 }).await, 0);
    assert_eq!(replay(store, Replay::Parked { limit: 2 }).await, 2);
    // Its last failure is still known, its attempts are counted anew.
    let fresh = |offset| Exception { attempts: 0, first_attempt_ms: 0, ..held(offset, 1_234) };
    let state = store.delivery(&route("one")).await.unwrap();
    assert_eq!((state.cursor, state.parked_count), (9, 1));
    assert_eq!(state.held, [fresh(2), held(4, 9), fresh(5)]);
    assert_eq!(replay(store, Replay::Parked { limit: 9 }).await, 1);
    assert_eq!(replay(store, Replay::Parked { limit: 9 }).await, 0);
    assert_eq!(store.delivery(&route("one")).await.unwrap().parked_count, 0);
}

pub(crate) async fn a_lane_without_events_has_nothing_to_replay(store: &dyn Store) {
    settle(store, 5, vec![parked(3)]).await;
    assert_eq!(store.lane(LANE).await.unwrap(), None);
    for nothing in [Replay::From { after: 0 }, Replay::One { offset: 3 }, Replay::Parked { limit: 9 }] {
        assert_eq!(replay(store, nothing).await, 0);
    }
    let expected = DeliveryState { has_begun: true, cursor: 5, parked_count: 1, ..DeliveryState::default() };
    assert_eq!(store.delivery(&route("one")).await.unwrap(), expected);
}

/// A pass over the old events has left behind it what was parked. Nothing says that it is resolved: the cursor, which
/// went back, passes it again.
pub(crate) async fn what_is_replayed_is_forgotten_when_it_is_told(store: &dyn Store) {
    told(store, 6).await;
    settle(store, 6, vec![parked(2), parked(3)]).await;
    assert_eq!(trim(store, &["one"], 100).await, 3);
    assert_eq!(replay(store, Replay::From { after: 0 }).await, 3);
    settle(store, 2, vec![]).await;
    assert_eq!(trim(store, &["one"], 100).await, 1);
    settle(store, 6, vec![]).await;
    assert_eq!(trim(store, &["one"], 100).await, 1);
    assert_eq!(store.lane(LANE).await.unwrap().map(|lane| lane.gone), Some(5));
}
