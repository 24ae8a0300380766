use std::{convert::Infallible, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use super::{
    Lease, Reconciled, Takeover, UnknownWork, claim, heartbeat,
    settle::{forget, settle},
};
use crate::{
    Codec, Failure, IdempotencyError, Outcome, Request, StoreError, StoreErrorKind, answer,
    flight::{Landing, RETRY_AFTER, Turn},
    left_behind,
    observe::Event,
    request::Prepared,
    store::{ClaimOutcome, Settled, Settlement, Store},
};

/// How often a request asks for the end of work that another process does.
const POLLS: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(10))
    .with_max_delay(Duration::from_millis(250))
    .without_max_times()
    .with_jitter();

/// How exactly the stores know the time.
const A_MOMENT: Duration = Duration::from_millis(1);

const MIN_LEASE: Duration = Duration::from_millis(50);
const MAX_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// A request whose effect lies outside the database.
///
/// Made by [`Request::lease`].
#[derive(Debug)]
#[must_use = "a request does nothing until it runs"]
pub struct LeasedRequest<'a, S, C> {
    request: Request<'a, S, C>,
    lease: Duration,
    takeover: Takeover,
}

impl<'a, S, C> Request<'a, S, C> {
    /// Claims the key for `lease` and then does the work outside any transaction.
    ///
    /// For effects that no database can undo: a payment, a mail. The lease is extended while the work runs, so it
    /// only says how soon the others notice a crash. It should be several seconds, and is kept between 50 milliseconds
    /// and a day.
    ///
    /// A failure of the work that does not say its [class](Failure::class) leaves the key
    /// [unknown](IdempotencyError::Unknown): a payment that timed out is not made twice.
    pub fn lease(self, lease: Duration) -> LeasedRequest<'a, S, C> {
        let lease = lease.clamp(MIN_LEASE, MAX_LEASE);
        LeasedRequest { request: self, lease, takeover: Takeover::default() }
    }
}

