use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::contender::Contender;

/// Tasks that acquire and release without a pause and without work in between, for a while.
#[derive(Debug, Clone, Copy)]
pub struct Spin {
    /// How many tasks, on this process's runtime.
    pub tasks: usize,
    /// Which keys they ask for.
    pub keys: Keys,
    /// For how long.
    pub time: Duration,
}

/// Which keys tasks ask for.
#[derive(Debug, Clone, Copy)]
pub enum Keys {
    /// All for the same.
    OneHot,
    /// Each for one of its own.
    OneEach,
    /// Each for so many of its own, in turn.
    ManyEach(usize),
}

/// What [`Spin`] came to.
#[derive(Debug, Clone, Copy)]
pub struct SpinResult {
    /// Turns completed before the end.
    pub turns: u64,
    /// Turns on a shared key that came after another task's. A lock that wakes nobody lets the same task take the key
    /// again and again: that is fast, and hands nothing over.
    pub hand_overs: u64,
    /// How long it took.
    pub time: Duration,
}

impl SpinResult {
    /// Turns per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.turns as f64 / self.time.as_secs_f64()
    }

    /// Hand-overs per second.
    #[must_use]
    pub fn hand_over_rate(&self) -> f64 {
        self.hand_overs as f64 / self.time.as_secs_f64()
    }
}

impl Spin {
    /// Runs the load.
    pub async fn run<C: Contender>(self, contender: &C) -> SpinResult {
        let stop = Arc::new(AtomicBool::new(false));
        let last = Arc::new(AtomicUsize::new(usize::MAX));
        let begun = Instant::now();
        let tasks: Vec<_> = (0..self.tasks)
            .map(|task| {
                let (contender, stop, last) = (contender.clone(), Arc::clone(&stop), Arc::clone(&last));
                tokio::spawn(async move { spin(&contender, self.keys, task, &stop, &last).await })
            })
            .collect();
        tokio::time::sleep(self.time).await;
        stop.store(true, Ordering::Relaxed);
        let mut result = SpinResult { turns: 0, hand_overs: 0, time: begun.elapsed() };
        for task in tasks {
            let (turns, hand_overs) = task.await.expect("a task of the load");
            result.turns += turns;
            result.hand_overs += hand_overs;
        }
        result
    }
}

async fn spin<C: Contender>(
    contender: &C,
    keys: Keys,
    task: usize,
    stop: &AtomicBool,
    last: &AtomicUsize,
) -> (u64, u64) {
    let (mut turns, mut hand_overs) = (0, 0);
    let shared = matches!(keys, Keys::OneHot);
    for key in keys.of(task).iter().cycle() {
        let guard = contender.acquire(key).await;
        if shared && last.swap(task, Ordering::Relaxed) != task {
            hand_overs += 1;
        }
        C::release(guard).await;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        turns += 1;
        // What never has to wait would never let anybody else run. Seldom, since the task may go on on another core then, whose
        // caches are cold: that is no work of a lock.
        if turns % 1024 == 0 {
            tokio::task::yield_now().await;
        }
    }
    (turns, hand_overs)
}

impl Keys {
    fn of(self, task: usize) -> Vec<String> {
        match self {
            Self::OneHot => vec!["balance:user:hot".to_owned()],
            Self::OneEach => vec![format!("balance:user:{task}")],
            Self::ManyEach(count) => (0..count).map(|key| format!("balance:user:{task}:{key}")).collect(),
        }
    }
}
