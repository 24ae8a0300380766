//! The shop as its users meet it: the real program, over HTTP, on real servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::print_stdout)]

mod background;
mod bad_input;
mod caches;
mod carts;
mod charge;
mod costs;
mod coupons;
mod crash;
mod demo;
mod load;
mod locks_in_redis;
mod logs;
mod openapi;
mod orders;
mod outage;
mod outbox;
mod payment_crashes;
mod payments;
mod products;
mod readme;
mod refusals;
mod round_trips;
mod settings;
mod shutdown;
mod start_data;
mod support;
mod waiting;
mod watch;
