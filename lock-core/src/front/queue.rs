use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::error::LockError;
use crate::front::Turn;
use crate::options::Resolved;

/// What a waiter is told in the end.
pub(crate) type Verdict = Result<Turn, LockError>;

/// A caller that queues for a key in this process.
pub(crate) struct Waiter {
    pub(crate) id: u64,
    pub(crate) verdict: oneshot::Sender<Verdict>,
    pub(crate) options: Resolved,
}

/// The callers of one key, first come, first served.
#[derive(Default)]
pub(crate) struct WaitQueue {
    waiters: VecDeque<Waiter>,
}

impl WaitQueue {
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// The longest lease anybody in the queue asks for is not looked up: the one at the head counts.
    pub(crate) fn head(&self) -> Option<&Resolved> {
        self.waiters.front().map(|waiter| &waiter.options)
    }

    /// Joins the end. The number `id` names the place when leaving; it is larger than all before, also than those of a queue
    /// of the same key that was forgotten, whose callers may still leave.
    pub(crate) fn push(&mut self, id: u64, options: Resolved) -> oneshot::Receiver<Verdict> {
        let (verdict, receiver) = oneshot::channel();
        self.waiters.push_back(Waiter { id, verdict, options });
        receiver
    }

    pub(crate) fn pop(&mut self) -> Option<Waiter> {
        self.waiters.pop_front()
    }

    /// Leaves the queue; false when this place was called up already.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        // Numbers only grow, so the queue is sorted by them; waiters that time out sit near the front, where removal
        // moves next to nothing.
        match self.waiters.binary_search_by_key(&id, |waiter| waiter.id) {
            Ok(index) => self.waiters.remove(index).is_some(),
            Err(_) => false,
        }
    }

    /// Takes those out who do not wish to wait.
    pub(crate) fn take_impatient(&mut self) -> Vec<Waiter> {
        if !self.waiters.iter().any(|waiter| waiter.options.wait.is_zero()) {
            return Vec::new();
        }
        let (impatient, patient): (Vec<_>, Vec<_>) =
            self.waiters.drain(..).partition(|waiter| waiter.options.wait.is_zero());
        self.waiters = patient.into();
        impatient
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Waiter> + use<> {
        std::mem::take(&mut self.waiters).into_iter()
    }
}
