use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::error::LockError;
use crate::guard::LockGuard;
use crate::telemetry;

/// Drives `work` until it ends or the lock is lost. The caller drops the work first and the guard after it.
///
/// The work is borrowed: each function that takes a future by value makes the one around it larger by that much.
pub(crate) async fn drive<F: Future>(
    guard: &LockGuard,
    mut work: Pin<&mut F>,
) -> Result<F::Output, LockError> {
    let span = telemetry::run_span(guard);
    let mut lost = pin!(guard.lost());
    let mut watching = false;
    let outcome = std::future::poll_fn(|cx| {
        let is_over = watching && lost.as_mut().poll(cx).is_ready();
        // By the clock too: whoever wakes the work may come before the timer does.
        if is_over || !guard.is_held() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(output) = span.in_scope(|| work.as_mut().poll(cx)) {
            return Poll::Ready(Some(output));
        }
        // Work that never waits needs no timer.
        if !std::mem::replace(&mut watching, true) && lost.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await;
    telemetry::ran(&span, guard, outcome.is_none());
    outcome.ok_or_else(|| {
        telemetry::lost(guard);
        LockError::Lost { key: guard.key().clone() }
    })
}
