use crate::world::acts::{view, viewed};
use crate::world::{APP, NOW_S, ORIGIN, all_of, events, import, mark, message, pair, say, unread, user};
use chat::contact::ViewAct;
use chat::event::AfterRead;
use chat::history::HIDDEN_LEN_MAX;
use chat::port::{Append, Changes, Direction, HistoryQuery, LogRecord, MessageKey, Store};
use chat::{Change, Delivery, Fact, Inbox, Position};

pub(crate) async fn marking_as_read_clears_exactly_one_conversation(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    for (random, from) in ["bo", "cy", "bo"].into_iter().enumerate() {
        say(store, message(from, "ana", NOW_S + random as u64, random as u32)).await;
    }
    let read = store.mark_read(mark("ana", "bo", NOW_S + 9)).await.unwrap().unwrap();
    let change = Change::Read { reader: user("ana"), peer: user("bo"), time_s: NOW_S + 2, seq: 2 };
    let entry = read.reader.record.entry;
    assert_eq!((entry.offset, entry.unread, entry.change), (4, 1, change));
    let peer = read.peer.unwrap();
    assert_eq!((peer.record.entry.offset, peer.record.entry.change), (3, change));
    assert_eq!((read.reader.record.message, peer.record.message), (None, None));

    let epoch = NOW_S * 1000;
    let inbox = store.inbox(APP, user("ana")).await.unwrap();
    assert_eq!(inbox, Some(Inbox { epoch, offset: 4, unread: 1 }));
    assert_eq!((unread(store, "ana", "bo").await, unread(store, "ana", "cy").await), (0, 1));
    for (name, entry) in [("ana", entry), ("bo", peer.record.entry)] {
        let after = Position { epoch, offset: entry.offset - 1 };
        let changes = store.changes(APP, user(name), after, 9).await.unwrap();
        assert_eq!(changes, Changes::Records(vec![LogRecord { entry, message: None }]));
    }
    let told = events(store).await.pop().unwrap();
    assert_eq!((told.id, told.recorded_ms, told.origin), (read.event, (NOW_S + 9) * 1000, ORIGIN));
    let after_read = AfterRead { reader: user("ana"), peer: user("bo"), last_read_s: NOW_S + 2, unread: 1 };
    assert_eq!(told.fact, Fact::AfterRead(after_read));
}

pub(crate) async fn marking_as_read_needs_something_unread(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    assert_eq!(store.mark_read(mark("ana", "bo", NOW_S)).await.unwrap(), None);
    assert_eq!(store.mark_read(mark("ana", "nobody", NOW_S)).await.unwrap(), None);
    assert_eq!(store.mark_read(mark("nobody", "ana", NOW_S)).await.unwrap(), None);
    say(store, message("bo", "ana", NOW_S, 1)).await;
    assert_eq!(store.mark_read(mark("bo", "ana", NOW_S)).await.unwrap(), None);
    assert!(store.mark_read(mark("ana", "bo", NOW_S)).await.unwrap().is_some());
    assert_eq!(store.mark_read(mark("ana", "bo", NOW_S)).await.unwrap(), None);
    assert_eq!(events(store).await.len(), 2);
}

/// Ten messages, two in each second: 1 and 2 at 0, 3 and 4 at 1, and so on.
async fn ten_messages(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    for number in 1..=10_u64 {
        let (from, to) = if number % 2 == 0 { ("ana", "bo") } else { ("bo", "ana") };
        say(store, message(from, to, NOW_S + (number - 1) / 2, number as u32)).await;
    }
}

async fn page(store: &dyn Store, query: HistoryQuery) -> (Vec<u64>, bool) {
    let page = store.history(query).await.unwrap();
    (page.messages.iter().map(|message| message.seq).collect(), page.is_complete())
}

pub(crate) async fn history_is_newest_first_in_pages(store: &dyn Store) {
    ten_messages(store).await;
    let query = all_of("ana", "bo");
    assert_eq!(page(store, query).await, ((1..=10).rev().collect(), true));
    assert_eq!(page(store, HistoryQuery { limit: 3, ..query }).await, (vec![10, 9, 8], false));
    assert_eq!(page(store, HistoryQuery { limit: 10, ..query }).await, ((1..=10).rev().collect(), true));
    assert_eq!(page(store, HistoryQuery { viewer: user("bo"), limit: 1, ..query }).await, (vec![10], false));
    assert_eq!(page(store, all_of("ana", "nobody")).await, (vec![], true));
}

