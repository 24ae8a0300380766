//! What the library tells about itself: `tracing` spans and events, and metrics behind the feature `metrics`. The names,
//! units and labels are a promise, made in `docs/telemetry.md`.
//!
//! The label `key` of a metric is the pattern of the key ([`LockOptions::pattern`](crate::LockOptions::pattern)), never
//! the key: there may be millions.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use crate::error::LockError;
use crate::guard::LockGuard;
use crate::key::LockKey;

/// Surrounds the time from asking for a lock to having it, or not.
pub(crate) fn acquire_span(first: &LockKey, keys: usize, pattern: &'static str) -> Span {
    tracing::debug_span!(
        "lock.acquire",
        key = %first,
        keys,
        pattern,
        wait_us = Empty,
        handover = Empty,
        token = Empty,
        refused = Empty
    )
}

/// Surrounds the work under a lock.
pub(crate) fn run_span(guard: &LockGuard) -> Span {
    tracing::debug_span!(
        "lock.run",
        key = %guard.key(),
        pattern = guard.pattern(),
        token = guard.token().get(),
        hold_us = Empty,
        lost = Empty
    )
}

/// Says what the span of [`run_span`] saw.
pub(crate) fn ran(span: &Span, guard: &LockGuard, lost: bool) {
    if !span.is_disabled() {
        span.record("hold_us", micros(guard.age()));
        span.record("lost", lost);
    }
}

/// One caller that asks, until it is dropped.
pub(crate) struct Asking {
    #[cfg(feature = "metrics")]
    pattern: &'static str,
}

impl Asking {
    #[cfg(feature = "metrics")]
    pub(crate) fn new(pattern: &'static str) -> Self {
        metrics::gauge!("lock_waiting", "key" => pattern).increment(1.0);
        Self { pattern }
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) fn new(_pattern: &'static str) -> Self {
        Self {}
    }
}

#[cfg(feature = "metrics")]
impl Drop for Asking {
    fn drop(&mut self) {
        metrics::gauge!("lock_waiting", "key" => self.pattern).decrement(1.0);
    }
}

/// Says that the lock asked for at `began` was obtained. Looks at the clock only when somebody listens.
pub(crate) fn acquired(span: &Span, guard: &LockGuard, began: Instant) {
    if !span.is_disabled() {
        span.record("wait_us", micros(began.elapsed()));
        span.record("handover", guard.handover().name());
        span.record("token", guard.token().get());
    }
    tracing::debug!(
        key = %guard.key(),
        wait_us = micros(began.elapsed()),
        handover = guard.handover().name(),
        "lock acquired"
    );
    #[cfg(feature = "metrics")]
    {
        let handover = guard.handover().name();
        let pattern = guard.pattern();
        metrics::counter!("lock_acquired_total", "key" => pattern, "handover" => handover).increment(1);
        metrics::histogram!("lock_wait_seconds", "key" => pattern).record(began.elapsed().as_secs_f64());
        metrics::gauge!("lock_held", "key" => pattern).increment(1.0);
    }
}

/// Says that a guard is given back. Looks at the clock only when somebody listens.
pub(crate) fn released(guard: &LockGuard) {
    tracing::debug!(key = %guard.key(), hold_us = micros(guard.age()), "lock released");
    #[cfg(feature = "metrics")]
    {
        let pattern = guard.pattern();
        metrics::histogram!("lock_hold_seconds", "key" => pattern).record(guard.age().as_secs_f64());
        metrics::gauge!("lock_held", "key" => pattern).decrement(1.0);
    }
}

pub(crate) fn refused(span: &Span, error: &LockError, pattern: &'static str) {
    if !span.is_disabled() {
        span.record("refused", reason(error));
    }
    tracing::debug!(error = error as &dyn std::error::Error, reason = reason(error), "lock not obtained");
    #[cfg(feature = "metrics")]
    match error {
        LockError::Timeout { .. } => metrics::counter!("lock_timeouts_total", "key" => pattern).increment(1),
        other => {
            metrics::counter!("lock_refused_total", "key" => pattern, "reason" => reason(other)).increment(1);
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = pattern;
}

pub(crate) fn lost(guard: &LockGuard) {
    tracing::warn!(key = %guard.key(), "lock lost: the work under it was stopped");
    #[cfg(feature = "metrics")]
    metrics::counter!("lock_lost_total", "key" => guard.pattern()).increment(1);
}

fn reason(error: &LockError) -> &'static str {
    match error {
        LockError::Timeout { .. } => "timeout",
        LockError::Reentrant { .. } => "reentrant",
        LockError::Overloaded { .. } => "overloaded",
        LockError::Unavailable { .. } => "unavailable",
        LockError::ShutDown => "shut_down",
        _ => "invalid",
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
