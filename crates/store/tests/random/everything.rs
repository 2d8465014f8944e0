//! Everything that can be read from a store, in one value.

use super::step::{ENDPOINTS, NAMES};
use crate::world::{APP, LANE, all_of, events, route, user};
use chat::conversation::Inbox;
use chat::dispatch::{Delivered, Exception, FailedAttempt};
use chat::port::{Changes, DeliveryState, HistoryPage, LaneExtent, Store};
use chat::{Event, Position};

#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    exist: Vec<bool>,
    inboxes: Vec<Option<Inbox>>,
    unread: Vec<Vec<u32>>,
    logs: Vec<Changes>,
    histories: Vec<HistoryPage>,
    events: Vec<Event>,
    lane: Option<LaneExtent>,
    deliveries: Vec<(DeliveryState, Vec<Exception>)>,
    /// Of some of the offsets that the steps mostly speak of.
    attempts: Vec<(Vec<FailedAttempt>, Option<Delivered>)>,
}

pub(crate) async fn everything(store: &dyn Store) -> Everything {
    let users: Vec<_> = NAMES.into_iter().map(user).collect();
    let mut found = Everything {
        exist: store.accounts_exist(APP, users.clone()).await.unwrap(),
        inboxes: Vec::new(),
        unread: Vec::new(),
        logs: Vec::new(),
        histories: Vec::new(),
        events: events(store).await,
        lane: store.lane(LANE).await.unwrap(),
        deliveries: Vec::new(),
        attempts: Vec::new(),
    };
    for name in NAMES {
        let inbox = store.inbox(APP, user(name)).await.unwrap();
        let epoch = inbox.map_or(0, |inbox| inbox.epoch);
        let start = Position { epoch, offset: 0 };
        found.inboxes.push(inbox);
        found.unread.push(store.unread(APP, user(name), users.clone()).await.unwrap());
        found.logs.push(store.changes(APP, user(name), start, usize::MAX).await.unwrap());
        for peer in NAMES {
            found.histories.push(store.history(all_of(name, peer)).await.unwrap());
        }
    }
    for endpoint in ENDPOINTS {
        let route = route(endpoint);
        let delivery = store.delivery(&route).await.unwrap();
        found.deliveries.push((delivery, store.parked(&route, 0, usize::MAX).await.unwrap()));
        for offset in (1..=60).step_by(5) {
            let failures = store.failures(&route, offset).await.unwrap();
            found.attempts.push((failures, store.delivered(&route, offset, 0).await.unwrap()));
        }
    }
    found
}
