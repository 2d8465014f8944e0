//! Finds the place of a time in a lane.
//!
//! Events stand nearly in the order of their times: one whose backend was asked first bears the time from before.

use chat::event::Lane;
use chat::port::{LaneExtent, Store, Stored};

/// By how much an event may be older than one before it, unless the clock was set back.
pub(super) const DISORDER_MS: u64 = 10_000;

/// Events read at once.
const READ_LEN: usize = 256;

/// An offset with, as far as times go up, only older events up to it.
pub(super) async fn before(
    store: &dyn Store,
    lane: Lane,
    extent: Option<LaneExtent>,
    at_ms: u64,
) -> Stored<u64> {
    let Some(extent) = extent else { return Ok(0) };
    // Everything up to `older` is older; `newer` is not, or is behind the end.
    let (mut older, mut newer) = (extent.gone, extent.last + 1);
    while newer - older > 1 {
        let middle = older + (newer - older) / 2;
        match store.events(lane, middle - 1, 1).await?.first() {
            // What was forgotten around the middle is passed over.
            Some(event) if event.recorded_ms < at_ms => older = event.id.offset.min(newer - 1),
            Some(_) | None => newer = middle,
        }
    }
    Ok(older)
}

/// The offset before the first event that was recorded at a time or after it.
pub(super) async fn first_since(
    store: &dyn Store,
    lane: Lane,
    extent: Option<LaneExtent>,
    since_ms: u64,
) -> Stored<u64> {
    let mut after = before(store, lane, extent, since_ms.saturating_sub(DISORDER_MS)).await?;
    loop {
        let events = store.events(lane, after, READ_LEN).await?;
        if let Some(event) = events.iter().find(|event| event.recorded_ms >= since_ms) {
            return Ok(event.id.offset - 1);
        }
        match events.last() {
            Some(last) => after = last.id.offset,
            None => return Ok(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::event::{EventDraft, Fact, Origin, Platform, StateAction, StateChange};
    use chat::model::Model;
    use chat::{AppId, UserId};

    const LANE: Lane = Lane { app: AppId(1), index: 0 };

    async fn log(times: impl IntoIterator<Item = u64>) -> Model {
        let store = Model::default();
        for at_ms in times {
            let user = UserId::new("ana").unwrap();
            let fact = Fact::State(StateChange { user, action: StateAction::Login, kicked: Vec::new() });
            let origin = Origin { ip: [127, 0, 0, 1].into(), platform: Platform::Web };
            store.record(EventDraft::new(LANE.app, at_ms, origin, fact)).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn the_first_event_of_a_time() {
        let store = log((1..=100).map(|second| second * 1_000_000)).await;
        let extent = store.lane(LANE).await.unwrap();
        for (since_ms, expected) in
            [(0, 0), (1_000_000, 0), (1_000_001, 1), (57_000_000, 56), (100_000_000, 99), (100_000_001, 100)]
        {
            assert_eq!(before(&store, LANE, extent, since_ms).await, Ok(expected), "{since_ms}");
            assert_eq!(first_since(&store, LANE, extent, since_ms).await, Ok(expected), "{since_ms}");
        }
        assert_eq!(before(&log([]).await, LANE, None, 5).await, Ok(0));
    }

    #[tokio::test]
    async fn events_that_overtook_others_are_not_passed_over() {
        let late = [100_000, 101_000, 109_000, 102_000, 103_000, 110_000];
        let store = log(late).await;
        let extent = store.lane(LANE).await.unwrap();
        for (since_ms, expected) in [(102_000, 2), (104_000, 2), (109_500, 5)] {
            assert_eq!(first_since(&store, LANE, extent, since_ms).await, Ok(expected), "{since_ms}");
        }
    }

    #[tokio::test]
    async fn what_was_forgotten_is_passed_over() {
        let store = log((1..=50).map(|second| second * 1_000_000)).await;
        while store.trim_events(LANE, Vec::new(), 40_000_000).await.unwrap() > 0 {}
        let extent = store.lane(LANE).await.unwrap();
        assert_eq!(first_since(&store, LANE, extent, 0).await, Ok(39));
        assert_eq!(first_since(&store, LANE, extent, 45_000_000).await, Ok(44));
    }
}
