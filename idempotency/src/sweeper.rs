use std::time::Duration;

use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{Idempotency, Store, StoreError, settings::MAX_TTL};

/// How the rows whose time is over are deleted.
#[derive(Debug, Clone)]
pub struct Sweep {
    every: Duration,
    grace: Duration,
    batch: u32,
    pause: Duration,
}

impl Sweep {
    /// Sets how often to look: once a minute by default.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.max(Duration::from_millis(1));
        self
    }

    /// Sets how long a row is kept beyond its time: a minute by default, and ten years at most.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace.min(MAX_TTL);
        self
    }

    /// Sets how many rows go in one transaction: 500 by default.
    #[must_use]
    pub fn batch(mut self, rows: u32) -> Self {
        self.batch = rows.max(1);
        self
    }

    /// Sets how long to leave the database alone between two batches: 50 milliseconds by default.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

impl Default for Sweep {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            grace: Duration::from_secs(60),
            batch: 500,
            pause: Duration::from_millis(50),
        }
    }
}

impl<S: Store> Idempotency<S> {
    /// Deletes the rows whose time is over, batch by batch, and returns how many those were.
    ///
    /// Rows at work and rows with an unknown outcome stay. Any number of processes may sweep at once:
    /// they do not disturb each other.
    ///
    /// # Errors
    ///
    /// The store failed; what was deleted until then stays deleted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the sweep between two batches or undoes the last one.
    pub async fn sweep_once(&self, sweep: &Sweep) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let batch = self.inner.store.sweep(sweep.grace, sweep.batch).await?;
            swept += batch;
            if batch < u64::from(sweep.batch) {
                return Ok(swept);
            }
            sleep(sweep.pause).await;
        }
    }

    /// Sweeps again and again on a task of its own.
    ///
    /// The task ends when it is aborted, or with the runtime; what goes wrong is logged, and tried again the
    /// next time.
    pub fn spawn_sweeper(&self, sweep: Sweep) -> JoinHandle<()> {
        let once = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(sweep.every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                match once.sweep_once(&sweep).await {
                    Ok(0) => {}
                    Ok(rows) => tracing::debug!(rows, "idempotency keys swept"),
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "idempotency sweep");
                    }
                }
            }
        })
    }
}
