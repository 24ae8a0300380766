//! What the shop does: one file a use case.

pub mod carts;
pub mod charge;
pub mod coupons;
pub mod orders;
pub mod payments;
pub mod products;
mod retried;
pub mod top_products;
pub mod users;

pub(crate) use retried::retried;
