//! Redis, or Valkey where that is what is installed.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use redis::aio::MultiplexedConnection;

use crate::install::{Package, Unavailable};
use crate::launch::{Recipe, launch, launch_on};
use crate::process::Process;
use crate::redis_connection;
use crate::scratch::Scratch;
use crate::shared::{Shared, blocking};

pub(crate) const PACKAGE: Package =
    Package { server: "Redis", apt: "redis-server", brew: "redis", variable: "TEST_REDIS_URL" };

static SHARED: Shared<RedisServer> = Shared::new();

/// A Redis server that keeps nothing on disk.
#[derive(Debug)]
pub struct RedisServer {
    url: String,
    /// None for the server that the environment names.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    process: Process,
    recipe: RedisRecipe,
    port: u16,
}

impl RedisServer {
    /// Answers the server that all tests of this process share: the one of `TEST_REDIS_URL`, or one of our own.
    ///
    /// Keep to keys under a [`unique_name`](crate::unique_name), and never flush, pause or configure it.
    pub async fn shared() -> &'static RedisServer {
        SHARED
            .get(|| match std::env::var(PACKAGE.variable) {
                Ok(url) => Ok(RedisServer { url, own: None }),
                Err(_) => RedisServer::start(),
            })
            .await
    }

    /// Starts a server for one test to break.
    pub async fn private() -> RedisServer {
        blocking(RedisServer::start).await
    }

    /// The same with more arguments for `redis-server`.
    pub async fn private_with(arguments: &[&str]) -> RedisServer {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        blocking(|| RedisServer::start_with(arguments)).await
    }

    fn start() -> Result<RedisServer, Unavailable> {
        RedisServer::start_with(Vec::new())
    }

    pub(crate) fn start_with(arguments: Vec<String>) -> Result<RedisServer, Unavailable> {
        let program = PACKAGE.program(&["redis-server", "valkey-server"])?;
        let recipe = RedisRecipe { program, scratch: Scratch::new("redis"), arguments };
        let (process, port) = launch(&recipe, &recipe.log())?;
        Ok(RedisServer { url: format!("redis://127.0.0.1:{port}"), own: Some(Own { process, recipe, port }) })
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `host:port`, for a [`Proxy`](crate::Proxy).
    #[must_use]
    pub fn address(&self) -> String {
        let client = redis::Client::open(self.url.as_str()).expect("a Redis URL");
        match client.get_connection_info().addr() {
            redis::ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
            other => panic!("only plain TCP can be reached through a proxy, not {other}"),
        }
    }

    /// Opens a connection of the test's own, to look at what the code under test has done.
    pub async fn connection(&self) -> MultiplexedConnection {
        redis_connection(&self.url).await.expect("Redis answers")
    }

    /// The keys that match a glob pattern, sorted.
    pub async fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys: Vec<String> = redis::cmd("KEYS")
            .arg(pattern)
            .query_async(&mut self.connection().await)
            .await
            .expect("Redis answers");
        keys.sort();
        keys
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&mut self) {
        self.own().process.pause();
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&mut self) {
        self.own().process.resume();
    }

    /// Its port on 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When it is the one that the environment names.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.own.as_ref().expect("a private server").port
    }

    /// Whether it has not been killed.
    pub fn is_running(&mut self) -> bool {
        self.own().process.exited().is_none()
    }

    /// Kills it (SIGKILL); its data is gone.
    pub fn kill(&mut self) {
        self.own().process.kill();
    }

    /// Starts it again on the same port, without data, killing it first if it still runs.
    pub async fn restart_empty(&mut self) {
        let mut own = self.own.take().expect("a private server");
        self.own = Some(
            blocking(move || {
                own.process.kill();
                own.process = launch_on(&own.recipe, &own.recipe.log(), own.port)?;
                Ok(own)
            })
            .await,
        );
    }

    fn own(&mut self) -> &mut Own {
        self.own.as_mut().expect("a private server")
    }
}

#[derive(Debug)]
struct RedisRecipe {
    program: PathBuf,
    scratch: Scratch,
    arguments: Vec<String>,
}

impl RedisRecipe {
    fn log(&self) -> PathBuf {
        self.scratch.path().join("server.log")
    }
}

impl Recipe for RedisRecipe {
    fn command(&self, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.scratch.path())
            .args(&self.arguments);
        command
    }

    fn answers(&self, process: &Process, port: u16) -> bool {
        info(port).is_some_and(|info| info.contains(&format!("process_id:{}\r\n", process.id())))
    }
}

/// Answers what `INFO server` says on `port`.
pub(crate) fn info(port: u16) -> Option<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    connection.write_all(b"INFO server\r\n").ok()?;
    let mut reply = Vec::new();
    // A Sentinel knows no QUIT, so nothing but its length says where the reply ends.
    while !reply.ends_with(b"\r\n\r\n") {
        let mut chunk = [0; 4096];
        match connection.read(&mut chunk).ok()? {
            0 => break,
            length => reply.extend_from_slice(&chunk[..length]),
        }
    }
    String::from_utf8(reply).ok()
}
