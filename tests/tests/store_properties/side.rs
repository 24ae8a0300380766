use std::time::Duration;

use idempotency::conformance::claim;
use idempotency::{
    ClaimOutcome, Owner, Ownership, Payload, Settled, Settlement, State as Status, Store, StoredResponse,
};
use interlock_tests::unique_name;

use crate::model::{Answer, Granted, Seen, State, back};
use crate::step::{How, Step};

const LONG: Duration = Duration::from_secs(3600);
/// What lasts no time is over by then on every clock, and far enough for the sweeper.
const TICK: Duration = Duration::from_millis(2);

/// The store under test, and what it has granted.
pub(crate) struct Side<'a, S> {
    store: &'a S,
    /// Keeps the keys of one history from those of another.
    name: String,
    owners: Vec<Ownership>,
}

impl<'a, S: Store> Side<'a, S> {
    pub(crate) fn new(store: &'a S) -> Self {
        Self { store, name: unique_name("key"), owners: Vec::new() }
    }

    /// Empties the store of what stays behind in it: nobody else uses it.
    pub(crate) async fn clear(&self) {
        for stuck in self.store.stuck(1000).await.unwrap() {
            let failed = Settlement::Failed { message: None };
            let _ = self.store.resolve(&stuck.id, stuck.epoch, &failed, Duration::ZERO).await.unwrap();
        }
        tokio::time::sleep(TICK).await;
        let _ = self.store.sweep(Duration::ZERO, 1000).await.unwrap();
    }

    pub(crate) async fn take(&mut self, step: &Step, granted: &[Granted]) -> Answer {
        let answer = self.step(step, granted).await;
        tokio::time::sleep(TICK).await;
        answer
    }

    async fn step(&mut self, step: &Step, granted: &[Granted]) -> Answer {
        let owner = |claim: &usize| back(&self.owners, *claim).map(|number| self.owners[number]);
        match step {
            Step::Claim { key, request, lease_over, ttl_over, takeover } => {
                let body = request.body.to_string();
                let claim = claim(&self.key(*key), &body, request.version, time(*ttl_over));
                match self.store.claim(&claim, time(*lease_over), *takeover).await.unwrap() {
                    ClaimOutcome::Started(ownership) => {
                        self.owners.push(ownership);
                        Answer::Started { epoch: ownership.epoch }
                    }
                    ClaimOutcome::Replay(response) => Answer::Replay(how(&response)),
                    ClaimOutcome::InFlight { retry_after } => {
                        Answer::InFlight { lease_over: retry_after.is_zero() }
                    }
                    ClaimOutcome::Mismatch => Answer::Mismatch,
                    ClaimOutcome::Unknown => Answer::Unknown,
                }
            }
            Step::Extend { claim, over } => match owner(claim) {
                Some(owner) => settled(self.store.extend(&owner, time(*over)).await.unwrap()),
                None => Answer::Nothing,
            },
            Step::Settle { claim, how, ttl_over } => match owner(claim) {
                Some(owner) => {
                    settled(self.store.settle(&owner, &settlement(how), time(*ttl_over)).await.unwrap())
                }
                None => Answer::Nothing,
            },
            Step::Forget { claim } => match owner(claim) {
                Some(owner) => settled(self.store.forget(&owner).await.unwrap()),
                None => Answer::Nothing,
            },
            Step::Mark { claim, how, ttl_over } => match owner(claim) {
                Some(Ownership { id, epoch, .. }) => {
                    let ttl = time(*ttl_over);
                    settled(self.store.resolve(&id, epoch, &settlement(how), ttl).await.unwrap())
                }
                None => Answer::Nothing,
            },
            Step::Find { key } => {
                let id = claim(&self.key(*key), "", 0, LONG).id;
                Answer::Row(self.store.find(&id).await.unwrap().map(|record| Seen {
                    claim:
                        (record.owner != Owner::NOBODY).then(|| {
                            self.owners.iter().position(|owner| owner.owner == record.owner).unwrap()
                        }),
                    epoch: record.epoch,
                    expired: record.is_expired(),
                    state: match record.state {
                        Status::Processing { lease_left } => {
                            State::Processing { lease_over: lease_left.unwrap().is_zero() }
                        }
                        Status::Completed(response) => State::Ended(how(&response)),
                        Status::Failed => State::Ended(How::Failed),
                        Status::Unknown => State::Ended(How::Unknown),
                    },
                }))
            }
            Step::Stuck => {
                let stuck = self.store.stuck(1000).await.unwrap().into_iter();
                let ours = stuck.filter(|stuck| stuck.key.starts_with(&self.name));
                let key = |id| granted[self.owners.iter().position(|owner| owner.id == id).unwrap()].key;
                Answer::Stuck(ours.map(|stuck| (key(stuck.id), (stuck.epoch, stuck.unknown))).collect())
            }
            Step::Sweep => Answer::Swept(self.store.sweep(Duration::ZERO, 1000).await.unwrap()),
        }
    }

    fn key(&self, key: usize) -> String {
        format!("{}-{key}", self.name)
    }
}

fn time(over: bool) -> Duration {
    if over { Duration::ZERO } else { LONG }
}

fn settled(settled: Settled) -> Answer {
    match settled {
        Settled::Written => Answer::Written,
        Settled::Fenced => Answer::Fenced,
    }
}

fn settlement(how: &How) -> Settlement {
    match how {
        How::Done(bytes) => Settlement::Completed(StoredResponse::Success(Payload::from(bytes.clone()))),
        How::Refused(bytes) => Settlement::Completed(StoredResponse::Refusal(Payload::from(bytes.clone()))),
        How::Failed => Settlement::Failed { message: None },
        How::Unknown => Settlement::Unknown { message: None },
    }
}

fn how(response: &StoredResponse) -> How {
    let bytes = response.payload().as_bytes().to_vec();
    match response {
        StoredResponse::Success(_) => How::Done(bytes),
        StoredResponse::Refusal(_) => How::Refused(bytes),
    }
}
