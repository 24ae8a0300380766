use serde_json::{Value, json};

use crate::support::{Answer, Backing, Client, Shop};

fn order(user: i64, items: &[(i64, i64)], coupon: Option<i64>, key: &str) -> Value {
    let items: Vec<_> = items
        .iter()
        .map(|(product, quantity)| json!({ "productId": product, "quantity": quantity }))
        .collect();
    json!({ "userId": user, "items": items, "couponId": coupon, "idempotencyKey": key })
}

async fn place(shop: &Client, order: &Value) -> Answer {
    shop.post("/api/orders", order).await
}

#[tokio::test]
async fn an_order_has_merged_lines_at_todays_prices_and_leaves_the_stock_alone() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let placed = place(&shop, &order(1, &[(3, 1), (1, 2), (3, 1)], None, "o")).await;
        assert_eq!(placed.status, 201, "{}", placed.json());
        let placed = placed.json();
        let items = json!([
            { "productId": 1, "productName": "Wireless Mouse", "quantity": 2, "unitPrice": 29_000, "subtotal": 58_000 },
            { "productId": 3, "productName": "27-inch Monitor", "quantity": 2, "unitPrice": 349_000,
              "subtotal": 698_000 },
        ]);
        assert_eq!(placed["items"], items);
        assert_eq!(
            (&placed["subtotalAmount"], &placed["discountAmount"], &placed["totalAmount"]),
            (&json!(756_000), &json!(0), &json!(756_000))
        );
        assert_eq!((&placed["userId"], &placed["status"]), (&json!(1), &json!("PENDING")));
        let number = placed["orderNumber"].as_str().unwrap();
        assert!(number.starts_with("ORDER-") && number.len() == 14, "{number}");
        assert_eq!(placed.as_object().unwrap().len(), 9);
        assert_eq!(backing.number("SELECT MIN(stock) FROM products WHERE id IN (1, 3)").await, 10_000);

        let list = shop.get("/api/orders?userId=1").await.ok();
        assert_eq!(list, json!({ "orders": [placed], "totalCount": 1 }));
        assert_eq!(shop.get("/api/orders?userId=1&status=PENDING").await.ok()["totalCount"], 1);
        assert_eq!(shop.get("/api/orders?userId=1&status=COMPLETED").await.ok()["totalCount"], 0);
        assert_eq!(shop.get("/api/orders?userId=2").await.ok()["totalCount"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_five_times_at_once_gives_one_order_and_five_equal_answers() {
    for backing in Backing::both().await {
        let shops = [Shop::open(&backing).await, Shop::open(&backing).await];
        let requests = (0..5).map(|n: usize| {
            let client = shops[n % 2].client().clone();
            tokio::spawn(async move { place(&client, &order(1, &[(1, 1)], None, "five")).await })
        });
        let mut answers = Vec::new();
        for request in requests.collect::<Vec<_>>() {
            let answer = request.await.unwrap();
            assert_eq!(answer.status, 201, "{}", answer.json());
            answers.push(answer.body);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
        assert_eq!(backing.number("SELECT COUNT(*) FROM orders").await, 1);
        assert_eq!(backing.number("SELECT COUNT(*) FROM order_items").await, 1);
    }
}

#[tokio::test]
async fn the_same_key_for_another_order_is_refused() {
    let backing = Backing::embedded();
    let shop = Shop::open(&backing).await;
    let first = place(&shop, &order(1, &[(1, 1), (2, 1)], None, "k")).await;
    // The same things in another order are the same order.
    let same = place(&shop, &order(1, &[(2, 1), (1, 1)], None, "k")).await;
    assert_eq!(same.body, first.body);
    for other in [
        order(2, &[(1, 1), (2, 1)], None, "k"),
        order(1, &[(1, 2), (2, 1)], None, "k"),
        order(1, &[(1, 1)], None, "k"),
        order(1, &[(1, 1), (2, 1)], Some(1), "k"),
    ] {
        place(&shop, &other).await.is_refused(422, "COMMON004");
    }
    assert_eq!(backing.number("SELECT COUNT(*) FROM orders").await, 1);
    // A charge under the same key is another matter.
    shop.charge(1, 1, "k").await.ok();
}

#[tokio::test]
async fn a_coupon_is_used_up_by_one_order_and_lowers_its_total() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        shop.post("/api/coupons/3/issue", &json!({ "userId": 1 })).await.ok();
        let placed = place(&shop, &order(1, &[(17, 3)], Some(3), "with")).await.json();
        assert_eq!(
            (&placed["subtotalAmount"], &placed["discountAmount"], &placed["totalAmount"]),
            (&json!(27_000), &json!(4_050), &json!(22_950))
        );
        let coupon = &shop.get("/api/users/1/coupons?status=USED").await.ok()["coupons"][0];
        assert_eq!(coupon["usedAt"], placed["createdAt"]);
        place(&shop, &order(1, &[(17, 3)], Some(3), "again")).await.is_refused(400, "C002");
        assert_eq!(backing.number("SELECT COUNT(*) FROM orders").await, 1);
    }
}

#[tokio::test]
async fn an_order_that_fails_leaves_the_coupon_unused() {
    let backing = Backing::embedded();
    let shop = Shop::open(&backing).await;
    shop.post("/api/coupons/1/issue", &json!({ "userId": 1 })).await.ok();
    place(&shop, &order(1, &[(13, 1)], Some(1), "sold-out")).await.is_refused(409, "P002");
    assert_eq!(shop.get("/api/users/1/coupons?status=AVAILABLE").await.ok()["totalCount"], 1);
    assert_eq!(place(&shop, &order(1, &[(1, 1)], Some(1), "in-stock")).await.status, 201);
}

#[tokio::test]
async fn an_order_that_cannot_be_is_refused() {
    let shop = Shop::open(&Backing::embedded()).await;
    place(&shop, &order(154, &[(1, 1)], None, "a")).await.is_refused(404, "U001");
    place(&shop, &order(1, &[(22, 1)], None, "b")).await.is_refused(404, "P001");
    place(&shop, &order(1, &[(1, 1), (22, 1)], None, "c")).await.is_refused(404, "P001");
    place(&shop, &order(1, &[(13, 1)], None, "d")).await.is_refused(409, "P002");
    place(&shop, &order(1, &[(14, 3)], None, "e")).await.is_refused(409, "P002");
    place(&shop, &order(1, &[(14, 2), (14, 1)], None, "f")).await.is_refused(409, "P002");
    place(&shop, &order(1, &[(1, 0)], None, "g")).await.is_refused(400, "O001");
    place(&shop, &order(1, &[(1, -1)], None, "h")).await.is_refused(400, "O001");
    place(&shop, &order(1, &[(1, 1_000_000), (1, 1)], None, "i")).await.is_refused(400, "O001");
    place(&shop, &order(1, &[], None, "j")).await.is_refused(400, "COMMON002");
    let many: Vec<_> = (1..=101).map(|product| (product, 1)).collect();
    place(&shop, &order(1, &many, None, "k")).await.is_refused(400, "COMMON002");
    place(&shop, &order(1, &[(1, 1)], Some(1), "l")).await.is_refused(400, "C002");
    place(&shop, &order(1, &[(1, 1)], Some(99), "m")).await.is_refused(400, "C002");
    place(&shop, &order(1, &[(1, 1)], None, "")).await.is_refused(400, "COMMON002");
    place(&shop, &json!({ "userId": 1, "idempotencyKey": "n" })).await.is_refused(400, "COMMON002");
    place(&shop, &json!({ "userId": 1, "items": [{ "productId": 1 }], "idempotencyKey": "o" }))
        .await
        .is_refused(400, "O001");
    place(&shop, &json!({ "userId": 1, "items": [{ "quantity": 1 }], "idempotencyKey": "p" }))
        .await
        .is_refused(400, "COMMON002");
    shop.get("/api/orders").await.is_refused(400, "COMMON002");
    shop.get("/api/orders?userId=154").await.is_refused(404, "U001");
    shop.get("/api/orders?userId=1&status=LOST").await.is_refused(400, "COMMON002");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_the_same_things_in_opposite_order_both_succeed() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        for round in 0..10 {
            let one = order(1, &[(1, 1), (2, 1), (3, 1)], None, &format!("up-{round}"));
            let two = order(2, &[(3, 1), (2, 1), (1, 1)], None, &format!("down-{round}"));
            let (one, two) = tokio::join!(place(&shop, &one), place(&shop, &two));
            assert_eq!((one.status.as_u16(), two.status.as_u16()), (201, 201));
        }
    }
}
