use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Backing, Client, Shop};

/// Settings under which a gateway that says nothing is noticed soon.
pub(crate) const IMPATIENT: [&str; 4] = ["--gateway-timeout", "300ms", "--reconcile-after", "1s"];
/// Longer than locks and keys of the dead are respected.
const IN_THE_END: Duration = Duration::from_secs(60);

pub(crate) async fn order(shop: &Client, user: i64, items: &[(i64, i64)]) -> i64 {
    let items: Vec<_> =
        items.iter().map(|(id, pieces)| json!({ "productId": id, "quantity": pieces })).collect();
    let key = format!("order-{}", uuid::Uuid::new_v4());
    let placed =
        shop.post("/api/orders", &json!({ "userId": user, "items": items, "idempotencyKey": key })).await;
    assert_eq!(placed.status, 201, "{}", placed.json());
    placed.json()["orderId"].as_i64().unwrap()
}

pub(crate) async fn pay(shop: &Client, order: i64, user: i64, key: &str) -> Answer {
    let body = json!({ "userId": user, "idempotencyKey": key });
    shop.post(&format!("/api/orders/{order}/payment"), &body).await
}

/// Asks until there is an answer.
pub(crate) async fn answer_in_the_end(shop: &Client, order: i64, user: i64, key: &str) -> Answer {
    let deadline = Instant::now() + IN_THE_END;
    loop {
        let answer = pay(shop, order, user, key).await;
        if answer.code_if_refused() != Some("PAY003".into()) {
            return answer;
        }
        assert!(Instant::now() < deadline, "the payment has no answer after {IN_THE_END:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn stock(shop: &Client, product: i64) -> i64 {
    shop.get(&format!("/api/products/{product}")).await.ok()["stock"].as_i64().unwrap()
}

/// Money and goods, whatever was paid: what left the balances is what paid orders cost, what left the shelves is what
/// they hold, and nothing is half done.
pub(crate) async fn the_books_are_right(backing: &Backing) {
    let sums = [
        (
            "SELECT 153 * 100000000 - 99500000 - 99900000 - CAST(SUM(balance) AS SIGNED) FROM users",
            "SELECT CAST(COALESCE(SUM(total_amount), 0) AS SIGNED) FROM orders WHERE status = 'COMPLETED'",
        ),
        (
            "SELECT 18 * 10000 + 2 + 100 - CAST(SUM(stock) AS SIGNED) FROM products",
            "SELECT CAST(COALESCE(SUM(quantity), 0) AS SIGNED) FROM order_items \
             WHERE order_id IN (SELECT id FROM orders WHERE status = 'COMPLETED')",
        ),
        (
            "SELECT CAST(COALESCE(SUM(sales_count), 0) AS SIGNED) FROM product_sales",
            "SELECT CAST(COALESCE(SUM(quantity), 0) AS SIGNED) FROM order_items \
             WHERE order_id IN (SELECT id FROM orders WHERE status = 'COMPLETED')",
        ),
        ("SELECT COUNT(*) FROM outbox", "SELECT COUNT(*) FROM orders WHERE status = 'COMPLETED'"),
        (
            "SELECT COUNT(*) FROM payments WHERE status = 'SETTLED'",
            "SELECT COUNT(*) FROM orders WHERE status = 'COMPLETED'",
        ),
        ("SELECT COUNT(*) FROM payments WHERE status IN ('RESERVED', 'UNKNOWN')", "SELECT 0"),
        ("SELECT COUNT(*) FROM idempotency_keys WHERE status IN ('PROCESSING', 'UNKNOWN')", "SELECT 0"),
    ];
    for (left, right) in sums {
        assert_eq!(backing.number(left).await, backing.number(right).await, "{left} = {right}");
    }
}

#[tokio::test]
async fn a_payment_takes_balance_and_stock_counts_the_sale_and_is_answered_alike_when_repeated() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let order = order(&shop, 2, &[(17, 3), (6, 1)]).await;
        let first = pay(&shop, order, 2, "pay").await;
        let paid = first.ok();
        assert_eq!(paid["orderId"], order);
        assert_eq!((&paid["paidAmount"], &paid["remainingBalance"]), (&json!(46_000), &json!(454_000)));
        assert_eq!((&paid["status"], &paid["dataTransmission"]), (&json!("SUCCESS"), &json!("PENDING")));
        assert!(paid["paidAt"].is_string() && paid.as_object().unwrap().len() == 6, "{paid}");

        let again = pay(&shop, order, 2, "pay").await;
        assert_eq!((again.status, again.body), (first.status, first.body));
        assert_eq!(shop.balance(2).await, 454_000);
        assert_eq!((stock(&shop, 17).await, stock(&shop, 6).await), (9_997, 9_999));
        assert_eq!(shop.get("/api/orders?userId=2&status=COMPLETED").await.ok()["totalCount"], 1);
        let top = shop.get("/api/products/top").await.ok();
        let best =
            json!({ "rank": 1, "productId": 17, "name": "Notebook A5", "salesCount": 3, "revenue": 27_000 });
        assert_eq!(top["products"][0], best);
        assert_eq!(top["products"][1]["productId"], 6);
        the_books_are_right(&backing).await;
    }
}

