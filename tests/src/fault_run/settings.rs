use std::path::PathBuf;
use std::time::Duration;

/// How long and with how many processes a run goes on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long things go wrong; the workers end soon after.
    pub time: Duration,
    /// The same faults in the same order for the same seed.
    pub seed: u64,
    /// How many worker processes there are at any time.
    pub workers: usize,
    /// How many tasks of each use locks.
    pub tasks: usize,
    /// How many keys they use.
    pub keys: usize,
    /// How often there is a line of progress.
    pub progress: Duration,
    /// What does not work as it should, to see that the check notices.
    pub broken: Option<Broken>,
    /// The program that becomes a worker when its first argument is `worker`.
    pub program: PathBuf,
}

/// A part that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Broken {
    /// Every worker has locks of its own.
    Lock,
    /// The store takes older tokens.
    Fence,
    /// A waiter in a hundred is left waiting.
    Waiter,
}
