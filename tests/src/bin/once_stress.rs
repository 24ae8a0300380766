//! Breaks idempotent requests in every way for some minutes, and counts: `once_stress --help`.

// A program talks to its user.
#![allow(clippy::expect_used, clippy::print_stderr, clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand, ValueEnum};
use idempotency::{MySqlStore, PostgresStore, SqliteStore};
use interlock_tests::once::{Chaos, Worker};
use interlock_tests::{Database, MariaDbServer, PostgresServer, Proxy, Scratch};

/// Makes several processes send the same idempotent requests at once, a fifth of them refused and a tenth rolled back,
/// and meanwhile kills processes (-9), at random and at each statement of a request in turn, has the server end
/// connections, loses replies to COMMIT and sweeps. Afterwards each finished key must have had exactly one effect, no
/// caller may have met a deadlock or a lock's timeout (contended), and no key may be stuck.
///
/// Starts a database of its own, unless TEST_DATABASE_URL names a MariaDB or MySQL, or TEST_POSTGRES_URL a PostgreSQL.
/// Ends with status 1 when something does not hold.
#[derive(Debug, Parser)]
#[command(subcommand_negates_reqs = true)]
struct Arguments {
    /// How long to break things; what is left open then takes some seconds more.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// The database.
    #[arg(long, value_enum, default_value = "mysql")]
    database: DatabaseKind,
    /// How many processes send requests.
    #[arg(long, default_value_t = 3)]
    processes: usize,
    #[command(subcommand)]
    worker: Option<Subprocess>,
}

#[derive(Debug, Subcommand)]
enum Subprocess {
    /// What this program calls itself with.
    #[command(hide = true)]
    Worker(Worker),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DatabaseKind {
    Mysql,
    Postgres,
    Sqlite,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Subprocess::Worker(worker)) = arguments.worker {
        worker.run().await;
        return ExitCode::SUCCESS;
    }
    let time = Duration::from_secs(arguments.seconds);
    let program = std::env::current_exe().expect("this program has a path");
    let processes = arguments.processes.max(1);
    let begun = Instant::now();
    let (server, struck) = match arguments.database {
        DatabaseKind::Mysql => {
            let server = MariaDbServer::shared().await;
            let database = server.database("stress").await;
            let chaos = through_a_proxy(&database, program, processes);
            (server.version().await, chaos.reign::<MySqlStore>(time).await)
        }
        DatabaseKind::Postgres => {
            let server = PostgresServer::shared().await;
            let database = server.database("stress").await;
            let chaos = through_a_proxy(&database, program, processes);
            (server.version().await, chaos.reign::<PostgresStore>(time).await)
        }
        DatabaseKind::Sqlite => {
            let folder = Scratch::new("sqlite");
            let url = format!("sqlite:{}", folder.path().join("stress.db").display());
            let chaos = Chaos { program, url: url.clone(), url_of_workers: url, server: None, processes };
            ("SQLite".to_owned(), chaos.reign::<SqliteStore>(time).await)
        }
    };
    println!("{server}, {} s: {}", begun.elapsed().as_secs(), struck.counts);
    for violation in &struck.violations {
        println!("{violation}");
    }
    println!("{} violations", struck.violations.len());
    ExitCode::from(u8::from(!struck.violations.is_empty()))
}

fn through_a_proxy(database: &Database, program: PathBuf, processes: usize) -> Chaos {
    let proxy = Proxy::to(database.address());
    let (url, url_of_workers) = (database.url().to_owned(), database.url_through(&proxy));
    Chaos { program, url, url_of_workers, server: Some((proxy, database.address().to_owned())), processes }
}
