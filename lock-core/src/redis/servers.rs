use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::{RedisError, Value};
use tokio::runtime::Handle;

use crate::backend::{BackendError, BackendEvents};
use crate::error::ConnectError;
use crate::redis::cluster::{Cluster, ClusterEvents, Slot};
use crate::redis::config::{Place, RedisConfig};
use crate::redis::connection::Connection;
use crate::redis::error;
use crate::redis::names::Names;
use crate::redis::script::Call;
use crate::redis::source::Source;
use crate::redis::subscription::Subscription;
use crate::ticket::NodeId;

/// The servers as the backend sees them: one in charge of all keys, or a cluster.
pub(super) enum Servers {
    One(One),
    Cluster(Arc<Cluster>, Mutex<HashMap<NodeId, Arc<ClusterEvents>>>),
}

pub(super) struct One {
    source: Arc<Source>,
    connection: Connection,
    nodes: Mutex<HashMap<NodeId, Subscription>>,
}

/// A way to the server that has the keys of a command.
#[derive(Clone)]
pub(super) enum Route {
    One(Connection),
    Cluster(Arc<Cluster>, Slot),
}

impl Servers {
    /// Connects, and answers how keys are called there.
    pub(super) async fn connect(
        config: &RedisConfig,
        prefix: &str,
        runtime: &Handle,
    ) -> Result<(Self, Names), ConnectError> {
        if let Place::Cluster(urls) = &config.place {
            let names = Names::sharded(prefix);
            let cluster = Cluster::connect(urls, config, &names, runtime.clone()).await?;
            return Ok((Self::Cluster(cluster, Mutex::default()), names));
        }
        let names = Names::new(prefix);
        let source = Arc::new(Source::new(config)?);
        let connection = Connection::new(Arc::clone(&source), runtime.clone());
        let opened = connection.open(&names).await;
        let servers = Self::One(One { source, connection, nodes: Mutex::default() });
        match opened {
            Ok(()) => Ok((servers, names)),
            Err(error) => Err(servers.unreachable(error::command(error))),
        }
    }

    /// Where they are, without user or password.
    pub(super) fn address(&self) -> String {
        match self {
            Self::One(one) => one.source.address(),
            Self::Cluster(cluster, _) => cluster.address(),
        }
    }

    pub(super) fn unreachable(&self, source: BackendError) -> ConnectError {
        ConnectError::Unreachable { address: self.address(), source }
    }

    /// A connection to each server that has keys.
    pub(super) fn all(&self) -> Vec<Connection> {
        match self {
            Self::One(one) => vec![one.connection.clone()],
            Self::Cluster(cluster, _) => cluster.primaries(),
        }
    }

    /// The way for keys of the slot of `name`.
    pub(super) fn route(&self, name: &str) -> Route {
        match self {
            Self::One(one) => Route::One(one.connection.clone()),
            Self::Cluster(cluster, _) => Route::Cluster(Arc::clone(cluster), Slot::of(name)),
        }
    }

    /// What `node` has to hear of before it may queue for keys of the slot of `name`; none when it does already.
    pub(super) fn unheard(&self, node: NodeId, name: &str) -> Option<Unheard> {
        let Self::Cluster(cluster, nodes) = self else {
            return None;
        };
        let events = nodes.lock().get(&node).cloned()?;
        let slot = Slot::of(name);
        let limit = cluster.response_timeout();
        (!events.hears(slot)).then_some(Unheard { events, slot, limit })
    }

    pub(super) fn attach(
        &self,
        node: NodeId,
        names: &Names,
        events: Arc<dyn BackendEvents>,
        runtime: &Handle,
    ) {
        match self {
            Self::One(one) => {
                let source = Arc::clone(&one.source);
                let subscription =
                    Subscription::start(runtime, source, &one.connection, names.channel(node), events);
                one.nodes.lock().insert(node, subscription);
            }
            Self::Cluster(cluster, nodes) => {
                let events = ClusterEvents::start(cluster, names.clone(), node, events);
                nodes.lock().insert(node, Arc::new(events));
            }
        }
    }

    /// Goes on listening on `runtime` if the runtime of the connections is gone. In a cluster, waiters poll then.
    pub(super) fn revive(&self, runtime: &Handle) {
        if let Self::One(one) = self {
            one.nodes.lock().values_mut().for_each(|subscription| subscription.revive(runtime));
        }
    }

    pub(super) fn detach(&self, node: NodeId) {
        match self {
            Self::One(one) => drop(one.nodes.lock().remove(&node)),
            Self::Cluster(_, nodes) => drop(nodes.lock().remove(&node)),
        }
    }

    /// Waits until events for `node` are delivered, or the first attempt failed.
    pub(super) async fn subscribed(&self, node: NodeId) -> Result<(), BackendError> {
        match self {
            Self::One(one) => {
                let first = one.nodes.lock().get(&node).map(Subscription::first);
                match first {
                    Some(first) => first.await,
                    None => Ok(()),
                }
            }
            Self::Cluster(_, nodes) => {
                let first = nodes.lock().get(&node).map(|events| events.first());
                match first {
                    Some(first) => first.await,
                    None => Ok(()),
                }
            }
        }
    }
}

impl Route {
    /// Whether commands that go either way may go together.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(_), Self::One(_)) => true,
            (Self::Cluster(_, slot), Self::Cluster(_, other)) => slot == other,
            _ => false,
        }
    }

    /// Calls a script, and says which connection answered.
    pub(super) async fn call(&self, call: &impl Call) -> Result<(Value, Connection), RedisError> {
        match self {
            Self::One(connection) => Ok((connection.call(call).await?, connection.clone())),
            Self::Cluster(cluster, slot) => cluster.call(*slot, call).await,
        }
    }
}

/// A slot of which a node has not yet had to hear.
pub(super) struct Unheard {
    events: Arc<ClusterEvents>,
    slot: Slot,
    limit: Duration,
}

impl Unheard {
    pub(super) async fn listen(self) {
        self.events.listen(self.slot, self.limit).await;
    }
}
