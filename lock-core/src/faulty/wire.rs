use std::future::Future;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::backend::{BackendError, BackendErrorKind, BackendFuture};
use crate::faulty::BackendFault;

/// Carries out a command, which `call` does, as the fault says.
pub(super) fn carry<T: Send + Unpin + 'static>(
    fault: Option<BackendFault>,
    call: impl Fn() -> BackendFuture<T> + Send + 'static,
) -> BackendFuture<T> {
    match fault {
        None => call(),
        Some(BackendFault::SlowReply(by)) => {
            let reply = call();
            BackendFuture::new(async move {
                pause(by).await;
                reply.await
            })
        }
        Some(BackendFault::SlowCommand(by)) => {
            let (answer, reply) = oneshot::channel();
            spawn(async move {
                pause(by).await;
                // A caller that gave up does not hear of it.
                let _ = answer.send(call().await);
            });
            BackendFuture::new(async move { reply.await.unwrap_or_else(|_| Err(cut())) })
        }
        Some(BackendFault::CutBefore) => BackendFuture::ready(Err(cut())),
        Some(BackendFault::CutAfter) => {
            let reply = call();
            BackendFuture::new(async move {
                let _ = reply.await;
                Err(cut())
            })
        }
        Some(BackendFault::Repeat(after)) => {
            let reply = call();
            spawn(async move {
                pause(after).await;
                let _ = call().await;
            });
            reply
        }
    }
}

fn cut() -> BackendError {
    BackendError::new(BackendErrorKind::Unavailable, "the connection was cut by a test")
}

async fn pause(by: Duration) {
    if by.is_zero() {
        tokio::task::yield_now().await;
    } else {
        sleep(by).await;
    }
}

/// Outside of any runtime nothing happens later.
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}
