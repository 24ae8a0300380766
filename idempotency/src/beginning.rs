use std::time::Duration;

use backon::ExponentialBuilder;
use sqlx::Transaction;
use tokio::time::timeout;

use crate::{
    StoreError, StoreErrorKind,
    store::{Claim, NotBegun, Session, TransactionalStore},
};

/// How a claim that met a deadlock is tried again: it was the first statement, so nothing is lost by it.
pub(crate) const CLAIM_RETRIES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(2))
    .with_max_delay(Duration::from_millis(200))
    .with_max_times(12)
    .with_jitter();

/// Opens a transaction that owns the key's row.
///
/// On a connection that nobody has tested it waits no longer than the claim and the pool would: the other end may be
/// gone without a word.
pub(crate) async fn attempt<'c, S: TransactionalStore>(
    store: &S,
    session: &'c mut Session<S::Database>,
    claim: &Claim,
) -> Result<Transaction<'c, S::Database>, NotBegun> {
    let Some(patience) = session.patience() else {
        return store.begin(session, claim).await;
    };
    let silence = |elapsed| NotBegun::Failed(StoreError::new(StoreErrorKind::Unavailable, elapsed));
    let begun = timeout(patience.saturating_add(claim.wait), store.begin(session, claim));
    begun.await.unwrap_or_else(|elapsed| Err(silence(elapsed)))
}

/// Tells whether another connection may do better.
pub(crate) fn is_broken(why: &NotBegun) -> bool {
    matches!(why, NotBegun::Failed(error) if *error.kind() == StoreErrorKind::Unavailable)
}
