use std::{convert::Infallible, ops::ControlFlow};

use backon::BackoffBuilder;
use sqlx::Transaction;
use tokio::time::{Instant, sleep};

use crate::{
    Codec, Failure, IdempotencyError, Outcome, Request, StoreError, StoreErrorKind, answer,
    beginning::{CLAIM_RETRIES, attempt, is_broken},
    ending::{Ending, end, quarantine, was_committed},
    flight::{Landing, RETRY_AFTER, Turn},
    left_behind,
    observe::Event,
    request::Prepared,
    store::{ClaimOutcome, Settlement, TransactionalStore},
};

impl<S, C> Request<'_, S, C>
where
    S: TransactionalStore,
{
    /// Runs `work` in a transaction that commits its effect, the key and the response together, or none.
    ///
    /// A repeat is answered with the stored response and does not run. Repeats within this process wait in
    /// memory and hold no connection; a request uses one connection at a time.
    ///
    /// `work` must not commit, and must not run statements that commit by themselves (`ALTER TABLE` on
    /// MySQL). It may begin nested transactions: they become savepoints. The isolation level on MySQL and
    /// MariaDB is READ COMMITTED.
    ///
    /// Where `?` is used in `work` and its result is not what the caller returns as it is, nothing says which error `?`
    /// turns into: end `work` with `Ok::<_, MyError>(…)`.
    ///
    /// An error of the database is best passed on. MySQL and MariaDB end a deadlock by undoing the whole transaction of
    /// one of those in it; work that ignores that error goes on in a transaction that is never committed, and is
    /// answered with [`TransactionLost`](IdempotencyError::TransactionLost).
    ///
    /// # Errors
    ///
    /// The error of `work`, whose [class](Failure::class) says what is stored; or an [`IdempotencyError`]:
    /// the request is in flight elsewhere, the key belongs to another request, or the store failed. After
    /// each of them the effect is undone, but for [`CommitUnknown`](IdempotencyError::CommitUnknown).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future undoes the claim and the effect, unless COMMIT was sent already; then a repeat
    /// with the same key tells. The connection never goes back to its pool with an open transaction.
    pub async fn transaction<T, E, F>(self, work: F) -> Result<Outcome<T>, E>
    where
        C: Codec<T>,
        E: Failure,
        F: AsyncFnOnce(&mut Transaction<'_, S::Database>) -> Result<T, E>,
    {
        self.transact(async || Ok(()), async |transaction, ()| ControlFlow::Continue(work(transaction).await))
            .await
    }

    /// Runs `work` in a transaction, between `enter` and the drop of what that answers.
    ///
    /// `enter` runs once nothing in memory answers the request, and before a connection is taken. Work that breaks
    /// off leaves a connection with replies outstanding: it is closed, and the server undoes everything.
    pub(crate) async fn transact<T, E, F, G>(
        self,
        enter: impl AsyncFnOnce() -> Result<G, E>,
        work: F,
    ) -> Result<Outcome<T>, E>
    where
        C: Codec<T>,
        E: Failure,
        F: AsyncFnOnce(&mut Transaction<'_, S::Database>, &G) -> ControlFlow<E, Result<T, E>>,
    {
        let Prepared { once, operation, codec, mut claim, deadline } = self.prepare()?;
        let id = claim.id;
        let report = |event: Event| event.report(&once.settings, operation, &id);
        let replay = |outcome: ClaimOutcome<Infallible>| {
            report(Event::of_claim(&outcome));
            answer::of_claim(&codec, outcome)
        };
        let store_failed = |error: StoreError| {
            report(Event::StoreError);
            E::from(error.into())
        };

        let lead = match once.flights.enter(id, deadline).await {
            Turn::Lead(lead) => lead,
            Turn::Landed(landing) => return replay(landing.verdict(&claim.fingerprint)),
            Turn::TimedOut => {
                return replay(ClaimOutcome::InFlight { retry_after: RETRY_AFTER });
            }
        };
        if let Some(response) = once.recall(&claim).await.map_err(store_failed)? {
            return replay(response);
        }

        let entered = enter().await?;
        let mut session = once.store.connect(&claim).await.map_err(store_failed)?;
        let mut retries = CLAIM_RETRIES.build();
        let mut transaction = loop {
            let why = match attempt(&once.store, &mut session, &claim).await {
                Ok(transaction) => break transaction,
                Err(why) => why,
            };
            if is_broken(&why)
                && let Some(renewed) = session.renew().await
            {
                renewed.map_err(|error| store_failed(once.store.error(error)))?;
                claim = claim.again();
                continue;
            }
            match once.store.explain(&mut session, &claim, why).await {
                // Leased work was left behind: nobody but who asks for it says so.
                Ok(ClaimOutcome::InFlight { retry_after }) if retry_after.is_zero() => {
                    // Before the row is marked: one connection per request.
                    session.finish();
                    left_behind::quarantine(&once.store, &claim).await.map_err(store_failed)?;
                    session = once.store.connect(&claim).await.map_err(store_failed)?;
                }
                Ok(outcome) => {
                    session.finish();
                    if matches!(outcome, ClaimOutcome::Replay(_)) {
                        once.note(&claim);
                    }
                    return replay(outcome);
                }
                Err(error) if *error.kind() == StoreErrorKind::Contended => match retries.next() {
                    Some(delay) => sleep(delay).await,
                    None => return Err(store_failed(error)),
                },
                Err(error) => return Err(store_failed(error)),
            }
            claim = claim.again();
        };
        report(Event::Started);

        let result = match work(&mut transaction, &entered).await {
            ControlFlow::Continue(result) => result,
            ControlFlow::Break(error) => {
                report(Event::Failed);
                return Err(error);
            }
        };
        let (settlement, result) =
            answer::of_work(&codec, once.settings.max_response, answer::undone, result);
        if let Some(event) = Event::of_settlement(settlement.as_ref()) {
            report(event);
        }
        let Some(settlement) = settlement else {
            if once.store.rollback(transaction).await.is_ok() {
                session.finish();
            }
            return result;
        };
        let settling = Instant::now();
        let committed = match end(&once.store, transaction, &claim, &settlement).await {
            Ending::Committed => {
                session.finish();
                Ok(())
            }
            Ending::Undone => {
                session.finish();
                report(Event::Fenced);
                Err(IdempotencyError::TransactionLost)
            }
            Ending::NotWritten { error, clean } => {
                // Either way before the key is marked: one connection per request.
                if clean {
                    session.finish();
                } else {
                    drop(session);
                }
                Err(error.into())
            }
            Ending::ReplyLost(error) => {
                // Before the row is read: one connection per request.
                drop(session);
                match was_committed(&once.store, &claim).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(error.into()),
                    Err(unread) => Err(IdempotencyError::CommitUnknown(unread)),
                }
            }
        };
        match (committed, settlement) {
            (Ok(()), Settlement::Completed(response)) => {
                once.remember(&claim, &response, settling);
                lead.land(Landing { fingerprint: claim.fingerprint, response });
                result
            }
            (Err(_), Settlement::Unknown { .. }) => {
                quarantine(&once.store, &claim).await;
                result
            }
            // What is not stored is no answer, refusals included: a repeat would not get it.
            (Err(error), Settlement::Completed(_)) => {
                report(Event::StoreError);
                Err(error.into())
            }
            // Else the failure of the work is what its caller has to know, recorded or not.
            _ => result,
        }
    }
}
