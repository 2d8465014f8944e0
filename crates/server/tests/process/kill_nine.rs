//! SIGKILL, again and again, under load: nothing acknowledged is lost, nothing happens twice.

use crate::chance::{Chance, setting};
use crate::device::Device;
use crate::history;
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place};
use crate::process::{Process, Server};
use crate::receiver::{Mood, Receiver, check_told};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const ROUNDS: u64 = 24;
const USERS: usize = 12;
const SENDERS: usize = 16;
/// A server is killed after at most this many acknowledged messages.
const LIFE_MESSAGES_MAX: usize = 250;
/// Of a hundred starts, these are killed before they are ready.
const STILLBORN_PERCENT: usize = 15;
const STILLBORN_MS_MAX: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine() {
    let mut chance = Chance::of_this_run();
    let receiver = Receiver::start(Mood::Flaky, &mut chance);
    let place =
        Place::new("", &(receiver.settings() + "retry_delays_secs = [1]\nprobe_delay_ms_min = 100\n"));
    let users = place::users(USERS);
    let mut server = place.start_with(&users).await;

    // Logged in before the first message, they follow their users' logs from the beginning.
    let mut new_devices = Vec::new();
    for (user, name) in [(0, "phone of user00"), (0, "laptop of user00"), (1, "phone of user01")] {
        new_devices.push(Device::new(&users[user], name, server.address).await);
    }
    let load = Load::start((SENDERS, WhenBroken::Resend), &users, server.address, &mut chance);
    let (mut devices, stop) = (JoinSet::new(), CancellationToken::new());
    for device in new_devices {
        devices.spawn(device.follow(load.whereabouts(), stop.clone()));
    }
    for _ in 0..setting("COUPLET_TEST_ROUNDS").unwrap_or(ROUNDS) {
        load.more(1 + chance.below(LIFE_MESSAGES_MAX)).await;
        server.kill();
        server = start_again(&place, &mut chance).await;
        load.server_is_at(server.address);
    }
    load.more(LIFE_MESSAGES_MAX).await;
    let acknowledged = load.finish().await;
    receiver.has(acknowledged.len()).await;

    let histories = history::read_all(&mut place::admin(&server).await, &users).await;
    let unanswered = history::check_acknowledged(&acknowledged, &histories);
    assert!(unanswered.is_empty(), "every sender has waited for its answer: {unanswered:#?}");
    let arrivals = receiver.arrivals();
    check_told(&arrivals, &histories);
    stop.cancel();
    let mut logins = 0;
    while let Some(device) = devices.join_next().await {
        let mut device = device.unwrap();
        let unread = device.catch_up(server.address).await;
        device.check(&histories, unread);
        logins += device.logins;
    }
    let (messages, calls) = (acknowledged.len(), arrivals.len());
    eprintln!("{messages} messages, {calls} callbacks, {logins} logins of devices");
    server.stop().await;
}

/// Some starts do not get far.
async fn start_again(place: &Place, chance: &mut Chance) -> Server {
    while chance.percent(STILLBORN_PERCENT) {
        let mut process = Process::start(&mut place.serve());
        let life = Duration::from_millis(chance.below(STILLBORN_MS_MAX) as u64);
        // Whether it was ready by then does not matter.
        drop(timeout(life, process.line()).await);
        process.kill();
    }
    place.start().await
}
