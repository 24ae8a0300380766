use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use super::claims::{MINUTE, settle, start, success};
use crate::{
    BoxError, Failure, FailureClass, Idempotency, IdempotencyError, Outcome, Payload, Reconciled, Settings,
    Settled, Settlement, Store, Takeover,
};

const SHORT: Duration = Duration::from_millis(60);

#[derive(Debug, thiserror::Error)]
enum PayError {
    #[error("declined")]
    Declined(String),
    #[error("not started")]
    NotStarted,
    #[error("the gateway did not answer")]
    TimedOut,
    #[error("the gateway said \0 nothing")]
    Garbled,
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for PayError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Declined(why) => FailureClass::refused(why),
            Self::NotStarted => FailureClass::NotStarted,
            Self::TimedOut | Self::Garbled => FailureClass::MaybeApplied,
            Self::Idempotency(_) => FailureClass::RolledBack,
        }
    }

    fn from_refusal(refusal: &Payload) -> Option<Self> {
        refusal.read_json().ok().map(Self::Declined)
    }

    fn message(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Pays, and counts how often the gateway was asked.
async fn pay<S: Store>(once: &Idempotency<S>, asked: &AtomicU32) -> Result<Outcome<u32>, BoxError> {
    let request = once.request("pay", "key")?.tenant("tenant 1").wait(Duration::ZERO);
    request.lease(SHORT).run(async |_| Ok(asked.fetch_add(1, Ordering::SeqCst) + 1)).await
}

/// Begins to pay in a process that crashes before the gateway has answered.
async fn crash<S: Store>(once: &Idempotency<S>) {
    let request = once.request("pay", "key").unwrap().tenant("tenant 1");
    let begun = Notify::new();
    let crashed = request.lease(SHORT).run(async |_| {
        begun.notify_one();
        sleep(MINUTE).await;
        Ok::<_, BoxError>(0)
    });
    tokio::select! {
        // As good as a crash: the machine was so busy that the lease ran out first.
        ended = crashed => {
            let error: BoxError = ended.unwrap_err();
            assert!(matches!(error.downcast_ref(), Some(IdempotencyError::Fenced)), "{error:?}");
        }
        () = begun.notified() => {}
    }
}

fn unknown(error: &BoxError) -> bool {
    matches!(error.downcast_ref(), Some(IdempotencyError::Unknown))
}

pub async fn leased_work_runs_once<S: Store + Clone, K>((store, _keep): (S, K)) {
    let (once, other) = (Idempotency::new(store.clone()), Idempotency::new(store));
    let asked = AtomicU32::new(0);
    let first = pay(&once, &asked).await.unwrap();
    for process in [&once, &other, &other] {
        let again = pay(process, &asked).await.unwrap();
        assert!(again.replayed());
        assert_eq!(again.payload(), first.payload());
    }
    assert_eq!(asked.into_inner(), 1);
}

pub async fn long_leased_work_keeps_the_others_away<S: Store + Clone, K>((store, _keep): (S, K)) {
    let (once, other) = (Idempotency::new(store.clone()), Idempotency::new(store));
    let asked = AtomicU32::new(0);
    // Long enough for a busy machine to extend it in time.
    let lease = Duration::from_millis(600);
    let request = once.request("pay", "key").unwrap().tenant("tenant 1");
    let first = request.lease(lease).run(async |held| {
        assert_eq!(held.epoch(), 1);
        sleep(2 * lease).await;
        let told = pay(&other, &asked).await.unwrap_err();
        assert!(matches!(told.downcast_ref(), Some(IdempotencyError::InFlight { .. })), "{told:?}");
        Ok::<_, BoxError>(asked.fetch_add(1, Ordering::SeqCst) + 1)
    });
    assert!(!first.await.unwrap().replayed());
    assert!(pay(&other, &asked).await.unwrap().replayed());
    assert_eq!(asked.into_inner(), 1);
}

pub async fn another_process_waits_for_leased_work<S: Store + Clone, K>((store, _keep): (S, K)) {
    let (once, other) = (Idempotency::new(store.clone()), Idempotency::new(store));
    let first = once.request("pay", "key").unwrap().lease(MINUTE).run(async |_| {
        sleep(Duration::from_millis(100)).await;
        Ok::<_, BoxError>(1)
    });
    let twin = async {
        sleep(Duration::from_millis(30)).await;
        other.request("pay", "key").unwrap().lease(MINUTE).run(async |_| Ok::<_, BoxError>(2)).await
    };
    let (first, twin) = tokio::join!(first, twin);
    assert_eq!((first.unwrap().into_inner(), twin.unwrap().into_inner()), (1, 1));
}

pub async fn a_failure_that_nobody_has_classed_is_not_run_again<S: Store + Clone, K>((store, _keep): (S, K)) {
    let (once, other) = (Idempotency::new(store.clone()), Idempotency::new(store));
    let asked = AtomicU32::new(0);
    let request = once.request("pay", "key").unwrap().tenant("tenant 1").lease(MINUTE);
    let timed_out = request.run(async |_| {
        asked.fetch_add(1, Ordering::SeqCst);
        Err::<u32, BoxError>("the gateway did not answer".into())
    });
    assert_eq!(timed_out.await.unwrap_err().to_string(), "the gateway did not answer");
    for process in [&once, &other] {
        let repeated = pay(process, &asked).await.unwrap_err();
        assert!(unknown(&repeated), "{repeated:?}");
    }
    assert_eq!(asked.into_inner(), 1);
}

pub async fn a_response_too_large_to_keep_leaves_leased_work_unknown<S: Store + Clone, K>(
    (store, _keep): (S, K),
) {
    let once = Idempotency::with_settings(store, Settings::default().max_response(16));
    let asked = AtomicU32::new(0);
    let request = once.request("pay", "key").unwrap().tenant("tenant 1").lease(MINUTE);
    let failed = request.run(async |_| {
        asked.fetch_add(1, Ordering::SeqCst);
        Ok::<_, BoxError>("longer than sixteen bytes".to_owned())
    });
    let failed = failed.await.unwrap_err();
    assert!(
        matches!(failed.downcast_ref(), Some(IdempotencyError::ResponseTooLarge { limit: 16, .. })),
        "{failed:?}"
    );
    let repeated = pay(&once, &asked).await.unwrap_err();
    assert!(unknown(&repeated), "{repeated:?}");
    assert_eq!(asked.into_inner(), 1);
}

pub async fn a_crash_makes_the_outcome_unknown<S: Store + Clone, K>((store, _keep): (S, K)) {
    let once = Idempotency::new(store.clone());
    let asked = AtomicU32::new(0);
    crash(&once).await;
    sleep(2 * SHORT).await;
    let stuck = store.stuck(10).await.unwrap();
    assert!(
        matches!(&stuck[..], [key] if !key.unknown && key.key == "key" && key.tenant == "tenant 1"),
        "{stuck:?}"
    );
    for _ in 0..2 {
        assert!(unknown(&pay(&once, &asked).await.unwrap_err()));
    }
    let stuck = store.stuck(10).await.unwrap();
    assert!(matches!(&stuck[..], [key] if key.unknown && key.operation == "pay"), "{stuck:?}");
    assert_eq!(asked.into_inner(), 0);
}

pub async fn a_crash_may_be_run_again_by_policy<S: Store + Clone, K>((store, _keep): (S, K)) {
    let (once, other) = (Idempotency::new(store.clone()), Idempotency::new(store));
    crash(&once).await;
    sleep(2 * SHORT).await;
    let request = other.request("pay", "key").unwrap().tenant("tenant 1").lease(MINUTE);
    let again =
        request.takeover(Takeover::Rerun).run(async |held| Ok::<_, BoxError>(held.epoch())).await.unwrap();
    assert_eq!((again.replayed(), again.into_inner()), (false, 2));
}

pub async fn an_unknown_outcome_is_reconciled<S: Store + Clone, K>((store, _keep): (S, K)) {
    let once = Idempotency::new(store.clone());
    let timed_out = async |key: &str| {
        let request = once.request("pay", key).unwrap();
        let ended = request.lease(MINUTE).run(async |_| Err::<u32, _>(PayError::TimedOut)).await;
        assert!(matches!(ended, Err(PayError::TimedOut)));
    };
    let reconciled = async |key: &str, found: Reconciled<u32>| {
        let request = once.request("pay", key).unwrap().lease(MINUTE);
        request.run_or_reconcile(async |_| Ok::<_, PayError>(7), async |_| Ok(found)).await
    };
    timed_out("applied").await;
    assert_eq!(store.stuck(10).await.unwrap()[0].message.as_deref(), Some("the gateway did not answer"));
    let still = reconciled("applied", Reconciled::StillUnknown).await;
    assert!(matches!(still, Err(PayError::Idempotency(IdempotencyError::Unknown))));
    for _ in 0..2 {
        let applied = reconciled("applied", Reconciled::Applied(42)).await.unwrap();
        assert_eq!((applied.replayed(), applied.into_inner()), (true, 42));
    }
    timed_out("refused").await;
    let no = Payload::json(&"no funds").unwrap();
    let refused = reconciled("refused", Reconciled::Refused(no)).await;
    assert!(matches!(refused, Err(PayError::Declined(why)) if why == "no funds"));
    // Stored: nobody has to find out again, and the work does not run.
    let again = reconciled("refused", Reconciled::NotApplied).await;
    assert!(matches!(again, Err(PayError::Declined(why)) if why == "no funds"));
    timed_out("not-applied").await;
    let ran = reconciled("not-applied", Reconciled::NotApplied).await.unwrap();
    assert_eq!((ran.replayed(), ran.into_inner()), (false, 7));
    assert!(store.stuck(10).await.unwrap().is_empty());
}

pub async fn failures_of_leased_work_are_told_apart<S: Store + Clone, K>((store, _keep): (S, K)) {
    let once = Idempotency::new(store);
    let end = async |key: &str, error: PayError| {
        let request = once.request("pay", key).unwrap();
        request.lease(MINUTE).run(async |_| Err::<u32, _>(error)).await.unwrap_err()
    };
    for _ in 0..2 {
        let declined = end("declined", PayError::Declined("no funds".into())).await;
        assert!(matches!(declined, PayError::Declined(why) if why == "no funds"));
    }
    end("not-started", PayError::NotStarted).await;
    let request = once.request("pay", "not-started").unwrap().fingerprint(&"another").lease(MINUTE);
    let epoch = request.run(async |held| Ok::<_, PayError>(held.epoch())).await.unwrap();
    assert_eq!(epoch.into_inner(), 1, "as if it had never been claimed");
}

pub async fn a_stuck_key_is_resolved_by_hand<S: Store + Clone, K>((store, _keep): (S, K)) {
    let once = Idempotency::new(store.clone());
    let asked = AtomicU32::new(0);
    crash(&once).await;
    let failed = Settlement::Failed { message: None };
    let id = {
        sleep(2 * SHORT).await;
        let stuck = store.stuck(10).await.unwrap().remove(0);
        assert_eq!(
            store.resolve(&stuck.id, stuck.epoch + 1, &failed, MINUTE).await.unwrap(),
            Settled::Fenced
        );
        assert_eq!(store.resolve(&stuck.id, stuck.epoch, &failed, MINUTE).await.unwrap(), Settled::Written);
        stuck.id
    };
    assert!(!pay(&once, &asked).await.unwrap().replayed());
    let done = store.resolve(&id, 2, &failed, MINUTE).await.unwrap();
    assert_eq!(done, Settled::Fenced, "what is done stays done");
}

pub async fn work_at_its_lease_is_not_resolved<S: Store + Clone, K>((store, _keep): (S, K)) {
    let ownership = start(&store, "key").await;
    let failed = Settlement::Failed { message: None };
    let resolved = store.resolve(&ownership.id, ownership.epoch, &failed, MINUTE).await.unwrap();
    assert_eq!(resolved, Settled::Fenced);
    assert!(store.stuck(10).await.unwrap().is_empty());
    settle(&store, &ownership, success(b"done"), MINUTE).await;
}

/// PostgreSQL takes every character in a text but one.
pub async fn a_message_that_no_column_takes_does_not_keep_a_failure_from_the_record<S: Store + Clone, K>(
    (store, _keep): (S, K),
) {
    let once = Idempotency::new(store.clone());
    let request = once.request("pay", "key").unwrap().lease(MINUTE);
    let ended = request.run(async |_| Err::<u32, _>(PayError::Garbled)).await;
    assert!(matches!(ended, Err(PayError::Garbled)), "{ended:?}");
    let stuck = store.stuck(10).await.unwrap();
    assert!(
        matches!(&stuck[..], [key] if key.message.as_deref() == Some("the gateway said  nothing")),
        "{stuck:?}"
    );
}
