//! What the locks cost, as ratios to a floor and to peers measured in the same run.
//!
//! The command of this package measures the table of `docs/performance.md`; the criterion benches beside it measure one
//! topic each in more detail. Both drive the same [contenders](contender) with the same [loads](load).

// A bench reports by panicking: a lock that fails has no speed.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]
// Connections and futures have nothing to show.
#![allow(missing_debug_implementations)]

pub mod contender;
pub mod load;
pub mod measure;
pub mod report;
pub mod topic;
pub mod worker;
