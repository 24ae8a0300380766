//! Values that cannot be wrong.

mod amount;
mod coupon_status;
mod ids;
mod order_status;
mod payment_status;
mod product_order;
mod quantity;
mod status;
mod timestamp;

pub use amount::{Amount, InvalidAmount};
pub use coupon_status::CouponStatus;
pub use ids::{CartId, CouponId, OrderId, ProductId, UserCouponId, UserId};
pub use order_status::OrderStatus;
pub use payment_status::PaymentStatus;
pub use product_order::ProductOrder;
pub use quantity::Quantity;
pub use status::UnknownStatus;
pub use timestamp::Timestamp;
