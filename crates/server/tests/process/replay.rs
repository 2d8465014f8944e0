//! A backend that has lost its database is told everything again, and what was given up is told after all.

use crate::chance::Chance;
use crate::event_api::EventApi;
use crate::history::{self, Histories};
use crate::load::{Load, WhenBroken};
use crate::log::{Log, PARKED};
use crate::place::{self, Place};
use crate::process::Server;
use crate::receiver::{Arrival, Mood, Receiver, Told, check_told};
use crate::rest::{self, SEND};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

const USERS: usize = 8;
const SENDERS: usize = 4;

fn ids(arrivals: &[Arrival]) -> HashSet<String> {
    arrivals.iter().map(|arrival| arrival.id.clone()).collect()
}

/// Of the calls about one event, the last: what was told before a replay began says nothing of its order.
fn lasts(arrivals: &[Arrival]) -> Vec<Arrival> {
    let mut seen = HashSet::new();
    let mut lasts: Vec<Arrival> =
        arrivals.iter().rev().filter(|arrival| seen.insert(&arrival.id)).cloned().collect();
    lasts.reverse();
    lasts
}

async fn histories(server: &Server, users: &[String]) -> Histories {
    history::read_all(&mut place::admin(server).await, users).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_lost_everything_is_told_again() {
    const BEFORE: usize = 300;
    const MEANWHILE: usize = 100;
    let mut chance = Chance::of_this_run();
    let receiver = Receiver::start(Mood::Accepts, &mut chance);
    let place = Place::new("", &receiver.settings());
    let users = place::users(USERS);
    let server = place.start_with(&users).await;
    let mut api = EventApi::open(&server).await;
    let load = Load::start((SENDERS, WhenBroken::End), &users, server.address, &mut chance);
    load.more(BEFORE).await;
    receiver.has(BEFORE).await;
    let before = ids(&receiver.arrivals());

    // The load goes on through all of it.
    receiver.forgets();
    let replayed = api.replay(&json!({ "since_ms": 0 })).await;
    assert!(replayed >= BEFORE as u64, "{replayed}");
    load.more(MEANWHILE).await;
    let acknowledged = load.finish().await;
    receiver.has(acknowledged.len()).await;
    let arrivals = lasts(&receiver.arrivals());
    check_told(&arrivals, &histories(&server, &users).await);
    assert!(ids(&arrivals).is_superset(&before), "under the ids that they had before");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_position_and_one_event_alone() {
    const BEFORE: usize = 40;
    const BEHIND: usize = 30;
    let mut chance = Chance::of_this_run();
    let receiver = Receiver::start(Mood::Accepts, &mut chance);
    let place = Place::new("", &receiver.settings());
    let users = place::users(2);
    let server = place.start_with(&users).await;
    let (mut api, mut admin) = (EventApi::open(&server).await, place::admin(&server).await);
    let (from, to) = (&users[0], &users[1]);
    let mut position = String::new();
    for index in 0..BEFORE + BEHIND {
        if index == BEFORE {
            position = api.end().await;
        }
        let body = rest::message(from, to, u32::try_from(index).unwrap(), &index.to_string());
        assert_eq!(admin.call(SEND, body).await.unwrap().code, 0);
    }
    receiver.has(BEFORE + BEHIND).await;
    let told: Vec<String> = receiver.arrivals().into_iter().map(|arrival| arrival.id).collect();

    receiver.forgets();
    assert_eq!(api.replay(&json!({ "after": position })).await, BEHIND as u64);
    receiver.has(BEHIND).await;
    let again: Vec<String> = receiver.arrivals().into_iter().map(|arrival| arrival.id).collect();
    assert_eq!(again, told[BEFORE..]);

    receiver.forgets();
    assert_eq!(api.replay(&json!({ "id": told[7] })).await, 1);
    receiver.has(1).await;
    assert_eq!(ids(&receiver.arrivals()), HashSet::from([told[7].clone()]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_told_after_all() {
    const PARKED_LEN: usize = 60;
    let mut chance = Chance::of_this_run();
    let receiver = Receiver::start(Mood::Fails, &mut chance);
    // One attempt at each, and an endpoint that is never given up as a whole.
    let once = "retry_delays_secs = []\nbreaker_failures_max = 1000000\n";
    let place = Place::new("", &(receiver.settings() + once));
    let users = place::users(USERS);
    let mut command = place.serve();
    let mut log = Log::of(&mut command);
    let server = Server::start(&mut command).await;
    let mut admin = place::admin(&server).await;
    rest::import(&mut admin, &users).await;
    for index in 0..PARKED_LEN {
        let (from, to) = (&users[index % USERS], &users[(index + 1) % USERS]);
        let body = rest::message(from, to, u32::try_from(index).unwrap(), &index.to_string());
        assert_eq!(admin.call(SEND, body).await.unwrap().code, 0);
    }
    log.says(PARKED, PARKED_LEN).await;
    let mut api = EventApi::open(&server).await;
    let parked = ids(&receiver.arrivals());
    assert_eq!(parked.len(), PARKED_LEN);

    receiver.becomes(Mood::Accepts);
    receiver.forgets();
    assert_eq!(api.replay(&json!({ "parked": true, "limit": 10 })).await, 10);
    receiver.has(10).await;
    assert_eq!(api.parked().await.len(), PARKED_LEN - 10);
    // What is recorded meanwhile does not wait for what was given up.
    let load = Load::start((SENDERS, WhenBroken::End), &users, server.address, &mut chance);
    load.more(100).await;
    assert_eq!(api.replay(&json!({ "parked": true })).await, PARKED_LEN as u64 - 10);
    let acknowledged = load.finish().await;
    receiver.has(PARKED_LEN + acknowledged.len()).await;
    assert_eq!(api.parked().await, Vec::<String>::new());
    let arrivals = receiver.arrivals();
    assert_eq!(arrivals.len(), PARKED_LEN + acknowledged.len(), "each of them once");
    let again: Vec<&Arrival> = arrivals.iter().filter(|arrival| parked.contains(&arrival.id)).collect();
    assert_eq!(again.len(), PARKED_LEN);
    check_in_order(&again);
    server.stop().await;
}

/// The texts are numbers, and rise within each conversation.
fn check_in_order(arrivals: &[&Arrival]) {
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for arrival in arrivals {
        let told = Told::parse(&arrival.body);
        let number: usize = told.text.parse().unwrap();
        if let Some(before) = last.insert(told.from + "-" + &told.to, number) {
            assert!(number > before, "{number} after {before}");
        }
    }
}
