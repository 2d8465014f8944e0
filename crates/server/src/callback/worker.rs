//! Tells one lane's events to one endpoint, until each is done or parked.
//!
//! One task owns the dispatcher; attempts are tasks of their own that report back. Word of a new event only wakes it:
//! the log is looked at by the clock as well, so a lost wake-up costs a moment and nothing else.

use super::call::Caller;
use super::{render, verdict};
use chat::dispatch::{Attempt, Claim, DispatchLimits, Dispatcher, HealthLimits, Schedule, Settled, Verdict};
use chat::event::Event;
use chat::port::{Checkpoint, Clock, Route, Store};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How often the log is looked at although nobody said that there is something new.
const POLL_MS: u64 = 1_000;
/// Pause after the store has failed.
const STORE_PAUSE_MS: u64 = 500;
/// Pause before a broken worker is started again.
const RESTART_PAUSE_MS: u64 = 1_000;
/// Time beyond a call's own limit after which its attempt counts as lost.
const CLAIM_MARGIN_MS: u64 = 5_000;
/// Reading the log for fewer events than this is put off while others are under way: it costs the same for many.
const READ_LEN_MIN: usize = 64;

pub struct Worker {
    pub route: Route,
    pub caller: Caller,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Rings when an event of the lane was recorded.
    pub recorded: Arc<Notify>,
    pub stop: CancellationToken,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("route", &self.route).finish_non_exhaustive()
    }
}

type Judged = (Claim, Verdict);

/// Unix time as it was at the beginning, and the time that has really passed since. A clock that is set back must not
/// hold up callbacks for as long, and one that jumps ahead must not make all that are under way look lost.
#[derive(Debug, Clone, Copy)]
struct Steady {
    began: Instant,
    began_ms: u64,
}

impl Steady {
    fn beginning_at(began_ms: u64) -> Self {
        Self { began: Instant::now(), began_ms }
    }

    fn now_ms(&self) -> u64 {
        self.began_ms + self.began.elapsed().as_millis() as u64
    }
}

