// Standard output is how it talks to who started it.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clap::Args;
use idempotency::{Idempotency, MySqlStore, PostgresStore, SqliteStore};

use super::{Bank, Mode, Work, load, request};

/// A process that makes idempotent requests, for others to kill: one request, after which it says `done`, or requests
/// without end, of which it says now and then what they came to.
#[derive(Debug, Clone, Args)]
pub struct Worker {
    /// The database.
    pub url: String,
    /// The key of the one request.
    #[arg(long)]
    pub key: Option<String>,
    /// Makes the one request in lease mode, for so many milliseconds.
    #[arg(long)]
    pub lease: Option<u64>,
    /// Where the random numbers of the others begin.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl Worker {
    /// The command that starts it by `program`, which calls [`run`](Self::run) when its first argument is `worker`.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(["worker", &self.url, "--seed", &self.seed.to_string()]);
        if let Some(key) = &self.key {
            command.args(["--key", key]);
        }
        if let Some(lease) = self.lease {
            command.args(["--lease", &lease.to_string()]);
        }
        command
    }

    /// Does it.
    pub async fn run(self) {
        match self.url.split_once(':').map(|(database, _)| database) {
            Some("mysql") => self.run_on::<MySqlStore>().await,
            Some("postgres") => self.run_on::<PostgresStore>().await,
            Some("sqlite") => self.run_on::<SqliteStore>().await,
            _ => panic!("unknown database {}", self.url),
        }
    }

    async fn run_on<S: Bank>(self) {
        let Some(key) = self.key else { return load::<S>(&self.url, self.seed).await };
        let (store, pool) = S::open(&self.url, 2);
        let mode = match self.lease {
            Some(lease) => Mode::Lease(Duration::from_millis(lease)),
            None => Mode::Transaction,
        };
        match request(&Idempotency::new(store), &pool, &key, mode, (Work::Done, Duration::ZERO)).await {
            Ok(_) => println!("done"),
            Err(error) if error.is_contended() => println!("violation: {key}: a caller has met {error:?}"),
            Err(error) => println!("{error:?}"),
        }
    }
}
