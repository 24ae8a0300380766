use interlock_tests::{MariaDbServer, RedisServer};
use reqwest::Method;
use serde_json::json;

use crate::support::{Backing, Client, Shop, Turns};

const ROUNDS: usize = 12;

/// What one request of a use case costs: the least of some rounds, for what goes on in the background only adds to it.
async fn cost(turns: &Turns, mut ask: impl AsyncFnMut(usize)) -> usize {
    let mut least = usize::MAX;
    for round in 0..ROUNDS {
        let before = turns.count();
        ask(round).await;
        least = least.min(turns.count() - before);
    }
    least
}

async fn placed(shop: &Client, user: i64, key: &str) -> i64 {
    let order =
        json!({ "userId": user, "items": [{ "productId": 1, "quantity": 1 }], "idempotencyKey": key });
    let placed = shop.post("/api/orders", &order).await;
    assert_eq!(placed.status, 201, "{}", placed.json());
    placed.json()["orderId"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_use_case_costs_as_many_round_trips_to_the_database_as_the_readme_says() {
    let redis = RedisServer::private().await;
    let mariadb = MariaDbServer::shared().await;
    let (backing, turns) = Backing::counted(mariadb, &redis).await;
    let shop = Shop::open_with(&backing, &["--pool-size", "1"]).await;

    // First what leaves nothing to do in the background.
    let put = json!({ "userId": 6, "productId": 1, "quantity": 1 });
    shop.post("/api/cart/items", &put).await;
    let cart = cost(&turns, async |_| {
        shop.send(shop.request(Method::PUT, "/api/cart/items").json(&put)).await.ok();
    })
    .await;
    let product = cost(&turns, async |_| {
        shop.get("/api/products/1").await.ok();
    })
    .await;
    let coupon = cost(&turns, async |round| {
        let user = 10 + i64::try_from(round).unwrap();
        shop.post("/api/coupons/1/issue", &json!({ "userId": user })).await.ok();
    })
    .await;
    let order = cost(&turns, async |round| {
        placed(&shop, 4, &format!("order-{round}")).await;
    })
    .await;
    let mut orders = Vec::new();
    for round in 0..ROUNDS {
        orders.push(placed(&shop, 5, &format!("to-pay-{round}")).await);
    }
    let payment = cost(&turns, async |round| {
        let body = json!({ "userId": 5, "idempotencyKey": format!("pay-{round}") });
        shop.post(&format!("/api/orders/{}/payment", orders[round]), &body).await.ok();
    })
    .await;
    // MariaDB stores the answer and commits in one go.
    let order = order - usize::from(mariadb.is_mysql().await);
    let seen =
        [("coupon", coupon), ("order", order), ("payment", payment), ("cart", cart), ("product", product)];

    let readme = include_str!("../../README.md");
    for (use_case, trips) in seen {
        let row = format!("| {use_case} | {trips} |");
        assert!(readme.contains(&row), "{row} is not in the README: {seen:?}");
    }
}
