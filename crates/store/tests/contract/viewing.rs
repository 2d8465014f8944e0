use crate::world::acts::{contacts, hinted, peers, person, view, viewed};
use crate::world::{APP, NOW_S, all_of, delivered, events, import, mark, message, say, unread, user};
use chat::Change;
use chat::contact::{Contact, ContactCursor, ContactsQuery};
use chat::conversation::ViewChange;
use chat::effect::Told;
use chat::event::AfterRead;
use chat::port::{MarkRead, Store, ViewChanged};
use chat::{Fact, Inbox};

async fn shown(store: &dyn Store, viewer: &str, peer: &str) -> usize {
    store.history(all_of(viewer, peer)).await.unwrap().messages.len()
}

async fn total(store: &dyn Store, name: &str) -> u32 {
    store.inbox(APP, user(name)).await.unwrap().unwrap().unread
}

/// Bo says something to Ana at 1 and 2, and Cy at 3.
async fn three(store: &dyn Store) {
    import(store, &["ana", "bo", "cy", "dee"], NOW_S).await;
    for (random, from) in [(1, "bo"), (2, "bo"), (3, "cy")] {
        say(store, message(from, "ana", NOW_S + random, random as u32)).await;
    }
}

pub(crate) async fn a_removed_conversation_keeps_its_history(store: &dyn Store) {
    three(store).await;
    let told = viewed(store, view("ana", "bo", ViewChange::Removed, NOW_S)).await;
    let change = Change::View { peer: user("bo"), how: ViewChange::Removed };
    assert_eq!((hinted(&told), told.events.len()), (vec![("ana".to_owned(), change)], 0));
    assert_eq!(told.hints[0].1.record.entry.unread, 1);
    assert_eq!(peers(store, contacts("ana")).await, ["cy"]);
    assert_eq!(peers(store, contacts("bo")).await, ["ana"]);
    // What could not be read any more does not count.
    assert_eq!((unread(store, "ana", "bo").await, total(store, "ana").await), (0, 1));
    assert_eq!(shown(store, "ana", "bo").await, 2);
    assert_eq!(viewed(store, view("ana", "bo", ViewChange::Removed, NOW_S)).await, Told::default());
    // With the next message it is back.
    say(store, message("ana", "bo", NOW_S + 9, 9)).await;
    assert_eq!(peers(store, contacts("ana")).await, ["bo", "cy"]);
    assert_eq!(events(store).await.len(), 4);
}

pub(crate) async fn an_erased_conversation_shows_what_comes_later(store: &dyn Store) {
    three(store).await;
    viewed(store, view("ana", "bo", ViewChange::Pinned, NOW_S)).await;
    let told = viewed(store, view("ana", "bo", ViewChange::Erased, NOW_S)).await;
    let change = Change::View { peer: user("bo"), how: ViewChange::Erased };
    assert_eq!(hinted(&told), [("ana".to_owned(), change)]);
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (0, 2));
    assert_eq!((unread(store, "ana", "bo").await, total(store, "ana").await), (0, 1));
    assert_eq!(peers(store, ContactsQuery { with_empty: true, ..contacts("ana") }).await, ["cy"]);
    assert_eq!(person(store, "ana").await.pinned, 0);
    assert_eq!(viewed(store, view("ana", "bo", ViewChange::Erased, NOW_S)).await, Told::default());
    say(store, message("bo", "ana", NOW_S + 9, 9)).await;
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (1, 3));
}

pub(crate) async fn a_conversation_begins_when_it_is_pinned(store: &dyn Store) {
    three(store).await;
    let told = viewed(store, view("ana", "dee", ViewChange::Pinned, NOW_S + 5)).await;
    let change = Change::View { peer: user("dee"), how: ViewChange::Pinned };
    assert_eq!(hinted(&told), [("ana".to_owned(), change)]);
    assert_eq!(peers(store, contacts("ana")).await, ["cy", "bo"]);
    let with_empty = ContactsQuery { with_empty: true, ..contacts("ana") };
    assert_eq!(peers(store, with_empty).await, ["cy", "bo", "dee"]);
    let pinned = store.contacts(ContactsQuery { pinned: Some(true), ..with_empty }).await.unwrap().unwrap();
    let dee = Contact { peer: user("dee"), time_s: 0, pinned_ms: (NOW_S + 5) * 1000, unread: 0 };
    assert_eq!((pinned.contacts, pinned.next), (vec![dee], None));
    assert_eq!(peers(store, ContactsQuery { with_empty: true, ..contacts("dee") }).await, [""; 0]);
    // The first message goes on from there.
    assert_eq!(say(store, message("dee", "ana", NOW_S + 9, 9)).await.message.seq, 1);
    assert_eq!(peers(store, ContactsQuery { pinned: Some(true), ..contacts("ana") }).await, ["dee"]);
    assert_eq!(peers(store, ContactsQuery { pinned: Some(false), ..contacts("ana") }).await, ["cy", "bo"]);

    let unknown =
        [view("ana", "nobody", ViewChange::Pinned, NOW_S), view("nobody", "ana", ViewChange::Pinned, NOW_S)];
    for change in unknown {
        assert_eq!(store.change_view(change).await.unwrap(), ViewChanged::UnknownAccount);
    }
    // There is nothing to take away from what never was.
    let nothing = view("ana", "nobody", ViewChange::Erased, NOW_S);
    assert_eq!(viewed(store, nothing).await, Told::default());
}

