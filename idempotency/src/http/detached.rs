use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that goes on by itself when it is dropped: on a task of its own, to its end.
pub(super) struct Detached<T: Send + 'static>(Option<Boxed<T>>);

impl<T: Send + 'static> Detached<T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<T: Send + 'static> Future for Detached<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out meanwhile: a future that panics is over, and does not go on.
        let Some(mut future) = self.0.take() else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(future);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        // Without a runtime it ends here, as with the process.
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            tracing::debug!("nobody waits any more for an idempotent request: it goes on");
            drop(runtime.spawn(async move { drop(future.await) }));
        }
    }
}
