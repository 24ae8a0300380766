//! Flags and environment variables.

mod address;
mod duration;
mod environment;
mod parse;
mod switch;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

pub use address::{DatabaseAddress, InvalidAddress, RedisAddress};
pub use parse::{Parsed, parse};
pub use switch::Switch;

use crate::lab::{CrashAt, Demo};
pub(crate) use duration::duration;

const EXAMPLES: &str = "\
Examples:
  ecommerce                                    one process, nothing to install: ./ecommerce.db, locks in memory
  ecommerce --port 8081 --log debug            another port, every lock in the log
  DATABASE_URL=mysql://shop:secret@127.0.0.1/shop REDIS_URL=redis://127.0.0.1 ecommerce
                                               MySQL or MariaDB, and locks in Redis: start as many as you like
  ecommerce demo                               what each defence is for: speed and damage of the same load, in a minute
  ecommerce --charge-lock=off                  what the lock is for: watch shop_version_conflicts_total grow

Every setting is a flag or an environment variable; the flag wins. An unknown flag, an unknown variable that starts
with ECOMMERCE_ and a value that cannot be read end the program with one line and exit code 2; a database or a Redis
that is away at start, with exit code 1.";

/// What the server is told by flags and by the environment.
#[derive(Debug, Clone, Parser)]
#[command(name = "ecommerce", version, about, after_help = EXAMPLES)]
pub struct Settings {
    /// Where the shop keeps its data: sqlite:FILE, or mysql://USER:PASSWORD@HOST:PORT/DATABASE (MySQL or MariaDB).
    /// Tables and start data are made at start
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        default_value = "sqlite:ecommerce.db",
        hide_env_values = true
    )]
    pub database_url: DatabaseAddress,

    /// Where several instances share their locks and caches: redis://USER:PASSWORD@HOST:PORT. Without it both are in
    /// memory, which serves one instance alone
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub redis_url: Option<RedisAddress>,

    /// What every key in Redis starts with, for shops that share a Redis and nothing else
    #[arg(
        long,
        env = "ECOMMERCE_REDIS_PREFIX",
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub redis_prefix: String,

    /// The address to listen on
    #[arg(long, env = "BIND", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,

    /// The port to listen on; 0 takes a free one and says which
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// What to log: error, warn, info, debug, trace, or targets, such as info,lock_core=debug
    #[arg(long, env = "LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// The most connections to the database. A request uses one at most
    #[arg(long, env = "ECOMMERCE_POOL_SIZE", value_name = "N", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pool_size: u32,

    /// How long a request waits for a connection to the database before it is answered with 503
    #[arg(long, env = "ECOMMERCE_DATABASE_WAIT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub database_wait: Duration,

    /// How long a request may take before it is answered with 503
    #[arg(long, env = "ECOMMERCE_REQUEST_TIMEOUT", value_name = "DURATION", default_value = "25s", value_parser = duration)]
    pub request_timeout: Duration,

    /// How long the answer to a request with an idempotency key is kept and repeated
    #[arg(long, env = "ECOMMERCE_IDEMPOTENCY_TTL", value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub idempotency_ttl: Duration,

    /// The longest request body, in bytes
    #[arg(long, env = "ECOMMERCE_BODY_LIMIT", value_name = "BYTES", default_value_t = 65_536,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub body_limit: u32,

    /// How long requests under way may take to end once the server is told to stop
    #[arg(long, env = "ECOMMERCE_DRAIN_TIMEOUT", value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub drain_timeout: Duration,

    /// How long the payment gateway may take to answer; after that the payment's outcome is unknown
    #[arg(long, env = "ECOMMERCE_GATEWAY_TIMEOUT", value_name = "DURATION", default_value = "3s", value_parser = duration)]
    pub gateway_timeout: Duration,

    /// How old a payment of unknown outcome is when the gateway is asked what became of it
    #[arg(long, env = "ECOMMERCE_RECONCILE_AFTER", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub reconcile_after: Duration,

    /// How often expired idempotency keys are deleted, and those counted that are stuck
    #[arg(long, env = "ECOMMERCE_SWEEP_EVERY", value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub sweep_every: Duration,

    /// Dies at this step of the next payment, for demonstration: start again and see that nothing is lost
    #[arg(long, env = "ECOMMERCE_CRASH_AT", value_name = "STEP")]
    pub crash_at: Option<CrashAt>,

    /// Whether a charge takes the user's lock. Off is for demonstration: the version check alone then keeps balances
    /// right, by doing work again and again
    #[arg(long, env = "ECOMMERCE_CHARGE_LOCK", value_name = "SWITCH", default_value = "on")]
    pub charge_lock: Switch,

    /// Whether somebody has said where the data is
    #[arg(skip)]
    pub database_is_given: bool,

    /// What to do in place of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do besides serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Runs the same load under one defence after the other, and prints speed and damage
    ///
    /// The damage is counted in the database.
    ///
    /// Requests go to the use cases, without HTTP, from many tasks at once. Half of them charge a few balances; the others
    /// come from clients that want one charge, one order and one coupon each, and send the first two three times at once
    /// under one key.
    ///
    /// Without DATABASE_URL the data is in a SQLite file that is deleted afterwards, without REDIS_URL the locks are in
    /// memory. With them it works beside the shop's data in rows of its own, and takes them away afterwards.
    ///
    /// Ends with exit code 1 when a broken defence shows no damage, or one that should hold shows some.
    Demo(Demo),
}

impl Settings {
    /// The address to listen on.
    pub fn listen_on(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }

    /// The file that holds the data, when the database is SQLite.
    pub fn database_file(&self) -> Option<PathBuf> {
        self.database_url.file()
    }
}
