//! Logs and metrics of the process.

use crate::config::{Log, LogFormat};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// Callback latencies from a fraction of a millisecond to the longest sensible timeout.
const LATENCY_BUCKETS_MS: [f64; 12] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

/// Starts logging to the standard error stream. A second call changes nothing.
pub fn start_logging(log: &Log) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(&log.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a subscriber is there already, as in tests that start several servers.
    let started = match log.format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.or(Ok(()))
}

/// The process's metrics. All servers of a process share them.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let latency = Matcher::Suffix("_latency_ms".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(latency, &LATENCY_BUCKETS_MS);
        builder
            .expect("the buckets are not empty")
            .install_recorder()
            .expect("only this function installs a recorder")
    };
    HANDLE.get_or_init(install).clone()
}
