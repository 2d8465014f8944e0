use super::*;
use bytes::Bytes;
use chat::port::{Account, Append, Appended, Store, Terms};
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
