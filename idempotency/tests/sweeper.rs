//! The task that deletes what is over.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use idempotency::{BoxError, Idempotency, MemoryStore, Settings, Sweep};

const HOUR: Duration = Duration::from_secs(3600);

async fn charge(once: &Idempotency<MemoryStore>, key: &str) -> bool {
    let charged = once.request("charge", key).unwrap().transaction(async |_| Ok::<_, BoxError>(1));
    charged.await.unwrap().replayed()
}

#[tokio::test(start_paused = true)]
async fn batches_follow_each_other_until_nothing_is_over() {
    let once = Idempotency::with_settings(MemoryStore::default(), Settings::default().ttl(HOUR));
    for i in 0..25 {
        assert!(!charge(&once, &format!("key-{i}")).await);
    }
    let sweep = Sweep::default().batch(10);
    assert_eq!(once.sweep_once(&sweep).await.unwrap(), 0);
    tokio::time::advance(2 * HOUR).await;
    assert_eq!(once.sweep_once(&sweep).await.unwrap(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_task_sweeps_until_it_is_aborted() {
    let once = Idempotency::with_settings(MemoryStore::default(), Settings::default().ttl(HOUR));
    charge(&once, "key").await;
    let task = once.spawn_sweeper(Sweep::default().every(HOUR));
    tokio::time::sleep(3 * HOUR).await;
    assert_eq!(once.sweep_once(&Sweep::default()).await.unwrap(), 0, "the task was first");
    charge(&once, "key").await;
    task.abort();
    tokio::time::sleep(3 * HOUR).await;
    assert_eq!(once.sweep_once(&Sweep::default()).await.unwrap(), 1);
}
