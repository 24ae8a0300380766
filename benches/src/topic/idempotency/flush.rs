use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use interlock_tests::Scratch;

use crate::measure::Spread;

const FLUSHES: usize = 400;
const BLOCK: [u8; 4096] = [0; 4096];

/// How many milliseconds the disk that the servers' data is on takes to flush what was appended to a file.
pub(super) fn millis() -> Spread {
    let scratch = Scratch::new("flush");
    let mut file = File::create(scratch.path().join("appended")).expect("a file");
    let mut flush = || {
        let begun = Instant::now();
        file.write_all(&BLOCK).expect("the file takes it");
        file.sync_data().expect("the disk takes it");
        begun.elapsed().as_secs_f64() * 1e3
    };
    Spread::of((0..FLUSHES).map(|_| flush()))
}

/// What a flush that takes `seen` milliseconds lacks of `wanted`; nothing if it takes as long already. The quarter of
/// the flushes that waited for nobody else's counts.
pub(super) fn lacks(seen: Spread, wanted: Duration) -> Duration {
    wanted.saturating_sub(Duration::from_secs_f64(seen.low / 1e3))
}
