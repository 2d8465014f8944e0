//! The time, as every process of the benchmark sees it.
//!
//! `CLOCK_MONOTONIC` counts from one origin for all processes of a machine, so that an instant noted by the load
//! generator and one noted by the receiver can be subtracted. `std::time::Instant` reads the same clock and hides the
//! number.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub(super) const SECOND_NS: u64 = 1_000_000_000;

pub(super) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * SECOND_NS + now.tv_nsec.cast_unsigned()
}

pub(super) fn unix_s() -> u64 {
    clock_gettime(ClockId::Realtime).tv_sec.cast_unsigned()
}

pub(super) fn elapsed_ms(since_ns: u64) -> f64 {
    (now_ns() - since_ns) as f64 / 1e6
}

pub(super) fn sleep_ms(duration_ms: u64) {
    std::thread::sleep(Duration::from_millis(duration_ms));
}
