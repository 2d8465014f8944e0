//! Tells one lane's events to one addressee, until each is done or parked.
//!
//! One task owns the dispatcher; attempts are tasks of their own that report back. Word of a new event only wakes it:
//! the log is looked at by the clock as well, so a lost wake-up costs a moment and nothing else.

use super::addressee::Addressee;
use super::figures::Figures;
use super::tenancy::Tenancy;
use super::verdict::ours;
use crate::bus::Bell;
use crate::clock::Steady;
use crate::config::Begin;
use crate::steering::{Order, Orders, Steering};
use chat::dispatch::{
    Attempt, Claim, DispatchLimits, Dispatcher, FailureKind, FailureReason, HealthLimits, Receipt, Replay,
    Schedule, Settled, Verdict,
};
use chat::event::Event;
use chat::port::{Checkpoint, Clock, DeliveryState, Kept, Route, Store, Stored};
use futures_util::FutureExt;
use metrics::Histogram;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often the log is looked at although nobody said that there is something new.
const POLL_MS: u64 = 1_000;
/// How often is looked whether another process has replayed events, where there should be none.
const SOLE_POLL_MS: u64 = 15_000;
/// Pause after the store has failed.
const STORE_PAUSE_MS: u64 = 500;
/// Pause before a broken worker is started again.
const RESTART_PAUSE_MS: u64 = 1_000;
/// Time beyond a call's own limit after which its attempt counts as lost.
const CLAIM_MARGIN_MS: u64 = 5_000;
/// Events read again at the same time. They are quickly read, and each read holds one of the store's few threads.
const READ_AGAIN_MAX: usize = 2;
/// Time to read an event again; well within [`CLAIM_MARGIN_MS`].
const READ_AGAIN_MS_MAX: u64 = 3_000;
/// The cursor does not pass an event that waits its turn. When it has stood for so long, what waits is set aside.
const CURSOR_STANDS_MS_MAX: u64 = 2_000;
/// Reading the log for fewer events than this is put off while others are under way: it costs the same for many.
const READ_LEN_MIN: usize = 64;

pub(super) struct Worker {
    pub(super) route: Route,
    pub(super) addressee: Arc<dyn Addressee>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// Rings when an event of the lane was recorded.
    pub(super) recorded: Bell,
    pub(super) steering: Arc<Steering>,
    /// By which the lane is this node's.
    pub(super) tenancy: Tenancy,
    pub(super) stop: CancellationToken,
    /// Nothing waits for its time at first: whoever changed the endpoint has mended it, perhaps.
    pub(super) hurries: bool,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("route", &self.route).finish_non_exhaustive()
    }
}

type Judged = (Claim, Verdict);

/// Why a worker stops to tell.
enum Pause {
    /// For good.
    Stop,
    /// Somebody else has changed how far the endpoint was told.
    Overtaken,
    /// Until the store has changed how far the endpoint was told.
    Replay(Replay, oneshot::Sender<Stored<u64>>),
}

impl Worker {
    /// Runs the worker, and again if it should ever panic: callbacks that stand still would be lost in silence.
    pub(super) async fn supervise(self: Arc<Self>) {
        loop {
            let mut running = JoinSet::new();
            running.spawn(Arc::clone(&self).run());
            match running.join_next().await {
                Some(Err(error)) => {
                    tracing::error!(route = ?self.route, %error, "a worker broke, and is started again");
                }
                Some(Ok(())) | None => return,
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep(Duration::from_millis(RESTART_PAUSE_MS)) => {}
            }
        }
    }

