//! What only the embedded store promises: its directory, its memory, and what survives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the contract suite uses the rest")]
mod world;

use chat::contact::ViewAct;
use chat::port::{Appended, Store, StoreError, TieList};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use store::{Embedded, EmbeddedOptions, OpenError};
use tokio::task::JoinSet;
use world::acts::{about, befriend, listed, once, put, related, view, viewed};
use world::{APP, NOW_S, all_of, events, import, message, say, unread, user};

fn open(directory: &Path) -> Embedded {
    Embedded::open(directory, EmbeddedOptions::default()).unwrap()
}

#[tokio::test]
async fn a_directory_has_one_holder() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let refused = Embedded::open(directory.path(), EmbeddedOptions::default()).unwrap_err();
    assert!(matches!(&refused, OpenError::Locked(path) if path == directory.path()), "{refused}");
    drop(store);
    drop(open(directory.path()));
}

#[test]
fn a_path_that_is_no_directory_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = Embedded::open(file.path(), EmbeddedOptions::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Failed { .. }), "{refused}");
}

#[tokio::test]
async fn a_closed_store_takes_nothing_but_can_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    import(&store, &["ana", "bo"], NOW_S).await;
    say(&store, message("ana", "bo", NOW_S, 1)).await;
    store.close().unwrap();
    store.close().unwrap();
    let refused = store.append(message("ana", "bo", NOW_S, 2)).await.unwrap_err();
    assert_eq!(refused, StoreError::Unavailable("the store is closed".to_owned()));
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_reopened_store_still_knows_a_resend() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    import(&store, &["ana", "bo"], NOW_S).await;
    for random in 0..5 {
        say(&store, message("ana", "bo", NOW_S + u64::from(random), random)).await;
    }
    drop(store);
    for flushed in [true, false] {
        let store = open(directory.path());
        for random in 0..5_u32 {
            let first_s = NOW_S + u64::from(random);
            let again = store.append(message("ana", "bo", first_s + 119, random)).await.unwrap();
            assert!(matches!(again, Appended::Duplicate(first) if first.time_s == first_s), "{again:?}");
        }
        assert_eq!(unread(&store, "bo", "ana").await, 5);
        if flushed {
            store.close().unwrap();
        }
    }
    let store = open(directory.path());
    assert_eq!(say(&store, message("ana", "bo", NOW_S + 120, 0)).await.message.seq, 6);
    let again = store.append(message("ana", "bo", NOW_S + 120, 1)).await.unwrap();
    assert!(matches!(again, Appended::Duplicate(_)), "{again:?}");
}

/// What was put into a history was never sent, and does not stand in the way of a send.
#[tokio::test]
async fn a_reopened_store_takes_no_import_for_a_send() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    import(&store, &["ana", "bo"], NOW_S).await;
    put(&store, once("ana", "bo", NOW_S, 7)).await;
    drop(store);
    let store = open(directory.path());
    let mut append = message("ana", "bo", NOW_S, 7);
    (append.wire_seq, append.wire_seq_given) = (Some(7), true);
    assert_eq!(say(&store, append).await.message.seq, 2);
}

/// Whoever meets a conversation first need not care for resends: the guard learns of its sends when it is asked.
#[tokio::test]
async fn a_resend_is_known_whatever_met_its_conversation_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    import(&store, &["ana", "bo"], NOW_S).await;
    say(&store, message("ana", "bo", NOW_S, 1)).await;
    drop(store);
    let store = open(directory.path());
    // A message of the future must not make the store think that the sends are long over.
    put(&store, once("ana", "bo", NOW_S + 5_000, 7)).await;
    viewed(&store, view("bo", "ana", ViewAct::Pin, NOW_S)).await;
    let again = store.append(message("ana", "bo", NOW_S + 5, 1)).await.unwrap();
    assert!(matches!(again, Appended::Duplicate(first) if first.time_s == NOW_S), "{again:?}");
}

/// A store that knows nothing yet of the friends of someone who leaves still tells them.
#[tokio::test]
async fn a_reopened_store_tells_those_who_stay() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    import(&store, &["ana", "bo"], NOW_S).await;
    related(&store, about("ana", "bo", befriend(true))).await;
    drop(store);
    let store = open(directory.path());
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    assert_eq!(store.inbox(APP, user("bo")).await.unwrap().unwrap().offset, 2);
    assert_eq!(listed(&store, "bo", TieList::Friends).await, [""; 0]);
}

