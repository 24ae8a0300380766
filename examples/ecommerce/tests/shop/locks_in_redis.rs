use std::collections::BTreeSet;
use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, eventually};
use redis::AsyncCommands;

use crate::support::{Backing, Load, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn locks_show_in_redis_with_a_lease_during_load_and_leave_only_fences_behind() {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open(&backing).await;
    let load = Load::new(600);
    let mut connection = redis.connection().await;
    let mut seen = BTreeSet::new();
    let shops = [shop.client().clone()];
    let mut running = std::pin::pin!(load.run(&shops, 50));
    loop {
        tokio::select! {
            biased;
            _ = &mut running => break,
            keys = redis.keys("balance:user:*") => for key in keys {
                let lease: i64 = connection.pttl(&key).await.unwrap();
                // -2: it went between the two questions.
                assert!(lease == -2 || (0..=30_000).contains(&lease), "{key} has a lease of {lease} ms");
                if lease >= 0 { seen.insert(key); }
            },
        }
    }
    assert!(!seen.is_empty(), "no lock was ever seen");

    eventually("every lock is given back", Duration::from_secs(35), async || {
        redis.keys("balance:user:*").await.is_empty()
    })
    .await;
    let left = redis.keys("*balance:user:*").await;
    assert_eq!(left.len(), 10, "{left:?}");
    for key in left {
        assert!(key.ends_with(":fence"), "{key} is left behind");
        let ttl: i64 = connection.ttl(&key).await.unwrap();
        assert!(ttl > 0, "{key} stays for ever");
    }
}
