//! What people do in the tests of the stores, with everything filled in that is of no interest there.

use super::{APP, NOW_S, ORIGIN, user};
use bytes::Bytes;
use chat::Message;
use chat::alter::{Act, Extend};
use chat::contact::{ChangeView, ViewAct};
use chat::conversation::Change;
use chat::effect::Told;
use chat::event::{Fact, ProfileValue};
use chat::person::{ChangePerson, Person, PersonChange, PersonChanged, ProfileSettings, Tie};
use chat::port::{
    Alter, Altered, ContactsQuery, Found, ImportMessage, Imported, ListQuery, Relate, Related, Store,
    TieList, ViewChanged,
};
use chat::relate::{Approach, NotRelated, RelationLimits};

/// A message of another time. `number` is both its sequence number and its random number.
pub(crate) fn once(from: &str, to: &str, time_s: u64, number: u32) -> ImportMessage {
    ImportMessage {
        app: APP,
        from: user(from),
        to: user(to),
        wire_seq: number,
        random: number,
        time_s,
        body: Bytes::from_static(b"[\"once\"]"),
        custom_data: Bytes::from_static(b"old"),
        content_crc: 0x00c0_ffee,
        live: false,
    }
}

pub(crate) async fn import_one(store: &dyn Store, import: ImportMessage) -> Imported {
    store.import_messages(vec![import]).await.unwrap().pop().unwrap()
}

/// Imports what has to be new.
pub(crate) async fn put(store: &dyn Store, import: ImportMessage) -> Told {
    match import_one(store, import).await {
        Imported::Done(told) => told,
        other => panic!("the message should be new: {other:?}"),
    }
}

pub(crate) fn act(message: &Message, by: &str, act: Act) -> Alter {
    Alter {
        app: APP,
        from: message.from,
        to: message.to,
        key: message.key(),
        by: user(by),
        act,
        now_ms: (NOW_S + 60) * 1000,
        origin: ORIGIN,
    }
}

pub(crate) fn set(pairs: &[(&str, &str)]) -> Act {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned().into(), (*value).to_owned());
    Act::Extend(Extend::Set(pairs.iter().map(owned).collect()))
}

/// Alters what has to be altered.
pub(crate) async fn altered(store: &dyn Store, alter: Alter) -> (Message, Told) {
    match store.alter(alter).await.unwrap() {
        Altered::Done { message, told, .. } => ((*message).clone(), told),
        other => panic!("the message should be altered: {other:?}"),
    }
}

pub(crate) async fn find(store: &dyn Store, message: &Message) -> Option<Found> {
    store.find(message.conversation(APP), message.key()).await.unwrap()
}

pub(crate) fn view(owner: &str, peer: &str, act: ViewAct, now_s: u64) -> ChangeView {
    let (owner, peer) = (user(owner), user(peer));
    ChangeView { app: APP, owner, peer, act, pinned_len_max: 2, now_ms: now_s * 1000 }
}

/// Changes a view that can be changed.
pub(crate) async fn viewed(store: &dyn Store, change: ChangeView) -> Told {
    match store.change_view(change).await.unwrap() {
        ViewChanged::Done(told) => told,
        other => panic!("the view should change: {other:?}"),
    }
}

pub(crate) fn contacts(owner: &str) -> ContactsQuery {
    let owner = user(owner);
    ContactsQuery {
        app: APP,
        owner,
        pinned: None,
        with_empty: false,
        unread_only: false,
        with_details: false,
        after: None,
        limit: 100,
    }
}

/// Whom a list of conversations has, in order.
pub(crate) async fn peers(store: &dyn Store, query: ContactsQuery) -> Vec<String> {
    let page = store.contacts(query).await.unwrap().unwrap();
    page.contacts.iter().map(|contact| contact.peer.as_str().to_owned()).collect()
}

pub(crate) fn change(name: &str, change: PersonChange) -> ChangePerson {
    ChangePerson { app: APP, user: user(name), change, now_ms: NOW_S * 1000 }
}

pub(crate) fn profile(items: &[(&str, &str)], settings: ProfileSettings) -> PersonChange {
    let operator = user("admin");
    PersonChange::Profile { items: tagged(items), settings, operator, origin: ORIGIN, tags_max: 3 }
}

pub(crate) fn tagged(items: &[(&str, &str)]) -> Vec<(String, ProfileValue)> {
    let item = |(tag, text): &(&str, &str)| ((*tag).to_owned(), ProfileValue::Text((*text).to_owned()));
    items.iter().map(item).collect()
}

/// Changes what can be changed of a person.
pub(crate) async fn changed(store: &dyn Store, change: ChangePerson) -> Told {
    match store.change_person(change).await.unwrap() {
        PersonChanged::Done(told) => told,
        other => panic!("the person should change: {other:?}"),
    }
}

pub(crate) async fn person(store: &dyn Store, name: &str) -> Person {
    store.people(APP, vec![user(name)]).await.unwrap().remove(0).unwrap().person
}

pub(crate) fn about(from: &str, to: &str, act: Approach) -> Relate {
    let limits =
        RelationLimits { friends_max: 2, blocked_max: 1, groups_max: 2, requests_max: 1, custom_max: 1 };
    Relate { app: APP, from: user(from), to: user(to), act, limits, now_ms: NOW_S * 1000, origin: ORIGIN }
}

pub(crate) fn befriend(mutual: bool) -> Approach {
    Approach::Befriend {
        mutual,
        forced: false,
        discreet: false,
        admin: None,
        remark: "remark".to_owned(),
        group: None,
        source: "source".to_owned(),
        wording: "wording".to_owned(),
    }
}

/// Does what nothing speaks against.
pub(crate) async fn related(store: &dyn Store, relate: Relate) -> Told {
    match store.relate(relate).await.unwrap() {
        Related::Done(told) => told,
        other => panic!("it should be done: {other:?}"),
    }
}

pub(crate) async fn not_related(store: &dyn Store, relate: Relate) -> NotRelated {
    match store.relate(relate).await.unwrap() {
        Related::Refused(refusal) => refusal,
        other => panic!("it should be refused: {other:?}"),
    }
}

pub(crate) async fn tie(store: &dyn Store, name: &str, peer: &str) -> Tie {
    store.ties(APP, vec![[user(name), user(peer)]]).await.unwrap().remove(0)
}

/// Who is on a list, in order.
pub(crate) async fn listed(store: &dyn Store, name: &str, list: TieList) -> Vec<String> {
    let query = ListQuery { app: APP, user: user(name), list, after: None, skip: 0, limit: usize::MAX };
    let listed = store.listed(query).await.unwrap();
    listed.iter().map(|listed| listed.peer.as_str().to_owned()).collect()
}

/// Who was told of a change, with what their logs say.
pub(crate) fn hinted(told: &Told) -> Vec<(String, Change)> {
    told.hints.iter().map(|(user, hint)| (user.as_str().to_owned(), hint.record.entry.change)).collect()
}

/// The last event that a store was told of.
pub(crate) async fn last_fact(store: &dyn Store) -> Fact {
    super::events(store).await.pop().unwrap().fact
}
