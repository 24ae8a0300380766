use super::desk::{Desk, rate};
use super::original::charge_in_three_commits;
use crate::measure::Contest;
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const ONE: &str = "a charge with a key, 1 connection";
const MANY: &str = "a charge with a key, 16 connections";

pub(super) async fn measure(effort: &Effort) -> Findings {
    // A second connection for the original's second commit.
    let desk = &Desk::open(2).await;
    let once = &desk.once();
    let mut contest = Contest::default();
    contest.enter("without a key", || rate(1, effort.slice, || desk.plain()));
    contest
        .enter("interlock", || rate(1, effort.slice, async || assert!(!desk.keyed(once, desk.key()).await)));
    contest.enter("three commits", || rate(1, effort.slice, || charge_in_three_commits(desk, desk.key())));
    let one = contest.run(effort.rounds).await;

    let desk = &Desk::open(16).await;
    let once = &desk.once();
    let mut contest = Contest::default();
    contest.enter("without a key", || rate(16, effort.slice, || desk.plain()));
    contest
        .enter("interlock", || rate(16, effort.slice, async || assert!(!desk.keyed(once, desk.key()).await)));
    let many = contest.run(effort.rounds).await;

    let without = "× the same without a key";
    Findings {
        lines: vec![
            Line::new(ONE, Reach::at_least(0.85), one.ratio("interlock", "without a key"), without),
            Line::new(MANY, Reach::at_least(0.7), many.ratio("interlock", "without a key"), without),
            Line::new(
                ONE,
                Reach::at_least(2.5),
                one.ratio("interlock", "three commits"),
                "× three commits on two connections",
            ),
        ],
        comparisons: vec![Comparison::new(ONE, "charges/s", &one), Comparison::new(MANY, "charges/s", &many)],
    }
}
