//! Work that goes on by itself: each task is one file, shows in the logs and the metrics, and ends with the server.

mod relay;
mod sweeper;

pub use relay::Relay;
pub use sweeper::sweep;
