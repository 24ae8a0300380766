//! Waiting for what another process or task does.

use std::time::Duration;

use tokio::time::Instant;

/// Asks `check` every 10 ms until it holds.
///
/// `what` completes the sentence "… within 5s: what" when it does not.
///
/// # Panics
///
/// When `check` does not hold within `within`. A `check` that hangs is not interrupted.
pub async fn eventually(what: &str, within: Duration, mut check: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !check().await {
        assert!(Instant::now() < deadline, "did not happen within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
