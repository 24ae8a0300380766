use std::{pin::pin, time::Duration};

use tokio::{
    select,
    time::{Instant, sleep_until, timeout_at},
};

use super::settle::is_settled_by;
use crate::store::{Ownership, Settled, Store};

/// How many times a lease is extended before it would be over.
const BEATS: u32 = 3;

/// Does `work` while the lease is held, and extends it meanwhile. `None`: the lease is lost and the work stopped.
///
/// `since` is a time at which the lease had not begun yet: what is counted from there is over here before it is
/// over in the store.
pub(super) async fn hold<S: Store, W: Future>(
    store: &S,
    ownership: &Ownership,
    lease: Duration,
    since: Instant,
    work: W,
) -> Option<W::Output> {
    let mut work = pin!(work);
    let mut over = since + lease;
    let mut next = since + lease / BEATS;
    loop {
        select! {
            biased;
            result = &mut work => return Some(result),
            () = sleep_until(next) => {}
        }
        let sent = Instant::now();
        let extended = select! {
            biased;
            result = &mut work => return Some(result),
            extended = timeout_at(over, store.extend(ownership, lease)) => extended,
        };
        match extended {
            Ok(Ok(Settled::Written)) => {
                over = sent + lease;
                next = sent + lease / BEATS;
            }
            Ok(Err(error)) if Instant::now() < over => {
                tracing::warn!(key = %ownership.id, %error, "a lease was not extended");
                next = Instant::now() + lease / (BEATS * BEATS);
            }
            Ok(Ok(Settled::Fenced)) => {
                let settled = select! {
                    biased;
                    result = &mut work => return Some(result),
                    settled = is_settled_by(store, ownership) => settled,
                };
                // The work has settled its key, and is about to end: nothing is left to extend.
                return if settled.is_ok_and(|settled| settled) { Some(work.await) } else { None };
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::{
        Fingerprint, IdempotencyKey, MemoryStore, Payload, Scope,
        store::{Claim, ClaimOutcome, Settlement, StoredResponse},
    };

    const LEASE: Duration = Duration::from_secs(3);

    async fn claimed(store: &MemoryStore) -> Ownership {
        let (scope, key) = (Scope::new("pay", "").unwrap(), IdempotencyKey::new("key").unwrap());
        let claim = Claim::new(key, scope, Fingerprint::from_parts(0, [0; 32]), LEASE * 100, LEASE);
        match store.claim(&claim, LEASE, true).await.unwrap() {
            ClaimOutcome::Started(ownership) => ownership,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_keeps_its_lease() {
        let store = MemoryStore::default();
        let ownership = claimed(&store).await;
        let work = async {
            sleep(LEASE * 10).await;
            store.extend(&ownership, LEASE).await.unwrap()
        };
        let held = hold(&store, &ownership, LEASE, Instant::now(), work).await;
        assert_eq!(held, Some(Settled::Written));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_has_settled_its_key_comes_to_its_end() {
        let store = MemoryStore::default();
        let ownership = claimed(&store).await;
        let work = async {
            let settled = Settlement::Completed(StoredResponse::Success(Payload::default()));
            let settled = store.settle(&ownership, &settled, LEASE).await.unwrap();
            sleep(LEASE * 10).await;
            settled
        };
        assert_eq!(hold(&store, &ownership, LEASE, Instant::now(), work).await, Some(Settled::Written));
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_stopped_when_its_key_is_somebody_elses() {
        let store = MemoryStore::default();
        let ownership = claimed(&store).await;
        let stranger = Ownership { epoch: 2, ..ownership };
        let begun = Instant::now();
        assert_eq!(hold(&store, &stranger, LEASE, begun, sleep(LEASE * 10)).await, None);
        assert!(begun.elapsed() <= LEASE);
    }
}
