use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::select;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
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
}

impl Subscription {
    pub(super) fn start(
        runtime: &Handle,
        source: Arc<Source>,
        commands: &Connection,
        channel: String,
        events: Arc<dyn BackendEvents>,
    ) -> Self {
        let (outcome, first) = watch::channel(None);
        let listener = Listener {
            source,
            commands: commands.address(),
            channel,
            clock: Arc::clone(commands.clock()),
            events,
        };
        Self { task: runtime.spawn(listener.run(outcome)).abort_handle(), first }
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

struct Listener {
    source: Arc<Source>,
    /// Where commands go: after a failover, messages come from there.
    commands: watch::Receiver<String>,
    channel: String,
    clock: Arc<ServerClock>,
    events: Arc<dyn BackendEvents>,
}

impl Listener {
    async fn run(mut self, outcome: watch::Sender<Option<Result<(), BackendError>>>) {
        let mut pause = RECONNECT_FIRST;
        loop {
            self.commands.mark_unchanged();
            match self.source.subscribe(&self.channel).await {
                Ok((sink, stream, address)) => {
                    pause = RECONNECT_FIRST;
                    self.events.deliver(BackendEvent::Connected);
                    outcome.send_if_modified(|first| first.replace(Ok(())).is_none());
                    self.listen(sink, stream, &address).await;
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

    /// Delivers events until the connection is gone, or commands go elsewhere.
    async fn listen(&self, mut sink: PubSubSink, mut stream: PubSubStream, address: &str) {
        let mut commands = self.commands.clone();
        let Self { commands: here, clock, events, .. } = self;
        let alive = pin!(async {
            let mut ticks = interval(PING_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if !matches!(timeout(PING_TIMEOUT, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        });
        let messages = pin!(async {
            while let Some(message) = stream.next().await {
                if *here.borrow() != address {
                    // The clock is that of the server that commands go to.
                    continue;
                }
                match message::read(message.get_payload_bytes(), clock) {
                    Some(event) => events.deliver(event),
                    None => tracing::warn!("a lock event could not be understood"),
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
        select(select(alive, messages), moved).await;
    }
}
