//! Whether an endpoint is worth calling. One that only fails is probed, one call at a time.

#[derive(Debug, Clone, Copy)]
pub struct HealthLimits {
    /// Failures in a row after which calls stop.
    pub failures_max: u32,
    pub probe_delay_ms_min: u64,
    pub probe_delay_ms_max: u64,
}

#[derive(Debug)]
pub(super) struct Health {
    limits: HealthLimits,
    failures_in_row: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    probe_ms: u64,
    delay_ms: u64,
    probing: bool,
}

impl Health {
    pub(super) fn new(limits: HealthLimits) -> Self {
        Self { limits, failures_in_row: 0, open: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// How many calls may be under way.
    pub(super) fn allows(&self, in_flight_max: usize, now_ms: u64) -> usize {
        match &self.open {
            None => in_flight_max,
            Some(open) => usize::from(now_ms >= open.probe_ms),
        }
    }

    /// When the next probe may go out, if only probes go out.
    pub(super) fn probe_ms(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.probe_ms)
    }

    pub(super) fn probed(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    /// Returns whether the endpoint was considered to be failing until now.
    pub(super) fn succeeded(&mut self) -> bool {
        self.failures_in_row = 0;
        self.open.take().is_some()
    }

    pub(super) fn failed(&mut self, now_ms: u64) {
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        match &mut self.open {
            // Calls that were under way when it opened say nothing new.
            Some(open) if !open.probing => {}
            Some(open) => {
                open.probing = false;
                open.delay_ms = (open.delay_ms * 2).min(self.limits.probe_delay_ms_max);
                open.probe_ms = now_ms + open.delay_ms;
            }
            None if self.failures_in_row >= self.limits.failures_max => {
                let delay_ms = self.limits.probe_delay_ms_min;
                self.open = Some(Open { probe_ms: now_ms + delay_ms, delay_ms, probing: false });
            }
            None => {}
        }
    }
}
