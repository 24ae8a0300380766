use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use sqlx::Transaction;
use tokio::time::timeout;

use crate::{
    StoreError, StoreErrorKind,
    store::{
        Claim, ClaimOutcome, CommitError, Ownership, Settled, Settlement, State, StoredResponse,
        TransactionalStore,
    },
};

/// How often the key's row is read after a COMMIT whose reply was lost.
const LOOKUPS: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(50))
    .with_max_delay(Duration::from_secs(1))
    .with_max_times(6)
    .with_jitter();

/// How long is spent on that altogether: the caller waits for it.
const LOOKUP_TIME: Duration = Duration::from_secs(10);

/// How long a claim lasts that is only made to mark its row.
const MARKING: Duration = Duration::from_secs(10);

/// How a transaction ended.
pub(crate) enum Ending {
    Committed,
    /// The transaction had lost the row, so it was not the one that had claimed it; all is undone.
    Undone,
    /// All is undone. `clean` tells whether the connection is fit for use.
    NotWritten {
        error: StoreError,
        clean: bool,
    },
    /// It may be committed.
    ReplyLost(StoreError),
}

/// Undoes the work unless it succeeded, writes how it ended, and commits.
pub(crate) async fn end<S: TransactionalStore>(
    store: &S,
    mut transaction: Transaction<'_, S::Database>,
    claim: &Claim,
    settlement: &Settlement,
) -> Ending {
    let succeeded = matches!(settlement, Settlement::Completed(StoredResponse::Success(_)));
    if !succeeded && let Err(error) = store.undo(&mut transaction).await {
        // The savepoint is gone if the server has ended the transaction meanwhile.
        let clean = store.rollback(transaction).await.is_ok();
        return Ending::NotWritten { error, clean };
    }
    match store.finish(transaction, claim, settlement).await {
        Ok(Settled::Written) => Ending::Committed,
        Ok(Settled::Fenced) => Ending::Undone,
        Err(CommitError::Refused(error)) => Ending::NotWritten { error, clean: false },
        Err(CommitError::ReplyLost(error)) => Ending::ReplyLost(error),
    }
}

/// Asks the key's row whether `claim`'s transaction was committed.
pub(crate) async fn was_committed<S: TransactionalStore>(
    store: &S,
    claim: &Claim,
) -> Result<bool, StoreError> {
    let lookup = (|| store.find_settled(claim)).retry(LOOKUPS).when(StoreError::is_transient);
    let record = timeout(LOOKUP_TIME, lookup)
        .await
        .unwrap_or_else(|elapsed| Err(StoreError::new(StoreErrorKind::Unavailable, elapsed)))?;
    Ok(record.is_some_and(|record| {
        record.owner == claim.owner && !matches!(record.state, State::Processing { .. })
    }))
}

/// Marks a key as unknown whose transaction could not do so itself.
///
/// Tried as often as a look-up: unmarked, the work would run again.
pub(crate) async fn quarantine<S: TransactionalStore>(store: &S, claim: &Claim) {
    let claim = claim.again();
    let marked = (|| mark(store, &claim)).retry(LOOKUPS).when(StoreError::is_transient);
    let marked = timeout(LOOKUP_TIME, marked)
        .await
        .unwrap_or_else(|elapsed| Err(StoreError::new(StoreErrorKind::Unavailable, elapsed)));
    if let Err(error) = marked {
        tracing::error!(key = %claim.id, %error, "the outcome is unknown and could not be recorded");
    }
}

async fn mark<S: TransactionalStore>(store: &S, claim: &Claim) -> Result<(), StoreError> {
    let ownership = match store.claim(claim, MARKING, false).await? {
        ClaimOutcome::Started(ownership) => ownership,
        ClaimOutcome::InFlight { .. } => match store.find(&claim.id).await? {
            // The reply to an earlier try was lost.
            Some(record) if record.owner == claim.owner => {
                Ownership { id: claim.id, owner: claim.owner, epoch: record.epoch }
            }
            // Somebody else is at work, or has settled it meanwhile.
            Some(_) => return Ok(()),
            // The server has not ended the transaction yet.
            None => return Err(StoreErrorKind::Contended.into()),
        },
        _ => return Ok(()),
    };
    store.settle(&ownership, &Settlement::Unknown { message: None }, claim.ttl).await.map(|_| ())
}
