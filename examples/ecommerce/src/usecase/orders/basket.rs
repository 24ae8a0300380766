use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::error::{ErrorCode, Refusal};
use crate::model::{ProductId, Quantity};

/// What is to be ordered: each product once, in the order of their numbers. Whoever orders the same things in another
/// order asks for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket(BTreeMap<ProductId, Quantity>);

/// Some pieces of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BasketLine {
    /// Which product.
    pub product: ProductId,
    /// How many pieces.
    pub quantity: Quantity,
}

impl Basket {
    /// The most lines.
    pub const MAX_LINES: usize = 100;

    /// Merges lines of one product.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidInput`] when there are none or too many, [`ErrorCode::InvalidQuantity`] when there are too
    /// many pieces of one product.
    pub fn merge(lines: impl IntoIterator<Item = BasketLine>) -> Result<Self, Refusal> {
        let mut merged = BTreeMap::new();
        for BasketLine { product, quantity } in lines {
            let sum = match merged.get(&product) {
                None => Some(quantity),
                Some(others) => quantity.plus(*others),
            };
            merged.insert(product, sum.ok_or(ErrorCode::InvalidQuantity)?);
        }
        if merged.is_empty() {
            return Err(Refusal::because(ErrorCode::InvalidInput, "items is empty"));
        }
        if merged.len() > Self::MAX_LINES {
            return Err(Refusal::because(
                ErrorCode::InvalidInput,
                "there are more than 100 products in items",
            ));
        }
        Ok(Self(merged))
    }

    /// The products, in order.
    pub fn products(&self) -> Vec<ProductId> {
        self.0.keys().copied().collect()
    }

    /// How many pieces of this product.
    pub fn pieces(&self, product: ProductId) -> i64 {
        self.0.get(&product).map_or(0, |quantity| quantity.pieces())
    }
}

impl Serialize for Basket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(&product, &quantity)| BasketLine { product, quantity }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(product: i64, pieces: i64) -> BasketLine {
        BasketLine { product: ProductId(product), quantity: Quantity::new(pieces).unwrap() }
    }

    #[test]
    fn lines_of_one_product_are_merged_and_their_order_does_not_matter() {
        let one = Basket::merge([line(3, 1), line(1, 2), line(3, 4)]).unwrap();
        let other = Basket::merge([line(1, 2), line(3, 5)]).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.products(), [ProductId(1), ProductId(3)]);
        assert_eq!(one.pieces(ProductId(3)), 5);
    }

    #[test]
    fn an_empty_basket_and_one_that_is_too_full_are_refused() {
        let code = |lines: Vec<BasketLine>| Basket::merge(lines).map_err(|refusal| refusal.code);
        assert_eq!(code(vec![]), Err(ErrorCode::InvalidInput));
        assert_eq!(code((1..=101).map(|n| line(n, 1)).collect()), Err(ErrorCode::InvalidInput));
        assert_eq!(code(vec![line(1, Quantity::MAX), line(1, 1)]), Err(ErrorCode::InvalidQuantity));
    }
}