    /// Works until it is told to stop. Each time the store is to change how far the endpoint was told, the worker ends
    /// what it is doing, as for a stop, and goes on from what the store then says.
    async fn run(self: Arc<Self>) {
        let mut orders = self.steering.register(self.route.clone());
        let mut is_first = true;
        loop {
            let Some(mut dispatcher) = self.restore().await else { return };
            if self.hurries && std::mem::take(&mut is_first) {
                dispatcher.hurry();
            }
            match self.tell(dispatcher, &mut orders).await {
                Pause::Stop => return,
                Pause::Overtaken => {
                    tracing::info!(route = ?self.route, "events are told from where others have left it");
                }
                Pause::Replay(replay, answer) => {
                    let replayed = self.store.replay(&self.route, replay.clone(), self.clock.now_ms()).await;
                    let (sdkappid, endpoint) = (self.route.lane.app.0, &*self.route.endpoint.0);
                    match &replayed {
                        Ok(events) => {
                            tracing::info!(sdkappid, endpoint, events, "events are told again");
                        }
                        Err(error) => {
                            tracing::error!(sdkappid, endpoint, %error, "events cannot be told again");
                        }
                    }
                    // Whoever asked may have gone; the events are told again all the same.
                    let _gone = answer.send(replayed);
                }
            }
        }
    }

    async fn tell(&self, dispatcher: Dispatcher, orders: &mut Orders) -> Pause {
        let teller = Teller {
            route: self.route.clone(),
            addressee: Arc::clone(&self.addressee),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            latency_ms: Figures::latency_ms(&self.route),
            reads: Semaphore::new(READ_AGAIN_MAX),
        };
        let mut running = Running {
            dispatcher,
            tasks: JoinSet::new(),
            log_may_have_more: true,
            keeping: JoinSet::new(),
            checkpoint_lost: false,
            cursor: 0,
            cursor_ms: 0,
            time: Steady::beginning_at(self.clock.now_ms()),
            backlog_ms: 0,
            tenure_ms: self.clock.now_ms() + POLL_MS,
            figures: Figures::new(&self.route),
            teller: Arc::new(teller),
        };
        let pause = loop {
            self.show_backlog(&mut running).await;
            if self.is_overtaken(&mut running).await {
                break Pause::Overtaken;
            }
            self.read(&mut running).await;
            self.take_results(&mut running);
            self.claim(&mut running);
            self.keep(&mut running);
            if let Some(pause) = self.wait(&mut running, orders).await {
                break pause;
            }
        };
        self.finish(running).await;
        pause
    }

