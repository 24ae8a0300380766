//! The servers of the harness: they answer, they can be broken, and nothing of them is left.

#![allow(clippy::unwrap_used)]

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use interlock_tests::{
    MariaDbServer, PostgresServer, Process, RedisServer, Scratch, SlowFlushes, eventually,
};

const SOON: Duration = Duration::from_secs(10);

fn listens(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}

#[tokio::test]
async fn redis_answers_and_is_gone_after_drop() {
    let redis = RedisServer::private().await;
    let pong: String = redis::cmd("PING").query_async(&mut redis.connection().await).await.unwrap();
    assert_eq!(pong, "PONG");

    let address = redis.address();
    drop(redis);
    assert!(!listens(&address));
}

#[tokio::test]
async fn a_shared_redis_is_started_once() {
    let (one, two) = tokio::join!(RedisServer::shared(), RedisServer::shared());
    assert!(std::ptr::eq(one, two));
}

#[tokio::test]
async fn a_restarted_redis_has_the_same_url_and_no_data() {
    let mut redis = RedisServer::private().await;
    let url = redis.url().to_owned();
    let _: () = redis::cmd("SET").arg("a").arg(1).query_async(&mut redis.connection().await).await.unwrap();
    assert_eq!(redis.keys("*").await, ["a"]);

    redis.kill();
    assert!(!listens(&redis.address()));
    redis.restart_empty().await;

    assert_eq!(redis.url(), url);
    assert!(redis.keys("*").await.is_empty());
}

#[tokio::test]
async fn a_paused_redis_is_silent_until_resumed() {
    let mut redis = RedisServer::private().await;
    let mut connection = redis.connection().await;
    redis.pause();
    let ping = async || redis::cmd("PING").query_async::<String>(&mut connection.clone()).await;
    assert!(tokio::time::timeout(Duration::from_millis(100), ping()).await.is_err());
    redis.resume();
    let _: String = redis::cmd("PING").query_async(&mut connection).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_starts_under_a_paused_clock() {
    let redis = RedisServer::private().await;
    assert!(listens(&redis.address()));
}

#[tokio::test]
async fn two_databases_of_one_server_are_apart() {
    let server = MariaDbServer::shared().await;
    let (one, two) = (server.database("harness").await, server.database("harness").await);
    assert_ne!(one.name(), two.name());

    sqlx::raw_sql("CREATE TABLE only_here (id INT)").execute(&one.mysql_pool().await).await.unwrap();
    let here = "SELECT COUNT(*) FROM only_here";
    assert_eq!(sqlx::query_scalar::<_, i64>(here).fetch_one(&one.mysql_pool().await).await.unwrap(), 0);
    sqlx::query_scalar::<_, i64>(here).fetch_one(&two.mysql_pool().await).await.unwrap_err();
}

#[tokio::test]
async fn a_killed_mariadb_keeps_what_was_committed() {
    let mut server = MariaDbServer::private().await;
    let database = server.database("harness").await;
    let fill = "CREATE TABLE t (id INT) ENGINE = InnoDB; INSERT INTO t VALUES (7)";
    sqlx::raw_sql(fill).execute(&database.mysql_pool().await).await.unwrap();

    server.kill();
    assert!(!listens(database.address()));
    server.restart().await;

    let id: i32 =
        sqlx::query_scalar("SELECT id FROM t").fetch_one(&database.mysql_pool().await).await.unwrap();
    assert_eq!(id, 7);
}

/// Where nothing may be traced, the reason is one line.
#[tokio::test]
async fn a_commit_waits_for_a_slow_flush() {
    let longer = Duration::from_millis(20);
    let slow = match SlowFlushes::by(longer) {
        Ok(slow) => slow,
        Err(why) => return assert!(why.starts_with("strace ") && why.lines().count() == 1, "{why}"),
    };
    let server = MariaDbServer::private_with(slow).await;
    let database = server.database("harness").await;
    let pool = database.mysql_pool().await;
    let fill = "SET GLOBAL innodb_flush_log_at_trx_commit = 1; CREATE TABLE t (id INT) ENGINE = InnoDB";
    sqlx::raw_sql(fill).execute(&pool).await.unwrap();

    let begun = Instant::now();
    sqlx::raw_sql("INSERT INTO t VALUES (7)").execute(&pool).await.unwrap();
    assert!(begun.elapsed() >= longer);

    drop(server);
    assert!(!listens(database.address()));
}

#[tokio::test]
async fn postgres_answers_and_is_gone_after_drop() {
    let server = PostgresServer::private().await;
    let database = server.database("harness").await;
    assert!(database.url().ends_with(database.name()));
    assert!(listens(database.address()));

    let address = database.address().to_owned();
    drop(server);
    assert!(!listens(&address));
}

/// The drop of a database on a server that goes on, as on one given by the environment.
#[tokio::test]
async fn a_database_on_a_given_server_is_dropped() {
    let server = MariaDbServer::private().await;
    let given = MariaDbServer::given(server.url());
    let database = given.database("given").await;
    let (name, pool) = (database.name().to_owned(), server.database("look").await.mysql_pool().await);
    let count = async || {
        let sql = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?";
        sqlx::query_scalar::<_, i64>(sql).bind(&name).fetch_one(&pool).await.unwrap()
    };
    assert_eq!(count().await, 1);
    drop(database);
    assert_eq!(count().await, 0);
}

/// A helper process that starts servers, and the addresses and the directory of what it has started.
async fn helper(scratch: &Scratch, script: &str) -> (Process, [String; 2], PathBuf) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with_servers"));
    command.args(["sh", "-c", &format!("echo $REDIS_URL $DATABASE_URL; echo ready; {script}")]);
    command.env("TMPDIR", scratch.path());
    let mut helper = Process::spawn(&command, &scratch.path().join("log"));
    helper.says("ready", Duration::from_secs(60)).await;
    let log = helper.log();
    let (redis, database) = log.lines().next().unwrap().split_once(' ').unwrap();
    let redis = redis.strip_prefix("redis://").unwrap().to_owned();
    let database = database.strip_prefix("mysql://root@").unwrap().split('/').next().unwrap().to_owned();
    let mut data = scratch.path().read_dir().unwrap().map(|entry| entry.unwrap().path());
    let data = data.find(|path| path.is_dir()).unwrap();
    (helper, [redis, database], data)
}

