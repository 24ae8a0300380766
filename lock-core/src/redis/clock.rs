use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Knows when the server's clock showed what, at the earliest, on the clock of this process.
///
/// A grant that arrives as a message may have been under way for any time: this process may have been frozen. So it
/// carries the server's time, which is translated here: a reply that says "it is now `t`" to a command sent at `s` proves
/// that the server's clock showed `t` no earlier than `s`.
#[derive(Debug, Default)]
pub(super) struct ServerClock {
    sample: Mutex<Option<Sample>>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    server_micros: u64,
    sent: Instant,
}

/// How far the rates of the two clocks may differ.
const RATE: f64 = 0.001;
/// A sample that was taken over a slow round trip is kept at most so long.
const FRESH: Duration = Duration::from_secs(10);

impl Sample {
    /// A moment not later than the one at which the server's clock showed `server_micros`.
    fn earliest(&self, server_micros: u64) -> Instant {
        let apart = Duration::from_micros(server_micros.abs_diff(self.server_micros));
        if server_micros >= self.server_micros {
            self.sent + apart.mul_f64(1.0 - RATE)
        } else {
            self.sent.checked_sub(apart.mul_f64(1.0 + RATE)).unwrap_or(self.sent)
        }
    }
}

impl ServerClock {
    /// Forgets what is known: from now on another server may answer.
    pub(super) fn reset(&self) {
        *self.sample.lock() = None;
    }

    /// Notes that a command sent at `sent` was answered with the server's time.
    pub(super) fn observe(&self, server_micros: u64, sent: Instant) {
        let mut sample = self.sample.lock();
        let better = sample.is_none_or(|old| {
            sent.saturating_duration_since(old.sent) > FRESH || old.earliest(server_micros) <= sent
        });
        if better {
            *sample = Some(Sample { server_micros, sent });
        }
    }

    /// A moment not later than the one at which the server's clock showed `server_micros`; none before the first sample.
    pub(super) fn earliest(&self, server_micros: u64) -> Option<Instant> {
        let sample = *self.sample.lock();
        // Whatever the clocks say, it was before the message arrived.
        sample.map(|sample| sample.earliest(server_micros).min(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_moment_at_the_server_is_never_placed_too_late() {
        let clock = ServerClock::default();
        assert!(clock.earliest(0).is_none());
        // The server's clock is 1,000 s ahead and each way takes 3 ms.
        let start = Instant::now();
        let server = |at: Instant| 1_000_000_000 + u64::try_from((at - start).as_micros()).unwrap();
        let way = Duration::from_millis(3);
        for _ in 0..50 {
            let sent = Instant::now();
            tokio::time::advance(way).await;
            let micros = server(Instant::now());
            tokio::time::advance(way).await;
            clock.observe(micros, sent);
            tokio::time::advance(Duration::from_millis(700)).await;
            let granted = Instant::now();
            let micros = server(granted);
            tokio::time::advance(Duration::from_secs(2)).await;
            let placed = clock.earliest(micros).unwrap();
            assert!(placed <= granted, "too late by {:?}", placed - granted);
            assert!(granted - placed < Duration::from_millis(20), "too early by {:?}", granted - placed);
        }
    }
}
