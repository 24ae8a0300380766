//! Looks through histories for what must not be.

use std::collections::BTreeMap;

use crate::fault_run::history::{Caller, Guard};

/// What the check has to know of what went wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Disturbances {
    /// From when to when the server of the locks lost its data, and owners of before may not know it yet.
    pub(super) lost_data: Vec<(u64, u64)>,
    /// Which process was killed, and when.
    pub(super) killed: BTreeMap<usize, u64>,
    /// Which process stood still, from when to when.
    pub(super) frozen: Vec<(usize, u64, u64)>,
}

/// How much later than its deadline an answer may come on a machine that is busy, in microseconds.
const SLACK: u64 = 5_000_000;

impl Disturbances {
    fn data_was_lost(&self, at: u64) -> bool {
        self.lost_data.iter().any(|(from, to)| (*from..=*to).contains(&at))
    }

    /// By when a caller has to be answered.
    fn deadline(&self, caller: &Caller) -> u64 {
        let frozen: u64 = self
            .frozen
            .iter()
            .filter(|(process, _, to)| *process == caller.process && *to > caller.asked)
            .map(|(_, from, to)| to - from)
            .sum();
        caller.until + frozen + SLACK
    }
}

/// Everything that breaks a promise, in words.
pub(super) fn violations(callers: &[Caller], disturbances: &Disturbances) -> Vec<String> {
    let mut found = Vec::new();
    let mut by_key: BTreeMap<&str, Vec<&Caller>> = BTreeMap::new();
    for caller in callers {
        by_key.entry(&caller.key).or_default().push(caller);
    }
    for callers in by_key.values() {
        overlaps(callers, disturbances, &mut found);
        tokens(callers, disturbances, &mut found);
        writes(callers, &mut found);
    }
    for caller in callers {
        forgotten(caller, disturbances, &mut found);
    }
    found
}

fn guards<'a>(callers: &[&'a Caller]) -> Vec<(&'a Caller, Guard)> {
    let mut guards: Vec<_> = callers.iter().filter_map(|caller| Some((*caller, caller.guard?))).collect();
    guards.sort_by_key(|(_, guard)| guard.from);
    guards
}

/// Promise 1: no two guards are live at once, as long as the server keeps its data.
fn overlaps(callers: &[&Caller], disturbances: &Disturbances, found: &mut Vec<String>) {
    let mut longest: Option<(&Caller, Guard)> = None;
    for (caller, guard) in guards(callers) {
        if let Some((other, before)) = longest
            && before.to >= guard.from
            && !disturbances.data_was_lost(guard.from)
        {
            found.push(format!(
                "{} and {} hold {} at once: {before:?} and {guard:?}",
                other.name, caller.name, caller.key
            ));
        }
        if longest.is_none_or(|(_, before)| before.to < guard.to) {
            longest = Some((caller, guard));
        }
    }
}

/// Promise 3: who asks after somebody had a guard gets a larger token.
///
/// Not while owners of before the data was lost may not know it yet: what they go on with is stale.
fn tokens(callers: &[&Caller], disturbances: &Disturbances, found: &mut Vec<String>) {
    let guards = guards(callers);
    // The largest token of the guards up to each.
    let largest: Vec<(u64, &str)> = guards
        .iter()
        .scan((0, ""), |largest, (caller, guard)| {
            *largest = (*largest).max((guard.token, caller.name.as_str()));
            Some(*largest)
        })
        .collect();
    for (caller, guard) in &guards {
        let earlier = guards.partition_point(|(_, other)| other.from < caller.asked);
        if let Some((token, other)) = earlier.checked_sub(1).map(|last| largest[last])
            && guard.token <= token
            && !disturbances.data_was_lost(guard.from)
        {
            found.push(format!(
                "{} has token {} for {} after {other} had {token}",
                caller.name, guard.token, caller.key
            ));
        }
    }
}

/// What is known of one write.
struct Written<'a> {
    caller: &'a str,
    token: u64,
    sent: u64,
    answer: Option<(u64, bool)>,
}

/// Every stale write is refused, and no other.
fn writes(callers: &[&Caller], found: &mut Vec<String>) {
    let mut all: Vec<Written<'_>> = Vec::new();
    for (caller, guard) in guards(callers) {
        all.extend(caller.writes.iter().map(|write| Written {
            caller: &caller.name,
            token: guard.token,
            sent: write.sent,
            answer: write.answer,
        }));
    }
    // The largest token that the store certainly knew at a time: by when the answer came.
    let mut taken: Vec<(u64, u64)> = all
        .iter()
        .filter_map(|write| write.answer.filter(|(_, taken)| *taken).map(|(at, _)| (at, write.token)))
        .collect();
    taken.sort_unstable();
    for entry in 1..taken.len() {
        taken[entry].1 = taken[entry].1.max(taken[entry - 1].1);
    }
    // The largest token that the store may have known at a time: by when a write was sent.
    all.sort_by_key(|write| write.sent);
    let mut possible: Vec<(u64, u64)> = Vec::with_capacity(all.len());
    for write in all.iter().filter(|write| write.answer.is_none_or(|(_, taken)| taken)) {
        let before = possible.last().map_or(0, |(_, token)| *token);
        possible.push((write.sent, before.max(write.token)));
    }
    let known = |of: &[(u64, u64)], at: u64| {
        let count = of.partition_point(|(when, _)| *when < at);
        count.checked_sub(1).map_or(0, |last| of[last].1)
    };
    for write in &all {
        match write.answer {
            Some((_, true)) if write.token < known(&taken, write.sent) => found.push(format!(
                "the stale write of {} with token {} was taken after one with {}",
                write.caller,
                write.token,
                known(&taken, write.sent)
            )),
            Some((at, false)) if write.token >= known(&possible, at) => found.push(format!(
                "the write of {} with token {} was refused, and none was newer",
                write.caller, write.token
            )),
            _ => {}
        }
    }
}

