use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select;
use parking_lot::Mutex;
use redis::aio::{MultiplexedConnection, SendError};
use redis::{PushInfo, PushKind};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::backend::{BackendError, BackendErrorKind, BackendEvent, BackendEvents};
use crate::redis::clock::ServerClock;
use crate::redis::connection::Connection;
use crate::redis::source::Source;
use crate::redis::{error, message};

/// A silent connection is tried so often; a dead peer is noticed after this time and the timeout.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(2);
const RECONNECT_FIRST: Duration = Duration::from_millis(10);
const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// Listens on the channel of one node until it is dropped.
pub(super) struct Subscription {
    task: AbortHandle,
    first: watch::Receiver<Option<Result<(), BackendError>>>,
    listener: Listener,
}

impl Subscription {
    pub(super) fn start(
        runtime: &Handle,
        source: Arc<Source>,
        commands: &Connection,
        channel: String,
        events: Arc<dyn BackendEvents>,
    ) -> Self {
        let listener = Listener {
            source,
            commands: commands.address(),
            channel,
            clock: Arc::clone(commands.clock()),
            events,
        };
        Self::spawn(runtime, listener)
    }

    fn spawn(runtime: &Handle, listener: Listener) -> Self {
        let (outcome, first) = watch::channel(None);
        Self { task: runtime.spawn(listener.clone().run(outcome)).abort_handle(), first, listener }
    }

    /// Goes on listening on `runtime` if the runtime that it listened on is gone.
    pub(super) fn revive(&mut self, runtime: &Handle) {
        if self.task.is_finished() {
            *self = Self::spawn(runtime, self.listener.clone());
        }
    }

    /// What the first attempt to subscribe came to.
    pub(super) fn first(&self) -> impl Future<Output = Result<(), BackendError>> + use<> {
        let mut first = self.first.clone();
        async move {
            match first.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
                Err(_) => {
                    Err(BackendError::new(BackendErrorKind::Unavailable, "the subscription was closed"))
                }
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Listener {
    source: Arc<Source>,
    /// Where commands go: after a failover, messages come from there.
    commands: watch::Receiver<String>,
    channel: String,
    clock: Arc<ServerClock>,
    events: Arc<dyn BackendEvents>,
}

/// Says that events may be missed when the task ends, as with its runtime.
struct End(Arc<dyn BackendEvents>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.deliver(BackendEvent::Disconnected);
    }
}

impl Listener {
    async fn run(mut self, outcome: watch::Sender<Option<Result<(), BackendError>>>) {
        let mut pause = RECONNECT_FIRST;
        let _end = End(Arc::clone(&self.events));
        loop {
            self.commands.mark_unchanged();
            let (broken, closed) = oneshot::channel();
            let pushes = |address: &str| self.deliver(address.to_owned(), broken);
            match self.source.subscribe(&self.channel, pushes).await {
                Ok((connection, address)) => {
                    pause = RECONNECT_FIRST;
                    self.events.deliver(BackendEvent::Connected);
                    outcome.send_if_modified(|first| first.replace(Ok(())).is_none());
                    self.listen(connection, closed, &address).await;
                    tracing::warn!(
                        %address,
                        "the connection for lock events broke; waiting callers poll until it stands again"
                    );
                    self.events.deliver(BackendEvent::Disconnected);
                }
                Err(error) => Self::failed(&outcome, error::command(error)),
            }
            sleep(pause).await;
            pause = RECONNECT_MAX.min(pause * 2);
        }
    }

    fn failed(outcome: &watch::Sender<Option<Result<(), BackendError>>>, error: BackendError) {
        tracing::debug!(error = &error as &dyn std::error::Error, "no subscription for lock events yet");
        outcome.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                *first = Some(Err(error));
            }
            is_first
        });
    }

    /// Delivers the messages of a connection to `address`, and says when it is gone.
    fn deliver(
        &self,
        address: String,
        broken: oneshot::Sender<()>,
    ) -> impl Fn(PushInfo) -> Result<(), SendError> + Send + Sync + use<> {
        let (commands, clock, events) =
            (self.commands.clone(), Arc::clone(&self.clock), Arc::clone(&self.events));
        let broken = Mutex::new(Some(broken));
        move |push| {
            match push.kind {
                // The clock is that of the server that commands go to.
                PushKind::Message if *commands.borrow() == address => match message::event(&push, &clock) {
                    Some(event) => events.deliver(event),
                    None => tracing::warn!("a lock event could not be understood"),
                },
                PushKind::Disconnection => drop(broken.lock().take()),
                _ => {}
            }
            Ok(())
        }
    }

    /// Goes on until the connection is gone, or commands go elsewhere.
    async fn listen(
        &self,
        mut connection: MultiplexedConnection,
        closed: oneshot::Receiver<()>,
        address: &str,
    ) {
        let mut commands = self.commands.clone();
        let alive = pin!(async {
            let mut ticks = interval(PING_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let ping = redis::cmd("PING");
            loop {
                ticks.tick().await;
                if !matches!(timeout(PING_TIMEOUT, ping.exec_async(&mut connection)).await, Ok(Ok(()))) {
                    return;
                }
            }
        });
        let moved = pin!(async {
            loop {
                if commands.changed().await.is_err() {
                    // The backend is gone, and this task with it.
                    return std::future::pending().await;
                }
                if *commands.borrow_and_update() != address {
                    return;
                }
            }
        });
        select(select(alive, closed), moved).await;
    }
}
