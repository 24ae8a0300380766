use std::fmt;

use crate::measure::{Spread, Standings};

/// What a topic came to.
#[derive(Debug, Default)]
pub struct Findings {
    /// What was to be reached.
    pub lines: Vec<Line>,
    /// Everybody's figures, for reading.
    pub comparisons: Vec<Comparison>,
}

impl Findings {
    /// Adds those of another load.
    pub fn add(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.comparisons.extend(other.comparisons);
    }
}

/// One line of the table: what was to be reached, and what was seen.
#[derive(Debug, Clone)]
pub struct Line {
    /// The load.
    pub work: &'static str,
    /// The bound.
    pub reach: Reach,
    /// What was seen.
    pub seen: Spread,
    /// What the numbers count.
    pub unit: &'static str,
}

/// A bound on a number.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    bound: f64,
    at_least: bool,
}

/// The figures of several contenders at the same load.
#[derive(Debug)]
pub struct Comparison {
    /// The load.
    pub work: &'static str,
    /// What the numbers count.
    pub unit: &'static str,
    /// Name and figure.
    pub figures: Vec<(&'static str, Spread)>,
}

impl Reach {
    /// The more the better.
    #[must_use]
    pub const fn at_least(bound: f64) -> Self {
        Self { bound, at_least: true }
    }

    /// The less the better.
    #[must_use]
    pub const fn at_most(bound: f64) -> Self {
        Self { bound, at_least: false }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.at_least { '≥' } else { '≤' };
        write!(f, "{sign} {}", self.bound)
    }
}

impl Line {
    /// A line.
    #[must_use]
    pub const fn new(work: &'static str, reach: Reach, seen: Spread, unit: &'static str) -> Self {
        Self { work, reach, seen, unit }
    }

    /// Whether the median is within the bound.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        let (bound, seen) = (self.reach.bound, self.seen.median);
        if self.reach.at_least { seen >= bound } else { seen <= bound }
    }

    /// How many times better than the bound the median is; below one when it is not reached.
    #[must_use]
    pub fn margin(&self) -> f64 {
        // Nothing where nothing is allowed is as good as it gets.
        let (bound, seen) = (self.reach.bound.max(1e-9), self.seen.median.max(1e-9));
        if self.reach.at_least { seen / bound } else { bound / seen }
    }
}

impl Comparison {
    /// The figures of a contest.
    #[must_use]
    pub fn new(work: &'static str, unit: &'static str, standings: &Standings) -> Self {
        Self::of(work, unit, standings.all().collect())
    }

    /// Figures measured otherwise.
    #[must_use]
    pub const fn of(work: &'static str, unit: &'static str, figures: Vec<(&'static str, Spread)>) -> Self {
        Self { work, unit, figures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_reached_from_its_own_side() {
        let line = |reach, seen| Line::new("work", reach, Spread::of([seen]), "×");
        assert!(line(Reach::at_least(1.3), 1.3).is_reached());
        assert!(!line(Reach::at_least(1.3), 1.2).is_reached());
        assert!(line(Reach::at_most(0.0), 0.0).is_reached());
        assert!(!line(Reach::at_most(0.0), 1.0).is_reached());
        assert!(line(Reach::at_most(2.0), 1.0).margin() > 1.0);
        assert!(line(Reach::at_most(2.0), 4.0).margin() < 1.0);
    }
}
