//! Copies of a store: what is restored from one is what was there, under new epochs, and no damage to a row goes
//! unseen.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod copies {
    pub(crate) mod life;
    mod migrating;
}
#[expect(dead_code, reason = "the contract suite uses the rest")]
mod world;

use chat::conversation::Position;
use chat::port::{Changes, Store};
use copies::life::{lived_in, open};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use store::backup::{Header, Item, Reader, Writer};
use store::{Embedded, EmbeddedOptions, News, RestoreError, restore};
use world::acts::{about, befriend, related};
use world::{APP, LANE, NOW_S, all_of, events, import, message, say, user};

const RESTORED_MS: u64 = (NOW_S + 1_000_000) * 1000;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;
type Tables = BTreeMap<String, Rows>;

fn copy_of(store: &Embedded) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &Header::default()).unwrap();
    store.copy(&mut writer, &mut |_| {}).unwrap();
    writer.end().unwrap().0
}

fn tables_of(store: &Embedded) -> Tables {
    let stream = copy_of(store);
    let mut reader = Reader::begin(&*stream).unwrap();
    let (mut tables, mut current) = (Tables::new(), String::new());
    loop {
        match reader.item().unwrap() {
            Item::Table(name) => {
                current = name.to_owned();
                tables.insert(current.clone(), Rows::new());
            }
            Item::Row { key, value } => {
                let before = tables.get_mut(&current).unwrap().insert(key.to_vec(), value.to_vec());
                assert_eq!(before, None, "no key comes twice");
            }
            Item::End => return tables,
        }
    }
}

fn stream_of(tables: &Tables) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &Header::default()).unwrap();
    for (name, rows) in tables {
        writer.table(name).unwrap();
        rows.iter().for_each(|(key, value)| writer.row(key, value).unwrap());
    }
    writer.end().unwrap().0
}

fn restored(stream: &[u8], directory: &Path) -> Result<Embedded, RestoreError> {
    let mut reader = Reader::begin(stream).unwrap();
    restore(&mut reader, directory, EmbeddedOptions::default(), RESTORED_MS, &mut |_| {})?;
    Ok(open(directory))
}

fn findings(store: &Embedded) -> Vec<String> {
    let mut found = Vec::new();
    let examined = store.check(&mut |news| {
        if let News::Found(finding) = news {
            found.push(format!("{}: {}", finding.table, finding.what));
        }
        ControlFlow::Continue(())
    });
    assert_eq!(examined.unwrap().findings, found.len() as u64);
    found
}

/// What is found in these tables.
fn found_in(tables: &Tables) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    findings(&restored(&stream_of(tables), &directory.path().join("store")).unwrap())
}

#[tokio::test]
async fn what_is_restored_is_what_was_there() {
    let (_directory, store) = lived_in().await;
    let before = tables_of(&store);
    for (name, rows) in &before {
        assert!(!rows.is_empty(), "there is nothing in {name}");
    }
    assert_eq!(findings(&store), [""; 0]);

    let directory = tempfile::tempdir().unwrap();
    let again = restored(&copy_of(&store), &directory.path().join("store")).unwrap();
    assert_eq!(findings(&again), [""; 0]);
    let after = tables_of(&again);
    for (name, rows) in &before {
        match name.as_str() {
            "accounts" => assert!(rows.keys().eq(after[name].keys()) && *rows != after[name]),
            "lanes" => assert!(rows.keys().eq(after[name].keys()) && *rows != after[name]),
            "logs" => assert!(rows.values().eq(after[name].values()) && *rows != after[name]),
            _ => assert!(*rows == after[name], "{name}"),
        }
    }
    let texts = |page: chat::port::HistoryPage| page.messages;
    assert_eq!(
        texts(again.history(all_of("ana", "bo")).await.unwrap()),
        texts(store.history(all_of("ana", "bo")).await.unwrap())
    );
}

