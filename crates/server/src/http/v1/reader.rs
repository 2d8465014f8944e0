//! Reads an app's events on from a position, page by page.

use super::item::Item;
use super::position::{Gone, Place, Position};
use super::refusal::Refused;
use super::search;
use crate::bus::{Bell, NodeBus};
use crate::render;
use chat::AppId;
use chat::event::{Event, Lane};
use chat::port::{LaneExtent, Store, Stored};
use futures_util::future::select_all;
use protocol::callback::CallbackCommand;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Events read at once.
const READ_LEN: usize = 128;
/// How often whoever waits looks although nobody said that there is something new.
const POLL_SECS: u64 = 5;
/// Events looked at for one page: a filter that fits nothing must not read the whole log in one call.
const SCAN_LEN_MAX: usize = 10_000;
/// A page ends here, though not before its first event.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Where a reader begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    Oldest,
    End,
    Since(u64),
    After(Position),
}

pub(super) struct Reader {
    store: Arc<dyn Store>,
    app: AppId,
    position: Position,
    filter: Filter,
    /// Whoever begins without a position has missed nothing, whatever was forgotten in between.
    may_skip: bool,
}

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Empty: all.
    pub(super) commands: Vec<CallbackCommand>,
}

impl Filter {
    fn fits(&self, event: &Event) -> bool {
        let told = render::command(&event.fact);
        told.is_some_and(|command| self.commands.is_empty() || self.commands.contains(&command))
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("app", &self.app)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// Whether there was more behind it.
    pub(super) more: bool,
    bytes: usize,
    scanned: usize,
}

impl Page {
    fn is_full(&self, items_max: usize) -> bool {
        self.items.len() >= items_max || self.bytes >= PAGE_BYTES_MAX
    }
}

async fn extents(app: AppId, store: &dyn Store) -> Stored<Vec<(Lane, Option<LaneExtent>)>> {
    let mut extents = Vec::new();
    for lane in Lane::all_of(app, store.lanes_per_app()) {
        extents.push((lane, store.lane(lane).await?));
    }
    Ok(extents)
}

/// The position as it has to be read from. Otherwise why not, and where its reader may go on.
pub(super) async fn check(app: AppId, store: &dyn Store, position: &Position) -> Result<Position, Refused> {
    let extents = extents(app, store).await?;
    let oldest = |extents: &[(Lane, Option<LaneExtent>)]| {
        Position(extents.iter().map(|(_, extent)| Place::oldest(*extent)).collect())
    };
    if position.0.len() != extents.len() {
        let words = "the position is of another log";
        return Err(Refused::gone(words, oldest(&extents).to_string()));
    }
    let mut checked = Vec::new();
    for (place, (_, extent)) in position.0.iter().zip(&extents) {
        let place = place
            .check(*extent)
            .map_err(|gone| Refused::gone(gone.words(*place), oldest(&extents).to_string()))?;
        checked.push(place);
    }
    Ok(Position(checked))
}

impl Reader {
    pub(super) async fn begin(
        store: Arc<dyn Store>,
        app: AppId,
        start: Start,
        filter: Filter,
    ) -> Result<Self, Refused> {
        let may_skip = !matches!(start, Start::After(_));
        let position = match start {
            Start::After(position) => check(app, &*store, &position).await?,
            start => {
                let mut places = Vec::new();
                for (lane, extent) in extents(app, &*store).await? {
                    places.push(match start {
                        Start::Since(since_ms) => {
                            let offset = search::first_since(&*store, lane, extent, since_ms).await?;
                            Place::behind(extent, offset)
                        }
                        Start::End => Place::end(extent),
                        Start::Oldest | Start::After(_) => Place::oldest(extent),
                    });
                }
                Position(places)
            }
        };
        Ok(Self { store, app, position, filter, may_skip })
    }

    /// Behind everything that was looked at.
    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    /// The next events that fit, as many as there are, at most `limit`. After a failure the reader is of no use.
    pub(super) async fn page(&mut self, limit: usize) -> Result<Page, Refused> {
        let began = self.position.clone();
        let mut page = Page::default();
        let count = self.position.0.len();
        // Every lane has its share of a page, and another one is first each time: none waits for the end of another.
        let share = limit.div_ceil(count);
        let moved = self.position.0.iter().fold(0_u64, |sum, place| sum.wrapping_add(place.offset));
        for turn in 0..count {
            let index = (moved % count as u64) as usize + turn;
            let items_max = limit.min(page.items.len() + share);
            self.read_lane(index % count, items_max, &mut page).await.map_err(|stopped| match stopped {
                Stopped::Gone { index, gone, first } => {
                    let words = gone.words(began.0[index]);
                    let mut next = began.clone();
                    next.0[index].offset = first - 1;
                    Refused::gone(words, next.to_string())
                }
                Stopped::Refused(refused) => refused,
            })?;
        }
        self.may_skip = false;
        Ok(page)
    }

