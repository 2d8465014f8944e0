//! Nodes that share the telling of events: they come, go, die, and are paused.

use crate::chance::Chance;
use crate::event_api::EventApi;
use crate::history::{self, Histories};
use crate::nats_server::NatsServer;
use crate::place::{self, Place};
use crate::process::Server;
use crate::receiver::{Arrival, Mood, Receiver, check_told};
use crate::rest::{self, SEND};
use crate::schema::Schema;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

const BATCH: usize = 24;

struct Cluster {
    settings: String,
    receiver: Receiver,
    users: Vec<String>,
    places: Vec<Place>,
    sent: usize,
    _schema: Schema,
    _nats: NatsServer,
}

impl Cluster {
    async fn new() -> Self {
        let (schema, nats) = (Schema::new().await, NatsServer::start());
        let settings = format!(
            "store = \"postgres\"\nbus = \"nats\"\n[postgres]\nurl = {:?}\nschema = {:?}\n\
             [nats]\nurls = [{:?}]\n[events]\nlease_secs = 6\n",
            schema.url,
            schema.name,
            nats.url()
        );
        Self {
            settings,
            receiver: Receiver::start(Mood::Accepts, &mut Chance::of_this_run()),
            users: place::users(9),
            places: Vec::new(),
            sent: 0,
            _schema: schema,
            _nats: nats,
        }
    }

    /// A node whose calls say which it is.
    async fn node(&mut self, number: usize) -> Server {
        let url = format!("/callback?node={number}");
        let place = Place::new(&self.settings, &self.receiver.settings().replace("/callback", &url));
        let server =
            if self.places.is_empty() { place.start_with(&self.users).await } else { place.start().await };
        self.places.push(place);
        server
    }

    /// Sends some messages, from one user to each of the others in turn: their conversations are in all lanes.
    async fn send(&mut self, at: &Server) {
        let mut admin = place::admin(at).await;
        for _ in 0..BATCH {
            let to = &self.users[1 + self.sent % (self.users.len() - 1)];
            let random = u32::try_from(self.sent).unwrap();
            let body = rest::message(&self.users[0], to, random, &self.sent.to_string());
            assert_eq!(admin.call(SEND, body).await.unwrap().code, 0);
            self.sent += 1;
        }
    }

    /// Until everything that was sent is told.
    async fn told(&self) {
        self.receiver.has(self.sent).await;
    }

    /// Sends more and more, until all of these have told something.
    async fn share(&mut self, at: &Server, nodes: &[usize]) {
        loop {
            self.send(at).await;
            self.told().await;
            let tellers = tellers(&self.receiver.arrivals());
            if nodes.iter().all(|node| tellers.contains(node)) {
                return;
            }
        }
    }

    async fn histories(&self, server: &Server) -> Histories {
        history::read_all(&mut place::admin(server).await, &self.users).await
    }
}

fn teller(arrival: &Arrival) -> usize {
    let (node, _) = arrival.query.strip_prefix("node=").unwrap().split_once('&').unwrap();
    node.parse().unwrap()
}

fn tellers(arrivals: &[Arrival]) -> BTreeSet<usize> {
    arrivals.iter().map(teller).collect()
}

/// How many events came more than once.
fn repeated(arrivals: &[Arrival]) -> usize {
    let mut times: HashMap<&str, usize> = HashMap::new();
    arrivals.iter().for_each(|arrival| *times.entry(&arrival.id).or_default() += 1);
    times.values().filter(|times| **times > 1).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_come_and_go_and_every_event_is_told_once() {
    let mut cluster = Cluster::new().await;
    let one = cluster.node(1).await;
    cluster.send(&one).await;
    cluster.told().await;
    let two = cluster.node(2).await;
    cluster.share(&one, &[1, 2]).await;
    // The one that goes is asked for more until it is gone.
    cluster.send(&one).await;
    one.stop().await;
    cluster.send(&two).await;
    cluster.told().await;
    let three = cluster.node(3).await;
    cluster.share(&two, &[3]).await;
    let arrivals = cluster.receiver.arrivals();
    check_told(&arrivals, &cluster.histories(&three).await);
    assert_eq!(repeated(&arrivals), 0, "what goes in order leaves no doubt");
    two.stop().await;
    three.stop().await;
}

/// Some of the events are told by the node that is asked, and some by the other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_has_everything_told_again() {
    let mut cluster = Cluster::new().await;
    let one = cluster.node(1).await;
    let two = cluster.node(2).await;
    cluster.share(&one, &[1, 2]).await;
    for at in [&one, &two] {
        cluster.receiver.forgets();
        let replayed = EventApi::open(at).await.replay(&json!({ "since_ms": 0 })).await;
        // What was told a moment ago may not be written down yet, and counts all the same.
        assert_eq!(replayed, cluster.sent as u64);
        cluster.told().await;
    }
    check_told(&cluster.receiver.arrivals(), &cluster.histories(&two).await);
    for at in [&one, &two] {
        let mut api = EventApi::open(at).await;
        let id = api.first_id().await;
        assert_eq!(api.replay(&json!({ "id": id })).await, 1);
    }
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_is_succeeded() {
    let mut cluster = Cluster::new().await;
    let one = cluster.node(1).await;
    let two = cluster.node(2).await;
    cluster.share(&one, &[1, 2]).await;
    cluster.send(&one).await;
    one.kill();
    cluster.send(&two).await;
    cluster.told().await;
    // Also what waited for nobody but the dead one.
    cluster.send(&two).await;
    cluster.told().await;
    check_told(&cluster.receiver.arrivals(), &cluster.histories(&two).await);
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_paused_disturbs_nobody() {
    let mut cluster = Cluster::new().await;
    let one = cluster.node(1).await;
    let two = cluster.node(2).await;
    cluster.share(&one, &[1, 2]).await;
    cluster.send(&two).await;
    one.process.signal("STOP");
    // All of it, and so after its leases have expired.
    cluster.send(&two).await;
    cluster.told().await;
    one.process.signal("CONT");
    cluster.send(&two).await;
    cluster.told().await;
    // It takes its part again, without what it had before.
    let before = cluster.receiver.arrivals().len();
    loop {
        cluster.send(&one).await;
        cluster.told().await;
        if tellers(&cluster.receiver.arrivals()[before..]) == BTreeSet::from([1, 2]) {
            break;
        }
    }
    check_told(&cluster.receiver.arrivals(), &cluster.histories(&one).await);
    one.stop().await;
    two.stop().await;
    // Nothing was left behind by either: whoever comes next has nothing to tell but what is new.
    let told = cluster.receiver.arrivals().len();
    let three = cluster.node(3).await;
    cluster.send(&three).await;
    cluster.told().await;
    assert_eq!(cluster.receiver.arrivals().len(), told + BATCH);
    three.stop().await;
}
