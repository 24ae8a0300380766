//! What a user of the in-process manager relies on, on tokio's paused time.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lock_core::{InProcessBackend, InvalidKey, LockError, LockManager, LockOptions};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Two nodes on one backend, as two processes on one server would be.
fn two_nodes() -> (LockManager, LockManager) {
    let backend = Arc::new(InProcessBackend::new());
    (LockManager::builder().backend(backend.clone()), LockManager::builder().backend(backend))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unprotected_counter_loses_no_update_under_the_lock() {
    let (a, b) = two_nodes();
    let counter = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let locks = if n % 2 == 0 { a.clone() } else { b.clone() };
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                for _ in 0..200 {
                    let guard = locks.lock("counter").acquire().await.unwrap();
                    // Read, give others a chance, write: an update is lost as soon as two run at once.
                    let read = counter.load(Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    counter.store(read + 1, Ordering::Relaxed);
                    drop(guard);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(counter.load(Ordering::Relaxed), 32 * 200);
}

#[tokio::test(start_paused = true)]
async fn callers_get_the_lock_in_the_order_in_which_they_asked() {
    let locks = LockManager::in_process();
    let first = locks.lock("k").acquire().await.unwrap();
    let order = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for n in 0..20 {
        let (locks, order) = (locks.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let _guard = locks.lock("k").acquire().await.unwrap();
            order.lock().push(n);
        }));
        tokio::task::yield_now().await;
    }
    drop(first);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock(), (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn tokens_grow_from_guard_to_guard_and_across_nodes() {
    let (a, b) = two_nodes();
    let mut last = 0;
    for n in 0..3000 {
        let locks = if n % 3 == 0 { &a } else { &b };
        let guard = locks.lock("k").acquire().await.unwrap();
        assert!(guard.token().get() > last);
        last = guard.token().get();
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_grow_through_more_local_turns_than_a_block_holds() {
    let locks = LockManager::in_process();
    let last = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (locks, last) = (locks.clone(), last.clone());
            tokio::spawn(async move {
                for _ in 0..100 {
                    let guard = locks.lock("k").acquire().await.unwrap();
                    assert!(guard.token().get() > last.swap(guard.token().get(), Ordering::Relaxed));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_a_timeout_at_its_own_deadline() {
    let locks = LockManager::in_process();
    let _guard = locks.lock("k").acquire().await.unwrap();
    let start = Instant::now();
    let error = locks.lock("k").wait(3 * SECOND).acquire().await.unwrap_err();
    assert!(matches!(error, LockError::Timeout { waited, .. } if waited >= 3 * SECOND), "{error}");
    assert_eq!(start.elapsed().as_secs(), 3);
    assert!(locks.lock("k").try_acquire().await.unwrap().is_none());
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_busy_key_of_another_node_is_none_for_a_try_and_nothing_is_left_behind() {
    let (a, b) = two_nodes();
    let guard = a.lock("k").acquire().await.unwrap();
    assert!(b.lock("k").try_acquire().await.unwrap().is_none());
    assert!(b.lock("k").wait(SECOND).acquire().await.is_err());
    guard.release().await.unwrap();
    assert!(a.lock("k").try_acquire().await.unwrap().is_some());
    assert!(b.lock("k").try_acquire().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_for_as_long_as_the_guard_lives() {
    let (a, b) = two_nodes();
    let guard = a.lock("k").lease(SECOND).acquire().await.unwrap();
    sleep(60 * SECOND).await;
    assert!(guard.is_held());
    assert!(b.lock("k").try_acquire().await.unwrap().is_none());
    guard.release().await.unwrap();
    assert!(b.lock("k").try_acquire().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn without_renewal_the_guard_is_lost_when_its_lease_ends() {
    let (a, b) = two_nodes();
    let guard = a.lock("k").lease(SECOND).renew(false).acquire().await.unwrap();
    let start = Instant::now();
    guard.lost().await;
    assert!(start.elapsed() <= SECOND);
    assert!(!guard.is_held());
    let next = b.lock("k").acquire().await.unwrap();
    assert!(next.token() > guard.token());
    assert!(guard.release().await.is_err());
    assert!(next.is_held());
}

#[tokio::test]
async fn work_is_stopped_at_its_deadline_whoever_wakes_it_first() {
    let locks = LockManager::in_process();
    let (wake, woken) = tokio::sync::oneshot::channel();
    let begun = Arc::new(AtomicBool::new(false));
    let (begins, went_on) = (begun.clone(), Arc::new(AtomicBool::new(false)));
    let goes_on = went_on.clone();
    let work = tokio::spawn(async move {
        let lock = locks.lock("k").lease(Duration::from_millis(20)).renew(false);
        lock.run(async |_| {
            begins.store(true, Ordering::SeqCst);
            let _: Result<(), _> = woken.await;
            goes_on.store(true, Ordering::SeqCst);
        })
        .await
    });
    while !begun.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    // Another task has the one thread past the deadline, so that no timer comes before it wakes the work.
    std::thread::sleep(Duration::from_millis(50));
    wake.send(()).unwrap();
    assert!(matches!(work.await.unwrap(), Err(LockError::Lost { .. })));
    assert!(!went_on.load(Ordering::SeqCst), "the lock was lost before");
}

#[tokio::test(start_paused = true)]
async fn a_turn_without_renewal_goes_to_the_next_local_waiter_when_it_ends() {
    let locks = LockManager::in_process();
    let guard = locks.lock("k").lease(SECOND).renew(false).acquire().await.unwrap();
    let next = locks.lock("k").acquire().await.unwrap();
    assert!(!guard.is_held());
    drop(guard);
    assert!(next.is_held());
    assert!(locks.lock("k").try_acquire().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn dropping_a_pending_acquire_leaves_the_queue() {
    let (a, b) = two_nodes();
    for other in [&a, &b] {
        let guard = a.lock("k").acquire().await.unwrap();
        assert!(timeout(SECOND, other.lock("k").acquire()).await.is_err());
        let started = Instant::now();
        guard.release().await.unwrap();
        drop(a.lock("k").acquire().await.unwrap());
        drop(b.lock("k").acquire().await.unwrap());
        assert!(started.elapsed() < SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_body_gives_the_lock_back() {
    let locks = LockManager::in_process();
    let task = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("k").run(async |_| panic!("on purpose")).await }
    });
    assert!(task.await.is_err());
    assert!(locks.lock("k").try_acquire().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_asks_for_what_it_holds_is_told_at_once() {
    let locks = LockManager::in_process();
    let inner = locks.lock("k").run(async |_| locks.lock("k").acquire().await.map(drop)).await.unwrap();
    assert!(matches!(inner, Err(LockError::Reentrant { .. })));
    let joined = locks
        .lock("k")
        .run(async |outer| {
            let inner = locks.lock("k").reentrant(true).acquire().await.unwrap();
            assert_eq!(inner.token(), outer.token());
            inner.release().await.unwrap();
            assert!(outer.is_held());
            locks.lock("other").acquire().await.map(drop)
        })
        .await
        .unwrap();
    assert!(joined.is_ok());
    // Another node, and another task, do not hold it.
    let elsewhere = LockManager::in_process();
    locks.lock("k").run(async |_| elsewhere.lock("k").acquire().await.map(drop)).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_may_ask_again_for_what_it_has_lost_or_given_back() {
    let locks = LockManager::in_process();
    for reentrant in [false, true] {
        let lost = locks.lock("k").lease(SECOND).renew(false).acquire().await.unwrap();
        lost.lost().await;
        let again = lost.held().scope(locks.lock("k").reentrant(reentrant).acquire()).await.unwrap();
        assert!(again.is_held() && again.token() > lost.token());
        let view = again.held();
        again.release().await.unwrap();
        let again = view.scope(locks.lock("k").reentrant(reentrant).acquire()).await.unwrap();
        assert!(again.is_held());
    }
}

#[tokio::test(start_paused = true)]
async fn several_keys_are_taken_all_or_none() {
    let locks = LockManager::in_process();
    let b = locks.lock("b").acquire().await.unwrap();
    assert!(locks.lock_all(["c", "b", "a", "a"]).try_acquire().await.unwrap().is_none());
    assert!(locks.lock("a").try_acquire().await.unwrap().is_some());
    assert!(locks.lock("c").try_acquire().await.unwrap().is_some());
    drop(b);
    let all = locks.lock_all(["c", "b", "a", "a"]).acquire().await.unwrap();
    assert_eq!(all.keys().map(|key| key.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(locks.lock("b").try_acquire().await.unwrap().is_none());
    all.release().await.unwrap();
    assert!(locks.lock("b").try_acquire().await.unwrap().is_some());
    let none: [&str; 0] = [];
    let error = locks.lock_all(none).acquire().await.unwrap_err();
    assert!(matches!(error, LockError::InvalidKey(InvalidKey::NoKeys)));
}

#[tokio::test(start_paused = true)]
async fn callers_in_opposite_order_do_not_wait_for_each_other() {
    let locks = LockManager::in_process();
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let locks = locks.clone();
            tokio::spawn(async move {
                let keys = if n % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
                let _guard = locks.lock_all(keys).acquire().await.unwrap();
                sleep(Duration::from_millis(10)).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_refused_with_its_limit() {
    let locks = LockManager::builder().max_waiters(1).backend(Arc::new(InProcessBackend::new()));
    let guard = locks.lock("k").acquire().await.unwrap();
    let waiting = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("k").acquire().await.map(drop) }
    });
    tokio::task::yield_now().await;
    let error = locks.lock("k").acquire().await.unwrap_err();
    assert!(matches!(error, LockError::Overloaded { limit: 1, .. }), "{error}");
    drop(guard);
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_key_is_kept_and_let_go_when_wanted() {
    let (a, b) = two_nodes();
    let kept = || async { a.lock("k").retain(60 * SECOND).acquire().await.unwrap() };
    drop(kept().await);
    assert!(b.lock("k").try_acquire().await.unwrap().is_none(), "kept");
    drop(kept().await);
    let start = Instant::now();
    drop(b.lock("k").acquire().await.unwrap());
    assert!(start.elapsed() < Duration::from_millis(1), "let go at once");
    drop(kept().await);
    sleep(61 * SECOND).await;
    assert!(b.lock("k").try_acquire().await.unwrap().is_some(), "let go after its time");
}

#[tokio::test(start_paused = true)]
async fn an_idle_key_is_let_go_with_the_last_manager() {
    let (a, b) = two_nodes();
    drop(a.lock("k").retain(60 * SECOND).acquire().await.unwrap());
    assert!(b.lock("k").try_acquire().await.unwrap().is_none());
    drop(a);
    assert!(b.lock("k").try_acquire().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn extending_moves_the_deadline_and_never_shortens() {
    let locks = LockManager::in_process();
    let guard = locks.lock("k").lease(SECOND).acquire().await.unwrap();
    assert!(guard.remaining() < SECOND);
    guard.extend(60 * SECOND).await.unwrap();
    assert!(guard.remaining() > 50 * SECOND);
    guard.extend(SECOND).await.unwrap();
    assert!(guard.remaining() > 50 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn shutdown_refuses_waiters_ends_guards_and_frees_their_keys() {
    let (a, b) = two_nodes();
    let guard = a.lock("k").acquire().await.unwrap();
    let waiting = tokio::spawn({
        let a = a.clone();
        async move { a.lock("k").acquire().await.map(drop) }
    });
    tokio::task::yield_now().await;
    a.shutdown().await;
    assert!(matches!(waiting.await.unwrap(), Err(LockError::ShutDown)));
    assert!(matches!(a.lock("k").acquire().await, Err(LockError::ShutDown)));
    assert!(!guard.is_held());
    assert!(b.lock("k").try_acquire().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn work_may_stay_on_one_thread() {
    let locks = LockManager::in_process();
    let cell = Rc::new(Cell::new(0));
    let inside = Rc::clone(&cell);
    locks.run("k", LockOptions::new(), async move { inside.set(1) }).await.unwrap();
    assert_eq!(cell.get(), 1);
}

#[tokio::test]
async fn work_that_is_send_makes_a_future_that_is_send() {
    let locks = LockManager::in_process();
    let name = String::from("k");
    let task = tokio::spawn(async move {
        let borrowed = &name;
        locks
            .lock(borrowed)
            .run(async |lock| {
                tokio::task::yield_now().await;
                (borrowed.len(), lock.is_held())
            })
            .await
    });
    assert_eq!(task.await.unwrap().unwrap(), (1, true));
}

#[tokio::test(start_paused = true)]
async fn bad_keys_are_typed_errors() {
    let locks = LockManager::in_process();
    assert!(matches!(locks.lock("").acquire().await, Err(LockError::InvalidKey(InvalidKey::Empty))));
    let long = "x".repeat(1000);
    assert!(matches!(
        locks.lock(long).acquire().await,
        Err(LockError::InvalidKey(InvalidKey::TooLong { len: 1000 }))
    ));
}

#[tokio::test(start_paused = true)]
async fn each_key_of_several_has_a_token_of_its_own() {
    let locks = LockManager::in_process();
    let all = locks.lock_all(["b", "a"]).acquire().await.unwrap();
    let (a, b) = (all.token_of("a").unwrap(), all.token_of("b").unwrap());
    assert_eq!(all.token(), a.max(b));
    assert!(all.token_of("c").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_release_never_says_lost_of_a_lock_that_was_held() {
    let locks = LockManager::in_process();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let locks = locks.clone();
            tokio::spawn(async move {
                for _ in 0..20_000 {
                    locks.lock("k").acquire().await.unwrap().release().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_joined_a_lock_ends_with_it() {
    let locks = LockManager::in_process();
    let escaped = locks
        .lock("k")
        .run(async |_| locks.lock("k").reentrant(true).acquire().await.unwrap())
        .await
        .unwrap();
    assert!(!escaped.is_held());
    let other = locks.lock("k").acquire().await.unwrap();
    assert!(!escaped.is_held() && other.is_held());
    escaped.lost().await;
}

#[tokio::test(start_paused = true)]
async fn a_view_ends_with_the_turn_it_looks_at() {
    let locks = LockManager::in_process();
    let guard = locks.lock("k").acquire().await.unwrap();
    let view = guard.held();
    assert!(view.is_held());
    let next = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("k").acquire().await.unwrap() }
    });
    tokio::task::yield_now().await;
    drop(guard);
    assert!(next.await.unwrap().is_held());
    assert!(!view.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_turn_without_renewal_can_be_extended() {
    let locks = LockManager::in_process();
    let guard = locks.lock("k").renew(false).lease(SECOND).acquire().await.unwrap();
    guard.extend(60 * SECOND).await.unwrap();
    sleep(50 * SECOND).await;
    assert!(guard.is_held());
    guard.lost().await;
    assert!(!guard.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_late_takes_nobody_elses_place() {
    let (a, b) = two_nodes();
    let held = b.lock("k").acquire().await.unwrap();
    let mut late = Box::pin(a.lock("k").lease(Duration::from_millis(10)).renew(false).acquire());
    assert!(timeout(Duration::ZERO, &mut late).await.is_err());
    // It is its turn, and it does not look; its lease ends, and the key is forgotten for others that are asked for.
    drop(held);
    sleep(Duration::from_millis(100)).await;
    for other in 0..20_000 {
        drop(a.lock(format!("other:{other}")).acquire().await.unwrap());
    }
    let held = b.lock("k").acquire().await.unwrap();
    let next = tokio::spawn({
        let a = a.clone();
        async move { a.lock("k").wait(SECOND).acquire().await.map(drop) }
    });
    tokio::task::yield_now().await;
    drop(late);
    tokio::task::yield_now().await;
    drop(held);
    next.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn as_many_held_keys_are_listed_as_asked_for() {
    let locks = LockManager::in_process();
    let mut guards = Vec::new();
    for number in 0..300 {
        guards.push(locks.lock(format!("k:{number}")).acquire().await.unwrap());
    }
    for (limit, listed) in [(0, 0), (1, 1), (200, 200), (300, 300), (1_000, 300)] {
        assert_eq!(locks.inspect().list("k:", limit).await.unwrap().len(), listed, "of {limit}");
    }
}
