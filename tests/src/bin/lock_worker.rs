//! A process that uses locks, for tests that kill and freeze it.
//!
//! `lock_worker REDIS_URL KEY LEASE_MS TASK…`, where the task is one of
//!
//! - `hold`: takes the lock and keeps it; says `held TOKEN`, and `lost` when it is.
//! - `wait`: says `waiting` and queues for the lock; says `held TOKEN`.
//! - `count N COUNTER`: adds one to the Redis key `COUNTER`, N times, each time under the lock, by reading and then
//!   writing it; says `counted I` after each.
//! - `add ELEMENT SET plain|fenced [stop]`: adds an element to the Redis key `SET`, a list with commas, under the lock: by
//!   reading it, pausing and writing it, without ever asking whether the lock is still held. With `stop` the process
//!   stops itself (SIGSTOP) the first time, between reading and writing; it says `read` before. With `fenced` the store
//!   refuses the token of an older lock; then it says `refused` and starts again. Says `added` in the end.
//! - `write DATABASE_URL`: takes the lock once and then, like a careless program, writes its token into the table
//!   `fenced` without ever asking whether the lock is still held; says `written TOKEN` or `refused TOKEN` each time.

// Standard output is how it talks to the test, and a panic is how it fails.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

use std::time::Duration;

use interlock_tests::redis_connection;
use lock_core::{LockGuard, LockManager};
use redis::AsyncCommands;
use rustix::process::{Signal, getpid, kill_process};
use sqlx::mysql::MySqlPool;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [redis_url, key, lease, task @ ..] = arguments.as_slice() else { panic!("too few arguments") };
    let locks = LockManager::redis(redis_url).await.unwrap();
    let lease = Duration::from_millis(lease.parse().unwrap());
    let take = async || locks.lock(*key).lease(lease).wait(Duration::from_secs(60)).acquire().await.unwrap();
    match task {
        ["hold"] => hold(take().await).await,
        ["wait"] => {
            println!("waiting");
            hold(take().await).await;
        }
        ["count", times, counter] => {
            let mut redis = redis_connection(redis_url).await.unwrap();
            for number in 1..=times.parse().unwrap() {
                let guard = take().await;
                add_one(&mut redis, counter).await;
                println!("counted {number}");
                drop(guard);
            }
            locks.shutdown().await;
        }
        ["add", element, set, store, stop @ ..] => {
            let mut redis = redis_connection(redis_url).await.unwrap();
            let mut stop = *stop == ["stop"];
            loop {
                let guard = take().await;
                let fence = (*store == "fenced").then(|| guard.token().get());
                if add(&mut redis, set, element, fence, std::mem::take(&mut stop)).await {
                    break;
                }
                println!("refused");
            }
            println!("added");
            locks.shutdown().await;
        }
        ["write", database_url] => {
            let pool = MySqlPool::connect(database_url).await.unwrap();
            let guard = take().await;
            write(&pool, &guard).await;
        }
        other => panic!("unknown task {other:?}"),
    }
}

async fn hold(guard: LockGuard) {
    println!("held {}", guard.token());
    guard.lost().await;
    println!("lost");
    std::future::pending::<()>().await;
}

/// Loses an update as soon as two do it at once.
async fn add_one(redis: &mut redis::aio::MultiplexedConnection, counter: &str) {
    let read: Option<u64> = redis.get(counter).await.unwrap();
    let () = redis.set(counter, read.unwrap_or(0) + 1).await.unwrap();
}

/// Writes a value, unless a newer token has written.
const FENCED_SET: &str = "
    if tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[2]) then return 0 end
    redis.call('SET', KEYS[2], ARGV[2])
    redis.call('SET', KEYS[1], ARGV[1])
    return 1
";

/// Loses what others added between its reading and its writing. False when the store refused.
async fn add(
    redis: &mut redis::aio::MultiplexedConnection,
    set: &str,
    element: &str,
    fence: Option<u64>,
    stop: bool,
) -> bool {
    let read: Option<String> = redis.get(set).await.unwrap();
    println!("read");
    if stop {
        kill_process(getpid(), Signal::STOP).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let elements: Vec<&str> = read.iter().flat_map(|read| read.split(',')).chain([element]).collect();
    let written = elements.join(",");
    let Some(token) = fence else {
        let () = redis.set(set, written).await.unwrap();
        return true;
    };
    let script = redis::Script::new(FENCED_SET);
    let mut call = script.key(set);
    call.key(format!("{set}:fence")).arg(written).arg(token);
    call.invoke_async(redis).await.unwrap()
}

async fn write(pool: &MySqlPool, guard: &LockGuard) {
    let token = guard.token().as_i64();
    loop {
        // A row that is there and holds the very same token counts as written.
        let sql = "UPDATE fenced SET fence = ?, writes = writes + 1 WHERE fence <= ?";
        let updated = sqlx::query(sql).bind(token).bind(token).execute(pool).await.unwrap();
        println!("{} {token}", if updated.rows_affected() == 1 { "written" } else { "refused" });
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
