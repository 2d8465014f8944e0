use crate::world::acts::{act, altered, find, hinted, last_fact, set, view, viewed};
use crate::world::{APP, NOW_S, all_of, delivered, events, import, mark, message, say, unread, user};
use bytes::Bytes;
use chat::alter::{Act, EXTENSIONS_LEN_MAX, Extend, Extensions, NotAltered};
use chat::contact::ViewAct;
use chat::conversation::Alteration;
use chat::effect::Told;
use chat::event::{AfterExtension, AfterRecall, ExtensionChange, ExtensionItem, MessageName};
use chat::message::Fate;
use chat::port::{Alter, Altered, Append, Changes, Found, MarkRead, MessageKey, Store};
use chat::{Change, Fact, Message, Position};

fn name(message: &Message) -> MessageName {
    let Message { from, to, wire_seq, random, time_s, .. } = *message;
    MessageName { from, to, wire_seq, random, time_s }
}

fn edit(body: &'static str, version: Option<u32>) -> Act {
    Act::Edit { body: Some(Bytes::from_static(body.as_bytes())), custom_data: None, version, marked: false }
}

async fn refused(store: &dyn Store, alter: Alter) -> NotAltered {
    match store.alter(alter).await.unwrap() {
        Altered::Refused(refusal) => refusal,
        other => panic!("it should be refused: {other:?}"),
    }
}

async fn total(store: &dyn Store, name: &str) -> u32 {
    store.inbox(APP, user(name)).await.unwrap().unwrap().unread
}

/// Three messages from Ana to Bo that can have everything, and one from Cy.
async fn three(store: &dyn Store) -> [Message; 3] {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    say(store, message("cy", "bo", NOW_S, 9)).await;
    let mut said = Vec::new();
    for random in 1..=3 {
        let append = message("ana", "bo", NOW_S + u64::from(random), random);
        let append = delivered(append, |delivery| {
            (delivery.needs_receipt, delivery.extensible) = (true, true);
        });
        said.push((*say(store, append).await.message).clone());
    }
    said.try_into().unwrap()
}

pub(crate) async fn a_recalled_message_keeps_nothing_but_its_place(store: &dyn Store) {
    let [_, second, _] = three(store).await;
    altered(store, act(&second, "bo", set(&[("key", "value")]))).await;
    let (recalled, told) = altered(store, act(&second, "ana", Act::Recall)).await;
    let expected = Message {
        body: Bytes::new(),
        custom_data: Bytes::new(),
        offline_push: Bytes::new(),
        fate: Fate { recalled: true, ..Fate::default() },
        ..second.clone()
    };
    assert_eq!(recalled, expected);
    assert_eq!(store.history(all_of("bo", "ana")).await.unwrap().messages[1], expected);
    let found = Found { message: expected.clone(), extensions: Extensions::default() };
    assert_eq!(find(store, &second).await, Some(found));
    // It is not unread any more, and both are told.
    assert_eq!((unread(store, "bo", "ana").await, total(store, "bo").await), (2, 3));
    let change =
        |peer| Change::Altered { peer: user(peer), time_s: NOW_S + 2, seq: 2, how: Alteration::Recalled };
    assert_eq!(hinted(&told), [("bo".to_owned(), change("ana")), ("ana".to_owned(), change("bo"))]);
    assert_eq!(told.hints[0].1.record.entry.unread, 3);
    let before = Position { epoch: NOW_S * 1000, offset: told.hints[0].1.record.entry.offset - 1 };
    let changes = store.changes(APP, user("bo"), before, 9).await.unwrap();
    assert_eq!(changes, Changes::Records(vec![told.hints[0].1.record.clone()]));
    assert_eq!(told.hints[0].1.record.message.as_deref(), Some(&expected));
    let fact = AfterRecall { message: name(&second), unread: 3 };
    assert_eq!(last_fact(store).await, Fact::AfterRecall(fact));
    assert_eq!(events(store).await.last().unwrap().id, told.events[0]);

    assert_eq!(refused(store, act(&second, "ana", Act::Recall)).await, NotAltered::Recalled);
    assert_eq!(refused(store, act(&second, "ana", edit("[]", None))).await, NotAltered::Recalled);
    assert_eq!(refused(store, act(&second, "bo", set(&[("a", "b")]))).await, NotAltered::NotFound);
    assert_eq!(store.alter(act(&second, "bo", Act::Confirm)).await.unwrap(), Altered::Unchanged);
}

