//! Ownership recorded in Redis: one script a verb, and one channel a node on which grants arrive.

mod batch;
mod batcher;
mod clock;
mod cluster;
mod config;
mod connection;
mod error;
mod inspect;
mod message;
mod names;
mod reply;
mod script;
mod sentinel;
mod server;
mod servers;
mod source;
mod subscription;
#[cfg(feature = "redis-tls")]
mod tls;

pub use config::RedisConfig;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tokio::runtime::{EnterGuard, Handle};
use tokio::time::Instant;

use crate::backend::{
    AcquireAllReply, AcquireReply, AcquireRequest, BackendError, BackendEvents, BackendFuture, CancelRequest,
    HeldKey, LockBackend, ReleaseReply, ReleaseRequest, RenewReply, RenewRequest,
};
use crate::error::ConnectError;
use crate::key::{InvalidKey, LockKey};
use crate::ticket::NodeId;
use batcher::Batcher;
use clock::ServerClock;
use cluster::Slot;
use names::Names;
use script::Invocation;
use servers::{Route, Servers, Unheard};

/// A backend on Redis 6.2 or newer: one server, a primary that Sentinels watch, or a cluster (7.0 or newer).
///
/// The owner key is the lock key under the manager's prefix, so `redis-cli KEYS 'balance:user:*'` and `TTL` show what is
/// locked. `{key}:waiters` and `{key}:fence` stand beside it; the fence outlives the lock by a day. Beside a key with a hash
/// tag of its own, as `a{b}`, they are `a{b}::waiters` and `a{b}::fence`.
///
/// It keeps its promises while the server keeps its data: after a restart without data, a failover to a replica that
/// missed the last writes, or `FLUSHALL`, two holders may meet for as long as one lease. Fencing tokens go on growing
/// then too. Eviction is a loss of data: give a server that holds locks `maxmemory-policy noeviction`, or enough memory.
///
/// # Permissions
///
/// With the prefix `app:`, this user may do all that locks need and nothing else:
///
/// ```text
/// ACL SETUSER locks on >password resetkeys ~app:* ~{app:* resetchannels &app:lock:node:* -@all
///     +evalsha +eval +script|load +time +get +mget +set +del +exists +pttl +pexpire +zadd +zpopmin +zrem
///     +zrevrange +publish +subscribe +ping +scan +type +zcard
/// ```
///
/// `+role` besides for servers that Sentinels watch; `&{*}app:lock:node:* +spublish +ssubscribe +sunsubscribe +asking
/// +cluster|slots` besides for a cluster. `+scan +type +zcard` serve the inspection of locks only.
pub struct RedisBackend {
    servers: Servers,
    names: Names,
    batcher: Batcher,
    runtime: Handle,
}

impl RedisBackend {
    /// Connects to the servers of `config`, or to the one whose URL it is; every key starts with `prefix`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] when an address cannot be read or no server answers.
    ///
    /// # Cancel safety
    ///
    /// Safe: when dropped, the connection is closed.
    pub async fn connect(config: impl Into<RedisConfig>, prefix: &str) -> Result<Self, ConnectError> {
        let runtime = Handle::current();
        let (servers, names) = Servers::connect(&config.into(), prefix, &runtime).await?;
        let batcher = Batcher::new(names.clone(), runtime.clone());
        Ok(Self { servers, names, batcher, runtime })
    }

    /// Waits until events for `node` are delivered, or the attempt failed.
    pub(crate) async fn subscribed(&self, node: NodeId) -> Result<(), ConnectError> {
        let outcome = self.servers.subscribed(node).await;
        outcome.map_err(|source| self.servers.unreachable(source))
    }

