//! What the front asks of the place where ownership is recorded.

mod error;
mod event;
mod future;
mod grant;
mod held_key;
#[cfg(feature = "redis")]
mod promise;
mod request;

pub use error::{BackendError, BackendErrorKind};
pub use event::{BackendEvent, BackendEvents};
pub use future::BackendFuture;
pub use grant::{AcquireAllReply, AcquireReply, Grant, ReleaseReply, RenewReply};
pub use held_key::HeldKey;
#[cfg(feature = "redis")]
pub(crate) use promise::{Promise, promise};
pub use request::{AcquireRequest, CancelRequest, ReleaseRequest, RenewRequest, Requeue};

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::key::{InvalidKey, LockKey};
use crate::ticket::{NodeId, Ticket};
use crate::token::FencingToken;

/// One owner per key: records which node owns a key, for how long, and which nodes queue for it.
///
/// A backend knows nodes, not tasks; [`LockManager`](crate::LockManager) hands a key from task to task, renews leases
/// and counts deadlines. What a backend has to keep:
///
/// - A key has at most one owner, named by its ticket, until the lease ends, is released or extended. When it is
///   released, or its lease has ended and anybody asks, gives back or leaves the queue, the **longest-queued** node
///   that is still connected becomes the owner and is told with [`BackendEvent::Granted`].
/// - **Every command may arrive twice** (the reply of the first was lost). A repeated acquire of the owner's own ticket
///   answers `Granted` with fresh tokens; of a queued ticket keeps its place; a repeated release changes nothing.
/// - **Tokens grow**: every grant of a key carries tokens above all those of earlier grants, also when the earlier
///   owner crashed, when the lease ended, and when the backend lost its data.
/// - [`Grant::since`] is never later than the moment at which the backend began to count the lease.
/// - A method **enqueues its command before it returns**, and commands of one node reach the backend in that order
///   where the transport allows. The returned future only waits for the reply; dropping it does not undo the command.
/// - Futures end: a dead peer is an error after a bounded time, never silence.
///
/// The suite in `lock_core::conformance` (feature `test-util`) checks these.
pub trait LockBackend: Send + Sync + 'static {
    /// Refuses keys that mean something else to the backend.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] says why. Every key is accepted unless this is overridden.
    fn check_key(&self, _key: &LockKey) -> Result<(), InvalidKey> {
        Ok(())
    }

    /// Attaches a node, before its first command: what happens to its tickets is reported to `events` until the
    /// node detaches.
    fn attach(&self, node: NodeId, events: Arc<dyn BackendEvents>);

    /// Detaches a node: its queued tickets are skipped from now on.
    fn detach(&self, node: NodeId);

    /// Grants a key that nobody owns and nobody queues for, if that is done without waiting and without an event; none
    /// otherwise, with nothing changed: [`acquire`](Self::acquire) then does it. The time is `now`.
    ///
    /// A backend to which every command has to travel need not override it.
    fn acquire_at_once(
        &self,
        _key: &LockKey,
        _ticket: Ticket,
        _lease: Duration,
        _block: u32,
        _now: Instant,
    ) -> Option<Grant> {
        None
    }

    /// Gives a key back that nobody queues for, if that is done without waiting and without an event; false otherwise,
    /// with nothing changed: [`release`](Self::release) then does it. `used` is the last token used.
    ///
    /// A backend to which every command has to travel need not override it.
    fn release_at_once(&self, _key: &LockKey, _ticket: Ticket, _used: FencingToken) -> bool {
        false
    }

    /// Asks for a key.
    fn acquire(&self, request: AcquireRequest) -> BackendFuture<AcquireReply>;

    /// Takes several keys in one step, or none of them; nobody is queued. The tokens of all grants are the same.
    ///
    /// A backend that cannot do this need not override it: the keys are then taken one after the other.
    fn acquire_all(&self, _requests: Vec<AcquireRequest>) -> BackendFuture<AcquireAllReply> {
        BackendFuture::ready(Ok(AcquireAllReply::Unsupported))
    }

    /// Gives a key back, to the longest-queued node that is alive.
    fn release(&self, request: ReleaseRequest) -> BackendFuture<ReleaseReply>;

    /// Extends the leases of all keys named, as far as they are still owned by the tickets named.
    fn renew(&self, requests: Vec<RenewRequest>) -> BackendFuture<RenewReply>;

    /// Leaves the queue. When the ticket was granted meanwhile, this counts as a release.
    fn cancel(&self, request: CancelRequest) -> BackendFuture<()>;

    /// Answers keys that are owned and begin with `beginning`: `limit` of them or a few more, or all there are.
    ///
    /// A backend that cannot tell need not override it.
    fn list(&self, _beginning: &str, _limit: usize) -> BackendFuture<Vec<HeldKey>> {
        BackendFuture::ready(Err(BackendError::unsupported()))
    }

    /// Answers who owns `key`, if anybody does.
    ///
    /// A backend that cannot tell need not override it.
    fn show(&self, _key: &LockKey) -> BackendFuture<Option<HeldKey>> {
        BackendFuture::ready(Err(BackendError::unsupported()))
    }

    /// A short name for logs and metrics, such as `redis`.
    fn name(&self) -> &'static str;
}
