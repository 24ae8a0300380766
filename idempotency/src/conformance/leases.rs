use std::time::Duration;

use tokio::time::sleep;

use super::claims::{MINUTE, claim, settle, start, success};
use crate::{ClaimOutcome, Settled, Store};

const SHORT: Duration = Duration::from_millis(30);

/// Long enough for a short lease to be over.
const LONGER: Duration = Duration::from_millis(80);

pub async fn a_lease_that_is_over_is_taken_over_on_demand<S: Store, K>((store, _keep): (S, K)) {
    let _ = store.claim(&claim("key", "body", 0, MINUTE), SHORT, false).await.unwrap();
    sleep(LONGER).await;
    match store.claim(&claim("key", "body", 0, MINUTE), MINUTE, false).await.unwrap() {
        ClaimOutcome::InFlight { retry_after } => assert_eq!(retry_after, Duration::ZERO),
        other => panic!("not in flight: {other:?}"),
    }
    match store.claim(&claim("key", "body", 0, MINUTE), MINUTE, true).await.unwrap() {
        ClaimOutcome::Started(ownership) => assert_eq!(ownership.epoch, 2),
        other => panic!("not taken over: {other:?}"),
    }
}

pub async fn a_lease_is_not_taken_over_by_another_request<S: Store, K>((store, _keep): (S, K)) {
    let _ = store.claim(&claim("key", "body", 0, MINUTE), SHORT, false).await.unwrap();
    sleep(LONGER).await;
    let other = store.claim(&claim("key", "other", 0, MINUTE), MINUTE, true).await.unwrap();
    assert!(matches!(other, ClaimOutcome::Mismatch));
}

pub async fn a_late_owner_is_fenced<S: Store, K>((store, _keep): (S, K)) {
    let late = store.claim(&claim("key", "body", 0, MINUTE), SHORT, false).await.unwrap();
    let ClaimOutcome::Started(late) = late else { panic!("not started") };
    sleep(LONGER).await;
    let next = store.claim(&claim("key", "body", 0, MINUTE), MINUTE, true).await.unwrap();
    let ClaimOutcome::Started(next) = next else { panic!("not taken over") };
    assert_eq!(store.extend(&late, MINUTE).await.unwrap(), Settled::Fenced);
    assert_eq!(store.settle(&late, &success(b"late"), MINUTE).await.unwrap(), Settled::Fenced);
    settle(&store, &next, success(b"done"), MINUTE).await;
    let again = store.claim(&claim("key", "body", 0, MINUTE), MINUTE, true).await.unwrap();
    assert!(matches!(again, ClaimOutcome::Replay(response) if response.payload().as_bytes() == b"done"));
}

pub async fn an_extended_lease_holds<S: Store, K>((store, _keep): (S, K)) {
    let claimed = store.claim(&claim("key", "body", 0, MINUTE), SHORT, false).await.unwrap();
    let ClaimOutcome::Started(ownership) = claimed else { panic!("not started") };
    for _ in 0..2 {
        // Twice within one tick of the store's clock, perhaps: a row that stays as it is is still ours.
        assert_eq!(store.extend(&ownership, MINUTE).await.unwrap(), Settled::Written);
    }
    sleep(LONGER).await;
    let other = store.claim(&claim("key", "body", 0, MINUTE), MINUTE, true).await.unwrap();
    assert!(matches!(other, ClaimOutcome::InFlight { .. }));
}

pub async fn work_is_settled_once<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, success(b"done"), MINUTE).await;
    assert_eq!(store.settle(&ownership, &success(b"again"), MINUTE).await.unwrap(), Settled::Fenced);
    assert_eq!(store.extend(&ownership, MINUTE).await.unwrap(), Settled::Fenced);
}
