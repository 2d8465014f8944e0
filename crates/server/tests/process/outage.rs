//! A receiver that is away under load: sends go on meanwhile, and it is told everything once it is back.

use crate::chance::{Chance, setting};
use crate::history;
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place};
use crate::receiver::{Mood, Receiver, check_told};
use std::time::Duration;
use tokio::time::Instant;

const OUTAGE_SECS: u64 = 5;
const USERS: usize = 12;
const SENDERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_comes_back() {
    let mut chance = Chance::of_this_run();
    let outage = Duration::from_secs(setting("COUPLET_TEST_OUTAGE_SECS").unwrap_or(OUTAGE_SECS));
    let mut receiver = Receiver::closed(Mood::Hangs, &mut chance);
    let short =
        "timeout_ms = 300\nretry_delays_secs = [1]\nprobe_delay_ms_min = 50\nprobe_delay_ms_max = 500\n";
    let place = Place::new("", &(receiver.settings() + short));
    let users = place::users(USERS);
    let server = place.start_with(&users).await;
    let load = Load::start((SENDERS, WhenBroken::End), &users, server.address, &mut chance);

    // The load goes on through all of it; a refused send, or a broken connection, would end it.
    goes_on(&load, outage / 3).await;
    receiver.open();
    receiver.called().await;
    goes_on(&load, outage / 3).await;
    receiver.becomes(Mood::Fails);
    receiver.called().await;
    goes_on(&load, outage / 3).await;
    receiver.becomes(Mood::Accepts);
    receiver.called().await;
    goes_on(&load, Duration::from_secs(1)).await;

    let acknowledged = load.finish().await;
    receiver.has(acknowledged.len()).await;
    let histories = history::read_all(&mut place::admin(&server).await, &users).await;
    assert_eq!(history::check_acknowledged(&acknowledged, &histories), []);
    let arrivals = receiver.arrivals();
    check_told(&arrivals, &histories);
    eprintln!("{} messages, {} callbacks", acknowledged.len(), arrivals.len());
    server.stop().await;
}

/// Messages are acknowledged, one after the other, until the time is over.
async fn goes_on(load: &Load, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        load.more(1).await;
    }
}
