//! The real time.

use chat::port::Clock;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one real implementation")]
    fn now_ms(&self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Unix time as it was at the beginning, and the time that has really passed since. A clock that is set back must not
/// hold up callbacks for as long, and one that jumps ahead must not make all that are under way look lost.
#[derive(Debug, Clone, Copy)]
pub struct Steady {
    began: Instant,
    began_ms: u64,
}

impl Steady {
    pub fn beginning_at(began_ms: u64) -> Self {
        Self { began: Instant::now(), began_ms }
    }

    pub fn now_ms(&self) -> u64 {
        self.began_ms + self.began.elapsed().as_millis() as u64
    }
}
