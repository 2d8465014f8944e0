//! The figures of one route, for whoever watches the server.

use chat::dispatch::{Failure, Progress, Settled, Verdict};
use chat::port::{Route, Store};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

pub(super) struct Figures {
    labels: Vec<(&'static str, String)>,
    done: Counter,
    in_flight: Gauge,
    held: Gauge,
    parked: Gauge,
    open: Gauge,
    oldest_age_ms: Gauge,
    backlog: Gauge,
}

impl Figures {
    pub(super) fn new(route: &Route) -> Self {
        let labels = labels(route);
        Self {
            done: attempts(&labels, "done", "none"),
            in_flight: gauge!("couplet_callback_in_flight", &labels),
            held: gauge!("couplet_callback_held", &labels),
            parked: gauge!("couplet_callback_parked", &labels),
            open: gauge!("couplet_callback_breaker_open", &labels),
            oldest_age_ms: gauge!("couplet_callback_oldest_age_ms", &labels),
            backlog: gauge!("couplet_callback_backlog", &labels),
            labels,
        }
    }

    pub(super) fn latency_ms(route: &Route) -> Histogram {
        histogram!("couplet_callback_latency_ms", &labels(route))
    }

    pub(super) fn count(&self, verdict: &Verdict, settled: Settled) {
        match (verdict, settled) {
            (Verdict::Done(_), _) => self.done.increment(1),
            (Verdict::Failed { failure, .. }, Settled::Parked) => self.failed("park", failure),
            (Verdict::Failed { failure, .. }, _) => self.failed("retry", failure),
        }
    }

    fn failed(&self, verdict: &'static str, failure: &Failure) {
        attempts(&self.labels, verdict, failure.reason.name()).increment(1);
    }

    pub(super) fn show(&self, progress: &Progress, now_ms: u64) {
        self.in_flight.set(progress.in_flight as f64);
        self.held.set(progress.held as f64);
        self.parked.set(progress.parked as f64);
        self.open.set(f64::from(u8::from(progress.is_open)));
        let oldest_age_ms =
            progress.oldest_recorded_ms.map_or(0, |recorded_ms| now_ms.saturating_sub(recorded_ms));
        self.oldest_age_ms.set(oldest_age_ms as f64);
    }

    /// Whoever looks at these takes them for now, and the worker has ended.
    pub(super) fn clear(&self) {
        for gauge in
            [&self.in_flight, &self.held, &self.parked, &self.open, &self.oldest_age_ms, &self.backlog]
        {
            gauge.set(0.0);
        }
    }

    /// What is not told yet, and not parked. Asks the store, so not for every event.
    pub(super) async fn show_backlog(&self, store: &dyn Store, route: &Route, progress: &Progress) {
        match store.lane(route.lane).await {
            Ok(extent) => {
                let unread = extent.map_or(0, |extent| extent.last.saturating_sub(progress.read_to));
                self.backlog.set((unread + progress.unsettled as u64) as f64);
            }
            Err(error) => tracing::warn!(?route, %error, "cannot see how much is left to tell"),
        }
    }
}

fn attempts(labels: &[(&'static str, String)], verdict: &'static str, reason: &'static str) -> Counter {
    let mut labels = labels.to_vec();
    labels.push(("verdict", verdict.to_owned()));
    labels.push(("reason", reason.to_owned()));
    counter!("couplet_callback_attempts_total", &labels)
}

/// What the figures of a route are told apart by.
fn labels(route: &Route) -> Vec<(&'static str, String)> {
    vec![
        ("sdkappid", route.lane.app.to_string()),
        ("lane", route.lane.index.to_string()),
        ("endpoint", route.endpoint.0.to_string()),
    ]
}
