//! What the expansion of `#[distributed_lock]` calls. Not part of the public interface.

use std::fmt::{self, Write};
use std::future::Future;
use std::panic::Location;
use std::pin::pin;

pub use crate::error::LockError;
pub use crate::held::HeldLock;
pub use crate::options::LockOptions;
pub use crate::output::GuardedOutput;

use crate::held;
use crate::key::{InvalidKey, LockKey};
use crate::keys::Keys;
use crate::manager::LockManager;
use crate::request::{Acquire, LockRequest};
use crate::run::drive;

pub fn borrowed(manager: &LockManager) -> Option<&LockManager> {
    Some(manager)
}

pub fn manager(manager: &LockManager) -> Option<LockManager> {
    Some(manager.clone())
}

pub fn installed() -> Option<LockManager> {
    LockManager::installed()
}

pub fn key(text: fmt::Arguments<'_>) -> Result<LockKey, LockError> {
    if let Some(text) = text.as_str() {
        return Ok(LockKey::new(text)?);
    }
    let mut written = Written { short: [0; SHORT], len: 0, long: String::new() };
    match written.write_fmt(text) {
        Ok(()) => Ok(LockKey::new(written.as_str())?),
        Err(fmt::Error) => Ok(LockKey::new(text.to_string())?),
    }
}

/// Nearly all keys are shorter.
const SHORT: usize = 96;

/// A text that needs no allocation while it is short. Values are written once: some can be no more than that.
struct Written {
    short: [u8; SHORT],
    len: usize,
    /// All of it, once it is longer.
    long: String,
}

impl Written {
    fn as_str(&self) -> &str {
        if !self.long.is_empty() {
            return &self.long;
        }
        self.short.get(..self.len).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl Write for Written {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.len + part.len();
        match self.short.get_mut(self.len..end) {
            Some(place) if self.long.is_empty() => {
                place.copy_from_slice(part.as_bytes());
                self.len = end;
            }
            _ => {
                if self.long.is_empty() {
                    self.long = self.as_str().to_owned();
                }
                self.long.push_str(part);
            }
        }
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

#[inline]
#[track_caller]
pub fn run<R, F>(
    manager: Option<&LockManager>,
    key: Result<LockKey, LockError>,
    options: LockOptions,
    body: impl FnOnce(HeldLock) -> F,
) -> impl Future<Output = R>
where
    R: GuardedOutput,
    F: Future<Output = R>,
{
    let place = Location::caller();
    run_under(acquire(manager, key.map(|key| Ok(Keys::one(key))), options, place), place, body)
}

#[inline]
#[track_caller]
pub fn run_all<R, F>(
    manager: Option<&LockManager>,
    keys: Result<Vec<LockKey>, LockError>,
    options: LockOptions,
    body: impl FnOnce(HeldLock) -> F,
) -> impl Future<Output = R>
where
    R: GuardedOutput,
    F: Future<Output = R>,
{
    let place = Location::caller();
    run_under(acquire(manager, keys.map(Keys::all), options, place), place, body)
}

#[inline]
fn acquire<'m>(
    manager: Option<&'m LockManager>,
    keys: Result<Result<Keys, InvalidKey>, LockError>,
    options: LockOptions,
    place: &'static Location<'static>,
) -> Acquire<'m> {
    match (manager, keys) {
        (Some(manager), Ok(keys)) => {
            let keys = keys.and_then(|keys| manager.check(keys));
            LockRequest::new(manager, keys).options(options).place(place).begin()
        }
        (None, _) => Acquire::Refused(LockError::NotInstalled),
        (_, Err(error)) => Acquire::Refused(error),
    }
}

#[inline]
#[allow(clippy::manual_async_fn, reason = "an `async fn` would copy what it is given once more")]
fn run_under<R, F>(
    mut acquire: Acquire<'_>,
    place: &'static Location<'static>,
    body: impl FnOnce(HeldLock) -> F,
) -> impl Future<Output = R>
where
    R: GuardedOutput,
    F: Future<Output = R>,
{
    async move {
        let guard = match (&mut acquire).await {
            Ok(guard) => guard,
            Err(error) => return R::from_lock_error(error),
        };
        let held = guard.held();
        let work = pin!(held::scope(held.clone(), place, body(held)));
        drive(&guard, work).await.unwrap_or_else(R::from_lock_error)
    }
}
