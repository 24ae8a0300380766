//! Callers of one node come before those of another one that queues, but not for long.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lock_core::{InProcessBackend, LockManager};
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

/// Far more than may come first.
const CALLERS: usize = 100;

/// How many turns of one node end between the moment in which another one queues and its turn.
async fn overtaken(turn: Duration) -> usize {
    let backend = Arc::new(InProcessBackend::new());
    let [here, there] = [(); 2].map(|()| LockManager::builder().backend(backend.clone()));
    let turns = Arc::new(AtomicUsize::new(0));
    let held = here.lock("k").acquire().await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (here, turns) = (here.clone(), Arc::clone(&turns));
        callers.spawn(async move {
            let guard = here.lock("k").wait(Duration::from_secs(60)).acquire().await.unwrap();
            sleep(turn).await;
            turns.fetch_add(1, Ordering::Relaxed);
            drop(guard);
        });
    }
    let other = tokio::spawn(async move {
        let guard = there.lock("k").wait(Duration::from_secs(60)).acquire().await.unwrap();
        let before = turns.load(Ordering::Relaxed);
        drop(guard);
        before
    });
    for _ in 0..10 {
        yield_now().await;
    }
    drop(held);
    let before = other.await.unwrap();
    assert_eq!(callers.join_all().await.len(), CALLERS);
    before
}

#[tokio::test(start_paused = true)]
async fn sixteen_short_turns_come_before_another_node() {
    assert_eq!(overtaken(Duration::ZERO).await, 16);
}

#[tokio::test(start_paused = true)]
async fn five_milliseconds_of_turns_come_before_another_node() {
    let turns = overtaken(Duration::from_millis(2)).await;
    assert!((1..=3).contains(&turns), "{turns} turns of 2 ms each");
}
