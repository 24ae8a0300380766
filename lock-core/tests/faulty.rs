//! The backend that can be told to fail keeps the contract while it is not, and fails as told.

use std::sync::Arc;
use std::time::Duration;

use lock_core::{
    BackendFault, BackendVerb, FaultyBackend, InProcessBackend, LockBackend, LockError, LockManager,
};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(30);

fn faulty() -> Arc<FaultyBackend> {
    Arc::new(FaultyBackend::new(Arc::new(InProcessBackend::new())))
}

fn node(backend: &Arc<FaultyBackend>) -> LockManager {
    LockManager::builder().backend(backend.clone())
}

async fn slow() -> Arc<dyn LockBackend> {
    let backend = faulty();
    for verb in BackendVerb::ALL {
        backend.every(verb, BackendFault::SlowReply(Duration::ZERO));
    }
    backend
}

lock_core::conformance_suite!(slow);

#[tokio::test(start_paused = true)]
async fn a_slow_reply_takes_as_long_as_told_and_counts_from_before() {
    let backend = faulty();
    let locks = node(&backend);
    backend.next(BackendVerb::Acquire, BackendFault::SlowReply(SECOND));
    let began = Instant::now();
    let guard = locks.lock("k").lease(3 * SECOND).acquire().await.unwrap();
    assert_eq!(began.elapsed(), SECOND);
    assert!(guard.remaining() < 2 * SECOND, "the deadline is counted from before the command");
    assert_eq!(backend.sent(BackendVerb::Acquire), 1);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_cut_before_is_not_carried_out() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    backend.next(BackendVerb::Acquire, BackendFault::CutBefore);
    let outcome = a.lock("k").try_acquire().await;
    let guard = match outcome {
        Err(LockError::Unavailable { .. }) => b.lock("k").try_acquire().await.unwrap(),
        Ok(guard) => guard,
        Err(error) => panic!("{error}"),
    };
    assert!(guard.is_some(), "owned by nobody");
    assert!(backend.sent(BackendVerb::Acquire) == 2, "tried again, by the node or by us");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_lost_is_asked_for_again_and_one_release_is_enough() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    backend.next(BackendVerb::Acquire, BackendFault::CutAfter);
    let guard = a.lock("k").acquire().await.unwrap();
    assert_eq!(backend.sent(BackendVerb::Acquire), 2);
    guard.release().await.unwrap();
    assert!(b.lock("k").try_acquire().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_reply_is_lost_does_not_free_the_next_guard() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    let guard = a.lock("k").acquire().await.unwrap();
    backend.next(BackendVerb::Release, BackendFault::CutAfter);
    drop(guard);
    let next = b.lock("k").acquire().await.unwrap();
    // The release is sent again meanwhile.
    sleep(SECOND).await;
    assert!(backend.sent(BackendVerb::Release) >= 2);
    assert!(a.lock("k").try_acquire().await.unwrap().is_none());
    next.release().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_late_copy_of_an_acquire_does_not_keep_the_key() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    backend.next(BackendVerb::Acquire, BackendFault::Repeat(SECOND));
    a.lock("k").lease(LEASE).acquire().await.unwrap().release().await.unwrap();
    sleep(2 * SECOND).await;
    // The copy owns the key for nobody, until somebody wants it.
    let began = Instant::now();
    drop(b.lock("k").acquire().await.unwrap());
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_late_copy_of_an_acquire_does_not_stay_in_the_queue_of_a_lost_key() {
    let backend = faulty();
    let locks = node(&backend);
    backend.next(BackendVerb::Acquire, BackendFault::Repeat(SECOND / 2));
    locks.lock("k").lease(SECOND).acquire().await.unwrap().release().await.unwrap();
    let guard = locks.lock("k").lease(SECOND).acquire().await.unwrap();
    // The copy queues for nobody, and the process stands still until the lease is over.
    sleep(3 * SECOND / 4).await;
    advance(SECOND).await;
    assert!(guard.release().await.is_err(), "the lease is over");
    sleep(SECOND).await;
    assert!(locks.lock("k").try_acquire().await.unwrap().is_some(), "left to the copy");
}

#[tokio::test(start_paused = true)]
async fn a_late_command_of_a_caller_that_gave_up_does_not_keep_the_key() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    backend.next(BackendVerb::Acquire, BackendFault::SlowCommand(SECOND));
    assert!(tokio::time::timeout(SECOND / 2, a.lock("k").lease(LEASE).acquire()).await.is_err());
    sleep(SECOND).await;
    assert!(b.lock("k").try_acquire().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn without_events_waiters_go_on_when_the_lease_is_over() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    let guard = a.lock("k").lease(3 * SECOND).acquire().await.unwrap();
    backend.lose_events(true);
    let waiting = tokio::spawn(async move { b.lock("k").acquire().await.map(|guard| guard.is_held()) });
    tokio::task::yield_now().await;
    guard.release().await.unwrap();
    let began = Instant::now();
    assert!(waiting.await.unwrap().unwrap());
    assert!(began.elapsed() > Duration::ZERO && began.elapsed() <= 4 * SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn while_disconnected_waiters_poll() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    let guard = a.lock("k").lease(LEASE).acquire().await.unwrap();
    let waiting = tokio::spawn(async move { b.lock("k").acquire().await.map(|guard| guard.is_held()) });
    tokio::task::yield_now().await;
    backend.disconnect();
    guard.release().await.unwrap();
    let began = Instant::now();
    assert!(waiting.await.unwrap().unwrap());
    assert!(began.elapsed() <= SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_ends_the_guard_at_the_next_renewal_and_the_next_has_the_key() {
    let backend = faulty();
    let (a, b) = (node(&backend), node(&backend));
    let guard = a.lock("k").lease(3 * SECOND).acquire().await.unwrap();
    assert!(backend.lose_lease(guard.key()).await.unwrap());
    assert!(!backend.lose_lease(guard.key()).await.unwrap(), "nobody owns it now");
    let next = b.lock("k").acquire().await.unwrap();
    let began = Instant::now();
    guard.lost().await;
    assert!(began.elapsed() <= 2 * SECOND, "{:?}", began.elapsed());
    assert!(next.is_held() && next.token() > guard.token());
    assert!(guard.release().await.is_err());
}
