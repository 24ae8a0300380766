use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::backend::{AcquireRequest, CancelRequest, ReleaseRequest};
use crate::error::LockError;
use crate::front::Turn;
use crate::front::queue::{Verdict, Waiter};

/// What has to be done outside after a change of a key's state, in this order and without the state's lock.
#[derive(Default)]
#[must_use]
pub(crate) struct Effects {
    pub(crate) refused: Vec<(oneshot::Sender<Verdict>, LockError)>,
    pub(crate) command: Option<Command>,
    /// Whose turn it is now.
    pub(crate) grant: Option<(Waiter, Turn)>,
}

/// A command to the backend that nobody waits for.
pub(crate) enum Command {
    Acquire(AcquireRequest),
    /// Repeated until confirmed, at most until the lease is over anyway.
    Release {
        request: ReleaseRequest,
        until: Instant,
    },
    /// Gives a key back that is owned for nobody, unless that happens by itself in the next moment.
    Reclaim(ReleaseRequest),
    /// Repeated likewise.
    Cancel {
        request: CancelRequest,
        until: Instant,
    },
}
