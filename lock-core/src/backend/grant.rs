use std::time::Duration;

use tokio::time::Instant;

use crate::token::FencingToken;

/// The backend's word that a ticket owns a key.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Grant {
    /// The first token of the grant's block.
    pub token: FencingToken,
    /// How many tokens the block holds, one for each turn: `token … token + block - 1`.
    pub block: u32,
    /// How long ownership lasts, counted from `since`. May be shorter than asked.
    pub lease: Duration,
    /// A moment on this process's clock that is not later than the one at which the backend began to count.
    pub since: Instant,
    /// Whether other nodes queue for the key.
    pub wanted: bool,
}

impl Grant {
    /// A grant for which no other node queues.
    pub fn new(token: FencingToken, block: u32, lease: Duration, since: Instant) -> Self {
        Self { token, block, lease, since, wanted: false }
    }

    /// Sets whether other nodes queue for the key.
    #[must_use]
    pub fn wanted(mut self, wanted: bool) -> Self {
        self.wanted = wanted;
        self
    }
}

/// The answer to an acquire.
#[derive(Debug, Clone, Copy)]
pub enum AcquireReply {
    /// The ticket owns the key.
    Granted(Grant),
    /// Another ticket owns the key. If the request was to wait, the ticket is queued.
    Busy {
        /// How long the owner's lease lasts unless renewed.
        remaining: Duration,
    },
}

/// The answer to an acquire of several keys at once.
#[derive(Debug, Clone)]
pub enum AcquireAllReply {
    /// All tickets own their keys; the grants are in the order asked.
    Granted(Vec<Grant>),
    /// At least one key has another owner, or others queue for it. Nothing was changed.
    Busy,
    /// The backend cannot take these keys in one step. Nothing was changed.
    Unsupported,
}

/// The answer to a release.
#[derive(Debug, Clone, Copy)]
pub enum ReleaseReply {
    /// The key was given back.
    Released,
    /// The key was given back, and the ticket named for requeueing got this answer.
    Requeued(AcquireReply),
    /// The ticket did not own the key, and nothing was requeued. If nobody owned it, the longest-queued node does now.
    Lost,
}

/// The answer to a renewal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RenewReply {
    /// A moment not later than the one at which the backend began to count the new leases.
    pub since: Instant,
    /// For each key, in the order asked: whether it is still owned, and extended.
    pub held: Vec<bool>,
    /// Positions of the keys of which nothing is known, because their server did not answer while others did. They keep
    /// the lease they had, and `held` says nothing about them.
    pub unconfirmed: Vec<usize>,
}

impl RenewReply {
    /// An answer for keys in the order asked.
    pub fn new(since: Instant, held: Vec<bool>) -> Self {
        Self { since, held, unconfirmed: Vec::new() }
    }

    /// Sets of which keys nothing is known.
    #[must_use]
    pub fn unconfirmed(mut self, positions: Vec<usize>) -> Self {
        self.unconfirmed = positions;
        self
    }
}
