use serde::{Serialize, Serializer};
use serde_json::Value;

/// A sum of money to move, in whole won: at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(i64);

impl Amount {
    /// The least that can be moved.
    pub const ONE: Self = Self(1);

    /// Reads an amount from a JSON value: a whole number from 1 to `i64::MAX`.
    ///
    /// # Errors
    ///
    /// [`InvalidAmount`] says what is wrong with the value.
    pub fn from_json(value: Option<&Value>) -> Result<Self, InvalidAmount> {
        match value {
            None | Some(Value::Null) => Err(InvalidAmount::Missing),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(won @ 1..) => Ok(Self(won)),
                Some(_) => Err(InvalidAmount::TooSmall),
                None if number.as_f64().is_some_and(|won| won >= i64::MAX as f64) => {
                    Err(InvalidAmount::TooLarge)
                }
                None => Err(InvalidAmount::NotWhole),
            },
            Some(_) => Err(InvalidAmount::NotWhole),
        }
    }

    /// The amount in won.
    pub fn won(self) -> i64 {
        self.0
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// Why a value is not an [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// There is none.
    #[error("amount is missing")]
    Missing,
    /// It is zero or less.
    #[error("amount must be at least 1")]
    TooSmall,
    /// It does not fit a 64-bit number.
    #[error("amount is too large")]
    TooLarge,
    /// It is text, a fraction, or no number at all.
    #[error("amount must be a whole number")]
    NotWhole,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_whole_numbers_from_one_on_are_amounts() {
        for good in [1, 500, i64::MAX] {
            assert_eq!(Amount::from_json(Some(&json!(good))).map(Amount::won), Ok(good));
        }
        let bad = [
            (json!(null), InvalidAmount::Missing),
            (json!(0), InvalidAmount::TooSmall),
            (json!(-1), InvalidAmount::TooSmall),
            (json!(9_223_372_036_854_775_808_u64), InvalidAmount::TooLarge),
            (json!(1e30), InvalidAmount::TooLarge),
            (json!(1.5), InvalidAmount::NotWhole),
            (json!("100"), InvalidAmount::NotWhole),
            (json!(true), InvalidAmount::NotWhole),
            (json!([1]), InvalidAmount::NotWhole),
        ];
        for (value, why) in bad {
            assert_eq!(Amount::from_json(Some(&value)), Err(why), "{value}");
        }
        assert_eq!(Amount::from_json(None), Err(InvalidAmount::Missing));
    }
}
