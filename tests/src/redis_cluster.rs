//! A Redis Cluster.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::eventually::eventually;
use crate::install::Unavailable;
use crate::port::free_port;
use crate::redis_server::{PACKAGE, RedisServer};
use crate::shared::{Shared, blocking};

/// How long the nodes may take to find each other, and a failover on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

static SHARED: Shared<RedisCluster> = Shared::new();

/// Three primaries with one replica each.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Answers the cluster that all tests of this process share. Keep to keys under a
    /// [`unique_name`](crate::unique_name).
    pub async fn shared() -> &'static RedisCluster {
        let cluster = SHARED.get(start).await;
        cluster.is_ready().await;
        cluster
    }

    /// Starts a cluster for one test to break; returns when a failover would succeed.
    pub async fn private() -> RedisCluster {
        let cluster = blocking(start).await;
        cluster.is_ready().await;
        cluster
    }

    /// The URLs of all nodes.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.url().to_owned()).collect()
    }

    /// The keys that match a glob pattern, on all primaries.
    pub async fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys = Vec::new();
        for node in &self.nodes {
            // One that was killed by a test has none.
            if is_primary(node).await {
                keys.extend(node.keys(pattern).await);
            }
        }
        keys
    }

    /// The node that has the slot of `key` and may write to it.
    ///
    /// # Panics
    ///
    /// When there is none, as during a failover.
    pub async fn primary_of(&mut self, key: &str) -> &mut RedisServer {
        let mut found = None;
        for (index, node) in self.nodes.iter_mut().enumerate() {
            if node.is_running() && is_primary(node).await && serves(node, key).await {
                found = Some(index);
            }
        }
        &mut self.nodes[found.expect("a primary")]
    }

    /// Makes a replica the primary of the slot of `key`, with the old one alive and well, as before maintenance.
    pub async fn fail_over(&mut self, key: &str) {
        let old = self.primary_of(key).await.port();
        let mut ask_at = Instant::now();
        eventually("the replica takes over", PATIENCE, async || {
            for node in &self.nodes {
                let role = role(node).await;
                let of_old = matches!(role.get(2), Some(redis::Value::Int(port)) if *port == i64::from(old));
                if of_old && Instant::now() >= ask_at {
                    // An attempt is given up after 5 s.
                    ask_at = Instant::now() + Duration::from_secs(6);
                    let _ =
                        redis::cmd("CLUSTER").arg("FAILOVER").exec_async(&mut node.connection().await).await;
                }
                if node.port() == old && !is_primary(node).await {
                    return true;
                }
            }
            false
        })
        .await;
    }

    async fn is_ready(&self) {
        eventually("the cluster stands", PATIENCE, async || {
            for node in &self.nodes {
                let mut connection = node.connection().await;
                let state: String = redis::cmd("CLUSTER")
                    .arg("INFO")
                    .query_async(&mut connection)
                    .await
                    .expect("Redis answers");
                let replication: String = redis::cmd("INFO")
                    .arg("replication")
                    .query_async(&mut connection)
                    .await
                    .expect("Redis answers");
                let linked = replication.contains("connected_slaves:1")
                    || replication.contains("master_link_status:up");
                if !state.contains("cluster_state:ok") || !linked {
                    return false;
                }
            }
            true
        })
        .await;
    }
}

/// Nothing when the node does not answer.
async fn role(node: &RedisServer) -> Vec<redis::Value> {
    let client = redis::Client::open(node.url()).expect("a Redis URL");
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
        return Vec::new();
    };
    redis::cmd("ROLE").query_async(&mut connection).await.unwrap_or_default()
}

async fn is_primary(node: &RedisServer) -> bool {
    matches!(role(node).await.first(), Some(redis::Value::BulkString(role)) if role == b"master")
}

/// Whether it answers for `key` rather than naming another node.
async fn serves(node: &RedisServer, key: &str) -> bool {
    redis::cmd("EXISTS").arg(key).query_async::<i64>(&mut node.connection().await).await.is_ok()
}

fn start() -> Result<RedisCluster, Unavailable> {
    let mut last = None;
    // The ports of the bus are not checked by the launch: another process may take one.
    for _ in 0..3 {
        let nodes: Vec<_> = (0..6).map(|_| start_node()).collect::<Result<_, _>>()?;
        match join(&nodes) {
            Ok(()) => return Ok(RedisCluster { nodes }),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("three attempts"))
}

fn start_node() -> Result<RedisServer, Unavailable> {
    let bus = free_port().to_string();
    let settings = [
        ["--cluster-enabled", "yes"],
        ["--cluster-port", &bus],
        ["--cluster-node-timeout", "2000"],
        // Without a delay: a primary killed before the first sync is never failed over.
        ["--repl-diskless-sync-delay", "0"],
    ];
    RedisServer::start_with(settings.concat().into_iter().map(str::to_owned).collect())
}

fn join(nodes: &[RedisServer]) -> Result<(), Unavailable> {
    let client = PACKAGE.program(&["redis-cli", "valkey-cli"])?;
    let output = Command::new(client)
        .args(["--cluster", "create"])
        .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())))
        .args(["--cluster-replicas", "1", "--cluster-yes"])
        .output()
        .expect("redis-cli runs");
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(Unavailable(format!("no cluster could be made of six nodes:\n{said}")))
}
