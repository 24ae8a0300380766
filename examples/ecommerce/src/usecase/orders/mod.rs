//! Ordering.

mod basket;
mod create;
mod list;
mod order;

pub use basket::{Basket, BasketLine};
pub(crate) use create::place;
pub use create::{OrderDesk, PlaceOrder};
pub use list::list;
pub use order::{Order, OrderItem};
