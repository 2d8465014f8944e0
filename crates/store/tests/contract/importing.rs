use crate::world::acts::{contacts, hinted, import_one, once, peers, put, view, viewed};
use crate::world::{APP, NOW_S, all_of, events, import, mark, message, pair, say, unread, user};
use chat::contact::ViewAct;
use chat::effect::Told;
use chat::message::Fate;
use chat::port::{Appended, Changes, ImportMessage, Imported, MarkRead, Store};
use chat::{Change, Delivery, Inbox, Message, Position};

async fn history(store: &dyn Store, viewer: &str, peer: &str) -> Vec<(u64, u64)> {
    let page = store.history(all_of(viewer, peer)).await.unwrap();
    assert!(page.is_complete());
    page.messages.iter().map(|message| (message.time_s, message.seq)).collect()
}

pub(crate) async fn an_imported_message_stands_at_its_time(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S, 1)).await;
    assert_eq!(put(store, once("bo", "ana", NOW_S - 500, 7)).await, Told::default());
    assert_eq!(put(store, once("ana", "bo", NOW_S - 900, 8)).await, Told::default());
    let expected = vec![(NOW_S, 1), (NOW_S - 500, 2), (NOW_S - 900, 3)];
    for (viewer, peer) in [("ana", "bo"), ("bo", "ana")] {
        assert_eq!(history(store, viewer, peer).await, expected);
    }
    let stored = Message {
        from: user("bo"),
        to: user("ana"),
        time_s: NOW_S - 500,
        seq: 2,
        wire_seq: 7,
        wire_seq_given: true,
        random: 7,
        client_time_s: NOW_S - 500,
        body: "[\"once\"]".into(),
        custom_data: "old".into(),
        offline_push: "".into(),
        content_crc: 0x00c0_ffee,
        delivery: Delivery { no_unread: true, imported: true, ..Delivery::default() },
        fate: Fate::default(),
    };
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap().messages[1], stored);
    // Nobody is told, and nothing counts.
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap().unwrap().offset, 1);
    assert_eq!((unread(store, "ana", "bo").await, unread(store, "bo", "ana").await), (0, 1));
    assert_eq!(events(store).await.len(), 1);
    // Numbers go on behind it, and time goes on where it was.
    let next = say(store, message("bo", "ana", NOW_S, 2)).await.message;
    assert_eq!((next.seq, next.time_s), (4, NOW_S));
}

pub(crate) async fn an_import_begins_a_conversation(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    put(store, once("ana", "bo", NOW_S - 500, 7)).await;
    put(store, once("cy", "ana", NOW_S - 400, 7)).await;
    put(store, once("ana", "ana", NOW_S - 300, 7)).await;
    assert_eq!(peers(store, contacts("ana")).await, ["ana", "cy", "bo"]);
    assert_eq!(peers(store, contacts("bo")).await, ["ana"]);
    // An older one does not become the head.
    put(store, once("ana", "bo", NOW_S - 600, 8)).await;
    let page = store.contacts(contacts("bo")).await.unwrap().unwrap();
    assert_eq!((page.contacts[0].time_s, page.contacts[0].unread), (NOW_S - 500, 0));
}

pub(crate) async fn a_live_import_counts_and_is_logged(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let told = put(store, ImportMessage { live: true, ..once("ana", "bo", NOW_S - 500, 7) }).await;
    let change = |peer| Change::Message { peer: user(peer), time_s: NOW_S - 500, seq: 1 };
    assert_eq!(hinted(&told), [("bo".to_owned(), change("ana")), ("ana".to_owned(), change("bo"))]);
    assert_eq!(told.events, []);
    assert_eq!(unread(store, "bo", "ana").await, 1);
    let epoch = NOW_S * 1000;
    assert_eq!(store.inbox(APP, user("bo")).await.unwrap(), Some(Inbox { epoch, offset: 1, unread: 1 }));
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap(), Some(Inbox { epoch, offset: 1, unread: 0 }));
    let changes = store.changes(APP, user("bo"), Position { epoch, offset: 0 }, 9).await.unwrap();
    assert_eq!(changes, Changes::Records(vec![told.hints[0].1.record.clone()]));
    assert_eq!(told.hints[0].1.record.message.as_ref().unwrap().random, 7);
    // To oneself it is logged once, and counts for nobody.
    let told = put(store, ImportMessage { live: true, ..once("bo", "bo", NOW_S - 500, 7) }).await;
    assert_eq!(told.hints.len(), 1);
    assert_eq!(store.inbox(APP, user("bo")).await.unwrap().unwrap().unread, 1);
}

