//! PostgreSQL.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use rustix::process::Signal;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::database::Database;
use crate::install::{Package, Unavailable};
use crate::launch::{Recipe, launch, launch_on};
use crate::names::unique_name;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::shared::{Shared, blocking};

const PACKAGE: Package =
    Package { server: "PostgreSQL", apt: "postgresql", brew: "postgresql", variable: "TEST_POSTGRES_URL" };

static SHARED: Shared<PostgresServer> = Shared::new();

/// A PostgreSQL server with throw-away data.
#[derive(Debug)]
pub struct PostgresServer {
    /// Without a database name.
    url: String,
    /// None for the server that the environment names.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    process: Process,
    recipe: PostgresRecipe,
    port: u16,
}

impl PostgresServer {
    /// Answers the server that all tests of this process share: the one of `TEST_POSTGRES_URL`
    /// (`postgres://user:password@host:port`), whose user must be allowed to create databases, or one of our own.
    pub async fn shared() -> &'static PostgresServer {
        SHARED
            .get(|| match std::env::var(PACKAGE.variable) {
                Ok(url) => Ok(PostgresServer { url: url.trim_end_matches('/').to_owned(), own: None }),
                Err(_) => PostgresServer::start(),
            })
            .await
    }

    /// Starts a server for one test to break.
    pub async fn private() -> PostgresServer {
        blocking(PostgresServer::start).await
    }

    /// Starts a private server with more arguments of the command line.
    pub async fn private_with(arguments: &[&str]) -> PostgresServer {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        blocking(|| PostgresServer::start_with(arguments)).await
    }

    fn start() -> Result<PostgresServer, Unavailable> {
        PostgresServer::start_with(Vec::new())
    }

    fn start_with(arguments: Vec<String>) -> Result<PostgresServer, Unavailable> {
        let recipe = PostgresRecipe {
            server: PACKAGE.program(&["postgres"])?,
            installer: PACKAGE.program(&["initdb"])?,
            scratch: Scratch::new("postgres"),
            arguments,
        };
        let (process, port) = launch(&recipe, &recipe.log())?;
        Ok(PostgresServer {
            url: format!("postgres://postgres@127.0.0.1:{port}"),
            own: Some(Own { process, recipe, port }),
        })
    }

    /// What it calls itself, e.g. `PostgreSQL 15.10 (Debian 15.10-0+deb12u1)`.
    pub async fn version(&self) -> String {
        let options = PgConnectOptions::from_str(&self.url).expect("a PostgreSQL URL").database("postgres");
        let mut connection = PgConnection::connect_with(&options).await.expect("the database server answers");
        let version: String = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&mut connection)
            .await
            .expect("the database server answers");
        connection.close().await.expect("the database server answers");
        format!("PostgreSQL {version}")
    }

    /// Makes an empty database whose name starts with `name`.
    pub async fn database(&self, name: &str) -> Database {
        let name = unique_name(name);
        let (server, database) = (self.url.clone(), name.clone());
        blocking(move || maintain("createdb", &server, &[&database])).await;
        let (_, authority) = self.url.rsplit_once(['@', '/']).expect("a PostgreSQL URL");
        Database {
            authority: authority.to_owned(),
            url: format!("{}/{name}", self.url),
            drop: self.own.is_none().then_some(drop_database),
            name,
        }
    }

    /// Kills it (SIGKILL). What was committed is there again after [`restart`](Self::restart).
    pub fn kill(&mut self) {
        self.own().process.kill();
    }

    /// Starts it again on the same port with its data, killing it first if it still runs.
    pub async fn restart(&mut self) {
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

fn drop_database(url: &str, name: &str) {
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    if let Err(Unavailable(why)) = maintain("dropdb", server, &["--force", name]) {
        eprintln!("database {name} could not be dropped: {why}");
    }
}

/// Runs one of PostgreSQL's own client programs on the server at `url`.
fn maintain(program: &str, url: &str, arguments: &[&str]) -> Result<(), Unavailable> {
    let output = Command::new(PACKAGE.program(&[program])?)
        .arg(format!("--maintenance-db={url}/postgres"))
        .args(arguments)
        .output()
        .map_err(|error| Unavailable(format!("{program} did not run: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Unavailable(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

#[derive(Debug)]
struct PostgresRecipe {
    server: PathBuf,
    installer: PathBuf,
    scratch: Scratch,
    arguments: Vec<String>,
}

impl PostgresRecipe {
    fn log(&self) -> PathBuf {
        self.scratch.path().join("server.log")
    }

    fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }
}

impl Recipe for PostgresRecipe {
    fn command(&self, port: u16) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("postgres_server.sh"), "postgres"])
            .arg(&self.server)
            .arg(&self.installer)
            .arg(self.scratch.path())
            .arg(port.to_string())
            .args(&self.arguments);
        command
    }

    fn answers(&self, process: &Process, port: u16) -> bool {
        ready(&self.data(), process.id()) && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    }

    fn stop_signal(&self) -> Signal {
        // An immediate shutdown. SIGKILL would leave its segment of System V shared memory behind.
        Signal::QUIT
    }
}

/// Whether the server `id` says in its lock file that it takes connections.
fn ready(data: &Path, id: u32) -> bool {
    let lines = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = lines.lines();
    lines.next() == Some(&id.to_string()) && lines.any(|line| line.trim() == "ready")
}
