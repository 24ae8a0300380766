//! A process that is killed at each statement of an idempotent request: its effect is there once, and its key is not stuck.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use idempotency::{Idempotency, MySqlStore, PostgresStore, Settings};
use interlock_tests::once::{Bank, Ledger, Mode, RequestError, Work, Worker, request};
use interlock_tests::{Database, MariaDbServer, PostgresServer, Process, Proxy, Scratch};

/// Far above anything that is waited for here: what takes longer is stuck.
const SOON: Duration = Duration::from_secs(60);
/// Short, since each kill leaves one to run out.
const LEASE: Duration = Duration::from_secs(1);
/// Long, since nobody kills who repeats a request.
const REPEATED: Duration = Duration::from_secs(20);

async fn killed_at_each_statement<S: Bank>(database: Database, mode: Mode) {
    let (store, pool) = S::open(database.url(), 4);
    // Nothing in memory: the next request comes from another process.
    let once = Idempotency::with_settings(store, Settings::default().wait(SOON));
    once.migrate().await.unwrap();
    S::create(&pool).await;
    let scratch = Scratch::new("crashes");
    let (lease, repeated) = match mode {
        Mode::Lease(lease) => (u64::try_from(lease.as_millis()).ok(), Mode::Lease(REPEATED)),
        Mode::Transaction => (None, mode),
    };

    let (mut statement, mut with_effect, mut without) = (1, 0, 0);
    for attempt in 1.. {
        assert!(attempt < 100, "statement {statement} is never reached");
        let key = format!("key-{attempt}");
        let proxy = Proxy::to(database.address());
        proxy.freeze_after_requests(statement);
        let worker = Worker { url: database.url_through(&proxy), key: Some(key.clone()), lease, seed: 0 };
        let command = worker.command(Path::new(env!("CARGO_BIN_EXE_once_stress")));
        let mut worker = Process::spawn(&command, &scratch.path().join(&key));
        interlock_tests::eventually("the statement is reached, or the last was", SOON, async || {
            proxy.struck() > 0 || worker.exited().is_some()
        })
        .await;
        let reached = proxy.struck() > 0;
        worker.kill();
        drop(proxy);
        if !reached && worker.log().contains("done") {
            break;
        }

        // A refusal would be no answer: this comes to an end, whatever the process left.
        let outcome = tokio::time::timeout(SOON, async {
            loop {
                match request(&once, &pool, &key, repeated, (Work::Done, Duration::ZERO)).await {
                    Ok(outcome) => return outcome,
                    // In flight; or the machine is so busy that a lease has run out while its owner was at work.
                    Err(RequestError::Idempotency(error)) if error.is_transient() => {}
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
        // What a busy machine has ended before is tried again.
        statement += usize::from(reached);
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
