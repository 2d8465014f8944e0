use super::events::{at, parked, told, trim};
use crate::world::{NOW_S, route};
use chat::dispatch::{Delivered, FailedAttempt, Failure, FailureReason, Receipt};
use chat::port::{Checkpoint, Store};

fn failed(offset: u64, number: u32, at_ms: u64) -> FailedAttempt {
    let failure = Failure {
        reason: FailureReason::Status,
        status: 503,
        latency_ms: 12,
        words: "the endpoint said 503".to_owned(),
        answer: "<html>用户</html>".to_owned(),
    };
    FailedAttempt { offset, number, at_ms, failure }
}

fn done(offset: u64, at_ms: u64, attempt: u32) -> Delivered {
    Delivered { offset, at_ms, attempt, receipt: Receipt::Answered { code: -7 } }
}

async fn fail(store: &dyn Store, endpoint: &str, failures: Vec<FailedAttempt>) {
    store.settle(&route(endpoint), Checkpoint { failures, ..at(0) }).await.unwrap();
}

async fn deliver(store: &dyn Store, endpoint: &str, delivered: Vec<Delivered>) {
    store.settle(&route(endpoint), Checkpoint { delivered, ..at(0) }).await.unwrap();
}

/// When and at which attempt an event was last told to the endpoint.
async fn last(store: &dyn Store, offset: u64, since_ms: u64) -> Option<(u64, u32)> {
    let told = store.delivered(&route("one"), offset, since_ms).await.unwrap();
    told.map(|told| (told.at_ms, told.attempt))
}

pub(crate) async fn failed_attempts_are_kept_in_order(store: &dyn Store) {
    let one = route("one");
    assert_eq!(store.failures(&one, 7).await.unwrap(), []);
    fail(store, "one", vec![failed(7, 2, 90), failed(8, 1, 50), failed(7, 1, 30)]).await;
    // After a replay the numbers begin anew.
    fail(store, "one", vec![failed(7, 1, 95), failed(7, 3, 90)]).await;
    fail(store, "one more", vec![failed(7, 5, 1)]).await;
    let expected = [failed(7, 1, 30), failed(7, 2, 90), failed(7, 3, 90), failed(7, 1, 95)];
    assert_eq!(store.failures(&one, 7).await.unwrap(), expected);
    assert_eq!(store.failures(&one, 8).await.unwrap(), [failed(8, 1, 50)]);
    assert_eq!(store.failures(&route("one more"), 7).await.unwrap(), [failed(7, 5, 1)]);
    assert_eq!(store.failures(&one, 6).await.unwrap(), []);
    assert_eq!(store.failures(&one, u64::MAX).await.unwrap(), []);
}

pub(crate) async fn failed_attempts_go_with_their_event(store: &dyn Store) {
    told(store, 5).await;
    let failures: Vec<_> = (1..=5).map(|offset| failed(offset, 1, offset)).collect();
    let checkpoint = Checkpoint { failures, exceptions: vec![parked(2)], ..at(5) };
    store.settle(&route("one"), checkpoint.clone()).await.unwrap();
    store.settle(&route("two"), checkpoint).await.unwrap();
    // An endpoint that is not asked about keeps what it has.
    assert_eq!(trim(store, &["one"], 3).await, 2);
    let mut left = Vec::new();
    for offset in 1..=5 {
        let one = store.failures(&route("one"), offset).await.unwrap().len();
        left.push((one, store.failures(&route("two"), offset).await.unwrap().len()));
    }
    assert_eq!(left, [(0, 1), (1, 1), (0, 1), (1, 1), (1, 1)]);
}

