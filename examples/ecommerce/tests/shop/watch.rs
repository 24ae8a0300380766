use std::collections::BTreeSet;
use std::time::Duration;

use interlock_tests::{RedisServer, eventually};
use lock_core::LockManager;
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::{Answer, Backing, Shop};

const SOON: Duration = Duration::from_secs(30);
const RULES: &str = include_str!("../../watch/alerts.yaml");
const DASHBOARD: &str = include_str!("../../watch/dashboard.json");
const FAMILIES: [&str; 4] = ["lock_", "idempotency_", "shop_", "http_"];

/// The metrics that a text speaks of.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let metrics = words.filter(|word| FAMILIES.iter().any(|family| word.starts_with(family)));
    metrics.map(|word| word.strip_suffix("_bucket").unwrap_or(word)).collect()
}

#[test]
fn every_alert_has_a_test() {
    let alerts = |text: &'static str, field| -> BTreeSet<_> {
        text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(field)).collect()
    };
    let rules = alerts(RULES, "alert: ");
    assert!(rules.len() >= 8, "{rules:?}");
    assert_eq!(rules, alerts(include_str!("../../watch/alerts.test.yaml"), "alertname: "));
}

#[test]
fn every_panel_of_the_dashboard_asks_the_source_that_is_chosen_above_it() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variable = &dashboard["templating"]["list"][0];
    assert_eq!((&variable["name"], &variable["type"]), (&json!("source"), &json!("datasource")));
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 10);
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], "${source}", "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && targets.iter().all(|target| target["expr"].is_string()), "{panel}");
    }
}

#[tokio::test]
async fn every_metric_in_the_alert_rules_and_on_the_dashboard_is_one_that_the_servers_show() {
    let backing = Backing::servers().await;
    let flags = ["--sweep-every", "200ms", "--gateway-timeout", "200ms", "--reconcile-after", "1s"];
    let shop = Shop::open_with(&backing, &flags).await;
    // Renews a lease, which it takes a third of it to do, and so finds its lock lost.
    let patient = Shop::open_with(&backing, &["--gateway-timeout", "25s"]).await;
    let waiting = pay_in_vain(&patient, 2);
    let lose_the_lock = async {
        let mut redis = RedisServer::shared().await.connection().await;
        let lock = format!("{}balance:user:2", backing.redis_prefix);
        eventually("the lock is held, and gone", SOON, async || {
            redis.del::<_, i64>(&lock).await.unwrap() > 0
        })
        .await;
    };
    let see_the_others = async {
        shop.charge(1, 1, "charge").await.ok();
        shop.get("/api/products/1").await.ok();
        pay_in_vain(&shop, 1).await.is_refused(504, "PAY004");
        let locks = LockManager::builder().prefix(&backing.redis_prefix);
        let locks = locks.redis(backing.redis_url.as_deref().unwrap()).await.unwrap();
        // The relay finds it taken, which is a timeout.
        let _guard = locks.lock("job:outbox-relay").wait(SOON).acquire().await.unwrap();

        let mut wanted = names(RULES);
        wanted.extend(names(DASHBOARD));
        assert!(wanted.len() >= 20, "{wanted:?}");
        let mut last = wanted.len();
        eventually("every metric is there", SOON, async || {
            let shown = shop.metrics().await + &patient.metrics().await;
            let missing: Vec<_> =
                wanted.iter().filter(|name| !shown.contains(&format!("# TYPE {name} "))).collect();
            if missing.len() != last {
                last = missing.len();
                println!("still missing: {missing:?}");
            }
            missing.is_empty()
        })
        .await;
    };
    let (refused, (), ()) = tokio::join!(waiting, lose_the_lock, see_the_others);
    refused.is_refused(409, "PAY003");
    assert!(patient.process.log().contains("lock lost"), "{}", patient.process.log());
}

/// Orders and pays with a gateway that never answers.
async fn pay_in_vain(shop: &Shop, user: i64) -> Answer {
    let key = format!("TIMEOUT-{user}");
    let order =
        json!({ "userId": user, "items": [{ "productId": user, "quantity": 1 }], "idempotencyKey": key });
    shop.post("/api/orders/complete", &order).await
}
