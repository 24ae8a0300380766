use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::backend::{BackendError, BackendErrorKind};
use crate::sync::Mutex;

type Reply<T> = Result<T, BackendError>;
type Work<T> = Pin<Box<dyn Future<Output = Reply<T>> + Send>>;

/// A reply that somebody else will bring: the half that waits for it.
///
/// Who does not wait may leave behind what is to be done with it, which costs no task of its own.
pub(crate) struct Promised<T>(Arc<Mutex<Stage<T>>>);

/// The half that brings the reply. Dropped without one, it says that the connection was closed.
pub(crate) struct Promise<T>(Arc<Mutex<Stage<T>>>);

enum Stage<T> {
    Open,
    Awaited(Waker),
    Followed(Box<dyn FnOnce(Reply<T>) + Send>),
    /// Whoever waits brings the reply itself.
    Carried(Work<T>),
    Kept(Reply<T>),
    Taken,
}

/// A promise and who waits for it.
pub(crate) fn promise<T>() -> (Promise<T>, Promised<T>) {
    let stage = Arc::new(Mutex::new(Stage::Open));
    (Promise(Arc::clone(&stage)), Promised(stage))
}

impl<T> Promise<T> {
    /// Brings the reply.
    pub(crate) fn keep(self, reply: Reply<T>) {
        self.settle(reply);
    }

    /// Who waits at this moment, if it is a task.
    pub(crate) fn awaited(&self) -> Option<Waker> {
        match &*self.0.lock() {
            Stage::Awaited(waker) => Some(waker.clone()),
            _ => None,
        }
    }

    /// Whether nobody waits, and what is to be done with the reply was left behind.
    pub(crate) fn is_followed(&self) -> bool {
        matches!(*self.0.lock(), Stage::Followed(_))
    }

    /// Leaves the rest to the task that waits: one task fewer has to wake up. `work` was polled with `waker`.
    pub(crate) fn hand_over(self, work: Work<T>, waker: &Waker) {
        let mut stage = self.0.lock();
        if let Stage::Awaited(current) = mem::replace(&mut *stage, Stage::Carried(work))
            && !current.will_wake(waker)
        {
            drop(stage);
            current.wake();
        }
    }

    fn settle(&self, reply: Reply<T>) {
        let mut stage = self.0.lock();
        match mem::replace(&mut *stage, Stage::Taken) {
            Stage::Open => *stage = Stage::Kept(reply),
            Stage::Awaited(waker) => {
                *stage = Stage::Kept(reply);
                drop(stage);
                waker.wake();
            }
            Stage::Followed(follow) => {
                drop(stage);
                follow(reply);
            }
            other @ (Stage::Carried(_) | Stage::Kept(_) | Stage::Taken) => *stage = other,
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if matches!(*self.0.lock(), Stage::Carried(_) | Stage::Kept(_) | Stage::Taken) {
            return;
        }
        let closed =
            BackendError::new(BackendErrorKind::Unavailable, "the connection to the backend was closed");
        self.settle(Err(closed));
    }
}

impl<T> Promised<T> {
    /// Has `follow` called with the reply, by whoever brings it, or at once when it is there.
    pub(crate) fn follow(
        self,
        spawn: impl FnOnce(Pin<Box<dyn Future<Output = ()> + Send>>),
        follow: impl FnOnce(Reply<T>) + Send + 'static,
    ) where
        T: Send + 'static,
    {
        let mut stage = self.0.lock();
        match mem::replace(&mut *stage, Stage::Taken) {
            Stage::Kept(reply) => {
                drop(stage);
                follow(reply);
            }
            Stage::Carried(work) => {
                drop(stage);
                spawn(Box::pin(async move { follow(work.await) }));
            }
            Stage::Taken => {}
            Stage::Open | Stage::Awaited(_) | Stage::Followed(_) => {
                *stage = Stage::Followed(Box::new(follow));
            }
        }
    }
}

impl<T> Future for Promised<T> {
    type Output = Reply<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<T>> {
        let mut stage = self.0.lock();
        match mem::replace(&mut *stage, Stage::Taken) {
            Stage::Kept(reply) => Poll::Ready(reply),
            Stage::Carried(mut work) => {
                drop(stage);
                let reply = work.as_mut().poll(cx);
                if reply.is_pending() {
                    *self.0.lock() = Stage::Carried(work);
                }
                reply
            }
            Stage::Open => {
                *stage = Stage::Awaited(cx.waker().clone());
                Poll::Pending
            }
            Stage::Awaited(mut waker) => {
                waker.clone_from(cx.waker());
                *stage = Stage::Awaited(waker);
                Poll::Pending
            }
            // Polled again after the end, which futures may answer as they like: stay pending.
            other @ (Stage::Followed(_) | Stage::Taken) => {
                *stage = other;
                Poll::Pending
            }
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_reply_reaches_whoever_waits_for_it() {
        let (promise, promised) = promise();
        let waiting = tokio::spawn(promised);
        tokio::task::yield_now().await;
        promise.keep(Ok(7));
        assert_eq!(waiting.await.unwrap().unwrap(), 7);
    }

    #[test]
    fn a_reply_is_followed_before_and_after_it_is_there() {
        let (seen, replies) = mpsc::channel();
        for early in [true, false] {
            let (promise, promised) = promise();
            let seen = seen.clone();
            let follow = move |reply: Reply<i32>| seen.send(reply.unwrap()).unwrap();
            if early {
                promised.follow(|_| unreachable!("somebody brings it"), follow);
                promise.keep(Ok(7));
            } else {
                promise.keep(Ok(7));
                promised.follow(|_| unreachable!("somebody brings it"), follow);
            }
            assert_eq!(replies.try_recv(), Ok(7), "early: {early}");
        }
    }

    #[tokio::test]
    async fn whoever_waits_may_bring_the_reply_itself() {
        let (promise, promised) = promise();
        let waiting = tokio::spawn(promised);
        tokio::task::yield_now().await;
        let waker = promise.awaited().unwrap();
        let (now, later) = tokio::sync::oneshot::channel();
        let mut work: Work<i32> = Box::pin(async move { Ok(later.await.unwrap()) });
        assert!(work.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        promise.hand_over(work, &waker);
        now.send(7).unwrap();
        assert_eq!(waiting.await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn a_broken_promise_is_an_error() {
        let (promise, promised) = promise::<()>();
        drop(promise);
        assert!(promised.await.unwrap_err().is_transient());
    }
}