impl<S: Store, C> LeasedRequest<'_, S, C> {
    /// Says what becomes of work whose lease ran out: [quarantine](Takeover::Quarantine) by default.
    pub fn takeover(mut self, takeover: Takeover) -> Self {
        self.takeover = takeover;
        self
    }

    /// Runs `work` once for the key, and keeps its response.
    ///
    /// Where `?` is used in `work` and its result is not what the caller returns as it is, nothing says which error `?`
    /// turns into: end `work` with `Ok::<_, MyError>(…)`.
    ///
    /// # Errors
    ///
    /// The error of `work`, whose [class](Failure::class) says what is stored; or an [`IdempotencyError`]. After
    /// [`NotRecorded`](IdempotencyError::NotRecorded) and [`Fenced`](IdempotencyError::Fenced) the effect may have
    /// taken place.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops `work` where it is and leaves the key at work until its lease is over; then
    /// [`takeover`](Self::takeover) says what becomes of it.
    pub async fn run<T, E, F>(self, work: F) -> Result<Outcome<T>, E>
    where
        C: Codec<T>,
        E: Failure,
        F: AsyncFnOnce(&Lease<'_, S, C>) -> Result<T, E>,
    {
        self.run_or_reconcile(work, async |_| Ok(Reconciled::StillUnknown)).await
    }

    /// Does what [`run`](Self::run) does; where the outcome of earlier work is unknown, `reconcile` finds out.
    ///
    /// What it finds is stored: a response or a refusal is replayed from then on, and work that was not applied runs
    /// now.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run), and what `reconcile` answers.
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Self::run).
    pub async fn run_or_reconcile<T, E, F, R>(self, work: F, reconcile: R) -> Result<Outcome<T>, E>
    where
        C: Codec<T>,
        E: Failure,
        F: AsyncFnOnce(&Lease<'_, S, C>) -> Result<T, E>,
        R: AsyncFnOnce(UnknownWork) -> Result<Reconciled<T>, E>,
    {
        let Self { request, lease, takeover } = self;
        let Prepared { once, operation, codec, mut claim, deadline } = request.prepare()?;
        let (store, id) = (&once.store, claim.id);
        let report = |event: Event| event.report(&once.settings, operation, &id);
        let replay = |outcome: ClaimOutcome<Infallible>| {
            report(Event::of_claim(&outcome));
            answer::of_claim(&codec, outcome)
        };
        let store_failed = |error: StoreError| {
            report(Event::StoreError);
            IdempotencyError::from(error)
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

        let mut reconcile = Some(reconcile);
        let mut polls = POLLS.build();
        let (ownership, since) = loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            let outcome = match claim::claim(store, &claim, lease, takeover == Takeover::Rerun).await {
                Ok(outcome) => outcome,
                Err(error) if *error.kind() == StoreErrorKind::Contended && !patience.is_zero() => {
                    Err(ClaimOutcome::InFlight { retry_after: RETRY_AFTER })
                }
                Err(error) => return Err(store_failed(error).into()),
            };
            match outcome {
                Ok(won) => break won,
                // Asked at the very end of the lease, before the row was free: it is by now.
                Err(ClaimOutcome::InFlight { retry_after })
                    if retry_after.is_zero() && takeover == Takeover::Rerun =>
                {
                    sleep(A_MOMENT).await;
                }
                Err(ClaimOutcome::InFlight { retry_after }) if retry_after.is_zero() => {
                    left_behind::quarantine(store, &claim).await.map_err(store_failed)?;
                }
                Err(ClaimOutcome::InFlight { retry_after }) if !patience.is_zero() => {
                    let poll = polls.next().unwrap_or(RETRY_AFTER);
                    sleep(poll.min(patience).min(retry_after)).await;
                }
                Err(ClaimOutcome::Unknown) => {
                    let (Some(reconcile), Some(record)) =
                        (reconcile.take(), store.find(&id).await.map_err(store_failed)?)
                    else {
                        return replay(ClaimOutcome::Unknown);
                    };
                    let found = reconcile(UnknownWork { id, epoch: record.epoch }).await?;
                    let Some(settlement) = found.settlement(&codec, once.settings.max_response)? else {
                        return replay(ClaimOutcome::Unknown);
                    };
                    let resolved = store.resolve(&id, record.epoch, &settlement, claim.ttl).await;
                    // Fenced: somebody else was faster, and the next claim tells what they found.
                    if let (Settled::Written, Settlement::Completed(response)) =
                        (resolved.map_err(store_failed)?, settlement)
                    {
                        once.note(&claim);
                        return replay(ClaimOutcome::Replay(response));
                    }
                }
                Err(outcome) => {
                    if matches!(outcome, ClaimOutcome::Replay(_)) {
                        once.note(&claim);
                    }
                    return replay(outcome);
                }
            }
            claim = claim.again();
        };
        report(Event::Started);

        let max_response = once.settings.max_response;
        let held = Lease { store, codec: &codec, ttl: claim.ttl, max_response, ownership };
        let Some(result) = heartbeat::hold(store, held.ownership(), lease, since, work(&held)).await else {
            report(Event::Fenced);
            return Err(IdempotencyError::Fenced.into());
        };
        let (settlement, result) =
            answer::of_work(&codec, once.settings.max_response, answer::unknown, result);
        if let Some(event) = Event::of_settlement(settlement.as_ref()) {
            report(event);
        }
        let Some(settlement) = settlement else {
            forget(store, &ownership, claim.ttl).await;
            return result;
        };
        let settling = Instant::now();
        let error = match settle(store, &ownership, &settlement, claim.ttl).await {
            Ok(Settled::Written) => {
                if let Settlement::Completed(response) = settlement {
                    once.remember(&claim, &response, settling);
                    lead.land(Landing { fingerprint: claim.fingerprint, response });
                }
                return result;
            }
            Ok(Settled::Fenced) => {
                report(Event::Fenced);
                IdempotencyError::Fenced
            }
            Err(error) => {
                report(Event::StoreError);
                IdempotencyError::NotRecorded(error)
            }
        };
        match settlement {
            // What is not stored is no answer, refusals included: a repeat would not get it.
            Settlement::Completed(_) => Err(error.into()),
            // Else the failure of the work is what its caller has to know.
            _ => result,
        }
    }
}
