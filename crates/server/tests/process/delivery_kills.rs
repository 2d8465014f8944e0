//! SIGKILL while callbacks are flowing: each event is told, in order, and told again only by a server that came after.

use crate::chance::{Chance, setting};
use crate::history;
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place};
use crate::process::Server;
use crate::receiver::{Arrival, Mood, Receiver, check_told};
use crate::rest::{self, SEND};
use std::collections::{HashMap, HashSet};

const ROUNDS: u64 = 12;
const USERS: usize = 16;
const SENDERS: usize = 24;
/// A server is killed after at most this many callbacks.
const LIFE_CALLS_MAX: usize = 1_000;

/// Which of the servers, one after the other, made a call. Each is given a URL that says it.
type Life = u64;

struct Lives {
    place: Place,
    now: Life,
}

impl Lives {
    fn new(receiver: &Receiver) -> Self {
        let settings = receiver.settings().replace("/callback", "/callback?life=0");
        // The time for a call is long, so that none is given up which the receiver has taken.
        let more = "retry_delays_secs = [1]\nprobe_delay_ms_min = 100\ntimeout_ms = 60000\n";
        Self { place: Place::new("", &(settings + more)), now: 0 }
    }

    async fn next(&mut self) -> Server {
        let settings = std::fs::read_to_string(self.place.settings()).unwrap();
        let (before, now) = (format!("?life={}\"", self.now), format!("?life={}\"", self.now + 1));
        assert!(settings.contains(&before));
        std::fs::write(self.place.settings(), settings.replace(&before, &now)).unwrap();
        self.now += 1;
        self.place.start().await
    }
}

fn life(arrival: &Arrival) -> Life {
    let (life, _) = arrival.query.strip_prefix("life=").unwrap().split_once('&').unwrap();
    life.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_survive_kills() {
    let mut chance = Chance::of_this_run();
    let receiver = Receiver::start(Mood::Flaky, &mut chance);
    let mut lives = Lives::new(&receiver);
    let users = place::users(USERS);
    let mut server = lives.place.start_with(&users).await;
    let load = Load::start((SENDERS, WhenBroken::Resend), &users, server.address, &mut chance);
    for _ in 0..setting("COUPLET_TEST_ROUNDS").unwrap_or(ROUNDS) {
        receiver.called_often(1 + chance.below(LIFE_CALLS_MAX)).await;
        server.kill();
        server = lives.next().await;
        load.server_is_at(server.address);
    }
    let acknowledged = load.finish().await;
    receiver.has(acknowledged.len()).await;

    let histories = history::read_all(&mut place::admin(&server).await, &users).await;
    assert_eq!(history::check_acknowledged(&acknowledged, &histories), []);
    let mut accepted = receiver.arrivals();
    let calls = accepted.len();
    accepted.retain(|arrival| arrival.accepted);
    check_told(&accepted, &histories);
    let repeated = check_repetitions(&accepted);
    eprintln!("{} messages, {calls} callbacks, {repeated} taken more than once", acknowledged.len());

    // A stop in order writes down all that was told, so the next server begins with what is new.
    server.stop().await;
    receiver.forgets();
    receiver.becomes(Mood::Accepts);
    let server = lives.next().await;
    let mut admin = place::admin(&server).await;
    for (random, pair) in users.chunks(2).enumerate() {
        let body = rest::message(&pair[0], &pair[1], u32::try_from(random).unwrap(), "the end");
        assert_eq!(admin.call(SEND, body).await.unwrap().code, 0);
    }
    receiver.has(USERS / 2).await;
    let ids: HashSet<String> = receiver.arrivals().into_iter().map(|arrival| arrival.id).collect();
    let told_before: HashSet<String> = accepted.into_iter().map(|arrival| arrival.id).collect();
    assert!(ids.is_disjoint(&told_before), "told again after a stop in order");
    server.stop().await;
}

/// Who was told that an event is accepted does not tell it again; only one that was killed meanwhile leaves doubt to
/// the next. Returns how many events were accepted more than once.
fn check_repetitions(accepted: &[Arrival]) -> usize {
    let mut lives_of: HashMap<&str, HashSet<Life>> = HashMap::new();
    for arrival in accepted {
        let is_new = lives_of.entry(&arrival.id).or_default().insert(life(arrival));
        assert!(is_new, "{} was told twice by one server, number {}", arrival.id, life(arrival));
    }
    lives_of.values().filter(|lives| lives.len() > 1).count()
}