/// Rows are never guessed at: what cannot be read is an error that names the row, and only whom it concerns gets it.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_told_loudly() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    import(&store, &["ana", "bo", "cy"], NOW_S).await;
    say(&store, message("ana", "bo", NOW_S, 1)).await;
    drop(store);
    {
        let database = fjall::Database::builder(directory.path()).open().unwrap();
        let rows = database.keyspace("conversations", fjall::KeyspaceCreateOptions::default).unwrap();
        let (key, value) = rows.first_key_value().unwrap().into_inner().unwrap();
        rows.insert(key, &value[..value.len() - 1]).unwrap();
    }
    let store = open(directory.path());
    let told = store.append(message("ana", "bo", NOW_S, 2)).await.unwrap_err();
    let StoreError::Corrupt { table, row, what } = &told else { panic!("{told}") };
    assert_eq!((*table, what.as_str()), ("conversations", "it ends too early"));
    assert!(row.contains("ana") && row.contains("bo"), "{row}");
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap_err(), told);
    say(&store, message("ana", "cy", NOW_S, 3)).await;
    assert_eq!(events(&store).await.len(), 2);
}

/// Tables that were written once and then rest would keep every later journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_stays_within_its_bound() {
    const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { journal_bytes_max: JOURNAL_BYTES_MAX, ..EmbeddedOptions::default() };
    let store = Arc::new(Embedded::open(directory.path(), options).unwrap());
    import(&*store, &["ana", "bo"], NOW_S).await;
    let mut callers = JoinSet::new();
    for caller in 0..64_u32 {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            for number in 0..160_u32 {
                let mut append = message("ana", "bo", NOW_S, caller * 1000 + number);
                // Not to be compressed: the journal shall grow.
                let noise =
                    (0..12_000_u32).map(|at| (at.wrapping_mul(append.random ^ 0x9e37_79b9) >> 13) as u8);
                append.body = noise.collect();
                say(&*store, append).await;
            }
        });
    }
    callers.join_all().await;
    let stats = store.stats().unwrap();
    assert!(stats.disk_bytes > 2 * JOURNAL_BYTES_MAX, "{stats:?}");
    assert!(stats.journal_bytes <= 4 * JOURNAL_BYTES_MAX && stats.journal_count <= 4, "{stats:?}");
}

/// A process is killed at any moment: whatever it was told is stored is there, exactly once, and nothing is half
/// there.
#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for round in 1..=6_u32 {
        // Ends in another phase of a commit each time.
        let lines = 40 * round as usize + 17 * (round as usize % 3);
        for line in killed_after(directory.path(), round, lines) {
            // The last line may have been cut short.
            if let [random, seq, "."] = line.split(' ').collect::<Vec<_>>()[..] {
                let (random, seq) = (random.parse::<u32>().unwrap(), seq.parse::<u64>().unwrap());
                assert_eq!(acknowledged.insert(random, seq), None, "{random} was new twice");
            }
        }
        let store = open(directory.path());
        let messages = store.history(all_of("ana", "bo")).await.unwrap().messages;
        let stored: BTreeMap<u32, u64> =
            messages.iter().map(|message| (message.random, message.seq)).collect();
        assert_eq!(stored.len(), messages.len(), "a message stands twice");
        for (random, seq) in &acknowledged {
            assert_eq!(stored.get(random), Some(seq), "round {round}");
        }
        // A commit is whole or not there at all.
        let offsets: Vec<u64> = events(&store).await.iter().map(|event| event.id.offset).collect();
        assert_eq!(offsets, (1..=messages.len() as u64).collect::<Vec<_>>());
        let inbox = store.inbox(APP, user("bo")).await.unwrap().unwrap();
        assert_eq!((inbox.offset, u64::from(inbox.unread)), (messages.len() as u64, messages.len() as u64));
        assert_eq!(u64::from(unread(&store, "bo", "ana").await), messages.len() as u64);
        // What was committed without an answer is answered like the first time when it is sent again.
        for (random, seq) in stored {
            let first = store.append(message("ana", "bo", NOW_S, random)).await.unwrap();
            assert!(matches!(first, Appended::Duplicate(first) if u64::from(first.wire_seq) == seq));
            acknowledged.insert(random, seq);
        }
    }
    assert!(acknowledged.len() > 600, "{}", acknowledged.len());
}

/// Starts the example that appends and says so, kills it after some lines, and returns all it has said.
fn killed_after(directory: &Path, round: u32, lines: usize) -> Vec<String> {
    let tests = std::env::current_exe().unwrap();
    let example = tests.ancestors().nth(2).unwrap().join("examples/acknowledge");
    let mut child = Command::new(&example)
        .args([directory.to_str().unwrap(), &(round * 1_000_000).to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} is built with the tests: {error}", example.display()));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = Vec::new();
    while said.len() < lines {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "the example ended by itself");
        said.push(line.trim_end().to_owned());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    said.extend(rest.lines().map(str::to_owned));
    said
}
