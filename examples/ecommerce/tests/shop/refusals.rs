//! A refusal under a key is an answer like any other: told once, and repeated word for word.

use serde_json::{Value, json};

use crate::support::{Answer, Backing, Client, Shop};

const REPLAYED: &str = "idempotency-replayed";

/// Sends a request that is refused, and sends it again to each shop.
async fn is_repeated(shops: &[&Client], path: &str, body: &Value, (status, code): (u16, &str)) {
    let first = shops[0].post(path, body).await;
    first.is_refused(status, code);
    assert!(!first.headers.contains_key(REPLAYED), "{code}");
    for shop in shops {
        // The timestamps would differ, if each answer had its own.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let again = shop.post(path, body).await;
        assert_eq!(text(&again), text(&first), "{code}");
        assert_eq!(
            (again.status, &again.headers["content-type"]),
            (first.status, &first.headers["content-type"])
        );
        assert_eq!(again.headers.get(REPLAYED).map(|value| value.as_bytes()), Some(&b"true"[..]), "{code}");
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

fn order(user: i64, (product, pieces): (i64, i64), key: &str) -> Value {
    json!({ "userId": user, "items": [{ "productId": product, "quantity": pieces }], "idempotencyKey": key })
}

/// Places an order; gives the path to pay it.
async fn placed(shop: &Client, user: i64, item: (i64, i64), key: &str) -> String {
    let placed = shop.post("/api/orders", &order(user, item, key)).await;
    assert_eq!(placed.status, 201, "{}", placed.json());
    format!("/api/orders/{}/payment", placed.json()["orderId"])
}

#[tokio::test]
async fn a_repeated_refusal_is_answered_byte_for_byte() {
    for backing in Backing::both().await {
        let (one, two) = (Shop::open(&backing).await, Shop::open(&backing).await);
        let shops = [one.client(), two.client()];

        let charge = json!({ "amount": i64::MAX, "idempotencyKey": "too-much" });
        is_repeated(&shops, "/api/users/1/balance/charge", &charge, (400, "U002")).await;
        is_repeated(&shops, "/api/orders", &order(1, (13, 1), "sold-out"), (409, "P002")).await;
        let mut with_coupon = order(1, (1, 1), "no-coupon");
        with_coupon["couponId"] = json!(99);
        is_repeated(&shops, "/api/orders", &with_coupon, (400, "C002")).await;

        let dear = placed(&one, 3, (2, 1), "dear").await;
        let pay = json!({ "userId": 3, "idempotencyKey": "too-dear" });
        is_repeated(&shops, &dear, &pay, (409, "PAY001")).await;
        let mine = placed(&one, 1, (17, 1), "mine").await;
        let pay = json!({ "userId": 1, "idempotencyKey": "FAIL-1" });
        is_repeated(&shops, &mine, &pay, (402, "PAY002")).await;
        let paid = one.post(&mine, &json!({ "userId": 1, "idempotencyKey": "good" })).await;
        assert!(!paid.headers.contains_key(REPLAYED) && paid.status == 200);
        let pay = json!({ "userId": 1, "idempotencyKey": "twice" });
        is_repeated(&shops, &mine, &pay, (400, "O003")).await;
    }
}

#[tokio::test]
async fn refused_together_under_one_key_they_have_one_answer() {
    for backing in Backing::both().await {
        let (one, two) = (Shop::open(&backing).await, Shop::open(&backing).await);
        let refused = (0..20).map(|n| {
            let client = if n % 2 == 0 { one.client() } else { two.client() }.clone();
            tokio::spawn(async move { client.charge(3, i64::MAX, "together").await })
        });
        let (mut bodies, mut first) = (Vec::new(), 0);
        for answer in refused.collect::<Vec<_>>() {
            let answer = answer.await.unwrap();
            answer.is_refused(400, "U002");
            first += usize::from(!answer.headers.contains_key(REPLAYED));
            bodies.push(text(&answer));
        }
        bodies.dedup();
        assert_eq!((bodies.len(), first), (1, 1), "{bodies:?}");
    }
}

#[tokio::test]
async fn a_repeated_success_says_that_it_is_one() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let pay = placed(&shop, 1, (17, 1), "order").await;
        let requests = [
            ("/api/users/1/balance/charge", json!({ "amount": 5, "idempotencyKey": "charge" })),
            ("/api/orders", order(1, (17, 1), "another")),
            (pay.as_str(), json!({ "userId": 1, "idempotencyKey": "pay" })),
            ("/api/orders/complete", order(1, (17, 1), "both")),
        ];
        for (path, body) in requests {
            let (first, again) = (shop.post(path, &body).await, shop.post(path, &body).await);
            assert!(first.status.is_success(), "{path} {}", text(&first));
            assert_eq!((again.status, text(&again)), (first.status, text(&first)));
            assert!(!first.headers.contains_key(REPLAYED) && again.headers[REPLAYED] == "true", "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_not_final_is_decided_anew() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        for _ in 0..2 {
            let refused = shop.charge(154, 5, "nobody").await;
            refused.is_refused(404, "U001");
            assert!(!refused.headers.contains_key(REPLAYED));
        }
    }
}
