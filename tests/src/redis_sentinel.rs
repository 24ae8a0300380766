//! A Redis primary and its replica, watched by three Sentinels.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::eventually::eventually;
use crate::install::Unavailable;
use crate::launch::{Recipe, launch};
use crate::process::Process;
use crate::redis_server::{PACKAGE, RedisServer, info};
use crate::scratch::Scratch;
use crate::shared::blocking;

/// How long the five processes may take to find each other, and a failover on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// One primary, one replica and three Sentinels that call the primary `main`.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The first primary, and then its replica.
    servers: Vec<RedisServer>,
    sentinels: Vec<(Process, u16)>,
    _scratch: Vec<Scratch>,
}

impl RedisSentinel {
    /// What the Sentinels call the primary.
    pub const NAME: &str = "main";

    /// Starts all five; returns when a failover would succeed.
    pub async fn private() -> RedisSentinel {
        let sentinel = blocking(start).await;
        eventually("the Sentinels know everybody", PATIENCE, async || sentinel.is_complete().await).await;
        sentinel
    }

    /// The URLs of the Sentinels.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(|(_, port)| format!("redis://127.0.0.1:{port}")).collect()
    }

    /// The server that was the primary at first.
    pub fn first_primary(&mut self) -> &mut RedisServer {
        &mut self.servers[0]
    }

    /// The server that was the replica at first.
    #[must_use]
    pub fn first_replica(&self) -> &RedisServer {
        &self.servers[1]
    }

    /// Waits until the Sentinels have made the replica the primary.
    pub async fn failed_over(&self) {
        let port = self.servers[1].port();
        eventually("the replica is made primary", PATIENCE, async || {
            has_role(&self.servers[1], "master").await
                && self.primary_ports().await.iter().all(|named| *named == port)
        })
        .await;
    }

    /// Asks for a failover although the primary is well, as before maintenance.
    pub async fn fail_over(&self) {
        let _: () = redis::cmd("SENTINEL")
            .arg("FAILOVER")
            .arg(Self::NAME)
            .query_async(&mut connection(self.sentinels[0].1).await)
            .await
            .expect("the Sentinel agrees");
        self.failed_over().await;
        // The Sentinels take their time to tell it; until then it grants locks that will be forgotten.
        eventually("the old primary follows", PATIENCE, async || has_role(&self.servers[0], "slave").await)
            .await;
    }

    /// The port of the primary by the word of each Sentinel.
    async fn primary_ports(&self) -> Vec<u16> {
        let mut ports = Vec::new();
        for (_, port) in &self.sentinels {
            let (_, named): (String, u16) = redis::cmd("SENTINEL")
                .arg("GET-MASTER-ADDR-BY-NAME")
                .arg(Self::NAME)
                .query_async(&mut connection(*port).await)
                .await
                .expect("the Sentinel knows the name");
            ports.push(named);
        }
        ports
    }

    async fn is_complete(&self) -> bool {
        for (_, port) in &self.sentinels {
            let known: std::collections::HashMap<String, String> = redis::cmd("SENTINEL")
                .arg("MASTER")
                .arg(Self::NAME)
                .query_async(&mut connection(*port).await)
                .await
                .expect("the Sentinel knows the name");
            let count = |field: &str| known.get(field).map(String::as_str).unwrap_or_default();
            if count("num-slaves") != "1" || count("num-other-sentinels") != "2" {
                return false;
            }
        }
        let replica: String = redis::cmd("INFO")
            .arg("replication")
            .query_async(&mut self.servers[1].connection().await)
            .await
            .expect("Redis answers");
        replica.contains("master_link_status:up")
    }
}

/// False also while it closes all connections because of a new role.
async fn has_role(server: &RedisServer, role: &str) -> bool {
    let client = redis::Client::open(server.url()).expect("a Redis URL");
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
        return false;
    };
    let reply = redis::cmd("ROLE").query_async::<Vec<redis::Value>>(&mut connection).await;
    matches!(reply.as_deref(), Ok([redis::Value::BulkString(is), ..]) if is == role.as_bytes())
}

async fn connection(port: u16) -> redis::aio::MultiplexedConnection {
    redis::Client::open(format!("redis://127.0.0.1:{port}"))
        .expect("a Redis URL")
        .get_multiplexed_async_connection()
        .await
        .expect("the Sentinel answers")
}

fn start() -> Result<RedisSentinel, Unavailable> {
    // Without a delay: a primary killed before the first sync is never failed over.
    let settings = ["--repl-diskless-sync-delay", "0"].map(str::to_owned).to_vec();
    let primary = RedisServer::start_with(settings.clone())?;
    let follow = ["--replicaof", "127.0.0.1", &primary.port().to_string()].map(str::to_owned);
    let replica = RedisServer::start_with([settings, follow.to_vec()].concat())?;
    let mut sentinels = Vec::new();
    let mut scratch = Vec::new();
    for _ in 0..3 {
        let recipe = SentinelRecipe {
            program: PACKAGE.program(&["redis-server", "valkey-server"])?,
            directory: Scratch::new("sentinel"),
            primary: primary.port(),
        };
        sentinels.push(launch(&recipe, &recipe.directory.path().join("sentinel.log"))?);
        scratch.push(recipe.directory);
    }
    Ok(RedisSentinel { servers: vec![primary, replica], sentinels, _scratch: scratch })
}

struct SentinelRecipe {
    program: PathBuf,
    directory: Scratch,
    primary: u16,
}

impl Recipe for SentinelRecipe {
    fn command(&self, port: u16) -> Command {
        let file = self.directory.path().join("sentinel.conf");
        let (name, primary) = (RedisSentinel::NAME, self.primary);
        let settings = format!(
            "bind 127.0.0.1\nport {port}\n\
             sentinel monitor {name} 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds {name} 1000\n\
             sentinel failover-timeout {name} 3000\n"
        );
        // It rewrites this file with what it learns.
        fs::write(&file, settings).expect("our own directory");
        let mut command = Command::new(&self.program);
        command.arg(file).arg("--sentinel").arg("--dir").arg(self.directory.path());
        command
    }

    fn answers(&self, process: &Process, port: u16) -> bool {
        info(port).is_some_and(|info| info.contains(&format!("process_id:{}\r\n", process.id())))
    }
}
