use serde::Serialize;

use crate::{IdempotencyError, Payload};

/// What a failure of the caller's work means for the key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureClass {
    /// The work did not begin (a check failed, a lock was not obtained). Nothing is stored: the key is as
    /// unused as before.
    NotStarted,
    /// The answer is no, and stays no (the balance is too low, the goods are sold out). The effect is rolled
    /// back, the refusal is stored, and a repeat is answered with it.
    Refused(Payload),
    /// The effect was undone (a deadlock, a timeout). The key is marked as failed and may run again.
    RolledBack,
    /// Something outside the transaction may have happened (a call that timed out). The key is marked as
    /// unknown and never runs again by itself.
    MaybeApplied,
    /// Nobody has said. In a transaction, which undoes what the work has done, it counts as
    /// [`RolledBack`](Self::RolledBack); in lease mode, where nothing does, as [`MaybeApplied`](Self::MaybeApplied).
    Unstated,
}

impl FailureClass {
    /// A refusal that is stored as JSON.
    ///
    /// An error that has no JSON form cannot be replayed: it counts as [`RolledBack`](Self::RolledBack), and
    /// a `tracing` error says so.
    pub fn refused(refusal: &impl Serialize) -> Self {
        Payload::json(refusal).map_or_else(
            |error| {
                tracing::error!(%error, "a refusal has no JSON form and is not stored");
                Self::RolledBack
            },
            Self::Refused,
        )
    }
}

/// An error of the caller's work.
///
/// `impl Failure for MyError {}` is enough for work in a transaction where no refusals are to be replayed: each failure
/// then rolls the effect back and leaves the key free to run again. Leased work, whose effect no database undoes, does
/// not run again after such a failure: its error type should say which failures came before the effect
/// ([`NotStarted`](FailureClass::NotStarted)) and which are a refusal.
///
/// ```
/// use idempotency::{Failure, FailureClass, IdempotencyError, Payload};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, thiserror::Error)]
/// enum ChargeError {
///     #[error("balance short by {0}")]
///     BalanceShort(i64),
///     #[error(transparent)]
///     Idempotency(#[from] IdempotencyError),
/// }
///
/// impl Failure for ChargeError {
///     fn class(&self) -> FailureClass {
///         match self {
///             Self::BalanceShort(missing) => FailureClass::refused(missing),
///             Self::Idempotency(_) => FailureClass::Unstated,
///         }
///     }
///
///     fn from_refusal(refusal: &Payload) -> Option<Self> {
///         refusal.read_json().ok().map(Self::BalanceShort)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what its failures mean for an idempotency key",
    note = "write `impl idempotency::Failure for {Self} {{}}`: a transaction is then rolled back, and the outcome of leased work is unknown",
    note = "it also needs `From<idempotency::IdempotencyError>`"
)]
pub trait Failure: From<IdempotencyError> {
    /// Says what this failure means for the key: [`FailureClass::Unstated`] by default.
    fn class(&self) -> FailureClass {
        FailureClass::Unstated
    }

    /// Gives a line about this failure for people who look at the table: none by default.
    ///
    /// It is stored as it is, so it must not hold a secret. At most 1,000 characters are kept.
    fn message(&self) -> Option<String> {
        None
    }

    /// Makes the error anew from a refusal that was stored, or `None` if it cannot be read.
    fn from_refusal(refusal: &Payload) -> Option<Self> {
        let _ = refusal;
        None
    }
}

impl Failure for IdempotencyError {}

impl Failure for Box<dyn std::error::Error + Send + Sync + '_> {}
