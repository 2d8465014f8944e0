//! An app's backend: takes callbacks, keeps all of them, and behaves as it is told.

use crate::chance::Chance;
use crate::history::{Histories, Pair};
use crate::process::awaited;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use protocol::callback::{self, ReceivedAfterSendMsg, WebhookHeaders};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the receiver does with a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Accepts,
    /// Never answers.
    Hangs,
    /// Answers that it is broken.
    Fails,
    /// Accepts most of them. Of the others it may have kept one all the same, as backends do.
    Flaky,
}

/// One callback, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) id: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
    /// Whether the receiver said so. The server may not have heard it.
    pub(crate) accepted: bool,
}

/// What an after-send event says.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) msg_key: String,
    pub(crate) unread: i64,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    /// Until it listens: then calls are refused, and yet nobody else can take the port.
    closed: Option<TcpSocket>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    mood: watch::Sender<Mood>,
    chance: Mutex<Chance>,
    arrivals: Mutex<Vec<Arrival>>,
    /// Calls so far.
    calls: watch::Sender<usize>,
    accepted: Mutex<HashSet<String>>,
    /// Different events accepted so far.
    count: watch::Sender<usize>,
}

impl Receiver {
    /// Has a port and refuses every connection.
    pub(crate) fn closed(mood: Mood, chance: &mut Chance) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let shared = Shared {
            mood: watch::Sender::new(mood),
            chance: Mutex::new(chance.fork()),
            arrivals: Mutex::default(),
            calls: watch::Sender::new(0),
            accepted: Mutex::default(),
            count: watch::Sender::new(0),
        };
        let address = socket.local_addr().unwrap();
        Self { address, shared: Arc::new(shared), closed: Some(socket), tasks: JoinSet::new() }
    }

    pub(crate) fn open(&mut self) {
        let socket = self.closed.take().expect("it is closed").listen(1024).unwrap();
        let routes = Router::new().fallback(take).with_state(Arc::clone(&self.shared));
        self.tasks.spawn(async move { axum::serve(socket, routes).await.unwrap() });
    }

    pub(crate) fn start(mood: Mood, chance: &mut Chance) -> Self {
        let mut this = Self::closed(mood, chance);
        this.open();
        this
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        self.shared.mood.send_replace(mood);
    }

    /// Settings of an app that is told here what was sent.
    pub(crate) fn settings(&self) -> String {
        format!("url = \"http://{}/callback\"\nevents = [\"C2C.CallbackAfterSendMsg\"]\n", self.address)
    }

    /// Waits until it is called once more.
    pub(crate) async fn called(&self) {
        self.called_often(1).await;
    }

    /// Waits until it is called so many times more.
    pub(crate) async fn called_often(&self, times: usize) {
        let mut calls = self.shared.calls.subscribe();
        let wanted = *calls.borrow() + times;
        awaited("a callback", calls.wait_for(|calls| *calls >= wanted)).await.unwrap();
    }

    /// Waits until it has accepted this many different events.
    pub(crate) async fn has(&self, events: usize) {
        let mut count = self.shared.count.subscribe();
        while *count.borrow_and_update() < events {
            // As long as it goes on, it may take as long as it takes.
            awaited("the remaining events", count.changed()).await.unwrap();
        }
    }

    /// Loses what it has, as a backend whose database is gone.
    pub(crate) fn forgets(&self) {
        let mut accepted = self.shared.accepted.lock().unwrap();
        self.shared.arrivals.lock().unwrap().clear();
        accepted.clear();
        self.shared.count.send_replace(0);
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.shared.arrivals.lock().unwrap().clone()
    }
}

impl Shared {
    fn keep(&self, arrival: Arrival) {
        // Held for all of it, so that nothing is half forgotten.
        let mut accepted = self.accepted.lock().unwrap();
        let is_new = arrival.accepted && accepted.insert(arrival.id.clone());
        self.arrivals.lock().unwrap().push(arrival);
        if is_new {
            self.count.send_modify(|count| *count += 1);
        }
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let id = headers[WebhookHeaders::ID].to_str().unwrap().to_owned();
    shared.calls.send_modify(|calls| *calls += 1);
    let mut mood = *shared.mood.borrow();
    if mood == Mood::Hangs {
        std::future::pending::<()>().await;
    }
    if mood == Mood::Flaky {
        mood = if shared.chance.lock().unwrap().percent(97) { Mood::Accepts } else { Mood::Fails };
    }
    let accepted = mood == Mood::Accepts;
    shared.keep(Arrival { id, query: query.unwrap_or_default(), body, accepted });
    if accepted {
        return callback::accept().into_response();
    }
    match shared.chance.lock().unwrap().below(3) {
        0 => (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response(),
        1 => "no JSON".into_response(),
        // The connection breaks in the middle of the answer.
        _ => Body::from_stream(futures_util::stream::iter([Err::<Bytes, _>("cable cut")])).into_response(),
    }
}

impl Told {
    pub(crate) fn parse(body: &[u8]) -> Self {
        let event = ReceivedAfterSendMsg::parse(body).unwrap();
        assert_eq!(event.send_msg_result, 0, "{}", event.error_info);
        let elements: Value = serde_json::from_str(event.body.get()).unwrap();
        Self {
            from: event.from.to_string(),
            to: event.to.to_string(),
            text: elements[0]["MsgContent"]["Text"].as_str().unwrap().to_owned(),
            msg_key: event.key.clone(),
            unread: event.unread,
        }
    }
}

/// Whether the events tell the histories: each message once, in the order of its conversation, and repetitions only
/// of the same event under the same id.
pub(crate) fn check_told(arrivals: &[Arrival], histories: &Histories) {
    let mut firsts: Vec<Told> = Vec::new();
    let mut bodies: HashMap<&str, &Bytes> = HashMap::new();
    for arrival in arrivals {
        match bodies.insert(&arrival.id, &arrival.body) {
            None => firsts.push(Told::parse(&arrival.body)),
            Some(first) => assert_eq!(first, &arrival.body, "event {} has changed", arrival.id),
        }
    }
    let mut in_order: BTreeMap<Pair, Vec<(&str, &str)>> = BTreeMap::new();
    for told in &firsts {
        in_order.entry(Pair::new(&told.from, &told.to)).or_default().push((&told.text, &told.msg_key));
    }
    for (pair, messages) in histories {
        let told = in_order.remove(pair).unwrap_or_default();
        let stored: Vec<_> = messages.iter().map(|m| (m.text.as_str(), m.msg_key.as_str())).collect();
        assert!(told == stored, "{pair:?}: told {told:#?}\nstored {stored:#?}");
    }
    assert!(in_order.is_empty(), "told of conversations that are not stored: {in_order:?}");
    check_unread(&firsts);
}

/// Nobody reads, so the messages of a recipient were told with the counts 1, 2, 3…
fn check_unread(firsts: &[Told]) {
    let mut counts: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for told in firsts {
        counts.entry(&told.to).or_default().push(told.unread);
    }
    for (recipient, counts) in counts {
        let expected: BTreeSet<i64> = (1..).take(counts.len()).collect();
        let told: BTreeSet<i64> = counts.iter().copied().collect();
        assert_eq!(told, expected, "unread counts told of {recipient}");
    }
}
