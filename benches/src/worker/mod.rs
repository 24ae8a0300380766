//! Loads in processes of their own: the command starts itself again, once a worker.

mod handle;
mod held;
mod history;
mod job;
mod message;
mod relay;
mod start;

pub use handle::Worker;
pub use held::HeldReport;
pub use history::History;
pub use job::{Job, JobKind, run};
pub use relay::Turn;