pub(crate) async fn a_live_import_does_not_count_behind_what_was_read(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S, 1)).await;
    say(store, message("ana", "bo", NOW_S + 10, 2)).await;
    let part = MarkRead { until_s: Some(NOW_S + 5), ..mark("bo", "ana", NOW_S + 20) };
    store.mark_read(part).await.unwrap().unwrap();
    put(store, ImportMessage { live: true, ..once("ana", "bo", NOW_S + 5, 7) }).await;
    assert_eq!(unread(store, "bo", "ana").await, 1);
    put(store, ImportMessage { live: true, ..once("ana", "bo", NOW_S + 6, 8) }).await;
    assert_eq!(unread(store, "bo", "ana").await, 2);
    assert_eq!(store.inbox(APP, user("bo")).await.unwrap().unwrap().unread, 2);
}

pub(crate) async fn a_message_is_imported_once(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    let first = once("ana", "bo", NOW_S - 500, 7);
    put(store, first.clone()).await;
    put(store, once("ana", "bo", NOW_S - 400, 7)).await;
    let either_way = [first.clone(), once("bo", "ana", NOW_S - 500, 7)];
    for again in either_way {
        assert_eq!(import_one(store, again).await, Imported::Duplicate);
    }
    // Every part of its name counts, and so does the conversation.
    put(store, ImportMessage { random: 8, ..first.clone() }).await;
    put(store, ImportMessage { wire_seq: 8, ..first.clone() }).await;
    put(store, ImportMessage { time_s: NOW_S - 501, ..first.clone() }).await;
    put(store, ImportMessage { to: user("cy"), ..first.clone() }).await;
    // A message that was sent is known as well.
    let sent = say(store, message("bo", "ana", NOW_S, 9)).await.message;
    let again = ImportMessage { wire_seq: sent.wire_seq, random: 9, time_s: NOW_S, ..first };
    assert_eq!(import_one(store, again).await, Imported::Duplicate);
    assert_eq!(history(store, "ana", "bo").await.len(), 6);
}

pub(crate) async fn what_is_imported_at_once_stands_in_its_order(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let numbers: Vec<u32> = (1..=50).collect();
    let mut imports: Vec<ImportMessage> =
        numbers.iter().map(|number| once("ana", "bo", NOW_S - 500, *number)).collect();
    // What is refused stops nothing, and a double is found among those that stand beside it.
    imports.insert(20, once("ana", "nobody", NOW_S - 500, 1));
    imports.insert(30, once("bo", "ana", NOW_S - 500, 7));
    let imported = store.import_messages(imports).await.unwrap();
    assert_eq!((&imported[20], &imported[30]), (&Imported::UnknownAccount, &Imported::Duplicate));
    let is_done = |imported: &&Imported| matches!(imported, Imported::Done(_));
    assert_eq!(imported.iter().filter(is_done).count(), 50);
    let page = store.history(all_of("bo", "ana")).await.unwrap();
    let oldest_first: Vec<u32> = page.messages.iter().rev().map(|message| message.wire_seq).collect();
    assert_eq!(oldest_first, numbers);
}

pub(crate) async fn an_import_is_no_send(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    put(store, once("ana", "bo", NOW_S, 7)).await;
    let mut append = message("ana", "bo", NOW_S, 7);
    (append.wire_seq, append.wire_seq_given) = (Some(7), true);
    assert_eq!(say(store, append.clone()).await.message.seq, 2);
    assert!(matches!(store.append(append).await.unwrap(), Appended::Duplicate(_)));
}

pub(crate) async fn an_import_needs_both_accounts(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    for (from, to) in [("ana", "bo"), ("bo", "ana")] {
        let imported = import_one(store, once(from, to, NOW_S, 1)).await;
        assert_eq!(imported, Imported::UnknownAccount);
    }
    assert_eq!(history(store, "ana", "bo").await, []);
    assert_eq!(peers(store, contacts("ana")).await, [""; 0]);
}

pub(crate) async fn what_is_imported_after_clearing_is_seen(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    for random in 1..=3 {
        say(store, message("ana", "bo", NOW_S, random)).await;
    }
    viewed(store, view("ana", "bo", ViewAct::Erase, NOW_S)).await;
    put(store, once("ana", "bo", NOW_S - 500, 7)).await;
    // Between what was cleared there is nothing, and behind it there is.
    assert_eq!(history(store, "ana", "bo").await, [(NOW_S - 500, 4)]);
    assert_eq!(history(store, "bo", "ana").await.len(), 4);
    assert_eq!(
        store
            .find(pair("ana", "bo"), once("ana", "bo", NOW_S - 500, 7).key())
            .await
            .unwrap()
            .unwrap()
            .message
            .seq,
        4
    );
}