#[tokio::test]
async fn a_payment_that_cannot_be_is_refused_and_changes_nothing() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let mine = order(&shop, 1, &[(1, 1)]).await;
        pay(&shop, mine, 2, "a").await.is_refused(404, "O002");
        pay(&shop, mine + 1000, 1, "b").await.is_refused(404, "O002");
        pay(&shop, mine, 1, "").await.is_refused(400, "COMMON002");
        shop.post(&format!("/api/orders/{mine}/payment"), &json!({ "userId": 1 }))
            .await
            .is_refused(400, "COMMON002");
        shop.post("/api/orders/x/payment", &json!({ "userId": 1, "idempotencyKey": "c" }))
            .await
            .is_refused(400, "COMMON002");

        let dear = order(&shop, 3, &[(2, 1)]).await;
        pay(&shop, dear, 3, "d").await.is_refused(409, "PAY001");
        shop.charge(3, 100_000, "more").await.ok();
        // What was refused stays refused under its key; under another it may be tried again.
        pay(&shop, dear, 3, "d").await.is_refused(409, "PAY001");
        pay(&shop, dear, 3, "d-2").await.ok();
        pay(&shop, dear, 3, "d-3").await.is_refused(400, "O003");
        pay(&shop, mine, 1, "d-2").await.is_refused(422, "COMMON004");

        let (one, two) = (order(&shop, 4, &[(14, 2)]).await, order(&shop, 5, &[(14, 2)]).await);
        pay(&shop, one, 4, "e").await.ok();
        pay(&shop, two, 5, "f").await.is_refused(409, "P002");
        assert_eq!(backing.number("SELECT COUNT(*) FROM payments").await, 2);
        backing.run("UPDATE users SET balance = balance - 100000 WHERE id = 1").await;
        the_books_are_right(&backing).await;
    }
}

/// Each of 100 users orders one watch and pays for it, all at once, by two instances; gives the number that could.
async fn a_hundred_buyers(backing: &Backing) -> usize {
    let shops = [Shop::open(backing).await, Shop::open(backing).await];
    let buyers = (0..100).map(|n: usize| {
        let client = shops[n % 2].client().clone();
        let user = 4 + i64::try_from(n).unwrap();
        tokio::spawn(async move {
            let order = order(&client, user, &[(21, 1)]).await;
            for _ in 0..20 {
                let answer = pay(&client, order, user, &format!("buyer-{user}")).await;
                match answer.status.as_u16() {
                    200 => return true,
                    // Waited for the lock in vain, or the goods were gone.
                    409 if answer.code() == "PAY003" => {}
                    _ => {
                        answer.is_refused(409, "P002");
                        return false;
                    }
                }
            }
            panic!("user {user} never gets an answer");
        })
    });
    let mut paid = 0;
    for buyer in buyers.collect::<Vec<_>>() {
        paid += usize::from(buyer.await.unwrap());
    }
    for shop in &shops {
        assert_eq!(shop.counter("http_requests_total", "status=\"5").await, 0);
    }
    paid
}

