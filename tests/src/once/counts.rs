use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How often what has happened, by name.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<String, u64>>);

impl Counts {
    /// Counts `number` more of `name`.
    pub fn add(&self, name: &str, number: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(name.to_owned()).or_default() += number;
    }

    /// How many there were.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or(0)
    }

    /// Adds the counts that a process has written last.
    pub fn add_last_of(&self, log: &str) {
        let Some(last) = log.lines().rev().find_map(|line| line.strip_prefix("counts ")) else { return };
        for (name, number) in last.split(' ').filter_map(|part| part.split_once('=')) {
            self.add(name, number.parse().unwrap_or(0));
        }
    }
}

/// `counts done=3 replayed=4`.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counts")?;
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().try_for_each(|(name, number)| write!(f, " {name}={number}"))
    }
}
