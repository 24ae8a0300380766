use std::{fmt, time::Duration};

use crate::KeyId;

/// A key that no request will settle by itself.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StuckKey {
    /// The row.
    pub id: KeyId,
    /// The key as sent.
    pub key: String,
    /// The tenant, empty where there is none.
    pub tenant: String,
    /// The operation.
    pub operation: String,
    /// How often the row was claimed: what [`resolve`](crate::Store::resolve) wants to hear.
    pub epoch: u32,
    /// Whether its outcome is unknown; else its work was left behind.
    pub unknown: bool,
    /// How long nothing has happened to it.
    pub idle: Duration,
    /// What was noted about the failure.
    pub message: Option<String>,
}

/// Shows neither key nor tenant.
impl fmt::Debug for StuckKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StuckKey")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("epoch", &self.epoch)
            .field("unknown", &self.unknown)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}
