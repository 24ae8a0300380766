use crate::key::{InvalidKey, LockKey};

/// One key or more, sorted, each once: everybody takes them in the same order, so nobody waits in a circle.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) first: LockKey,
    pub(crate) rest: Box<[LockKey]>,
}

impl Keys {
    pub(crate) fn one(key: LockKey) -> Self {
        Self { first: key, rest: Box::default() }
    }

    pub(crate) fn all(mut keys: Vec<LockKey>) -> Result<Self, InvalidKey> {
        keys.sort_unstable();
        keys.dedup();
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(InvalidKey::NoKeys)?;
        Ok(Self { first, rest: keys.collect() })
    }
}
