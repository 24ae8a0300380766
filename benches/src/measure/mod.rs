//! How it is measured: interleaved rounds, medians, and what the server and the process say of themselves.

mod commands;
mod contest;
mod process;
mod round_trip;
mod spread;

pub use commands::CommandCounter;
pub use contest::{Contest, Standings};
pub use process::{cpu_time, resident_bytes};
pub use round_trip::{paced_round_trip, round_trip};
pub use spread::Spread;
