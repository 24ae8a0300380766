//! The half of a lock manager that knows tasks: per-key queues, turns, leases and deadlines.

mod acquire;
mod acquire_all;
mod arrival;
mod ask;
mod effects;
mod handover;
mod key_state;
mod ownership;
mod queue;
mod release;
mod states;
mod term;
mod turn;
mod unanswered;
mod upkeep;

pub(crate) use handover::Handover;
pub(crate) use term::Term;
pub(crate) use turn::{Hold, Turn};

use std::collections::HashSet;
use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use crate::backend::{AcquireReply, BackendError, BackendEvent, BackendEvents, LockBackend};
use crate::key::LockKey;
use crate::options::{LockOptions, Resolved};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::ticket::{NodeId, Ticket};
use effects::{Command, Effects};
use key_state::{Context, KeyState};
use ownership::Ownership;
use queue::Waiter;
use states::States;
use unanswered::Unanswered;
use upkeep::Alarm;

/// How a front behaves beyond what each caller asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrontConfig {
    /// The most callers that may queue for one key.
    pub(crate) max_waiters: usize,
    /// For how long a failing backend is asked again before the callers are told.
    pub(crate) patience: Duration,
    /// What callers get who leave an option out.
    pub(crate) defaults: Resolved,
}

/// A shutdown waits this long, and the manager's patience, for commands that are under way.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// A key that seems to be owned for nobody is given back after this time: our own release may be under way.
const RECLAIM_AFTER: Duration = Duration::from_millis(100);
/// The waiters poll so often while events may be missed.
const POLL: Duration = Duration::from_millis(100);

pub(crate) struct Front {
    node: NodeId,
    backend: Arc<dyn LockBackend>,
    pub(crate) config: FrontConfig,
    states: States,
    attempts: AtomicU64,
    places: AtomicU64,
    connected: AtomicBool,
    closed: AtomicBool,
    alarm: Arc<Alarm>,
    /// That of the upkeep.
    runtime: Mutex<Option<Handle>>,
    tasks: TaskTracker,
    inversions: Mutex<HashSet<Inversion>>,
}

/// A key was asked for at the second place while one that comes after it, asked for at the first, was held.
type Inversion = (&'static Location<'static>, &'static Location<'static>);

impl Front {
    pub(crate) fn new(backend: Arc<dyn LockBackend>, config: FrontConfig) -> Arc<Self> {
        let front = Arc::new(Self {
            node: NodeId::random(),
            backend,
            config,
            states: States::default(),
            attempts: AtomicU64::new(0),
            places: AtomicU64::new(0),
            connected: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            alarm: Arc::new(Alarm::default()),
            runtime: Mutex::default(),
            tasks: TaskTracker::new(),
            inversions: Mutex::default(),
        });
        front.backend.attach(front.node, Arc::new(Events { front: Arc::downgrade(&front) }));
        front
    }

    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    pub(crate) fn backend(&self) -> &Arc<dyn LockBackend> {
        &self.backend
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// A number for a place in a queue, larger than all before.
    fn next_place(&self) -> u64 {
        self.places.fetch_add(1, Ordering::Relaxed)
    }

    fn next_ticket(&self) -> Ticket {
        Ticket { node: self.node, attempt: self.attempts.fetch_add(1, Ordering::Relaxed) }
    }

    /// When to ask again for a key whose owner's lease lasts for `remaining`.
    fn retry_after(&self, remaining: Duration) -> Duration {
        if self.connected.load(Ordering::Acquire) {
            // A little after its end, and not all at once.
            remaining.min(LockOptions::MAX_LEASE)
                + Duration::from_millis(1)
                + jitter(Duration::from_millis(10).min(remaining / 4))
        } else {
            jitter(POLL)
        }
    }

    /// Gives an idle key back if that needs no command.
    fn release_at_once(&self, ownership: &Ownership) -> bool {
        self.backend.release_at_once(&ownership.term.key, ownership.ticket(), ownership.used())
    }

    /// Changes one key's state and carries out what follows.
    fn with_key<R>(
        self: &Arc<Self>,
        key: &LockKey,
        change: impl FnOnce(&mut KeyState, &Context<'_>) -> (R, Effects),
    ) -> R {
        let now = Instant::now();
        let ((result, effects), due) =
            self.states.with(key, |key, state| change(state, &Context { front: self, key, now }));
        if let Some(due) = due {
            self.alarm.ring_by(due);
        }
        self.carry_out(effects);
        result
    }

    fn carry_out(self: &Arc<Self>, effects: Effects) {
        for (verdict, error) in effects.refused {
            // Who does not listen any more does not need to know.
            let _ = verdict.send(Err(error));
        }
        if let Some(command) = effects.command {
            self.issue(command);
        }
        if let Some((waiter, turn)) = effects.grant {
            // A waiter that left in this very moment gives its turn back, by dropping it: it goes to the next.
            let _ = waiter.verdict.send(Ok(turn));
        }
    }

    fn issue(self: &Arc<Self>, command: Command) {
        match command {
            Command::Acquire(request) => {
                let (key, ticket) = (request.key.clone(), request.ticket);
                match self.backend.acquire(request).now() {
                    Ok(reply) => self.asked(&key, ticket, reply),
                    Err(reply) => Unanswered::new(self, key, ticket).follow(reply),
                }
            }
            Command::Release { request, until } => release::issue(self, request, until, None),
            Command::Reclaim(request) => {
                let front = Arc::clone(self);
                self.spawn(async move {
                    sleep(RECLAIM_AFTER).await;
                    release::issue(&front, request, Instant::now(), None);
                });
            }
            Command::Cancel { request, until } => release::issue_cancel(self, request, until),
        }
    }

    /// Takes the reply to a command that may have made `ticket` the owner.
    fn asked(self: &Arc<Self>, key: &LockKey, ticket: Ticket, reply: Result<AcquireReply, BackendError>) {
        drop(self.asked_by(None, key, ticket, reply));
    }

    /// The same; answers the turn if it is that of the waiter with this number.
    fn asked_by(
        self: &Arc<Self>,
        waiter: Option<u64>,
        key: &LockKey,
        ticket: Ticket,
        reply: Result<AcquireReply, BackendError>,
    ) -> Option<(Waiter, Turn)> {
        self.with_key(key, |state, cx| {
            let mut effects = match reply {
                Ok(AcquireReply::Granted(grant)) => state.granted(cx, ticket, &grant, Handover::Request),
                Ok(AcquireReply::Busy { remaining }) => state.busy(cx, ticket, remaining),
                Err(error) => state.failed(cx, ticket, &error),
            };
            (effects.grant.take_if(|(called, _)| Some(called.id) == waiter), effects)
        })
    }

    /// Runs a task that must not be forgotten, if need be on the runtime of the upkeep.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match Handle::try_current().ok().or_else(|| self.runtime.lock().clone()) {
            Some(runtime) => drop(self.tasks.spawn_on(task, &runtime)),
            None => tracing::warn!("a lock was given back outside of any runtime; it ends with its lease"),
        }
    }

