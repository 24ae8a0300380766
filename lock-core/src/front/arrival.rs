use tokio::sync::oneshot;

use crate::backend::AcquireRequest;
use crate::front::Turn;
use crate::front::queue::Verdict;

/// How a caller that arrives is received.
pub(crate) enum Arrival {
    /// It is its turn.
    Turn(Turn),
    /// It queues. With a request, it is the one that has to send it.
    Queued { id: u64, verdict: oneshot::Receiver<Verdict>, ask: Option<AcquireRequest> },
    /// It does not wish to wait.
    Busy,
    /// The queue is full.
    Overloaded,
    /// Nothing new is taken on.
    ShutDown,
}
