//! Appends to the store of a directory and says what was acknowledged, until it is killed. A test does that.
//!
//! `acknowledge <directory> <first random number>` prints `random seq .` for each message.

use bytes::Bytes;
use chat::port::{Account, Append, Appended, Store, Terms};
use chat::{AppId, Delivery, Origin, Platform, UserId};
use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Embedded, EmbeddedOptions};
use tokio::task::JoinSet;

const APP: AppId = AppId(1_400_000_001);
const NOW_S: u64 = 1_700_000_000;
const CALLERS: usize = 24;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("a directory is missing")?;
    let next = Arc::new(AtomicU32::new(arguments.next().ok_or("a number is missing")?.parse()?));
    let store = Arc::new(Embedded::open(directory, EmbeddedOptions::default())?);
    let accounts = [user("ana"), user("bo")].map(Account::bare).to_vec();
    store.import_accounts(APP, accounts, NOW_S * 1000).await?;
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        callers
            .spawn(async move { while acknowledge(&store, next.fetch_add(1, Ordering::Relaxed)).await {} });
    }
    callers.join_all().await;
    Ok(())
}

/// Returns whether anybody still listens.
async fn acknowledge(store: &Embedded, random: u32) -> bool {
    match store.append(append(random)).await.expect("the store takes messages") {
        Appended::Done(committed) => {
            writeln!(std::io::stdout(), "{random} {} .", committed.message.seq).is_ok()
        }
        other => panic!("{random} should be new: {other:?}"),
    }
}

fn append(random: u32) -> Append {
    Append {
        app: APP,
        from: user("ana"),
        to: user("bo"),
        wire_seq: None,
        wire_seq_given: false,
        random,
        client_time_s: NOW_S,
        time_s: NOW_S,
        now_ms: NOW_S * 1000,
        content_crc: 0xc0ffee,
        body: Bytes::from_static(b"[]"),
        custom_data: Bytes::new(),
        offline_push: Bytes::new(),
        delivery: Delivery::default(),
        event: Some(Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::RestApi }),
        quiet: false,
        terms: Terms::default(),
        pretends: None,
    }
}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("short and plain")
}
