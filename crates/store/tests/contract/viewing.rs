use crate::world::acts::{
    about, act, altered, befriend, contacts, hinted, peers, person, related, view, viewed,
};
use crate::world::{APP, NOW_S, all_of, delivered, events, import, mark, message, say, unread, user};
use chat::Change;
use chat::alter::Act;
use chat::contact::{
    Contact, ContactCursor, ContactDetails, ContactsPage, ContactsQuery, NoteView, Notes, ViewAct,
};
use chat::conversation::{Notify, ViewChange};
use chat::effect::Told;
use chat::event::AfterRead;
use chat::port::{MarkRead, Store, ViewChanged};
use chat::relate::Approach;
use chat::{Fact, Inbox};

async fn shown(store: &dyn Store, viewer: &str, peer: &str) -> usize {
    store.history(all_of(viewer, peer)).await.unwrap().messages.len()
}

/// An entry that says nothing.
fn nothing_of(peer: &str) -> Contact {
    Contact {
        peer: user(peer),
        time_s: 0,
        pinned_ms: 0,
        unread: 0,
        notify: Notify::Ring,
        read_until_s: 0,
        peer_read_until_s: 0,
        details: ContactDetails::default(),
    }
}

fn note(owner: &str, peer: &str, note: NoteView) -> chat::contact::ChangeView {
    view(owner, peer, ViewAct::Note(note), NOW_S)
}

/// The entry that someone has of somebody, with everything.
async fn entry(store: &dyn Store, owner: &str, peer: &str) -> Option<Contact> {
    let page = store.contacts_with(APP, user(owner), vec![user(peer)]).await.unwrap().unwrap();
    assert_eq!(page.next, None);
    page.contacts.into_iter().next()
}

/// The number of the message that the list shows.
async fn last(store: &dyn Store, owner: &str, peer: &str) -> Option<u64> {
    entry(store, owner, peer).await.and_then(|entry| entry.details.last).map(|message| message.seq)
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
    let told = viewed(store, view("ana", "bo", ViewAct::Remove, NOW_S)).await;
    let change = Change::View { peer: user("bo"), how: ViewChange::Removed };
    assert_eq!((hinted(&told), told.events.len()), (vec![("ana".to_owned(), change)], 0));
    assert_eq!(told.hints[0].1.record.entry.unread, 1);
    assert_eq!(peers(store, contacts("ana")).await, ["cy"]);
    assert_eq!(peers(store, contacts("bo")).await, ["ana"]);
    // What could not be read any more does not count.
    assert_eq!((unread(store, "ana", "bo").await, total(store, "ana").await), (0, 1));
    assert_eq!(shown(store, "ana", "bo").await, 2);
    assert_eq!(viewed(store, view("ana", "bo", ViewAct::Remove, NOW_S)).await, Told::default());
    // With the next message it is back.
    say(store, message("ana", "bo", NOW_S + 9, 9)).await;
    assert_eq!(peers(store, contacts("ana")).await, ["bo", "cy"]);
    assert_eq!(events(store).await.len(), 4);
}

pub(crate) async fn an_erased_conversation_shows_what_comes_later(store: &dyn Store) {
    three(store).await;
    viewed(store, view("ana", "bo", ViewAct::Pin, NOW_S)).await;
    let told = viewed(store, view("ana", "bo", ViewAct::Erase, NOW_S)).await;
    let change = Change::View { peer: user("bo"), how: ViewChange::Erased };
    assert_eq!(hinted(&told), [("ana".to_owned(), change)]);
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (0, 2));
    assert_eq!((unread(store, "ana", "bo").await, total(store, "ana").await), (0, 1));
    assert_eq!(peers(store, ContactsQuery { with_empty: true, ..contacts("ana") }).await, ["cy"]);
    assert_eq!(person(store, "ana").await.pinned, 0);
    assert_eq!(viewed(store, view("ana", "bo", ViewAct::Erase, NOW_S)).await, Told::default());
    say(store, message("bo", "ana", NOW_S + 9, 9)).await;
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (1, 3));
}