    async fn restore(&self) -> Option<Dispatcher> {
        let settings = self.addressee.settings();
        let limits = DispatchLimits {
            in_flight_max: settings.in_flight_max,
            stuck_max: settings.stuck_max,
            fresh_max: settings.fresh_len_max,
            held_max: settings.held_len_max,
            claim_ms: settings.timeout_ms + CLAIM_MARGIN_MS,
            health: HealthLimits {
                failures_max: settings.breaker_failures_max,
                probe_delay_ms_min: settings.probe_delay_ms_min,
                probe_delay_ms_max: settings.probe_delay_ms_max,
            },
        };
        let schedule = Schedule {
            delays_ms: settings.retry_delays_secs.iter().map(|secs| secs * 1000).collect(),
            give_up_after_ms: settings.give_up_after_secs * 1000,
            lasting_attempts_max: settings.refused_attempts_max,
        };
        loop {
            match self.delivery().await {
                // Refused: the lane is somebody else's by now, or events were replayed just then.
                Ok(None) => {}
                Ok(Some(state)) => {
                    return Some(Dispatcher::restore(limits, schedule, state, self.clock.now_ms()));
                }
                Err(error) => {
                    tracing::error!(route = ?self.route, %error, "cannot read how far events were told");
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep(Duration::from_millis(STORE_PAUSE_MS)) => {}
            }
        }
    }

    /// How far the endpoint was told. One that never was begins where its settings say. What is read after the claim is
    /// all that there will ever be of a former holder's.
    async fn delivery(&self) -> Stored<Option<DeliveryState>> {
        let state = self.store.delivery(&self.route).await?;
        let is_new = !state.has_begun && self.addressee.settings().begin != Begin::Oldest;
        if state.tenure.fence == self.tenancy.fence() && !is_new {
            return Ok(Some(state));
        }
        let mut claim = Checkpoint::claim(&state, self.tenancy.fence());
        if is_new {
            // Kept at once, so that a restart does not pass over what was recorded meanwhile.
            claim.cursor = self.store.lane(self.route.lane).await?.map_or(0, |extent| extent.last);
        }
        match self.store.settle(&self.route, claim).await? {
            Kept::Done => self.store.delivery(&self.route).await.map(Some),
            Kept::Replayed | Kept::Lost => Ok(None),
        }
    }

    async fn show_backlog(&self, running: &mut Running) {
        let now_ms = running.time.now_ms();
        if now_ms >= running.backlog_ms {
            running.backlog_ms = now_ms + POLL_MS;
            running.figures.show_backlog(&*self.store, &self.route, &running.dispatcher.progress()).await;
        }
    }

    /// Whether somebody has replayed events of this route, who may be on another node. What is written down next would
    /// be refused then; while nothing is, somebody has to look.
    async fn is_overtaken(&self, running: &mut Running) -> bool {
        let now_ms = running.time.now_ms();
        if now_ms < running.tenure_ms {
            return false;
        }
        running.tenure_ms = now_ms + if self.tenancy.is_shared() { POLL_MS } else { SOLE_POLL_MS };
        match self.store.tenure(&self.route).await {
            Ok(tenure) => tenure != running.dispatcher.tenure(),
            Err(error) => {
                tracing::warn!(route = ?self.route, %error, "cannot see whether events were replayed");
                false
            }
        }
    }

    async fn read(&self, running: &mut Running) {
        while running.log_may_have_more
            && let Some((after, room)) = running.dispatcher.wants()
            && (room >= READ_LEN_MIN.min(self.addressee.settings().fresh_len_max)
                || running.dispatcher.is_idle())
        {
            match self.store.events(self.route.lane, after, room).await {
                Ok(events) => {
                    running.log_may_have_more = events.len() == room;
                    running.dispatcher.offer(events);
                }
                Err(error) => {
                    tracing::error!(route = ?self.route, %error, "cannot read events");
                    return sleep(Duration::from_millis(STORE_PAUSE_MS)).await;
                }
            }
        }
    }

    /// Before anything is claimed: what took long here must not make attempts look lost that ended long ago.
    fn take_results(&self, running: &mut Running) {
        while let Some(returned) = running.tasks.try_join_next() {
            self.settle(running, returned);
        }
    }

    fn claim(&self, running: &mut Running) {
        // After a pause of the whole process, the lane may be somebody else's, and nobody here has noticed yet.
        while self.tenancy.is_good()
            && let Some(attempt) = running.dispatcher.claim(running.time.now_ms())
        {
            let teller = Arc::clone(&running.teller);
            running.tasks.spawn(async move {
                let claim = attempt.claim;
                // An event that breaks the attempt would break it again and again, and nobody would hear of it.
                let verdict = AssertUnwindSafe(teller.tell(attempt)).catch_unwind().await;
                (claim, verdict.unwrap_or_else(|_| broken()))
            });
        }
        running.figures.show(&running.dispatcher.progress(), self.clock.now_ms());
    }

    /// Writes progress down, one checkpoint at a time, at most every so often.
    fn keep(&self, running: &mut Running) {
        if !running.keeping.is_empty() {
            return;
        }
        let now_ms = running.time.now_ms();
        if running.dispatcher.is_idle() || running.dispatcher.cursor_kept() != running.cursor {
            (running.cursor, running.cursor_ms) = (running.dispatcher.cursor_kept(), now_ms);
        } else if now_ms >= running.cursor_ms + CURSOR_STANDS_MS_MAX {
            // A crash would make everything behind it be told again.
            running.dispatcher.set_aside();
        }
        let Some(checkpoint) = running.checkpoint(&*self.clock) else { return };
        let (store, route, stop) = (Arc::clone(&self.store), self.route.clone(), self.stop.clone());
        let pause = Duration::from_millis(self.addressee.settings().checkpoint_ms);
        running.keeping.spawn(async move {
            let kept = keep(&*store, &route, checkpoint, &stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
            kept
        });
    }

    /// Waits until there is something to do, and takes note of it.
    async fn wait(&self, running: &mut Running, orders: &mut Orders) -> Option<Pause> {
        let now_ms = running.time.now_ms();
        let wake_ms =
            running.dispatcher.wake_ms().map_or(POLL_MS, |at_ms| at_ms.saturating_sub(now_ms).min(POLL_MS));
        tokio::select! {
            // Stopping comes first: a busy endpoint would never let it have its turn.
            biased;
            () = self.stop.cancelled() => return Some(Pause::Stop),
            // Before results, which never end at a busy endpoint. They are looked at between two orders.
            order = orders.next() => return obey(order, &running.dispatcher),
            Some(returned) = running.tasks.join_next() => {
                self.settle(running, returned);
                self.take_results(running);
            }
            Some(kept) = running.keeping.join_next() => {
                let kept = kept.expect(KEEPING_ENDS);
                if kept != Some(Kept::Done) {
                    running.checkpoint_lost = true;
                    // Only a stop ends the attempts to keep one.
                    return Some(kept.map_or(Pause::Stop, |_| Pause::Overtaken));
                }
            }
            () = self.recorded.rung() => running.log_may_have_more = true,
            () = sleep(Duration::from_millis(wake_ms.max(1))) => running.log_may_have_more = true,
        }
        None
    }

    fn settle(&self, running: &mut Running, returned: Result<Judged, JoinError>) {
        let (claim, verdict) = match returned {
            Ok(judged) => judged,
            Err(error) => {
                // Its claim expires, and the event is told again.
                tracing::error!(route = ?self.route, %error, "an attempt ended without a verdict");
                return;
            }
        };
        let settled = running.dispatcher.settle(claim, &verdict, running.time.now_ms(), jitter());
        running.figures.count(&verdict, settled);
        let Verdict::Failed { failure, .. } = &verdict else { return };
        // Without the answer, which may repeat what the message said.
        let (offset, why) = (claim.offset, &failure.words);
        let (sdkappid, lane, endpoint) =
            (self.route.lane.app.0, self.route.lane.index, &*self.route.endpoint.0);
        match settled {
            Settled::Parked => tracing::warn!(sdkappid, endpoint, lane, offset, why, "an event is parked"),
            Settled::RetryAt { due_ms } => {
                tracing::info!(sdkappid, endpoint, lane, offset, due_ms, why, "an event will be told again");
            }
            Settled::Done | Settled::Stale => {}
        }
    }

    async fn finish(&self, mut running: Running) {
        while let Some(returned) = running.tasks.join_next().await {
            self.settle(&mut running, returned);
        }
        running.figures.clear();
        while let Some(kept) = running.keeping.join_next().await {
            running.checkpoint_lost |= kept.expect(KEEPING_ENDS) != Some(Kept::Done);
        }
        if running.checkpoint_lost {
            // What the next one says builds on it.
            return;
        }
        running.dispatcher.set_aside();
        if let Some(checkpoint) = running.checkpoint(&*self.clock) {
            keep(&*self.store, &self.route, checkpoint, &self.stop).await;
        }
    }
}

const KEEPING_ENDS: &str = "a checkpoint that is lost must not be followed by another";

struct Running {
    dispatcher: Dispatcher,
    time: Steady,
    /// When to look next how much is left.
    backlog_ms: u64,
    /// When to look next whether the route was changed by others.
    tenure_ms: u64,
    tasks: JoinSet<Judged>,
    log_may_have_more: bool,
    /// The checkpoint that is being written, if one is. The next has to wait: it only says what changed since.
    keeping: JoinSet<Option<Kept>>,
    /// The last one was given up, or refused.
    checkpoint_lost: bool,
    /// The cursor, and since when it stands there.
    cursor: u64,
    cursor_ms: u64,
    figures: Figures,
    teller: Arc<Teller>,
}

impl Running {
    /// What is to be kept, by the clock that everybody else goes by.
    fn checkpoint(&mut self, clock: &dyn Clock) -> Option<Checkpoint> {
        let ahead_ms = clock.now_ms() as i64 - self.time.now_ms() as i64;
        Some(self.dispatcher.checkpoint()?.shifted(ahead_ms))
    }
}

/// What every attempt of a worker needs.
struct Teller {
    route: Route,
    addressee: Arc<dyn Addressee>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    latency_ms: Histogram,
    /// Events being read again.
    reads: Semaphore,
}

/// Insists until the checkpoint is written: the next one builds on it. Only a stop ends that, after a few more tries;
/// what was not written down is then told again. `None` when it was given up.
async fn keep(
    store: &dyn Store,
    route: &Route,
    checkpoint: Checkpoint,
    stop: &CancellationToken,
) -> Option<Kept> {
    const TRIES_AFTER_STOP: usize = 3;
    let mut tries_after_stop = 0;
    while tries_after_stop < TRIES_AFTER_STOP {
        match store.settle(route, checkpoint.clone()).await {
            Ok(kept) => return Some(kept),
            Err(error) => tracing::error!(?route, %error, "cannot write down how far events were told"),
        }
        tries_after_stop += usize::from(stop.is_cancelled());
        sleep(Duration::from_millis(STORE_PAUSE_MS)).await;
    }
    None
}

impl Teller {
    async fn tell(&self, attempt: Attempt) -> Verdict {
        let event = match attempt.event {
            Some(event) => event,
            None => match self.read_again(attempt.claim.offset).await {
                Ok(event) => event,
                Err(verdict) => return verdict,
            },
        };
        let begun_ms = self.clock.now_ms();
        let verdict = self.addressee.tell(&event).await;
        // What was not wanted has not been anywhere.
        if verdict != Verdict::Done(Receipt::NotWanted) {
            self.latency_ms.record(self.clock.now_ms().saturating_sub(begun_ms) as f64);
        }
        verdict
    }

    /// Reads an event that was not kept in memory while it waited. Not for long: the claim goes on meanwhile, and a call
    /// after its end would come behind the next attempt.
    async fn read_again(&self, offset: u64) -> Result<Arc<Event>, Verdict> {
        let reading = async {
            let _turn = self.reads.acquire().await.expect("nobody closes this semaphore");
            self.store.events(self.route.lane, offset - 1, 1).await
        };
        match timeout(Duration::from_millis(READ_AGAIN_MS_MAX), reading).await {
            Ok(Ok(events)) => match events.into_iter().next().filter(|event| event.id.offset == offset) {
                Some(event) => Ok(Arc::new(event)),
                None => Err(unreadable(FailureKind::Gone, "the event is no longer in the log".to_owned())),
            },
            Ok(Err(error)) => {
                Err(unreadable(FailureKind::Ours, format!("the event could not be read: {error}")))
            }
            Err(_) => Err(unreadable(FailureKind::Ours, "the event could not be read in time".to_owned())),
        }
    }
}

fn unreadable(kind: FailureKind, words: String) -> Verdict {
    ours(kind, FailureReason::Unreadable, words)
}

fn broken() -> Verdict {
    ours(FailureKind::Ours, FailureReason::Lost, "the attempt broke; the log says how".to_owned())
}

/// Answers what can be answered at once.
fn obey(order: Order, dispatcher: &Dispatcher) -> Option<Pause> {
    // Whoever asked may have gone.
    match order {
        Order::Progress { answer } => {
            let _gone = answer.send(dispatcher.progress());
        }
        Order::Standing { offset, answer } => {
            let _gone = answer.send(dispatcher.standing(offset));
        }
        Order::Replay { replay, answer } => return Some(Pause::Replay(replay, answer)),
    }
    None
}

/// Between 0 and 1.
fn jitter() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(random) / f64::from(u32::MAX)
}