    /// The connection times its replies, which needs a runtime. That of the connections may have ended, so it is only
    /// entered where there is no other.
    fn enter(&self) -> Option<EnterGuard<'_>> {
        Handle::try_current().is_err().then(|| self.runtime.enter())
    }

    /// The way to the server that has this key.
    fn route(&self, key: &LockKey) -> Route {
        if self.names.is_sharded() {
            self.servers.route(&self.names.owner(key.as_str()))
        } else {
            // Where there is but one server, the name does not matter.
            self.servers.route("")
        }
    }

    /// What `node` has to hear of before it may queue for this key; none when it does already.
    fn unheard(&self, node: NodeId, key: &LockKey) -> Option<Unheard> {
        self.names.is_sharded().then(|| self.servers.unheard(node, &self.names.owner(key.as_str()))).flatten()
    }

    /// Calls a script when it is polled.
    fn command<T, R>(
        &self,
        invocation: Invocation,
        read: R,
    ) -> impl Future<Output = Result<T, BackendError>> + Send + use<T, R>
    where
        T: Send + 'static,
        R: FnOnce(&redis::Value, Instant, &ServerClock) -> Result<T, BackendError> + Send + 'static,
    {
        let route = self.servers.route(invocation.first_key());
        async move {
            let since = Instant::now();
            let (value, connection) = route.call(&invocation).await.map_err(error::command)?;
            read(&value, since, connection.clock())
        }
    }

    /// Calls a script at once, past what has gathered: for what changes no owner.
    fn call<T: Send + 'static>(
        &self,
        invocation: Invocation,
        read: impl FnOnce(&redis::Value, Instant, &ServerClock) -> Result<T, BackendError> + Send + 'static,
    ) -> BackendFuture<T> {
        let _runtime = self.enter();
        BackendFuture::started(self.command(invocation, read))
    }

    /// Listens in the slot before it calls a script that queues: queueing unheard would mean to be passed over.
    fn call_heard<T, R>(
        &self,
        unheard: Unheard,
        invocation: Invocation,
        read: R,
    ) -> impl Future<Output = Result<T, BackendError>> + Send + use<T, R>
    where
        T: Send + 'static,
        R: FnOnce(&redis::Value, Instant, &ServerClock) -> Result<T, BackendError> + Send + 'static,
    {
        let called = self.command(invocation, read);
        async move {
            unheard.listen().await;
            called.await
        }
    }
}

fn read_release(
    value: &redis::Value,
    since: Instant,
    clock: &ServerClock,
) -> Result<ReleaseReply, BackendError> {
    let (reply, server_micros) = reply::release(reply::fields(value)?, since)?;
    if let Some(server_micros) = server_micros {
        clock.observe(server_micros, since);
    }
    Ok(reply)
}

fn read_acquire(
    value: &redis::Value,
    since: Instant,
    clock: &ServerClock,
) -> Result<AcquireReply, BackendError> {
    let (reply, server_micros) = reply::acquire(reply::fields(value)?, since)?;
    clock.observe(server_micros, since);
    Ok(reply)
}

impl LockBackend for RedisBackend {
    fn check_key(&self, key: &LockKey) -> Result<(), InvalidKey> {
        if self.names.is_reserved(key.as_str()) {
            return Err(InvalidKey::Reserved {
                reason: "`{…}:fence` and `{…}:waiters` stand beside the key of a lock",
            });
        }
        if self.names.is_sharded() && !self.names.share_a_slot(key.as_str()) {
            return Err(InvalidKey::HashTag);
        }
        Ok(())
    }

    fn attach(&self, node: NodeId, events: Arc<dyn BackendEvents>) {
        self.servers.attach(node, &self.names, events, &self.runtime);
    }

    fn detach(&self, node: NodeId) {
        self.servers.detach(node);
    }

    fn acquire(&self, request: AcquireRequest) -> BackendFuture<AcquireReply> {
        // It ends with the runtime of the connections.
        if !self.batcher.is_running()
            && let Ok(runtime) = Handle::try_current()
        {
            self.servers.revive(&runtime);
        }
        let route = self.route(&request.key);
        let unheard = request.wait.then(|| self.unheard(request.ticket.node, &request.key)).flatten();
        let Some(unheard) = unheard else {
            return self.batcher.acquire(route, request);
        };
        // Most keys are free: only who finds one busy has to listen.
        let again = self.call_heard(unheard, script::acquire(&self.names, &request), read_acquire);
        let first = self.batcher.acquire(route, request.wait(false));
        BackendFuture::new(async move {
            match first.await? {
                AcquireReply::Busy { .. } => again.await,
                granted @ AcquireReply::Granted(_) => Ok(granted),
            }
        })
    }

