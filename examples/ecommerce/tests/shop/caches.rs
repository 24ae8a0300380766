use futures_util::future::join_all;
use interlock_tests::{MariaDbServer, RedisServer, eventually};
use redis::AsyncCommands;
use serde_json::json;
use std::time::Duration;

use crate::support::{Backing, Client, Shop};

async fn misses(shop: &Client) -> u64 {
    shop.counter("shop_cache_requests_total", "outcome=\"miss\"").await
}

async fn put(shop: &Client, pieces: i64) {
    let body = json!({ "userId": 7, "productId": 1, "quantity": pieces });
    shop.send(shop.request(reqwest::Method::PUT, "/api/cart/items").json(&body)).await.ok();
}

async fn pieces(shop: &Client) -> i64 {
    shop.get("/api/cart?userId=7").await.ok()["items"][0]["quantity"].as_i64().unwrap()
}

#[tokio::test]
async fn entries_have_the_documented_keys_and_times_and_no_stock() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open(&backing).await;
    shop.post("/api/cart/items", &json!({ "userId": 7, "productId": 1, "quantity": 2 })).await;
    for path in ["/api/products/1", "/api/products", "/api/products/top", "/api/cart?userId=7"] {
        shop.get(path).await.ok();
    }
    let mut connection = redis.connection().await;
    for (key, seconds) in
        [("product:1", 3_600), ("products:all", 3_600), ("top-products:3days", 300), ("cart:user:7", 86_400)]
    {
        let left: i64 = connection.ttl(key).await.unwrap();
        assert!((seconds * 9 / 10 - 2..=seconds * 11 / 10).contains(&left), "{key}: {left} s");
        let value: Vec<u8> = connection.get(key).await.unwrap();
        assert!(!String::from_utf8_lossy(&value).contains("stock"), "{key}");
    }
    // Stock is fresh however long the rest is kept.
    backing.run("UPDATE products SET stock = 3 WHERE id = 1").await;
    assert_eq!(shop.get("/api/products/1").await.ok()["stock"], 3);
    assert_eq!(shop.get("/api/products").await.ok()["products"][0]["stock"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_ask_at_once_on_two_instances_one_loads() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shops = [Shop::open(&backing).await, Shop::open(&backing).await];
    let answers = join_all((0..40).map(|n: usize| shops[n % 2].get("/api/products/5"))).await;
    for answer in answers {
        assert_eq!(answer.ok()["productId"], 5);
    }
    assert_eq!(misses(&shops[0]).await + misses(&shops[1]).await, 1);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_dropped() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open(&backing).await;
    let mut connection = redis.connection().await;
    let () = connection.set("product:1", "Vnonsense").await.unwrap();
    let () = connection.set("product:2", "something else").await.unwrap();
    let () = connection.set("product:3", "V{\"id\":3}").await.unwrap();
    let () = connection.lpush("product:4", "a list").await.unwrap();
    for id in 1..=4 {
        assert_eq!(shop.get(&format!("/api/products/{id}")).await.ok()["productId"], id);
        let value: Vec<u8> = connection.get(format!("product:{id}")).await.unwrap();
        assert!(value.starts_with(b"V{\"id\":"), "{id}: {}", String::from_utf8_lossy(&value));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_hangs_reads_and_writes_go_on_and_afterwards_nothing_old_is_shown() {
    let mut redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open(&backing).await;
    shop.post("/api/cart/items", &json!({ "userId": 7, "productId": 1, "quantity": 1 })).await;
    assert_eq!(pieces(&shop).await, 1);

    redis.pause();
    put(&shop, 2).await;
    assert_eq!(pieces(&shop).await, 2);
    assert_eq!(shop.get("/api/products/1").await.ok()["productId"], 1);
    redis.resume();
    assert_eq!(pieces(&shop).await, 2);
    eventually("the cache serves again", Duration::from_secs(20), async || {
        let before = shop.counter("shop_cache_requests_total", "outcome=\"hit\"").await;
        assert_eq!(pieces(&shop).await, 2);
        shop.counter("shop_cache_requests_total", "outcome=\"hit\"").await > before
    })
    .await;
}

#[tokio::test]
async fn while_redis_is_away_reads_go_on() {
    let mut redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open(&backing).await;
    redis.kill();
    for path in ["/api/products/1", "/api/products", "/api/products/top", "/api/cart?userId=7"] {
        shop.get(path).await.ok();
    }
}
