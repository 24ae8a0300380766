//! Replies and events in orders that a real backend rarely shows.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lock_core::*;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Answers acquires as told, notes what was sent, and lets the test deliver events.
#[derive(Default)]
struct Scripted {
    events: Mutex<Option<Arc<dyn BackendEvents>>>,
    acquires: Mutex<Vec<(AcquireRequest, tokio::sync::oneshot::Sender<AcquireReply>)>>,
    releases: Mutex<Vec<ReleaseRequest>>,
    /// Whether renewals find that the lease is over.
    ended: AtomicBool,
    /// Whether the next release gets no reply.
    unheard: AtomicBool,
}

impl LockBackend for Scripted {
    fn attach(&self, _: NodeId, events: Arc<dyn BackendEvents>) {
        events.deliver(BackendEvent::Connected);
        *self.events.lock() = Some(events);
    }
    fn detach(&self, _: NodeId) {}
    fn acquire(&self, request: AcquireRequest) -> BackendFuture<AcquireReply> {
        let (answer, reply) = tokio::sync::oneshot::channel();
        self.acquires.lock().push((request, answer));
        BackendFuture::new(async move {
            reply.await.map_err(|_| BackendError::new(BackendErrorKind::TimedOut, "no reply"))
        })
    }
    fn release(&self, request: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        self.releases.lock().push(request);
        BackendFuture::ready(match self.unheard.swap(false, Ordering::Relaxed) {
            true => Err(BackendError::new(BackendErrorKind::TimedOut, "no reply")),
            false => Ok(ReleaseReply::Released),
        })
    }
    fn renew(&self, requests: Vec<RenewRequest>) -> BackendFuture<RenewReply> {
        let held = !self.ended.load(Ordering::Relaxed);
        BackendFuture::ready(Ok(RenewReply::new(Instant::now(), vec![held; requests.len()])))
    }
    fn cancel(&self, _: CancelRequest) -> BackendFuture<()> {
        BackendFuture::ready(Ok(()))
    }
    fn name(&self) -> &'static str {
        "scripted"
    }
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

const LEASE: Duration = Duration::from_secs(30);

fn grant(token: u64) -> Grant {
    Grant::new(FencingToken::new(token), 2, LEASE, Instant::now())
}

/// The message is overtaken by the reply to a repeated acquire, and comes while fresh tokens are asked for.
#[tokio::test(start_paused = true)]
async fn a_late_grant_message_does_not_bring_old_tokens_back() {
    let backend = Arc::new(Scripted::default());
    let locks = LockManager::builder().backend(backend.clone());
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (locks, tokens) = (locks.clone(), tokens.clone());
        tasks.push(tokio::spawn(async move {
            let guard = locks.lock("k").lease(LEASE).acquire().await.unwrap();
            tokens.lock().push(guard.token().get());
            tokio::task::yield_now().await;
        }));
        settle().await;
    }
    let (request, answer) = backend.acquires.lock().remove(0);
    answer.send(AcquireReply::Busy { remaining: Duration::from_millis(100) }).unwrap();
    // The key is granted with tokens 100 and 101, by a message that is slow. The waiter's timer rings: it asks again
    // and gets 102 and 103, which two turns use up. The third turn needs fresh tokens.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (again, answer) = backend.acquires.lock().remove(0);
    assert_eq!(again.ticket, request.ticket);
    answer.send(AcquireReply::Granted(grant(102))).unwrap();
    settle().await;
    let (refill, answer) = backend.acquires.lock().remove(0);
    assert_eq!(refill.ticket, request.ticket);
    // Now the message arrives.
    let events = backend.events.lock().clone().unwrap();
    events.deliver(BackendEvent::Granted {
        key: request.key.clone(),
        ticket: request.ticket,
        grant: grant(100),
    });
    settle().await;
    let _ = answer.send(AcquireReply::Granted(grant(104)));
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*tokens.lock(), [102, 103, 104, 105]);
}

