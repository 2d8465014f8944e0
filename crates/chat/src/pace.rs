//! How quickly an endpoint answers as a rule, and so what is slow for it.

/// Nothing below this is slow, whatever an endpoint is used to.
const SLOW_MS_MIN: u64 = 100;
/// An answer that takes this many times the usual is slow.
const SLOW_TIMES: u64 = 8;
/// Weight of the past against one more answer.
const PAST: u64 = 15;

/// A moving average of the time that answers take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace {
    /// In microseconds, so that answers below a millisecond move it too. `None` before the first answer.
    usual_us: Option<u64>,
}

impl Pace {
    pub(crate) fn answered(&mut self, latency_ms: u64) {
        let latency_us = latency_ms.saturating_mul(1_000);
        self.usual_us = Some(match self.usual_us {
            None => latency_us,
            Some(usual_us) => (usual_us.saturating_mul(PAST).saturating_add(latency_us)) / (PAST + 1),
        });
    }

    /// From which time on an answer is slow. `None`: nothing is known, and so nothing is slow.
    pub(crate) fn slow_ms(&self) -> Option<u64> {
        self.usual_us.map(|usual_us| (usual_us.saturating_mul(SLOW_TIMES) / 1_000).max(SLOW_MS_MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_is_measured_by_what_is_usual() {
        let mut pace = Pace::default();
        assert_eq!(pace.slow_ms(), None);
        pace.answered(0);
        assert_eq!(pace.slow_ms(), Some(100));
        (0..200).for_each(|_| pace.answered(500));
        assert_eq!(pace.slow_ms(), Some(3_999));
        (0..200).for_each(|_| pace.answered(5));
        assert_eq!(pace.slow_ms(), Some(100));
    }
}
