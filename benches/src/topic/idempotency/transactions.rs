use idempotency::{Idempotency, MySqlStore};

use super::desk::{Desk, rate};
use super::original::charge_in_three_commits;
use crate::measure::{Contest, Standings};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const ONE: &str = "a charge with a key, 1 connection";
const MANY: &str = "a charge with a key, 16 connections";
const ONE_UNTESTED: &str = "the same, idle connections untested, 1 connection";
const MANY_UNTESTED: &str = "the same, idle connections untested, 16 connections";

const PLAIN: &str = "without a key";
const KEYED: &str = "interlock";
const UNTESTED: &str = "interlock, untested";
const ORIGINAL: &str = "three commits";

pub(super) async fn measure(effort: &Effort) -> Findings {
    // A second connection for the original's second commit.
    let desk = &Desk::open(2).await;
    let (once, untested) = (&desk.once(), &desk.untested());
    let mut contest = charges(desk, [once, untested], 1, effort);
    contest.enter(ORIGINAL, || rate(1, effort.slice, || charge_in_three_commits(desk, desk.key())));
    let one = contest.run(effort.rounds).await;

    let desk = &Desk::open(16).await;
    let (once, untested) = (&desk.once(), &desk.untested());
    let many = charges(desk, [once, untested], 16, effort).run(effort.rounds).await;

    let line = |work, standings: &Standings, reach, name, base, unit| {
        Line::new(work, Reach::at_least(reach), standings.ratio(name, base), unit)
    };
    let (without, commits) = ("× the same without a key", "× three commits on two connections");
    Findings {
        lines: vec![
            line(ONE, &one, 0.85, KEYED, PLAIN, without),
            line(MANY, &many, 0.7, KEYED, PLAIN, without),
            line(ONE, &one, 2.5, KEYED, ORIGINAL, commits),
            line(ONE_UNTESTED, &one, 0.85, UNTESTED, PLAIN, without),
            line(MANY_UNTESTED, &many, 0.7, UNTESTED, PLAIN, without),
            line(ONE_UNTESTED, &one, 2.5, UNTESTED, ORIGINAL, commits),
        ],
        comparisons: vec![Comparison::new(ONE, "charges/s", &one), Comparison::new(MANY, "charges/s", &many)],
    }
}

/// Charges without a key, with one, and with one on connections that nobody has tested.
fn charges<'a>(
    desk: &'a Desk,
    [once, untested]: [&'a Idempotency<MySqlStore>; 2],
    tasks: usize,
    effort: &'a Effort,
) -> Contest<'a> {
    let mut contest = Contest::default();
    contest.enter(PLAIN, move || rate(tasks, effort.slice, || desk.plain()));
    for (name, once) in [(KEYED, once), (UNTESTED, untested)] {
        let keyed = move || async move { assert!(!desk.keyed(once, desk.key()).await) };
        contest.enter(name, move || rate(tasks, effort.slice, keyed));
    }
    contest
}