pub(crate) async fn what_was_read_is_recalled_without_a_count(store: &dyn Store) {
    let [first, second, third] = three(store).await;
    let part = MarkRead { until_s: Some(first.time_s), ..mark("bo", "ana", NOW_S + 9) };
    store.mark_read(part).await.unwrap().unwrap();
    for (message, left) in [(&first, 2), (&second, 1), (&third, 0)] {
        altered(store, act(message, "ana", Act::Recall)).await;
        assert_eq!((unread(store, "bo", "ana").await, total(store, "bo").await), (left, left + 1));
    }
}

pub(crate) async fn an_edit_changes_only_what_it_names(store: &dyn Store) {
    let [first, ..] = three(store).await;
    let (edited, told) = altered(store, act(&first, "admin", edit("[\"new\"]", None))).await;
    let fate = Fate { version: 1, ..Fate::default() };
    assert_eq!(edited, Message { body: "[\"new\"]".into(), fate, ..first.clone() });
    assert_eq!(find(store, &first).await.unwrap().message, edited);
    assert_eq!((told.hints.len(), unread(store, "bo", "ana").await), (2, 3));
    let Fact::AfterEdit(fact) = last_fact(store).await else { panic!("{told:?}") };
    assert_eq!((fact.operator, fact.message), (user("admin"), name(&first)));
    assert_eq!((fact.body, fact.custom_data), (edited.body, first.custom_data.clone()));

    // One that is meant for another version is refused, and changes nothing.
    assert_eq!(refused(store, act(&first, "ana", edit("[]", Some(0)))).await, NotAltered::Conflict);
    assert_eq!(altered(store, act(&first, "ana", edit("[2]", Some(1)))).await.0.fate.version, 2);
    let custom = Act::Edit { body: None, custom_data: Some("else".into()), version: None, marked: true };
    let (edited, _) = altered(store, act(&first, "ana", custom)).await;
    assert_eq!((edited.body, edited.custom_data), ("[2]".into(), "else".into()));
    assert!(edited.delivery.marked && !first.delivery.marked);
    // What a resend repeats is what was sent.
    assert_eq!(edited.content_crc, first.content_crc);
}

pub(crate) async fn a_message_is_confirmed_once_by_its_recipient(store: &dyn Store) {
    let [first, ..] = three(store).await;
    assert_eq!(store.alter(act(&first, "ana", Act::Confirm)).await.unwrap(), Altered::Unchanged);
    let told_before = events(store).await.len();
    let (confirmed, told) = altered(store, act(&first, "bo", Act::Confirm)).await;
    assert!(confirmed.fate.confirmed);
    assert_eq!((told.hints.len(), told.events.len()), (2, 0));
    assert_eq!(store.alter(act(&first, "bo", Act::Confirm)).await.unwrap(), Altered::Unchanged);
    assert_eq!(events(store).await.len(), told_before);
    let plain = say(store, message("ana", "bo", NOW_S + 9, 20)).await.message;
    assert_eq!(store.alter(act(&plain, "bo", Act::Confirm)).await.unwrap(), Altered::Unchanged);
}

pub(crate) async fn a_message_is_deleted_for_oneself_only(store: &dyn Store) {
    let [first, second, _] = three(store).await;
    let (_, told) = altered(store, act(&first, "bo", Act::Delete)).await;
    let change = Change::Altered { peer: user("ana"), time_s: NOW_S + 1, seq: 1, how: Alteration::Deleted };
    assert_eq!((hinted(&told), told.events.len()), (vec![("bo".to_owned(), change)], 0));
    assert_eq!((unread(store, "bo", "ana").await, total(store, "bo").await), (2, 3));
    assert_eq!(store.history(all_of("bo", "ana")).await.unwrap().messages.len(), 2);
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap().messages.len(), 3);
    assert_eq!(store.alter(act(&first, "bo", Act::Delete)).await.unwrap(), Altered::Unchanged);
    assert_eq!(refused(store, act(&first, "cy", Act::Delete)).await, NotAltered::NotFound);
    // The sender's own side counts nothing.
    altered(store, act(&second, "ana", Act::Delete)).await;
    assert_eq!(unread(store, "bo", "ana").await, 2);
    // Once it is recalled, there is nothing left to count for either.
    altered(store, act(&first, "ana", Act::Recall)).await;
    assert_eq!((unread(store, "bo", "ana").await, total(store, "bo").await), (2, 3));
}

