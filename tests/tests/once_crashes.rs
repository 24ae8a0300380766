//! A process that is killed at each statement of an idempotent request: its effect is there once, and its key is not stuck.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::process::Command;
use std::time::Duration;

use idempotency::{Idempotency, IdempotencyError, MySqlStore, PostgresStore, Settings};
use interlock_tests::once::{Bank, Ledger, Mode, RequestError, Work, request};
use interlock_tests::{Database, MariaDbServer, PostgresServer, Process, Proxy, Scratch};

/// Far above anything that is waited for here: what takes longer is stuck.
const SOON: Duration = Duration::from_secs(60);
/// As the worker has it.
const LEASE: Duration = Duration::from_millis(500);

async fn killed_at_each_statement<S: Bank>(database: Database, mode: Mode) {
    let (store, pool) = S::open(database.url(), 4);
    // Nothing in memory: the next request comes from another process.
    let once = Idempotency::with_settings(store, Settings::default().wait(SOON));
    once.migrate().await.unwrap();
    S::create(&pool).await;
    let scratch = Scratch::new("crashes");
    let name = if mode == Mode::Transaction { "transaction" } else { "lease" };

    let (mut statement, mut with_effect, mut without) = (0, 0, 0);
    loop {
        statement += 1;
        let key = format!("key-{statement}");
        let proxy = Proxy::to(database.address());
        proxy.freeze_after_requests(statement);
        let mut command = Command::new(env!("CARGO_BIN_EXE_once_worker"));
        command.args([&database.url_through(&proxy), &key, name]);
        let mut worker = Process::spawn(&command, &scratch.path().join(&key));
        interlock_tests::eventually("the statement is reached, or the last was", SOON, async || {
            proxy.struck() > 0 || worker.exited().is_some()
        })
        .await;
        if proxy.struck() == 0 {
            assert!(worker.log().contains("done"), "{}", worker.log());
            break;
        }
        worker.kill();
        drop(proxy);

        // A refusal would be no answer: this comes to an end, whatever the process left.
        let outcome = tokio::time::timeout(SOON, async {
            loop {
                match request(&once, &pool, &key, mode, (Work::Done, Duration::ZERO)).await {
                    Ok(outcome) => return outcome,
                    Err(RequestError::Idempotency(IdempotencyError::InFlight { .. })) => {}
                    Err(error) => panic!("statement {statement}: {error:?}"),
                }
            }
        });
        let outcome = outcome.await.unwrap_or_else(|_| panic!("stuck after statement {statement}"));
        if outcome.replayed() {
            with_effect += 1;
        } else {
            without += 1;
        }
        let ledger = Ledger::read::<S>(&pool).await;
        assert_eq!(ledger.violations(), [""; 0], "statement {statement}");
        assert_eq!(ledger.effects.get(&key), Some(&1), "statement {statement}");
    }
    assert!(with_effect > 0 && without > 3, "{with_effect} kills came after the effect, {without} before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_on_mariadb() {
    let database = MariaDbServer::shared().await.database("crashes").await;
    killed_at_each_statement::<MySqlStore>(database, Mode::Transaction).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leased_work_on_mariadb() {
    let database = MariaDbServer::shared().await.database("crashes").await;
    killed_at_each_statement::<MySqlStore>(database, Mode::Lease(LEASE)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_on_postgres() {
    let database = PostgresServer::shared().await.database("crashes").await;
    killed_at_each_statement::<PostgresStore>(database, Mode::Transaction).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leased_work_on_postgres() {
    let database = PostgresServer::shared().await.database("crashes").await;
    killed_at_each_statement::<PostgresStore>(database, Mode::Lease(LEASE)).await;
}
