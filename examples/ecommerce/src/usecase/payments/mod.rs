//! Paying an order: stock, balance and the gateway, which no one transaction can hold together.
//!
//! First transaction: stock and balance are taken, and the payment is written down. Then the gateway is asked, outside
//! of any transaction. Second transaction: the order is paid, or everything is given back. Where the gateway does not
//! answer, or this process dies in between, the row of the payment says what is to be found out.

mod desk;
mod ending;
mod paid;
mod payable;
mod reconcile;
mod reserve;

pub use desk::{PaymentDesk, PaymentSettings};
pub use paid::Paid;
