//! What breaks things, to show what holds then: a process that dies on the way, and the same load under one defence
//! after the other.

mod bench;
mod charge;
mod coupon;
mod crash;
mod damage;
mod defence;
mod demo;
mod effect;
mod load;
mod order;
mod stage;
mod table;
mod turn;

pub use crash::{Crash, CrashAt};
pub use defence::Defence;
pub use demo::{Demo, DemoError, demo};
