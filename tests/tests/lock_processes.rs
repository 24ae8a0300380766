//! Locks between processes that are killed and frozen.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::Duration;

use interlock_tests::{MariaDbServer, Process, RedisServer, Scratch, eventually, unique_name};
use lock_core::LockManager;
use redis::AsyncCommands;

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_millis(600);

/// Starts workers on one key.
struct Workers {
    redis: &'static RedisServer,
    key: String,
    scratch: Scratch,
}

impl Workers {
    async fn new() -> Workers {
        let redis = RedisServer::shared().await;
        Workers { redis, key: unique_name("processes"), scratch: Scratch::new("workers") }
    }

    fn start(&self, task: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lock_worker"));
        command.arg(self.redis.url()).arg(&self.key).arg(LEASE.as_millis().to_string()).args(task);
        Process::spawn(&command, &self.scratch.path().join(unique_name(task[0])))
    }

    /// Waits until locks have nothing left in Redis.
    async fn nothing_is_left(&self) {
        eventually("no key is left", SOON, async || self.redis.lock_keys(&self.key).await.is_empty()).await;
    }
}

/// The number after the last `word` that a worker has said.
fn last(worker: &Process, word: &str) -> Option<u64> {
    worker.log().lines().rev().find_map(|line| line.strip_prefix(word)?.trim().parse().ok())
}

#[tokio::test]
async fn a_killed_holder_is_replaced_after_its_lease() {
    let workers = Workers::new().await;
    let mut holder = workers.start(&["hold"]);
    holder.says("held", SOON).await;
    let mut next = workers.start(&["wait"]);
    next.says("waiting", SOON).await;

    holder.kill();

    next.says("held", SOON).await;
    assert!(last(&next, "held") > last(&holder, "held"), "tokens grow across the death of a holder");
    next.kill();
    workers.nothing_is_left().await;
}

#[tokio::test]
async fn a_killed_waiter_is_passed_over() {
    let workers = Workers::new().await;
    let locks = LockManager::redis(workers.redis.url()).await.unwrap();
    let guard = locks.lock(workers.key.as_str()).acquire().await.unwrap();
    let mut redis = workers.redis.connection().await;
    let waiters = format!("{{{}}}:waiters", workers.key);
    let mut first = workers.start(&["wait"]);
    eventually("one waits", SOON, async || redis.zcard::<_, u64>(&waiters).await.unwrap() == 1).await;
    let mut second = workers.start(&["wait"]);
    eventually("two wait", SOON, async || redis.zcard::<_, u64>(&waiters).await.unwrap() == 2).await;

    first.kill();
    guard.release().await.unwrap();

    second.says("held", SOON).await;
    second.kill();
    workers.nothing_is_left().await;
}

#[tokio::test]
async fn no_update_is_lost_while_one_of_three_is_killed() {
    let workers = Workers::new().await;
    let counter = unique_name("counter");
    let mut three: Vec<_> = (0..3).map(|_| workers.start(&["count", "300", &counter])).collect();
    for worker in &mut three {
        worker.says("counted 20\n", SOON).await;
    }

    three[0].kill();
    assert!(last(&three[0], "counted") < Some(300), "it was killed at work");
    for worker in &mut three[1..] {
        assert!(worker.exits(Duration::from_secs(60)).await.success(), "{}", worker.log());
    }

    let said: u64 = three.iter().map(|worker| last(worker, "counted").unwrap()).sum();
    let counted: u64 = workers.redis.connection().await.get(&counter).await.unwrap();
    // The killed one may have written once more than it had time to say.
    assert!((said..=said + 1).contains(&counted), "{counted} counted, {said} said");
    workers.nothing_is_left().await;
}

#[tokio::test]
async fn a_holder_frozen_past_its_lease_cannot_write_over_the_next() {
    let workers = Workers::new().await;
    let database = MariaDbServer::shared().await.database("fence").await;
    let pool = database.mysql_pool().await;
    let create = "CREATE TABLE fenced (fence BIGINT NOT NULL, writes BIGINT NOT NULL); INSERT INTO fenced VALUES (0, 0)";
    sqlx::raw_sql(create).execute(&pool).await.unwrap();
    let mut frozen = workers.start(&["write", database.url()]);
    frozen.says("written", SOON).await;

    frozen.pause();
    let mut next = workers.start(&["write", database.url()]);
    next.says("written", SOON).await;
    frozen.resume();

    frozen.says("refused", SOON).await;
    let (old, new) = (last(&frozen, "refused").unwrap(), last(&next, "written").unwrap());
    assert!(old < new);
    let fence: i64 = sqlx::query_scalar("SELECT fence FROM fenced").fetch_one(&pool).await.unwrap();
    assert_eq!(fence.cast_unsigned(), new);
    let log = frozen.log();
    let (_, after) = log.split_once("refused").unwrap();
    assert!(!after.contains("written"), "it writes again after it was refused");
}

#[tokio::test]
async fn a_holder_frozen_past_its_lease_finds_out() {
    let workers = Workers::new().await;
    let mut frozen = workers.start(&["hold"]);
    frozen.says("held", SOON).await;

    frozen.pause();
    let mut next = workers.start(&["wait"]);
    next.says("held", SOON).await;
    frozen.resume();

    frozen.says("lost", SOON).await;
    assert!(!next.log().contains("lost"));
}
