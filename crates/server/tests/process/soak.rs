//! Devices that live for a while behind bad networks, with a server that is killed now and then: in the end, all devices
//! of a user have the same, and it is what the server has.
//!
//! `COUPLET_TEST_SOAK_SECS` is how long they live; `cargo xtask soak` sets it.

mod handset;
mod network;
mod replica;

use crate::chance::{Chance, setting};
use crate::history;
use crate::load::Whereabouts;
use crate::place::{self, Place};
use crate::process::Server;
use crate::receiver::{Arrival, Mood, Receiver, Told};
use crate::rest::Rest;
use handset::{Habit, Handset, Life, Sent, is_keeper};
use network::{Damage, Network, pause};
use replica::{Replica, Shown};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const SOAK_SECS: u64 = 20;
/// From here on, everything that can happen does.
const LONG_SECS: u64 = 120;
const USERS: usize = 4;
const HABITS: [Habit; 3] = [Habit::Reliable, Habit::Restored, Habit::Forgetful];
/// In a short run the server is killed more often, so that it happens at all.
const LIVES_MIN: u64 = 5;
const LIFE_SECS_MAX: u64 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_device_ends_with_the_same() {
    let mut chance = Chance::of_this_run();
    let soak_secs = setting("COUPLET_TEST_SOAK_SECS").unwrap_or(SOAK_SECS);
    let receiver = Receiver::start(Mood::Flaky, &mut chance);
    let callback = receiver.settings() + "retry_delays_secs = [1]\nprobe_delay_ms_min = 100\n";
    let place = Place::new("", &callback);
    place.keep_binary();
    let users = place::users(USERS);
    let mut server = Server::start(&mut place.serve_kept()).await;
    crate::rest::import(&mut place::admin(&server).await, &users).await;

    let whereabouts = watch::Sender::new((0, server.address));
    let (networks, handsets) = settle(&users, &whereabouts, &mut chance).await;
    networks.iter().for_each(Network::turns_bad);
    let (mut lives, stop) = (JoinSet::new(), CancellationToken::new());
    for handset in handsets {
        lives.spawn(handset.live(stop.clone()));
    }
    let end = Instant::now() + Duration::from_secs(soak_secs);
    let life_secs_max = LIFE_SECS_MAX.min(soak_secs / LIVES_MIN);
    let mut kills = 0;
    while Instant::now() < end {
        pause(Duration::from_millis(500 + chance.below(life_secs_max as usize * 1_000) as u64)).await;
        server.kill();
        kills += 1;
        server = Server::start(&mut place.serve_kept()).await;
        whereabouts.send_modify(|(number, at)| (*number, *at) = (*number + 1, server.address));
        if let Some(ended) = lives.try_join_next() {
            ended.unwrap();
            panic!("every device lives to the end");
        }
    }
    networks.iter().for_each(Network::heals);
    stop.cancel();
    let mut handsets = lives.join_all().await;
    for handset in &mut handsets {
        handset.catch_up().await;
    }
    judge(&server, &users, &handsets, &mut chance).await;
    let sent: Vec<&Sent> = handsets.iter().flat_map(|handset| &handset.acknowledged).collect();
    receiver.has(sent.len()).await;
    let arrivals = receiver.arrivals();
    check_callbacks(&arrivals, &handsets, &sent);

    let damage = networks.iter().map(Network::damage).fold(Damage::default(), Damage::plus);
    let life = handsets.iter().map(|handset| handset.life).fold(Life::default(), Life::plus);
    eprintln!("{soak_secs} s, {kills} kills of the server");
    eprintln!("{} messages acknowledged, {} callbacks arrived", sent.len(), arrivals.len());
    eprintln!("{life:#?}\n{damage:#?}");
    check_happened(&life, &damage, soak_secs);
    server.stop().await;
}

/// Everybody has been there once, with all devices, before anything is said.
async fn settle(
    users: &[String],
    whereabouts: &watch::Sender<Whereabouts>,
    chance: &mut Chance,
) -> (Vec<Network>, Vec<Handset>) {
    let (mut networks, mut handsets) = (Vec::new(), Vec::new());
    for user in users {
        for habit in HABITS {
            let network = Network::before(whereabouts.subscribe(), chance).await;
            let number = handsets.len() as u64;
            let mut handset = Handset::new((user, number), habit, users, (network.address, chance));
            handset.arrive().await;
            networks.push(network);
            handsets.push(handset);
        }
    }
    (networks, handsets)
}

/// Compares all devices of each user with one that comes now and is told everything, and with the history over REST.
async fn judge(server: &Server, users: &[String], handsets: &[Handset], chance: &mut Chance) {
    let mut admin = place::admin(server).await;
    for user in users {
        let number = handsets.len() as u64;
        let mut witness = Handset::new((user, number), Habit::Reliable, users, (server.address, chance));
        witness.catch_up().await;
        let truth = witness.replica.expect("it has logged in");
        for peer in users.iter().filter(|peer| *peer != user) {
            check_history(&mut admin, &truth, peer).await;
        }
        let own: Vec<&Handset> = handsets.iter().filter(|handset| handset.user == *user).collect();
        for handset in &own {
            let replica = handset.replica.as_ref().expect("it has logged in");
            let (found, expected) = (replica.seen(), truth.seen());
            assert!(found == expected, "{} has\n{found:#?}\nand not\n{expected:#?}", handset.name);
        }
        check_sends(&own, handsets, users);
    }
    for handset in handsets {
        check_order(handset);
    }
    check_keeper(&mut admin, users, handsets).await;
}

