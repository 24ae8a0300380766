//! The cases. Each takes a backend on which its own, fresh keys are free.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::backend::{AcquireReply, LockBackend, ReleaseReply};
use crate::conformance::Node;
use crate::key::LockKey;

type Backend = Arc<dyn LockBackend>;

/// A lease that does not end during a case.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// A lease whose end a case waits for.
const SHORT: Duration = Duration::from_millis(200);

pub(super) fn key() -> LockKey {
    LockKey::new(format!("conformance:{}", Uuid::new_v4())).expect("a valid key")
}

/// Waits until nobody owns `key`, for at most ten seconds.
async fn free_within_reason(node: &Node, key: &LockKey) -> crate::ticket::Ticket {
    let start = Instant::now();
    loop {
        if let Some(ticket) = node.try_acquire(key, LONG).await {
            return ticket;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{key} is never free");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A key that nobody owns is granted to the first who asks.
pub async fn a_free_key_is_granted(backend: Backend) {
    let node = Node::attach(&backend).await;
    let key = key();
    let (ticket, grant) = node.own(&key, LONG).await;
    assert_eq!(grant.lease, LONG);
    assert!(!grant.wanted);
    assert!(matches!(node.release(&key, ticket).await, ReleaseReply::Released));
    assert!(node.try_acquire(&key, LONG).await.is_some());
}

/// The answer to a busy key says how long the owner's lease lasts.
pub async fn a_busy_key_answers_how_long_its_lease_lasts(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    a.own(&key, LONG).await;
    match b.acquire(&key, b.ticket(), LONG).await {
        AcquireReply::Busy { remaining } => {
            assert!(remaining <= LONG && remaining > LONG / 2, "{remaining:?}");
        }
        AcquireReply::Granted(_) => panic!("two owners"),
    }
}

/// A caller that does not wait gets nothing later.
pub async fn who_does_not_wait_is_not_queued(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (ticket, _) = a.own(&key, LONG).await;
    assert!(b.try_acquire(&key, LONG).await.is_none());
    a.release(&key, ticket).await;
    assert!(a.try_acquire(&key, LONG).await.is_some());
    assert!(!b.has_grant().await);
}

/// When the reply was lost and the command is sent again, the owner is granted again, with fresh tokens, and one
/// release frees the key.
pub async fn a_repeated_acquire_of_the_owner_is_granted_again(backend: Backend) {
    let node = Node::attach(&backend).await;
    let key = key();
    let (ticket, first) = node.own(&key, LONG).await;
    let AcquireReply::Granted(second) = node.acquire(&key, ticket, LONG).await else {
        panic!("not granted again")
    };
    assert!(second.token.get() >= first.token.get() + u64::from(first.block));
    assert!(matches!(node.release(&key, ticket).await, ReleaseReply::Released));
    assert!(node.try_acquire(&key, LONG).await.is_some());
}

/// A waiter that asks again is queued once, at its old place.
pub async fn a_repeated_acquire_of_a_waiter_keeps_its_place(backend: Backend) {
    let [a, b, c] =
        [Node::attach(&backend).await, Node::attach(&backend).await, Node::attach(&backend).await];
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    let first = b.queue(&key, LONG).await;
    let second = c.queue(&key, LONG).await;
    assert!(matches!(b.acquire(&key, first, LONG).await, AcquireReply::Busy { .. }));
    a.release(&key, owner).await;
    b.granted(first).await;
    b.release(&key, first).await;
    c.granted(second).await;
    c.release(&key, second).await;
    assert!(!b.has_grant().await, "queued twice");
    assert!(a.try_acquire(&key, LONG).await.is_some());
}

/// The grant comes by itself: the new owner does not have to ask.
pub async fn a_release_makes_the_longest_queued_the_owner(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (owner, first) = a.own(&key, LONG).await;
    let waiter = b.queue(&key, LONG).await;
    assert!(matches!(a.release(&key, owner).await, ReleaseReply::Released));
    let grant = b.granted(waiter).await;
    assert!(grant.token > first.token);
    assert!(grant.since <= Instant::now() && grant.lease <= LONG);
    assert!(a.try_acquire(&key, LONG).await.is_none());
    assert_eq!(b.renew(&[(&key, waiter)], LONG).await, [true]);
}

/// A late, second release of an old ticket does not free what somebody else owns by now.
pub async fn a_repeated_release_does_not_free_the_next_owner(backend: Backend) {
    let node = Node::attach(&backend).await;
    let key = key();
    let (first, _) = node.own(&key, LONG).await;
    node.release(&key, first).await;
    let (second, _) = node.own(&key, LONG).await;
    assert!(matches!(node.release(&key, first).await, ReleaseReply::Lost));
    assert_eq!(node.renew(&[(&key, second)], LONG).await, [true]);
}

/// Who does not own a key cannot give it back, nor requeue.
pub async fn a_release_by_another_ticket_changes_nothing(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    assert!(matches!(b.release(&key, b.ticket()).await, ReleaseReply::Lost));
    assert!(matches!(b.requeue(&key, b.ticket(), LONG).await.1, ReleaseReply::Lost));
    a.release(&key, owner).await;
    assert!(a.try_acquire(&key, LONG).await.is_some());
    assert!(!b.has_grant().await);
}

/// With nobody else in the queue, the key goes from the old ticket to the new one.
pub async fn a_requeued_ticket_owns_a_key_that_nobody_else_wants(backend: Backend) {
    let node = Node::attach(&backend).await;
    let key = key();
    let (first, before) = node.own(&key, LONG).await;
    let (second, reply) = node.requeue(&key, first, LONG).await;
    let ReleaseReply::Requeued(AcquireReply::Granted(grant)) = reply else { panic!("{reply:?}") };
    assert!(grant.token > before.token);
    assert_eq!(node.renew(&[(&key, first), (&key, second)], LONG).await, [false, true]);
}

/// Others who queued come first, and the requeued ticket after them.
pub async fn a_requeued_ticket_comes_after_those_who_queued(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    let waiter = b.queue(&key, LONG).await;
    let (next, reply) = a.requeue(&key, owner, LONG).await;
    assert!(matches!(reply, ReleaseReply::Requeued(AcquireReply::Busy { .. })), "{reply:?}");
    assert!(b.granted(waiter).await.wanted, "the grant says that another node queues");
    b.release(&key, waiter).await;
    assert!(!a.granted(next).await.wanted);
}

/// A key whose owner is gone is free once the lease is over, and not before.
pub async fn a_lease_ends(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let start = Instant::now();
    let (owner, _) = a.own(&key, SHORT).await;
    free_within_reason(&b, &key).await;
    assert!(start.elapsed() >= SHORT, "freed early");
    assert!(matches!(a.release(&key, owner).await, ReleaseReply::Lost));
}

/// When a lease has ended, whoever asks does not overtake those who queued.
pub async fn after_a_lease_ended_the_queue_comes_first(backend: Backend) {
    let [a, b, c] =
        [Node::attach(&backend).await, Node::attach(&backend).await, Node::attach(&backend).await];
    let key = key();
    a.own(&key, SHORT).await;
    let waiter = b.queue(&key, LONG).await;
    sleep(SHORT + Duration::from_millis(50)).await;
    let late = c.queue(&key, LONG).await;
    b.granted(waiter).await;
    b.release(&key, waiter).await;
    c.granted(late).await;
}

/// An owner that gives back a key after its lease ended makes the longest-queued the owner, and is not requeued.
pub async fn a_release_after_the_lease_ended_helps_the_queue_along(backend: Backend) {
    let [a, b, c] =
        [Node::attach(&backend).await, Node::attach(&backend).await, Node::attach(&backend).await];
    let key = key();
    let (owner, _) = a.own(&key, SHORT).await;
    let waiter = b.queue(&key, SHORT).await;
    let last = c.queue(&key, LONG).await;
    sleep(SHORT + Duration::from_millis(50)).await;
    assert!(matches!(a.release(&key, owner).await, ReleaseReply::Lost));
    b.granted(waiter).await;
    assert!(!c.has_grant().await);
    sleep(SHORT + Duration::from_millis(50)).await;
    let (again, reply) = b.requeue(&key, waiter, LONG).await;
    assert!(matches!(reply, ReleaseReply::Lost), "{reply:?}");
    c.granted(last).await;
    assert!(matches!(c.release(&key, last).await, ReleaseReply::Released));
    assert!(matches!(b.release(&key, again).await, ReleaseReply::Lost));
    assert!(!b.has_grant().await);
}

/// Whoever leaves the queue after the owner's lease ended makes the next in the queue the owner.
pub async fn a_cancel_after_the_lease_ended_helps_the_queue_along(backend: Backend) {
    let [a, b, c] =
        [Node::attach(&backend).await, Node::attach(&backend).await, Node::attach(&backend).await];
    let key = key();
    a.own(&key, SHORT).await;
    let gone = b.queue(&key, LONG).await;
    let waiter = c.queue(&key, LONG).await;
    sleep(SHORT + Duration::from_millis(50)).await;
    b.cancel(&key, gone, LONG).await;
    c.granted(waiter).await;
    assert!(!b.has_grant().await);
}

/// A lease that is renewed does not end when it first would have.
pub async fn a_renewed_lease_goes_on(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (owner, _) = a.own(&key, SHORT).await;
    assert_eq!(a.renew(&[(&key, owner)], LONG).await, [true]);
    sleep(SHORT + Duration::from_millis(50)).await;
    assert!(b.try_acquire(&key, LONG).await.is_none());
}

/// One command renews many keys and tells which of them are lost.
pub async fn a_renewal_names_the_keys_that_are_lost(backend: Backend) {
    let node = Node::attach(&backend).await;
    let (mine, released, foreign) = (key(), key(), key());
    let (first, _) = node.own(&mine, LONG).await;
    let (second, _) = node.own(&released, LONG).await;
    node.release(&released, second).await;
    node.own(&foreign, LONG).await;
    let keys = [(&released, second), (&mine, first), (&foreign, node.ticket())];
    assert_eq!(node.renew(&keys, LONG).await, [false, true, false]);
}

/// A renewal with a shorter lease, such as one that was overtaken, changes nothing.
pub async fn a_renewal_never_shortens_a_lease(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    assert_eq!(a.renew(&[(&key, owner)], SHORT).await, [true]);
    sleep(SHORT + Duration::from_millis(50)).await;
    assert!(b.try_acquire(&key, LONG).await.is_none());
}

/// A ticket that left the queue is passed over.
pub async fn a_cancelled_ticket_is_not_granted(backend: Backend) {
    let [a, b, c] =
        [Node::attach(&backend).await, Node::attach(&backend).await, Node::attach(&backend).await];
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    let gone = b.queue(&key, LONG).await;
    let waiter = c.queue(&key, LONG).await;
    b.cancel(&key, gone, LONG).await;
    b.cancel(&key, gone, LONG).await;
    a.release(&key, owner).await;
    c.granted(waiter).await;
    assert!(!b.has_grant().await);
}

/// A ticket that was granted in the moment in which it left gives the key on.
pub async fn a_cancel_after_the_grant_is_a_release(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    let waiter = b.queue(&key, LONG).await;
    a.cancel(&key, owner, LONG).await;
    b.granted(waiter).await;
    b.cancel(&key, waiter, LONG).await;
    assert!(a.try_acquire(&key, LONG).await.is_some());
}

/// A node that is gone does not get what nobody would use.
pub async fn a_detached_node_is_skipped(backend: Backend) {
    let [a, b, c] =
        [Node::attach(&backend).await, Node::attach(&backend).await, Node::attach(&backend).await];
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    b.queue(&key, LONG).await;
    let waiter = c.queue(&key, LONG).await;
    b.detach();
    // A server may need a moment to notice that a connection is gone.
    sleep(Duration::from_millis(200)).await;
    a.release(&key, owner).await;
    c.granted(waiter).await;
    c.release(&key, waiter).await;
    assert!(a.try_acquire(&key, LONG).await.is_some());
}

/// No token is handed out twice or after a larger one, whichever way the key changes hands.
pub async fn tokens_grow_from_grant_to_grant(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let mut last = 0;
    let mut check = |grant: crate::backend::Grant| {
        assert!(grant.token.get() > last, "{} after {last}", grant.token);
        last = grant.token.get() + u64::from(grant.block) - 1;
    };
    for _ in 0..20 {
        let (owner, grant) = a.own(&key, LONG).await;
        check(grant);
        let waiter = b.queue(&key, LONG).await;
        a.release(&key, owner).await;
        check(b.granted(waiter).await);
        b.release(&key, waiter).await;
    }
    let (_, grant) = a.own(&key, Duration::from_millis(20)).await;
    check(grant);
    sleep(Duration::from_millis(60)).await;
    check(b.own(&key, LONG).await.1);
}

/// Whoever owns a key is told that somebody else asks for it.
pub async fn the_owner_hears_that_another_node_queues(backend: Backend) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    let (owner, _) = a.own(&key, LONG).await;
    b.queue(&key, LONG).await;
    a.wanted(owner).await;
}

/// Twenty nodes that queue one after the other get the key one after the other.
pub async fn many_nodes_get_one_turn_each_in_order(backend: Backend) {
    let first = Node::attach(&backend).await;
    let key = key();
    let (owner, _) = first.own(&key, LONG).await;
    let mut queue = Vec::new();
    for _ in 0..20 {
        let node = Node::attach(&backend).await;
        let ticket = node.queue(&key, LONG).await;
        queue.push((node, ticket));
    }
    first.release(&key, owner).await;
    for (node, ticket) in &queue {
        node.granted(*ticket).await;
        node.release(&key, *ticket).await;
    }
    assert!(first.try_acquire(&key, LONG).await.is_some());
}