pub(crate) async fn only_so_many_are_pinned(store: &dyn Store) {
    three(store).await;
    let pin = |peer| view("ana", peer, ViewChange::Pinned, NOW_S);
    viewed(store, pin("bo")).await;
    viewed(store, pin("dee")).await;
    assert_eq!(viewed(store, pin("bo")).await, Told::default());
    assert_eq!(store.change_view(pin("cy")).await.unwrap(), ViewChanged::TooManyPinned);
    assert_eq!(person(store, "ana").await.pinned, 2);
    // Taking one out of the list makes room as well.
    viewed(store, view("ana", "dee", ViewChange::Removed, NOW_S)).await;
    viewed(store, pin("cy")).await;
    viewed(store, view("ana", "bo", ViewChange::Unpinned, NOW_S)).await;
    assert_eq!(viewed(store, view("ana", "bo", ViewChange::Unpinned, NOW_S)).await, Told::default());
    assert_eq!(person(store, "ana").await.pinned, 1);
    assert_eq!(peers(store, ContactsQuery { pinned: Some(true), ..contacts("ana") }).await, ["cy"]);
}

pub(crate) async fn contacts_are_listed_newest_first_in_pages(store: &dyn Store) {
    import(store, &["me", "a", "b", "c", "d", "e"], NOW_S).await;
    for (random, (peer, second)) in [("d", 5), ("a", 9), ("c", 5), ("b", 5), ("e", 1)].into_iter().enumerate()
    {
        say(store, message(peer, "me", NOW_S + second, random as u32)).await;
    }
    assert_eq!(peers(store, contacts("me")).await, ["a", "b", "c", "d", "e"]);
    let query = |after, limit| ContactsQuery { after, limit, ..contacts("me") };
    let cursor = |second, skip| Some(ContactCursor { time_s: NOW_S + second, skip });
    let first = store.contacts(query(None, 2)).await.unwrap().unwrap();
    let expected = ["a", "b"].map(user);
    assert_eq!(first.contacts.iter().map(|contact| contact.peer).collect::<Vec<_>>(), expected);
    assert_eq!((first.contacts[1].unread, first.next), (1, cursor(5, 1)));
    let second = store.contacts(query(first.next, 1)).await.unwrap().unwrap();
    assert_eq!((second.contacts[0].peer, second.next), (user("c"), cursor(5, 2)));
    let last = store.contacts(query(second.next, 9)).await.unwrap().unwrap();
    assert_eq!((last.contacts.len(), last.next), (2, None));
    assert_eq!(store.contacts(contacts("nobody")).await.unwrap(), None);
}

/// A message that does not touch the list neither moves its conversation nor puts it there.
pub(crate) async fn a_message_can_leave_the_list_alone(store: &dyn Store) {
    three(store).await;
    for (random, from) in [(4, "bo"), (5, "dee")] {
        let quiet = delivered(message(from, "ana", NOW_S + 9, random), |delivery| delivery.no_last = true);
        say(store, quiet).await;
    }
    assert_eq!(peers(store, contacts("ana")).await, ["cy", "bo"]);
    assert_eq!(total(store, "ana").await, 5);
}

pub(crate) async fn a_part_of_a_conversation_is_read(store: &dyn Store) {
    three(store).await;
    say(store, message("ana", "bo", NOW_S + 2, 4)).await;
    say(store, message("bo", "ana", NOW_S + 4, 5)).await;
    let part = |second| MarkRead { until_s: Some(NOW_S + second), ..mark("ana", "bo", NOW_S + 50) };
    // Nothing is as old as that, and then nothing is changed.
    assert_eq!(store.mark_read(part(0)).await.unwrap(), None);
    let read = store.mark_read(part(1)).await.unwrap().unwrap();
    let change = Change::Read { reader: user("ana"), peer: user("bo"), time_s: NOW_S + 1, seq: 0 };
    assert_eq!((read.reader.record.entry.change, read.reader.record.entry.unread), (change, 3));
    assert_eq!(read.peer.unwrap().record.entry.change, change);
    assert_eq!((unread(store, "ana", "bo").await, total(store, "ana").await), (2, 3));
    let fact = AfterRead { reader: user("ana"), peer: user("bo"), last_read_s: NOW_S + 1, unread: 3 };
    assert_eq!(events(store).await.pop().unwrap().fact, Fact::AfterRead(fact));
    assert_eq!(store.mark_read(part(1)).await.unwrap(), None);
    store.mark_read(part(3)).await.unwrap().unwrap();
    assert_eq!(unread(store, "ana", "bo").await, 1);
    // Up to the last message is all of it.
    let read = store.mark_read(part(4)).await.unwrap().unwrap();
    let change = Change::Read { reader: user("ana"), peer: user("bo"), time_s: NOW_S + 4, seq: 4 };
    assert_eq!(read.reader.record.entry.change, change);
    let inbox = store.inbox(APP, user("ana")).await.unwrap();
    assert_eq!(inbox, Some(Inbox { epoch: NOW_S * 1000, offset: 8, unread: 1 }));
}