/// What the newest device has read is what REST says.
async fn check_history(admin: &mut Rest, truth: &Replica, peer: &str) {
    let user = &truth.user;
    let stored: BTreeMap<_, _> = history::pages(admin, user, peer).await.iter().map(Shown::of).collect();
    let seen = &truth.chats[peer].seen;
    assert!(seen.messages == stored, "{user} has with {peer}\n{:#?}\nnot\n{stored:#?}", seen.messages);
    let body = json!({ "To_Account": user, "Peer_Account": [peer] });
    let answer = admin.ask("openim/get_c2c_unread_msg_num", &body).await;
    assert_eq!(
        answer["C2CUnreadMsgNumList"][0]["C2CUnreadMsgNum"], seen.unread,
        "{user} of {peer}: {answer}"
    );
}

/// The device that never lost anything was told of every acknowledged message once, and of no other, in numbers without
/// a gap; and so was everybody else of what they were there for.
fn check_sends(own: &[&Handset], handsets: &[Handset], users: &[String]) {
    let user = &own[0].user;
    for peer in users.iter().filter(|peer| *peer != user) {
        let between = |sent: &&Sent| {
            (sent.from == *user && sent.to == *peer) || (sent.from == *peer && sent.to == *user)
        };
        let sent = handsets.iter().flat_map(|handset| &handset.acknowledged).filter(between);
        let sent: BTreeSet<(&str, u64)> = sent.map(|sent| (sent.from.as_str(), sent.random)).collect();
        for handset in own {
            let told = &handset.replica.as_ref().unwrap().chats[peer].told;
            let messages: BTreeSet<(&str, u64)> =
                told.iter().map(|(_, from, random)| (from.as_str(), *random)).collect();
            assert_eq!(messages.len(), told.len(), "{} was told something twice", handset.name);
            assert!(messages.is_subset(&sent), "{} was told what nobody sent", handset.name);
            let all = told.first().is_none_or(|(seq, ..)| *seq == 1);
            if handset.habit != Habit::Forgetful {
                assert!(all && messages == sent, "{} was not told everything of {peer}", handset.name);
            }
        }
    }
}

/// What one device sent stands in the order in which it was sent.
fn check_order(handset: &Handset) {
    let replica = handset.replica.as_ref().unwrap();
    for (peer, chat) in &replica.chats {
        let own = chat.seen.messages.values().filter(|shown| shown.from == handset.user);
        let in_order: Vec<u64> = own.map(|shown| shown.random).collect();
        let sent = handset.acknowledged.iter().filter(|sent| sent.to == *peer);
        let sent: Vec<u64> =
            sent.map(|sent| sent.random).filter(|random| in_order.contains(random)).collect();
        let of_device: Vec<u64> = in_order.into_iter().filter(|random| sent.contains(random)).collect();
        assert_eq!(of_device, sent, "{} to {peer}", handset.name);
    }
}

/// With the one who forgets nothing, every acknowledged message is in the history once, under the key of its answer.
async fn check_keeper(admin: &mut Rest, users: &[String], handsets: &[Handset]) {
    let keeper = users.iter().find(|user| is_keeper(user)).expect("somebody forgets nothing");
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for peer in users.iter().filter(|peer| *peer != keeper) {
        for message in history::pages(admin, keeper, peer).await {
            let (_, shown) = Shown::of(&message);
            *found.entry((shown.from, shown.key)).or_default() += 1;
        }
    }
    let sent = handsets.iter().flat_map(|handset| &handset.acknowledged);
    let sent = sent.filter(|sent| is_keeper(&sent.from) || is_keeper(&sent.to));
    let expected: BTreeMap<_, _> = sent.map(|sent| ((sent.from.clone(), sent.key.clone()), 1)).collect();
    assert!(found == expected, "the history has\n{found:#?}\nand not\n{expected:#?}");
}

/// Every message was told to the backend, in the order of its conversation, and again only under the same id.
fn check_callbacks(arrivals: &[Arrival], handsets: &[Handset], sent: &[&Sent]) {
    let mut ids: HashMap<(String, String), &str> = HashMap::new();
    let mut orders: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    for arrival in arrivals {
        let told = Told::parse(&arrival.body);
        let id = *ids.entry((told.from.clone(), told.msg_key.clone())).or_insert_with(|| {
            let random = told.msg_key.split('_').nth(1).unwrap().parse().unwrap();
            let pair = if told.from < told.to { (told.from, told.to) } else { (told.to, told.from) };
            orders.entry(pair).or_default().push(random);
            &arrival.id
        });
        assert_eq!(id, arrival.id, "an event has one id");
    }
    let expected: BTreeSet<_> = sent.iter().map(|sent| (sent.from.clone(), sent.key.clone())).collect();
    let told: BTreeSet<_> = ids.keys().cloned().collect();
    assert!(told == expected, "told of {told:#?}\nand not of {expected:#?}");
    for handset in handsets.iter().filter(|handset| handset.habit == Habit::Reliable) {
        for (peer, chat) in &handset.replica.as_ref().unwrap().chats {
            let pair = (handset.user.clone(), peer.clone());
            let Some(order) = orders.get(&pair) else { continue };
            let stored: Vec<u64> = chat.told.iter().map(|(_, _, random)| *random).collect();
            assert_eq!(*order, stored, "{pair:?} as it was told");
        }
    }
}

/// A run in which nothing went wrong proves nothing. What is rare need not happen in a short one.
fn check_happened(life: &Life, damage: &Damage, soak_secs: u64) {
    let mut happened = vec![life.resumed, life.caught_up, damage.cut, damage.outages, damage.halved];
    if soak_secs >= LONG_SECS {
        happened.extend([life.resyncs + life.reinstalled, life.restored, life.sent_again]);
        happened.extend([damage.cut_in_the_middle, damage.swallowed]);
    }
    assert!(happened.iter().all(|count| *count > 0), "{life:#?}\n{damage:#?}");
}
