/// What becomes of work whose lease ran out: its process crashed, or lost the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Takeover {
    /// The next request marks the key as [unknown](crate::IdempotencyError::Unknown), and it stays so until it is
    /// reconciled. The safe choice, and the default.
    #[default]
    Quarantine,
    /// The next request runs the work again. Right only where the effect is idempotent by itself, for instance
    /// because the gateway takes an idempotency key of its own.
    Rerun,
}
