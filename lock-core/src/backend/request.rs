use std::time::Duration;

use crate::key::LockKey;
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// Asks for a key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AcquireRequest {
    /// The key.
    pub key: LockKey,
    /// Fresh for every attempt; the same again when the command is repeated.
    pub ticket: Ticket,
    /// How long ownership is to last.
    pub lease: Duration,
    /// Whether to queue when the key is busy.
    pub wait: bool,
    /// How many fencing tokens the grant should hold.
    pub block: u32,
}

impl AcquireRequest {
    /// A request that queues when the key is busy, for a block of one token.
    pub fn new(key: LockKey, ticket: Ticket, lease: Duration) -> Self {
        Self { key, ticket, lease, wait: true, block: 1 }
    }

    /// Sets whether to queue when the key is busy.
    #[must_use]
    pub fn wait(mut self, wait: bool) -> Self {
        self.wait = wait;
        self
    }

    /// Sets how many fencing tokens the grant should hold.
    #[must_use]
    pub fn block(mut self, block: u32) -> Self {
        self.block = block;
        self
    }
}

/// Gives a key back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReleaseRequest {
    /// The key.
    pub key: LockKey,
    /// The ticket that owns it.
    pub ticket: Ticket,
    /// The last token used: a backend may hand out the rest of the block again.
    pub used: FencingToken,
    /// How many tokens after `used` the ticket still has.
    pub spare: u32,
    /// Whether other nodes are known to queue for the key.
    pub wanted: bool,
    /// A ticket to put at the queue's end in the same step.
    pub requeue: Option<Requeue>,
}

impl ReleaseRequest {
    /// A release without requeueing, of a ticket that has no more tokens.
    pub fn new(key: LockKey, ticket: Ticket, used: FencingToken) -> Self {
        Self { key, ticket, used, spare: 0, wanted: false, requeue: None }
    }

    /// Sets how many tokens after the last one used the ticket still has.
    #[must_use]
    pub fn spare(mut self, spare: u32) -> Self {
        self.spare = spare;
        self
    }

    /// Sets whether other nodes are known to queue for the key.
    #[must_use]
    pub fn wanted(mut self, wanted: bool) -> Self {
        self.wanted = wanted;
        self
    }

    /// Sets a ticket to put at the queue's end in the same step.
    #[must_use]
    pub fn requeue(mut self, requeue: Requeue) -> Self {
        self.requeue = Some(requeue);
        self
    }
}

/// The ticket that joins the queue in the same step as a release.
#[derive(Debug, Clone, Copy)]
pub struct Requeue {
    /// The new ticket.
    pub ticket: Ticket,
    /// How long its ownership is to last.
    pub lease: Duration,
    /// How many fencing tokens its grant should hold.
    pub block: u32,
}

/// Extends a lease.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RenewRequest {
    /// The key.
    pub key: LockKey,
    /// The ticket that owns it.
    pub ticket: Ticket,
    /// How long ownership is to last from now on.
    pub lease: Duration,
}

impl RenewRequest {
    /// A renewal.
    pub fn new(key: LockKey, ticket: Ticket, lease: Duration) -> Self {
        Self { key, ticket, lease }
    }
}

/// Leaves a queue.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CancelRequest {
    /// The key.
    pub key: LockKey,
    /// The ticket that queued.
    pub ticket: Ticket,
    /// The lease asked for when it queued.
    pub lease: Duration,
}

impl CancelRequest {
    /// A cancellation.
    pub fn new(key: LockKey, ticket: Ticket, lease: Duration) -> Self {
        Self { key, ticket, lease }
    }
}
