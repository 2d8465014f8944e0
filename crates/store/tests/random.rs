//! Random operations, carried out by the model and by the embedded store, which have to agree on every answer and on
//! all that can be read, whenever the embedded store is closed, dropped or opened in between.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random {
    pub(crate) mod chance;
    pub(crate) mod everything;
    pub(crate) mod step;
}
#[expect(dead_code, reason = "the contract suite uses the rest")]
mod world;

use chat::model::Model;
use chat::port::{Appended, Changes, Store};
use chat::{Change, Position};
use random::chance::Chance;
use random::everything::everything;
use random::step::{Step, Walk};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Embedded, EmbeddedOptions};
use tokio::task::JoinSet;
use world::{APP, NOW_S, all_of, events, import, message, user};

#[tokio::test]
async fn the_embedded_store_is_the_model() {
    for seed in 1..=4 {
        walk(seed, 700, EmbeddedOptions::default()).await;
    }
}

/// Almost nothing is remembered, so almost everything is read again.
#[tokio::test]
async fn forgetting_changes_nothing() {
    for seed in 101..=104 {
        let options = EmbeddedOptions {
            accounts_cached_max: 2,
            conversations_cached_max: 2,
            ..EmbeddedOptions::default()
        };
        walk(seed, 500, options).await;
    }
}

async fn walk(seed: u64, steps: usize, options: EmbeddedOptions) {
    let directory = tempfile::tempdir().unwrap();
    let model = Model::default();
    let mut embedded = Embedded::open(directory.path(), options).unwrap();
    let mut walk = Walk::new(Chance::new(seed));
    for number in 0..steps {
        let step = walk.next();
        let told = format!("seed {seed}, step {number}: {step:?}");
        if matches!(step, Step::Reopen { .. }) {
            if matches!(step, Step::Reopen { flushed: true }) {
                embedded.close().unwrap();
            }
            drop(embedded);
            embedded = Embedded::open(directory.path(), options).unwrap();
        }
        let (expected, found) = (step.carry_out(&model).await, step.carry_out(&embedded).await);
        assert_eq!(found, expected, "{told}");
        if number % 25 == 0 || matches!(step, Step::Reopen { .. }) {
            assert_eq!(everything(&embedded).await, everything(&model).await, "{told}");
        }
    }
    assert_eq!(everything(&embedded).await, everything(&model).await, "seed {seed}, at the end");
}

const CALLERS: u64 = 40;
const SENDS_EACH: u32 = 50;
const NAMES: [&str; 4] = ["ana", "bo", "cy", "dee"];

/// Many callers at once, each of whom sends everything twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_callers_leave_no_gap_and_no_double() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { group_operations_max: 16, ..EmbeddedOptions::default() };
    let store = Arc::new(Embedded::open(directory.path(), options).unwrap());
    import(&*store, &NAMES, NOW_S).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call(Arc::clone(&store), caller));
    }
    callers.join_all().await;
    verify(&store).await;
    drop(store);
    verify(&Embedded::open(directory.path(), options).unwrap()).await;
}

async fn call(store: Arc<Embedded>, caller: u64) {
    let mut chance = Chance::new(caller + 1);
    for number in 0..SENDS_EACH {
        let random = caller as u32 * SENDS_EACH + number;
        let (from, to) = (chance.one_of(&NAMES), chance.one_of(&NAMES));
        let append = message(from, to, NOW_S, random);
        let (one, other) = tokio::join!(store.append(append.clone()), store.append(append));
        let is_done = |appended| matches!(appended, Appended::Done(_));
        assert!(is_done(one.unwrap()) != is_done(other.unwrap()), "exactly one of two is the first");
    }
}

async fn verify(store: &Embedded) {
    let mut said = BTreeSet::new();
    let mut to_each = BTreeMap::new();
    for (at, one) in NAMES.into_iter().enumerate() {
        for other in NAMES.into_iter().skip(at) {
            let page = store.history(all_of(one, other)).await.unwrap();
            let seqs: Vec<u64> = page.messages.iter().rev().map(|message| message.seq).collect();
            assert_eq!(seqs, (1..=page.messages.len() as u64).collect::<Vec<_>>());
            for message in page.messages {
                assert!(said.insert(message.random), "{} stands twice", message.random);
                *to_each.entry(message.to).or_insert(0) += u32::from(message.from != message.to);
            }
        }
    }
    assert_eq!(said.len(), (CALLERS * u64::from(SENDS_EACH)) as usize);
    for name in NAMES {
        let inbox = store.inbox(APP, user(name)).await.unwrap().unwrap();
        let start = Position { epoch: inbox.epoch, offset: 0 };
        let changes = store.changes(APP, user(name), start, usize::MAX).await.unwrap();
        let Changes::Records(records) = changes else { panic!("{changes:?}") };
        let mut unread = 0;
        for (at, record) in records.iter().enumerate() {
            let Change::Message { .. } = record.entry.change else { panic!("{record:?}") };
            let message = record.message.as_ref().unwrap();
            unread += u32::from(message.to == user(name) && message.from != message.to);
            assert_eq!((record.entry.offset, record.entry.unread), (at as u64 + 1, unread));
        }
        assert_eq!((inbox.offset, inbox.unread), (records.len() as u64, unread));
        assert_eq!(Some(&unread), to_each.get(&user(name)));
    }
    let offsets: Vec<u64> = events(store).await.iter().map(|event| event.id.offset).collect();
    assert_eq!(offsets, (1..=said.len() as u64).collect::<Vec<_>>());
}