fn item(key: &str, value: &str, version: u64) -> ExtensionItem {
    ExtensionItem { key: key.to_owned(), value: value.to_owned(), version }
}

pub(crate) async fn every_pair_has_a_version(store: &dyn Store) {
    let [first, ..] = three(store).await;
    let done = store.alter(act(&first, "bo", set(&[("a", "1"), ("b", "2")]))).await.unwrap();
    let Altered::Done { items, .. } = done else { panic!("{done:?}") };
    assert_eq!(items, [item("a", "1", 1), item("b", "2", 2)]);
    let fact = AfterExtension {
        message: name(&first),
        change: ExtensionChange::Set,
        items: vec![item("a", "1", 1), item("b", "2", 2)],
        version: 2,
    };
    assert_eq!(last_fact(store).await, Fact::AfterExtension(fact));
    altered(store, act(&first, "ana", set(&[("a", "3")]))).await;
    let extensions =
        |latest, cleared, items: &[ExtensionItem]| Extensions { latest, cleared, items: items.to_vec() };
    let now = || async { find(store, &first).await.unwrap().extensions };
    assert_eq!(now().await, extensions(3, 0, &[item("b", "2", 2), item("a", "3", 3)]));

    let delete = |keys: &[&str]| {
        Act::Extend(Extend::Delete(keys.iter().map(|key| (*key).to_owned().into()).collect()))
    };
    assert_eq!(store.alter(act(&first, "bo", delete(&["c"]))).await.unwrap(), Altered::Unchanged);
    let done = store.alter(act(&first, "bo", delete(&["c", "b"]))).await.unwrap();
    let Altered::Done { items, .. } = done else { panic!("{done:?}") };
    assert_eq!(items, [item("b", "", 4)]);
    assert_eq!(now().await, extensions(4, 0, &[item("a", "3", 3)]));

    altered(store, act(&first, "bo", Act::Extend(Extend::Clear))).await;
    assert_eq!(now().await, extensions(5, 5, &[]));
    let again = store.alter(act(&first, "bo", Act::Extend(Extend::Clear))).await.unwrap();
    assert_eq!(again, Altered::Unchanged);
    let plain = say(store, message("ana", "bo", NOW_S + 9, 20)).await.message;
    assert_eq!(refused(store, act(&plain, "bo", set(&[("a", "b")]))).await, NotAltered::NotExtensible);
}

pub(crate) async fn a_message_has_so_many_pairs(store: &dyn Store) {
    let [first, ..] = three(store).await;
    let keys: Vec<String> = (0..EXTENSIONS_LEN_MAX).map(|number| format!("key {number}")).collect();
    let pairs: Vec<(&str, &str)> = keys.iter().map(|key| (&**key, "value")).collect();
    altered(store, act(&first, "bo", set(&pairs))).await;
    assert_eq!(refused(store, act(&first, "bo", set(&[("one more", "")]))).await, NotAltered::TooManyPairs);
    altered(store, act(&first, "bo", set(&[("key 5", "new")]))).await;
    let extensions = find(store, &first).await.unwrap().extensions;
    assert_eq!((extensions.items.len(), extensions.latest), (300, 301));
}

