use std::time::Duration;

use interlock_tests::eventually;
use serde_json::json;

use crate::support::{Backing, Shop};

const SOON: Duration = Duration::from_secs(20);
const TASKS: [&str; 4] = ["reconciler", "relay", "sweeper", "cache"];
const BRISK: [&str; 2] = ["--sweep-every", "200ms"];

#[tokio::test]
async fn each_background_task_shows_in_log_and_metrics_and_ends_with_the_server() {
    for backing in Backing::both().await {
        let mut shop = Shop::open_with(&backing, &BRISK).await;
        for task in TASKS {
            eventually("each has had a round", SOON, async || {
                let labels = format!("task=\"{task}\"");
                let log = shop.process.log();
                log.contains(&format!("background task started task=\"{task}\""))
                    && shop.counter_with("shop_background_rounds_total", &[&labels, "outcome=\"done\""]).await
                        > 0
            })
            .await;
        }
        shop.process.terminate();
        let status = shop.process.exits(SOON).await;
        let log = shop.process.log();
        assert_eq!(status.code(), Some(0), "{log}");
        for task in TASKS {
            assert!(log.contains(&format!("background task stopped task=\"{task}\"")), "{task}: {log}");
        }
        assert!(!log.contains("WARN ecommerce"), "they end before what they work on: {log}");
    }
}

#[tokio::test]
async fn the_sweeper_deletes_expired_keys_and_counts_those_that_are_stuck() {
    let backing = Backing::servers().await;
    let flags = ["--gateway-timeout", "200ms", "--reconcile-after", "1h"];
    let shop = Shop::open_with(&backing, &[&BRISK[..], &flags].concat()).await;
    shop.charge(1, 1, "kept").await.ok();
    shop.charge(1, 1, "old").await.ok();
    backing
        .run("UPDATE idempotency_keys SET expires_at = '2020-01-01 00:00:00' WHERE idempotency_key = 'old'")
        .await;
    eventually("the old key is gone", SOON, async || shop.counter("shop_swept_keys_total", "").await == 1)
        .await;
    assert_eq!(backing.number("SELECT COUNT(*) FROM idempotency_keys").await, 1);
    assert!(shop.process.log().contains("expired idempotency keys deleted rows=1"));
    assert_eq!(shop.counter("shop_stuck_keys", "").await, 0);

    let order =
        json!({ "userId": 1, "items": [{ "productId": 1, "quantity": 1 }], "idempotencyKey": "LOST" });
    let complete = shop.request(reqwest::Method::POST, "/api/orders/complete").json(&order);
    shop.send(complete).await.is_refused(504, "PAY004");
    eventually("the payment's key is stuck", SOON, async || shop.counter("shop_stuck_keys", "").await == 1)
        .await;
}

#[tokio::test]
async fn an_instance_relays_when_no_other_does() {
    let backing = Backing::servers().await;
    let shops = [Shop::open(&backing).await, Shop::open(&backing).await];
    let locks = lock_core::LockManager::builder().prefix(&backing.redis_prefix);
    let locks = locks.redis(backing.redis_url.as_deref().unwrap()).await.unwrap();
    // A third one, which takes its time.
    let guard = locks.lock("job:outbox-relay").wait(SOON).acquire().await.unwrap();
    let order =
        json!({ "userId": 1, "items": [{ "productId": 1, "quantity": 1 }], "idempotencyKey": "paid" });
    let completed = shops[0].request(reqwest::Method::POST, "/api/orders/complete").json(&order);
    assert_eq!(shops[0].send(completed).await.status, 201);
    let stood_by = ["task=\"relay\"", "outcome=\"elsewhere\""];
    for shop in &shops {
        let before = shop.counter_with("shop_background_rounds_total", &stood_by).await;
        eventually("it finds the lock taken", SOON, async || {
            shop.counter_with("shop_background_rounds_total", &stood_by).await > before + 1
        })
        .await;
    }
    let waiting = "SELECT COUNT(*) FROM outbox WHERE status = 'PENDING'";
    assert_eq!(backing.number(waiting).await, 1, "somebody relayed without the lock");

    guard.release().await.unwrap();
    eventually("one of them takes over", SOON, async || backing.number(waiting).await == 0).await;
    let published = ["outcome=\"published\""];
    let mut by = 0;
    for shop in &shops {
        by += shop.counter_with("shop_events_total", &published).await;
    }
    assert_eq!(by, 1);
}

#[tokio::test]
async fn a_slow_gateway_is_waited_for() {
    let shop = Shop::open(&Backing::embedded()).await;
    let order =
        json!({ "userId": 1, "items": [{ "productId": 1, "quantity": 1 }], "idempotencyKey": "SLOW" });
    let completed = shop.post("/api/orders/complete", &order).await;
    assert_eq!(completed.status, 201, "{}", completed.json());
    assert_eq!(completed.json()["payment"]["status"], "SUCCESS");
}