/// A renewal only says that the key has no owner, or another: the release helps those along who queue.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_found_lost_is_given_back() {
    let backend = Arc::new(Scripted::default());
    let locks = LockManager::builder().backend(backend.clone());
    let holder = tokio::spawn({
        let locks = locks.clone();
        async move {
            let guard = locks.lock("k").lease(LEASE).acquire().await.unwrap();
            guard.lost().await;
            Instant::now()
        }
    });
    settle().await;
    let (request, answer) = backend.acquires.lock().remove(0);
    answer.send(AcquireReply::Granted(grant(1))).unwrap();
    backend.ended.store(true, Ordering::Relaxed);
    let granted = Instant::now();
    assert!(holder.await.unwrap() < granted + LEASE / 2, "the renewal told");
    settle().await;
    let released: Vec<_> = backend.releases.lock().iter().map(|release| release.ticket).collect();
    assert_eq!(released, [request.ticket]);
}

/// Whoever asks next may go on with the tokens that are left, once: they may have been used when the reply was lost.
#[tokio::test(start_paused = true)]
async fn a_release_that_is_sent_again_has_no_tokens_left() {
    let backend = Arc::new(Scripted::default());
    let locks = LockManager::builder().backend(backend.clone());
    let holder = tokio::spawn({
        let locks = locks.clone();
        async move { drop(locks.lock("k").lease(LEASE).acquire().await.unwrap()) }
    });
    settle().await;
    let (_, answer) = backend.acquires.lock().remove(0);
    backend.unheard.store(true, Ordering::Relaxed);
    answer.send(AcquireReply::Granted(grant(1))).unwrap();
    holder.await.unwrap();
    tokio::time::sleep(LEASE / 2).await;
    let left: Vec<_> = backend.releases.lock().iter().map(|release| release.spare).collect();
    assert_eq!(left, [1, 0]);
}

/// Another node queues after the grant was written and before its reply is read, and its event overtakes the reply.
#[tokio::test(start_paused = true)]
async fn a_key_wanted_before_its_grant_is_known_is_not_kept() {
    let backend = Arc::new(Scripted::default());
    let locks = LockManager::builder().backend(backend.clone());
    let holder = tokio::spawn({
        let locks = locks.clone();
        async move { drop(locks.lock("k").retain(LEASE).lease(LEASE).acquire().await.unwrap()) }
    });
    settle().await;
    let (request, answer) = backend.acquires.lock().remove(0);
    let events = backend.events.lock().clone().unwrap();
    events.deliver(BackendEvent::Wanted { key: request.key.clone(), ticket: request.ticket });
    answer.send(AcquireReply::Granted(grant(1))).unwrap();
    holder.await.unwrap();
    let released: Vec<_> = backend.releases.lock().iter().map(|release| release.ticket).collect();
    assert_eq!(released, [request.ticket], "it is kept although it is wanted");
}

/// The second copy of a command may be carried out long after the first.
#[tokio::test(start_paused = true)]
async fn a_repeated_acquire_does_not_shorten_the_lease() {
    let backend = InProcessBackend::new();
    let node = NodeId::random();
    let key = LockKey::new("k").unwrap();
    let ticket = Ticket { node, attempt: 1 };
    let second = Duration::from_secs(1);
    let request = AcquireRequest::new(key.clone(), ticket, second);
    assert!(matches!(backend.acquire(request.clone()).await.unwrap(), AcquireReply::Granted(_)));
    let renewed = backend.renew(vec![RenewRequest::new(key.clone(), ticket, 60 * second)]).await.unwrap();
    assert_eq!(renewed.held, [true]);
    backend.acquire(request).await.unwrap();
    tokio::time::sleep(2 * second).await;
    let other = AcquireRequest::new(key, Ticket { node: NodeId::random(), attempt: 1 }, second);
    assert!(
        matches!(backend.acquire(other).await.unwrap(), AcquireReply::Busy { .. }),
        "a second owner while the first relies on its 60 s"
    );
}

