//! Real servers, faults and names for the tests of this workspace.
//!
//! A server starts on a free loopback port with throw-away data the first time a test asks for it, and is gone
//! when the test process is, however that ends. A URL in the environment replaces it: `TEST_REDIS_URL`,
//! `TEST_DATABASE_URL` (MySQL or MariaDB), `TEST_POSTGRES_URL`. A missing server fails the test with one line
//! that says what to install.
//!
//! ```no_run
//! # async fn example() {
//! use interlock_tests::{MariaDbServer, Proxy, RedisServer, unique_name};
//!
//! let redis = RedisServer::shared().await; // one per test binary: keep to keys under a name of your own
//! let prefix = unique_name("charge");
//! let database = MariaDbServer::shared().await.database("charge").await; // empty, this test's alone
//!
//! let mut redis_to_break = RedisServer::private().await; // to pause, kill, flush or restart
//! let proxy = Proxy::to(&redis_to_break.address());
//! redis_to_break.pause();
//! # }
//! ```

// A harness reports by panicking: the test that asked is the one that fails.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod database;
mod eventually;
pub mod fault_run;
mod install;
mod launch;
mod lock_keys;
mod mariadb_server;
pub mod model;
mod names;
pub mod once;
mod port;
mod postgres_server;
mod process;
mod proxy;
mod reaper;
mod redis_cluster;
mod redis_connection;
mod redis_sentinel;
mod redis_server;
mod redis_tls;
mod round_trips;
mod scratch;
mod shared;
mod slow_flushes;

pub use database::Database;
pub use eventually::eventually;
pub use mariadb_server::MariaDbServer;
pub use names::unique_name;
pub use port::free_port;
pub use postgres_server::PostgresServer;
pub use process::Process;
pub use proxy::Proxy;
pub use redis_cluster::RedisCluster;
pub use redis_connection::redis_connection;
pub use redis_sentinel::RedisSentinel;
pub use redis_server::RedisServer;
pub use redis_tls::RedisTls;
pub use round_trips::RoundTrips;
pub use scratch::Scratch;
pub use slow_flushes::SlowFlushes;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
