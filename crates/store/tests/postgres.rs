//! What only a store on PostgreSQL has to stand: connections that end, answers that are lost, and other nodes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults {
    pub(crate) mod proxy;
}
#[expect(dead_code, reason = "the contract suite uses the rest")]
mod world;

use chat::port::{Appended, Store, StoreError};
use faults::proxy::{Fault, Proxy};
use store::{Postgres, PostgresOptions};
use world::database::{Schema, client};
use world::{APP, NOW_S, all_of, events, import, message, say, user};

/// A store that reaches its database through a proxy.
struct Behind {
    proxy: Proxy,
    store: Postgres,
    schema: Schema,
}

impl Behind {
    async fn new() -> Self {
        let schema = Schema::new().await;
        let proxy = Proxy::before(&schema.url).await;
        let options = PostgresOptions { url: proxy.url.clone(), ..schema.options() };
        let store = Postgres::open(options).await.unwrap();
        import(&store, &["ana", "bo"], NOW_S).await;
        say(&store, message("ana", "bo", NOW_S, 1)).await;
        Self { proxy, store, schema }
    }

    /// Random numbers of all that was said, and how many events tell of it.
    async fn said(&self) -> (Vec<u32>, usize) {
        let other = self.schema.open().await;
        let page = other.history(all_of("ana", "bo")).await.unwrap();
        let inbox = other.inbox(APP, user("bo")).await.unwrap().unwrap();
        assert_eq!(inbox.unread as usize, page.messages.len());
        (page.messages.iter().rev().map(|message| message.random).collect(), events(&other).await.len())
    }
}

// The proxy goes on while the test waits for its schema to be dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found() {
    let behind = Behind::new().await;
    behind.proxy.next(Fault::CutAtCommitted);
    let committed = say(&behind.store, message("ana", "bo", NOW_S, 2)).await;
    assert_eq!(committed.message.seq, 2);
    assert_eq!(behind.proxy.cuts(), 1);
    say(&behind.store, message("ana", "bo", NOW_S, 3)).await;
    assert_eq!(behind.said().await, (vec![1, 2, 3], 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_arrived_is_made_again() {
    let behind = Behind::new().await;
    behind.proxy.next(Fault::CutAtCommit);
    let committed = say(&behind.store, message("ana", "bo", NOW_S, 2)).await;
    assert_eq!(committed.message.seq, 2);
    assert_eq!(behind.proxy.cuts(), 1);
    assert_eq!(behind.said().await, (vec![1, 2], 2));
}

/// Only the rows of the app say what became of a commit, and another node has written over them since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_cannot_be_found_out_is_not_acknowledged() {
    let behind = Behind::new().await;
    let other = behind.schema.open().await;
    behind.proxy.next(Fault::CutAtCommittedAndRefuse);
    let (told, ()) = tokio::join!(behind.store.append(message("ana", "bo", NOW_S, 2)), async {
        behind.proxy.has_cut().await;
        say(&other, message("bo", "ana", NOW_S, 3)).await;
        behind.proxy.next(Fault::None);
    });
    assert!(matches!(&told, Err(StoreError::Unavailable(why)) if why.contains("others")), "{told:?}");
    // It was committed, and whoever asks again hears so.
    let again = behind.store.append(message("ana", "bo", NOW_S, 2)).await.unwrap();
    assert!(matches!(&again, Appended::Duplicate(first) if first.wire_seq == 2), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_told_of_and_comes_back() {
    let behind = Behind::new().await;
    behind.proxy.next(Fault::Refuse);
    let told = behind.store.append(message("ana", "bo", NOW_S, 2)).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    assert!(!behind.store.works());
    let told = behind.store.history(all_of("ana", "bo")).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    behind.proxy.next(Fault::None);
    // For a moment after a failure no connection is tried.
    while behind.store.append(message("ana", "bo", NOW_S, 2)).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(behind.store.works());
    assert_eq!(behind.said().await, (vec![1, 2], 2));
}

/// What does not fit into a group any more begins the next.
#[tokio::test]
async fn more_than_a_group_holds_is_carried_out_in_several() {
    let schema = Schema::new().await;
    let store = Postgres::open(PostgresOptions { group_bytes_max: 1, ..schema.options() }).await.unwrap();
    import(&store, &["ana", "bo"], NOW_S).await;
    let sends = (0..50).map(|random| store.append(message("ana", "bo", NOW_S, random)));
    let told = futures_util::future::join_all(sends).await;
    assert!(told.iter().all(|told| matches!(told, Ok(Appended::Done(_)))), "{told:?}");
    store.close().unwrap();
}

/// As an administrator does it, and the server itself when it is stopped.
#[tokio::test]
async fn connections_that_the_server_ends_are_made_anew() {
    let schema = Schema::new().await;
    let url = format!("{}?application_name={}", schema.url, schema.name);
    let store = Postgres::open(PostgresOptions { url, ..schema.options() }).await.unwrap();
    import(&store, &["ana", "bo"], NOW_S).await;
    let killer = client(&schema.url).await;
    for random in 0..20 {
        let statement =
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1";
        killer.execute(statement, &[&schema.name]).await.unwrap();
        assert_eq!(say(&store, message("ana", "bo", NOW_S, random)).await.message.seq, u64::from(random) + 1);
        killer.execute(statement, &[&schema.name]).await.unwrap();
        let page = store.history(all_of("ana", "bo")).await.unwrap();
        assert_eq!(page.messages.len(), random as usize + 1);
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_release_is_left_alone() {
    let schema = Schema::new().await;
    drop(schema.open().await);
    let statement = format!("UPDATE {}.meta SET value = '9' WHERE name = 'format'", schema.name);
    client(&schema.url).await.batch_execute(&statement).await.unwrap();
    let refused = Postgres::open(schema.options()).await.unwrap_err();
    assert!(refused.to_string().contains("made by a newer one"), "{refused}");
}

#[tokio::test]
async fn nodes_that_start_at_once_make_one_schema() {
    let schema = Schema::new().await;
    let (one, other, third) = tokio::join!(schema.open(), schema.open(), schema.open());
    import(&one, &["ana", "bo"], NOW_S).await;
    say(&other, message("ana", "bo", NOW_S, 1)).await;
    assert_eq!(say(&third, message("ana", "bo", NOW_S, 2)).await.message.seq, 2);
}

/// Where events are is decided once.
#[tokio::test]
async fn lanes_stay_as_the_schema_was_made() {
    let schema = Schema::new().await;
    let options = |lanes_per_app| PostgresOptions { lanes_per_app, ..schema.options() };
    assert_eq!(Postgres::open(options(4)).await.unwrap().lanes_per_app(), 4);
    assert_eq!(Postgres::open(options(2)).await.unwrap().lanes_per_app(), 4);
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let schema = Schema::new().await;
    let opened = |options| async { Postgres::open(options).await.unwrap_err().to_string() };
    let named = PostgresOptions { schema: "Couplet; DROP".to_owned(), ..schema.options() };
    assert!(opened(named).await.contains("cannot be a schema"));
    let nowhere = PostgresOptions {
        url: "postgres://me:secret@127.0.0.1:1/none".to_owned(),
        connect_timeout_ms: 500,
        ..schema.options()
    };
    let told = opened(nowhere).await;
    assert!(told.contains("connect") && !told.contains("secret"), "{told}");
}
