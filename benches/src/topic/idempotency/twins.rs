use std::time::Instant;

use idempotency::{Idempotency, MySqlStore};

use super::desk::Desk;
use crate::measure::Spread;
use crate::report::{Findings, Line, Reach};
use crate::topic::Effort;

const WORK: &str = "100 twins of one request at once";
const TWINS: usize = 100;
/// How many single requests, one after the other, say how long one takes.
const SINGLES: usize = 5;

pub(super) async fn measure(effort: &Effort) -> Findings {
    let desk = Desk::open(2).await;
    let (mut effects, mut connections, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        // A pool of its own, which opens a connection when one is asked for and none is free.
        let pool = Desk::pool(&desk.database, 10).await;
        let once = Idempotency::new(MySqlStore::new(pool.clone()));
        desk.keyed(&once, desk.key()).await;
        let mut singles = Vec::new();
        for _ in 0..SINGLES {
            let begun = Instant::now();
            desk.keyed(&once, desk.key()).await;
            singles.push(begun.elapsed().as_secs_f64());
        }
        let single = Spread::of(singles).median;

        let (before, key) = (desk.sum().await, desk.key());
        let begun = Instant::now();
        let answers = futures_util::future::join_all((0..TWINS).map(|_| desk.keyed(&once, key))).await;
        times.push(begun.elapsed().as_secs_f64() / single);
        assert_eq!(answers.iter().filter(|replayed| !**replayed).count(), 1, "one is the first");
        effects.push((desk.sum().await - before) as f64);
        connections.push(f64::from(pool.size()));
        pool.close().await;
    }
    let line = |reach, seen, unit| Line::new(WORK, Reach::at_most(reach), Spread::of(seen), unit);
    Findings {
        lines: vec![
            line(1.0, effects, "effects"),
            line(2.0, connections, "connections"),
            line(3.0, times, "× a single request, until the last answer"),
        ],
        comparisons: Vec::new(),
    }
}