pub(crate) async fn the_last_delivery_of_an_event_is_found(store: &dyn Store) {
    assert_eq!(last(store, 3, 0).await, None);
    let not_wanted = Delivered { receipt: Receipt::NotWanted, ..done(4, 1_000, 1) };
    deliver(store, "one", vec![done(3, 1_000, 1), not_wanted, done(5, 1_003, 2)]).await;
    deliver(store, "one", vec![done(6, 2_000, 1), done(3, 61_000, 2)]).await;
    deliver(store, "one more", vec![done(3, 90_000, 9)]).await;
    assert_eq!(last(store, 3, 0).await, Some((61_000, 2)));
    assert_eq!(last(store, 3, 61_000).await, Some((61_000, 2)));
    assert_eq!(last(store, 3, 61_001).await, None);
    // Its checkpoint began before the time that is asked about.
    assert_eq!(last(store, 5, 1_003).await, Some((1_003, 2)));
    assert_eq!(last(store, 5, 1_004).await, None);
    assert_eq!(last(store, 6, 0).await, Some((2_000, 1)));
    assert_eq!(last(store, 7, 0).await, None);
    assert_eq!(store.delivered(&route("one"), 4, 1_000).await.unwrap(), Some(not_wanted));
    let receipt = store.delivered(&route("one"), 5, 0).await.unwrap().map(|told| told.receipt);
    assert_eq!(receipt, Some(Receipt::Answered { code: -7 }));
}

/// Checkpoints that begin alike, as they may when the clock was set back.
pub(crate) async fn deliveries_of_one_time_are_kept_apart(store: &dyn Store) {
    deliver(store, "one", vec![done(1, 500, 1), done(2, 500, 1)]).await;
    deliver(store, "one", vec![done(1, 500, 4)]).await;
    deliver(store, "one", vec![done(1, 400, 5)]).await;
    assert_eq!(last(store, 1, 0).await, Some((500, 4)));
    assert_eq!(last(store, 2, 0).await, Some((500, 1)));
    // In another order than that of time, and far apart.
    deliver(store, "one", vec![done(2, 500, 7), done(1, 90_500, 6), done(2, 300, 8)]).await;
    assert_eq!(last(store, 1, 0).await, Some((90_500, 6)));
    assert_eq!(last(store, 2, 0).await, Some((500, 7)));
    // The later of two checkpoints counts, although the earlier one ends later.
    deliver(store, "one", vec![done(3, 500, 9), done(4, 600, 1)]).await;
    deliver(store, "one", vec![done(3, 500, 10)]).await;
    assert_eq!(last(store, 3, 0).await, Some((500, 10)));
}

pub(crate) async fn old_deliveries_are_forgotten_one_by_one(store: &dyn Store) {
    told(store, 3).await;
    let ms = |seconds: u64| (NOW_S + seconds) * 1000;
    for endpoint in ["one", "two"] {
        deliver(store, endpoint, vec![done(1, ms(1), 1), done(2, ms(4), 1), done(3, ms(5), 1)]).await;
        deliver(store, endpoint, vec![done(1, ms(2), 2), done(2, ms(30), 2)]).await;
    }
    // Nothing was told as far as the cursor knows, so no event is forgotten, but what is old is.
    assert_eq!(trim(store, &["one"], 5).await, 0);
    assert_eq!(last(store, 1, 0).await, None);
    assert_eq!(last(store, 2, 0).await, Some((ms(30), 2)));
    assert_eq!(last(store, 3, 0).await, Some((ms(5), 1)));
    let other = store.delivered(&route("two"), 1, 0).await.unwrap();
    assert_eq!(other.map(|told| told.at_ms), Some(ms(2)));
    assert_eq!(trim(store, &["one"], 6).await, 0);
    assert_eq!(last(store, 3, 0).await, None);
    assert_eq!(last(store, 2, 0).await, Some((ms(30), 2)));
}

pub(crate) async fn what_was_told_long_ago_is_forgotten_even_when_it_comes_late(store: &dyn Store) {
    told(store, 3).await;
    store.settle(&route("one"), at(3)).await.unwrap();
    assert_eq!(trim(store, &["one"], 9).await, 2);
    deliver(store, "one", vec![done(1, NOW_S * 1000, 1)]).await;
    assert_eq!(last(store, 1, 0).await, Some((NOW_S * 1000, 1)));
    assert_eq!(trim(store, &["one"], 9).await, 0);
    assert_eq!(last(store, 1, 0).await, None);
}
