use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// How often, and how far apart, an operation that met a conflict is tried again.
///
/// The pauses grow exponentially and are jittered, so that callers who met once do not meet again.
///
/// ```
/// use lock_core::RetryPolicy;
/// use std::time::Duration;
///
/// let policy = RetryPolicy::default().attempts(5).first_pause(Duration::from_millis(1));
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a policy does nothing until it is passed to `retry`"]
pub struct RetryPolicy {
    attempts: usize,
    first_pause: Duration,
    longest_pause: Duration,
}

impl Default for RetryPolicy {
    /// Ten attempts, with pauses of 2 ms growing to 200 ms.
    fn default() -> Self {
        Self {
            attempts: 10,
            first_pause: Duration::from_millis(2),
            longest_pause: Duration::from_millis(200),
        }
    }
}

impl RetryPolicy {
    /// Sets how often the operation is tried, the first time included; at least once.
    pub const fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the pause after the first attempt, before jitter; doubled from attempt to attempt.
    pub const fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// Sets the longest pause, before jitter.
    pub const fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }
}

/// Runs `operation` until it succeeds, fails with an error that is no conflict, or the policy's attempts are used up.
///
/// Meant for optimistic concurrency: each attempt reads the version anew, in a transaction of its own. The last error is
/// returned as it is.
///
/// `operation` is a plain function of futures, so that the whole can be spawned: with `AsyncFnMut` the compiler cannot
/// show that it is `Send`. Count tries in a [`Cell`](std::cell::Cell) or an atomic.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), String> {
/// use lock_core::{RetryPolicy, retry};
///
/// let tries = std::cell::Cell::new(0);
/// let answer = retry(RetryPolicy::default(), |error: &String| error == "conflict", async || {
///     tries.update(|tries| tries + 1);
///     if tries.get() < 3 { Err("conflict".to_owned()) } else { Ok(42) }
/// })
/// .await?;
/// assert_eq!((answer, tries.get()), (42, 3));
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// What `operation` failed with last.
///
/// # Cancel safety
///
/// As `operation`: nothing else is held between the attempts.
pub async fn retry<T, E, F: Future<Output = Result<T, E>>>(
    policy: RetryPolicy,
    is_conflict: impl Fn(&E) -> bool,
    mut operation: impl FnMut() -> F,
) -> Result<T, E> {
    let mut pauses = policy.pauses();
    loop {
        let error = match operation().await {
            Ok(value) => return Ok(value),
            Err(error) if is_conflict(&error) => error,
            Err(error) => return Err(error),
        };
        let Some(pause) = pauses.next() else {
            return Err(error);
        };
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn count(policy: RetryPolicy, error: &'static str) -> (usize, Result<(), &'static str>) {
        let tries = Cell::new(0);
        let result = retry(
            policy,
            |error: &&str| *error == "conflict",
            async || {
                tries.update(|tries| tries + 1);
                Err(error)
            },
        )
        .await;
        (tries.get(), result)
    }

    #[tokio::test(start_paused = true)]
    async fn tries_as_often_as_the_policy_says() {
        assert_eq!(count(RetryPolicy::default(), "conflict").await, (10, Err("conflict")));
        assert_eq!(count(RetryPolicy::default().attempts(1), "conflict").await, (1, Err("conflict")));
        assert_eq!(count(RetryPolicy::default().attempts(0), "conflict").await, (1, Err("conflict")));
    }

    #[test]
    fn the_longest_pauses_are_pauses() {
        let longest =
            RetryPolicy::default().attempts(100).first_pause(Duration::MAX).longest_pause(Duration::MAX);
        assert_eq!(longest.pauses().count(), 99);
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_at_once_on_other_errors() {
        assert_eq!(count(RetryPolicy::default(), "broken").await, (1, Err("broken")));
    }
}