/// A device that has seen what came after the copy must not wait for it to come again, nor take what comes instead
/// for what it has seen.
#[tokio::test]
async fn no_position_outlives_the_jump_back() {
    let (_directory, store) = lived_in().await;
    let stream = copy_of(&store);
    say(&store, message("bo", "ana", NOW_S + 50, 90)).await;
    let seen = store.inbox(APP, user("ana")).await.unwrap().unwrap();
    let lane = store.lane(LANE).await.unwrap().unwrap();

    let directory = tempfile::tempdir().unwrap();
    let again = restored(&stream, &directory.path().join("store")).unwrap();
    let inbox = again.inbox(APP, user("ana")).await.unwrap().unwrap();
    assert_eq!((inbox.epoch, inbox.offset, inbox.unread), (RESTORED_MS, seen.offset - 1, seen.unread - 1));
    // In the new future, the place where the device was is something else.
    say(&again, message("cy", "ana", NOW_S + 60, 91)).await;
    say(&again, message("cy", "ana", NOW_S + 61, 92)).await;
    for offset in [seen.offset, seen.offset - 3, 0] {
        let changes =
            again.changes(APP, user("ana"), Position { epoch: seen.epoch, offset }, 10).await.unwrap();
        assert!(matches!(changes, Changes::Resync(_)), "{changes:?}");
    }
    let start = Position { epoch: RESTORED_MS, offset: 0 };
    let Changes::Records(records) = again.changes(APP, user("ana"), start, 100).await.unwrap() else {
        panic!("a position of the new epoch is good")
    };
    assert_eq!(records.len() as u64, seen.offset + 1);
    // No event gets the id of one that was told before.
    let extent = again.lane(LANE).await.unwrap().unwrap();
    assert_eq!((extent.epoch, extent.last), (RESTORED_MS, lane.last + 1));
    assert_ne!(lane.epoch, RESTORED_MS);
    assert_eq!(events(&again).await.len(), extent.last as usize);

    // One who left and comes back gets a later epoch than ever.
    import(&again, &["dee"], NOW_S).await;
    let dee = again.inbox(APP, user("dee")).await.unwrap().unwrap();
    assert_eq!(dee.epoch, RESTORED_MS + 1);
    assert_eq!(findings(&again), [""; 0]);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_bring_an_epoch_back() {
    let (_directory, store) = lived_in().await;
    let epoch = store.inbox(APP, user("ana")).await.unwrap().unwrap().epoch;
    let directory = tempfile::tempdir().unwrap();
    let stream = copy_of(&store);
    let mut reader = Reader::begin(&*stream).unwrap();
    let path = directory.path().join("store");
    restore(&mut reader, &path, EmbeddedOptions::default(), 5, &mut |_| {}).unwrap();
    assert_eq!(open(&path).inbox(APP, user("ana")).await.unwrap().unwrap().epoch, epoch + 1);
}

#[tokio::test]
async fn a_table_of_another_release_is_not_dropped_silently() {
    let (_directory, store) = lived_in().await;
    let mut tables = tables_of(&store);
    tables.insert("novelties".to_owned(), Rows::new());
    let directory = tempfile::tempdir().unwrap();
    let refused = restored(&stream_of(&tables), &directory.path().join("store")).unwrap_err();
    assert!(matches!(&refused, RestoreError::UnknownTable(name) if name == "novelties"), "{refused}");
}

#[tokio::test]
async fn every_row_that_cannot_be_read_is_found() {
    let (_directory, store) = lived_in().await;
    let tables = tables_of(&store);
    let mut damaged = tables.clone();
    for (name, rows) in &mut damaged {
        let value = rows.values_mut().next().unwrap();
        let whole = std::mem::replace(value, vec![99]);
        // Those are read when they are restored, since there is an epoch in them; the rows of refusals are nothing but
        // a key.
        if ["accounts", "lanes", "refusals"].contains(&name.as_str()) {
            *value = whole;
        }
    }
    let found = found_in(&damaged);
    for name in tables.keys().filter(|name| !["accounts", "lanes", "refusals"].contains(&name.as_str())) {
        assert!(found.iter().any(|found| found.starts_with(&format!("{name}: "))), "{name}: {found:?}");
    }
    for name in ["accounts", "lanes"] {
        let mut damaged = tables.clone();
        *damaged.get_mut(name).unwrap().values_mut().next().unwrap() = vec![99];
        let directory = tempfile::tempdir().unwrap();
        let refused = restored(&stream_of(&damaged), &directory.path().join("store")).unwrap_err();
        assert!(matches!(refused, RestoreError::Store(_)), "{name}: {refused}");
    }
}

#[tokio::test]
async fn every_key_that_nobody_would_make_is_found() {
    let (_directory, store) = lived_in().await;
    let mut damaged = tables_of(&store);
    for rows in damaged.values_mut() {
        let (key, value) = rows.iter().next().unwrap();
        // Bytes that are a part of no name, and of no number.
        let (longer, value) = ([&**key, &[0xff; 3]].concat(), value.clone());
        rows.insert(longer, value);
    }
    let found = found_in(&damaged);
    for name in damaged.keys() {
        assert!(found.iter().any(|found| found.starts_with(&format!("{name}: "))), "{name}: {found:?}");
    }
}

/// Takes away the rows whose keys end so, and says what is found then.
fn without(tables: &Tables, name: &str, end: &[u8]) -> Vec<String> {
    let mut damaged = tables.clone();
    let rows = damaged.get_mut(name).unwrap();
    let before = rows.len();
    rows.retain(|key, _| !key.ends_with(end));
    assert!(rows.len() < before, "{name} has such rows");
    found_in(&damaged)
}

#[tokio::test]
async fn every_row_that_is_missing_is_found() {
    let (_directory, store) = lived_in().await;
    let tables = tables_of(&store);
    let number = u64::to_be_bytes;
    let place = |time_s: u64, seq: u64| [number(!time_s), number(!seq)].concat();

    // The second message of Ana and Bo, which Bo has not read.
    let found = without(&tables, "messages", &place(NOW_S + 2, 2));
    assert_eq!(
        found,
        [
            "conversations: it says that it has 4 messages, and there are 3",
            "conversations: the numbers of its messages have a gap",
            "conversations: bo has 2 unread messages by it, and 1 there",
            "logs: the message that it names does not exist",
            "logs: the message that it names does not exist",
        ]
    );
    let found = without(&tables, "conversations", b"\x03ana\x02bo");
    assert_eq!(
        found,
        [
            "messages: its conversation does not exist",
            "messages: its conversation does not exist",
            "messages: its conversation does not exist",
            "messages: its conversation does not exist",
            "extensions: its message does not exist",
            "peers: its conversation does not exist",
            "accounts: the log says that 2 messages are unread, and the conversations 0",
            "accounts: it counts 1 pinned conversations, and there are 0",
            "peers: its conversation does not exist",
            "accounts: the log says that 1 messages are unread, and the conversations 0",
        ]
    );
    let found = without(&tables, "peers", b"\x03ana\x02bo");
    assert_eq!(
        found,
        [
            "accounts: the log says that 1 messages are unread, and the conversations 0",
            "conversations: it is not filed under ana",
        ]
    );
    let found = without(&tables, "logs", &number(2));
    assert_eq!(found, ["logs: the log has a gap: 3 comes after 1"; 2]);
    let found = without(&tables, "refusals", &[]);
    assert_eq!(found, ["events: it tells of a refused send, and is not filed"]);
    let last = tables["events"].len() as u64;
    let found = without(&tables, "events", &number(last));
    assert_eq!(found, ["refusals: its event does not exist, or tells of something else"]);
    let found = without(&tables, "events", &[]);
    assert!(found.contains(&"lanes: it has lost its last event".to_owned()), "{found:?}");
    assert!(found.contains(&"routes: it was told up to 2, and the last event is 0".to_owned()), "{found:?}");
    let found = without(&tables, "lanes", &[]);
    assert_eq!(found.iter().filter(|found| *found == "events: its lane does not exist").count() as u64, last);
    let found = without(&tables, "routes", &[]);
    assert_eq!(
        found,
        [
            "exceptions: its route does not exist",
            "failures: its route does not exist",
            "deliveries: its route does not exist, or has not got so far",
        ]
    );
    let found = without(&tables, "push_tokens", &[]);
    assert_eq!(found, ["token_owners: ana has no such token"]);
    let found = without(&tables, "token_owners", &[]);
    assert_eq!(found, ["push_tokens: a token of it is filed under nobody, or under somebody else"]);
    let found = without(&tables, "ties", b"\x03anabo");
    assert_eq!(
        found,
        [
            "ties: ana keeps nothing of bo, and it says otherwise",
            "ties: ana is not told in return that something is kept of them",
            "accounts: it counts 1 friends, 0 blocked and 0 requests, and there are 0, 0 and 0",
        ]
    );
    let found = without(&tables, "accounts", b"\x03ana");
    for orphaned in ["profiles", "ties", "peers", "push_tokens"] {
        let words = format!("{orphaned}: its account does not exist");
        assert!(found.contains(&words), "{words} is not among {found:?}");
    }
    assert!(found.contains(&"logs: it is the log of no account that exists".to_owned()), "{found:?}");
}

/// A row that is as it was before the last change of it.
#[tokio::test]
async fn every_count_that_is_behind_is_found() {
    let (_directory, store) = lived_in().await;
    let before = tables_of(&store);
    say(&store, message("ana", "bo", NOW_S + 70, 80)).await;
    related(&store, about("bo", "cy", befriend(false))).await;
    let now = tables_of(&store);
    let with_old = |name: &str, end: &[u8]| {
        let mut damaged = now.clone();
        let (key, value) = before[name].iter().find(|(key, _)| key.ends_with(end)).unwrap();
        assert_ne!(damaged.get_mut(name).unwrap().insert(key.clone(), value.clone()), Some(value.clone()));
        found_in(&damaged)
    };
    assert_eq!(
        with_old("conversations", b"\x03ana\x02bo"),
        [
            "conversations: it says that it has 4 messages, and there are 5",
            "conversations: it says that its last message is of 1700000030, and that is of 1700000070",
            "conversations: bo has 2 unread messages by it, and 3 there",
            "accounts: the log says that 3 messages are unread, and the conversations 2",
        ]
    );
    assert_eq!(
        with_old("accounts", b"\x02bo"),
        ["accounts: it counts 1 friends, 0 blocked and 0 requests, and there are 2, 0 and 0"]
    );
}
