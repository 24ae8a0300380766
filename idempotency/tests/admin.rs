//! What people do with keys that no request settles.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use idempotency::{
    Failure, FailureClass, Idempotency, IdempotencyError, MemoryStore, Payload, Settings, Settled, State,
    Sweep,
};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
enum PayError {
    #[error("the gateway did not answer")]
    TimedOut,
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for PayError {
    fn class(&self) -> FailureClass {
        match self {
            Self::TimedOut => FailureClass::MaybeApplied,
            Self::Idempotency(_) => FailureClass::RolledBack,
        }
    }
}

async fn pay(
    once: &Idempotency<MemoryStore>,
    answer: Result<u32, PayError>,
) -> Result<(bool, u32), PayError> {
    let request = once.request("pay", "key")?.tenant(7);
    let outcome = request.lease(MINUTE).run(async |_| answer).await?;
    Ok((outcome.replayed(), outcome.into_inner()))
}

#[tokio::test]
async fn an_unknown_outcome_is_found_listed_and_completed() {
    let once = Idempotency::in_memory();
    assert!(once.admin().find("pay", "7", "key").await.unwrap().is_none());
    pay(&once, Err(PayError::TimedOut)).await.unwrap_err();
    let record = once.admin().find("pay", "7", "key").await.unwrap().unwrap();
    assert_eq!(record.state, State::Unknown);

    let stuck = once.admin().stuck(10).await.unwrap().remove(0);
    assert!(stuck.unknown);
    assert!(!format!("{stuck:?}").contains("key\""), "neither key nor tenant is for the logs");
    let response = Payload::json(&42).unwrap();
    assert_eq!(once.admin().complete(&stuck, response.clone()).await.unwrap(), Settled::Written);
    assert_eq!(once.admin().complete(&stuck, response).await.unwrap(), Settled::Fenced);
    assert_eq!(pay(&once, Ok(1)).await.unwrap(), (true, 42));
}

#[tokio::test]
async fn a_released_key_runs_again() {
    let once = Idempotency::in_memory();
    pay(&once, Err(PayError::TimedOut)).await.unwrap_err();
    let stuck = once.admin().stuck(10).await.unwrap().remove(0);
    assert_eq!(once.admin().release(&stuck).await.unwrap(), Settled::Written);
    assert!(once.admin().stuck(10).await.unwrap().is_empty());
    assert_eq!(pay(&once, Ok(1)).await.unwrap(), (false, 1));
}

/// For ever is as long as a store can count.
#[tokio::test]
async fn what_is_resolved_by_hand_is_kept_no_longer_than_what_requests_leave() {
    let settings = Settings::default().ttl(Duration::MAX);
    let once = Idempotency::with_settings(MemoryStore::default(), settings);
    pay(&once, Err(PayError::TimedOut)).await.unwrap_err();
    let stuck = once.admin().stuck(10).await.unwrap().remove(0);
    let response = Payload::json(&42).unwrap();
    assert_eq!(once.admin().complete(&stuck, response).await.unwrap(), Settled::Written);
    assert_eq!(pay(&once, Ok(1)).await.unwrap(), (true, 42));
    assert_eq!(once.sweep_once(&Sweep::default().grace(Duration::MAX)).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn leased_work_left_behind_is_unknown_to_a_transaction() {
    let once = Idempotency::in_memory();
    let crashed = once.request("pay", "key").unwrap().tenant(7).lease(MINUTE).run(async |_| {
        std::future::pending::<()>().await;
        Ok::<_, PayError>(0)
    });
    tokio::time::timeout(MINUTE / 2, crashed).await.unwrap_err();
    tokio::time::sleep(MINUTE).await;
    for _ in 0..2 {
        let request = once.request("pay", "key").unwrap().tenant(7).wait(Duration::ZERO);
        let told = request.transaction(async |_| Ok::<_, PayError>(1)).await;
        assert!(matches!(told, Err(PayError::Idempotency(IdempotencyError::Unknown))), "{told:?}");
    }
    assert!(once.admin().stuck(10).await.unwrap()[0].unknown);
}
