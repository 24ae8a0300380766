//! The longest durations there are: nothing panics, and limits take their place.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use lock_core::*;
use tokio::time::{Instant, sleep};

fn longest() -> LockOptions {
    LockOptions::new().wait(Duration::MAX).lease(Duration::MAX).retain(Duration::MAX)
}

fn node(backend: &Arc<FaultyBackend>) -> LockManager {
    LockManager::builder().defaults(longest()).patience(Duration::MAX).backend(backend.clone())
}

fn faulty() -> Arc<FaultyBackend> {
    Arc::new(FaultyBackend::new(Arc::new(InProcessBackend::new())))
}

#[tokio::test(start_paused = true)]
async fn the_longest_options_are_brought_within_limits() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    for renew in [true, false] {
        let guard = a.lock("k").renew(renew).acquire().await.unwrap();
        assert!(
            guard.remaining() <= LockOptions::MAX_LEASE && guard.remaining() > LockOptions::MAX_LEASE / 2
        );
        guard.extend(Duration::MAX).await.unwrap();
        let waiting = tokio::spawn({
            let b = b.clone();
            async move { b.lock("k").acquire().await.map(|guard| guard.is_held()) }
        });
        tokio::task::yield_now().await;
        // Longer than a third of the longest lease: it is renewed meanwhile, if at all.
        sleep(LockOptions::MAX_LEASE / 2).await;
        guard.release().await.unwrap();
        assert!(waiting.await.unwrap().unwrap());
        // Kept by the other node until somebody wants it.
        assert!(a.lock("k").acquire().await.is_ok());
    }
    drop(a.lock_all(["k", "l"]).acquire().await.unwrap());
    let held = a.lock("m").run(async |lock| lock.is_held()).await;
    assert!(held.unwrap());
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_ends() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    let _guard = a.lock("k").acquire().await.unwrap();
    let began = Instant::now();
    assert!(matches!(b.lock("k").acquire().await, Err(LockError::Timeout { .. })));
    assert_eq!(began.elapsed().as_secs(), LockOptions::MAX_WAIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn the_longest_patience_waits_for_the_backend() {
    let backend = faulty();
    let locks = node(&backend);
    for verb in BackendVerb::ALL {
        backend.every(verb, BackendFault::CutBefore);
    }
    let waiting = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("k").acquire().await.map(|guard| guard.is_held()) }
    });
    sleep(Duration::from_secs(3600)).await;
    assert!(!waiting.is_finished());
    backend.heal();
    assert!(waiting.await.unwrap().unwrap());
    locks.shutdown().await;
}

/// Of a backend that answers what nobody asked for, and of commands that a caller sends to a backend itself.
#[tokio::test(start_paused = true)]
async fn a_backend_takes_and_says_the_longest_lease() {
    let backend = InProcessBackend::new();
    let key = LockKey::new("k").unwrap();
    let ticket = Ticket { node: NodeId::random(), attempt: 1 };
    let request = AcquireRequest::new(key.clone(), ticket, Duration::MAX);
    assert!(matches!(backend.acquire(request).await.unwrap(), AcquireReply::Granted(_)));
    let renewed = backend.renew(vec![RenewRequest::new(key, ticket, Duration::MAX)]).await.unwrap();
    assert_eq!(renewed.held, [true]);
    // Who waits here asks again when the owner's lease is over, or when its own wait is.
    let locks = LockManager::builder().backend(Arc::new(backend));
    let waited = locks.lock("k").wait(Duration::from_secs(9)).acquire().await;
    assert!(matches!(waited, Err(LockError::Timeout { .. })), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_callers_may_queue_for_a_key_and_no_more() {
    let locks = LockManager::in_process();
    let _held = locks.lock("k").acquire().await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut queue = Vec::new();
    for _ in 0..100_000 {
        let mut caller = Box::pin(locks.lock("k").acquire());
        assert!(caller.as_mut().poll(&mut context).is_pending());
        queue.push(caller);
    }
    let refused = locks.lock("k").acquire().await;
    assert!(matches!(refused, Err(LockError::Overloaded { limit: 100_000, .. })), "{refused:?}");
    // Who leaves makes room.
    queue.pop();
    assert!(Box::pin(locks.lock("k").acquire()).as_mut().poll(&mut context).is_pending());
}

#[tokio::test(start_paused = true)]
async fn without_room_to_wait_a_free_key_is_had_all_the_same() {
    let locks = LockManager::builder().max_waiters(0).backend(faulty());
    let guard = locks.lock("k").acquire().await.unwrap();
    assert!(matches!(locks.lock("k").acquire().await, Err(LockError::Overloaded { limit: 0, .. })));
    guard.release().await.unwrap();
    assert!(locks.lock("k").try_acquire().await.unwrap().is_some());
}
