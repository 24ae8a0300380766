//! The servers of a cluster, and who of them has which keys.

mod events;
mod link;
mod slot;
mod topology;

pub(super) use events::ClusterEvents;
pub(super) use slot::Slot;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use parking_lot::{Mutex, RwLock};
use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::error::ConnectError;
use crate::redis::config::RedisConfig;
use crate::redis::connection::Connection;
use crate::redis::names::Names;
use crate::redis::script::Call;
use crate::redis::server::{Server, trouble};
use crate::redis::source::{Source, no_address};
use topology::{Address, Topology};

/// How often one command follows a slot to another node.
const REDIRECTS: usize = 5;
/// The shortest time between two questions for who has which slots.
const REFRESH: Duration = Duration::from_millis(100);

/// Sends commands to the primary that has their keys.
pub(super) struct Cluster {
    seeds: Vec<Server>,
    /// Login and encryption of every node.
    template: Server,
    runtime: Handle,
    topology: RwLock<Arc<Topology>>,
    nodes: Mutex<HashMap<Address, Connection>>,
    refreshing: AtomicBool,
    /// Tells that the topology is another one.
    changed: watch::Sender<()>,
}

impl Cluster {
    /// Finds the cluster through any of the nodes at `urls`.
    pub(super) async fn connect(
        urls: &[String],
        config: &RedisConfig,
        names: &Names,
        runtime: Handle,
    ) -> Result<Arc<Self>, ConnectError> {
        let seeds: Result<Vec<_>, _> = urls
            .iter()
            .map(|url| Ok(Server::parse(url, config)?.logged_in_by(config).without_database()))
            .collect();
        let seeds = seeds?;
        let template = seeds.first().cloned().ok_or_else(no_address)?;
        let cluster = Arc::new(Self {
            seeds,
            template,
            runtime,
            topology: RwLock::default(),
            nodes: Mutex::default(),
            refreshing: AtomicBool::new(false),
            changed: watch::Sender::new(()),
        });
        let unreachable = |error| ConnectError::Unreachable {
            address: cluster.address(),
            source: super::error::command(error),
        };
        cluster.refresh().await.map_err(unreachable)?;
        for node in cluster.primaries() {
            node.open(names).await.map_err(unreachable)?;
        }
        Ok(cluster)
    }

    /// Where the nodes are by which the cluster was to be found, without user or password.
    pub(super) fn address(&self) -> String {
        let addresses: Vec<_> = self.seeds.iter().map(Server::address).collect();
        format!("cluster of {}", addresses.join(", "))
    }

    pub(super) fn response_timeout(&self) -> Duration {
        self.template.timeouts.response
    }

    /// The connections to all primaries.
    pub(super) fn primaries(&self) -> Vec<Connection> {
        let topology = self.topology();
        topology.primaries().into_iter().map(|address| self.node(address)).collect()
    }

    /// Calls a script where its keys are, and says which connection answered. When the primary is known and connected,
    /// the command is enqueued when the future is first polled.
    pub(super) async fn call(
        self: &Arc<Self>,
        slot: Slot,
        invocation: &impl Call,
    ) -> Result<(Value, Connection), RedisError> {
        let mut node = self.primary(slot)?;
        let mut redirects = 0;
        loop {
            let error = match node.call(invocation).await {
                Ok(value) => return Ok((value, node)),
                Err(error) => error,
            };
            let asked = match (error.kind(), redirect(&error)) {
                (ErrorKind::Server(ServerErrorKind::Moved), Some(to)) => {
                    self.refresh_soon();
                    (to, false)
                }
                (ErrorKind::Server(ServerErrorKind::Ask), Some(to)) => (to, true),
                _ => {
                    self.refresh_soon();
                    return Err(error);
                }
            };
            redirects += 1;
            if redirects > REDIRECTS {
                return Err(error);
            }
            let (to, once) = asked;
            node = self.node(&to);
            if once {
                // The slot is on its way: this node takes it for this one command.
                return Ok((node.call_asking(invocation).await?, node));
            }
        }
    }

    fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.topology.read())
    }

    fn primary(self: &Arc<Self>, slot: Slot) -> Result<Connection, RedisError> {
        match self.topology().primary(slot) {
            Some(address) => Ok(self.node(address)),
            None => {
                self.refresh_soon();
                Err(trouble(
                    ErrorKind::ClusterConnectionNotFound,
                    "no node of the cluster has the slot of this key",
                ))
            }
        }
    }

    fn server(&self, (host, port): &Address) -> Server {
        self.template.at(host, *port)
    }

    fn node(&self, address: &Address) -> Connection {
        let mut nodes = self.nodes.lock();
        if let Some(node) = nodes.get(address) {
            return node.clone();
        }
        let node = self.connection(self.server(address));
        nodes.insert(address.clone(), node.clone());
        node
    }

    fn connection(&self, server: Server) -> Connection {
        Connection::new(Arc::new(Source::Server(server)), self.runtime.clone())
    }

    /// Asks for the topology, unless somebody does.
    fn refresh_soon(self: &Arc<Self>) {
        if self.refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let cluster = Arc::clone(self);
        drop(self.runtime.spawn(async move {
            if let Err(error) = cluster.refresh().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "no node says who has which slots");
            }
            sleep(REFRESH).await;
            cluster.refreshing.store(false, Ordering::Release);
        }));
    }

    /// Takes the word of the first node that answers: a primary known before, or else one of those named at the start.
    async fn refresh(&self) -> Result<(), RedisError> {
        let known = self.topology();
        let primaries = known.primaries().into_iter();
        let known = primaries.map(|address| (address.0.clone(), self.node(address))).collect();
        if self.learn(known).await.is_ok() {
            return Ok(());
        }
        let named = self.seeds.iter().map(|seed| {
            let host = seed.host().unwrap_or_default().to_owned();
            (host, self.connection(seed.clone()))
        });
        self.learn(named.collect()).await
    }

    async fn learn(&self, from: Vec<(String, Connection)>) -> Result<(), RedisError> {
        let mut answers: FuturesUnordered<_> = from
            .into_iter()
            .map(|(host, node)| async move {
                let slots = node.send(redis::cmd("CLUSTER").arg("SLOTS")).await?;
                Topology::read(&slots, &host)
                    .ok_or_else(|| trouble(ErrorKind::UnexpectedReturnType, "no reply to CLUSTER SLOTS"))
            })
            .collect();
        let mut failure = trouble(ErrorKind::ClusterConnectionNotFound, "no node of the cluster answers");
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(topology) => {
                    self.take(topology);
                    return Ok(());
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn take(&self, topology: Topology) {
        let mut current = self.topology.write();
        if **current == topology {
            return;
        }
        let mut nodes = self.nodes.lock();
        let primaries = topology.primaries();
        nodes.retain(|address, _| primaries.contains(&address));
        drop(nodes);
        *current = Arc::new(topology);
        drop(current);
        self.changed.send_replace(());
    }
}

/// Where the error says that the key is.
fn redirect(error: &RedisError) -> Option<Address> {
    let (address, _) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}
