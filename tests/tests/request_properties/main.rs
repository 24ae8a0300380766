//! Random requests as users make them, in both modes and from two processes, checked against a model that knows neither
//! stores nor caches: what each is answered, whether it ran, how often each key took effect, and what its row is.

#![allow(clippy::panic, clippy::unwrap_used)]

mod bench;
mod model;
mod run;
mod step;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::runtime::Builder;

use self::bench::{Bench, MemoryBench, SqliteBench};
use self::run::Run;
use self::step::{Step, steps};

/// Runs random histories, the same in every run, and shrinks the first that goes otherwise. PROPTEST_CASES and
/// PROPTEST_RNG_SEED look at others.
fn agrees_with_the_model(cases: u32, run: impl Fn(Vec<Step>) -> Result<(), TestCaseError>) {
    let default = Config::default();
    let given = |name| std::env::var_os(name).is_some();
    let config = Config {
        cases: if given("PROPTEST_CASES") { default.cases } else { cases },
        rng_seed: if given("PROPTEST_RNG_SEED") { default.rng_seed } else { RngSeed::Fixed(7) },
        max_shrink_time: 30_000,
        failure_persistence: None,
        ..default
    };
    if let Err(error) = TestRunner::new(config).run(&steps(), run) {
        panic!("{error}");
    }
}

async fn history<B: Bench>(bench: &B, steps: &[Step]) -> Result<(), TestCaseError> {
    bench.clear().await;
    let mut run = Run::new(bench);
    for (number, step) in (1..).zip(steps) {
        run.take(number, step)
            .await
            .map_err(|error| TestCaseError::fail(format!("step {number}, {step:?}: {error}")))?;
    }
    Ok(())
}

#[test]
fn memory() {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    agrees_with_the_model(256, |steps| runtime.block_on(history(&MemoryBench::default(), &steps)));
}

#[test]
fn sqlite() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(SqliteBench::open());
    agrees_with_the_model(64, |steps| runtime.block_on(history(&bench, &steps)));
}
