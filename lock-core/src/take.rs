use std::panic::Location;

use tokio::time::Instant;

use crate::error::LockError;
use crate::front::Hold;
use crate::guard::{LockGuard, Part};
use crate::held::{self, Standing};
use crate::key::LockKey;
use crate::keys::Keys;
use crate::manager::LockManager;
use crate::options::Resolved;

/// A caller that takes keys.
pub(crate) struct Taker<'m> {
    pub(crate) manager: &'m LockManager,
    pub(crate) options: Resolved,
    pub(crate) reentrant: bool,
    /// Where the keys are asked for.
    pub(crate) place: &'static Location<'static>,
}

impl Taker<'_> {
    /// Takes the key if that needs no waiting; none otherwise, or when there are several. The time is `now`.
    pub(crate) fn take_at_once(&self, keys: &Keys, pattern: &'static str, now: Instant) -> Option<LockGuard> {
        if !keys.rest.is_empty() || !matches!(self.stand(&keys.first), Ok(None)) {
            return None;
        }
        let turn = self.manager.front().acquire_at_once(&keys.first, &self.options, now)?;
        Some(LockGuard::new(Part::Own(turn), Vec::new(), pattern, now))
    }

    /// Takes all keys or none.
    pub(crate) async fn take(&self, keys: Keys, pattern: &'static str) -> Result<LockGuard, LockError> {
        let joined = self.stand(&keys.first)?;
        if keys.rest.is_empty() {
            let first = match joined {
                Some(hold) => Part::Joined(hold),
                None => Part::Own(self.manager.front().acquire(keys.first, &self.options).await?),
            };
            return Ok(LockGuard::new(first, Vec::new(), pattern, Instant::now()));
        }
        let mut free = Vec::with_capacity(keys.rest.len() + 1);
        let mut parts = Vec::with_capacity(keys.rest.len() + 1);
        for key in std::iter::once(keys.first).chain(keys.rest) {
            match self.stand(&key)? {
                Some(hold) => parts.push(Part::Joined(hold)),
                None => free.push(key),
            }
        }
        self.take_free(free, &mut parts).await?;
        parts.sort_unstable_by(|a, b| a.hold().key().cmp(b.hold().key()));
        let first = parts.remove(0);
        Ok(LockGuard::new(first, parts, pattern, Instant::now()))
    }

    /// First all at once, in one round trip; when one is busy, one after the other in their order.
    async fn take_free(&self, keys: Vec<LockKey>, parts: &mut Vec<Part>) -> Result<(), LockError> {
        let began = Instant::now();
        let front = self.manager.front();
        if keys.len() > 1
            && let Some(turns) = front.try_acquire_all(&keys, &self.options).await?
        {
            parts.extend(turns.into_iter().map(Part::Own));
            return Ok(());
        }
        for key in keys {
            let wait = self.options.wait.saturating_sub(began.elapsed());
            // Whoever had time at first and has none left has timed out, also where the key happens to be free.
            if wait.is_zero() && !self.options.wait.is_zero() {
                return Err(LockError::Timeout { key, waited: began.elapsed() });
            }
            parts.push(Part::Own(front.acquire(key, &Resolved { wait, ..self.options }).await?));
        }
        Ok(())
    }

    /// Looks at what this task holds already: joins it, refuses, or warns.
    fn stand(&self, key: &LockKey) -> Result<Option<Hold>, LockError> {
        match held::standing(self.manager.front().node(), key) {
            Standing::Free => Ok(None),
            Standing::Held(hold) if self.reentrant => Ok(Some(hold)),
            Standing::Held(_) => Err(LockError::Reentrant { key: key.clone() }),
            Standing::OutOfOrder(outer) => {
                self.manager.front().note_inversion(outer, self.place, key);
                Ok(None)
            }
        }
    }
}
