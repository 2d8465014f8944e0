//! A journal whose end is not what was being written, as after a power cut.

use crate::history;
use crate::place::{self, Place};
use crate::rest::{self, Rest, SEND};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MESSAGES: u32 = 40;

/// What the power cut has left of the last commit.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// The file ends early.
    Cut { bytes: u64 },
    /// The file has its length, but the last blocks were never written.
    Blank { bytes: u64 },
    /// Something else stands there.
    Garbage { bytes: u64 },
    /// The last block was written, and one before it was not.
    Hole { bytes: u64, before_end: u64 },
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_journal_opens_with_all_commits_but_the_torn_one() {
    for damage in [
        Damage::Cut { bytes: 1 },
        Damage::Cut { bytes: 9 },
        Damage::Cut { bytes: 150 },
        Damage::Blank { bytes: 1 },
        Damage::Blank { bytes: 9 },
        Damage::Blank { bytes: 150 },
        Damage::Garbage { bytes: 4 },
    ] {
        let place = Place::new("", "");
        let users = place::users(2);
        let server = place.start_with(&users).await;
        let mut admin = place::admin(&server).await;
        send(&mut admin, &users, 1..=MESSAGES).await;
        server.kill();
        tear(&newest_journal(&place.data_dir().join("store")), damage);

        let server = place.start().await;
        let mut admin = place::admin(&server).await;
        let texts = texts(&mut admin, &users).await;
        let whole: Vec<String> = (1..MESSAGES).map(|number| number.to_string()).collect();
        assert_eq!(texts, whole, "{damage:?}");
        // It goes on from there, also after the next crash.
        send(&mut admin, &users, MESSAGES..=MESSAGES + 1).await;
        server.kill();
        let server = place.start().await;
        let texts = self::texts(&mut place::admin(&server).await, &users).await;
        assert_eq!(texts.len(), whole.len() + 2, "{damage:?}");
        server.stop().await;
    }
}

/// A power cut may also keep the last block of a commit and lose an earlier one. Nobody was answered for such a
/// commit either, so it should be dropped like the others; for now the engine takes it for damage to what was
/// answered, which it cannot tell from it, and the server does not start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_in_the_last_commit_keeps_the_server_from_starting() {
    let place = Place::new("", "");
    let users = place::users(2);
    let server = place.start_with(&users).await;
    send(&mut place::admin(&server).await, &users, 1..=MESSAGES).await;
    server.kill();
    let hole = Damage::Hole { bytes: 20, before_end: 150 };
    tear(&newest_journal(&place.data_dir().join("store")), hole);
    let text = place.refusal(&mut place.serve()).await;
    assert!(text.contains("cannot open the store in") && text.contains("ChecksumMismatch"), "{text}");
}

async fn send(admin: &mut Rest, users: &[String], numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let answer = admin.call(SEND, rest::message(&users[0], &users[1], number, &number.to_string())).await;
        assert_eq!(answer.unwrap().code, 0);
    }
}

async fn texts(admin: &mut Rest, users: &[String]) -> Vec<String> {
    history::read(admin, &users[1], &users[0]).await.into_iter().map(|message| message.text).collect()
}

fn newest_journal(store: &Path) -> PathBuf {
    let files = fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    let journals = files.filter(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    let number = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    journals.max_by_key(number).expect("a store has a journal")
}

/// Damages the end of what was written; the blank space that is reserved behind it does not count.
fn tear(journal: &Path, damage: Damage) {
    let written = fs::read(journal).unwrap();
    let end = written.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
    let file: File = OpenOptions::new().write(true).open(journal).unwrap();
    match damage {
        Damage::Cut { bytes } => file.set_len(end - bytes).unwrap(),
        Damage::Blank { bytes } => file.write_all_at(&vec![0; bytes as usize], end - bytes).unwrap(),
        Damage::Hole { bytes, before_end } => {
            file.write_all_at(&vec![0; bytes as usize], end - before_end).unwrap();
        }
        Damage::Garbage { bytes } => file.write_all_at(&vec![0xa5; bytes as usize], end - bytes).unwrap(),
    }
}
