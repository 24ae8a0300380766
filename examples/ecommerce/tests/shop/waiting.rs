use std::time::Duration;

use lock_core::LockManager;
use serde_json::json;

use crate::payments::{order, pay};
use crate::support::{Backing, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_lock_in_vain_is_answered_409_changes_nothing_and_may_ask_again() {
    let backing = Backing::servers().await;
    let shop = Shop::open(&backing).await;
    let order = order(&shop, 2, &[(1, 1)]).await;
    let locks = LockManager::builder().prefix(&backing.redis_prefix);
    let locks = locks.redis(backing.redis_url.as_deref().unwrap()).await.unwrap();
    let mut held = Vec::new();
    for key in ["balance:user:1", "coupon:issue:1", "stock:product:1"] {
        held.push(locks.lock(key).wait(Duration::from_secs(10)).acquire().await.unwrap());
    }

    let issue = json!({ "userId": 1 });
    let (charge, coupon, payment) = tokio::join!(
        shop.charge(1, 10, "patient"),
        shop.post("/api/coupons/1/issue", &issue),
        pay(&shop, order, 2, "patient"),
    );
    for refused in [charge, coupon, payment] {
        refused.is_refused(409, "PAY003");
        assert!(refused.headers.contains_key("retry-after"));
    }
    for rows in
        ["users WHERE version > 0", "user_coupons", "payments", "idempotency_keys WHERE operation <> 'order'"]
    {
        assert_eq!(backing.number(&format!("SELECT COUNT(*) FROM {rows}")).await, 0, "{rows}");
    }
    for key in ["key=\"balance:user:", "key=\"coupon:issue:", "key=\"\""] {
        assert_eq!(shop.counter_with("lock_timeouts_total", &[key]).await, 1, "{key}");
    }

    for guard in held {
        guard.release().await.unwrap();
    }
    shop.charge(1, 10, "patient").await.ok();
    shop.post("/api/coupons/1/issue", &issue).await.ok();
    pay(&shop, order, 2, "patient").await.ok();
}
