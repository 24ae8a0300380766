use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::backend::RenewRequest;
use crate::front::Front;
use crate::front::key_state::Context;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The most keys that one renewal command names: long scripts hold up everybody else at the server.
const BATCH: usize = 512;
/// The shortest sleep between two rounds, so that many keys share one.
const TICK: Duration = Duration::from_millis(1);

/// Wakes the one task of a node that renews, retries and ends what is over.
#[derive(Debug)]
pub(crate) struct Alarm {
    epoch: Instant,
    /// Nanoseconds after `epoch`, or `u64::MAX`.
    at: AtomicU64,
    changed: Notify,
    running: AtomicBool,
    stopped: AtomicBool,
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            at: AtomicU64::new(u64::MAX),
            changed: Notify::new(),
            running: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }
}

impl Alarm {
    /// Asks for a round at `at` or earlier.
    pub(crate) fn ring_by(&self, at: Instant) {
        let nanos =
            u64::try_from(at.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX - 1);
        if nanos < self.at.load(Ordering::Acquire) && nanos < self.at.fetch_min(nanos, Ordering::AcqRel) {
            self.changed.notify_one();
        }
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    fn next(&self) -> Option<Instant> {
        match self.at.load(Ordering::Acquire) {
            u64::MAX => None,
            nanos => Some(self.epoch + Duration::from_nanos(nanos)),
        }
    }

    /// Waits until the moment asked for.
    async fn rung(&self) {
        while !self.stopped.load(Ordering::Acquire) {
            match self.next() {
                Some(at) if at <= Instant::now() => return,
                Some(at) => {
                    let mut changed = std::pin::pin!(self.changed.notified());
                    let mut timer = std::pin::pin!(sleep_until(at));
                    std::future::poll_fn(|cx| {
                        let woken =
                            changed.as_mut().poll(cx).is_ready() || timer.as_mut().poll(cx).is_ready();
                        if woken { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                    })
                    .await;
                }
                None => self.changed.notified().await,
            }
        }
    }
}

impl Front {
    /// Makes sure that the upkeep task runs.
    pub(super) fn ensure_upkeep(self: &Arc<Self>) {
        if self.alarm.running.load(Ordering::Acquire) || self.alarm.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let runtime = Handle::current();
        let running = Running { front: Arc::downgrade(self), alarm: Arc::clone(&self.alarm), outlived: true };
        *self.runtime.lock() = Some(runtime.clone());
        runtime.spawn(upkeep(running));
    }

    /// The runtime of the upkeep has ended: guards may be held on others, or on none, and nobody knows which of those are
    /// driven. So the upkeep goes on in a thread of its own, for as long as this front.
    fn outlive_runtime(self: &Arc<Self>) {
        if self.alarm.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let running =
            Running { front: Arc::downgrade(self), alarm: Arc::clone(&self.alarm), outlived: false };
        let thread = thread::Builder::new().name("lock-upkeep".to_owned());
        if let Err(error) = thread.spawn(move || in_a_thread(running)) {
            unable(&error);
        }
    }

    /// One round: does what is due and sets the alarm for what comes next.
    fn round(self: &Arc<Self>) {
        let now = Instant::now();
        // Before the look at the keys: whatever is noted from now on rings again.
        self.alarm.at.store(u64::MAX, Ordering::Release);
        let mut renewals = Vec::new();
        let mut todo = Vec::new();
        let next = self.states.for_each_due(now, |key, state| {
            todo.push(state.tick(&Context { front: self, key, now }, &mut renewals));
        });
        if let Some(next) = next {
            self.alarm.ring_by(next.max(now + TICK));
        }
        for effects in todo {
            self.carry_out(effects);
        }
        for batch in renewals.chunks(BATCH) {
            self.renew(batch.to_vec());
        }
    }

    /// Takes the answer to one key's renewal.
    pub(super) fn renewed(self: &Arc<Self>, request: &RenewRequest, since: Instant, held: bool) {
        self.with_key(&request.key, |state, cx| ((), state.renewed(cx, request, since, held)));
    }

    fn renew(self: &Arc<Self>, batch: Vec<RenewRequest>) {
        let reply = self.backend.renew(batch.clone());
        let front = Arc::clone(self);
        self.spawn(async move {
            match reply.await {
                Ok(reply) => {
                    for (position, (request, held)) in batch.iter().zip(reply.held).enumerate() {
                        if !reply.unconfirmed.contains(&position) {
                            front.renewed(request, reply.since, held);
                        }
                    }
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    keys = batch.len(),
                    "leases were not renewed; they will be tried again until they run out"
                ),
            }
        });
    }
}

/// Says that upkeep runs, until it is dropped, be it with its runtime.
struct Running {
    front: Weak<Front>,
    alarm: Arc<Alarm>,
    /// Whether the upkeep goes on when its runtime ends.
    outlived: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.alarm.running.store(false, Ordering::Release);
        if self.outlived
            && let Some(front) = self.front.upgrade()
            && !front.is_closed()
        {
            front.outlive_runtime();
        }
    }
}

fn in_a_thread(running: Running) {
    match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            if let Some(front) = running.front.upgrade() {
                *front.runtime.lock() = Some(runtime.handle().clone());
            }
            runtime.block_on(upkeep(running));
        }
        Err(error) => unable(&error),
    }
}

fn unable(error: &io::Error) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "no thread took the place of a runtime that ended; leases are not renewed until a lock is asked for"
    );
}

async fn upkeep(running: Running) {
    loop {
        running.alarm.rung().await;
        match running.front.upgrade() {
            Some(front) => front.round(),
            None => return,
        }
    }
}
