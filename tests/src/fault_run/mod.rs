//! Processes that use locks on a real Redis while things go wrong, and a look at all that they did afterwards.
//!
//! Workers write down what they ask for, what they get and what they write; the store they write to refuses older
//! tokens. Nothing is judged while it goes on: the checker reads the histories in the end.

#![allow(clippy::print_stdout, reason = "a long run says how far it is")]

mod checker;
mod clock;
mod fault;
mod history;
mod report;
mod settings;
mod store;
mod supervisor;
mod worker;

pub use report::Report;
pub use settings::{Broken, Settings};
pub use supervisor::run;
pub use worker::{Task, work};
