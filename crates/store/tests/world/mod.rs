//! The people and messages that the tests of the stores talk about.

pub(crate) mod acts;
pub(crate) mod database;

use bytes::Bytes;
use chat::event::{AfterSend, StateAction, StateChange};
use chat::id::{AppId, ConversationId, UserId};
use chat::port::{
    Account, Append, Appended, Committed, Direction, EndpointId, HistoryQuery, MarkRead, Route, Store, Terms,
};
use chat::{Delivery, Event, EventDraft, Fact, Lane, Origin, Outcome, Platform, Refusal};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

pub(crate) const APP: AppId = AppId(1_400_000_001);
pub(crate) const NOW_S: u64 = 1_700_000_000;
pub(crate) const LANE: Lane = Lane { app: APP, index: 0 };
pub(crate) const ORIGIN: Origin =
    Origin { ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), platform: Platform::Android };

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn pair(one: &str, other: &str) -> ConversationId {
    ConversationId::new(APP, user(one), user(other))
}

pub(crate) fn route(endpoint: &str) -> Route {
    Route { lane: LANE, endpoint: endpoint_id(endpoint) }
}

pub(crate) fn endpoint_id(name: &str) -> EndpointId {
    EndpointId(Arc::from(name))
}

/// An ordinary message. `random` makes it a send of its own.
pub(crate) fn message(from: &str, to: &str, now_s: u64, random: u32) -> Append {
    Append {
        app: APP,
        from: user(from),
        to: user(to),
        wire_seq: None,
        wire_seq_given: false,
        random,
        client_time_s: now_s - 1,
        time_s: now_s,
        now_ms: now_s * 1000 + 7,
        content_crc: 0xc0ffee,
        body: Bytes::from(format!("[\"{from} to {to} {random}\"]")),
        custom_data: Bytes::from_static(b"custom"),
        offline_push: Bytes::from_static(b"push"),
        delivery: Delivery::default(),
        event: Some(ORIGIN),
        quiet: false,
        terms: Terms::default(),
        pretends: None,
    }
}

/// The same, delivered in another way.
pub(crate) fn delivered(append: Append, change: impl FnOnce(&mut Delivery)) -> Append {
    let mut append = append;
    change(&mut append.delivery);
    append
}

pub(crate) fn refusal(from: &str, to: &str, now_s: u64) -> EventDraft {
    let fact = AfterSend {
        from: user(from),
        to: user(to),
        wire_seq: 5,
        random: 6,
        time_s: now_s,
        client_time_s: now_s,
        online_only: false,
        marked: false,
        outcome: Outcome::Refused(Refusal::Filtered),
        body: Bytes::from_static(b"refused"),
        custom_data: Bytes::new(),
    };
    EventDraft::new(APP, now_s * 1000, ORIGIN, Fact::AfterSend(fact))
}

/// That somebody's device went, and others with it.
pub(crate) fn logout(name: &str, now_s: u64) -> EventDraft {
    let kicked = vec![Platform::Web, Platform::Ipad];
    let fact = StateChange { user: user(name), action: StateAction::Logout, kicked };
    EventDraft::new(APP, now_s * 1000, ORIGIN, Fact::State(fact))
}

pub(crate) fn mark(reader: &str, peer: &str, now_s: u64) -> MarkRead {
    MarkRead {
        app: APP,
        reader: user(reader),
        peer: user(peer),
        until_s: None,
        now_ms: now_s * 1000,
        origin: ORIGIN,
    }
}

/// Everything of a conversation, as `viewer` sees it.
pub(crate) fn all_of(viewer: &str, peer: &str) -> HistoryQuery {
    HistoryQuery {
        conversation: pair(viewer, peer),
        viewer: user(viewer),
        direction: Direction::Older,
        time_s_min: 0,
        time_s_max: u64::MAX,
        behind: None,
        limit: usize::MAX,
        bytes_max: usize::MAX,
    }
}

pub(crate) async fn import(store: &dyn Store, names: &[&str], now_s: u64) {
    let accounts = names.iter().map(|name| Account::bare(user(name))).collect();
    store.import_accounts(APP, accounts, now_s * 1000).await.unwrap();
}

/// Appends what has to be new.
pub(crate) async fn say(store: &dyn Store, append: Append) -> Committed {
    match store.append(append).await.unwrap() {
        Appended::Done(committed) => *committed,
        other => panic!("the message should be new: {other:?}"),
    }
}

pub(crate) async fn events(store: &dyn Store) -> Vec<Event> {
    store.events(LANE, 0, usize::MAX).await.unwrap()
}

pub(crate) async fn unread(store: &dyn Store, name: &str, peer: &str) -> u32 {
    store.unread(APP, user(name), vec![user(peer)]).await.unwrap()[0]
}