pub(crate) async fn a_conversation_begins_when_it_is_pinned(store: &dyn Store) {
    three(store).await;
    let told = viewed(store, view("ana", "dee", ViewAct::Pin, NOW_S + 5)).await;
    let change = Change::View { peer: user("dee"), how: ViewChange::Pinned };
    assert_eq!(hinted(&told), [("ana".to_owned(), change)]);
    assert_eq!(peers(store, contacts("ana")).await, ["cy", "bo"]);
    let with_empty = ContactsQuery { with_empty: true, ..contacts("ana") };
    assert_eq!(peers(store, with_empty).await, ["cy", "bo", "dee"]);
    let pinned = store.contacts(ContactsQuery { pinned: Some(true), ..with_empty }).await.unwrap().unwrap();
    let dee = Contact { pinned_ms: (NOW_S + 5) * 1000, ..nothing_of("dee") };
    assert_eq!((pinned.contacts, pinned.next, pinned.inbox.unread), (vec![dee], None, 3));
    assert_eq!(peers(store, ContactsQuery { with_empty: true, ..contacts("dee") }).await, [""; 0]);
    // The first message goes on from there.
    assert_eq!(say(store, message("dee", "ana", NOW_S + 9, 9)).await.message.seq, 1);
    assert_eq!(peers(store, ContactsQuery { pinned: Some(true), ..contacts("ana") }).await, ["dee"]);
    assert_eq!(peers(store, ContactsQuery { pinned: Some(false), ..contacts("ana") }).await, ["cy", "bo"]);

    let unknown = [view("ana", "nobody", ViewAct::Pin, NOW_S), view("nobody", "ana", ViewAct::Pin, NOW_S)];
    for change in unknown {
        assert_eq!(store.change_view(change).await.unwrap(), ViewChanged::UnknownAccount);
    }
    // There is nothing to take away from what never was.
    let nothing = view("ana", "nobody", ViewAct::Erase, NOW_S);
    assert_eq!(viewed(store, nothing).await, Told::default());
}

