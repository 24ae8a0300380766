use std::{convert::Infallible, time::Duration};

use async_trait::async_trait;
use sqlx::{Database, Transaction};

use super::Session;
use crate::{
    StoreError,
    store::{Claim, ClaimOutcome, Ownership, Record, Settled, Settlement, Store},
};

/// A store whose rows live in the same database as the effects they stand for.
///
/// The claim is the first statement of the transaction and the settlement its last, so they commit together
/// with the effect, or none of them does: no lease, no takeover, no extra commit. An uncommitted row *is* the
/// sign that work is in flight, and the database makes others wait for it.
///
/// The calls of one request, on one connection:
///
/// ```text
/// connect ─▶ begin ─▶ (the caller's work) ───────────────▶ finish(Completed)
///              │               ├─ failed ─▶ undo ─▶ finish(Failed | Unknown | refusal)
///              │               └─ never began ─▶ rollback
///              └─ NotBegun ─▶ explain
/// ```
///
/// Failed work does not roll the claim back: that would make all but one of the waiting requests deadlock.
/// It goes back to the savepoint that `begin` sets right after the claim.
///
/// # Errors
///
/// After an error of any method the transaction is to be rolled back and dropped.
///
/// # Cancel safety
///
/// Dropping a future with its [`Session`] undoes what is not committed; the connection is closed if replies may be
/// outstanding.
#[async_trait]
pub trait TransactionalStore: Store {
    /// The database, as `sqlx` calls it.
    type Database: Database;

    /// Says what a failure of the database means.
    fn error(&self, error: sqlx::Error) -> StoreError;

    /// Takes a connection, waiting for it no longer than the pool and `claim` allow.
    async fn connect(&self, claim: &Claim) -> Result<Session<Self::Database>, StoreError>;

    /// Opens a transaction that owns the key's row, with a savepoint after the claim.
    async fn begin<'c>(
        &self,
        session: &'c mut Session<Self::Database>,
        claim: &Claim,
    ) -> Result<Transaction<'c, Self::Database>, NotBegun>;

    /// Says why `begin` did not give the row, and leaves the connection without a transaction and prepared.
    ///
    /// A [contended](crate::StoreErrorKind::Contended) error asks for another try.
    async fn explain(
        &self,
        session: &mut Session<Self::Database>,
        claim: &Claim,
        why: NotBegun,
    ) -> Result<ClaimOutcome<Infallible>, StoreError>;

    /// Undoes the work and keeps the claim.
    async fn undo(&self, transaction: &mut Transaction<'_, Self::Database>) -> Result<(), StoreError>;

    /// Writes how the work ended, into the open transaction.
    async fn write(
        &self,
        transaction: &mut Transaction<'_, Self::Database>,
        claim: &Claim,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError>;

    /// Claims a row in a transaction of the caller's, which holds it until it ends.
    async fn claim_in(
        &self,
        connection: &mut <Self::Database as Database>::Connection,
        claim: &Claim,
    ) -> Result<ClaimOutcome<Ownership>, StoreError>;

    /// Writes how leased work ended, or work in a transaction of the caller's, into a transaction of the caller's.
    async fn settle_in(
        &self,
        connection: &mut <Self::Database as Database>::Connection,
        ownership: &Ownership,
        settlement: &Settlement,
        ttl: Duration,
    ) -> Result<Settled, StoreError>;

    /// Commits.
    async fn commit(&self, transaction: Transaction<'_, Self::Database>) -> Result<(), CommitError>;

    /// Undoes everything, the claim included.
    async fn rollback(&self, transaction: Transaction<'_, Self::Database>) -> Result<(), StoreError> {
        transaction.rollback().await.map_err(|error| self.error(error))
    }

    /// Writes how the work ended, and commits: [`write`](Self::write) and [`commit`](Self::commit), in one round trip
    /// where the database can. [`Settled::Fenced`] and [`CommitError::Refused`] undo everything.
    async fn finish(
        &self,
        mut transaction: Transaction<'_, Self::Database>,
        claim: &Claim,
        settlement: &Settlement,
    ) -> Result<Settled, CommitError> {
        match self.write(&mut transaction, claim, settlement).await {
            Ok(Settled::Written) => self.commit(transaction).await.map(|()| Settled::Written),
            Ok(Settled::Fenced) => {
                self.rollback(transaction).await.map(|()| Settled::Fenced).map_err(CommitError::Refused)
            }
            Err(error) => {
                // An explicit ROLLBACK, whatever the error: after a lock timeout the rest of the transaction is
                // still there.
                let _ = self.rollback(transaction).await;
                Err(CommitError::Refused(error))
            }
        }
    }

    /// Reads the row once no transaction is open on it any more, on a connection of its own: the answer to
    /// "was it committed?".
    async fn find_settled(&self, claim: &Claim) -> Result<Option<Record>, StoreError>;
}

/// Why a transaction did not begin with the key in hand.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotBegun {
    /// The row is not ours. Carries the row where it has been read.
    Lost(Option<Record>),
    /// Somebody's open transaction has the row.
    Busy,
    /// The connection does not know the statement yet.
    Unprepared,
    /// The store failed.
    Failed(StoreError),
}

/// Why a commit was not confirmed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CommitError {
    /// The database says no: nothing is committed.
    Refused(StoreError),
    /// The reply did not arrive: it may be committed.
    ReplyLost(StoreError),
}