pub(crate) async fn history_keeps_to_its_window(store: &dyn Store) {
    ten_messages(store).await;
    let window =
        |from, to| HistoryQuery { time_s_min: NOW_S + from, time_s_max: NOW_S + to, ..all_of("ana", "bo") };
    assert_eq!(page(store, window(1, 2)).await, (vec![6, 5, 4, 3], true));
    assert_eq!(page(store, window(3, 3)).await, (vec![8, 7], true));
    assert_eq!(page(store, window(5, 9)).await, (vec![], true));
    assert_eq!(page(store, HistoryQuery { limit: 3, ..window(1, 2) }).await, (vec![6, 5, 4], false));
}

pub(crate) async fn history_goes_on_behind_a_message(store: &dyn Store) {
    ten_messages(store).await;
    let behind = |number: u32, second: u64| {
        let key = MessageKey { wire_seq: number, random: number, time_s: NOW_S + second };
        HistoryQuery { behind: Some(key), limit: 3, ..all_of("ana", "bo") }
    };
    assert_eq!(page(store, behind(8, 3)).await, (vec![7, 6, 5], false));
    assert_eq!(page(store, behind(7, 3)).await, (vec![6, 5, 4], false));
    assert_eq!(page(store, behind(3, 1)).await, (vec![2, 1], true));
    assert_eq!(page(store, behind(1, 0)).await, (vec![], true));
    // One that is not there stands behind everything of its second.
    assert_eq!(page(store, behind(99, 3)).await, (vec![6, 5, 4], false));
    assert_eq!(page(store, behind(99, 50)).await, (vec![10, 9, 8], false));
    let windowed = HistoryQuery { time_s_max: NOW_S + 2, ..behind(8, 3) };
    assert_eq!(page(store, windowed).await, (vec![6, 5, 4], false));
}

pub(crate) async fn history_runs_forwards_too(store: &dyn Store) {
    ten_messages(store).await;
    let query = HistoryQuery { direction: Direction::Newer, limit: 3, ..all_of("ana", "bo") };
    assert_eq!(page(store, query).await, (vec![1, 2, 3], false));
    assert_eq!(page(store, HistoryQuery { limit: 10, ..query }).await, ((1..=10).collect(), true));
    let window = |from, to| HistoryQuery { time_s_min: NOW_S + from, time_s_max: NOW_S + to, ..query };
    assert_eq!(page(store, window(1, 2)).await, (vec![3, 4, 5], false));
    assert_eq!(page(store, window(3, 3)).await, (vec![7, 8], true));
    assert_eq!(page(store, window(5, 9)).await, (vec![], true));
    let behind = |number: u32, second: u64| {
        let key = MessageKey { wire_seq: number, random: number, time_s: NOW_S + second };
        HistoryQuery { behind: Some(key), ..query }
    };
    assert_eq!(page(store, behind(3, 1)).await, (vec![4, 5, 6], false));
    assert_eq!(page(store, behind(4, 1)).await, (vec![5, 6, 7], false));
    assert_eq!(page(store, behind(8, 3)).await, (vec![9, 10], true));
    assert_eq!(page(store, behind(10, 4)).await, (vec![], true));
    assert_eq!(page(store, behind(99, 3)).await, (vec![9, 10], true));
    assert_eq!(page(store, behind(99, 50)).await, (vec![], true));
    assert_eq!(
        page(store, HistoryQuery { time_s_min: NOW_S + 4, ..behind(3, 1) }).await,
        (vec![9, 10], true)
    );
    assert_eq!(page(store, HistoryQuery { time_s_max: NOW_S + 1, ..behind(2, 0) }).await, (vec![3, 4], true));
    let bytes_max = HistoryQuery { bytes_max: 1, ..query };
    assert_eq!(page(store, bytes_max).await, (vec![1], false));
    assert_eq!(
        page(store, HistoryQuery { conversation: pair("ana", "nobody"), ..query }).await,
        (vec![], true)
    );
    viewed(store, view("ana", "bo", ViewAct::Clear, NOW_S)).await;
    assert_eq!(page(store, query).await, (vec![], true));
}

