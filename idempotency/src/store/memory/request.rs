use std::{convert::Infallible, time::Duration};

use super::row::Row;
use crate::{
    Codec, Failure, IdempotencyError, MemoryStore, MemoryTransaction, Outcome, Request, answer,
    flight::{Landing, RETRY_AFTER, Turn},
    left_behind,
    observe::Event,
    request::Prepared,
    store::{ClaimOutcome, Ownership, Settled, Settlement},
};

/// Claims of this store end when their request does, so their lease only has to be long.
const LEASE: Duration = Duration::from_secs(24 * 60 * 60);

impl<C> Request<'_, MemoryStore, C> {
    /// Runs `work` once for the key and keeps its response, as a database's store does; but where a database
    /// undoes the effect of work that fails, here it is for `work` to leave nothing behind.
    ///
    /// # Errors
    ///
    /// The error of `work`, whose [class](Failure::class) says what is stored; or an [`IdempotencyError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops `work` and leaves the key as it was.
    pub async fn transaction<T, E, F>(self, work: F) -> Result<Outcome<T>, E>
    where
        C: Codec<T>,
        E: Failure,
        F: AsyncFnOnce(&mut MemoryTransaction) -> Result<T, E>,
    {
        let Prepared { once, operation, codec, claim, deadline } = self.prepare()?;
        let report = |event: Event| event.report(&once.settings, operation, &claim.id);
        let replay = |outcome: ClaimOutcome<Infallible>| {
            report(Event::of_claim(&outcome));
            answer::of_claim(&codec, outcome)
        };

        let lead = match once.flights.enter(claim.id, deadline).await {
            Turn::Lead(lead) => lead,
            Turn::Landed(landing) => return replay(landing.verdict(&claim.fingerprint)),
            Turn::TimedOut => {
                return replay(ClaimOutcome::InFlight { retry_after: RETRY_AFTER });
            }
        };
        let (ownership, before) = loop {
            let (outcome, before) = once.store.claim_now(&claim, LEASE, false);
            match outcome.won() {
                Ok(ownership) => break (ownership, before),
                // Leased work was left behind: nobody but who asks for it says so.
                Err(ClaimOutcome::InFlight { retry_after }) if retry_after.is_zero() => {
                    left_behind::quarantine(&once.store, &claim).await.map_err(IdempotencyError::from)?;
                }
                Err(outcome) => return replay(outcome),
            }
        };
        report(Event::Started);

        let held = Held { store: &once.store, ownership, before };
        let result = work(&mut MemoryTransaction::new()).await;
        let (settlement, result) =
            answer::of_work(&codec, once.settings.max_response, answer::undone, result);
        if let Some(event) = Event::of_settlement(settlement.as_ref()) {
            report(event);
        }
        let Some(settlement) = settlement else {
            return result;
        };
        if once.store.settle_now(&held.ownership, &settlement, claim.ttl) == Settled::Fenced {
            report(Event::Fenced);
            return Err(IdempotencyError::Fenced.into());
        }
        if let Settlement::Completed(response) = settlement {
            lead.land(Landing { fingerprint: claim.fingerprint, response });
        }
        result
    }
}

/// Leaves the key as it was if the request is dropped, or ends without a settlement.
struct Held<'a> {
    store: &'a MemoryStore,
    ownership: Ownership,
    before: Option<Row>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Fenced where the work was settled: then there is nothing to undo.
        let _ = self.store.undo_now(&self.ownership, self.before.take());
    }
}
