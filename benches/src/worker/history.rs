use crate::worker::Turn;

/// The turns that several processes had on one key, in order.
#[derive(Debug)]
pub struct History {
    turns: Vec<(Turn, usize)>,
    per_process: Vec<usize>,
}

impl History {
    /// Merges what each process says of its own turns.
    ///
    /// # Panics
    ///
    /// When two turns overlap: what does not exclude is not a lock.
    #[must_use]
    pub fn merge(processes: Vec<Vec<Turn>>) -> Self {
        let per_process = processes.iter().map(Vec::len).collect();
        let mut turns: Vec<(Turn, usize)> = processes
            .into_iter()
            .enumerate()
            .flat_map(|(process, turns)| turns.into_iter().map(move |turn| (turn, process)))
            .collect();
        turns.sort_unstable();
        let overlap = turns.windows(2).find(|pair| pair[1].0.began < pair[0].0.ended);
        assert!(overlap.is_none(), "two held one key at once: {overlap:?}");
        Self { turns, per_process }
    }

    /// How many turns came after another task's.
    #[must_use]
    pub fn hand_overs(&self) -> usize {
        let holder = |(turn, process): &(Turn, usize)| (*process, turn.task);
        self.turns.windows(2).filter(|pair| holder(&pair[0]) != holder(&pair[1])).count()
    }

    /// The turns of the process that had least, over what each would have had by even shares.
    #[must_use]
    pub fn least_share(&self) -> f64 {
        let least = self.per_process.iter().min().copied().unwrap_or_default();
        (least * self.per_process.len()) as f64 / self.turns.len() as f64
    }

    /// The median time in nanoseconds from the end of one process's turn to the beginning of another's.
    ///
    /// # Panics
    ///
    /// When the key never changed hands between processes.
    #[must_use]
    pub fn median_crossing(&self) -> u64 {
        let mut gaps: Vec<u64> = self
            .turns
            .windows(2)
            .filter(|pair| pair[0].1 != pair[1].1)
            .map(|pair| pair[1].0.began - pair[0].0.ended)
            .collect();
        assert!(!gaps.is_empty(), "the key never changed hands");
        gaps.sort_unstable();
        gaps[gaps.len() / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn turn(began: u64, ended: u64, task: usize) -> Turn {
        Turn { began, ended, task }
    }

    #[test]
    fn only_what_changes_hands_counts() {
        let first = vec![turn(0, 10, 0), turn(20, 30, 0), turn(40, 50, 1), turn(200, 210, 1)];
        let second = vec![turn(100, 120, 0)];
        let history = History::merge(vec![first, second]);
        assert_eq!(history.hand_overs(), 3);
        // 50 to 100 and 120 to 200.
        assert_eq!(history.median_crossing(), 80);
        assert_eq!(history.least_share(), 0.4);
    }

    #[test]
    #[should_panic(expected = "two held one key at once")]
    fn turns_that_overlap_are_no_speed() {
        let _ = History::merge(vec![vec![turn(0, 10, 0)], vec![turn(9, 12, 0)]]);
    }
}