pub(crate) async fn only_what_was_said_is_altered(store: &dyn Store) {
    let [first, ..] = three(store).await;
    let key = first.key();
    let others = [
        MessageKey { wire_seq: 99, ..key },
        MessageKey { random: 99, ..key },
        MessageKey { time_s: key.time_s + 1, ..key },
    ];
    for key in others {
        let alter = Alter { key, ..act(&first, "ana", Act::Recall) };
        assert_eq!(refused(store, alter).await, NotAltered::NotFound);
        assert_eq!(store.find(first.conversation(APP), key).await.unwrap(), None);
    }
    let elsewhere = Alter { to: user("cy"), ..act(&first, "ana", Act::Recall) };
    assert_eq!(refused(store, elsewhere).await, NotAltered::NotFound);
    // Who recalls or edits says who wrote it; the rest may be said in either order.
    let turned = |act_: Act| Alter { from: first.to, to: first.from, ..act(&first, "bo", act_) };
    assert_eq!(refused(store, turned(Act::Recall)).await, NotAltered::NotFound);
    assert_eq!(refused(store, turned(edit("[]", None))).await, NotAltered::NotFound);
    assert_eq!(altered(store, turned(set(&[("a", "b")]))).await.0, first);
    altered(store, turned(Act::Delete)).await;
}

/// Two messages can have one name, when both senders choose their numbers.
pub(crate) async fn the_newest_of_one_name_is_meant(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let given = |from, to| Append { wire_seq: Some(7), wire_seq_given: true, ..message(from, to, NOW_S, 1) };
    let older = say(store, given("ana", "bo")).await.message;
    let newer = say(store, given("bo", "ana")).await.message;
    assert_eq!(older.key(), newer.key());
    assert_eq!(find(store, &older).await.unwrap().message.seq, 2);
    assert_eq!(altered(store, act(&older, "ana", Act::Delete)).await.0.seq, 2);
    // Where it has to be said who wrote it, that one is meant.
    assert_eq!(altered(store, act(&older, "ana", Act::Recall)).await.0.seq, 1);
    assert_eq!(altered(store, act(&newer, "bo", Act::Recall)).await.0.seq, 2);
}

pub(crate) async fn who_left_is_not_told_of_what_is_altered(store: &dyn Store) {
    let [first, second, _] = three(store).await;
    store.delete_accounts(APP, vec![user("bo")], NOW_S * 1000).await.unwrap();
    let (_, told) = altered(store, act(&first, "ana", Act::Recall)).await;
    assert_eq!(hinted(&told).len(), 1);
    let fact = AfterRecall { message: name(&first), unread: 0 };
    assert_eq!(last_fact(store).await, Fact::AfterRecall(fact));
    // Made anew, the account counts none of the old ones.
    import(store, &["bo"], NOW_S).await;
    let (_, told) = altered(store, act(&second, "ana", Act::Recall)).await;
    assert_eq!((unread(store, "bo", "ana").await, total(store, "bo").await), (0, 0));
    assert_eq!(who(&told), ["ana"]);
}

/// Who is told.
fn who(told: &Told) -> Vec<String> {
    hinted(told).into_iter().map(|(name, _)| name).collect()
}

pub(crate) async fn what_someone_has_erased_is_not_shown_to_them_again(store: &dyn Store) {
    let [first, ..] = three(store).await;
    viewed(store, view("bo", "ana", ViewAct::Erase, NOW_S + 9)).await;
    let (edited, told) = altered(store, act(&first, "ana", edit("[2]", None))).await;
    assert_eq!(who(&told), ["ana"]);
    let (_, told) = altered(store, act(&first, "ana", set(&[("a", "b")]))).await;
    assert_eq!(who(&told), ["ana"]);
    let found = async |name| store.find_for(first.conversation(APP), user(name), first.key()).await.unwrap();
    assert_eq!(found("bo").await, None);
    assert_eq!(found("ana").await.unwrap().message, edited);
    assert_eq!(found("ana").await, find(store, &first).await);
    // What comes later is theirs.
    let later = say(store, message("ana", "bo", NOW_S + 10, 20)).await.message;
    let (_, told) = altered(store, act(&later, "ana", edit("[3]", None))).await;
    assert_eq!(who(&told), ["bo", "ana"]);
    let found = store.find_for(later.conversation(APP), user("bo"), later.key()).await.unwrap();
    assert_eq!(found.unwrap().message.seq, 4);
}
