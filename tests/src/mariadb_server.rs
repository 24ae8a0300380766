//! MariaDB, or MySQL where that is what is installed.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::database::Database;
use crate::install::{Package, Unavailable};
use crate::launch::{Recipe, launch, launch_on};
use crate::names::unique_name;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::shared::{Shared, blocking};
use crate::slow_flushes::SlowFlushes;

const PACKAGE: Package =
    Package { server: "MariaDB", apt: "mariadb-server", brew: "mariadb", variable: "TEST_DATABASE_URL" };

static SHARED: Shared<MariaDbServer> = Shared::new();

/// A MariaDB or MySQL server with throw-away data.
#[derive(Debug)]
pub struct MariaDbServer {
    url: String,
    /// None for the server that the environment names.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    process: Process,
    recipe: MariaDbRecipe,
    port: u16,
}

impl MariaDbServer {
    /// Answers the server that all tests of this process share: the one of `TEST_DATABASE_URL`, whose user must be
    /// allowed to create databases, or one of our own.
    pub async fn shared() -> &'static MariaDbServer {
        SHARED
            .get(|| match std::env::var(PACKAGE.variable) {
                Ok(url) => Ok(MariaDbServer::given(&url)),
                Err(_) => MariaDbServer::start(),
            })
            .await
    }

    /// Stands for a server that runs already and goes on.
    #[must_use]
    pub fn given(url: &str) -> MariaDbServer {
        MariaDbServer { url: url.to_owned(), own: None }
    }

    /// Starts a server for one test to break.
    pub async fn private() -> MariaDbServer {
        blocking(MariaDbServer::start).await
    }

    /// The same on a disk whose flushes take longer.
    pub async fn private_with(slow: SlowFlushes) -> MariaDbServer {
        let mut server = MariaDbServer::private().await;
        // Not before, since making a data directory flushes a thousand times.
        server.own().recipe.slow = Some(slow);
        server.restart().await;
        server
    }

    fn start() -> Result<MariaDbServer, Unavailable> {
        let server = PACKAGE.program(&["mariadbd", "mysqld"])?;
        // A `mysqld` beside the installer is MariaDB under its older name.
        let installer = PACKAGE.program(&["mariadb-install-db", "mysql_install_db"]).ok();
        let recipe = MariaDbRecipe { server, installer, scratch: Scratch::new("mariadb"), slow: None };
        let (process, port) = launch(&recipe, &recipe.log())?;
        Ok(MariaDbServer {
            url: format!("mysql://root@127.0.0.1:{port}"),
            own: Some(Own { process, recipe, port }),
        })
    }

    /// The URL of the server, without a database of the test's own.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `host:port`, for a [`Proxy`](crate::Proxy).
    #[must_use]
    pub fn address(&self) -> String {
        let options = MySqlConnectOptions::from_str(&self.url).expect("a MySQL URL");
        format!("{}:{}", options.get_host(), options.get_port())
    }

    /// Whether it is MySQL.
    pub async fn is_mysql(&self) -> bool {
        self.version().await.starts_with("MySQL")
    }

    /// What it calls itself, e.g. `MySQL 9.7.0` or `MariaDB 10.11.6-MariaDB`.
    pub async fn version(&self) -> String {
        let options = MySqlConnectOptions::from_str(&self.url).expect("a MySQL URL");
        let mut connection =
            MySqlConnection::connect_with(&options).await.expect("the database server answers");
        let version: String = sqlx::query_scalar("SELECT VERSION()")
            .fetch_one(&mut connection)
            .await
            .expect("the database server answers");
        connection.close().await.expect("the database server answers");
        let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
        format!("{name} {version}")
    }

    /// Makes an empty database whose name starts with `name`.
    pub async fn database(&self, name: &str) -> Database {
        let name = unique_name(name);
        let options = MySqlConnectOptions::from_str(&self.url).expect("a MySQL URL");
        let mut connection =
            MySqlConnection::connect_with(&options).await.expect("the database server answers");
        let create = format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.expect("may create databases");
        connection.close().await.expect("the database server answers");
        Database {
            authority: self.address(),
            url: options.database(&name).to_url_lossy().to_string(),
            drop: self.own.is_none().then_some(drop_database),
            name,
        }
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&mut self) {
        self.own().process.pause();
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&mut self) {
        self.own().process.resume();
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

impl Database {
    /// Opens a pool of at most ten connections to a MariaDB or MySQL database.
    pub async fn mysql_pool(&self) -> MySqlPool {
        MySqlPoolOptions::new().max_connections(10).connect(&self.url).await.expect("the database answers")
    }
}

fn drop_database(url: &str, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dropped = runtime.block_on(async {
        let mut connection = MySqlConnection::connect(url).await?;
        // A transaction that a failed test left open must not hold this up.
        let drop = format!("SET lock_wait_timeout = 5; DROP DATABASE `{name}`");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await
    });
    if let Err(error) = dropped {
        eprintln!("database {name} could not be dropped: {error}");
    }
}

#[derive(Debug)]
struct MariaDbRecipe {
    server: PathBuf,
    /// None for MySQL, whose server makes its own data directory.
    installer: Option<PathBuf>,
    scratch: Scratch,
    slow: Option<SlowFlushes>,
}

impl MariaDbRecipe {
    fn log(&self) -> PathBuf {
        self.scratch.path().join("server.log")
    }
}

impl Recipe for MariaDbRecipe {
    fn command(&self, port: u16) -> Command {
        let installer = self.installer.as_ref().unwrap_or(&self.server);
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("mariadb_server.sh"), "mariadb"])
            .arg(&self.server)
            .arg(installer)
            .arg(self.scratch.path())
            .arg(port.to_string());
        match &self.slow {
            Some(slow) => slow.slow(&command),
            None => command,
        }
    }

    fn answers(&self, _: &Process, port: u16) -> bool {
        // Written by our server once it listens, and only then is the port known to be ours.
        self.scratch.path().join("pid").exists() && greets(port)
    }
}

/// Whether a server speaks first on `port`, as MySQL's protocol has it.
fn greets(port: u16) -> bool {
    let Ok(mut connection) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let patient = connection.set_read_timeout(Some(Duration::from_secs(1)));
    patient.is_ok() && connection.read_exact(&mut [0; 5]).is_ok()
}
