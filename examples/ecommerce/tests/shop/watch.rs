use std::collections::BTreeSet;
use std::time::Duration;

use interlock_tests::eventually;
use lock_core::LockManager;
use serde_json::json;

use crate::support::{Backing, Shop};

const SOON: Duration = Duration::from_secs(20);
const FAMILIES: [&str; 4] = ["lock_", "idempotency_", "shop_", "http_"];

/// The metrics that a text speaks of.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let metrics = words.filter(|word| FAMILIES.iter().any(|family| word.starts_with(family)));
    metrics.map(|word| word.strip_suffix("_bucket").unwrap_or(word)).collect()
}

#[tokio::test]
async fn every_metric_in_the_alert_rules_and_on_the_dashboard_is_one_that_the_server_shows() {
    let backing = Backing::servers().await;
    let flags = ["--sweep-every", "200ms", "--gateway-timeout", "200ms", "--reconcile-after", "1s"];
    let shop = Shop::open_with(&backing, &flags).await;
    shop.charge(1, 1, "charge").await.ok();
    shop.get("/api/products/1").await.ok();
    let order =
        json!({ "userId": 1, "items": [{ "productId": 1, "quantity": 1 }], "idempotencyKey": "TIMEOUT" });
    shop.post("/api/orders/complete", &order).await.is_refused(504, "PAY004");
    let locks = LockManager::builder().prefix(&backing.redis_prefix);
    let locks = locks.redis(backing.redis_url.as_deref().unwrap()).await.unwrap();
    // The relay finds it taken, which is a timeout.
    let _guard = locks.lock("job:outbox-relay").wait(SOON).acquire().await.unwrap();

    let mut wanted = names(include_str!("../../watch/alerts.yaml"));
    wanted.extend(names(include_str!("../../watch/dashboard.json")));
    assert!(wanted.len() >= 20, "{wanted:?}");
    // Locks are lost by standing still for a lease; the name is compared with what is emitted where it is documented.
    assert!(wanted.remove("lock_lost_total"));
    assert!(include_str!("../../../../docs/telemetry.md").contains("| `lock_lost_total` | counter |"));
    let mut last = wanted.len();
    eventually("every metric is there", SOON, async || {
        let shown = shop.metrics().await;
        let missing: Vec<_> =
            wanted.iter().filter(|name| !shown.contains(&format!("# TYPE {name} "))).collect();
        if missing.len() != last {
            last = missing.len();
            println!("still missing: {missing:?}");
        }
        missing.is_empty()
    })
    .await;
}
