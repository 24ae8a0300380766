use super::desk::{Desk, rate};
use crate::measure::Contest;
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const WORK: &str = "a replay";

pub(super) async fn measure(effort: &Effort) -> Findings {
    let desk = &Desk::open(2).await;
    let once = &desk.once();
    let cached = &Desk::cached(desk.pool.clone());
    let key = desk.key();
    assert!(!desk.keyed(once, key).await);
    let replay = async |once| assert!(desk.keyed(once, key).await, "it is a replay");
    replay(cached).await;
    let mut contest = Contest::default();
    contest.enter("read", || rate(1, effort.slice, || replay(once)));
    contest.enter("cached", || rate(1, effort.slice, || replay(cached)));
    let standings = contest.run(effort.rounds).await;
    let ratio = standings.ratio("cached", "read");
    Findings {
        lines: vec![Line::new(WORK, Reach::at_least(20.0), ratio, "× with the cache over without")],
        comparisons: vec![Comparison::new(WORK, "replays/s", &standings)],
    }
}
