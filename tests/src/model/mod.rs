//! A model of the lock protocol on one key, small enough to be checked in every state that it can reach.
//!
//! The server's scripts, the front's state machine and the messages between them are written down once more, without
//! threads, sockets or clocks: one action is one step of one of them, or a fault, and time goes on in ticks.
//! [`stateright`] then takes every step in every state. What is modelled and what is not: `docs/proofs.md`.

mod action;
mod check;
mod context;
mod fault;
mod known;
mod message;
mod mutation;
mod network;
mod node;
mod ownership;
mod phase;
mod promise;
mod protocol;
mod server;
mod settings;
mod system;
mod ticket;
mod ticks;
mod tokens;
mod unconfirmed;

pub use check::{Counterexample, Outcome, check};
pub use fault::FaultKind;
pub use mutation::Mutation;
pub use promise::Promise;
pub use settings::Settings;
