use std::fmt;

/// A number that only ever grows, per key, from one guard to the next.
///
/// Store it beside what the lock protects and refuse a smaller one
/// (`UPDATE … SET fence = ? WHERE id = ? AND fence <= ?`): then a holder that lost its lock without noticing, frozen
/// in the middle of its work, can do no harm. Fits a signed 64-bit column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(u64);

impl FencingToken {
    /// A token of the given value, for implementors of a [`LockBackend`](crate::LockBackend).
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The value as the signed number that SQL databases store.
    pub const fn as_i64(self) -> i64 {
        // Tokens follow the clock in microseconds since 1970: the top bit is used in 292,000 years.
        self.0.cast_signed()
    }
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<FencingToken> for u64 {
    fn from(token: FencingToken) -> Self {
        token.0
    }
}
