//! The real binary against real servers.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};
use std::time::Duration;

use interlock_tests::{RedisCluster, RedisServer, eventually, unique_name};
use lock_core::{LockManager, RedisConfig};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_secs(60);

async fn run(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_interlock"));
    command.env("REDIS_URL", url).env_remove("INTERLOCK_PREFIX").args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap()
}

#[tokio::test]
async fn held_keys_are_listed_with_owner_lease_and_queue() {
    let redis = RedisServer::private().await;
    let locks = LockManager::builder().prefix("app:").redis(redis.url()).await.unwrap();
    let other = LockManager::builder().prefix("app:").redis(redis.url()).await.unwrap();
    let first = locks.lock("balance:1").lease(LEASE).acquire().await.unwrap();
    let _second = locks.lock("report").lease(LEASE).acquire().await.unwrap();
    // What is no lock: released, another type, another value, another prefix, a place that looks like a pattern.
    locks.lock("balance:free").acquire().await.unwrap().release().await.unwrap();
    let mut connection = redis.connection().await;
    for command in
        [["SET", "app:balance:text", "hello"], ["LPUSH", "app:balance:list", "a"], ["SET", "b", "c"]]
    {
        let _: Value = redis_value(&mut connection, &command).await;
    }
    let waiting = tokio::spawn({
        let other = other.clone();
        async move { other.lock("balance:1").wait(LEASE).acquire().await }
    });
    eventually("it waits", SOON, async || {
        locks.inspect().show("balance:1").await.unwrap().unwrap().queued == 1
    })
    .await;

    let listed = json(&run(redis.url(), &["--prefix", "app:", "--json", "ls", "balance:"]).await);
    let [held] = listed.as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!(held["key"], "balance:1");
    assert_eq!(held["queued"], 1);
    let left = held["lease_left_ms"].as_u64().unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
    assert!(held["since_grant_ms"].as_u64().unwrap() < 60_000);
    let table = out(&run(redis.url(), &["--prefix", "app:", "ls"]).await);
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("balance:1") && table.contains("report"), "{table}");

    let shown = run(redis.url(), &["show", "balance:1", "--json", "--prefix", "app:"]).await;
    assert_eq!(json(&shown)["owner"], held["owner"]);
    waiting.abort();
    first.release().await.unwrap();
}

async fn redis_value(connection: &mut (impl redis::aio::ConnectionLike + Send), command: &[&str]) -> Value {
    redis::cmd(command[0]).arg(&command[1..]).exec_async(connection).await.unwrap();
    Value::Null
}

#[tokio::test]
async fn a_key_is_released_only_by_its_owners_ticket_and_goes_to_the_next() {
    let redis = RedisServer::shared().await;
    let (key, lease) = (unique_name("forced"), Duration::from_secs(3));
    let holder = LockManager::redis(redis.url()).await.unwrap();
    let next = LockManager::redis(redis.url()).await.unwrap();
    let guard = holder.lock(&key).lease(lease).acquire().await.unwrap();
    let waiting = tokio::spawn({
        let key = key.clone();
        async move { next.lock(&key).wait(LEASE).acquire().await.unwrap() }
    });
    let shown = json(&run(redis.url(), &["show", &key, "--json"]).await);
    let owner = shown["owner"].as_str().unwrap();

    let other = lock_core::Ticket { node: lock_core::NodeId::random(), attempt: 0 }.to_string();
    let refused = run(redis.url(), &["release", &key, "--ticket", &other]).await;
    assert_eq!((code(&refused), out(&refused).as_str()), (1, ""));
    assert!(err(&refused).contains("nothing was released"), "{refused:?}");

    let released = run(redis.url(), &["release", &key, "--ticket", owner]).await;
    assert_eq!(code(&released), 0, "{released:?}");
    let taken = tokio::time::timeout(SOON, waiting).await.unwrap().unwrap();
    tokio::time::timeout(SOON, guard.lost()).await.expect("the holder finds out");
    assert!(taken.token() > guard.token());
    assert_eq!(code(&run(redis.url(), &["release", &key, "--ticket", owner]).await), 1);
    taken.release().await.unwrap();
}

#[tokio::test]
async fn what_is_not_held_and_what_is_wrong_are_told_apart() {
    let redis = RedisServer::shared().await;
    let free = run(redis.url(), &["show", &unique_name("free")]).await;
    assert_eq!((code(&free), out(&free).as_str()), (1, ""));
    assert!(err(&free).contains("is not held"));
    assert_eq!(code(&run(redis.url(), &["release", "k", "--ticket", "nonsense"]).await), 2);
    assert_eq!(code(&run(redis.url(), &["show", "a\nb"]).await), 2);
    assert_eq!(code(&run(redis.url(), &["polish"]).await), 2);

    let away = run("redis://user:hunter2@127.0.0.1:1", &["ls"]).await;
    assert_eq!((code(&away), out(&away).as_str()), (3, ""));
    assert!(err(&away).contains("127.0.0.1:1 cannot be reached"), "{away:?}");
    assert!(!err(&away).contains("hunter2"), "{away:?}");
    let unreadable = run("nonsense", &["ls"]).await;
    assert_eq!(code(&unreadable), 3, "{unreadable:?}");
}

#[tokio::test]
async fn help_explains_every_command_and_shows_no_password() {
    let help = run("redis://:hunter2@host", &["--help"]).await;
    assert_eq!(code(&help), 0);
    for word in ["ls", "show", "release", "REDIS_URL", "--json", "--prefix", "Ends with 0"] {
        assert!(out(&help).contains(word), "{word}: {}", out(&help));
    }
    assert!(!out(&help).contains("hunter2"));
}

#[tokio::test]
async fn more_keys_than_one_step_of_the_scan_are_all_found() {
    let redis = RedisServer::private().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let mut guards = Vec::new();
    for number in 0..700 {
        guards.push(locks.lock(format!("many:{number:03}")).lease(LEASE).acquire().await.unwrap());
    }
    let listed = json(&run(redis.url(), &["ls", "many:", "--json"]).await);
    assert_eq!(listed.as_array().unwrap().len(), 700);
    assert_eq!(listed[699]["key"], "many:699");
    let some = run(redis.url(), &["ls", "--limit", "5", "--json"]).await;
    assert_eq!(json(&some).as_array().unwrap().len(), 5);
    assert!(err(&some).contains("--limit"), "{some:?}");
    let stats: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut redis.connection().await).await.unwrap();
    assert!(stats.contains("cmdstat_scan") && !stats.contains("cmdstat_keys"), "{stats}");
}

#[tokio::test]
async fn the_nodes_of_a_cluster_are_listed_together() {
    let cluster = RedisCluster::shared().await;
    let locks = LockManager::redis(RedisConfig::cluster(cluster.urls())).await.unwrap();
    let name = unique_name("spread");
    let mut guards = Vec::new();
    for number in 0..20 {
        guards.push(locks.lock(format!("{name}:{number:02}")).lease(LEASE).acquire().await.unwrap());
    }
    let listed = run(&cluster.urls().join(","), &["--cluster", "ls", &name, "--json"]).await;
    assert_eq!(json(&listed).as_array().map(Vec::len), Some(20), "{listed:?}");
}
