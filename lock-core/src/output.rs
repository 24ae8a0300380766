use crate::error::LockError;

/// A result that can say that the lock was not obtained: what a function under `#[distributed_lock]` returns.
///
/// `Result<T, E>` carries the [`LockError`] (with `E: From<LockError>`). `Option<T>` means "skip when busy": it is
/// `None` when the lock was not obtained, and every reason but a busy lock is logged as a warning.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say that the lock was not obtained",
    label = "return `Result<T, E>` with `E: From<LockError>`, or `Option<T>` to skip the work when the lock is busy",
    note = "`#[distributed_lock]` runs the body only while the lock is held, so its function must be able to say that it was not",
    note = "an error type can be made from a `LockError` by `impl From<LockError> for …`, or, with thiserror, by a variant `#[error(transparent)] Lock(#[from] LockError)`"
)]
pub trait GuardedOutput: Sized {
    /// The result for work that did not run, or did not run to its end.
    fn from_lock_error(error: LockError) -> Self;
}

#[diagnostic::do_not_recommend] // the compiler says what the trait says, and not which bound of this line is missing
impl<T, E: From<LockError>> GuardedOutput for Result<T, E> {
    fn from_lock_error(error: LockError) -> Self {
        Err(error.into())
    }
}

impl<T> GuardedOutput for Option<T> {
    fn from_lock_error(error: LockError) -> Self {
        if !matches!(error, LockError::Timeout { .. }) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "work under a lock was skipped or stopped"
            );
        }
        None
    }
}
