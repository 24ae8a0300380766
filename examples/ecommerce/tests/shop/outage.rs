use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, eventually};
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use crate::support::{Backing, Load, Shop};

const RECOVERY: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_charges_are_answered_503_and_then_recover_by_themselves() {
    let mut redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open(&backing).await;
    shop.charge(1, 10, "before").await.ok();

    redis.kill();
    let away = shop.charge(1, 10, "during").await;
    away.is_refused(503, "COMMON008");
    assert!(away.headers.contains_key("retry-after"));
    assert_eq!(shop.balance(1).await, 100_000_010);
    assert_eq!(shop.get("/readyz").await.status, 200);

    redis.restart_empty().await;
    eventually("charges recover", RECOVERY, async || shop.charge(1, 10, "during").await.status == 200).await;
    assert_eq!(shop.balance(1).await, 100_000_020);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_requests_are_answered_503_and_then_recover_by_themselves() {
    let mut mariadb = MariaDbServer::private().await;
    let redis = RedisServer::private().await;
    let backing = Backing::on(&mariadb, &redis).await;
    let shop = Shop::open_with(&backing, &["--database-wait", "500ms"]).await;
    shop.charge(1, 10, "before").await.ok();
    assert_eq!(shop.get("/readyz").await.status, 200);

    mariadb.kill();
    shop.charge(1, 10, "during").await.is_refused(503, "COMMON008");
    shop.get("/api/users/1").await.is_refused(503, "COMMON008");
    shop.get("/readyz").await.is_refused(503, "COMMON008");
    assert_eq!(shop.get("/healthz").await.status, 200);

    mariadb.restart().await;
    eventually("charges recover", RECOVERY, async || shop.charge(1, 10, "during").await.status == 200).await;
    assert_eq!(shop.get("/readyz").await.status, 200);
    assert_eq!(shop.balance(1).await, 100_000_020);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_under_load_loses_and_doubles_nothing() {
    let mut mariadb = MariaDbServer::private().await;
    let redis = RedisServer::private().await;
    let backing = Backing::on(&mariadb, &redis).await;
    let flags = ["--database-wait", "500ms"];
    let (one, two) = (Shop::open_with(&backing, &flags).await, Shop::open_with(&backing, &flags).await);
    let load = Load::new(600);
    let shops = [one.client().clone(), two.client().clone()];
    let (report, ()) = tokio::join!(load.run(&shops, 60), async {
        eventually("the load is under way", RECOVERY, async || load.completed(&backing).await > 50).await;
        mariadb.kill();
        mariadb.restart().await;
    });
    assert!(report.server_errors > 0, "the load was over before the kill: {report:?}");
    load.repeat_all(one.client()).await;
    assert_eq!(load.completed(&backing).await, 600);
    load.every_completed_key_moved_its_balance_once(&backing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_answered_for_with_503() {
    let mut mariadb = MariaDbServer::private().await;
    let redis = RedisServer::private().await;
    let backing = Backing::on(&mariadb, &redis).await;
    let shop = Shop::open_with(&backing, &["--request-timeout", "1s"]).await;
    shop.charge(1, 10, "before").await.ok();

    mariadb.pause();
    // All its threads have stopped only a little later.
    eventually("it hangs", RECOVERY, async || shop.get("/readyz").await.status == 503).await;
    let (charge, show) = tokio::join!(shop.charge(1, 10, "during"), shop.get("/api/users/1"));
    charge.is_refused(503, "COMMON008");
    show.is_refused(503, "COMMON008");

    mariadb.resume();
    eventually("charges recover", RECOVERY, async || shop.charge(1, 10, "during").await.status == 200).await;
    assert_eq!(shop.balance(1).await, 100_000_020);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_takes_no_writes_charges_are_answered_503_and_reads_go_on() {
    let mariadb = MariaDbServer::private().await;
    let redis = RedisServer::private().await;
    let mut backing = Backing::on(&mariadb, &redis).await;
    let shop_of_root = backing.clone();
    // An administrator may write to a server that is read only.
    shop_of_root.run("CREATE USER shop@'%'").await;
    shop_of_root.run("GRANT CREATE, INDEX, SELECT, INSERT, UPDATE, DELETE ON *.* TO shop@'%'").await;
    backing.database_url = backing.database_url.replacen("root@", "shop@", 1);
    let shop = Shop::open(&backing).await;
    shop.charge(1, 10, "before").await.ok();

    shop_of_root.run("SET GLOBAL read_only = 1").await;
    let during = shop.charge(1, 10, "during").await;
    during.is_refused(503, "COMMON008");
    assert!(during.headers.contains_key("retry-after"));
    let item = json!({ "userId": 1, "productId": 1, "quantity": 1 });
    shop.post("/api/cart/items", &item).await.is_refused(503, "COMMON008");
    assert_eq!(shop.balance(1).await, 100_000_010);

    shop_of_root.run("SET GLOBAL read_only = 0").await;
    shop.charge(1, 10, "during").await.ok();
    assert_eq!(shop.balance(1).await, 100_000_020);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_another_program_has_the_file_charges_are_answered_503_and_reads_go_on() {
    let backing = Backing::embedded();
    let shop = Shop::open_with(&backing, &["--database-wait", "500ms"]).await;
    shop.charge(1, 10, "before").await.ok();

    let mut other = SqliteConnection::connect(&backing.database_url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let during = shop.charge(1, 10, "during").await;
    during.is_refused(503, "COMMON008");
    assert!(during.headers.contains_key("retry-after"));
    let item = json!({ "userId": 1, "productId": 1, "quantity": 1 });
    shop.post("/api/cart/items", &item).await.is_refused(503, "COMMON008");
    assert_eq!(shop.balance(1).await, 100_000_010);

    other.close().await.unwrap();
    shop.charge(1, 10, "during").await.ok();
    assert_eq!(shop.balance(1).await, 100_000_020);
}

#[tokio::test]
async fn a_mistake_of_our_own_is_answered_without_its_cause_which_is_in_the_log() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        backing.run("DROP TABLE product_sales").await;
        let answer = shop.get("/api/products/top").await;
        answer.is_refused(500, "COMMON001");
        assert_eq!(answer.json()["message"], "something went wrong on our side");
        let id = format!("id={} ", answer.headers["x-request-id"].to_str().unwrap());
        eventually("the log says more", RECOVERY, async || {
            let log = shop.process.log();
            log.lines().any(|line| line.contains(&id) && line.contains("product_sales"))
        })
        .await;
    }
}
