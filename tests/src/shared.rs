//! One server for all tests of a process.

use std::sync::{Mutex, PoisonError};

use crate::install::Unavailable;

/// Holds what is started by the first test that asks, and is ended by the reaper after the last.
pub(crate) struct Shared<T: 'static>(Mutex<Option<&'static T>>);

impl<T: Send + Sync + 'static> Shared<T> {
    pub(crate) const fn new() -> Shared<T> {
        Shared(Mutex::new(None))
    }

    /// Starts it, or answers the one that runs. Each caller learns why a start failed, in its own test.
    pub(crate) async fn get(
        &'static self,
        start: impl FnOnce() -> Result<T, Unavailable> + Send + 'static,
    ) -> &'static T {
        blocking(move || {
            let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match *running {
                Some(server) => Ok(server),
                None => Ok(*running.insert(Box::leak(Box::new(start()?)))),
            }
        })
        .await
    }
}

/// Runs `start` where it may block, and panics in the test's own thread when it fails.
///
/// Tokio does not advance a paused clock while this runs, so tests with a paused clock may start servers too.
pub(crate) async fn blocking<T: Send + 'static>(
    start: impl FnOnce() -> Result<T, Unavailable> + Send + 'static,
) -> T {
    match tokio::task::spawn_blocking(start).await.expect("starting a server does not panic") {
        Ok(started) => started,
        Err(Unavailable(why)) => panic!("{why}"),
    }
}
