use std::time::Duration;

use tokio::time::sleep;

use super::claims::{MINUTE, settle, start, success};
use crate::{Settlement, Store};

const GONE: Duration = Duration::from_millis(1);

pub async fn the_sweep_takes_what_is_over_and_nothing_else<S: Store, K>((store, _keep): (S, K)) {
    let ended = [
        ("done", success(b"done"), GONE),
        ("failed", Settlement::Failed { message: None }, GONE),
        ("unknown", Settlement::Unknown { message: None }, GONE),
        ("kept", success(b"kept"), MINUTE),
    ];
    for (key, settlement, ttl) in ended {
        let ownership = start(&store, key).await;
        settle(&store, &ownership, settlement, ttl).await;
    }
    let at_work = start(&store, "at-work").await;
    sleep(Duration::from_millis(20)).await;

    assert_eq!(store.sweep(MINUTE, 100).await.unwrap(), 0, "within the grace");
    assert_eq!(store.sweep(Duration::ZERO, 100).await.unwrap(), 2);
    assert_eq!(store.sweep(Duration::ZERO, 100).await.unwrap(), 0);
    settle(&store, &at_work, success(b"done"), MINUTE).await;
    assert_eq!(start(&store, "done").await.epoch, 1, "as if it had never been");
}

pub async fn the_sweep_takes_no_more_than_its_limit<S: Store, K>((store, _keep): (S, K)) {
    for i in 0..7 {
        let ownership = start(&store, &format!("key-{i}")).await;
        settle(&store, &ownership, success(b"done"), GONE).await;
    }
    sleep(Duration::from_millis(20)).await;
    for swept in [3, 3, 1, 0] {
        assert_eq!(store.sweep(Duration::ZERO, 3).await.unwrap(), swept);
    }
}
