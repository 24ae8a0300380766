use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    Claim, ClaimOutcome, Fingerprint, IdempotencyKey, Ownership, Payload, Scope, Settled, Settlement, State,
    Store, StoredResponse, body_digest::BodyDigest,
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// Makes a claim of `key` for a request with `body`, whose fingerprint has this version of the caller's: what a store
/// is given, for tests of your own.
///
/// # Panics
///
/// The key is not usable.
pub fn claim(key: &str, body: &str, version: u8, ttl: Duration) -> Claim {
    let scope = Scope::new("charge", "tenant 1").unwrap();
    let fingerprint = Fingerprint::new(&scope, version, &BodyDigest::of_bytes(body.as_bytes()));
    Claim::new(IdempotencyKey::new(key).unwrap(), scope, fingerprint, ttl, MINUTE)
}

/// Claims `key` for a request like any other.
pub(super) async fn start(store: &impl Store, key: &str) -> Ownership {
    match store.claim(&claim(key, "body", 0, MINUTE), MINUTE, false).await.unwrap() {
        ClaimOutcome::Started(ownership) => ownership,
        other => panic!("not started: {other:?}"),
    }
}

/// Settles work and expects that it was still its owner's.
pub(super) async fn settle(store: &impl Store, ownership: &Ownership, settlement: Settlement, ttl: Duration) {
    assert_eq!(store.settle(ownership, &settlement, ttl).await.unwrap(), Settled::Written);
}

pub(super) fn success(bytes: &[u8]) -> Settlement {
    Settlement::Completed(StoredResponse::Success(Payload::from(bytes.to_vec())))
}

const FAILED: Settlement = Settlement::Failed { message: None };

async fn again<S: Store>(store: &S, key: &str, body: &str, version: u8) -> ClaimOutcome<Ownership> {
    store.claim(&claim(key, body, version, MINUTE), MINUTE, true).await.unwrap()
}

pub async fn a_free_key_is_started<S: Store, K>((store, _keep): (S, K)) {
    let claim = claim("key", "body", 0, MINUTE);
    assert!(store.find(&claim.id).await.unwrap().is_none());
    let ownership = start(&store, "key").await;
    assert_eq!((ownership.id, ownership.epoch), (claim.id, 1));
    let record = store.find(&claim.id).await.unwrap().unwrap();
    assert!(matches!(record.state, State::Processing { lease_left: Some(_) }));
    assert_eq!((record.owner, record.epoch, record.is_expired()), (ownership.owner, 1, false));
}

pub async fn of_many_claims_one_wins<S: Store, K>((store, _keep): (S, K)) {
    let store = Arc::new(store);
    for round in 0..5 {
        let key = format!("key-{round}");
        let claims: Vec<_> = (0..30)
            .map(|_| {
                let (store, claim) = (Arc::clone(&store), claim(&key, "body", 0, MINUTE));
                tokio::spawn(async move {
                    loop {
                        match store.claim(&claim, MINUTE, false).await {
                            Ok(outcome) => return u32::from(matches!(outcome, ClaimOutcome::Started(_))),
                            Err(error) => assert!(error.is_transient(), "{error:?}"),
                        }
                    }
                })
            })
            .collect();
        let mut started = 0;
        for claim in claims {
            started += claim.await.unwrap();
        }
        assert_eq!(started, 1);
    }
}

pub async fn a_response_is_replayed_exactly<S: Store, K>((store, _keep): (S, K)) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for (key, bytes) in [("key-1", &every_byte[..]), ("key-2", b""), ("key-3", "{\"é\": 1.10}".as_bytes())] {
        let ownership = start(&store, key).await;
        settle(&store, &ownership, success(bytes), MINUTE).await;
        match again(&store, key, "body", 0).await {
            ClaimOutcome::Replay(StoredResponse::Success(payload)) => assert_eq!(payload.as_bytes(), bytes),
            other => panic!("not replayed: {other:?}"),
        }
    }
}

