//! A stop that was asked for, and who may use a directory meanwhile.

use crate::chance::Chance;
use crate::history;
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place};
use crate::receiver::{Mood, Receiver, check_told};

const USERS: usize = 8;
const SENDERS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_keeps_what_was_answered() {
    let mut chance = Chance::of_this_run();
    let receiver = Receiver::start(Mood::Accepts, &mut chance);
    let place = Place::new("", &receiver.settings());
    let users = place::users(USERS);
    let server = place.start_with(&users).await;
    let mut load = Load::start((SENDERS, WhenBroken::End), &users, server.address, &mut chance);
    load.more(500 + chance.below(500)).await;
    server.stop().await;
    let acknowledged = load.broken_off().await;

    let server = place.start().await;
    let histories = history::read_all(&mut place::admin(&server).await, &users).await;
    let unanswered = history::check_acknowledged(&acknowledged, &histories);
    // A stop finishes what it has begun, so there is nothing between answered and never heard of.
    assert_eq!(unanswered, []);
    receiver.has(acknowledged.len()).await;
    check_told(&receiver.arrivals(), &histories);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_at_a_time_uses_a_directory() {
    let place = Place::new("", "");
    let users = place::users(2);
    let mut server = place.start_with(&users).await;
    let text = place.refusal(&mut place.serve()).await;
    assert!(text.contains("store is in use by another process"), "{text}");

    assert!(server.process.is_running());
    assert_eq!(history::read(&mut place::admin(&server).await, &users[0], &users[1]).await, []);
    server.stop().await;
    // With the first one gone, the directory is free.
    place.start().await.stop().await;
}

/// Whoever starts the server may stop it as soon as it is ready. The signal once came before it was listened to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_may_come_at_once() {
    let place = Place::new("", "");
    for _ in 0..10 {
        place.start().await.stop().await;
    }
}
