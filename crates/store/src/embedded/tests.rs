use super::*;
use crate::operation::{Counted, Looked, Operation, stopped};
use bytes::Bytes;
use chat::alter::{Act, NotAltered};
use chat::port::{
    Account, Alter, Altered, Append, Appended, ImportMessage, MarkRead, MessageKey, Store, StoreError, Terms,
};
use chat::{AppId, Delivery, Lane, Origin, Platform, UserId};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;

const APP: AppId = AppId(1);
const LANE: Lane = Lane { app: APP, index: 0 };

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn message(random: u32) -> Append {
    Append {
        app: APP,
        from: user("ana"),
        to: user("bo"),
        wire_seq: None,
        wire_seq_given: false,
        random,
        client_time_s: 1,
        time_s: 1_000,
        now_ms: 1_000_000,
        content_crc: 0,
        body: Bytes::new(),
        custom_data: Bytes::new(),
        offline_push: Bytes::new(),
        delivery: Delivery::default(),
        event: Some(Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::Web }),
        quiet: false,
        terms: Terms::default(),
        pretends: None,
    }
}

/// Whoever is told that a commit failed may ask again: nothing of it is remembered, neither as an effect nor as a
/// duplicate.
#[tokio::test]
async fn a_failed_commit_is_told_to_everybody_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(directory.path(), EmbeddedOptions::default()).unwrap());
    let accounts = ["ana", "bo"].map(|name| Account::bare(user(name)));
    store.import_accounts(APP, accounts.to_vec(), 5).await.unwrap();
    store.append(message(0)).await.unwrap();

    store.engine.refuses.store(true, Ordering::Relaxed);
    let mut callers = JoinSet::new();
    for random in 1..=50 {
        let store = Arc::clone(&store);
        callers.spawn(async move { store.append(message(random)).await });
    }
    for answer in callers.join_all().await {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(store.events(LANE, 0, 100).await.unwrap().len(), 1);

    store.engine.refuses.store(false, Ordering::Relaxed);
    for random in 1..=50 {
        let Appended::Done(committed) = store.append(message(random)).await.unwrap() else {
            panic!("{random}")
        };
        assert_eq!(committed.message.seq, u64::from(random) + 1);
        assert_eq!(committed.event.unwrap().offset, u64::from(random) + 1);
    }
    // The first one was committed before, and is found again.
    assert!(matches!(store.append(message(0)).await.unwrap(), Appended::Duplicate(_)));
    let inbox = store.inbox(APP, user("bo")).await.unwrap().unwrap();
    assert_eq!((inbox.offset, inbox.unread), (51, 51));
}

/// A caller that waits for an answer must get one, even if the thread that owes it has died.
#[tokio::test]
async fn nobody_waits_for_a_store_that_has_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path(), EmbeddedOptions::default()).unwrap();
    store.queue.abandon();
    assert_eq!(store.append(message(0)).await, Err(stopped()));
    assert_eq!(store.close(), Ok(()));
}

/// Ana says something that Bo has not read, and Bo has said more behind it, in one second, than the writer looks at.
async fn long_second() -> (tempfile::TempDir, Embedded) {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path(), EmbeddedOptions::default()).unwrap();
    let accounts = ["ana", "bo"].map(|name| Account::bare(user(name)));
    store.import_accounts(APP, accounts.to_vec(), 5).await.unwrap();
    store.append(message(0)).await.unwrap();
    let own = |number| ImportMessage {
        app: APP,
        from: user("bo"),
        to: user("ana"),
        wire_seq: number,
        random: number,
        time_s: 1_002,
        body: Bytes::new(),
        custom_data: Bytes::new(),
        content_crc: 0,
        live: false,
    };
    store.import_messages((1..=1_002).map(own).collect()).await.unwrap();
    (directory, store)
}

fn origin() -> Origin {
    Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::Web }
}

fn mark(until_s: u64) -> MarkRead {
    let (reader, peer) = (user("bo"), user("ana"));
    MarkRead { app: APP, reader, peer, until_s: Some(until_s), now_ms: 2_000_000, origin: origin() }
}

fn deletion(number: u32) -> Alter {
    Alter {
        app: APP,
        from: user("bo"),
        to: user("ana"),
        key: MessageKey { wire_seq: number, random: number, time_s: 1_002 },
        by: user("bo"),
        act: Act::Delete,
        now_ms: 2_000_000,
        origin: origin(),
    }
}

async fn is_too_far(store: &Embedded, mark: MarkRead, counted: Option<Counted>) -> bool {
    let asked = |reply| Operation::MarkRead { mark: Box::new(mark), counted, reply };
    matches!(store.queue.ask(0, asked).await.unwrap(), Looked::TooFar)
}

/// Everybody waits for the writer, so how much one operation looks at there must not be up to who asks.
#[tokio::test]
async fn the_writer_does_not_count_a_long_conversation() {
    let (_directory, store) = long_second().await;
    assert!(is_too_far(&store, mark(999), None).await);
    assert_eq!(store.mark_read(mark(999)).await.unwrap(), None);
    // What was counted before something changed is not believed.
    let counted = store.count(mark(999)).await.unwrap().unwrap();
    assert_eq!((counted.behind, counted.conversation.seq), (1, 1_003));
    store.append(message(5)).await.unwrap();
    assert!(is_too_far(&store, mark(999), Some(counted)).await);
    let read = store.mark_read(mark(1_001)).await.unwrap().unwrap();
    assert_eq!(read.reader.record.entry.unread, 1);
    assert_eq!(store.unread(APP, user("bo"), vec![user("ana")]).await.unwrap(), [1]);
    // Everything up to there is read: there is nothing to look for.
    assert!(!is_too_far(&store, mark(1_001), None).await);
}

#[tokio::test]
async fn the_writer_does_not_search_a_long_second() {
    let (_directory, store) = long_second().await;
    let alter = Arc::new(deletion(9_999));
    let asked = |reply| Operation::Alter { alter, place: None, reply };
    assert!(matches!(store.queue.ask(0, asked).await.unwrap(), Looked::TooFar));
    let unknown = store.alter(deletion(9_999)).await.unwrap();
    assert_eq!(unknown, Altered::Refused(NotAltered::NotFound));
    // The first of its second is looked at last.
    for (number, seq) in [(1, 2), (1_002, 1_003)] {
        let deleted = store.alter(deletion(number)).await.unwrap();
        let Altered::Done { message, .. } = deleted else { panic!("{deleted:?}") };
        assert_eq!(message.seq, seq);
        assert_eq!(store.alter(deletion(number)).await.unwrap(), Altered::Unchanged);
    }
}
