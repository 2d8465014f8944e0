//! The figures of one carrier, for whoever watches the server. How far it is stands with those of the endpoints.

use super::answer::Outcome;
use chat::AppId;
use metrics::{Histogram, counter, histogram};

#[derive(Clone)]
pub(super) struct Figures {
    sdkappid: String,
    carrier: &'static str,
    latency_ms: Histogram,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figures").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

impl Figures {
    pub(super) fn new(app: AppId, carrier: &'static str) -> Self {
        let sdkappid = app.to_string();
        let latency_ms =
            histogram!("couplet_push_latency_ms", "sdkappid" => sdkappid.clone(), "carrier" => carrier);
        Self { sdkappid, carrier, latency_ms }
    }

    /// One notice for one device.
    pub(super) fn count(&self, outcome: &Outcome, latency_ms: u64) {
        self.latency_ms.record(latency_ms as f64);
        counter!("couplet_push_notices_total",
            "sdkappid" => self.sdkappid.clone(), "carrier" => self.carrier, "outcome" => outcome.name())
        .increment(1);
    }

    /// One message that is not pushed although its recipient has a device here.
    pub(super) fn leave_out(&self, why: &'static str) {
        counter!("couplet_push_left_out_total",
            "sdkappid" => self.sdkappid.clone(), "carrier" => self.carrier, "reason" => why)
        .increment(1);
    }
}
