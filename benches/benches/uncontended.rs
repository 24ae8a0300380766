//! Acquire and release of keys that nobody else wants.

// A bench reports by panicking. The macros of criterion make items without documentation.
#![allow(clippy::expect_used, missing_docs)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use interlock_benches::contender::{
    AsyncRedisLock, Contender, DistributedLockRedis, Floor, Interlock, MutexMap, Rslock,
};
use interlock_tests::RedisServer;
use tokio::runtime::Runtime;

const TASKS: &[usize] = &[1, 8, 64];

fn on_redis(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let server = runtime.block_on(RedisServer::private());
    let url = server.url();
    let floor = runtime.block_on(Floor::connect(url));
    let interlock = runtime.block_on(Interlock::redis(url));
    let rslock = Rslock::as_shipped(url);
    let async_redis_lock = runtime.block_on(AsyncRedisLock::as_shipped(url));
    let distributed_lock = runtime.block_on(DistributedLockRedis::connect(url));
    for &tasks in TASKS {
        pairs(criterion, &runtime, "floor", &floor, tasks);
        pairs(criterion, &runtime, "interlock", &interlock, tasks);
        pairs(criterion, &runtime, "rslock", &rslock, tasks);
        pairs(criterion, &runtime, "async-redis-lock", &async_redis_lock, tasks);
        pairs(criterion, &runtime, "distributed-lock-redis", &distributed_lock, tasks);
    }
}

fn in_process(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    for &tasks in TASKS {
        pairs(criterion, &runtime, "in-process", &Interlock::in_process(), tasks);
        pairs(criterion, &runtime, "map-of-mutexes", &MutexMap::default(), tasks);
    }
}

/// Time for one pair in each of `tasks` tasks.
fn pairs<C: Contender>(criterion: &mut Criterion, runtime: &Runtime, name: &str, lock: &C, tasks: usize) {
    let id = BenchmarkId::new(name, tasks);
    criterion.benchmark_group("uncontended").bench_function(id, |bencher| {
        bencher.to_async(runtime).iter_custom(|times| async move {
            let begun = std::time::Instant::now();
            let tasks: Vec<_> = (0..tasks)
                .map(|task| {
                    let lock = lock.clone();
                    tokio::spawn(async move {
                        let key = format!("balance:user:{task}");
                        for _ in 0..times {
                            C::release(lock.acquire(&key).await).await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("a task");
            }
            begun.elapsed()
        });
    });
}

criterion_group!(benches, on_redis, in_process);
criterion_main!(benches);
