//! From a directory into a database.

use super::life::lived_in;
use crate::world::acts::{contacts, listed};
use crate::world::database::{Schema, client};
use crate::world::{APP, LANE, NOW_S, all_of, endpoint_id, events, message, route, say, user};
use chat::conversation::Position;
use chat::lease::{Fence, LeaseAsk, NodeId, Slot};
use chat::port::{Route, Store, TieList};
use std::fmt::Write;
use std::sync::Arc;
use store::{Embedded, MigrateError, Migrated, Postgres, Stage, migrate};

async fn migrated(source: &Arc<Embedded>, schema: &Schema) -> Result<Migrated, MigrateError> {
    migrate(Arc::clone(source), schema.options(), |_, _| {}).await
}

/// What a store answers to whoever asks for all of it.
async fn seen(store: &dyn Store) -> String {
    let mut seen = String::new();
    for name in ["ana", "bo", "cy", "dee"] {
        let inbox = store.inbox(APP, user(name)).await.unwrap();
        writeln!(seen, "{name} {inbox:?} {:?}", store.contacts(contacts(name)).await.unwrap()).unwrap();
        if let Some(inbox) = inbox {
            let start = Position { epoch: inbox.epoch, offset: 0 };
            writeln!(seen, "{:?}", store.changes(APP, user(name), start, 1_000).await.unwrap()).unwrap();
        }
        for peer in ["ana", "bo", "cy", "dee"] {
            writeln!(seen, "{:?}", store.history(all_of(name, peer)).await.unwrap()).unwrap();
        }
        for list in [TieList::Friends, TieList::Blocked, TieList::Requests] {
            writeln!(seen, "{:?}", listed(store, name, list).await).unwrap();
        }
        writeln!(seen, "{:?}", store.people(APP, vec![user(name)]).await.unwrap()).unwrap();
    }
    let one: Route = route("one");
    writeln!(seen, "{:?} {:?}", events(store).await, store.lane(LANE).await.unwrap()).unwrap();
    writeln!(seen, "{:?}", store.delivery(&one).await.unwrap()).unwrap();
    writeln!(seen, "{:?}", store.parked(&one, 0, 10).await.unwrap()).unwrap();
    writeln!(seen, "{:?}", store.failures(&one, 1).await.unwrap()).unwrap();
    writeln!(seen, "{:?}", store.delivered(&one, 2, 0).await.unwrap()).unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migrated_store_answers_as_before() {
    let (_directory, source) = lived_in().await;
    let source = Arc::new(source);
    let schema = Schema::new().await;
    let done = migrated(&source, &schema).await.unwrap();
    assert_eq!(done.rows_before, 0);
    assert!(done.tables.iter().all(|table| table.rows > 0), "{done:?}");

    let target = schema.open().await;
    assert_eq!(seen(&target).await, seen(&*source).await);
    assert_eq!(target.lanes_per_app(), source.lanes_per_app());
    // It goes on from there.
    let before = target.inbox(APP, user("bo")).await.unwrap().unwrap();
    let sent = say(&target, message("ana", "bo", NOW_S + 80, 70)).await;
    assert_eq!(sent.recipient.unwrap().record.entry.offset, before.offset + 1);
    assert_eq!(target.trim_events(LANE, vec![endpoint_id("one")], 0).await.unwrap(), 0);
    // Nobody who is not there holds a slot, and fences go on.
    let ask = LeaseAsk {
        node: NodeId(7),
        silent: Vec::new(),
        released: Vec::new(),
        taken: vec![Slot(3)],
        leaves: false,
    };
    let table = target.lease(ask).await.unwrap();
    assert_eq!(table.held[&Slot(3)], (NodeId(7), Fence(4)));
    assert_eq!(table.nodes.len(), 1);

    let refused = migrated(&source, &schema).await.unwrap_err();
    assert!(refused.to_string().contains("is a store already"), "{refused}");
}

/// Breaks off after so many words of how far the copying is.
async fn cut_off(source: &Arc<Embedded>, schema: &Schema, words: usize) {
    let mut left = words;
    let broken = migrate(Arc::clone(source), schema.options(), move |stage, _| {
        if matches!(stage, Stage::Copying { .. }) {
            left -= 1;
            assert!(left > 0, "this is where the process dies");
        }
    });
    let refused = broken.await.unwrap_err();
    assert!(matches!(refused, MigrateError::BrokenOff), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_was_cut_off_goes_on_and_is_no_store_until_then() {
    let (_directory, source) = lived_in().await;
    let source = Arc::new(source);
    let schema = Schema::new().await;
    cut_off(&source, &schema, 8).await;
    let refused = Postgres::open(schema.options()).await.unwrap_err();
    assert!(refused.to_string().contains("is being migrated into"), "{refused}");
    // What is another store, or became one, is not mixed with it.
    let (_other_directory, other) = lived_in().await;
    say(&other, message("ana", "bo", NOW_S + 80, 70)).await;
    let refused = migrated(&Arc::new(other), &schema).await.unwrap_err();
    assert!(refused.to_string().contains("has a part of something else"), "{refused}");

    cut_off(&source, &schema, 5).await;
    let done = migrated(&source, &schema).await.unwrap();
    let all: u64 = done.tables.iter().map(|table| table.rows).sum();
    assert!(done.rows_before > 0 && done.rows_before < all, "{done:?}");
    assert_eq!(seen(&schema.open().await).await, seen(&*source).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_same_is_not_passed_off_as_a_copy() {
    let (_directory, source) = lived_in().await;
    let source = Arc::new(source);
    let schema = Schema::new().await;
    cut_off(&source, &schema, 12).await;
    let damage = format!("UPDATE {}.accounts SET value = value || '\\x00'", schema.name);
    client(&schema.url).await.batch_execute(&damage).await.unwrap();
    let refused = migrated(&source, &schema).await.unwrap_err();
    assert!(matches!(&refused, MigrateError::Different { table, .. } if table == "accounts"), "{refused}");
    assert!(Postgres::open(schema.options()).await.is_err());
}
