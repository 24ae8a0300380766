//! Ownership recorded in memory.

mod entry;
mod wall_clock;

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::{
    AcquireReply, AcquireRequest, BackendEvent, BackendEvents, BackendFuture, CancelRequest, Grant, HeldKey,
    LockBackend, ReleaseReply, ReleaseRequest, RenewReply, RenewRequest,
};
use crate::key::LockKey;
use crate::key_table::{Entry as _, KeyTable};
use crate::sync::RwLock;
use crate::ticket::{NodeId, Ticket};
use crate::token::FencingToken;
use entry::{Attempt, Entry};
use wall_clock::WallClock;

const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// A backend within this process: the embedded default, and the reference for others.
///
/// It keeps the whole contract of [`LockBackend`], leases included, for all managers that share it. Tokens follow the
/// clock in microseconds, as those of the Redis backend do, so that a service may move from one to the other with the
/// tokens it has stored. It follows tokio's paused time.
pub struct InProcessBackend {
    keys: KeyTable<Entry>,
    nodes: RwLock<HashMap<NodeId, Arc<dyn BackendEvents>>>,
    clock: WallClock,
}

/// An event and who it is for.
type Notice = Option<(Ticket, BackendEvent)>;

impl InProcessBackend {
    /// A backend on which nothing is locked.
    pub fn new() -> Self {
        Self { keys: KeyTable::default(), nodes: RwLock::default(), clock: WallClock::new() }
    }

    fn with<R>(&self, key: &LockKey, change: impl FnOnce(&mut Entry, u64) -> R) -> R {
        self.keys.with(key, |_, entry, floor| change(entry, *floor))
    }

    /// What is to be told of a key, if its owner's lease lasts.
    fn describe(&self, key: &LockKey, entry: &Entry, now: Instant) -> Option<HeldKey> {
        let (owner, until) = entry.owner()?;
        let micros = self.clock.micros(now).saturating_sub(entry.last_token());
        let held = HeldKey::new(key.clone(), owner, until.checked_duration_since(now)?);
        Some(held.since_grant(Some(Duration::from_micros(micros))).queued(entry.queued()))
    }

    fn is_attached(&self, node: NodeId) -> bool {
        self.nodes.read().contains_key(&node)
    }

    fn notify(&self, notices: impl IntoIterator<Item = Notice>) {
        for (ticket, event) in notices.into_iter().flatten() {
            let node = self.nodes.read().get(&ticket.node).map(Arc::clone);
            if let Some(node) = node {
                node.deliver(event);
            }
        }
    }

    /// Takes the longest-queued attempt out of the queue whose node is still there, or that is `own`.
    fn next(&self, entry: &mut Entry, own: Option<Ticket>) -> Option<Attempt> {
        std::iter::from_fn(|| entry.pop())
            .find(|next| Some(next.ticket) == own || self.is_attached(next.ticket.node))
    }

    fn grant(&self, entry: &mut Entry, attempt: &Attempt, floor: u64, now: Instant) -> Grant {
        entry.grant(attempt, self.clock.micros(now).max(floor + 1), now)
    }

    /// Makes `next` the owner; its node has to be told.
    fn grant_unasked(
        &self,
        key: &LockKey,
        entry: &mut Entry,
        next: &Attempt,
        floor: u64,
        now: Instant,
    ) -> Notice {
        let grant = self.grant(entry, next, floor, now);
        Some((next.ticket, BackendEvent::Granted { key: key.clone(), ticket: next.ticket, grant }))
    }

    /// Makes the longest-queued attempt the owner of a key without one, such as one whose owner's lease has ended.
    fn help_along(&self, key: &LockKey, entry: &mut Entry, floor: u64, now: Instant) -> Notice {
        if entry.owner().is_some() {
            return None;
        }
        let next = self.next(entry, None)?;
        self.grant_unasked(key, entry, &next, floor, now)
    }

    /// Answers an attempt; the ticket is queued if it asks for it.
    fn ask(
        &self,
        key: &LockKey,
        attempt: &Attempt,
        wait: bool,
        entry: &mut Entry,
        floor: u64,
    ) -> (AcquireReply, [Notice; 2]) {
        let now = Instant::now();
        entry.expire(now);
        let mut granted = None;
        if entry.owner().is_none() {
            // The owner's lease may have run out while others queue: they come first.
            match self.next(entry, Some(attempt.ticket)) {
                Some(next) if next.ticket != attempt.ticket => {
                    granted = self.grant_unasked(key, entry, &next, floor, now);
                }
                _ => {
                    return (AcquireReply::Granted(self.grant(entry, attempt, floor, now)), [None, None]);
                }
            }
        } else if entry.is_owned_by(attempt.ticket) {
            return (AcquireReply::Granted(self.grant(entry, attempt, floor, now)), [None, None]);
        }
        let mut wanted = None;
        if wait {
            entry.push(*attempt);
            wanted = entry
                .owner()
                .map(|(owner, _)| (owner, BackendEvent::Wanted { key: key.clone(), ticket: owner }));
        }
        (AcquireReply::Busy { remaining: entry.remaining(now) }, [granted, wanted])
    }
}

