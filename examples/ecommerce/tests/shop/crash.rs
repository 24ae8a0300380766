use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, eventually};

use crate::support::{Backing, Load, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn when_one_server_is_killed_the_other_goes_on_and_nothing_is_lost_or_doubled() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let (mut doomed, other) = (Shop::open(&backing).await, Shop::open(&backing).await);
    let load = Load::new(1_000);
    let shops = [doomed.client().clone(), other.client().clone()];
    let (report, ()) = tokio::join!(load.run(&shops, 100), async {
        eventually("the load is under way", Duration::from_secs(20), async || {
            load.completed(&backing).await > 100
        })
        .await;
        doomed.process.kill();
    });
    assert!(report.unreachable > 0, "the load was over before the kill: {report:?}");
    assert_eq!(report.server_errors, 0, "{report:?}");

    // Locks of the dead end with their lease; keys that it had begun were rolled back with their transactions.
    load.repeat_all(other.client()).await;
    assert_eq!(load.completed(&backing).await, 1_000);
    load.every_completed_key_moved_its_balance_once(&backing).await;
    assert_eq!(other.counter("shop_version_conflicts_total", "").await, 0);
}
