use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Backing, Client, Shop};

const ITEMS: &str = "/api/cart/items";

async fn send(shop: &Client, method: Method, body: Value) -> Answer {
    shop.send(shop.request(method, ITEMS).json(&body)).await
}

#[tokio::test]
async fn a_cart_is_filled_changed_and_emptied() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let empty = json!({ "userId": 5, "items": [], "totalAmount": 0 });
        assert_eq!(shop.get("/api/cart?userId=5").await.ok(), empty);

        let first = send(&shop, Method::POST, json!({ "userId": 5, "productId": 14, "quantity": 2 })).await;
        assert_eq!(first.status, 201);
        let line = json!({
            "productId": 14, "name": "Vintage Olive Oil", "unitPrice": 54_000, "quantity": 2, "subtotal": 108_000,
            "stockAvailable": true,
        });
        assert_eq!(first.json(), json!({ "userId": 5, "items": [line], "totalAmount": 108_000 }));

        let more =
            send(&shop, Method::POST, json!({ "userId": 5, "productId": 14, "quantity": 1 })).await.json();
        assert_eq!(
            (&more["items"][0]["quantity"], &more["items"][0]["stockAvailable"]),
            (&json!(3), &json!(false))
        );
        send(&shop, Method::POST, json!({ "userId": 5, "productId": 1, "quantity": 1 })).await;

        let set = send(&shop, Method::PUT, json!({ "userId": 5, "productId": 14, "quantity": 5 })).await.ok();
        assert_eq!(set, json!({ "productId": 14, "quantity": 5, "subtotal": 270_000 }));
        let gone =
            send(&shop, Method::PUT, json!({ "userId": 5, "productId": 14, "quantity": 0 })).await.ok();
        assert_eq!(gone, json!({ "productId": 14, "quantity": 0, "subtotal": 0 }));
        let cart = shop.get("/api/cart?userId=5").await.ok();
        assert_eq!(cart["items"].as_array().unwrap().len(), 1);
        assert_eq!(cart["totalAmount"], 29_000);

        send(&shop, Method::DELETE, json!({ "userId": 5, "productId": 1 })).await.ok();
        assert_eq!(shop.get("/api/cart?userId=5").await.ok(), empty);
        assert_eq!(shop.get("/api/cart?userId=6").await.ok()["items"], json!([]));
    }
}

#[tokio::test]
async fn what_cannot_be_in_a_cart_is_refused() {
    let shop = Shop::open(&Backing::embedded()).await;
    let line = |user: i64, product: i64, quantity: Value| json!({ "userId": user, "productId": product, "quantity": quantity });
    for quantity in [json!(0), json!(-1), json!("1"), json!(1.5), json!(null), json!(1_000_001), json!(1e30)]
    {
        send(&shop, Method::POST, line(5, 1, quantity)).await.is_refused(400, "O001");
    }
    for quantity in [json!(-1), json!("0"), json!(null)] {
        send(&shop, Method::PUT, line(5, 1, quantity)).await.is_refused(400, "O001");
    }
    send(&shop, Method::POST, line(5, 22, json!(1))).await.is_refused(404, "P001");
    send(&shop, Method::POST, line(154, 1, json!(1))).await.is_refused(404, "U001");
    shop.get("/api/cart?userId=154").await.is_refused(404, "U001");
    shop.get("/api/cart").await.is_refused(400, "COMMON002");
    shop.get("/api/cart?userId=x").await.is_refused(400, "COMMON002");
    send(&shop, Method::POST, json!({ "userId": "5", "productId": 1, "quantity": 1 }))
        .await
        .is_refused(400, "COMMON002");

    send(&shop, Method::PUT, line(5, 1, json!(2))).await.is_refused(404, "CART001");
    send(&shop, Method::DELETE, line(5, 1, json!(2))).await.is_refused(404, "CART001");
    send(&shop, Method::POST, line(5, 1, json!(1))).await;
    send(&shop, Method::PUT, line(5, 2, json!(2))).await.is_refused(404, "CART002");
    send(&shop, Method::PUT, line(5, 2, json!(0))).await.is_refused(404, "CART002");
    send(&shop, Method::DELETE, line(5, 2, json!(2))).await.is_refused(404, "CART002");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_to_a_cart_is_read_afterwards_and_counts() {
    for backing in Backing::both().await {
        let (one, two) = (Shop::open(&backing).await, Shop::open(&backing).await);
        // Without Redis, a shop keeps carts in its own memory, and is to be alone.
        let second = if backing.redis_url.is_some() { &two } else { &one };
        let clients = [one.client().clone(), second.client().clone()];
        let writers = (0..8).map(|n| {
            let (here, there) = (clients[n % 2].clone(), clients[(n + 1) % 2].clone());
            tokio::spawn(async move {
                let mut least = 0;
                for _ in 0..10 {
                    let body = json!({ "userId": 7, "productId": 1, "quantity": 1 });
                    let written = send(&here, Method::POST, body).await;
                    assert_eq!(written.status, 201, "{}", written.json());
                    let written = written.json()["items"][0]["quantity"].as_i64().unwrap();
                    let read =
                        there.get("/api/cart?userId=7").await.ok()["items"][0]["quantity"].as_i64().unwrap();
                    assert!(least < written && written <= read, "{least} {written} {read}");
                    least = read;
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert_eq!(one.get("/api/cart?userId=7").await.ok()["items"][0]["quantity"], 80);
    }
}
