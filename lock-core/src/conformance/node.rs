use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout};

use crate::backend::{
    AcquireReply, AcquireRequest, BackendEvent, BackendEvents, CancelRequest, Grant, LockBackend,
    ReleaseReply, ReleaseRequest, RenewRequest, Requeue,
};
use crate::key::LockKey;
use crate::ticket::{NodeId, Ticket};
use crate::token::FencingToken;

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A node without a front: sends commands and notes events.
pub struct Node {
    backend: Arc<dyn LockBackend>,
    id: NodeId,
    attempts: AtomicU64,
    events: Mutex<mpsc::UnboundedReceiver<BackendEvent>>,
}

struct Recorder(mpsc::UnboundedSender<BackendEvent>);

impl BackendEvents for Recorder {
    fn deliver(&self, event: BackendEvent) {
        let _ = self.0.send(event);
    }
}

impl Node {
    /// Attaches a fresh node and waits until events reach it.
    #[allow(clippy::missing_panics_doc, reason = "a failed expectation is what a test reports")]
    pub async fn attach(backend: &Arc<dyn LockBackend>) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let id = NodeId::random();
        backend.attach(id, Arc::new(Recorder(sender)));
        let node = Self {
            backend: Arc::clone(backend),
            id,
            attempts: AtomicU64::new(0),
            events: Mutex::new(events),
        };
        node.event(|event| matches!(event, BackendEvent::Connected).then_some(())).await;
        node
    }

    /// Detaches the node, as if its process had ended.
    pub fn detach(&self) {
        self.backend.detach(self.id);
    }

    /// A fresh ticket.
    pub fn ticket(&self) -> Ticket {
        Ticket { node: self.id, attempt: self.attempts.fetch_add(1, Ordering::Relaxed) }
    }

    pub(super) async fn acquire(&self, key: &LockKey, ticket: Ticket, lease: Duration) -> AcquireReply {
        let sent = Instant::now();
        let request = AcquireRequest::new(key.clone(), ticket, lease).block(4);
        let reply = self.backend.acquire(request).await.expect("acquire");
        if let AcquireReply::Granted(grant) = &reply {
            assert!(
                grant.since >= sent && grant.since <= Instant::now(),
                "`since` is when the command was sent"
            );
            assert!(grant.lease <= lease && grant.block >= 1);
        }
        reply
    }

    pub(super) async fn own(&self, key: &LockKey, lease: Duration) -> (Ticket, Grant) {
        let ticket = self.ticket();
        match self.acquire(key, ticket, lease).await {
            AcquireReply::Granted(grant) => (ticket, grant),
            AcquireReply::Busy { .. } => panic!("{key} is busy"),
        }
    }

    pub(super) async fn queue(&self, key: &LockKey, lease: Duration) -> Ticket {
        let ticket = self.ticket();
        match self.acquire(key, ticket, lease).await {
            AcquireReply::Granted(_) => panic!("{key} is free"),
            AcquireReply::Busy { .. } => ticket,
        }
    }

    pub(super) async fn try_acquire(&self, key: &LockKey, lease: Duration) -> Option<Ticket> {
        let ticket = self.ticket();
        let request = AcquireRequest::new(key.clone(), ticket, lease).wait(false);
        match self.backend.acquire(request).await.expect("acquire") {
            AcquireReply::Granted(_) => Some(ticket),
            AcquireReply::Busy { .. } => None,
        }
    }

    pub(super) async fn release(&self, key: &LockKey, ticket: Ticket) -> ReleaseReply {
        let request = ReleaseRequest::new(key.clone(), ticket, FencingToken::new(u64::MAX));
        self.backend.release(request).await.expect("release")
    }

    pub(super) async fn requeue(
        &self,
        key: &LockKey,
        ticket: Ticket,
        lease: Duration,
    ) -> (Ticket, ReleaseReply) {
        let next = self.ticket();
        let request = ReleaseRequest::new(key.clone(), ticket, FencingToken::new(u64::MAX));
        let request = request.requeue(Requeue { ticket: next, lease, block: 4 });
        (next, self.backend.release(request).await.expect("release"))
    }

    pub(super) async fn renew(&self, keys: &[(&LockKey, Ticket)], lease: Duration) -> Vec<bool> {
        let requests =
            keys.iter().map(|(key, ticket)| RenewRequest::new((*key).clone(), *ticket, lease)).collect();
        self.backend.renew(requests).await.expect("renew").held
    }

    pub(super) async fn cancel(&self, key: &LockKey, ticket: Ticket, lease: Duration) {
        self.backend.cancel(CancelRequest::new(key.clone(), ticket, lease)).await.expect("cancel");
    }

    /// Waits until `ticket` is granted by an event.
    pub(super) async fn granted(&self, ticket: Ticket) -> Grant {
        self.event(|event| match event {
            BackendEvent::Granted { ticket: to, grant, .. } if to == ticket => Some(grant),
            _ => None,
        })
        .await
    }

    pub(super) async fn wanted(&self, ticket: Ticket) {
        self.event(|event| {
            matches!(event, BackendEvent::Wanted { ticket: of, .. } if of == ticket).then_some(())
        })
        .await;
    }

    async fn event<T>(&self, mut pick: impl FnMut(BackendEvent) -> Option<T>) -> T {
        let mut events = self.events.lock().await;
        timeout(PATIENCE, async {
            loop {
                let event = events.recv().await.expect("the backend forgot the node");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        })
        .await
        .expect("an event did not come")
    }

    /// Whether a grant was delivered and not yet looked at.
    pub(super) async fn has_grant(&self) -> bool {
        let mut events = self.events.lock().await;
        while let Ok(event) = events.try_recv() {
            if matches!(event, BackendEvent::Granted { .. }) {
                return true;
            }
        }
        false
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", &self.id).finish_non_exhaustive()
    }
}
