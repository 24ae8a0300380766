use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::task::Poll;

use crate::error::LockError;
use crate::guard::LockGuard;
use crate::held::{self, HeldLock};
use crate::telemetry;

/// Runs `work` until it ends or the lock is lost, and gives the lock back.
pub(crate) async fn run_guarded<F: Future>(
    guard: LockGuard,
    place: &'static Location<'static>,
    pattern: &'static str,
    work: impl FnOnce(HeldLock) -> F,
) -> Result<F::Output, LockError> {
    let held = guard.held();
    let span = telemetry::run_span(&guard, pattern);
    let outcome = {
        let mut lost = pin!(held.lost());
        let mut work = pin!(held::scope(held.clone(), place, work(held.clone())));
        std::future::poll_fn(|cx| {
            if lost.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            let _entered = span.enter();
            work.as_mut().poll(cx).map(Some)
        })
        .await
    };
    telemetry::ran(&span, &guard, outcome.is_none());
    outcome.ok_or_else(|| {
        telemetry::lost(guard.key(), pattern);
        LockError::Lost { key: guard.key().clone() }
    })
}