    async fn read_lane(&mut self, index: usize, items_max: usize, page: &mut Page) -> Result<(), Stopped> {
        let lane = Lane { app: self.app, index: index as u16 };
        let mut is_first = true;
        loop {
            let events = self
                .store
                .events(lane, self.position.0[index].offset, READ_LEN)
                .await
                .map_err(|error| Stopped::Refused(error.into()))?;
            let ended = events.len() < READ_LEN;
            for event in events {
                let first = event.id.offset;
                let is_gap = first != self.position.0[index].offset + 1 && !self.may_skip;
                if is_gap && is_first {
                    return Err(Stopped::Gone { index, gone: Gone::Forgotten { first }, first });
                }
                // A gap further on is told to whoever comes there.
                if is_gap || page.is_full(items_max) || page.scanned == SCAN_LEN_MAX {
                    page.more = true;
                    return Ok(());
                }
                is_first = false;
                page.scanned += 1;
                self.position.0[index] = Place { epoch: event.id.epoch, offset: event.id.offset };
                if self.filter.fits(&event) {
                    let item = Item::new(&event, &self.position);
                    page.bytes += item.len_bytes();
                    page.items.push(item);
                }
            }
            if ended {
                return Ok(());
            }
        }
    }
}

enum Stopped {
    Gone { index: usize, gone: Gone, first: u64 },
    Refused(Refused),
}

/// Word of new events. Made before the log is looked at, so that nothing comes unnoticed in between.
#[derive(Debug)]
pub(super) struct Notices(Vec<Bell>);

impl Notices {
    pub(super) fn of(app: AppId, bus: &NodeBus, store: &dyn Store) -> Self {
        Self(Lane::all_of(app, store.lanes_per_app()).map(|lane| bus.lane(lane)).collect())
    }

