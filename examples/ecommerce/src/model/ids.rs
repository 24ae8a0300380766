use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Numbers that name rows, each a type of its own, so that none is taken for another.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// The number of a user.
    UserId
    /// The number of a product.
    ProductId
    /// The number of a cart.
    CartId
    /// The number of a coupon.
    CouponId
    /// The number of a coupon in a user's hands.
    UserCouponId
    /// The number of an order.
    OrderId
}