/// Not even on an idle key that is kept, but whose tokens are used up.
#[tokio::test(start_paused = true)]
async fn a_try_never_queues() {
    let backend = Arc::new(Scripted::default());
    let locks = LockManager::builder().backend(backend.clone());
    let first = tokio::spawn({
        let locks = locks.clone();
        async move {
            for _ in 0..2 {
                drop(locks.lock("k").retain(LEASE).acquire().await.unwrap());
            }
        }
    });
    settle().await;
    let (_, answer) = backend.acquires.lock().remove(0);
    answer.send(AcquireReply::Granted(grant(1))).unwrap();
    first.await.unwrap();
    let tried = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("k").retain(LEASE).try_acquire().await.unwrap().is_some() }
    });
    settle().await;
    // The server lost the lease meanwhile; somebody else owns the key and keeps it.
    let (_, answer) = backend.acquires.lock().remove(0);
    answer.send(AcquireReply::Busy { remaining: LEASE }).unwrap();
    let outcome = tokio::time::timeout(10 * LEASE, tried).await;
    assert!(!outcome.expect("a try that waits for five minutes").unwrap());
}

/// Changes what an in-process backend says: replies come after 20 ms, or nobody hears that a key is wanted.
struct Altered {
    backend: InProcessBackend,
    slow: bool,
    nodes: Mutex<Vec<Arc<Deaf>>>,
}

struct Deaf {
    events: Arc<dyn BackendEvents>,
    to_wanted: bool,
}

impl BackendEvents for Deaf {
    fn deliver(&self, event: BackendEvent) {
        if !(self.to_wanted && matches!(event, BackendEvent::Wanted { .. })) {
            self.events.deliver(event);
        }
    }
}

impl Altered {
    fn new(slow: bool) -> Arc<Self> {
        Arc::new(Self { backend: InProcessBackend::new(), slow, nodes: Mutex::default() })
    }

    fn late<T: Send + Unpin + 'static>(&self, reply: BackendFuture<T>) -> BackendFuture<T> {
        if !self.slow {
            return reply;
        }
        BackendFuture::new(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            reply.await
        })
    }
}

impl LockBackend for Altered {
    fn attach(&self, node: NodeId, events: Arc<dyn BackendEvents>) {
        let deaf = Arc::new(Deaf { events, to_wanted: !self.slow });
        self.nodes.lock().push(deaf.clone());
        self.backend.attach(node, deaf);
    }
    fn detach(&self, node: NodeId) {
        self.backend.detach(node);
    }
    fn acquire(&self, request: AcquireRequest) -> BackendFuture<AcquireReply> {
        self.late(self.backend.acquire(request))
    }
    fn release(&self, request: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        self.late(self.backend.release(request))
    }
    fn renew(&self, requests: Vec<RenewRequest>) -> BackendFuture<RenewReply> {
        self.late(self.backend.renew(requests))
    }
    fn cancel(&self, request: CancelRequest) -> BackendFuture<()> {
        self.late(self.backend.cancel(request))
    }
    fn name(&self) -> &'static str {
        "altered"
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_shorter_than_a_round_trip_is_busy_or_times_out() {
    let locks = LockManager::builder().backend(Altered::new(true));
    let short = || locks.lock("k").lease(Duration::from_millis(10));
    let start = Instant::now();
    assert!(short().try_acquire().await.unwrap().is_none());
    assert!(start.elapsed() < Duration::from_secs(1));
    let error = short().wait(Duration::from_secs(1)).acquire().await.unwrap_err();
    assert!(matches!(error, LockError::Timeout { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_missed_events_lets_go_once_they_are_back() {
    let backend = Altered::new(false);
    let [a, b] = [(); 2].map(|()| LockManager::builder().backend(backend.clone()));
    for _ in 0..2 {
        let a = a.clone();
        tokio::spawn(async move {
            loop {
                let _guard = a.lock("k").acquire().await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let waiting = tokio::spawn(async move { b.lock("k").acquire().await.map(drop) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    for node in backend.nodes.lock().iter() {
        node.deliver(BackendEvent::Disconnected);
        node.deliver(BackendEvent::Connected);
    }
    waiting.await.unwrap().unwrap();
}
