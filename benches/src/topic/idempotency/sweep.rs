use std::time::{Duration, Instant};

use idempotency::{Idempotency, MySqlStore, Sweep};
use sqlx::{query_scalar, raw_sql};

use super::desk::Desk;
use crate::measure::{Contest, Spread};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const WORK: &str = "claims while 1,000,000 expired rows are swept";
/// As expired.sql makes them.
const ROWS: i64 = 1_000_000;
const TASKS: usize = 8;
/// A 99th percentile needs some hundreds of claims.
const SLICES: u32 = 10;

pub(super) async fn measure(effort: &Effort) -> Findings {
    let desk = &Desk::open(TASKS as u32 + 1).await;
    raw_sql(include_str!("expired.sql")).execute(&desk.pool).await.expect("a million rows");
    let once = &desk.once();
    let time = effort.slice * SLICES;
    let mut contest = Contest::default();
    contest.enter("without a sweep", || claims(desk, once, time));
    contest.enter("with a sweep", || async {
        let sweeper = once.spawn_sweeper(Sweep::default());
        let p99 = claims(desk, once, time).await;
        sweeper.abort();
        p99
    });
    let standings = contest.run(effort.rounds.div_ceil(3)).await;
    let sql = "SELECT COUNT(*) FROM idempotency_keys WHERE operation = 'expired'";
    let left: i64 = query_scalar(sql).fetch_one(&desk.pool).await.expect("a count");
    assert!(left > 0 && left < ROWS, "the sweep was at work all the time, with {left} rows left");
    let ratio = standings.ratio("with a sweep", "without a sweep");
    Findings {
        lines: vec![Line::new(WORK, Reach::at_most(2.0), ratio, "× the p99 without a sweep")],
        comparisons: vec![
            Comparison::new(WORK, "ms p99", &standings),
            Comparison::of(WORK, "rows swept", vec![("interlock", Spread::of([(ROWS - left) as f64]))]),
        ],
    }
}

/// The 99th percentile of charges with a key, in milliseconds.
async fn claims(desk: &Desk, once: &Idempotency<MySqlStore>, time: Duration) -> f64 {
    let begun = Instant::now();
    let task = async || {
        let mut times = Vec::new();
        while begun.elapsed() < time {
            let sent = Instant::now();
            desk.keyed(once, desk.key()).await;
            times.push(sent.elapsed());
        }
        times
    };
    let times = futures_util::future::join_all((0..TASKS).map(|_| task())).await;
    let mut times: Vec<Duration> = times.into_iter().flatten().collect();
    times.sort_unstable();
    times[(times.len() - 1) * 99 / 100].as_secs_f64() * 1e3
}
