use serde_json::json;

use crate::support::{Backing, Shop};

#[tokio::test]
async fn a_repeated_charge_is_answered_byte_for_byte_and_moves_the_balance_once() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let first = shop.charge(1, 500, "once").await;
        let charged = first.ok();
        assert_eq!(charged["userId"], 1);
        assert_eq!(charged["balance"], 100_000_500);
        assert_eq!(charged["chargedAmount"], 500);
        assert_eq!(charged["chargedAt"], charged["transactionTime"]);
        assert_eq!(charged.as_object().unwrap().len(), 5);

        // Also by another instance, and after a restart.
        let other = Shop::open(&backing).await;
        for shop in [&shop, &other, &shop] {
            let again = shop.charge(1, 500, "once").await;
            assert_eq!((again.status, &again.body), (first.status, &first.body));
        }
        assert_eq!(shop.balance(1).await, 100_000_500);
        assert_eq!(backing.number("SELECT version FROM users WHERE id = 1").await, 1);
    }
}

#[tokio::test]
async fn the_same_key_for_another_amount_or_another_user_is_refused_and_shows_nothing() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        shop.charge(1, 500, "mine").await.ok();
        for answer in [shop.charge(1, 501, "mine").await, shop.charge(2, 500, "mine").await] {
            answer.is_refused(422, "COMMON004");
            assert!(!String::from_utf8_lossy(&answer.body).contains("100000500"));
        }
        assert_eq!((shop.balance(1).await, shop.balance(2).await), (100_000_500, 500_000));
    }
}

#[tokio::test]
async fn keys_are_told_apart_by_case() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        shop.charge(1, 1, "Key-1").await.ok();
        shop.charge(1, 1, "key-1").await.ok();
        assert_eq!(shop.balance(1).await, 100_000_002);
    }
}

#[tokio::test]
async fn charges_at_once_under_one_key_give_one_effect_and_equal_answers() {
    for backing in Backing::both().await {
        let (one, two) = (Shop::open(&backing).await, Shop::open(&backing).await);
        let charges = (0..20).map(|n| {
            let client = if n % 2 == 0 { one.client() } else { two.client() }.clone();
            tokio::spawn(async move { client.charge(3, 7, "together").await })
        });
        let mut bodies = Vec::new();
        for charge in charges.collect::<Vec<_>>() {
            let answer = charge.await.unwrap();
            answer.ok();
            bodies.push(answer.body);
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1);
        assert_eq!(one.balance(3).await, 100_007);
    }
}

#[tokio::test]
async fn the_users_row_carries_the_token_of_the_lock() {
    let backing = Backing::servers().await;
    let shop = Shop::open(&backing).await;
    shop.charge(1, 1, "a").await.ok();
    let first = backing.number("SELECT fence FROM users WHERE id = 1").await;
    shop.charge(1, 1, "b").await.ok();
    let second = backing.number("SELECT fence FROM users WHERE id = 1").await;
    assert!(0 < first && first < second, "{first} {second}");
}

#[tokio::test]
async fn a_user_is_shown_with_exactly_these_fields() {
    let shop = Shop::open(&Backing::embedded()).await;
    let user = shop.get("/api/users/2").await.ok();
    let expected =
        json!({ "userId": 2, "username": "user2", "email": "user2@example.com", "balance": 500_000 });
    assert_eq!(user, expected);
    assert_eq!(shop.get("/api/users/2/balance").await.ok(), json!({ "userId": 2, "balance": 500_000 }));
}

#[tokio::test]
async fn a_charge_under_an_older_lock_than_the_rows_is_refused_and_changes_nothing() {
    let backing = Backing::servers().await;
    let shop = Shop::open(&backing).await;
    backing.run("UPDATE users SET fence = 9000000000000000000 WHERE id = 1").await;
    let late = shop.charge(1, 500, "late").await;
    late.is_refused(409, "PAY003");
    assert!(late.headers.contains_key("retry-after"));
    assert_eq!(shop.balance(1).await, 100_000_000);
    // The key is free: under a younger lock the same request works.
    backing.run("UPDATE users SET fence = 0 WHERE id = 1").await;
    shop.charge(1, 500, "late").await.ok();
}

#[tokio::test]
async fn ten_charges_of_one_user_at_once_all_arrive() {
    for backing in Backing::both().await {
        let (one, two) = (Shop::open(&backing).await, Shop::open(&backing).await);
        let charges = (0..10).map(|n| {
            let client = if n % 2 == 0 { one.client() } else { two.client() }.clone();
            tokio::spawn(async move { client.charge(3, 10, &format!("one-of-ten-{n}")).await })
        });
        for charge in charges.collect::<Vec<_>>() {
            charge.await.unwrap().ok();
        }
        assert_eq!(one.balance(3).await, 100_100);
        assert_eq!(backing.number("SELECT version FROM users WHERE id = 3").await, 10);
    }
}

#[tokio::test]
async fn after_a_failure_the_same_key_works() {
    let backing = Backing::servers().await;
    let shop = Shop::open(&backing).await;
    let failed = "SELECT COUNT(*) FROM idempotency_keys WHERE status = 'FAILED'";
    backing.run("UPDATE users SET fence = 9000000000000000000 WHERE id = 1").await;
    shop.charge(1, 500, "again").await.is_refused(409, "PAY003");
    assert_eq!(backing.number(failed).await, 1);
    backing.run("UPDATE users SET fence = 0 WHERE id = 1").await;
    assert_eq!(shop.charge(1, 500, "again").await.ok()["balance"], 100_000_500);
    assert_eq!(backing.number(failed).await, 0);
}

#[tokio::test]
async fn a_charge_that_always_meets_another_gives_up_after_ten_tries_and_may_be_sent_again() {
    let backing = Backing::embedded();
    let shop = Shop::open(&backing).await;
    let ignored = "CREATE TRIGGER others BEFORE UPDATE ON users BEGIN SELECT RAISE(IGNORE); END";
    backing.run(ignored).await;
    let refused = shop.charge(1, 500, "unlucky").await;
    refused.is_refused(409, "PAY003");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(shop.counter("shop_version_conflicts_total", "use_case=\"charge\"").await, 10);
    assert_eq!(shop.counter("shop_retries_exhausted_total", "use_case=\"charge\"").await, 1);
    assert_eq!(shop.balance(1).await, 100_000_000);

    backing.run("DROP TRIGGER others").await;
    assert_eq!(shop.charge(1, 500, "unlucky").await.ok()["balance"], 100_000_500);
}
