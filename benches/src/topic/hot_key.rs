use std::cell::RefCell;

use interlock_tests::RedisServer;

use crate::contender::{AsyncRedisLock, Contender, DistributedLockRedis, Interlock, Rslock};
use crate::load::{Keys, Spin};
use crate::measure::{CommandCounter, Contest, Spread};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const WORK: &str = "16 tasks of one process, one hot key, empty section";

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let server = RedisServer::private().await;
    let url = server.url();
    let load = Spin { tasks: 16, keys: Keys::OneHot, time: effort.slice };
    let counter = &CommandCounter::new(server.connection().await, Interlock::SENDS);
    let commands = &RefCell::new(Vec::new());
    let interlock = &Interlock::redis(url).await;
    let rslock = &Rslock::as_shipped(url);
    let rslock_tuned = &Rslock::tuned(url);
    let async_redis_lock = &AsyncRedisLock::as_shipped(url).await;
    let async_redis_lock_tuned = &AsyncRedisLock::tuned(url).await;
    let distributed_lock = &DistributedLockRedis::connect(url).await;

    let mut contest = Contest::default();
    contest.enter("interlock", || async {
        let before = counter.count().await;
        let result = load.run(interlock).await;
        let sent = counter.count().await - before;
        commands.borrow_mut().push(sent as f64 / result.hand_overs as f64);
        result.hand_over_rate()
    });
    contest.enter("rslock", || async { load.run(rslock).await.hand_over_rate() });
    contest.enter("rslock, tuned", || async { load.run(rslock_tuned).await.hand_over_rate() });
    contest.enter("async-redis-lock", || async { load.run(async_redis_lock).await.hand_over_rate() });
    contest.enter("async-redis-lock, tuned", || async {
        load.run(async_redis_lock_tuned).await.hand_over_rate()
    });
    contest.enter("distributed-lock-redis", || async { load.run(distributed_lock).await.hand_over_rate() });
    let standings = contest.run(effort.rounds).await;

    let rate = Line::new(WORK, Reach::at_least(200_000.0), standings.of("interlock"), "hand-overs/s");
    let commands = Spread::of(commands.borrow().iter().copied());
    let commands = Line::new(WORK, Reach::at_most(0.1), commands, "Redis commands a hand-over");
    Findings {
        lines: vec![rate, commands],
        comparisons: vec![Comparison::new(WORK, "hand-overs/s", &standings)],
    }
}
