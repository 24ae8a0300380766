use std::time::Duration;

use interlock_tests::RedisServer;

use crate::contender::{AsyncRedisLock, DistributedLockRedis, Floor, Interlock, Rslock};
use crate::load::{Keys, Spin};
use crate::measure::{Contest, Standings};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const RETAIN: Duration = Duration::from_secs(5);

pub(crate) async fn one_task(effort: &Effort) -> Findings {
    let work = "one task, one key, acquire and drop";
    against_the_floor(effort, work, 1, Duration::ZERO, 1.3).await
}

pub(crate) async fn retention(effort: &Effort) -> Findings {
    let work = "one task, one key, the idle key kept";
    against_the_floor(effort, work, 1, RETAIN, 50.0).await
}

pub(crate) async fn many_keys(effort: &Effort) -> Findings {
    let work = "64 tasks, a key each";
    against_the_floor(effort, work, 64, Duration::ZERO, 0.9).await
}

async fn against_the_floor(
    effort: &Effort,
    work: &'static str,
    tasks: usize,
    retain: Duration,
    reach: f64,
) -> Findings {
    let server = RedisServer::private().await;
    let standings = contest(effort, server.url(), tasks, retain).await;
    let line =
        Line::new(work, Reach::at_least(reach), standings.ratio("interlock", "floor"), "× the floor's pairs");
    Findings { lines: vec![line], comparisons: vec![Comparison::new(work, "pairs/s", &standings)] }
}

async fn contest(effort: &Effort, url: &str, tasks: usize, retain: Duration) -> Standings {
    let floor = &Floor::connect(url).await;
    let interlock = &Interlock::redis(url).await.retaining(retain);
    let rslock = &Rslock::as_shipped(url);
    let async_redis_lock = &AsyncRedisLock::as_shipped(url).await;
    let distributed_lock = &DistributedLockRedis::connect(url).await;
    let load = Spin { tasks, keys: Keys::OneEach, time: effort.slice };
    let mut contest = Contest::default();
    contest.enter("floor", || async { load.run(floor).await.rate() });
    contest.enter("interlock", || async { load.run(interlock).await.rate() });
    contest.enter("rslock", || async { load.run(rslock).await.rate() });
    contest.enter("async-redis-lock", || async { load.run(async_redis_lock).await.rate() });
    contest.enter("distributed-lock-redis", || async { load.run(distributed_lock).await.rate() });
    contest.run(effort.rounds).await
}
