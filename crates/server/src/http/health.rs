//! Whether the server is alive and ready, and its figures.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct Health {
    pub metrics: PrometheusHandle,
    /// Set between the end of the start and the beginning of the stop.
    pub ready: AtomicBool,
    /// Whether changes can still be committed. A store that failed to write once refuses all further changes.
    pub store_works: Box<dyn Fn() -> bool + Send + Sync>,
    /// Whether other nodes cannot be heard. Everything goes on, with delays.
    pub bus_is_away: Box<dyn Fn() -> bool + Send + Sync>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("ready", &self.ready).finish_non_exhaustive()
    }
}

pub(super) async fn ready(State(health): State<Arc<Health>>) -> Response {
    let unavailable = |why| (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    if !health.ready.load(Ordering::Relaxed) {
        unavailable("starting or stopping\n")
    } else if !(health.store_works)() {
        unavailable("the store has failed to write; see the log, make room if it is full, and restart\n")
    } else if (health.bus_is_away)() {
        "ready, without NATS: devices hear of what other nodes do by looking\n".into_response()
    } else {
        "ready\n".into_response()
    }
}

pub(super) async fn metrics(State(health): State<Arc<Health>>) -> String {
    health.metrics.render()
}
