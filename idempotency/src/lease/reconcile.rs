use crate::KeyId;

/// Work that ended without anybody knowing how, for a hook to find out about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownWork {
    /// The key's row.
    pub id: KeyId,
    /// How often the work was begun.
    pub epoch: u32,
}

/// What a hook has found out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// The effect took place: this is its response, for this request and for its repeats.
    Applied(T),
    /// It did not: the work may run.
    NotApplied,
    /// Nobody can tell yet.
    StillUnknown,
}