    fn take(self: &Arc<Self>, event: BackendEvent) {
        match event {
            BackendEvent::Granted { key, ticket, grant } => {
                self.with_key(&key, |state, cx| ((), state.granted(cx, ticket, &grant, Handover::Direct)));
            }
            BackendEvent::Wanted { key, ticket } => {
                self.with_key(&key, |state, cx| ((), state.wanted(cx, ticket)));
            }
            BackendEvent::Unclear { key } => {
                self.with_key(&key, |state, cx| {
                    state.ask_again_at(cx.now);
                    ((), Effects::default())
                });
            }
            BackendEvent::Disconnected => {
                self.connected.store(false, Ordering::Release);
                let now = Instant::now();
                self.states.for_each(|_, state| state.ask_again_at(now));
                self.alarm.ring_by(now);
            }
            BackendEvent::Connected => {
                self.connected.store(true, Ordering::Release);
                self.for_all(|state, cx| state.catch_up(cx));
                self.alarm.ring_by(Instant::now());
            }
        }
    }

    /// Changes every key's state and carries out what follows.
    fn for_all(self: &Arc<Self>, mut change: impl FnMut(&mut KeyState, &Context<'_>) -> Effects) {
        let now = Instant::now();
        let mut all = Vec::new();
        self.states.for_each(|key, state| {
            let cx = Context { front: self, key, now };
            all.push(change(state, &cx));
        });
        for effects in all {
            self.carry_out(effects);
        }
    }

    /// Warns, once for each pair of places, that keys are taken in an order in which others may not take them.
    pub(crate) fn note_inversion(
        &self,
        outer: &'static Location<'static>,
        inner: &'static Location<'static>,
        key: &LockKey,
    ) {
        if self.inversions.lock().insert((outer, inner)) {
            tracing::warn!(
                %key, %outer, %inner,
                "locks are taken out of order: a task that takes them the other way round would wait for this one, and \
                 this one for it; take both with lock_all"
            );
        }
    }

    /// Refuses new work, gives everything back and waits until the backend has heard of it, as long as it answers.
    pub(crate) async fn shut_down(self: &Arc<Self>) {
        self.closed.store(true, Ordering::Release);
        self.for_all(|state, cx| state.shut_down(cx));
        self.tasks.close();
        if timeout(self.config.patience.saturating_add(LAST_WORDS), self.tasks.wait()).await.is_err() {
            tracing::warn!(
                "the lock backend did not confirm that everything was given back; the rest ends with its lease"
            );
        }
        self.backend.detach(self.node);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.alarm.stop();
        // No guard is left, so what is owned is kept idle.
        let mut idle = Vec::new();
        self.states.for_each(|_, state| idle.extend(state.idle_release()));
        for request in idle {
            drop(self.backend.release(request));
        }
        self.backend.detach(self.node);
    }
}

/// What a backend reports goes to the front for as long as it exists.
struct Events {
    front: Weak<Front>,
}

impl BackendEvents for Events {
    fn deliver(&self, event: BackendEvent) {
        if let Some(front) = self.front.upgrade() {
            front.take(event);
        }
    }
}

/// Half to all of `most`, at random, so that nodes do not move in step.
fn jitter(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
}