#[tokio::test(flavor = "multi_thread")]
async fn of_100_buyers_of_100_pieces_100_pay() {
    for backing in Backing::both().await {
        assert_eq!(a_hundred_buyers(&backing).await, 100);
        assert_eq!(backing.number("SELECT stock FROM products WHERE id = 21").await, 0);
        the_books_are_right(&backing).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_100_buyers_of_50_pieces_50_pay() {
    for backing in Backing::both().await {
        // All order while there are 100; then a half goes elsewhere.
        let shop = Shop::open(&backing).await;
        let mut orders = Vec::new();
        for user in 4..104 {
            orders.push((user, order(&shop, user, &[(21, 1)]).await));
        }
        backing.run("UPDATE products SET stock = 50 WHERE id = 21").await;
        let payments = orders.into_iter().map(|(user, order)| {
            let client = shop.client().clone();
            tokio::spawn(async move { pay(&client, order, user, &format!("half-{user}")).await })
        });
        let mut paid = 0;
        for payment in payments.collect::<Vec<_>>() {
            let answer = payment.await.unwrap();
            if answer.status == 200 {
                paid += 1;
            } else {
                answer.is_refused(409, "P002");
            }
        }
        assert_eq!(paid, 50);
        assert_eq!(backing.number("SELECT stock FROM products WHERE id = 21").await, 0);
        backing.run("UPDATE products SET stock = 50 WHERE id = 21").await;
        the_books_are_right(&backing).await;
    }
}

#[tokio::test]
async fn a_declined_payment_gives_stock_and_balance_back_and_may_be_tried_under_another_key() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let order = order(&shop, 1, &[(1, 2)]).await;
        for _ in 0..2 {
            pay(&shop, order, 1, "FAIL-1").await.is_refused(402, "PAY002");
            assert_eq!((shop.balance(1).await, stock(&shop, 1).await), (100_000_000, 10_000));
        }
        assert_eq!(shop.get("/api/orders?userId=1&status=PENDING").await.ok()["totalCount"], 1);
        pay(&shop, order, 1, "good").await.ok();
        the_books_are_right(&backing).await;
    }
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_asked_later_and_the_same_key_tells() {
    for (key, settled) in [("TIMEOUT", Ok(())), ("TIMEOUT-FAIL", Err("PAY002")), ("LOST", Err("PAY002"))] {
        for backing in Backing::both().await {
            let shop = Shop::open_with(&backing, &IMPATIENT).await;
            let order = order(&shop, 1, &[(1, 2)]).await;
            let unknown = pay(&shop, order, 1, key).await;
            unknown.is_refused(504, "PAY004");
            let open = pay(&shop, order, 1, key).await;
            open.is_refused(409, "PAY003");
            assert!(open.headers.contains_key("retry-after"));
            // Nobody pays a second time meanwhile.
            pay(&shop, order, 1, "impatient").await.is_refused(409, "PAY003");

            let last = answer_in_the_end(&shop, order, 1, key).await;
            match settled {
                Ok(()) => assert_eq!(last.ok()["paidAmount"], 58_000),
                Err(code) => last.is_refused(402, code),
            }
            assert_eq!(pay(&shop, order, 1, key).await.status, last.status);
            the_books_are_right(&backing).await;
            assert_eq!(shop.balance(1).await, if settled.is_ok() { 99_942_000 } else { 100_000_000 });
        }
    }
}

#[tokio::test]
async fn a_balance_charged_to_the_brim_leaves_room_for_what_is_given_back() {
    for backing in Backing::both().await {
        let shop = Shop::open_with(&backing, &IMPATIENT).await;
        let order = order(&shop, 1, &[(1, 2)]).await;
        pay(&shop, order, 1, "LOST").await.is_refused(504, "PAY004");
        let (balance, most) = (shop.balance(1).await, 1_000_000_000_000_000);
        shop.charge(1, i64::MAX - balance, "over-the-brim").await.is_refused(400, "U002");
        shop.charge(1, most - balance, "to-the-brim").await.ok();
        answer_in_the_end(&shop, order, 1, "LOST").await.is_refused(402, "PAY002");
        assert_eq!(shop.balance(1).await, most + 58_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_and_payments_of_one_user_do_not_lose_each_other() {
    for backing in Backing::both().await {
        let shops = [Shop::open(&backing).await, Shop::open(&backing).await];
        let mut orders = Vec::new();
        for _ in 0..10 {
            orders.push(order(&shops[0], 1, &[(1, 1)]).await);
        }
        let work = orders.into_iter().enumerate().flat_map(|(n, order)| {
            let (one, two) = (shops[n % 2].client().clone(), shops[(n + 1) % 2].client().clone());
            [
                tokio::spawn(async move { pay(&one, order, 1, &format!("pay-{n}")).await.ok() }),
                tokio::spawn(async move { two.charge(1, 1_000, &format!("charge-{n}")).await.ok() }),
            ]
        });
        for one in work.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        assert_eq!(shops[0].balance(1).await, 100_000_000 + 10 * 1_000 - 10 * 29_000);
        assert_eq!(stock(&shops[0], 1).await, 9_990);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_for_the_same_things_in_opposite_order_both_succeed() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        for round in 0..10 {
            let one = order(&shop, 4, &[(1, 1), (2, 1), (3, 1)]).await;
            let two = order(&shop, 5, &[(3, 1), (2, 1), (1, 1)]).await;
            let (key_one, key_two) = (format!("up-{round}"), format!("down-{round}"));
            let (one, two) = tokio::join!(pay(&shop, one, 4, &key_one), pay(&shop, two, 5, &key_two));
            assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
        }
        the_books_are_right(&backing).await;
    }
}

#[tokio::test]
async fn an_order_may_be_placed_and_paid_at_once() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let body = json!({ "userId": 1, "items": [{ "productId": 1, "quantity": 1 }] });
        let completed = shop.post("/api/orders/complete", &body).await;
        assert_eq!(completed.status, 201, "{}", completed.json());
        let Value::Object(parts) = completed.json() else { panic!("not an object") };
        assert_eq!(parts.keys().collect::<Vec<_>>(), ["order", "payment"]);
        assert_eq!(parts["order"]["status"], "COMPLETED");
        assert_eq!(parts["order"]["orderId"], parts["payment"]["orderId"]);
        assert_eq!(parts["payment"]["remainingBalance"], 99_971_000);
        // Without a key each request is another order; with one it is the same.
        shop.post("/api/orders/complete", &body).await;
        assert_eq!(backing.number("SELECT COUNT(*) FROM orders").await, 2);
        for _ in 0..2 {
            let request = shop.request(reqwest::Method::POST, "/api/orders/complete").json(&body);
            assert_eq!(shop.send(request.header("Idempotency-Key", "both")).await.status, 201);
        }
        assert_eq!(backing.number("SELECT COUNT(*) FROM orders").await, 3);
        the_books_are_right(&backing).await;
    }
}
