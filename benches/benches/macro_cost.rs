//! The attribute beside the same by hand, on the backend that costs least.

// A bench reports by panicking. The macros of criterion make items without documentation.
#![allow(clippy::expect_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use interlock_benches::load::{by_attribute, by_hand};
use lock_core::{LockKey, LockManager};
use tokio::runtime::Runtime;

fn macro_cost(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let locks = &LockManager::in_process();
    let mut group = criterion.benchmark_group("macro cost");
    group.bench_function("attribute", |bencher| {
        bencher.to_async(&runtime).iter(|| by_attribute(locks, black_box(42)));
    });
    group.bench_function("by hand", |bencher| {
        bencher.to_async(&runtime).iter(|| by_hand(locks, black_box(42)));
    });
    group.bench_function("the key alone", |bencher| {
        bencher.iter(|| LockKey::new(format!("balance:user:{}", black_box(42))));
    });
    group.finish();
}

criterion_group!(benches, macro_cost);
criterion_main!(benches);
