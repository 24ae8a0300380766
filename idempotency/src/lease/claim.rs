use std::{convert::Infallible, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, timeout};

use crate::{
    StoreError, StoreErrorKind,
    store::{Claim, ClaimOutcome, Ownership, Settled, State, Store},
};

/// How often the row is read after a claim that was not answered.
const LOOKUPS: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(20))
    .with_max_delay(Duration::from_millis(250))
    .with_max_times(3)
    .with_jitter();

/// How long is spent on that altogether: the caller waits for it.
const LOOKUP_TIME: Duration = Duration::from_secs(2);

/// Claims the row, and says since when the lease has lasted at the latest.
///
/// A claim that was not answered may have been granted. It is not sent again: the row tells.
pub(super) async fn claim<S: Store>(
    store: &S,
    claim: &Claim,
    lease: Duration,
    takeover: bool,
) -> Result<Result<(Ownership, Instant), ClaimOutcome<Infallible>>, StoreError> {
    let since = Instant::now();
    let unanswered = match store.claim(claim, lease, takeover).await {
        Err(error) if *error.kind() == StoreErrorKind::Unavailable => error,
        Err(error) => return Err(error),
        Ok(outcome) => return Ok(outcome.won().map(|ownership| (ownership, since))),
    };
    let granted = (|| granted(store, claim, lease)).retry(LOOKUPS).when(StoreError::is_transient);
    match timeout(LOOKUP_TIME, granted).await {
        Ok(Ok(Some(granted))) => Ok(Ok(granted)),
        _ => Err(unanswered),
    }
}

/// Looks whether the row is the claim's; if so, its lease begins now: nobody knows how much of it is over.
async fn granted<S: Store>(
    store: &S,
    claim: &Claim,
    lease: Duration,
) -> Result<Option<(Ownership, Instant)>, StoreError> {
    let Some(record) = store.find(&claim.id).await? else {
        return Ok(None);
    };
    if record.owner != claim.owner || !matches!(record.state, State::Processing { .. }) {
        return Ok(None);
    }
    let ownership = Ownership { id: claim.id, owner: claim.owner, epoch: record.epoch };
    let since = Instant::now();
    let extended = store.extend(&ownership, lease).await?;
    Ok((extended == Settled::Written).then_some((ownership, since)))
}
