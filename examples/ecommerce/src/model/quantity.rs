use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many pieces of a product: 1 to [`Quantity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Quantity(i64);

impl Quantity {
    /// The most pieces: more is a slip, and would not fit the sums.
    pub const MAX: i64 = 1_000_000;

    /// This many pieces, if that many can be.
    pub fn new(pieces: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&pieces).then_some(Self(pieces))
    }

    /// Reads a quantity from a JSON value: a whole number from 1 to [`Quantity::MAX`].
    pub fn from_json(value: Option<&Value>) -> Option<Self> {
        value.and_then(Value::as_i64).and_then(Self::new)
    }

    /// The sum, if that many can be.
    pub fn plus(self, more: Self) -> Option<Self> {
        Self::new(self.0 + more.0)
    }

    /// The number of pieces.
    pub fn pieces(self) -> i64 {
        self.0
    }
}
