//! Sees to it that nobody misses anything for good when word was lost.

use super::super::Push;
use super::super::local::SHARDS;
use super::Nats;
use async_nats::Event;
use metrics::{counter, gauge};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

/// After a loss, sessions look at their logs within this time, so that not all of them do so at once.
const REGAIN_SPREAD_MS: u64 = 1_500;

/// What the connection says of itself.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) is_up: AtomicBool,
    /// The same, for those who wait for it.
    up: watch::Sender<bool>,
    /// Rises whenever word may have been lost, and can be heard again.
    losses: AtomicU64,
    changed: Notify,
    /// It was said that there is no connection.
    is_complained: AtomicBool,
}

impl Signals {
    pub(super) async fn linked(&self) {
        // The sender is this one, and stays.
        let mut up = self.up.subscribe();
        let _is_up = up.wait_for(|is_up| *is_up).await;
    }

    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    /// Something may have been lost, and it was not the connection.
    pub(super) fn lost(&self) {
        self.losses.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    fn set_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::Relaxed);
        self.up.send_replace(is_up);
        gauge!("couplet_bus_up").set(f64::from(u8::from(is_up)));
    }

    pub(super) fn heard(&self, event: &Event) {
        match event {
            Event::Connected => {
                tracing::info!("connected to NATS");
                counter!("couplet_bus_connects_total").increment(1);
                self.is_complained.store(false, Ordering::Relaxed);
                self.losses.fetch_add(1, Ordering::Relaxed);
                self.set_up(true);
            }
            Event::Disconnected | Event::Closed => {
                tracing::warn!("no connection to NATS: sessions look at their logs from time to time");
                self.set_up(false);
            }
            Event::SlowConsumer(_) => {
                counter!("couplet_bus_overruns_total").increment(1);
                self.losses.fetch_add(1, Ordering::Relaxed);
            }
            Event::ClientError(error) => {
                // Once for an outage: it comes with every attempt.
                if !self.is_complained.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "cannot connect to NATS, and goes on trying");
                }
            }
            Event::ServerError(error) => tracing::warn!(%error, "NATS complains"),
            Event::LameDuckMode | Event::Draining => {}
        }
        self.changed.notify_one();
    }
}

pub(super) async fn run(nats: Arc<Nats>) {
    gauge!("couplet_bus_up").set(0.0);
    let mut keeper = Keeper { nats, losses: 0 };
    loop {
        if keeper.has_regained() {
            keeper.regain().await;
        } else if keeper.nats.is_up() {
            tokio::select! {
                () = keeper.nats.stop.cancelled() => {}
                () = keeper.nats.signals.changed.notified() => {}
            }
        } else {
            keeper.nats.local.ring_all_lanes();
            keeper.sweep(&Push::Look { regained: false }, keeper.nats.timing.poll).await;
        }
        if keeper.nats.stop.is_cancelled() {
            return;
        }
    }
}

struct Keeper {
    nats: Arc<Nats>,
    /// Losses that were seen to.
    losses: u64,
}

impl Keeper {
    fn has_regained(&self) -> bool {
        self.nats.is_up() && self.losses != self.nats.signals.losses.load(Ordering::Relaxed)
    }

    /// Has everything looked at that may have been missed. What is lost meanwhile makes it begin anew.
    async fn regain(&mut self) {
        self.losses = self.nats.signals.losses.load(Ordering::Relaxed);
        for shard in 0..SHARDS {
            for key in self.nats.local.users(shard) {
                self.nats.hear_user(key).await;
            }
        }
        // From here on nothing is missed any more.
        self.nats.settle().await;
        self.nats.local.doubt_credentials();
        self.nats.local.ring_all_lanes();
        self.sweep(&Push::Look { regained: true }, Duration::from_millis(REGAIN_SPREAD_MS)).await;
    }

    /// Says something to all sessions, spread over a time, and over a longer one when they are many. Ends early when
    /// there is something else to do.
    async fn sweep(&self, push: &Push, spread: Duration) {
        let per_sec_max = f64::from(self.nats.timing.polls_per_sec_max);
        for shard in 0..SHARDS {
            let told = self.nats.local.push_shard(shard, push);
            counter!("couplet_bus_looks_total").increment(told as u64);
            let pause = Duration::from_secs_f64(told as f64 / per_sec_max).max(spread / SHARDS as u32);
            tokio::select! {
                () = self.nats.stop.cancelled() => return,
                () = sleep(pause) => {}
            }
            if self.has_regained() {
                return;
            }
        }
    }
}