pub async fn a_refusal_is_replayed_as_one<S: Store, K>((store, _keep): (S, K)) {
    let refusal = StoredResponse::Refusal(Payload::from(b"sold out".to_vec()));
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, Settlement::Completed(refusal.clone()), MINUTE).await;
    assert!(
        matches!(again(&store, "key", "body", 0).await, ClaimOutcome::Replay(stored) if stored == refusal)
    );
}

pub async fn a_large_response_is_replayed_exactly<S: Store, K>((store, _keep): (S, K)) {
    let bytes: Vec<u8> = (0..1_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, success(&bytes), MINUTE).await;
    let ClaimOutcome::Replay(stored) = again(&store, "key", "body", 0).await else { panic!("not replayed") };
    assert!(stored.payload().as_bytes() == bytes);
}

pub async fn work_in_flight_is_told_with_its_lease<S: Store, K>((store, _keep): (S, K)) {
    let _ = start(&store, "key").await;
    match again(&store, "key", "body", 0).await {
        ClaimOutcome::InFlight { retry_after } => {
            assert!(retry_after > Duration::from_secs(50) && retry_after <= MINUTE, "{retry_after:?}");
        }
        other => panic!("not in flight: {other:?}"),
    }
}

pub async fn another_request_is_a_mismatch<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    assert!(matches!(again(&store, "key", "other", 0).await, ClaimOutcome::Mismatch));
    settle(&store, &ownership, success(b"done"), MINUTE).await;
    assert!(matches!(again(&store, "key", "other", 0).await, ClaimOutcome::Mismatch));
    assert!(matches!(again(&store, "key", "body", 0).await, ClaimOutcome::Replay(_)));
}

pub async fn another_version_of_the_fingerprint_is_not<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, FAILED, MINUTE).await;
    let ClaimOutcome::Started(ownership) = again(&store, "key", "other", 1).await else {
        panic!("not started")
    };
    settle(&store, &ownership, success(b"done"), MINUTE).await;
    assert!(matches!(again(&store, "key", "third", 2).await, ClaimOutcome::Replay(_)));
    assert!(
        matches!(again(&store, "key", "body", 1).await, ClaimOutcome::Mismatch),
        "it is the last claim's"
    );
}

pub async fn failed_work_may_be_claimed_again<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, FAILED, MINUTE).await;
    let next = start(&store, "key").await;
    assert_eq!(next.epoch, 2);
    assert_eq!(store.settle(&ownership, &success(b"late"), MINUTE).await.unwrap(), Settled::Fenced);
    settle(&store, &next, success(b"done"), MINUTE).await;
}

pub async fn failed_work_stays_bound_to_its_request<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, FAILED, MINUTE).await;
    assert!(matches!(again(&store, "key", "other", 0).await, ClaimOutcome::Mismatch));
}

pub async fn an_unknown_outcome_is_never_claimed<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    let unknown = Settlement::Unknown { message: Some("the gateway did not answer".into()) };
    settle(&store, &ownership, unknown, Duration::from_millis(1)).await;
    sleep(Duration::from_millis(20)).await;
    assert!(matches!(again(&store, "key", "body", 0).await, ClaimOutcome::Unknown));
}

pub async fn an_expired_response_gives_the_key_away<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, success(b"done"), Duration::from_millis(1)).await;
    sleep(Duration::from_millis(20)).await;
    let ClaimOutcome::Started(next) = again(&store, "key", "other", 0).await else { panic!("not started") };
    assert_eq!(next.epoch, 2);
    let record = store.find(&next.id).await.unwrap().unwrap();
    assert!(matches!(record.state, State::Processing { .. }));
    settle(&store, &next, success(b"other"), MINUTE).await;
}

pub async fn keys_are_told_apart_by_case<S: Store, K>((store, _keep): (S, K)) {
    for key in ["Key-1", "key-1", "KEY-1", "key-1."] {
        let _ = start(&store, key).await;
    }
}

pub async fn migrating_again_changes_nothing<S: Store, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    settle(&store, &ownership, success(b"done"), MINUTE).await;
    store.migrate().await.unwrap();
    store.check().await.unwrap();
    assert!(matches!(again(&store, "key", "body", 0).await, ClaimOutcome::Replay(_)));
}
