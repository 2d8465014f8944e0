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
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("ready", &self.ready).finish_non_exhaustive()
    }
}

pub(super) async fn ready(State(health): State<Arc<Health>>) -> Response {
    if health.ready.load(Ordering::Relaxed) {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

pub(super) async fn metrics(State(health): State<Arc<Health>>) -> String {
    health.metrics.render()
}
