//! What the expansion of `#[distributed_lock]` calls. Not part of the public interface.

use std::fmt::{self, Write};
use std::future::Future;
use std::panic::Location;
use std::pin::pin;

pub use crate::error::LockError;
pub use crate::held::HeldLock;
pub use crate::options::LockOptions;
pub use crate::output::GuardedOutput;

use crate::guard::LockGuard;
use crate::held;
use crate::key::{InvalidKey, LockKey};
use crate::keys::Keys;
use crate::manager::LockManager;
use crate::request::LockRequest;
use crate::run::drive;

pub fn manager(manager: &LockManager) -> LockManager {
    manager.clone()
}

pub fn installed() -> Result<LockManager, LockError> {
    LockManager::installed().ok_or(LockError::NotInstalled)
}

pub fn key(text: fmt::Arguments<'_>) -> Result<LockKey, LockError> {
    if let Some(text) = text.as_str() {
        return Ok(LockKey::new(text)?);
    }
    let mut short = Short { text: [0; SHORT], len: 0 };
    match short.write_fmt(text) {
        Ok(()) => Ok(LockKey::new(short.as_str())?),
        Err(fmt::Error) => Ok(LockKey::new(text.to_string())?),
    }
}

/// Nearly all keys are shorter.
const SHORT: usize = 96;

/// A text that needs no allocation; longer ones do not fit.
struct Short {
    text: [u8; SHORT],
    len: usize,
}

impl Short {
    fn as_str(&self) -> &str {
        self.text.get(..self.len).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.len + part.len();
        self.text.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(part.as_bytes());
        self.len = end;
        Ok(())
    }
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
    run_keys(manager, key.map(|key| Ok(Keys::one(key))), options, Location::caller(), body)
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
    run_keys(manager, keys.map(Keys::all), options, Location::caller(), body)
}

async fn run_keys<R, F>(
    manager: Result<LockManager, LockError>,
    keys: Result<Result<Keys, InvalidKey>, LockError>,
    options: LockOptions,
    place: &'static Location<'static>,
    body: impl FnOnce(HeldLock) -> F,
) -> R
where
    R: GuardedOutput,
    F: Future<Output = R>,
{
    let guard = match acquire(manager, keys, options, place).await {
        Ok(guard) => guard,
        Err(error) => return R::from_lock_error(error),
    };
    let held = guard.held();
    let work = pin!(held::scope(held.clone(), place, body(held)));
    drive(&guard, work).await.unwrap_or_else(R::from_lock_error)
}

async fn acquire(
    manager: Result<LockManager, LockError>,
    keys: Result<Result<Keys, InvalidKey>, LockError>,
    options: LockOptions,
    place: &'static Location<'static>,
) -> Result<LockGuard, LockError> {
    let (manager, keys) = (manager?, keys?);
    let keys = keys.and_then(|keys| manager.check(keys));
    LockRequest::new(&manager, keys).options(options).place(place).acquire().await
}
