use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, eventually};
use lock_core::{LockGuard, LockManager};

use crate::support::{Answer, Backing, Shop};

/// A shop with a charge under way that waits for a lock which the test holds.
struct Busy {
    redis: RedisServer,
    backing: Backing,
    shop: Shop,
    guard: LockGuard,
    charge: tokio::task::JoinHandle<Result<Answer, reqwest::Error>>,
    _locks: LockManager,
}

async fn busy(flags: &[&str]) -> Busy {
    let redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open_with(&backing, flags).await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let guard = locks.lock("balance:user:1").acquire().await.unwrap();
    let request = shop.charge_request(1, 10, "under-way");
    let charge = tokio::spawn(async move { Answer::read(request.send().await?).await });
    eventually("the charge waits for the lock", Duration::from_secs(5), async || {
        redis.keys("*:waiters").await.len() == 1
    })
    .await;
    Busy { redis, backing, shop, guard, charge, _locks: locks }
}

#[tokio::test]
async fn told_to_stop_it_answers_what_is_under_way_and_ends_with_code_0() {
    for interrupt in [false, true] {
        let mut busy = busy(&[]).await;
        let process = &mut busy.shop.process;
        if interrupt {
            process.interrupt();
        } else {
            process.terminate();
        }
        process.says("waiting for requests under way", Duration::from_secs(5)).await;
        let new = busy.shop.request(reqwest::Method::GET, "/healthz").send().await;
        assert!(new.is_err(), "new connections are refused");

        busy.guard.release().await.unwrap();
        assert_eq!(busy.charge.await.unwrap().unwrap().ok()["balance"], 100_000_010);
        let status = busy.shop.process.exits(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(0), "{}", busy.shop.process.log());
        assert_eq!(busy.redis.keys("balance:user:*").await, [""; 0], "every lock is given back");
        assert_eq!(busy.backing.number("SELECT balance FROM users WHERE id = 1").await, 100_000_010);
    }
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off_and_changes_nothing() {
    let mut busy = busy(&["--drain-timeout", "300ms"]).await;
    busy.shop.process.terminate();
    let status = busy.shop.process.exits(Duration::from_secs(10)).await;
    assert_eq!(status.code(), Some(0), "{}", busy.shop.process.log());
    assert!(busy.shop.process.log().contains("cut off"));
    assert!(busy.charge.await.unwrap().is_err() || busy.redis.keys("*:waiters").await.is_empty());
    busy.guard.release().await.unwrap();
    assert_eq!(busy.redis.keys("balance:user:*").await, [""; 0]);
    assert_eq!(busy.backing.number("SELECT balance FROM users WHERE id = 1").await, 100_000_000);
}

#[tokio::test]
async fn told_twice_it_does_not_wait() {
    let mut busy = busy(&["--drain-timeout", "5m"]).await;
    busy.shop.process.interrupt();
    busy.shop.process.says("waiting for requests under way", Duration::from_secs(5)).await;
    busy.shop.process.interrupt();
    let status = busy.shop.process.exits(Duration::from_secs(10)).await;
    assert_eq!(status.code(), Some(0), "{}", busy.shop.process.log());
}
