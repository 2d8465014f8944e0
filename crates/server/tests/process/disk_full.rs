//! A disk that takes no more: sends are refused and nothing that was acknowledged is lost.

use crate::history;
use crate::place::{self, Place};
use crate::process::{Server, awaited};
use crate::rest::{self, Rest, SEND};
use std::process::Command;
use tokio::task::JoinSet;

/// Nothing is written out of the journal before the limit is met, and few pages show all of a history.
const SETTINGS: &str = "[embedded]\njournal_mib = 1024\n[limits]\nhistory_page_bytes_max = 4194304";
const SENDERS: u32 = 8;
/// Longest text that a message of the default size takes.
const TEXT_BYTES: usize = 12_000;
/// Just what a new journal reserves. A journal that would have to grow further meets the limit.
pub(crate) const FILE_KIB_MAX: u64 = 64 * 1024;
/// What refuses for the time being.
const TEMPORARY: u64 = 91_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_loses_nothing() {
    let place = Place::new(SETTINGS, "");
    let users = place::users(2);
    place.start_with(&users).await.stop().await;
    let mut server = Server::start(&mut limited(&place.serve())).await;

    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        let admin = place::admin(&server).await;
        senders.spawn(send_until_refused(admin, users.clone(), number));
    }
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    while let Some(ended) = awaited("the limit", senders.join_next()).await {
        let sent = ended.unwrap();
        acknowledged.extend(sent.acknowledged);
        refused.push(sent.refused);
    }
    assert!(server.process.is_running(), "it goes on");
    let mut admin = place::admin(&server).await;
    check_all_there(&history::read(&mut admin, &users[0], &users[1]).await, &acknowledged);
    for random in &refused {
        assert_eq!(send(&mut admin, &users, *random).await, TEMPORARY, "it is still full");
    }
    server.kill();

    let server = place.start().await;
    let mut admin = place::admin(&server).await;
    check_all_there(&history::read(&mut admin, &users[0], &users[1]).await, &acknowledged);
    for random in refused {
        assert_eq!(send(&mut admin, &users, random).await, 0, "there is room again");
        acknowledged.push(random);
    }
    let texts = history::read(&mut admin, &users[0], &users[1]).await;
    check_all_there(&texts, &acknowledged);
    assert_eq!(texts.len(), acknowledged.len());
    server.stop().await;
}

/// The same command, under a limit on the size of each file. The signal that comes with it is ignored, as nobody
/// sends one when a disk is full.
pub(crate) fn limited(command: &Command) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\""]).arg(FILE_KIB_MAX.to_string());
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        shell.env(name, value.expect("variables are set"));
    }
    shell
}

struct Sent {
    acknowledged: Vec<u32>,
    refused: u32,
}

async fn send_until_refused(mut admin: Rest, users: Vec<String>, sender: u32) -> Sent {
    let mut acknowledged = Vec::new();
    for random in (sender..).step_by(SENDERS as usize) {
        match send(&mut admin, &users, random).await {
            0 => acknowledged.push(random),
            TEMPORARY => return Sent { acknowledged, refused: random },
            code => panic!("a full disk is no {code}"),
        }
    }
    unreachable!("the numbers do not end before the disk does")
}

async fn send(admin: &mut Rest, users: &[String], random: u32) -> u64 {
    let text = format!("{random:0>TEXT_BYTES$}");
    admin.call(SEND, rest::message(&users[0], &users[1], random, &text)).await.unwrap().code
}

fn check_all_there(history: &[history::Stored], acknowledged: &[u32]) {
    let mut stored: Vec<u32> = history.iter().map(|message| message.text.parse().unwrap()).collect();
    stored.sort_unstable();
    assert!(stored.is_sorted_by(|one, next| one < next), "stored twice: {stored:?}");
    for random in acknowledged {
        assert!(stored.binary_search(random).is_ok(), "{random} is lost");
    }
}
