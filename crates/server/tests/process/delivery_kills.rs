//! SIGKILL while callbacks are flowing: each event is told, in order, and told again only by a server that came after
//! one that was killed.

use crate::chance::{Chance, setting};
use crate::history;
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place};
use crate::process::Server;
use crate::receiver::{Arrival, Mood, Receiver, check_told};
use std::collections::{HashMap, HashSet};

const ROUNDS: u64 = 12;
const USERS: usize = 16;
const SENDERS: usize = 24;
/// A server is killed after at most this many callbacks.
const LIFE_CALLS_MAX: usize = 1_000;
/// Of a hundred servers, these are stopped in order.
const STOPPED_PERCENT: usize = 25;

/// Which of the servers, one after the other, made a call. Each is given a URL that says it.
type Life = u64;

struct Lives {
    place: Place,
    now: Life,
    /// Those that were stopped in order, and so could write down all that they had told.
    orderly: HashSet<Life>,
}

impl Lives {
    fn new(receiver: &Receiver) -> Self {
        let settings = receiver.settings().replace("/callback", "/callback?life=0");
        // The time for a call is long, so that none is given up which the receiver has taken.
        let more = "retry_delays_secs = [1]\nprobe_delay_ms_min = 100\ntimeout_ms = 60000\n";
        Self { place: Place::new("", &(settings + more)), now: 0, orderly: HashSet::new() }
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
        if chance.percent(STOPPED_PERCENT) {
            lives.orderly.insert(lives.now);
            server.stop().await;
        } else {
            server.kill();
        }
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
    let repeated = check_repetitions(&accepted, &lives.orderly);
    eprintln!("{} messages, {calls} callbacks, {repeated} taken more than once", acknowledged.len());

    server.stop().await;
}

/// Who was told that an event is accepted does not tell it again, nor does anybody else when that was written down. Only
/// a server that was killed leaves doubt to the next. Returns how many events were accepted more than once.
fn check_repetitions(accepted: &[Arrival], orderly: &HashSet<Life>) -> usize {
    let mut lives_of: HashMap<&str, Vec<Life>> = HashMap::new();
    for arrival in accepted {
        lives_of.entry(&arrival.id).or_default().push(life(arrival));
    }
    for (id, lives) in &lives_of {
        assert!(lives.is_sorted_by(|one, next| one < next), "{id} was told twice by one server: {lives:?}");
        let (_, before) = lives.split_last().expect("it was told");
        let certain = before.iter().find(|life| orderly.contains(life));
        assert_eq!(certain, None, "{id} was told again although it was written down: {lives:?}");
    }
    lives_of.values().filter(|lives| lives.len() > 1).count()
}
