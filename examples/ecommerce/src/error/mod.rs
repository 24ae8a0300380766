//! Every way in which a request can go wrong, and how each is told to the client.

mod body;
mod code;
mod failure;
mod refusal;
mod response;
mod shop_error;

pub use body::ErrorBody;
pub use code::ErrorCode;
pub use refusal::Refusal;
pub use shop_error::ShopError;
