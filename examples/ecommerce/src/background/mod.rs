//! Work that goes on by itself: each task is one file, shows in the logs and the metrics, and ends with the server.

mod relay;
mod rounds;
mod sweeper;

pub use relay::Relay;
pub use rounds::{Round, rounds};
pub use sweeper::Sweeper;
