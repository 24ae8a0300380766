use std::time::Instant;

use lock_core::{LockError, LockManager};

use crate::load::{by_attribute, by_hand};
use crate::measure::Contest;
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const WORK: &str = "the attribute over `run` by hand, in process";
const USERS: u64 = 1_000;
/// Calls between two looks at the clock.
const BATCH: u64 = 256;

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let locks = &LockManager::in_process();
    let mut contest = Contest::default();
    contest.enter("attribute", || timed(effort, locks, async |locks, user| by_attribute(locks, user).await));
    contest.enter("by hand", || timed(effort, locks, async |locks, user| by_hand(locks, user).await));
    let standings = contest.run(effort.rounds).await;
    let ratio = standings.ratio("attribute", "by hand");
    Findings {
        lines: vec![Line::new(WORK, Reach::at_most(1.05), ratio, "× the time")],
        comparisons: vec![Comparison::new(WORK, "ns", &standings)],
    }
}

/// Nanoseconds a call.
async fn timed(
    effort: &Effort,
    locks: &LockManager,
    call: impl AsyncFn(&LockManager, u64) -> Result<u64, LockError>,
) -> f64 {
    let (begun, mut calls) = (Instant::now(), 0);
    while begun.elapsed() < effort.slice {
        for _ in 0..BATCH {
            call(locks, calls % USERS).await.expect("the lock");
            calls += 1;
        }
        tokio::task::yield_now().await;
    }
    begun.elapsed().as_nanos() as f64 / calls as f64
}
