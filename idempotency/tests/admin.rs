//! What people do with keys that no request settles.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use idempotency::{
    Failure, FailureClass, Idempotency, IdempotencyError, MemoryStore, Payload, Settled, State,
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
