use crate::{
    StoreError,
    store::{Claim, Settlement, State, Store},
};

/// Marks leased work as unknown whose lease is over: no request settles it any more.
pub(crate) async fn quarantine<S: Store>(store: &S, claim: &Claim) -> Result<(), StoreError> {
    let Some(record) = store.find(&claim.id).await? else {
        return Ok(());
    };
    if matches!(record.state, State::Processing { .. }) {
        let unknown = Settlement::Unknown { message: Some("the lease ran out".into()) };
        // Fenced: somebody else was faster.
        let _ = store.resolve(&claim.id, record.epoch, &unknown, claim.ttl).await?;
    }
    Ok(())
}
