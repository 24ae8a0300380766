use std::time::Duration;

use interlock_tests::eventually;

use crate::support::{Backing, Client, Load, Shop};

/// 1,000 charges for ten users from 100 tasks, with duplicates and clients that hang up, over two processes.
async fn a_thousand_charges(backing: &Backing, flags: &[&str]) -> (Shop, Shop) {
    let (one, two) = (Shop::open_with(backing, flags).await, Shop::open_with(backing, flags).await);
    let load = Load::new(1_000);
    let report = load.run(&[one.client().clone(), two.client().clone()], 100).await;
    assert!(report.hung_up > 200 && report.repeated > 200, "{report:?}");
    assert_eq!(report.server_errors, 0, "{report:?}");
    work_ends(backing, &[&one, &two]).await;
    load.every_completed_key_moved_its_balance_once(backing).await;

    // Clients that hung up ask again: now every charge is done, and done once.
    load.repeat_all(two.client()).await;
    load.every_completed_key_moved_its_balance_once(backing).await;
    assert_eq!(load.completed(backing).await, 1_000);
    for client in [one.client(), two.client()] {
        assert_eq!(client.counter("http_requests_total", "status=\"5").await, 0);
    }
    (one, two)
}

/// Waits for the work of clients that are gone.
async fn work_ends(backing: &Backing, shops: &[&Client]) {
    let mut before = -1;
    eventually("the balances come to rest", Duration::from_secs(30), async || {
        let mut now = backing.number("SELECT CAST(SUM(version) AS SIGNED) FROM users").await;
        std::mem::swap(&mut now, &mut before);
        tokio::time::sleep(Duration::from_millis(200)).await;
        now == before && !shops.is_empty()
    })
    .await;
}

async fn conflicts(shops: &(Shop, Shop)) -> u64 {
    let name = "shop_version_conflicts_total";
    shops.0.counter(name, "").await + shops.1.counter(name, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_charges_are_each_done_once_on_sqlite() {
    let backing = Backing::embedded();
    let shops = a_thousand_charges(&backing, &[]).await;
    assert_eq!(conflicts(&shops).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_charges_are_each_done_once_on_mariadb_and_redis_without_a_conflict() {
    let backing = Backing::servers().await;
    let shops = a_thousand_charges(&backing, &[]).await;
    assert_eq!(conflicts(&shops).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_versions_conflict_and_still_nothing_is_lost() {
    let backing = Backing::servers().await;
    let shops = a_thousand_charges(&backing, &["--charge-lock=off"]).await;
    assert!(conflicts(&shops).await > 0, "the lock makes no difference");
}
