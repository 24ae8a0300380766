use std::collections::BTreeMap;
use std::fmt;

use crate::fault_run::checker::{Disturbances, violations};
use crate::fault_run::fault::Fault;
use crate::fault_run::history::Caller;

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    callers: usize,
    guards: usize,
    without: BTreeMap<String, usize>,
    taken: usize,
    refused: usize,
    faults: BTreeMap<Fault, usize>,
    /// Everything that broke a promise.
    pub violations: Vec<String>,
}

impl Report {
    pub(super) fn new(
        callers: &[Caller],
        disturbances: &Disturbances,
        faults: BTreeMap<Fault, usize>,
        mut violations_before: Vec<String>,
    ) -> Report {
        let mut without = BTreeMap::new();
        for why in callers.iter().filter_map(|caller| caller.why_not.clone()) {
            *without.entry(why).or_default() += 1;
        }
        let answers = |taken: bool| {
            let writes = callers.iter().flat_map(|caller| &caller.writes);
            writes.filter(|write| write.answer.is_some_and(|(_, answer)| answer == taken)).count()
        };
        violations_before.extend(violations(callers, disturbances));
        Report {
            callers: callers.len(),
            guards: callers.iter().filter(|caller| caller.guard.is_some()).count(),
            without,
            taken: answers(true),
            refused: answers(false),
            faults,
            violations: violations_before,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "callers                        {:>8}", self.callers)?;
        writeln!(f, "guards granted                 {:>8}", self.guards)?;
        for (why, count) in &self.without {
            writeln!(f, "  without a guard: {why:<12}{count:>8}")?;
        }
        writeln!(f, "writes taken                   {:>8}", self.taken)?;
        writeln!(f, "stale writes refused           {:>8}", self.refused)?;
        writeln!(f, "faults injected                {:>8}", self.faults.values().sum::<usize>())?;
        for (fault, count) in &self.faults {
            writeln!(f, "  {:<29}{count:>8}", fault.name())?;
        }
        writeln!(f, "violations                     {:>8}", self.violations.len())?;
        for violation in self.violations.iter().take(20) {
            writeln!(f, "  {violation}")?;
        }
        Ok(())
    }
}
