//! Asks the workers how far they are, and makes them tell something again.
//!
//! A worker owns the state of its route while it runs, so whoever wants to look at it or to change it asks the worker.
//! This is where they find each other.

use chat::dispatch::{Progress, Replay, Standing};
use chat::event::Lane;
use chat::lease::Slot;
use chat::port::{Route, StoreError};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Orders that wait for a worker. Further ones wait to be taken.
const ORDERS_LEN_MAX: usize = 16;

/// How long an answer is waited for. A replay has to end the calls under way, and to be counted.
const ANSWER_SECS_MAX: u64 = 60;

/// What a worker is asked.
#[derive(Debug)]
pub enum Order {
    Progress {
        answer: oneshot::Sender<Progress>,
    },
    Standing {
        offset: u64,
        answer: oneshot::Sender<Standing>,
    },
    /// Answered when the store has it, with the number of events.
    Replay {
        replay: Replay,
        answer: oneshot::Sender<Result<u64, StoreError>>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// The endpoint is not there, or has just gone.
    #[error("nobody tells events to this endpoint now")]
    NotRunning,
    /// It waits for the store. What was asked may still be done.
    #[error("whoever tells events to this endpoint does not answer now")]
    NotAnswering,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Default)]
pub struct Steering {
    workers: Mutex<FxHashMap<Route, mpsc::Sender<Order>>>,
    /// Slots whose lanes are told here, a bit for each.
    here: AtomicU64,
}

const _: () = assert!(chat::lease::SLOTS as u32 <= u64::BITS, "every slot has a bit");

/// A worker's end. Dropping it takes the worker off the list.
#[derive(Debug)]
pub struct Orders {
    route: Route,
    steering: Arc<Steering>,
    queue: mpsc::Receiver<Order>,
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

impl Steering {
    /// Takes the place of a former worker of the same route, which must have ended.
    pub fn register(self: &Arc<Self>, route: Route) -> Orders {
        let (sender, queue) = mpsc::channel(ORDERS_LEN_MAX);
        self.workers.lock().expect(UNPOISONED).insert(route.clone(), sender);
        Orders { route, steering: Arc::clone(self), queue }
    }

    /// The lanes of a slot are told here from now on.
    pub fn begins(&self, slot: Slot) {
        self.here.fetch_or(1 << slot.0, Ordering::Relaxed);
    }

    pub fn ends(&self, slot: Slot) {
        self.here.fetch_and(!(1 << slot.0), Ordering::Relaxed);
    }

    /// Whether there should be a worker for this lane here, if not now, then in a moment.
    pub fn is_here(&self, lane: Lane) -> bool {
        self.here.load(Ordering::Relaxed) & 1 << Slot::of(lane).0 != 0
    }

    pub async fn progress(&self, route: &Route) -> Result<Progress, SteerError> {
        self.ask(route, |answer| Order::Progress { answer }).await
    }

    pub async fn standing(&self, route: &Route, offset: u64) -> Result<Standing, SteerError> {
        self.ask(route, |answer| Order::Standing { offset, answer }).await
    }

    pub async fn replay(&self, route: &Route, replay: Replay) -> Result<u64, SteerError> {
        Ok(self.ask(route, |answer| Order::Replay { replay, answer }).await??)
    }

    async fn ask<T>(
        &self,
        route: &Route,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T, SteerError> {
        let worker = self.workers.lock().expect(UNPOISONED).get(route).cloned();
        let worker = worker.ok_or(SteerError::NotRunning)?;
        let (answer, answered) = oneshot::channel();
        let asking = async {
            worker.send(order(answer)).await.map_err(|_| SteerError::NotRunning)?;
            answered.await.map_err(|_| SteerError::NotRunning)
        };
        timeout(Duration::from_secs(ANSWER_SECS_MAX), asking).await.map_err(|_| SteerError::NotAnswering)?
    }
}

impl Orders {
    /// The next order. Cancel-safe.
    pub async fn next(&mut self) -> Order {
        // The list holds the sender for as long as this lives.
        match self.queue.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        let mut workers = self.steering.workers.lock().expect(UNPOISONED);
        // Closed first: another one may have taken this place already.
        self.queue.close();
        if workers.get(&self.route).is_some_and(mpsc::Sender::is_closed) {
            workers.remove(&self.route);
        }
    }
}

/// All lanes of an app, on their way to one endpoint.
pub fn routes(
    app: chat::AppId,
    endpoint: &chat::port::EndpointId,
    lanes_per_app: u16,
) -> impl Iterator<Item = Route> + use<> {
    let endpoint = endpoint.clone();
    Lane::all_of(app, lanes_per_app).map(move |lane| Route { lane, endpoint: endpoint.clone() })
}
