use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, eventually};
use redis::AsyncCommands;
use redis::streams::StreamRangeReply;
use serde_json::{Value, json};

use crate::support::{Backing, Client, Shop};

const SOON: Duration = Duration::from_secs(10);
const STREAM: &str = "events:orders";

async fn paid_order(shop: &Client, user: i64) -> i64 {
    let body = json!({ "userId": user, "items": [{ "productId": 1, "quantity": 1 }] });
    let completed = shop.post("/api/orders/complete", &body).await;
    assert_eq!(completed.status, 201, "{}", completed.json());
    completed.json()["order"]["orderId"].as_i64().unwrap()
}

async fn status(backing: &Backing, status: &str) -> i64 {
    backing.number(&format!("SELECT COUNT(*) FROM outbox WHERE status = '{status}'")).await
}

#[tokio::test]
async fn a_paid_order_is_told_to_the_log_when_there_is_no_redis() {
    let backing = Backing::embedded();
    let mut shop = Shop::open(&backing).await;
    let order = paid_order(&shop, 1).await;
    shop.process.says("event published", SOON).await;
    assert!(shop.process.log().contains(&format!("order={order}")), "{}", shop.process.log());
    // It is told first and marked after that, so that a crash in between tells it twice rather than never.
    eventually("the event is marked", SOON, async || status(&backing, "PUBLISHED").await == 1).await;
}

#[tokio::test]
async fn every_paid_order_is_told_once_by_whichever_of_two_instances() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shops = [Shop::open(&backing).await, Shop::open(&backing).await];
    let mut orders = Vec::new();
    for n in 0..20 {
        orders.push(paid_order(&shops[n % 2], 1).await);
    }
    eventually("all are published", SOON, async || status(&backing, "PUBLISHED").await == 20).await;
    let told: StreamRangeReply = redis.connection().await.xrange_all(STREAM).await.unwrap();
    let mut told_orders = Vec::new();
    for entry in &told.ids {
        let payload: Value = serde_json::from_str(&entry.get::<String>("payload").unwrap()).unwrap();
        assert_eq!(entry.get::<String>("type").unwrap(), "ORDER_PAID");
        assert_eq!(payload["eventId"], entry.get::<String>("eventId").unwrap());
        told_orders.push(payload["orderId"].as_i64().unwrap());
    }
    assert_eq!(told_orders, orders, "in the order in which they were paid");
    let logs = shops.iter().map(|shop| shop.process.log().matches("event published").count());
    assert_eq!(logs.sum::<usize>(), 20, "the logs tell them too");
}

#[tokio::test]
async fn an_event_that_is_refused_five_times_is_dead() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    // Not a stream: Redis answers, and refuses.
    let () = redis.connection().await.set(STREAM, "something else").await.unwrap();
    let shop = Shop::open(&backing).await;
    paid_order(&shop, 1).await;
    eventually("it is given up", Duration::from_secs(30), async || status(&backing, "DEAD").await == 1).await;
    assert_eq!(backing.number("SELECT attempts FROM outbox").await, 5);
    assert_eq!(shop.counter("shop_events_total", "dead").await, 1);
}

#[tokio::test]
async fn events_wait_for_a_redis_that_is_away_without_using_up_their_tries() {
    let mut redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let mut shop = Shop::open(&backing).await;
    paid_order(&shop, 1).await;
    eventually("the first is published", SOON, async || status(&backing, "PUBLISHED").await == 1).await;
    redis.kill();
    backing
        .run(
            "INSERT INTO outbox (event_id, event_type, order_id, payload, next_try_at, created_at) \
             SELECT 'another', event_type, order_id, payload, next_try_at, created_at FROM outbox",
        )
        .await;
    shop.process.says("a background task's round failed task=\"relay\"", SOON).await;
    assert_eq!(backing.number("SELECT MAX(attempts) FROM outbox WHERE status = 'PENDING'").await, 0);
    redis.restart_empty().await;
    eventually("the second is published", SOON * 3, async || status(&backing, "PUBLISHED").await == 2).await;
}

#[tokio::test]
async fn what_follows_a_refused_event_of_the_same_order_waits_for_it() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let mut connection = redis.connection().await;
    let () = connection.set(STREAM, "something else").await.unwrap();
    let shop = Shop::open(&backing).await;
    paid_order(&shop, 1).await;
    eventually("the first is refused", SOON, async || {
        backing.number("SELECT COUNT(*) FROM outbox WHERE attempts > 0").await == 1
    })
    .await;
    backing
        .run(
            "INSERT INTO outbox (event_id, event_type, order_id, payload, next_try_at, created_at) \
             SELECT 'second', event_type, order_id, payload, created_at, created_at FROM outbox",
        )
        .await;
    let before = backing.number("SELECT MAX(attempts) FROM outbox").await;
    eventually("the first is tried again", SOON, async || {
        backing.number("SELECT MAX(attempts) FROM outbox").await > before
    })
    .await;
    assert_eq!(backing.number("SELECT attempts FROM outbox WHERE event_id = 'second'").await, 0);

    let () = connection.del(STREAM).await.unwrap();
    eventually("both are published", SOON, async || status(&backing, "PUBLISHED").await == 2).await;
    let told: StreamRangeReply = connection.xrange_all(STREAM).await.unwrap();
    let ids: Vec<_> = told.ids.iter().map(|entry| entry.get::<String>("eventId").unwrap()).collect();
    assert_eq!(ids.iter().position(|id| id == "second"), Some(1), "{ids:?}");
}