/// Names are the senders' choice. The page behind the older one of two began with it again, for ever.
pub(crate) async fn messages_of_one_name_are_read_once(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    for (number, (from, to, random)) in
        [("ana", "bo", 7), ("bo", "ana", 7), ("ana", "bo", 8), ("bo", "ana", 8)].into_iter().enumerate()
    {
        let mut named = message(from, to, NOW_S + number as u64 / 3, random);
        (named.wire_seq, named.wire_seq_given) = (Some(1), true);
        say(store, named).await;
    }
    for (direction, expected) in [(Direction::Older, [4, 3, 2, 1]), (Direction::Newer, [1, 2, 3, 4])] {
        let (mut query, mut seen) = (HistoryQuery { direction, limit: 1, ..all_of("ana", "bo") }, Vec::new());
        loop {
            let page = store.history(query).await.unwrap();
            seen.extend(page.messages.iter().map(|message| message.seq));
            assert!(seen.len() <= 4, "{seen:?}");
            query.behind = page.next;
            if page.is_complete() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

/// Somebody who is written to by many whom they block must not make the store read all of that.
pub(crate) async fn history_passes_over_so_much_and_no_more(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    for at in 0..=HIDDEN_LEN_MAX {
        let delivery = Delivery { hidden_from_recipient: true, ..Delivery::default() };
        say(store, Append { delivery, ..message("ana", "bo", NOW_S, 100 + at as u32) }).await;
    }
    say(store, message("ana", "bo", NOW_S + 1, 9)).await;
    for (direction, seen) in [(Direction::Older, [Some(9), None]), (Direction::Newer, [None, Some(9)])] {
        let mut query = HistoryQuery { direction, ..all_of("bo", "ana") };
        let mut pages = Vec::new();
        loop {
            let page = store.history(query).await.unwrap();
            assert!(page.messages.len() <= 1);
            pages.push(page.messages.first().map(|message| message.random));
            query.behind = page.next;
            if page.is_complete() {
                break;
            }
        }
        assert_eq!(pages, seen);
    }
    // To the other side nothing is hidden.
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap().messages.len(), HIDDEN_LEN_MAX + 2);
}

pub(crate) async fn history_pages_are_bounded_in_bytes(store: &dyn Store) {
    ten_messages(store).await;
    let newest = &store.history(all_of("ana", "bo")).await.unwrap().messages[0];
    let bytes = newest.body.len() + newest.custom_data.len();
    let bounded = |bytes_max| HistoryQuery { bytes_max, ..all_of("ana", "bo") };
    assert_eq!(page(store, bounded(1)).await, (vec![10], false));
    assert_eq!(page(store, bounded(bytes * 2 - 1)).await, (vec![10, 9], false));
    assert_eq!(page(store, bounded(bytes * 2 - 2)).await, (vec![10], false));
}

pub(crate) async fn changes_continue_from_any_position(store: &dyn Store) {
    ten_messages(store).await;
    store.mark_read(mark("ana", "bo", NOW_S)).await.unwrap().unwrap();
    let epoch = NOW_S * 1000;
    for after in 0..=11_u64 {
        for limit in [1, 3, 100] {
            let position = Position { epoch, offset: after };
            let changes = store.changes(APP, user("ana"), position, limit).await.unwrap();
            let Changes::Records(records) = changes else { panic!("{changes:?}") };
            let expected: Vec<u64> = (after + 1..=11).take(limit).collect();
            assert_eq!(records.iter().map(|record| record.entry.offset).collect::<Vec<_>>(), expected);
            for record in records {
                let seq = record.message.as_ref().map(|message| message.seq);
                assert_eq!(seq, (record.entry.offset <= 10).then_some(record.entry.offset));
            }
        }
    }
}

pub(crate) async fn changes_of_a_strange_position_start_anew(store: &dyn Store) {
    ten_messages(store).await;
    let epoch = NOW_S * 1000;
    let inbox = store.inbox(APP, user("ana")).await.unwrap().unwrap();
    let strange = [(epoch, 11), (epoch, u64::MAX), (epoch + 1, 3), (epoch - 1, 3), (0, 0)];
    for (epoch, offset) in strange {
        let changes = store.changes(APP, user("ana"), Position { epoch, offset }, 5).await.unwrap();
        assert_eq!(changes, Changes::Resync(inbox), "{epoch} {offset}");
    }
    let nobody = store.changes(APP, user("nobody"), Position { epoch, offset: 0 }, 5).await.unwrap();
    assert_eq!(nobody, Changes::UnknownAccount);
}

pub(crate) async fn names_that_begin_alike_are_not_mixed_up(store: &dyn Store) {
    let names = ["a", "ab", "abc", "b", "bc", "c"];
    import(store, &names, NOW_S).await;
    let mut random = 0;
    for from in names {
        for to in names {
            random += 1;
            say(store, message(from, to, NOW_S, random)).await;
        }
    }
    for viewer in names {
        let inbox = store.inbox(APP, user(viewer)).await.unwrap().unwrap();
        assert_eq!((inbox.offset, inbox.unread), (11, 5), "{viewer}");
        for peer in names {
            let (seqs, complete) = page(store, all_of(viewer, peer)).await;
            assert!(complete);
            assert_eq!(seqs.len(), if viewer == peer { 1 } else { 2 }, "{viewer} {peer}");
        }
    }
}
