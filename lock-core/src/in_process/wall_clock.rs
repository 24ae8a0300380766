use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The time of day, read once and then carried on by the monotonic clock: it never steps back.
pub(super) struct WallClock {
    start: Instant,
    start_micros: u64,
}

impl WallClock {
    pub(super) fn new() -> Self {
        // A clock before 1970 counts as 1970: tokens still grow, they only start low.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start: Instant::now(),
            start_micros: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX / 2),
        }
    }

    /// Microseconds since 1970 at `now`.
    pub(super) fn micros(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start).as_micros();
        self.start_micros + u64::try_from(elapsed).unwrap_or(u64::MAX / 2)
    }
}
