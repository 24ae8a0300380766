//! The counter of outcomes.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering},
};

use idempotency::{Failure, FailureClass, Idempotency, IdempotencyError, MemoryStore, Payload};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

#[derive(Default)]
struct Counts(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Counter::from_arc(Arc::clone(self.0.lock().unwrap().entry(name).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[derive(Debug)]
struct ShopError(FailureClass);

impl From<IdempotencyError> for ShopError {
    fn from(_: IdempotencyError) -> Self {
        Self(FailureClass::RolledBack)
    }
}

impl Failure for ShopError {
    fn class(&self) -> FailureClass {
        self.0.clone()
    }

    fn from_refusal(refusal: &Payload) -> Option<Self> {
        Some(Self(FailureClass::Refused(refusal.clone())))
    }
}

async fn charge(once: &Idempotency<MemoryStore>, key: &str, amount: u32, end: Option<FailureClass>) {
    let request = once.request("charge", key).unwrap().tenant("somebody").fingerprint(&amount);
    let _ = request.transaction(async |_| end.map_or(Ok(amount), |class| Err(ShopError(class)))).await;
}

#[test]
fn each_outcome_is_counted_by_operation_and_nothing_else() {
    let counts = Counts::default();
    metrics::with_local_recorder(&counts, || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let once = Idempotency::in_memory();
            charge(&once, "done", 5, None).await;
            charge(&once, "done", 5, None).await;
            charge(&once, "done", 6, None).await;
            charge(&once, "refused", 5, Some(FailureClass::refused(&"no"))).await;
            charge(&once, "refused", 5, None).await;
            charge(&once, "failed", 5, Some(FailureClass::RolledBack)).await;
            charge(&once, "unknown", 5, Some(FailureClass::MaybeApplied)).await;
            charge(&once, "unknown", 5, None).await;
        });
    });
    let counts: Vec<_> = counts
        .0
        .into_inner()
        .unwrap()
        .into_iter()
        .map(|(name, count)| (name, count.load(Ordering::SeqCst)))
        .collect();
    let expected =
        [("failed", 1), ("mismatch", 1), ("refused", 1), ("replayed", 2), ("started", 4), ("unknown", 2)];
    let expected = expected.map(|(outcome, count)| {
        (format!("idempotency_requests_total{{operation=charge,outcome={outcome}}}"), count)
    });
    assert_eq!(counts, expected);
}
