use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::backend::{
    AcquireReply, AcquireRequest, BackendError, BackendFuture, ReleaseReply, ReleaseRequest, promise,
};
use crate::redis::batch::Batch;
use crate::redis::names::Names;
use crate::redis::servers::Route;

/// How many batches to one server may be under way while others gather: one that the server works at, and one that is
/// made of what the last one's replies set off.
const UNDER_WAY: usize = 2;
/// How many batches that wait are looked through for one that goes the same way.
const SCAN: usize = 8;
/// What gathers is sent after this time even when nothing comes back: the server may be hung or far away, or whoever is
/// to take a reply may be busy with something else.
const PATIENCE: Duration = Duration::from_millis(5);

/// Gathers what callers ask while earlier commands are under way, so that many callers cost few commands.
///
/// Nothing waits to be gathered: what finds the way free is sent as soon as the task that asked gives the thread away.
pub(super) struct Batcher {
    inner: Arc<Inner>,
    /// That of the connections.
    runtime: Handle,
    starting: Mutex<()>,
}

struct Inner {
    names: Arc<Names>,
    queue: Mutex<VecDeque<Queued>>,
    sender: AtomicWaker,
    is_running: AtomicBool,
    is_closed: AtomicBool,
}

enum Queued {
    Batch(Batch),
    Single(BoxFuture<'static, ()>),
}

impl Batcher {
    pub(super) fn new(names: Names, runtime: Handle) -> Self {
        let inner = Inner {
            names: Arc::new(names),
            queue: Mutex::default(),
            sender: AtomicWaker::new(),
            is_running: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner), runtime, starting: Mutex::default() }
    }

    pub(super) fn acquire(&self, route: Route, request: AcquireRequest) -> BackendFuture<AcquireReply> {
        let (promise, promised) = promise();
        self.add(route, (request, promise), |batch, (request, promise)| batch.acquire(request, promise));
        BackendFuture::promised(promised)
    }

    pub(super) fn release(&self, route: Route, request: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        let (promise, promised) = promise();
        self.add(route, (request, promise), |batch, (request, promise)| batch.release(request, promise));
        BackendFuture::promised(promised)
    }

    /// Adds to the last batch that goes there, so that commands about one key stay in order; else to a new one.
    fn add<T>(&self, route: Route, what: T, add: impl Fn(&mut Batch, T) -> Result<(), T>) {
        self.ensure_running();
        let mut queue = self.inner.queue.lock();
        let mut last = queue.iter_mut().rev().take(SCAN).map_while(Queued::batch);
        let left = match last.find(|batch| batch.goes(&route)) {
            Some(batch) => add(batch, what).err(),
            None => Some(what),
        };
        if let Some(what) = left {
            let mut batch = Batch::new(route);
            // A new batch takes everything.
            let _ = add(&mut batch, what);
            self.put(queue, Queued::Batch(batch));
        }
    }

    fn put(&self, mut queue: MutexGuard<'_, VecDeque<Queued>>, queued: Queued) {
        queue.push_back(queued);
        // Whoever came first has waked the sender already.
        let is_first = queue.len() == 1;
        drop(queue);
        if is_first {
            self.inner.sender.wake();
        }
        // It may have ended just before.
        self.ensure_running();
    }

    /// Sends a command by itself, after everything that was asked before.
    pub(super) fn single<T: Send + 'static>(
        &self,
        reply: impl Future<Output = Result<T, BackendError>> + Send + 'static,
    ) -> BackendFuture<T> {
        let (promise, promised) = promise();
        self.ensure_running();
        self.put(self.inner.queue.lock(), Queued::Single(Box::pin(async move { promise.keep(reply.await) })));
        BackendFuture::promised(promised)
    }

    /// Whether the task that sends is there: not before the first command, nor when its runtime is gone.
    pub(super) fn is_running(&self) -> bool {
        self.inner.is_running.load(Ordering::SeqCst)
    }

    fn ensure_running(&self) {
        if !self.is_running() {
            self.start();
        }
    }

    /// Starts the task that sends, on the runtime of the connections. When that is gone, so are the connections, and
    /// others are opened on the caller's.
    fn start(&self) {
        let _starting = self.starting.lock();
        for runtime in [Some(self.runtime.clone()), Handle::try_current().ok()].into_iter().flatten() {
            if !self.inner.is_running.swap(true, Ordering::SeqCst) {
                // A runtime that is gone drops the task at once.
                drop(runtime.spawn(send(Running(Arc::clone(&self.inner)))));
            }
        }
    }
}

impl Queued {
    fn batch(&mut self) -> Option<&mut Batch> {
        match self {
            Self::Batch(batch) => Some(batch),
            Self::Single(_) => None,
        }
    }
}

/// A batch under way of which the one who waits takes the reply, until it is dropped.
struct Carried {
    inner: Arc<Inner>,
    /// Counts by being there.
    count: Option<Arc<()>>,
}

impl Drop for Carried {
    fn drop(&mut self) {
        self.count = None;
        if !self.inner.queue.lock().is_empty() {
            self.inner.sender.wake();
        }
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.inner.is_closed.store(true, Ordering::SeqCst);
        self.inner.sender.wake();
    }
}

/// Says that the task runs, until it is dropped, be it with its runtime: what it has not sent fails then.
struct Running(Arc<Inner>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.is_running.store(false, Ordering::SeqCst);
        let unsent = std::mem::take(&mut *self.0.queue.lock());
        drop(unsent);
    }
}

async fn send(running: Running) {
    let inner = &running.0;
    let mut flights = FuturesUnordered::<BoxFuture<'_, ()>>::new();
    // One dead node of a cluster must not hold up commands for the others.
    let most = if inner.names.is_sharded() { usize::MAX } else { UNDER_WAY };
    let mut carried = Arc::new(());
    let mut last_sent = Instant::now();
    let mut overdue = std::pin::pin!(sleep(Duration::ZERO));
    std::future::poll_fn(|cx| {
        inner.sender.register(cx.waker());
        loop {
            while let Poll::Ready(Some(())) = flights.poll_next_unpin(cx) {}
            let under_way = flights.len() + Arc::strong_count(&carried) - 1;
            if under_way >= most && last_sent.elapsed() < PATIENCE {
                if inner.queue.lock().is_empty() {
                    return Poll::Pending;
                }
                if overdue.is_elapsed() {
                    overdue.as_mut().reset(last_sent + PATIENCE);
                }
                if overdue.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                continue;
            }
            let Some(queued) = inner.queue.lock().pop_front() else {
                let is_done = inner.is_closed.load(Ordering::SeqCst) && flights.is_empty();
                return if is_done { Poll::Ready(()) } else { Poll::Pending };
            };
            if under_way >= most {
                // Who waits need not look, and must not hold up the others.
                carried = Arc::new(());
            }
            last_sent = Instant::now();
            match queued {
                Queued::Batch(batch) => match batch.only_waiter() {
                    Some(waiter) => {
                        let flight = Carried { inner: Arc::clone(inner), count: Some(Arc::clone(&carried)) };
                        batch.carry(&waiter, Arc::clone(&inner.names), flight);
                    }
                    None => flights.push(Box::pin(batch.fly(&inner.names))),
                },
                Queued::Single(command) => flights.push(command),
            }
        }
    })
    .await;
}
