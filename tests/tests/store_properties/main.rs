//! Random steps of the state machine of a key, on each store, checked against a model that is written down once.

#![allow(clippy::panic, clippy::unwrap_used)]

mod model;
mod side;
mod step;

use idempotency::{MemoryStore, MySqlStore, PostgresStore, SqliteStore, Store};
use interlock_tests::{MariaDbServer, PostgresServer, Scratch};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::runtime::Runtime;

use self::model::Model;
use self::side::Side;
use self::step::{Step, steps};

/// Runs `cases` random histories, each under keys of its own, and shrinks the first that goes otherwise.
fn agrees_with_the_model<S: Store + Clone>(runtime: &Runtime, store: &S, cases: u32) {
    runtime.block_on(store.migrate()).unwrap();
    let config = Config { cases, max_shrink_time: 30_000, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| runtime.block_on(run(store, &steps)));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

async fn run<S: Store>(store: &S, steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut model, mut side) = (Model::default(), Side::new(store));
    // What the last history has left would be swept, too.
    side.clear().await;
    for (number, step) in steps.iter().enumerate() {
        let expected = model.take(step);
        let answer = side.take(step, model.granted()).await;
        prop_assert_eq!(answer, expected, "step {}: {:?}", number, step);
    }
    Ok(())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn memory() {
    agrees_with_the_model(&runtime(), &MemoryStore::default(), 64);
}

#[test]
fn sqlite() {
    let (runtime, scratch) = (runtime(), Scratch::new("properties"));
    let options =
        SqliteConnectOptions::new().filename(scratch.path().join("keys.db")).create_if_missing(true);
    let pool = runtime.block_on(SqlitePoolOptions::new().connect_with(options)).unwrap();
    agrees_with_the_model(&runtime, &SqliteStore::new(pool), 32);
}

#[test]
fn mariadb() {
    let runtime = runtime();
    let database = runtime.block_on(async { MariaDbServer::shared().await.database("properties").await });
    let pool = runtime.block_on(MySqlPoolOptions::new().connect(database.url())).unwrap();
    agrees_with_the_model(&runtime, &MySqlStore::new(pool), 16);
}

#[test]
fn postgres() {
    let runtime = runtime();
    let database = runtime.block_on(async { PostgresServer::shared().await.database("properties").await });
    let pool = runtime.block_on(PgPoolOptions::new().connect(database.url())).unwrap();
    agrees_with_the_model(&runtime, &PostgresStore::new(pool), 16);
}
