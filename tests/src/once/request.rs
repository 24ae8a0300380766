use std::time::Duration;

use idempotency::{
    Failure, FailureClass, Idempotency, IdempotencyError, Outcome, Payload, Reconciled, StoreErrorKind,
    UnknownWork,
};
use sqlx::Pool;
use sqlx::mysql::MySqlDatabaseError;

use super::Bank;

/// Where a request's effect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In the transaction of the key.
    Transaction,
    /// Elsewhere, under a lease of this length.
    Lease(Duration),
}

/// What the work comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// An effect.
    Done,
    /// An effect in the database that is undone by a refusal; elsewhere no effect.
    Refused,
    /// The same by a failure that leaves the key free.
    RolledBack,
}

/// How a request ends.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// As told.
    #[error("refused")]
    Refused,
    /// As told.
    #[error("rolled back")]
    RolledBack,
    /// The database failed in the work.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The library says no.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl RequestError {
    /// Whether a deadlock or a lock's timeout has reached the caller, which must never be.
    #[must_use]
    pub fn is_contended(&self) -> bool {
        match self {
            Self::Idempotency(IdempotencyError::Store(error) | IdempotencyError::NotRecorded(error)) => {
                *error.kind() == StoreErrorKind::Contended
            }
            Self::Database(sqlx::Error::Database(error)) => {
                let mysql = error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
                let others = ["40001", "40P01", "55P03", "5", "6", "517"];
                matches!(mysql, Some(1213 | 1205))
                    || error.code().is_some_and(|code| others.contains(&&*code))
            }
            _ => false,
        }
    }
}

impl Failure for RequestError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Refused => FailureClass::refused(&()),
            Self::RolledBack => FailureClass::RolledBack,
            // A payment whose connection broke may be made.
            Self::Database(_) | Self::Idempotency(_) => FailureClass::Unstated,
        }
    }

    fn from_refusal(_: &Payload) -> Option<Self> {
        Some(Self::Refused)
    }
}

/// One request for the effect of `key`; the work lasts for `time`.
///
/// # Errors
///
/// As told by `work`, and what goes wrong.
pub async fn request<S: Bank>(
    once: &Idempotency<S>,
    pool: &Pool<S::Database>,
    key: &str,
    mode: Mode,
    (work, time): (Work, Duration),
) -> Result<Outcome<String>, RequestError> {
    let request = once.request("once", key)?.fingerprint(&key);
    let done = format!("done {key}");
    let told = || match work {
        Work::Done => Ok(done.clone()),
        Work::Refused => Err(RequestError::Refused),
        Work::RolledBack => Err(RequestError::RolledBack),
    };
    match mode {
        Mode::Transaction => {
            let work = async |tx: &mut sqlx::Transaction<'_, S::Database>| {
                S::add(tx, key).await?;
                tokio::time::sleep(time).await;
                told()
            };
            request.transaction(work).await
        }
        Mode::Lease(lease) => {
            let work = async |lease: &idempotency::Lease<'_, S, idempotency::Json>| {
                tokio::time::sleep(time).await;
                let done = told()?;
                S::pay(pool, key, lease.epoch()).await?;
                Ok(done)
            };
            let find_out = async |unknown: UnknownWork| {
                Ok(if S::paid(pool, key, unknown.epoch).await? > 0 {
                    Reconciled::Applied(done.clone())
                } else {
                    Reconciled::NotApplied
                })
            };
            request.lease(lease).run_or_reconcile(work, find_out).await
        }
    }
}