impl Worker {
    /// Runs the worker, and again if it should ever panic: callbacks that stand still would be lost in silence.
    pub async fn supervise(self: Arc<Self>) {
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

    /// Works until it is told to stop; then lets the calls under way end, and keeps where it was.
    async fn run(self: Arc<Self>) {
        let Some(dispatcher) = self.restore().await else { return };
        let teller = Teller {
            route: self.route.clone(),
            caller: self.caller.clone(),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            latency_ms: latency_ms(&self.route),
        };
        let mut running = Running {
            dispatcher,
            tasks: JoinSet::new(),
            log_may_have_more: true,
            keeping: JoinSet::new(),
            time: Steady::beginning_at(self.clock.now_ms()),
            gauges: Gauges::new(&self.route),
            teller: Arc::new(teller),
        };
        while !self.stop.is_cancelled() {
            self.read(&mut running).await;
            self.claim(&mut running);
            self.keep(&mut running);
            self.wait(&mut running).await;
        }
        self.finish(running).await;
    }

    async fn restore(&self) -> Option<Dispatcher> {
        let settings = &self.caller.endpoint.settings;
        let limits = DispatchLimits {
            in_flight_max: settings.in_flight_max,
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
            match self.store.delivery(&self.route).await {
                Ok(state) => return Some(Dispatcher::restore(limits, schedule, state)),
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

    async fn read(&self, running: &mut Running) {
        while running.log_may_have_more
            && let Some((after, room)) = running.dispatcher.wants()
            && (room >= READ_LEN_MIN || running.dispatcher.is_idle())
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

    fn claim(&self, running: &mut Running) {
        while let Some(attempt) = running.dispatcher.claim(running.time.now_ms()) {
            let teller = Arc::clone(&running.teller);
            running.tasks.spawn(async move {
                let claim = attempt.claim;
                (claim, teller.tell(attempt).await)
            });
        }
        running.gauges.in_flight.set(running.dispatcher.in_flight() as f64);
        running.gauges.held.set(running.dispatcher.held() as f64);
        running.gauges.open.set(f64::from(u8::from(running.dispatcher.is_open())));
    }

    /// Writes progress down, one checkpoint at a time, at most every so often.
    fn keep(&self, running: &mut Running) {
        if !running.keeping.is_empty() {
            return;
        }
        let Some(checkpoint) = running.dispatcher.checkpoint() else { return };
        let (store, route, stop) = (Arc::clone(&self.store), self.route.clone(), self.stop.clone());
        let pause = Duration::from_millis(self.caller.endpoint.settings.checkpoint_ms);
        running.keeping.spawn(async move {
            keep(&*store, &route, checkpoint, &stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        });
    }

    async fn wait(&self, running: &mut Running) {
        let now_ms = running.time.now_ms();
        let wake_ms =
            running.dispatcher.wake_ms().map_or(POLL_MS, |at_ms| at_ms.saturating_sub(now_ms).min(POLL_MS));
        tokio::select! {
            // Stopping comes first: a busy endpoint would never let it have its turn.
            biased;
            () = self.stop.cancelled() => {}
            Some(returned) = running.tasks.join_next() => {
                self.settle(running, returned);
                while let Some(returned) = running.tasks.try_join_next() {
                    self.settle(running, returned);
                }
            }
            Some(kept) = running.keeping.join_next() => kept.expect("a checkpoint that is lost must not be followed by another"),
            () = self.recorded.notified() => running.log_may_have_more = true,
            () = sleep(Duration::from_millis(wake_ms.max(1))) => running.log_may_have_more = true,
        }
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
        running.gauges.count(&verdict, settled);
        let Verdict::Failed { words, .. } = &verdict else { return };
        // Without the answer, which may repeat what the message said.
        let (offset, why) = (claim.offset, words.split_once(": ").map_or(&**words, |(what, _)| what));
        let sdkappid = self.route.lane.app.0;
        match settled {
            Settled::Parked => tracing::warn!(sdkappid, offset, why, "an event is parked"),
            Settled::RetryAt { due_ms } => {
                tracing::info!(sdkappid, offset, due_ms, why, "an event will be told again");
            }
            Settled::Done | Settled::Stale => {}
        }
    }

    async fn finish(&self, mut running: Running) {
        while let Some(returned) = running.tasks.join_next().await {
            self.settle(&mut running, returned);
        }
        while let Some(kept) = running.keeping.join_next().await {
            kept.expect("a checkpoint that is lost must not be followed by another");
        }
        if let Some(checkpoint) = running.dispatcher.checkpoint() {
            keep(&*self.store, &self.route, checkpoint, &self.stop).await;
        }
    }
}

struct Running {
    dispatcher: Dispatcher,
    time: Steady,
    tasks: JoinSet<Judged>,
    log_may_have_more: bool,
    /// The checkpoint that is being written, if one is. The next has to wait: it only says what changed since.
    keeping: JoinSet<()>,
    gauges: Gauges,
    teller: Arc<Teller>,
}

/// What every attempt of a worker needs.
struct Teller {
    route: Route,
    caller: Caller,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    latency_ms: Histogram,
}

/// Insists until the checkpoint is written: the next one builds on it. Only a stop ends that, after a few more tries;
/// what was not written down is then told again.
async fn keep(store: &dyn Store, route: &Route, checkpoint: Checkpoint, stop: &CancellationToken) {
    const TRIES_AFTER_STOP: usize = 3;
    let mut tries_after_stop = 0;
    while tries_after_stop < TRIES_AFTER_STOP {
        match store.settle(route, checkpoint.clone()).await {
            Ok(()) => return,
            Err(error) => tracing::error!(?route, %error, "cannot write down how far events were told"),
        }
        tries_after_stop += usize::from(stop.is_cancelled());
        sleep(Duration::from_millis(STORE_PAUSE_MS)).await;
    }
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
        if !self.caller.endpoint.wants(render::command(&event.fact)) {
            return Verdict::Done;
        }
        let callback = render::event(&event);
        let begun_ms = self.clock.now_ms();
        let result = self.caller.call(&callback).await;
        self.latency_ms.record(self.clock.now_ms().saturating_sub(begun_ms) as f64);
        verdict::verdict(&result, self.caller.endpoint.settings.retry_on_error_code)
    }

    /// Reads an event that was not kept in memory while it waited.
    async fn read_again(&self, offset: u64) -> Result<Arc<Event>, Verdict> {
        let failed = |words: String| {
            let kind = chat::dispatch::FailureKind::Passing { after_ms: None };
            Err(Verdict::Failed { kind, words })
        };
        match self.store.events(self.route.lane, offset - 1, 1).await {
            Ok(events) => match events.into_iter().next().filter(|event| event.id.offset == offset) {
                Some(event) => Ok(Arc::new(event)),
                None => failed("the event is not in the log".to_owned()),
            },
            Err(error) => failed(format!("the event could not be read: {error}")),
        }
    }
}

/// Between 0 and 1.
fn jitter() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(random) / f64::from(u32::MAX)
}

/// What the figures of a route are told apart by.
fn labels(route: &Route) -> [(&'static str, String); 3] {
    [
        ("sdkappid", route.lane.app.to_string()),
        ("lane", route.lane.index.to_string()),
        ("endpoint", route.endpoint.0.to_string()),
    ]
}

fn latency_ms(route: &Route) -> Histogram {
    histogram!("couplet_callback_latency_ms", &labels(route))
}

/// The figures of one route.
struct Gauges {
    done: Counter,
    retried: Counter,
    parked: Counter,
    in_flight: Gauge,
    held: Gauge,
    open: Gauge,
}

impl Gauges {
    fn new(route: &Route) -> Self {
        let labels = labels(route);
        let attempts = |verdict: &'static str| {
            let mut labels = labels.to_vec();
            labels.push(("verdict", verdict.to_owned()));
            counter!("couplet_callback_attempts_total", &labels)
        };
        Self {
            done: attempts("done"),
            retried: attempts("retry"),
            parked: attempts("park"),
            in_flight: gauge!("couplet_callback_in_flight", &labels),
            held: gauge!("couplet_callback_held", &labels),
            open: gauge!("couplet_callback_breaker_open", &labels),
        }
    }

    fn count(&self, verdict: &Verdict, settled: Settled) {
        match (verdict, settled) {
            (_, Settled::Parked) => self.parked.increment(1),
            (Verdict::Failed { .. }, _) => self.retried.increment(1),
            (Verdict::Done, _) => self.done.increment(1),
        }
    }
}
