//! A process that makes idempotent requests, for tests that kill it.
//!
//! - `once_worker DATABASE_URL KEY transaction|lease` makes one request and says `done` when it is answered.
//! - `once_worker DATABASE_URL SEED load` makes requests without end, and says now and then what they came to.

// Standard output is how it talks to the test, and a panic is how it fails.
#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

use std::time::Duration;

use idempotency::{Idempotency, MySqlStore, PostgresStore, SqliteStore};
use interlock_tests::once::{Bank, Mode, Work, load, request};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, task] = &arguments[..] else { panic!("DATABASE_URL KEY transaction|lease|load") };
    match url.split_once(':').map(|(database, _)| database) {
        Some("mysql") => run::<MySqlStore>(url, key, task).await,
        Some("postgres") => run::<PostgresStore>(url, key, task).await,
        Some("sqlite") => run::<SqliteStore>(url, key, task).await,
        _ => panic!("unknown database {url}"),
    }
}

async fn run<S: Bank>(url: &str, key: &str, task: &str) {
    let mode = match task {
        "transaction" => Mode::Transaction,
        "lease" => Mode::Lease(Duration::from_millis(500)),
        "load" => return load::<S>(url, key.parse().unwrap()).await,
        other => panic!("unknown task {other}"),
    };
    let (store, pool) = S::open(url, 2);
    let once = Idempotency::new(store);
    let _ = request(&once, &pool, key, mode, (Work::Done, Duration::ZERO)).await.unwrap();
    println!("done");
}