/// When a lease ends that begins at `since`.
fn until(since: Instant, lease: Duration) -> Instant {
    // Longer than the clock can count is for ever.
    since.checked_add(lease).unwrap_or_else(|| since + FOR_EVER)
}

impl LockBackend for InProcessBackend {
    fn attach(&self, node: NodeId, events: Arc<dyn BackendEvents>) {
        self.nodes.write().insert(node, Arc::clone(&events));
        events.deliver(BackendEvent::Connected);
    }

    fn detach(&self, node: NodeId) {
        self.nodes.write().remove(&node);
    }

    fn acquire_at_once(
        &self,
        key: &LockKey,
        ticket: Ticket,
        lease: Duration,
        block: u32,
        now: Instant,
    ) -> Option<Grant> {
        self.with(key, |entry, floor| {
            entry.is_idle().then(|| self.grant(entry, &Attempt { ticket, lease, block }, floor, now))
        })
    }

    fn release_at_once(&self, key: &LockKey, ticket: Ticket, used: FencingToken) -> bool {
        self.with(key, |entry, _| {
            // Also after its lease: nobody else has asked since.
            let simple = entry.queued() == 0 && entry.is_owned_by(ticket);
            if simple {
                entry.give_up(used.get());
            }
            simple
        })
    }

    fn acquire(&self, request: AcquireRequest) -> BackendFuture<AcquireReply> {
        let attempt = Attempt { ticket: request.ticket, lease: request.lease, block: request.block };
        let (reply, notices) = self
            .with(&request.key, |entry, floor| self.ask(&request.key, &attempt, request.wait, entry, floor));
        self.notify(notices);
        BackendFuture::ready(Ok(reply))
    }

    fn release(&self, request: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        let key = &request.key;
        let (reply, notice) = self.with(key, |entry, floor| {
            let now = Instant::now();
            entry.expire(now);
            if !entry.is_owned_by(request.ticket) {
                return (ReleaseReply::Lost, self.help_along(key, entry, floor, now));
            }
            entry.give_up(request.used.get());
            if let Some(requeue) = request.requeue {
                entry.push(Attempt { ticket: requeue.ticket, lease: requeue.lease, block: requeue.block });
            }
            let own = request.requeue.map(|requeue| requeue.ticket);
            match self.next(entry, own) {
                Some(next) if Some(next.ticket) == own => {
                    let grant = self.grant(entry, &next, floor, now);
                    (ReleaseReply::Requeued(AcquireReply::Granted(grant)), None)
                }
                Some(next) => {
                    let notice = self.grant_unasked(key, entry, &next, floor, now);
                    let busy = AcquireReply::Busy { remaining: entry.remaining(now) };
                    (own.map_or(ReleaseReply::Released, |_| ReleaseReply::Requeued(busy)), notice)
                }
                None => (ReleaseReply::Released, None),
            }
        });
        self.notify([notice]);
        BackendFuture::ready(Ok(reply))
    }

    fn renew(&self, requests: Vec<RenewRequest>) -> BackendFuture<RenewReply> {
        let since = Instant::now();
        let held = requests.iter().map(|request| {
            self.with(&request.key, |entry, _| {
                entry.expire(since);
                entry.renew(request.ticket, until(since, request.lease))
            })
        });
        BackendFuture::ready(Ok(RenewReply::new(since, held.collect())))
    }

    fn cancel(&self, request: CancelRequest) -> BackendFuture<()> {
        let notice = self.with(&request.key, |entry, floor| {
            let now = Instant::now();
            entry.expire(now);
            entry.remove(request.ticket);
            if entry.is_owned_by(request.ticket) {
                entry.give_up(entry.last_token());
            }
            self.help_along(&request.key, entry, floor, now)
        });
        self.notify([notice]);
        BackendFuture::ready(Ok(()))
    }

    fn list(&self, beginning: &str, limit: usize) -> BackendFuture<Vec<HeldKey>> {
        let now = Instant::now();
        let mut found = Vec::new();
        self.keys.try_for_each(|key, entry| {
            if found.len() >= limit {
                return ControlFlow::Break(());
            }
            if key.as_str().starts_with(beginning) {
                found.extend(self.describe(key, entry, now));
            }
            ControlFlow::Continue(())
        });
        BackendFuture::ready(Ok(found))
    }

    fn show(&self, key: &LockKey) -> BackendFuture<Option<HeldKey>> {
        let now = Instant::now();
        BackendFuture::ready(Ok(self.with(key, |entry, _| self.describe(key, entry, now))))
    }

    fn name(&self) -> &'static str {
        "in-process"
    }
}

impl Default for InProcessBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InProcessBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessBackend").field("nodes", &self.nodes.read().len()).finish_non_exhaustive()
    }
}
