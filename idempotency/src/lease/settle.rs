use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use crate::{
    StoreError,
    store::{Ownership, Settled, Settlement, State, Store},
};

/// How often it is tried to write down how the work ended: its effect is there already.
const TRIES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(20))
    .with_max_delay(Duration::from_secs(1))
    .with_max_times(6)
    .with_jitter();

/// Writes how the work ended, also if the reply to an earlier try was lost, or the work has done so itself.
pub(super) async fn settle<S: Store>(
    store: &S,
    ownership: &Ownership,
    settlement: &Settlement,
    ttl: Duration,
) -> Result<Settled, StoreError> {
    let write = || store.settle(ownership, settlement, ttl);
    match write.retry(TRIES).when(StoreError::is_transient).await? {
        Settled::Written => Ok(Settled::Written),
        Settled::Fenced if is_settled_by(store, ownership).await? => Ok(Settled::Written),
        Settled::Fenced => Ok(Settled::Fenced),
    }
}

/// Gives a key back that was not used. Without success it is free when its lease is over, or to be released.
///
/// A row that was claimed before stays, free for the same request: were it removed, epochs would begin anew, and late
/// work of an earlier one would pass for the latest.
pub(super) async fn forget<S: Store>(store: &S, ownership: &Ownership, ttl: Duration) {
    let give_back = || match ownership.epoch {
        1 => store.forget(ownership),
        _ => store.settle(ownership, &Settlement::Failed { message: None }, ttl),
    };
    // Fenced: an earlier try has done it, and its reply was lost.
    if let Err(error) = give_back.retry(TRIES).when(StoreError::is_transient).await {
        tracing::warn!(key = %ownership.id, %error, "an unused idempotency key was not given back");
    }
}

/// Whether the owner has written already how the work ended.
pub(super) async fn is_settled_by<S: Store>(store: &S, ownership: &Ownership) -> Result<bool, StoreError> {
    let record = store.find(&ownership.id).await?;
    Ok(record.is_some_and(|record| {
        record.owner == ownership.owner && !matches!(record.state, State::Processing { .. })
    }))
}
