use std::sync::Arc;

use crate::backend::{AcquireReply, BackendError, BackendErrorKind, BackendFuture};
use crate::front::Front;
use crate::key::LockKey;
use crate::ticket::Ticket;

/// A question to the backend whose reply has yet to be taken to the key's state.
///
/// Dropped without one, as with the runtime of the task that waits for it, it says that there was none: the key would
/// wait for it for ever.
pub(super) struct Unanswered(Option<(Arc<Front>, LockKey, Ticket)>);

impl Unanswered {
    pub(super) fn new(front: &Arc<Front>, key: LockKey, ticket: Ticket) -> Self {
        Self(Some((Arc::clone(front), key, ticket)))
    }

    /// Takes the reply to the key's state.
    pub(super) fn answer(mut self, reply: Result<AcquireReply, BackendError>) {
        self.tell(reply);
    }

    /// Takes the reply to the key's state when it comes.
    pub(super) fn follow(self, reply: BackendFuture<AcquireReply>) {
        let Some((front, ..)) = &self.0 else {
            return;
        };
        let front = Arc::clone(front);
        let under_way = front.tasks.token();
        reply.follow(
            |task| front.spawn(task),
            move |reply| {
                self.answer(reply);
                drop(under_way);
            },
        );
    }

    /// Somebody else asks once more.
    pub(super) fn forget(mut self) {
        self.0 = None;
    }

    fn tell(&mut self, reply: Result<AcquireReply, BackendError>) {
        if let Some((front, key, ticket)) = self.0.take() {
            front.asked(&key, ticket, reply);
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.tell(Err(BackendError::new(BackendErrorKind::Unavailable, "nobody was left to take the reply")));
    }
}
