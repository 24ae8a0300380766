use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, Client, PushInfo, PushKind};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::load::monotonic_nanos;
use crate::worker::Turn;

/// About as long as a grant.
const LETTER: &str = concat!(
    "granted\nbalance:user:relay\n00000000000000000000000000000001:12345\n",
    "1790000000000000\n32\n2000\n1\n1790000000000000",
);

/// Sends messages to another process, and waits for its own: what a hand-over would be if it were nothing else.
pub(crate) struct Post {
    commands: MultiplexedConnection,
    /// Kept, or no messages would come.
    _messages: MultiplexedConnection,
    arrived: Arc<Notify>,
    to: String,
}

impl Post {
    pub(crate) async fn open(url: &str, from: &str, to: &str) -> Self {
        let client = Client::open(format!("{url}?protocol=resp3")).expect("a Redis URL");
        let arrived = Arc::new(Notify::new());
        // The first turn needs no message.
        if from == "a" {
            arrived.notify_one();
        }
        let notify = Arc::clone(&arrived);
        let config = AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Message {
                notify.notify_one();
            }
            Ok::<(), SendError>(())
        });
        let messages = client.get_multiplexed_async_connection_with_config(&config).await;
        let mut messages = messages.expect("Redis answers");
        messages.subscribe(from).await.expect("Redis answers");
        let commands = client.get_multiplexed_async_connection().await.expect("Redis answers");
        Self { commands, _messages: messages, arrived, to: to.to_owned() }
    }

    /// Takes turns with the other process for `time`.
    pub(crate) async fn exchange(self, pause: Duration, time: Duration) -> Vec<Turn> {
        let exchange = tokio::spawn(async move {
            let (begun, mut turns) = (Instant::now(), Vec::new());
            while let Some(left) = time.checked_sub(begun.elapsed())
                && timeout(left, self.arrived.notified()).await.is_ok()
            {
                let began = monotonic_nanos();
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                let ended = monotonic_nanos();
                let (mut commands, to) = (self.commands.clone(), self.to.clone());
                // Whoever gives something away does not wait for the reply.
                tokio::spawn(async move {
                    let publish = redis::cmd("PUBLISH").arg(to).arg(LETTER).exec_async(&mut commands).await;
                    publish.expect("Redis answers");
                });
                turns.push(Turn { began, ended, task: 0 });
            }
            turns
        });
        exchange.await.expect("the messages")
    }
}
