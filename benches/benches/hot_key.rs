//! Many tasks of one process on one key.

// A bench reports by panicking. The macros of criterion make items without documentation.
#![allow(clippy::expect_used, missing_docs)]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use interlock_benches::contender::{Contender, Interlock};
use interlock_tests::RedisServer;
use tokio::runtime::Runtime;

const TASKS: &[usize] = &[2, 16, 256];
const SECTIONS: &[Duration] = &[Duration::ZERO, Duration::from_micros(100)];

fn hot_key(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let server = runtime.block_on(RedisServer::private());
    let on_redis = runtime.block_on(Interlock::redis(server.url()));
    let in_process = Interlock::in_process();
    for &section in SECTIONS {
        for &tasks in TASKS {
            hand_overs(criterion, &runtime, "redis", &on_redis, tasks, section);
            hand_overs(criterion, &runtime, "in-process", &in_process, tasks, section);
        }
    }
}

/// Time for one turn of every task.
fn hand_overs<C: Contender>(
    criterion: &mut Criterion,
    runtime: &Runtime,
    name: &str,
    lock: &C,
    tasks: usize,
    section: Duration,
) {
    let id = BenchmarkId::new(format!("{name}/{section:?}"), tasks);
    criterion.benchmark_group("hot key").bench_function(id, |bencher| {
        bencher.to_async(runtime).iter_custom(|times| async move {
            let begun = Instant::now();
            let tasks: Vec<_> = (0..tasks)
                .map(|_| {
                    let lock = lock.clone();
                    tokio::spawn(async move {
                        for _ in 0..times {
                            let guard = lock.acquire("balance:user:hot").await;
                            let held = Instant::now();
                            while held.elapsed() < section {
                                std::hint::spin_loop();
                            }
                            C::release(guard).await;
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

criterion_group!(benches, hot_key);
criterion_main!(benches);