pub(crate) async fn only_so_many_are_pinned(store: &dyn Store) {
    three(store).await;
    let pin = |peer| view("ana", peer, ViewAct::Pin, NOW_S);
    viewed(store, pin("bo")).await;
    viewed(store, pin("dee")).await;
    assert_eq!(viewed(store, pin("bo")).await, Told::default());
    assert_eq!(store.change_view(pin("cy")).await.unwrap(), ViewChanged::TooManyPinned);
    assert_eq!(person(store, "ana").await.pinned, 2);
    // Taking one out of the list makes room as well.
    viewed(store, view("ana", "dee", ViewAct::Remove, NOW_S)).await;
    viewed(store, pin("cy")).await;
    viewed(store, view("ana", "bo", ViewAct::Unpin, NOW_S)).await;
    assert_eq!(viewed(store, view("ana", "bo", ViewAct::Unpin, NOW_S)).await, Told::default());
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

pub(crate) async fn a_cleared_conversation_stays_in_the_list(store: &dyn Store) {
    three(store).await;
    viewed(store, view("ana", "bo", ViewAct::Pin, NOW_S)).await;
    let told = viewed(store, view("ana", "bo", ViewAct::Clear, NOW_S)).await;
    let change = Change::View { peer: user("bo"), how: ViewChange::Cleared };
    assert_eq!((hinted(&told), told.events.len()), (vec![("ana".to_owned(), change)], 0));
    assert_eq!(told.hints[0].1.record.entry.unread, 1);
    assert_eq!((shown(store, "ana", "bo").await, shown(store, "bo", "ana").await), (0, 2));
    assert_eq!((unread(store, "ana", "bo").await, total(store, "ana").await), (0, 1));
    assert_eq!(peers(store, contacts("ana")).await, ["cy", "bo"]);
    let expected = Contact { time_s: NOW_S + 2, pinned_ms: NOW_S * 1000, ..nothing_of("bo") };
    assert_eq!(entry(store, "ana", "bo").await, Some(expected));
    assert_eq!(viewed(store, view("ana", "bo", ViewAct::Clear, NOW_S)).await, Told::default());
    assert_eq!(viewed(store, view("ana", "dee", ViewAct::Clear, NOW_S)).await, Told::default());
    say(store, message("bo", "ana", NOW_S + 2, 9)).await;
    assert_eq!((shown(store, "ana", "bo").await, last(store, "ana", "bo").await), (1, Some(3)));
    // One that was taken out of the list does not come back with it.
    viewed(store, view("ana", "cy", ViewAct::Remove, NOW_S)).await;
    viewed(store, view("ana", "cy", ViewAct::Clear, NOW_S)).await;
    assert_eq!(peers(store, contacts("ana")).await, ["bo"]);
}

pub(crate) async fn what_is_noted_of_a_conversation_is_its_owners(store: &dyn Store) {
    three(store).await;
    let marked = NoteView { marks_on: 0b1011, custom: Some("work".to_owned()), ..NoteView::default() };
    let told = viewed(store, note("ana", "bo", marked.clone())).await;
    let change = Change::View { peer: user("bo"), how: ViewChange::Noted };
    assert_eq!((hinted(&told), told.events.len()), (vec![("ana".to_owned(), change)], 0));
    assert_eq!(viewed(store, note("ana", "bo", marked.clone())).await, Told::default());
    let silent = NoteView { notify: Some(Notify::Silent), marks_off: 0b10, ..NoteView::default() };
    viewed(store, note("ana", "bo", silent)).await;
    let found = entry(store, "ana", "bo").await.unwrap();
    let notes = Notes { marks: 0b1001, custom: "work".to_owned() };
    assert_eq!((found.notify, found.details.notes, found.unread), (Notify::Silent, notes.clone(), 2));
    let theirs = entry(store, "bo", "ana").await.unwrap();
    assert_eq!((theirs.notify, theirs.details.notes), (Notify::Ring, Notes::default()));
    // A message leaves it alone, and so does clearing; what is taken out of the list has no notes.
    say(store, message("bo", "ana", NOW_S + 5, 5)).await;
    viewed(store, view("ana", "bo", ViewAct::Clear, NOW_S)).await;
    assert_eq!(entry(store, "ana", "bo").await.unwrap().details.notes, notes);
    viewed(store, view("ana", "bo", ViewAct::Remove, NOW_S)).await;
    // What is wanted of the peer's messages is no note: it stays, also of one that is erased.
    viewed(store, view("ana", "bo", ViewAct::Erase, NOW_S)).await;
    let expected = Contact { notify: Notify::Silent, ..nothing_of("bo") };
    assert_eq!(entry(store, "ana", "bo").await, Some(expected));
    let rings = NoteView { notify: Some(Notify::Ring), ..NoteView::default() };
    viewed(store, note("ana", "bo", rings)).await;
    assert_eq!(entry(store, "ana", "bo").await, None);

    // A conversation begins with it, and is in nobody's list.
    viewed(store, note("ana", "dee", marked.clone())).await;
    assert_eq!(peers(store, ContactsQuery { with_empty: true, ..contacts("ana") }).await, ["cy"]);
    assert!(entry(store, "ana", "dee").await.is_some());
    for (owner, peer) in [("ana", "nobody"), ("nobody", "ana")] {
        let changed = store.change_view(note(owner, peer, marked.clone())).await.unwrap();
        assert_eq!(changed, ViewChanged::UnknownAccount);
    }
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    import(store, &["ana"], NOW_S).await;
    assert_eq!(entry(store, "ana", "dee").await, None);
}

pub(crate) async fn the_list_shows_the_newest_message_that_is_left(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let mut said = Vec::new();
    for random in 1..=4 {
        // The last one does not touch the list.
        let quiet = delivered(message("bo", "ana", NOW_S + 1, random), |how| how.no_last = random == 4);
        said.push(say(store, quiet).await.message);
    }
    assert_eq!(last(store, "ana", "bo").await, Some(3));
    altered(store, act(&said[2], "ana", Act::Delete)).await;
    assert_eq!((last(store, "ana", "bo").await, last(store, "bo", "ana").await), (Some(2), Some(3)));
    altered(store, act(&said[1], "bo", Act::Recall)).await;
    let recalled = entry(store, "ana", "bo").await.unwrap().details.last.unwrap();
    assert!(recalled.fate.recalled && recalled.seq == 2);
    altered(store, act(&said[1], "ana", Act::Delete)).await;
    altered(store, act(&said[0], "ana", Act::Delete)).await;
    assert_eq!(last(store, "ana", "bo").await, None);
    // The page says the same as the entry, when it is asked for it.
    let details = ContactsQuery { with_details: true, ..contacts("bo") };
    let page = store.contacts(details).await.unwrap().unwrap();
    assert_eq!(page.contacts, [entry(store, "bo", "ana").await.unwrap()]);
    let page = store.contacts(contacts("bo")).await.unwrap().unwrap();
    assert_eq!(page.contacts[0].details, ContactDetails::default());
    // A list that was left with one message is not searched for ever.
    let mut newest = said[2].clone();
    for random in 0..=100 {
        newest = say(store, message("ana", "bo", NOW_S + 2, 1000 + random)).await.message;
        altered(store, act(&newest, "bo", Act::Delete)).await;
    }
    assert_eq!((newest.seq, last(store, "bo", "ana").await), (105, None));
}

pub(crate) async fn an_entry_says_what_both_have_read(store: &dyn Store) {
    three(store).await;
    related(store, about("ana", "bo", befriend(false))).await;
    let read = |entry: Option<Contact>| entry.map(|entry| (entry.read_until_s, entry.peer_read_until_s));
    assert_eq!(read(entry(store, "ana", "bo").await), Some((0, 0)));
    let part = MarkRead { until_s: Some(NOW_S + 1), ..mark("ana", "bo", NOW_S + 9) };
    store.mark_read(part).await.unwrap().unwrap();
    assert_eq!(read(entry(store, "ana", "bo").await), Some((NOW_S + 1, 0)));
    assert_eq!(read(entry(store, "bo", "ana").await), Some((0, NOW_S + 1)));
    store.mark_read(mark("ana", "bo", NOW_S + 9)).await.unwrap().unwrap();
    assert_eq!(read(entry(store, "bo", "ana").await), Some((0, NOW_S + 2)));
    // What the peer was told is not taken back.
    viewed(store, view("ana", "bo", ViewAct::Erase, NOW_S)).await;
    assert_eq!(read(entry(store, "bo", "ana").await), Some((0, NOW_S + 2)));
    // Taking it out of the list is nothing that the peer is told.
    viewed(store, view("ana", "cy", ViewAct::Remove, NOW_S)).await;
    assert_eq!(read(entry(store, "cy", "ana").await), Some((0, 0)));
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    assert_eq!(read(entry(store, "bo", "ana").await), Some((0, NOW_S + 2)));
}

pub(crate) async fn entries_are_asked_for_by_name(store: &dyn Store) {
    three(store).await;
    related(store, about("ana", "bo", befriend(false))).await;
    viewed(store, view("ana", "cy", ViewAct::Remove, NOW_S)).await;
    let asked = ["dee", "cy", "bo", "nobody", "bo"].map(user).to_vec();
    let page = store.contacts_with(APP, user("ana"), asked).await.unwrap().unwrap();
    let found = page.contacts.iter().map(|entry| (entry.peer.as_str(), entry.details.remark.as_str()));
    assert_eq!(found.collect::<Vec<_>>(), [("bo", "remark"), ("bo", "remark")]);
    let inbox = store.inbox(APP, user("ana")).await.unwrap().unwrap();
    assert_eq!(inbox.unread, 2);
    assert_eq!(page, ContactsPage { next: None, inbox, ..page.clone() });
    let expected = Contact {
        time_s: NOW_S + 2,
        unread: 2,
        details: ContactDetails {
            last: page.contacts[0].details.last.clone(),
            remark: "remark".to_owned(),
            ..ContactDetails::default()
        },
        ..nothing_of("bo")
    };
    assert_eq!(page.contacts[0], expected);
    assert_eq!(page.contacts[0].details.last.as_ref().unwrap().seq, 2);
    related(store, about("ana", "bo", Approach::Unfriend { mutual: false })).await;
    assert_eq!(entry(store, "ana", "bo").await.unwrap().details.remark, "");
    assert_eq!(store.contacts_with(APP, user("nobody"), vec![user("ana")]).await.unwrap(), None);
    let empty = store.contacts_with(APP, user("dee"), Vec::new()).await.unwrap().unwrap();
    let inbox = store.inbox(APP, user("dee")).await.unwrap().unwrap();
    assert_eq!(empty, ContactsPage { contacts: Vec::new(), next: None, inbox });
}

pub(crate) async fn what_is_unread_is_found_wherever_it_is(store: &dyn Store) {
    three(store).await;
    let unlisted = delivered(message("dee", "ana", NOW_S + 9, 9), |delivery| delivery.no_last = true);
    say(store, unlisted).await;
    let unread_only = ContactsQuery { unread_only: true, ..contacts("ana") };
    assert_eq!(peers(store, unread_only).await, ["cy", "bo", "dee"]);
    store.mark_read(mark("ana", "bo", NOW_S + 9)).await.unwrap().unwrap();
    assert_eq!(peers(store, unread_only).await, ["cy", "dee"]);
    assert_eq!(peers(store, ContactsQuery { unread_only: true, ..contacts("bo") }).await, [""; 0]);
    let page = store.contacts(ContactsQuery { limit: 1, ..unread_only }).await.unwrap().unwrap();
    assert_eq!((page.inbox.unread, page.next), (2, Some(ContactCursor { time_s: NOW_S + 3, skip: 1 })));
}
