use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisError, Value};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::backend::{BackendEvent, BackendEvents};
use crate::key::LockKey;
use crate::redis::clock::ServerClock;
use crate::redis::cluster::Slot;
use crate::redis::message;
use crate::redis::server::Server;

/// A reply to a ping may take so long.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection to one primary on which messages arrive.
pub(super) struct Link {
    /// Tells this connection from earlier and later ones to the same node.
    pub(super) number: u64,
    connection: MultiplexedConnection,
}

/// What a listener is told, by its owner and by its links.
pub(super) enum Told {
    /// Messages about this slot are to arrive.
    Listen { slot: Slot, done: oneshot::Sender<()> },
    /// Somebody queues for a key that this node owns and did not have to wait for.
    Wanted(LockKey),
    /// The link of this number broke.
    Broken { link: u64 },
    /// Its node does not have this channel's slot any more.
    Gone { link: u64, channel: String },
}

impl Link {
    /// Connects. Messages go straight to `events`; nothing that is slow stands between.
    pub(super) async fn open(
        server: Server,
        number: u64,
        clock: Arc<ServerClock>,
        events: Arc<dyn BackendEvents>,
        inbox: UnboundedSender<Told>,
    ) -> Result<Self, RedisError> {
        let translate = Arc::clone(&clock);
        let pushes = move |push: PushInfo| match push.kind {
            PushKind::Message | PushKind::SMessage => {
                let Some(event) = message::event(&push, &translate) else {
                    tracing::warn!("a lock event could not be understood");
                    return Ok(());
                };
                if let (PushKind::Message, BackendEvent::Wanted { key, .. }) = (&push.kind, &event) {
                    let _ = inbox.send(Told::Wanted(key.clone()));
                }
                events.deliver(event);
                Ok(())
            }
            PushKind::Disconnection => inbox.send(Told::Broken { link: number }),
            PushKind::SUnsubscribe => match push.data.first() {
                Some(Value::BulkString(channel)) => {
                    let channel = String::from_utf8_lossy(channel).into_owned();
                    inbox.send(Told::Gone { link: number, channel })
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        };
        let mut connection = server.in_resp3().connect_for_pushes(pushes).await?;
        let sent = Instant::now();
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        clock.observe(seconds * 1_000_000 + micros, sent);
        Ok(Self { number, connection })
    }

    /// Subscribes or unsubscribes, by the command named.
    pub(super) async fn send(&self, command: &str, channel: &str) -> Result<(), RedisError> {
        let mut connection = self.connection.clone();
        redis::cmd(command).arg(channel).exec_async(&mut connection).await
    }

    pub(super) async fn is_alive(&self) -> bool {
        let mut connection = self.connection.clone();
        let ping = redis::cmd("PING");
        matches!(timeout(PING_TIMEOUT, ping.exec_async(&mut connection)).await, Ok(Ok(())))
    }
}