    fn acquire_all(&self, requests: Vec<AcquireRequest>) -> BackendFuture<AcquireAllReply> {
        if !self.names.are_together(requests.iter().map(|request| request.key.as_str())) {
            return BackendFuture::ready(Ok(AcquireAllReply::Unsupported));
        }
        let leases: Vec<_> = requests.iter().map(|request| request.lease).collect();
        let asked = script::acquire_all(&self.names, &requests);
        self.batcher.single(self.command(asked, move |value, since, clock| {
            let (reply, server_micros) = reply::acquire_all(reply::fields(value)?, &leases, since)?;
            if let Some(server_micros) = server_micros {
                clock.observe(server_micros, since);
            }
            Ok(reply)
        }))
    }

    fn release(&self, request: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        let Some(requeue) = request.requeue else {
            return self.batcher.release(self.route(&request.key), request);
        };
        let released = script::release(&self.names, &request);
        match self.unheard(requeue.ticket.node, &request.key) {
            Some(unheard) => self.batcher.single(self.call_heard(unheard, released, read_release)),
            None => self.batcher.single(self.command(released, read_release)),
        }
    }

    fn renew(&self, requests: Vec<RenewRequest>) -> BackendFuture<RenewReply> {
        let count = requests.len();
        if self.names.are_together(requests.iter().map(|request| request.key.as_str())) {
            return self.call(script::renew(&self.names, &requests), move |value, since, _| {
                Ok(RenewReply::new(since, reply::renew(value, count)?))
            });
        }
        let mut groups: HashMap<Slot, (Vec<usize>, Vec<RenewRequest>)> = HashMap::new();
        for (index, request) in requests.into_iter().enumerate() {
            let slot = Slot::of(&self.names.owner(request.key.as_str()));
            let (indices, group) = groups.entry(slot).or_default();
            indices.push(index);
            group.push(request);
        }
        let since = Instant::now();
        let replies: Vec<_> =
            groups.into_values().map(|(indices, group)| (indices, self.renew(group))).collect();
        BackendFuture::started(async move {
            let (mut held, mut unconfirmed) = (vec![false; count], Vec::new());
            let mut answered = false;
            let mut failure = None;
            for (indices, reply) in replies {
                match reply.await {
                    Ok(reply) => {
                        answered = true;
                        for (index, is_held) in indices.into_iter().zip(reply.held) {
                            held[index] = is_held;
                        }
                    }
                    Err(error) => {
                        unconfirmed.extend(indices);
                        failure = Some(error);
                    }
                }
            }
            match failure {
                Some(error) if !answered => Err(error),
                _ => Ok(RenewReply::new(since, held).unconfirmed(unconfirmed)),
            }
        })
    }

    fn cancel(&self, request: CancelRequest) -> BackendFuture<()> {
        self.batcher.single(self.command(script::cancel(&self.names, &request), |_, _, _| Ok(())))
    }

    fn list(&self, beginning: &str, limit: usize) -> BackendFuture<Vec<HeldKey>> {
        let found = inspect::list(self.servers.all(), self.names.clone(), beginning.to_owned(), limit);
        let _runtime = self.enter();
        BackendFuture::started(found)
    }

    fn show(&self, key: &LockKey) -> BackendFuture<Option<HeldKey>> {
        let shown = key.clone();
        self.call(script::inspect(&self.names, key), move |value, _, _| inspect::read(value, shown))
    }

    fn name(&self) -> &'static str {
        "redis"
    }
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The servers know the password.
        f.debug_struct("RedisBackend")
            .field("address", &self.servers.address())
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
