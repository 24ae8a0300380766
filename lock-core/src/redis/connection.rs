use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::redis::clock::ServerClock;
use crate::redis::names::Names;
use crate::redis::script::{self, Call};
use crate::redis::source::Source;

/// The connection for commands: one socket that all callers share, and another one when it breaks.
///
/// A reply that does not come in time counts as broken too: what is half open would otherwise hang until the kernel
/// gives up, which takes minutes. So does a server that says it is a replica now.
#[derive(Clone)]
pub(super) struct Connection(Arc<Inner>);

struct Inner {
    source: Arc<Source>,
    runtime: Handle,
    state: Mutex<State>,
    /// Where the last connection went.
    address: watch::Sender<String>,
    /// Of the server that it went to.
    clock: Arc<ServerClock>,
}

#[derive(Default)]
struct State {
    /// Counts connections, so that a late error of an old one does not close a new one.
    number: u64,
    link: Link,
}

#[derive(Default)]
enum Link {
    #[default]
    Closed,
    Opening(Opening),
    Open(MultiplexedConnection),
}

type Opening = Shared<BoxFuture<'static, Result<Opened, RedisError>>>;
type Opened = (MultiplexedConnection, u64);

impl Connection {
    pub(super) fn new(source: Arc<Source>, runtime: Handle) -> Self {
        let address = watch::Sender::new(source.address());
        Self(Arc::new(Inner { source, runtime, state: Mutex::default(), address, clock: Arc::default() }))
    }

    /// Connects and tells the server about all scripts.
    pub(super) async fn open(&self, names: &Names) -> Result<(), RedisError> {
        for text in script::texts(names) {
            self.send(redis::cmd("SCRIPT").arg("LOAD").arg(text)).await?;
        }
        Ok(())
    }

    /// Where the last connection went, now and later.
    pub(super) fn address(&self) -> watch::Receiver<String> {
        self.0.address.subscribe()
    }

    /// The clock of the server that the last connection went to.
    pub(super) fn clock(&self) -> &Arc<ServerClock> {
        &self.0.clock
    }

    /// Calls a script; its text is sent only when the server does not know it, as after a restart.
    pub(super) async fn call(&self, invocation: &impl Call) -> Result<Value, RedisError> {
        let called = match invocation.hands_over() {
            true => self.send_behind(redis::cmd("PING"), invocation.by_hash()).await,
            false => self.send(&invocation.by_hash()).await,
        };
        match called {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.send(&invocation.by_text()).await
            }
            reply => reply,
        }
    }

    /// Calls a script at a cluster node that is only about to get the slot.
    pub(super) async fn call_asking(&self, invocation: &impl Call) -> Result<Value, RedisError> {
        self.send_behind(redis::cmd("ASKING"), invocation.by_text()).await
    }

    /// Sends two commands at once, and answers what the second one is answered.
    ///
    /// Besides, the server then writes what the second one publishes before it writes the replies: of the connections to
    /// write to, it begins with the one that it noted last. Who waits for a hand-over goes on while the reply is written.
    async fn send_behind(&self, first: Cmd, second: Cmd) -> Result<Value, RedisError> {
        let mut commands = redis::Pipeline::with_capacity(2);
        commands.add_command(first).ignore().add_command(second);
        let (mut connection, number) = match self.current() {
            Ok(opened) => opened,
            Err(opening) => opening.await?,
        };
        let replies = connection.send_packed_commands(&commands, 1, 1).await;
        let reply = replies.and_then(|mut replies| replies.pop().unwrap_or(Value::Nil).extract_error());
        if reply.as_ref().is_err_and(is_broken) {
            self.close(number);
        }
        reply
    }

    /// Sends a command. When a connection stands, it is enqueued when the future is first polled.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        let (mut connection, number) = match self.current() {
            Ok(opened) => opened,
            Err(opening) => opening.await?,
        };
        let reply = connection.send_packed_command(command).await.and_then(Value::extract_error);
        if reply.as_ref().is_err_and(is_broken) {
            self.close(number);
        }
        reply
    }

    fn current(&self) -> Result<Opened, Opening> {
        let mut state = self.0.state.lock();
        match &state.link {
            Link::Open(connection) => Ok((connection.clone(), state.number)),
            Link::Opening(opening) => Err(opening.clone()),
            Link::Closed => {
                state.number += 1;
                let opening = Arc::clone(&self.0).opened(state.number).boxed().shared();
                state.link = Link::Opening(opening.clone());
                // Goes on when all who wait for it give up.
                drop(self.0.runtime.spawn(opening.clone()));
                Err(opening)
            }
        }
    }

    fn close(&self, number: u64) {
        let mut state = self.0.state.lock();
        if state.number == number {
            state.link = Link::Closed;
        }
    }
}

impl Inner {
    async fn opened(self: Arc<Self>, number: u64) -> Result<Opened, RedisError> {
        let opened = self.source.connect().await;
        let mut state = self.state.lock();
        match opened {
            Ok((mut connection, address)) => {
                self.clock.reset();
                drop(state);
                let sent = Instant::now();
                // A grant may arrive as a message before any other reply has told the server's time.
                if let Ok(reply) = connection.send_packed_command(&redis::cmd("TIME")).await
                    && let Ok((seconds, micros)) = redis::from_redis_value::<(u64, u64)>(reply)
                {
                    self.clock.observe(seconds * 1_000_000 + micros, sent);
                }
                let mut state = self.state.lock();
                if state.number == number {
                    state.link = Link::Open(connection.clone());
                }
                drop(state);
                self.address.send_if_modified(|last| std::mem::replace(last, address.clone()) != address);
                Ok((connection, number))
            }
            Err(error) => {
                if state.number == number {
                    state.link = Link::Closed;
                }
                Err(error)
            }
        }
    }
}

/// Whether another connection may do what this one cannot.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
        // What Redis before 7.0 makes of it inside of a script.
        || error.detail().is_some_and(|detail| detail.contains("READONLY"))
}