#[tokio::test]
async fn sigkill_leaves_no_server_and_no_data() {
    let scratch = Scratch::new("helper");
    let (mut helper, servers, data) = helper(&scratch, "exec sleep 600").await;
    assert!(servers.iter().all(|server| listens(server)));

    helper.kill();

    eventually("both servers are gone", SOON, async || !servers.iter().any(|server| listens(server))).await;
    eventually("their data is gone", SOON, async || !data.exists()).await;
}

#[tokio::test]
async fn a_command_beside_servers_ends_with_its_own_status() {
    let scratch = Scratch::new("helper");
    let (mut helper, servers, data) = helper(&scratch, "exit 7").await;

    assert_eq!(helper.exits(SOON).await.code(), Some(7));
    assert!(!servers.iter().any(|server| listens(server)));
    eventually("their data is gone", SOON, async || !data.exists()).await;
}

#[tokio::test]
async fn a_terminated_command_ends_before_its_servers() {
    let scratch = Scratch::new("helper");
    let script = "trap 'echo draining; exit 3' TERM; while :; do sleep 0.1; done";
    let (mut helper, servers, _) = helper(&scratch, script).await;

    helper.terminate();

    assert_eq!(helper.exits(SOON).await.code(), Some(3));
    assert!(helper.log().contains("draining"));
    assert!(!servers.iter().any(|server| listens(server)));
}

#[tokio::test]
async fn a_command_that_ends_early_is_told_with_its_log() {
    let scratch = Scratch::new("early");
    let mut process = Process::spawn(&Command::new("no-such-program"), &scratch.path().join("log"));
    assert_eq!(process.exits(SOON).await.code(), Some(127));
    assert!(process.log().contains("no-such-program"));
}
