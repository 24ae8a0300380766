use std::time::Duration;

use tokio::time::sleep;

use super::claims::{MINUTE, claim};
use crate::{ClaimOutcome, MemoryStore, Ownership, Payload, Settlement, Store, StoredResponse};

const STEPS: usize = 400;

/// A step's result, in words that both stores share: each draws owners of its own.
type Answer = String;

/// A store beside the model, and the claims that each of them has granted.
struct Side<S> {
    store: S,
    granted: Vec<Ownership>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Claim { key: u64, body: u64, version: u8, lease: Duration, ttl: Duration, takeover: bool },
    Extend { claim: usize, lease: Duration },
    Settle { claim: usize, how: u64, ttl: Duration },
    Forget { claim: usize },
    Resolve { claim: usize, how: u64, ttl: Duration },
    Find { claim: usize },
    Sweep { limit: u32 },
}

/// Whatever is asked of it, in whatever order, a store answers as the one in memory does.
pub async fn it_agrees_with_the_store_in_memory<S: Store, K>((store, _keep): (S, K)) {
    let mut tested = Side { store, granted: Vec::new() };
    let mut model = Side { store: MemoryStore::default(), granted: Vec::new() };
    let mut random = Random(0x5eed);
    for number in 0..STEPS {
        let step = random.step(number, model.granted.len());
        let (answer, expected) = (tested.take(step).await, model.take(step).await);
        assert_eq!(answer, expected, "step {number}: {step:?}");
        // What lasts no time is over by the next step, on every clock.
        sleep(Duration::from_millis(2)).await;
    }
    assert!(model.granted.len() > STEPS / 20, "too few claims were granted to test much");
}

impl<S: Store> Side<S> {
    async fn take(&mut self, step: Step) -> Answer {
        let owned = |claim: usize| self.granted[claim];
        match step {
            Step::Claim { key, body, version, lease, ttl, takeover } => {
                let claim = claim(&format!("key-{key}"), &format!("body-{body}"), version, ttl);
                match self.store.claim(&claim, lease, takeover).await.unwrap() {
                    ClaimOutcome::Started(ownership) => {
                        self.granted.push(ownership);
                        format!("started {}", ownership.epoch)
                    }
                    ClaimOutcome::InFlight { retry_after } => {
                        format!("in flight, over: {}", retry_after.is_zero())
                    }
                    other => format!("{other:?}"),
                }
            }
            Step::Extend { claim, lease } => {
                format!("{:?}", self.store.extend(&owned(claim), lease).await.unwrap())
            }
            Step::Settle { claim, how, ttl } => {
                format!("{:?}", self.store.settle(&owned(claim), &settlement(how), ttl).await.unwrap())
            }
            Step::Forget { claim } => format!("{:?}", self.store.forget(&owned(claim)).await.unwrap()),
            Step::Resolve { claim, how, ttl } => {
                let Ownership { id, epoch, .. } = owned(claim);
                format!("{:?}", self.store.resolve(&id, epoch, &settlement(how), ttl).await.unwrap())
            }
            Step::Find { claim } => match self.store.find(&owned(claim).id).await.unwrap() {
                Some(record) => {
                    let owner = self.granted.iter().position(|granted| granted.owner == record.owner);
                    let state = std::mem::discriminant(&record.state);
                    format!("{owner:?} {} {state:?} expired: {}", record.epoch, record.is_expired())
                }
                None => "nothing".to_owned(),
            },
            Step::Sweep { limit } => self.store.sweep(Duration::ZERO, limit).await.unwrap().to_string(),
        }
    }
}

fn settlement(how: u64) -> Settlement {
    let payload = Payload::from(how.to_be_bytes().to_vec());
    match how % 4 {
        0 => Settlement::Completed(StoredResponse::Success(payload)),
        1 => Settlement::Completed(StoredResponse::Refusal(payload)),
        2 => Settlement::Failed { message: None },
        _ => Settlement::Unknown { message: None },
    }
}

/// The same numbers in every run (splitmix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn step(&mut self, number: usize, granted: usize) -> Step {
        let kind = if granted == 0 { 0 } else { self.below(12) };
        // Mostly one of the last claims: those before are over for good.
        let claim = granted.saturating_sub(1 + usize::try_from(self.below(4)).unwrap_or(0));
        let mut time = || {
            if self.below(2) == 0 { Duration::ZERO } else { MINUTE }
        };
        let (lease, ttl) = (time(), time());
        match kind {
            0..=4 => Step::Claim {
                // New keys as time goes on: some of the old ones are stuck for good.
                key: (number / 12) as u64 + self.below(2),
                body: self.below(5) / 4,
                version: u8::from(self.below(8) == 0),
                lease,
                ttl,
                takeover: self.below(2) == 0,
            },
            5 => Step::Extend { claim, lease },
            6 | 7 => Step::Settle { claim, how: self.below(8), ttl },
            8 => Step::Forget { claim },
            9 => Step::Resolve { claim, how: self.below(8), ttl },
            10 => Step::Find { claim },
            _ => Step::Sweep { limit: 1 },
        }
    }
}
