//! Nodes that share a store, each with its crew.

use super::*;
use crate::address::SystemNames;
use crate::asked::AskedLog;
use crate::bus::NodeBus;
use crate::callback::{Addressee, Questions};
use crate::clock::SystemClock;
use crate::config::{Callback, Config, Flags};
use crate::steering::Steering;
use async_trait::async_trait;
use chat::dispatch::{Receipt, Replay, Verdict};
use chat::event::{Event, EventDraft, Fact, Origin, Platform, StateAction, StateChange};
use chat::model::Model;
use chat::port::{Bus, Clock, EndpointId, Kept, Route, Store};
use chat::{AppId, Chat, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

const APP: AppId = AppId(7);
/// The shortest that there can be: some tests have to wait for its end.
const TERM_MS: u64 = 3_000;
const LANES: u16 = 8;

/// What all nodes have in common: the store, and the backend that is told.
struct Cluster {
    store: Arc<Model>,
    told: Arc<Told>,
}

/// By whom each event was told, in order.
#[derive(Default)]
struct Told {
    events: Mutex<Vec<(u64, Event)>>,
    more: Notify,
}

struct Node {
    crew: Arc<Crew>,
    tasks: TaskTracker,
}

/// The app's backend, as one node reaches it.
struct Backend {
    node: u64,
    id: EndpointId,
    settings: Callback,
    told: Arc<Told>,
}

#[async_trait]
impl Addressee for Backend {
    fn app(&self) -> AppId {
        APP
    }

    fn id(&self) -> &EndpointId {
        &self.id
    }

    fn settings(&self) -> &Callback {
        &self.settings
    }

    fn is_same(&self, _: &dyn Addressee) -> bool {
        true
    }

    async fn tell(&self, event: &Event) -> Verdict {
        tokio::task::yield_now().await;
        self.told.events.lock().unwrap().push((self.node, event.clone()));
        self.told.more.notify_one();
        Verdict::Done(Receipt::Answered { code: 0 })
    }
}

impl Cluster {
    fn new() -> Self {
        Self { store: Arc::new(Model::with_lanes(LANES)), told: Arc::default() }
    }

    async fn node(&self, number: u64) -> Node {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let bus = Arc::new(NodeBus::default());
        let clock = Arc::new(SystemClock) as Arc<dyn Clock>;
        let asked = Arc::new(AskedLog::default());
        let questions = Arc::new(Questions::new(asked, Arc::clone(&clock), tasks.clone()));
        let chat = Chat {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            bus: Arc::clone(&bus) as Arc<dyn Bus>,
            gate: Arc::clone(&questions) as Arc<dyn chat::port::Gate>,
            clock,
        };
        let crew = Arc::new(Crew {
            chat,
            bus,
            questions,
            steering: Arc::new(Steering::default()),
            names: Arc::new(SystemNames),
            tasks: tasks.clone(),
            stop,
            roster: tokio::sync::Mutex::default(),
        });
        let defaults = Config::load(&Flags::default()).unwrap().callback;
        let (settings, _) = Callback::of(&defaults, &toml::Table::new(), "callback").unwrap();
        let id = EndpointId("backend".into());
        let backend = Backend { node: number, id, settings, told: Arc::clone(&self.told) };
        crew.serve(&[], vec![Arc::new(backend)]).await;
        tasks.spawn(Leases::new(Arc::clone(&crew), NodeId(number), Some(TERM_MS)).run());
        Node { crew, tasks }
    }

    /// Records that so many users went, whose events are in all lanes.
    async fn record(&self, users: std::ops::Range<u64>) {
        for number in users {
            let user = UserId::new(&format!("user{number}")).unwrap();
            let fact = Fact::State(StateChange { user, action: StateAction::Logout, kicked: Vec::new() });
            let origin = Origin { ip: [127, 0, 0, 1].into(), platform: Platform::Web };
            self.store.record(EventDraft::new(APP, SystemClock.now_ms(), origin, fact)).await.unwrap();
        }
    }

    /// Waits until so many events were told, and says by whom: how many by each node.
    async fn told(&self, count: usize) -> BTreeMap<u64, usize> {
        let waiting = async {
            while self.told.events.lock().unwrap().len() < count {
                self.told.more.notified().await;
            }
        };
        timeout(Duration::from_secs(120), waiting).await.expect("every event is told");
        let mut by_node = BTreeMap::new();
        for (node, _) in self.told.events.lock().unwrap().iter() {
            *by_node.entry(*node).or_default() += 1;
        }
        by_node
    }

    /// How often something was told, and how many events that were.
    fn counts(&self) -> (usize, usize) {
        let told = self.told.events.lock().unwrap();
        let ids: BTreeSet<_> = told.iter().map(|(_, event)| event.id).collect();
        (told.len(), ids.len())
    }

    fn routes(&self) -> impl Iterator<Item = Route> {
        let endpoint = EndpointId("backend".into());
        Lane::all_of(APP, LANES).map(move |lane| Route { lane, endpoint: endpoint.clone() })
    }
}

impl Node {
    /// In good order. Everything it was telling is written down afterwards.
    async fn stop(self) {
        self.crew.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[tokio::test]
async fn two_nodes_share_the_lanes_and_tell_everything_once() {
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    cluster.record(0..40).await;
    assert_eq!(cluster.told(40).await, BTreeMap::from([(1, 40)]));
    let two = cluster.node(2).await;
    // Until the second has got some of the lanes, and tells what is in them.
    let mut count = 40;
    while !cluster.told(count as usize).await.contains_key(&2) {
        cluster.record(count..count + 40).await;
        count += 40;
    }
    cluster.record(count..count + 40).await;
    // While one goes, the other tells everything, and nothing is told twice.
    one.stop().await;
    cluster.record(count + 40..count + 80).await;
    let count = count as usize + 80;
    cluster.told(count).await;
    two.stop().await;
    assert_eq!(cluster.counts(), (count, count));
    for route in cluster.routes() {
        let (state, lane) =
            (cluster.store.delivery(&route).await.unwrap(), cluster.store.lane(route.lane).await.unwrap());
        assert_eq!((state.cursor, state.held), (lane.map_or(0, |lane| lane.last), vec![]), "{route:?}");
    }
}

#[tokio::test]
async fn a_replay_that_was_asked_elsewhere_is_noticed() {
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    cluster.record(0..40).await;
    cluster.told(40).await;
    let mut replayed = 0;
    for route in cluster.routes() {
        let again = Replay::From { after: 0 };
        replayed += cluster.store.replay(&route, again, SystemClock.now_ms()).await.unwrap();
    }
    assert_eq!(replayed, 40);
    cluster.told(80).await;
    one.stop().await;
    assert_eq!(cluster.counts(), (80, 40));
}

/// What it has written down is in the store, what it would have written is not: as for a node that is paused for ever.
#[tokio::test]
async fn a_node_that_dies_is_succeeded_after_its_term() {
    let cluster = Cluster::new();
    // The dead one has all slots, and has told three events of each lane.
    let dead = NodeId(99);
    let mut ask = LeaseAsk { node: dead, silent: vec![], released: vec![], taken: vec![], leaves: false };
    ask.taken = Slot::all().collect();
    let table = cluster.store.lease(ask).await.unwrap();
    cluster.record(0..80).await;
    let mut left = 0;
    let mut checkpoints = Vec::new();
    for route in cluster.routes() {
        let (_, fence) = table.held[&Slot::of(route.lane)];
        let state = cluster.store.delivery(&route).await.unwrap();
        let mut checkpoint = chat::port::Checkpoint::claim(&state, fence);
        checkpoint.cursor = 3;
        assert_eq!(cluster.store.settle(&route, checkpoint.clone()).await, Ok(Kept::Done));
        left += cluster.store.lane(route.lane).await.unwrap().map_or(0, |lane| lane.last - 3) as usize;
        checkpoints.push((route, chat::port::Checkpoint { cursor: 1_000, ..checkpoint }));
    }
    let began = Steady::beginning_at(0);
    let two = cluster.node(2).await;
    assert_eq!(cluster.told(left).await, BTreeMap::from([(2, left)]));
    assert!(began.now_ms() >= TERM_MS, "not before its time");
    for (route, late) in checkpoints {
        assert_eq!(cluster.store.settle(&route, late).await, Ok(Kept::Lost));
    }
    two.stop().await;
    assert_eq!(cluster.counts(), (left, left));
}
