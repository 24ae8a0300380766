use clap::ValueEnum;

use super::damage::Kind;

/// What stands between the load and the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Defence {
    /// Nothing: read, think, write.
    None,
    /// A lock named after the request, so that two requests for one balance do not meet at it. And the key's row.
    LockPerRequest,
    /// The right lock, given back before COMMIT. And the key's row.
    UnlockBeforeCommit,
    /// Lock, version and key; but the key is kept on a second connection while the first one is held.
    SecondConnection,
    /// Lock and version; a request that comes again is a new one.
    NoIdempotency,
    /// The right lock, given back after COMMIT, and nothing else.
    LockOnly,
    /// The row is written if it still is the one that was read, else all is done again. Nothing else.
    VersionOnly,
    /// One guarded UPDATE in the transaction that also holds the key's row. No lock.
    DatabaseOnly,
    /// The shop as it is: lock, version, the lock's token, guarded UPDATEs, and the key in the same transaction.
    All,
}

/// Under which lock a request works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locking {
    None,
    PerRequest,
    PerResource,
    BeforeCommit,
}

/// How a row is written that was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// As computed from what was read.
    Blind,
    /// The same, unless somebody has changed the row meanwhile.
    Checked,
    /// By the database, from what the row holds then.
    Guarded,
}

/// Where the idempotency key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    None,
    SameTransaction,
    SecondConnection,
}

/// What a defence is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) locking: Locking,
    pub(super) writing: Writing,
    pub(super) keeping: Keeping,
}

impl Defence {
    /// The name on the command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::LockPerRequest => "lock-per-request",
            Self::UnlockBeforeCommit => "unlock-before-commit",
            Self::SecondConnection => "second-connection",
            Self::NoIdempotency => "no-idempotency",
            Self::LockOnly => "lock-only",
            Self::VersionOnly => "version-only",
            Self::DatabaseOnly => "database-only",
            Self::All => "all",
        }
    }

    pub(super) fn parts(self) -> Parts {
        let (locking, writing, keeping) = match self {
            Self::None => (Locking::None, Writing::Blind, Keeping::None),
            Self::LockPerRequest => (Locking::PerRequest, Writing::Blind, Keeping::SameTransaction),
            Self::UnlockBeforeCommit => (Locking::BeforeCommit, Writing::Blind, Keeping::SameTransaction),
            Self::SecondConnection => (Locking::PerResource, Writing::Checked, Keeping::SecondConnection),
            Self::NoIdempotency => (Locking::PerResource, Writing::Checked, Keeping::None),
            Self::LockOnly => (Locking::PerResource, Writing::Blind, Keeping::None),
            Self::VersionOnly => (Locking::None, Writing::Checked, Keeping::None),
            Self::DatabaseOnly => (Locking::None, Writing::Guarded, Keeping::SameTransaction),
            Self::All => (Locking::PerResource, Writing::Checked, Keeping::SameTransaction),
        };
        Parts { locking, writing, keeping }
    }

    /// The damage that has to show, or the defence is not as broken as it is said to be. None: it has to hold.
    pub(super) fn breaks(self) -> &'static [Kind] {
        match self {
            Self::None => &[Kind::Lost, Kind::Double, Kind::Oversold, Kind::Orders],
            Self::LockPerRequest | Self::UnlockBeforeCommit => &[Kind::Lost],
            Self::SecondConnection => &[Kind::Failed],
            Self::NoIdempotency | Self::LockOnly | Self::VersionOnly => &[Kind::Double, Kind::Orders],
            Self::DatabaseOnly | Self::All => &[],
        }
    }
}
