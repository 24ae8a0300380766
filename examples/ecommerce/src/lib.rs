//! A shop under contention: what it looks like when a service takes locks and idempotency keys seriously.
//!
//! Start with [`usecase`]: each use case is one file. [`routes`] puts them on HTTP, [`store`] on SQLite and MySQL.

pub mod app;
pub mod background;
pub mod cache;
pub mod error;
pub mod events;
pub mod gateway;
pub mod http;
pub mod lab;
pub mod model;
pub mod routes;
pub mod server;
pub mod settings;
pub mod shared;
pub mod signals;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod usecase;
