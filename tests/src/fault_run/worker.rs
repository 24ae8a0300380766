//! A process that uses locks and writes down what it sees.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lock_core::{LockError, LockGuard, LockManager};

use crate::fault_run::clock::now;
use crate::fault_run::history::Line;
use crate::fault_run::settings::Broken;
use crate::fault_run::store::Store;

/// What one worker process is told.
#[derive(Clone, Debug, clap::Args)]
pub struct Task {
    /// The Redis of the locks
    #[arg(long)]
    redis: String,
    /// The Redis that is written to
    #[arg(long)]
    store: String,
    /// Where the history goes
    #[arg(long)]
    history: PathBuf,
    /// Until when new locks are asked for, in microseconds of the monotonic clock
    #[arg(long)]
    until: u64,
    /// How long a lease is, in milliseconds
    #[arg(long)]
    lease: u64,
    /// How many tasks use locks
    #[arg(long)]
    tasks: usize,
    /// How many keys they use
    #[arg(long)]
    keys: usize,
    /// What they do is a matter of chance
    #[arg(long)]
    seed: u64,
    /// What does not work as it should
    #[arg(long = "break")]
    broken: Option<Broken>,
}

impl Task {
    /// The arguments that say the same, after `worker`.
    #[allow(clippy::too_many_arguments, reason = "a list of arguments")]
    pub(super) fn arguments(
        settings: &super::Settings,
        redis: &str,
        store: &str,
        history: &std::path::Path,
        until: u64,
        lease: Duration,
        seed: u64,
    ) -> Vec<String> {
        let mut arguments = vec!["worker".to_owned()];
        let mut add = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        add("redis", redis.to_owned());
        add("store", store.to_owned());
        add("history", history.display().to_string());
        add("until", until.to_string());
        add("lease", lease.as_millis().to_string());
        add("tasks", settings.tasks.to_string());
        add("keys", settings.keys.to_string());
        add("seed", seed.to_string());
        if let Some(broken) = settings.broken {
            let value = clap::ValueEnum::to_possible_value(&broken).expect("every value has a name");
            add("break", value.get_name().to_owned());
        }
        arguments
    }
}

struct Worker {
    task: Task,
    locks: LockManager,
    store: Store,
    history: File,
    callers: AtomicU64,
}

/// Uses locks until the time is over, and ends when every caller has been answered.
///
/// # Errors
///
/// When one of the servers cannot be reached in the beginning, or the history not be written.
pub async fn work(task: Task) -> Result<(), Box<dyn std::error::Error>> {
    fastrand::seed(task.seed);
    let history = File::options().create(true).append(true).open(&task.history)?;
    let prefix = match task.broken {
        Some(Broken::Lock) => format!("{}:", std::process::id()),
        _ => String::new(),
    };
    let locks = loop {
        match LockManager::builder().prefix(prefix.as_str()).redis(task.redis.as_str()).await {
            Ok(locks) => break locks,
            // It is away in this moment.
            Err(_) if now() < task.until => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(_) => return Ok(()),
        }
    };
    let store = Store::connect(&task.store, task.broken != Some(Broken::Fence)).await?;
    let tasks = task.tasks;
    let worker = Arc::new(Worker { task, locks, store, history, callers: AtomicU64::new(0) });
    let all: Vec<_> = (0..tasks).map(|_| tokio::spawn(Arc::clone(&worker).use_locks())).collect();
    for one in all {
        one.await?;
    }
    worker.locks.shutdown().await;
    Ok(())
}

impl Worker {
    fn note(&self, line: Line<'_>) {
        // One write each: a process that is killed leaves whole lines, but for the last.
        (&self.history).write_all(line.to_text().as_bytes()).expect("the history can be written");
    }

    async fn use_locks(self: Arc<Self>) {
        while now() < self.task.until {
            let name = format!("{}.{}", std::process::id(), self.callers.fetch_add(1, Ordering::Relaxed));
            self.use_lock(&name).await;
            tokio::time::sleep(some(Duration::from_millis(4))).await;
        }
    }

    async fn use_lock(&self, caller: &str) {
        let key = format!("key:{}", fastrand::usize(..self.task.keys));
        let wait = if fastrand::u8(..8) == 0 { Duration::ZERO } else { some(Duration::from_secs(2)) };
        let at = now();
        let until = at + u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.note(Line::Ask { caller, key: &key, at, until });
        if self.task.broken == Some(Broken::Waiter) && fastrand::u8(..100) == 0 {
            return;
        }
        let lease = Duration::from_millis(self.task.lease);
        let request = self.locks.lock(key.as_str()).lease(lease).wait(wait);
        let request = request.retain(if fastrand::bool() { lease / 8 } else { Duration::ZERO });
        let outcome = request.renew(fastrand::u8(..4) > 0).acquire().await;
        let at = now();
        match outcome {
            Ok(guard) if guard.is_held() => {
                self.note(Line::Guard { caller, token: guard.token().get(), at });
                self.hold(caller, &key, &guard, lease).await;
            }
            Ok(_) => self.note(Line::Nothing { caller, why: "late", at }),
            Err(error) => {
                let why = match error {
                    LockError::Timeout { .. } => "timeout",
                    LockError::Unavailable { .. } => "unavailable",
                    _ => "error",
                };
                self.note(Line::Nothing { caller, why, at });
            }
        }
    }

    /// Writes in the beginning and in the end like a careless program, without a look at the guard.
    async fn hold(&self, caller: &str, key: &str, guard: &LockGuard, lease: Duration) {
        self.write(caller, key, guard, 1).await;
        let time = if fastrand::u8(..32) == 0 { some(2 * lease) } else { some(Duration::from_millis(5)) };
        let end = now() + u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        loop {
            let at = now();
            if guard.is_held() {
                self.note(Line::Held { caller, at });
            }
            if at >= end {
                break;
            }
            tokio::time::sleep(Duration::from_micros(end - at).min(lease / 20)).await;
        }
        self.write(caller, key, guard, 2).await;
    }

    async fn write(&self, caller: &str, key: &str, guard: &LockGuard, number: u64) {
        self.note(Line::Write { caller, number, at: now() });
        if let Ok(taken) = self.store.write(key, guard.token()).await {
            self.note(Line::Wrote { caller, number, at: now(), taken });
        }
    }
}

/// At random, up to `most`.
fn some(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}
