//! What the expansion of `#[distributed_lock]` calls. Not part of the public interface.

use std::fmt;
use std::future::Future;
use std::panic::Location;

pub use crate::error::LockError;
pub use crate::held::HeldLock;
pub use crate::options::LockOptions;
pub use crate::output::GuardedOutput;

use crate::key::{InvalidKey, LockKey};
use crate::manager::LockManager;
use crate::run::run_guarded;

pub fn manager(manager: &LockManager) -> LockManager {
    manager.clone()
}

pub fn installed() -> Result<LockManager, LockError> {
    LockManager::installed().ok_or(LockError::NotInstalled)
}

pub fn key(text: fmt::Arguments<'_>) -> Result<LockKey, LockError> {
    let key = match text.as_str() {
        Some(text) => LockKey::new(text),
        None => LockKey::new(text.to_string()),
    };
    key.map_err(LockError::from)
}

pub fn each<const N: usize>(keys: [Result<LockKey, LockError>; N]) -> Result<Vec<LockKey>, LockError> {
    keys.into_iter().collect()
}

pub fn keys<I>(keys: I) -> Result<Vec<LockKey>, LockError>
where
    I: IntoIterator,
    I::Item: TryInto<LockKey>,
    <I::Item as TryInto<LockKey>>::Error: Into<InvalidKey>,
{
    keys.into_iter().map(|key| key.try_into().map_err(|error| LockError::InvalidKey(error.into()))).collect()
}

#[track_caller]
pub fn run<R, F>(
    manager: Result<LockManager, LockError>,
    key: Result<LockKey, LockError>,
    options: LockOptions,
    body: impl FnOnce(HeldLock) -> F,
) -> impl Future<Output = R>
where
    R: GuardedOutput,
    F: Future<Output = R>,
{
    run_keys(manager, key.map(|key| vec![key]), options, Location::caller(), body)
}

#[track_caller]
pub fn run_all<R, F>(
    manager: Result<LockManager, LockError>,
    keys: Result<Vec<LockKey>, LockError>,
    options: LockOptions,
    body: impl FnOnce(HeldLock) -> F,
) -> impl Future<Output = R>
where
    R: GuardedOutput,
    F: Future<Output = R>,
{
    run_keys(manager, keys, options, Location::caller(), body)
}

async fn run_keys<R, F>(
    manager: Result<LockManager, LockError>,
    keys: Result<Vec<LockKey>, LockError>,
    options: LockOptions,
    place: &'static Location<'static>,
    body: impl FnOnce(HeldLock) -> F,
) -> R
where
    R: GuardedOutput,
    F: Future<Output = R>,
{
    let outcome = async {
        let manager = manager?;
        let guard = manager.lock_all(keys?).options(options).place(place).acquire().await?;
        run_guarded(guard, place, options.pattern.unwrap_or_default(), body).await
    };
    outcome.await.unwrap_or_else(R::from_lock_error)
}
