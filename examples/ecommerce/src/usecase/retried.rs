use lock_core::{RetryPolicy, retry};

use crate::error::ShopError;

/// Tries work that may meet another transaction: ten times at most, with growing, jittered pauses, each time in a fresh
/// transaction.
///
/// Counts `shop_version_conflicts_total` and, when the tries are used up, `shop_retries_exhausted_total`.
pub(crate) async fn retried<T, F>(use_case: &'static str, work: impl FnMut() -> F) -> Result<T, ShopError>
where
    F: Future<Output = Result<T, ShopError>>,
{
    let is_conflict = |error: &ShopError| {
        if matches!(error, ShopError::VersionConflict) {
            metrics::counter!("shop_version_conflicts_total", "use_case" => use_case).increment(1);
        }
        error.is_conflict()
    };
    let outcome = retry(RetryPolicy::default().attempts(10), is_conflict, work).await;
    if outcome.as_ref().is_err_and(ShopError::is_conflict) {
        metrics::counter!("shop_retries_exhausted_total", "use_case" => use_case).increment(1);
    }
    outcome
}
