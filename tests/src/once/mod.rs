//! Idempotent requests that are broken in every way, and what must hold afterwards.

mod bank;
mod chaos;
mod counts;
mod ledger;
mod load;
mod request;
mod victim;
mod worker;

pub use bank::{Bank, Packets};
pub use chaos::{Chaos, Struck};
pub use counts::Counts;
pub use ledger::Ledger;
pub use load::{load, mode_of};
pub use request::{Mode, RequestError, Work, request};
pub use worker::Worker;
