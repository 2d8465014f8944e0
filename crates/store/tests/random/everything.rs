//! Everything that can be read from a store, in one value.

use super::step::{ENDPOINTS, NAMES};
use crate::world::{APP, LANE, all_of, events, pair, route, user};
use chat::conversation::Inbox;
use chat::dispatch::{Delivered, Exception, FailedAttempt};
use chat::person::{Listed, Portrait, Tie};
use chat::port::{
    Changes, ContactsPage, ContactsQuery, DeliveryState, Direction, Found, HistoryPage, HistoryQuery,
    Landing, LaneExtent, ListQuery, SendQuery, Store, TieList,
};
use chat::{Event, Fact, Position};

#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    exist: Vec<bool>,
    counts: Vec<Counts>,
    logs: Vec<Changes>,
    histories: Vec<HistoryPage>,
    /// Every message by its name, with its extensions.
    found: Vec<Option<Found>>,
    contacts: Vec<Option<ContactsPage>>,
    people: Vec<Option<Portrait>>,
    revoked: Vec<u64>,
    ties: Vec<Tie>,
    lists: Vec<Vec<Listed>>,
    events: Vec<Event>,
    /// What became of every send that the event log tells of.
    landed: Vec<Landing>,
    lane: Option<LaneExtent>,
    deliveries: Vec<(DeliveryState, Vec<Exception>)>,
    /// Of some of the offsets that the steps mostly speak of.
    attempts: Vec<(Vec<FailedAttempt>, Option<Delivered>)>,
}

/// What a user has not read: the state of the log, and the count of each conversation.
#[derive(Debug, PartialEq)]
pub(crate) struct Counts {
    inbox: Option<Inbox>,
    unread: Vec<u32>,
}

/// The counts of everybody. The total of each is the sum over their conversations.
pub(crate) async fn counts(store: &dyn Store) -> Vec<Counts> {
    let users: Vec<_> = NAMES.into_iter().map(user).collect();
    let mut all = Vec::with_capacity(users.len());
    for user in &users {
        let counts = Counts {
            inbox: store.inbox(APP, *user).await.unwrap(),
            unread: store.unread(APP, *user, users.clone()).await.unwrap(),
        };
        let total = counts.inbox.map_or(0, |inbox| inbox.unread);
        assert_eq!(counts.unread.iter().sum::<u32>(), total, "{user} counts wrongly");
        all.push(counts);
    }
    all
}

pub(crate) async fn everything(store: &dyn Store) -> Everything {
    let users: Vec<_> = NAMES.into_iter().map(user).collect();
    let pairs = users.iter().flat_map(|one| users.iter().map(|other| [*one, *other])).collect();
    let mut found = Everything {
        exist: store.accounts_exist(APP, users.clone()).await.unwrap(),
        counts: counts(store).await,
        logs: Vec::new(),
        histories: Vec::new(),
        found: Vec::new(),
        contacts: Vec::new(),
        people: store.people(APP, users.clone()).await.unwrap(),
        revoked: Vec::new(),
        ties: store.ties(APP, pairs).await.unwrap(),
        lists: Vec::new(),
        events: events(store).await,
        landed: Vec::new(),
        lane: store.lane(LANE).await.unwrap(),
        deliveries: Vec::new(),
        attempts: Vec::new(),
    };
    for name in NAMES {
        of_person(store, name, &mut found).await;
    }
    of_events(store, &mut found).await;
    found
}

async fn of_person(store: &dyn Store, name: &str, found: &mut Everything) {
    let owner = user(name);
    let epoch = store.inbox(APP, owner).await.unwrap().map_or(0, |inbox| inbox.epoch);
    let start = Position { epoch, offset: 0 };
    found.logs.push(store.changes(APP, owner, start, usize::MAX).await.unwrap());
    for peer in NAMES {
        let page = store.history(all_of(name, peer)).await.unwrap();
        for message in &page.messages {
            found.found.push(store.find(pair(name, peer), message.key()).await.unwrap());
        }
        found.histories.push(page);
        let forwards = HistoryQuery { direction: Direction::Newer, ..all_of(name, peer) };
        found.histories.push(store.history(forwards).await.unwrap());
    }
    for unread_only in [false, true] {
        let all = ContactsQuery {
            app: APP,
            owner,
            pinned: None,
            with_empty: true,
            unread_only,
            with_details: !unread_only,
            after: None,
            limit: usize::MAX,
        };
        found.contacts.push(store.contacts(all).await.unwrap());
    }
    let peers = NAMES.into_iter().map(user).collect();
    found.contacts.push(store.contacts_with(APP, owner, peers).await.unwrap());
    found.revoked.push(store.revoked_s(APP, owner).await.unwrap());
    for list in [TieList::Friends, TieList::Blocked, TieList::Requests] {
        let query = ListQuery { app: APP, user: owner, list, after: None, skip: 0, limit: usize::MAX };
        found.lists.push(store.listed(query).await.unwrap());
    }
}

async fn of_events(store: &dyn Store, found: &mut Everything) {
    for event in &found.events {
        let Fact::AfterSend(fact) = &event.fact else { continue };
        let (from, to, random) = (fact.from, fact.to, fact.random);
        let query = SendQuery { app: APP, from, to, random, seq: None, since_s: 0, looks_max: 20 };
        found.landed.push(store.landed(query).await.unwrap());
    }
    let gone = found.lane.map_or(0, |extent| extent.gone);
    for endpoint in ENDPOINTS {
        let route = route(endpoint);
        let delivery = store.delivery(&route).await.unwrap();
        found.deliveries.push((delivery, store.parked(&route, 0, usize::MAX).await.unwrap()));
        for offset in (gone + 1..=gone + 60).step_by(5) {
            let failures = store.failures(&route, offset).await.unwrap();
            found.attempts.push((failures, store.delivered(&route, offset, 0).await.unwrap()));
        }
    }
}
