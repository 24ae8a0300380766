use std::{future::Future, time::Duration};

use tokio::{runtime::Handle, time::sleep};

use super::claims::MINUTE;
use crate::{
    BoxError, Idempotency, IdempotencyError, Outcome, Payload, Reconciled, Settled, State, Store, StuckKey,
    store::StoredResponse,
};

const SHORT: Duration = Duration::from_millis(60);

/// How the others get over a process that does not answer.
#[derive(Debug, Clone, Copy)]
enum Way {
    Quarantined,
    Released,
    Completed,
    Reconciled,
}

impl Way {
    const ALL: [Self; 4] = [Self::Quarantined, Self::Released, Self::Completed, Self::Reconciled];

    /// The key that each of them has for itself.
    fn key(self) -> String {
        format!("{self:?}")
    }

    async fn go<S: Store>(self, other: &Idempotency<S>) {
        let stuck = left_behind(other, &self.key()).await;
        match self {
            Self::Quarantined => assert!(is_unknown(&pay(other, self, 2).await.unwrap_err())),
            Self::Released => assert_eq!(other.admin().release(&stuck).await.unwrap(), Settled::Written),
            Self::Completed => {
                let done = other.admin().complete(&stuck, Payload::json(&42).unwrap()).await;
                assert_eq!(done.unwrap(), Settled::Written);
            }
            Self::Reconciled => {
                let request = other.request("pay", self.key()).unwrap().lease(MINUTE);
                let found = request
                    .run_or_reconcile(async |_| Ok::<_, BoxError>(2), async |_| Ok(Reconciled::Applied(42)));
                assert_eq!(found.await.unwrap().into_inner(), 42);
            }
        }
    }

    fn state(self) -> State {
        match self {
            Self::Quarantined => State::Unknown,
            Self::Released => State::Failed,
            Self::Completed | Self::Reconciled => {
                State::Completed(StoredResponse::Success(Payload::json(&42).unwrap()))
            }
        }
    }
}

/// Lets the others go on while this process is frozen: none of its timers runs, and it extends no lease.
fn frozen<F: Future>(meanwhile: F) -> F::Output {
    tokio::task::block_in_place(|| Handle::current().block_on(meanwhile))
}

/// Waits until the lease of `key` is over.
async fn left_behind<S: Store>(once: &Idempotency<S>, key: &str) -> StuckKey {
    loop {
        let stuck = once.admin().stuck(100).await.unwrap();
        if let Some(stuck) = stuck.into_iter().find(|stuck| stuck.key == key) {
            return stuck;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

async fn pay<S: Store>(once: &Idempotency<S>, way: Way, receipt: u32) -> Result<Outcome<u32>, BoxError> {
    once.request("pay", way.key())?.lease(MINUTE).run(async |_| Ok(receipt)).await
}

fn is_unknown(error: &BoxError) -> bool {
    matches!(error.downcast_ref(), Some(IdempotencyError::Unknown))
}

pub async fn work_that_comes_late_to_a_resolved_key_is_fenced<S: Store + Clone, K>((store, _keep): (S, K)) {
    for way in Way::ALL {
        let (once, other) = (Idempotency::new(store.clone()), Idempotency::new(store.clone()));
        let mut id = None;
        let request = once.request("pay", way.key()).unwrap();
        let late = request.lease(SHORT).run(async |held| {
            id = Some(*held.id());
            frozen(way.go(&other));
            Ok::<_, BoxError>(1)
        });
        let late = late.await.map(Outcome::into_inner);
        assert!(
            late.as_ref().is_err_and(|e| matches!(e.downcast_ref(), Some(IdempotencyError::Fenced))),
            "{way:?}: {late:?}"
        );
        let record = store.find(&id.unwrap()).await.unwrap().unwrap();
        assert_eq!((record.state, record.epoch), (way.state(), 1), "{way:?}");
        // Nobody takes the late answer for the key's, the late process least of all.
        for process in [&once, &other] {
            match (way, pay(process, way, 3).await.map(Outcome::into_inner)) {
                (Way::Quarantined, Err(told)) => assert!(is_unknown(&told), "{told:?}"),
                (Way::Released, Ok(3)) | (Way::Completed | Way::Reconciled, Ok(42)) => {}
                (way, paid) => panic!("{way:?}: {paid:?}"),
            }
        }
    }
}
