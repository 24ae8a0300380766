use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::backend::BackendError;
#[cfg(feature = "redis")]
use crate::backend::promise::Promised;

/// The reply to a backend command, known at once or later.
///
/// The command was enqueued before this value existed; dropping it does not undo the command.
#[must_use = "the reply says whether the command succeeded"]
pub struct BackendFuture<T>(State<T>);

enum State<T> {
    Known(Option<Result<T, BackendError>>),
    Later(Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send>>),
    #[cfg(feature = "redis")]
    Promised(Promised<T>),
}

impl<T> BackendFuture<T> {
    /// A reply that is known already.
    pub fn ready(reply: Result<T, BackendError>) -> Self {
        Self(State::Known(Some(reply)))
    }

    /// A reply that comes later.
    pub fn new(reply: impl Future<Output = Result<T, BackendError>> + Send + 'static) -> Self {
        Self(State::Later(Box::pin(reply)))
    }

    /// A reply that comes later, to a command that `reply` enqueues when it is polled for the first time: it is polled
    /// once here, so that commands are enqueued in the order of these calls.
    pub fn started(reply: impl Future<Output = Result<T, BackendError>> + Send + 'static) -> Self {
        let mut reply: Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send>> = Box::pin(reply);
        match reply.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(reply) => Self::ready(reply),
            Poll::Pending => Self(State::Later(reply)),
        }
    }

    /// A reply that somebody has promised.
    #[cfg(feature = "redis")]
    pub(crate) fn promised(reply: Promised<T>) -> Self {
        Self(State::Promised(reply))
    }

    /// Has `follow` called with the reply, by a task that `spawn` starts if there must be one.
    pub(crate) fn follow(
        self,
        spawn: impl FnOnce(Pin<Box<dyn Future<Output = ()> + Send>>),
        follow: impl FnOnce(Result<T, BackendError>) + Send + 'static,
    ) where
        T: Send + 'static,
    {
        match self.0 {
            State::Known(Some(reply)) => follow(reply),
            State::Known(None) => {}
            State::Later(reply) => spawn(Box::pin(async move { follow(reply.await) })),
            #[cfg(feature = "redis")]
            State::Promised(reply) => reply.follow(spawn, follow),
        }
    }

    /// The reply if it is known without waiting, else the future again.
    pub(crate) fn now(self) -> Result<Result<T, BackendError>, Self> {
        match self.0 {
            State::Known(Some(reply)) => Ok(reply),
            other => Err(Self(other)),
        }
    }
}

impl<T: Unpin> Future for BackendFuture<T> {
    type Output = Result<T, BackendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Polled again after the end, which futures may answer as they like: stay pending.
            State::Known(reply) => reply.take().map_or(Poll::Pending, Poll::Ready),
            State::Later(future) => future.as_mut().poll(cx),
            #[cfg(feature = "redis")]
            State::Promised(reply) => Pin::new(reply).poll(cx),
        }
    }
}

impl<T> fmt::Debug for BackendFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendFuture").finish_non_exhaustive()
    }
}
