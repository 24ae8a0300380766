//! A backend that can be told to fail.

mod events;
mod fault;
mod owners;
mod plan;
mod verb;
mod wire;

pub use fault::BackendFault;
pub use verb::BackendVerb;

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::backend::{
    AcquireAllReply, AcquireReply, AcquireRequest, BackendError, BackendEvent, BackendEvents, BackendFuture,
    CancelRequest, LockBackend, ReleaseReply, ReleaseRequest, RenewReply, RenewRequest,
};
use crate::key::{InvalidKey, LockKey};
use crate::ticket::NodeId;
use crate::token::FencingToken;
use events::EventLines;
use plan::Plan;

/// A backend that does what another one does, except where a test tells it to fail.
///
/// For tests of code that uses locks: what does it do when the lock is lost in the middle, when the backend is away, when
/// a command is carried out although its reply is lost? Time is tokio's, so `start_paused` tests take no time.
///
/// ```
/// use lock_core::{BackendFault, BackendVerb, FaultyBackend, InProcessBackend, LockError, LockManager};
/// use std::{sync::Arc, time::Duration};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = Arc::new(FaultyBackend::new(Arc::new(InProcessBackend::new())));
/// let locks = LockManager::builder().backend(backend.clone());
///
/// // The lease is lost while the work goes on: the work is stopped at its next await point.
/// let outcome = locks
///     .lock("balance:user:42")
///     .lease(Duration::from_secs(3))
///     .run(async |lock| {
///         backend.lose_lease(lock.key()).await?;
///         tokio::time::sleep(Duration::from_secs(60)).await;
///         Ok::<_, lock_core::BackendError>(())
///     })
///     .await;
/// assert!(matches!(outcome, Err(LockError::Lost { .. })));
///
/// // The backend is away.
/// backend.every(BackendVerb::Acquire, BackendFault::CutBefore);
/// let outcome = locks.lock("balance:user:42").acquire().await;
/// assert!(matches!(outcome, Err(LockError::Unavailable { .. })));
///
/// // The command is carried out and its reply is lost: it is sent again, and one release is enough.
/// backend.heal();
/// backend.next(BackendVerb::Acquire, BackendFault::CutAfter);
/// locks.lock("balance:user:42").acquire().await?.release().await?;
/// assert!(locks.lock("balance:user:42").try_acquire().await?.is_some());
/// # Ok(()) }
/// ```
pub struct FaultyBackend {
    inner: Arc<dyn LockBackend>,
    plan: Mutex<Plan>,
    lines: Arc<EventLines>,
}

impl FaultyBackend {
    /// A backend that does what `inner` does until it is told otherwise.
    pub fn new(inner: Arc<dyn LockBackend>) -> Self {
        Self { inner, plan: Mutex::default(), lines: Arc::default() }
    }

    /// Lets the next command of this kind suffer the fault; called again, the one after it.
    pub fn next(&self, verb: BackendVerb, fault: BackendFault) {
        self.plan.lock().next(verb, fault);
    }

    /// Lets every command of this kind suffer the fault, unless [`next`](Self::next) says otherwise.
    pub fn every(&self, verb: BackendVerb, fault: BackendFault) {
        self.plan.lock().every(verb, fault);
    }

    /// Takes back all that was said by [`next`](Self::next), [`every`](Self::every) and
    /// [`lose_events`](Self::lose_events).
    pub fn heal(&self) {
        self.plan.lock().heal();
        self.lines.lose(false);
    }

    /// Sets whether events are lost without anybody noticing.
    pub fn lose_events(&self, lose: bool) {
        self.lines.lose(lose);
    }

    /// Breaks the event connections of all nodes: they are told, and hear nothing until [`reconnect`](Self::reconnect).
    pub fn disconnect(&self) {
        self.lines.lose(true);
        self.lines.tell_all(&BackendEvent::Disconnected);
    }

    /// Lets events through again, and tells all nodes.
    pub fn reconnect(&self) {
        self.lines.lose(false);
        self.lines.tell_all(&BackendEvent::Connected);
    }