/// Promise 4: every caller is answered by its deadline, unless its process was killed.
fn forgotten(caller: &Caller, disturbances: &Disturbances, found: &mut Vec<String>) {
    let deadline = disturbances.deadline(caller);
    let late = match (caller.answered, disturbances.killed.get(&caller.process)) {
        (Some(answered), _) => answered > deadline,
        (None, Some(killed)) => *killed > deadline,
        (None, None) => true,
    };
    if late {
        let waited = caller.answered.map(|answered| answered - caller.asked);
        found.push(format!(
            "{} asked for {} to be answered within {} µs, and was after {waited:?}",
            caller.name,
            caller.key,
            caller.until - caller.asked
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault_run::history::read;

    fn found(histories: &[&str], disturbances: &Disturbances) -> Vec<String> {
        let read = |(process, text): (usize, &&str)| read(process, text).unwrap();
        let callers: Vec<_> = histories.iter().enumerate().flat_map(read).collect();
        violations(&callers, disturbances)
    }

    const FIRST: &str = "ask a 10 k 1000\nguard a 20 100\nwrite a 25 1\nwrote a 30 1 taken\nheld a 40\n";
    const SECOND: &str = "ask b 15 k 1000\nguard b 50 200\nwrite b 55 1\nwrote b 60 1 taken\nheld b 70\n";

    #[test]
    fn one_after_the_other_is_as_it_should_be() {
        let stale = format!("{FIRST}write a 65 2\nwrote a 75 2 refused\n");
        assert_eq!(found(&[&stale, SECOND], &Disturbances::default()), [""; 0]);
    }

    #[test]
    fn two_guards_at_once_are_found_unless_data_was_lost() {
        let longer = format!("{FIRST}held a 50\n");
        assert_eq!(found(&[&longer, SECOND], &Disturbances::default()).len(), 1);
        let lost = Disturbances { lost_data: vec![(45, 60)], ..Disturbances::default() };
        assert_eq!(found(&[&longer, SECOND], &lost), [""; 0]);
        let earlier = Disturbances { lost_data: vec![(5, 49)], ..Disturbances::default() };
        assert_eq!(found(&[&longer, SECOND], &earlier).len(), 1);
    }

    #[test]
    fn an_overlap_with_an_earlier_guard_than_the_last_is_found() {
        let long = format!("{FIRST}held a 90\n");
        let third = "ask c 71 k 1000\nguard c 80 300\n";
        assert_eq!(found(&[&long, SECOND, third], &Disturbances::default()).len(), 2);
    }

    #[test]
    fn a_token_that_does_not_grow_is_found() {
        for token in [100, 99] {
            let second = format!("ask b 45 k 1000\nguard b 50 {token}\n");
            assert_eq!(found(&[FIRST, &second], &Disturbances::default()).len(), 1);
        }
        // Who asked before may have been granted before.
        let second = "ask b 15 k 1000\nguard b 50 99\n";
        assert_eq!(found(&[FIRST, second], &Disturbances::default()), [""; 0]);
    }

    #[test]
    fn a_stale_write_that_was_taken_is_found() {
        let stale = format!("{FIRST}write a 65 2\nwrote a 75 2 taken\n");
        assert_eq!(found(&[&stale, SECOND], &Disturbances::default()).len(), 1);
        // Sent before the newer one was known to be taken, it may have been first.
        let first = format!("{FIRST}write a 59 2\nwrote a 75 2 taken\n");
        assert_eq!(found(&[&first, SECOND], &Disturbances::default()), [""; 0]);
    }

    #[test]
    fn a_write_that_was_refused_for_nothing_is_found() {
        let refused = "ask b 15 k 1000\nguard b 50 200\nwrite b 55 1\nwrote b 60 1 refused\n";
        assert_eq!(found(&[FIRST, refused], &Disturbances::default()).len(), 1);
        // Of a process that was killed nobody knows whether the store took its write.
        let newer = "ask c 52 k 1000\nguard c 53 300\nwrite c 54 1\n";
        let killed = Disturbances { killed: [(2, 60)].into(), ..Disturbances::default() };
        assert_eq!(found(&[FIRST, refused, newer], &killed).len(), 0);
    }

    #[test]
    fn a_waiter_without_an_answer_is_found_unless_it_was_killed() {
        let waits = "ask a 10 k 1000\n";
        assert_eq!(found(&[waits], &Disturbances::default()).len(), 1);
        let killed = |at| Disturbances { killed: [(0, at)].into(), ..Disturbances::default() };
        assert_eq!(found(&[waits], &killed(900)), [""; 0]);
        assert_eq!(found(&[waits], &killed(1001 + SLACK)).len(), 1);
    }

    #[test]
    fn an_answer_that_is_late_is_found_unless_the_process_stood_still() {
        let late = format!("ask a 10 k 1000\nnothing a {} timeout\n", 1001 + SLACK);
        assert_eq!(found(&[&late], &Disturbances::default()).len(), 1);
        let frozen = Disturbances { frozen: vec![(0, 500, 600)], ..Disturbances::default() };
        assert_eq!(found(&[&late], &frozen), [""; 0]);
    }

    #[test]
    fn half_a_line_does_not_count_and_a_strange_one_is_an_error() {
        assert_eq!(found(&["ask a 10 k 1000\nguard a 20 100\nheld a 4"], &Disturbances::default()), [""; 0]);
        assert!(read(0, "gurad a 20 100\n").is_err() && read(0, "held a 20\n").is_err());
    }
}