    /// Returns when it makes sense to look again: at once when there was more to look at, else when something was
    /// recorded, and now and then although nobody said so. Cancel-safe.
    pub(super) async fn next(&mut self, more: bool) {
        if more {
            return;
        }
        let rings = self.0.iter().map(|bell| Box::pin(bell.rung()));
        tokio::select! {
            _rung = select_all(rings) => {}
            () = sleep(Duration::from_secs(POLL_SECS)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use chat::dispatch::{Checkpoint, Exception, ExceptionState};
    use chat::event::{EventDraft, Fact, Origin, Platform, StateAction, StateChange};
    use chat::model::Model;
    use chat::port::{EndpointId, Route};
    use chat::{ConversationId, UserId};
    use http_body_util::BodyExt;

    const APP: AppId = AppId(1);

    /// A log of logins, one in a second, each of another user.
    async fn log(lanes: u16, count: u64) -> Arc<Model> {
        let store = Model::with_lanes(lanes);
        for number in 1..=count {
            let user = UserId::new(&format!("user{number}")).unwrap();
            let fact = Fact::State(StateChange { user, action: StateAction::Login, kicked: Vec::new() });
            let origin = Origin { ip: [127, 0, 0, 1].into(), platform: Platform::Web };
            store.record(EventDraft::new(APP, number * 1_000, origin, fact)).await.unwrap();
        }
        Arc::new(store)
    }

    /// Forgets everything up to a time but what stands parked.
    async fn forget(store: &Model, parked: &[u64], before_ms: u64) {
        let endpoint = EndpointId(Arc::from("ep_default"));
        let route = Route { lane: Lane { app: APP, index: 0 }, endpoint: endpoint.clone() };
        let user = UserId::new("ana").unwrap();
        let exception = |offset: &u64| Exception {
            offset: *offset,
            conversation: ConversationId::new(APP, user, user),
            recorded_ms: 0,
            state: ExceptionState::Parked { at_ms: 1 },
            attempts: 1,
            first_attempt_ms: 1,
            last_failure: String::new(),
        };
        let exceptions = parked.iter().map(exception).collect();
        store
            .settle(&route, Checkpoint { cursor: 1_000, exceptions, ..Checkpoint::default() })
            .await
            .unwrap();
        while store.trim_events(route.lane, vec![endpoint.clone()], before_ms).await.unwrap() > 0 {}
    }

    async fn begin(store: &Arc<Model>, start: Start) -> Reader {
        let store = Arc::clone(store) as Arc<dyn Store>;
        Reader::begin(store, APP, start, Filter::default()).await.unwrap()
    }

    /// The ids of a page, or what is answered in its place.
    async fn page(reader: &mut Reader, limit: usize) -> Result<(Vec<String>, bool), String> {
        match reader.page(limit).await {
            Ok(page) => {
                let ids = page.items.into_iter().map(|item| item.position).collect();
                Ok((ids, page.more))
            }
            Err(refused) => {
                let body = refused.into_response().into_body().collect().await.unwrap().to_bytes();
                Err(String::from_utf8(body.to_vec()).unwrap())
            }
        }
    }

    fn positions<const N: usize>(positions: [&str; N], more: bool) -> Result<(Vec<String>, bool), String> {
        Ok((positions.map(str::to_owned).to_vec(), more))
    }

    #[tokio::test]
    async fn what_was_forgotten_in_between_is_told_once() {
        let store = log(1, 9).await;
        let began = Start::After("0-0".parse().unwrap());
        let mut reader = begin(&store, began).await;
        assert_eq!(page(&mut reader, 2).await, positions(["3e8-1", "3e8-2"], true));
        forget(&store, &[3, 6], 8_000).await;
        // The third still stands, so the page ends before the gap.
        assert_eq!(page(&mut reader, 9).await, positions(["3e8-3"], true));
        let gone = r#"{"ActionStatus":"FAIL","ErrorCode":11103,"ErrorInfo":"events 4 to 5 were forgotten before they were read","next":"3e8-5"}"#;
        assert_eq!(page(&mut reader, 9).await, Err(gone.to_owned()));
        let mut reader = begin(&store, Start::After("3e8-5".parse().unwrap())).await;
        assert_eq!(page(&mut reader, 9).await, positions(["3e8-6"], true));
        let gone = r#"{"ActionStatus":"FAIL","ErrorCode":11103,"ErrorInfo":"event 7 was forgotten before it was read","next":"3e8-7"}"#;
        assert_eq!(page(&mut reader, 9).await, Err(gone.to_owned()));
    }

    #[tokio::test]
    async fn whoever_begins_has_missed_nothing() {
        let store = log(1, 9).await;
        forget(&store, &[3, 6], 8_000).await;
        for start in [Start::Oldest, Start::Since(0)] {
            let mut reader = begin(&store, start).await;
            assert_eq!(page(&mut reader, 9).await, positions(["3e8-3", "3e8-6", "3e8-8", "3e8-9"], false));
        }
        let mut reader = begin(&store, Start::End).await;
        assert_eq!(page(&mut reader, 9).await, positions([], false));
        let early =
            Reader::begin(store, APP, Start::After("3e8-1".parse().unwrap()), Filter::default()).await;
        assert!(early.is_err());
    }

    #[tokio::test]
    async fn more_is_exact_at_every_edge() {
        let store = log(1, READ_LEN as u64).await;
        for (limit, more) in [(READ_LEN - 1, true), (READ_LEN, false), (READ_LEN + 1, false)] {
            let mut reader = begin(&store, Start::Oldest).await;
            let (items, found) = page(&mut reader, limit).await.unwrap();
            assert_eq!((items.len(), found), (limit.min(READ_LEN), more));
        }
    }

    #[tokio::test]
    async fn no_lane_waits_for_the_end_of_another() {
        let store = log(3, 30).await;
        for limit in [1, 2, 3, 7] {
            let mut reader = begin(&store, Start::Oldest).await;
            let mut seen = std::collections::BTreeSet::new();
            loop {
                let (items, more) = page(&mut reader, limit).await.unwrap();
                assert!(items.len() <= limit);
                seen.extend(items);
                if !more {
                    break;
                }
            }
            assert_eq!(seen.len(), 30, "{limit}");
        }
        // After a few pages, every lane has moved.
        let mut reader = begin(&store, Start::Oldest).await;
        for _ in 0..9 {
            page(&mut reader, 1).await.unwrap();
        }
        assert!(reader.position.0.iter().all(|place| place.offset > 0), "{reader:?}");
    }

    #[tokio::test]
    async fn a_filter_that_fits_nothing_ends_a_page_all_the_same() {
        let store = log(1, SCAN_LEN_MAX as u64 + 1).await;
        let filter = Filter { commands: vec![CallbackCommand::C2cAfterSendMsg] };
        let mut reader = Reader::begin(store, APP, Start::Oldest, filter).await.unwrap();
        assert_eq!(page(&mut reader, 1).await, positions([], true));
        assert_eq!(reader.position().to_string(), "3e8-10000");
        assert_eq!(page(&mut reader, 1).await, positions([], false));
    }
}