    /// Takes the key away from its owner behind its back, as when the lease had run out: the next in the queue owns it.
    ///
    /// False when nobody owns the key, as far as commands and events told.
    ///
    /// # Errors
    ///
    /// [`BackendError`] when the inner backend cannot be reached.
    ///
    /// # Cancel safety
    ///
    /// Safe: the command is under way when the future is first polled.
    pub async fn lose_lease(&self, key: &LockKey) -> Result<bool, BackendError> {
        let Some(ticket) = self.lines.owners.take(key) else {
            return Ok(false);
        };
        let request = ReleaseRequest::new(key.clone(), ticket, FencingToken::new(u64::MAX));
        let reply = self.inner.release(request).await?;
        Ok(matches!(reply, ReleaseReply::Released))
    }

    /// How many commands of this kind were sent so far, those that were cut included.
    pub fn sent(&self, verb: BackendVerb) -> u64 {
        self.plan.lock().sent(verb)
    }

    /// Carries out a command as planned. `note` looks at every reply of the inner backend, also at those that get lost.
    fn carry<T: Send + Unpin + 'static>(
        &self,
        verb: BackendVerb,
        call: impl Fn(&dyn LockBackend) -> BackendFuture<T> + Send + 'static,
        note: impl Fn(&EventLines, &T) + Send + Sync + 'static,
    ) -> BackendFuture<T> {
        let fault = self.plan.lock().take(verb);
        let (inner, lines, note) = (Arc::clone(&self.inner), Arc::clone(&self.lines), Arc::new(note));
        wire::carry(fault, move || match call(inner.as_ref()).now() {
            Ok(reply) => {
                if let Ok(reply) = &reply {
                    note(&lines, reply);
                }
                BackendFuture::ready(reply)
            }
            Err(reply) => {
                let (lines, note) = (Arc::clone(&lines), Arc::clone(&note));
                BackendFuture::new(async move {
                    let reply = reply.await?;
                    note(&lines, &reply);
                    Ok(reply)
                })
            }
        })
    }
}

impl LockBackend for FaultyBackend {
    fn check_key(&self, key: &LockKey) -> Result<(), InvalidKey> {
        self.inner.check_key(key)
    }

    fn attach(&self, node: NodeId, events: Arc<dyn BackendEvents>) {
        let events = self.lines.attach(node, events);
        self.inner.attach(node, events);
    }

    fn detach(&self, node: NodeId) {
        self.inner.detach(node);
        self.lines.detach(node);
    }

    fn acquire(&self, request: AcquireRequest) -> BackendFuture<AcquireReply> {
        let (key, ticket) = (request.key.clone(), request.ticket);
        self.carry(
            BackendVerb::Acquire,
            move |inner| inner.acquire(request.clone()),
            move |lines, reply| {
                if let AcquireReply::Granted(_) = reply {
                    lines.owners.note(&key, ticket);
                }
            },
        )
    }

    fn acquire_all(&self, requests: Vec<AcquireRequest>) -> BackendFuture<AcquireAllReply> {
        let asked: Vec<_> = requests.iter().map(|request| (request.key.clone(), request.ticket)).collect();
        self.carry(
            BackendVerb::AcquireAll,
            move |inner| inner.acquire_all(requests.clone()),
            move |lines, reply| {
                if let AcquireAllReply::Granted(_) = reply {
                    for (key, ticket) in &asked {
                        lines.owners.note(key, *ticket);
                    }
                }
            },
        )
    }

    fn release(&self, request: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        let (key, ticket) = (request.key.clone(), request.ticket);
        let requeued = request.requeue.map(|requeue| requeue.ticket);
        self.carry(
            BackendVerb::Release,
            move |inner| inner.release(request.clone()),
            move |lines, reply| {
                lines.owners.forget(&key, ticket);
                if let (ReleaseReply::Requeued(AcquireReply::Granted(_)), Some(next)) = (reply, requeued) {
                    lines.owners.note(&key, next);
                }
            },
        )
    }

    fn renew(&self, requests: Vec<RenewRequest>) -> BackendFuture<RenewReply> {
        self.carry(BackendVerb::Renew, move |inner| inner.renew(requests.clone()), |_, _| {})
    }

    fn cancel(&self, request: CancelRequest) -> BackendFuture<()> {
        let (key, ticket) = (request.key.clone(), request.ticket);
        self.carry(
            BackendVerb::Cancel,
            move |inner| inner.cancel(request.clone()),
            move |lines, ()| lines.owners.forget(&key, ticket),
        )
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

impl fmt::Debug for FaultyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyBackend")
            .field("inner", &self.inner.name())
            .field("plan", &*self.plan.lock())
            .finish_non_exhaustive()
    }
}
