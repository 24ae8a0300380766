use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use idempotency::{
    Idempotency, IdempotencyError, Lease, Outcome, Payload, Reconciled, Request, Settings, State as Status,
    StoredResponse, Sweep, Takeover,
};
use tokio::sync::Notify;

use crate::bench::{Bench, Told, WorkError};
use crate::model::{Answer, Ended, Model, Seen, State};
use crate::step::{Asked, Found, Mark, Step, Time, Work};

const OPERATION: &str = "work";

/// The library beside the model.
pub(crate) struct Run<'a, B: Bench> {
    bench: &'a B,
    model: Model,
    processes: [Idempotency<B::Store>; 2],
    /// Elsewhere.
    effects: RefCell<BTreeMap<usize, u64>>,
}

impl<'a, B: Bench> Run<'a, B> {
    pub(crate) fn new(bench: &'a B) -> Self {
        let processes = [settings(), settings().cache(1 << 20)]
            .map(|settings| Idempotency::with_settings(bench.store(), settings));
        Self { bench, model: Model::default(), processes, effects: RefCell::default() }
    }

    /// Takes a step, and says what is not as the model has it.
    pub(crate) async fn take(&mut self, number: u64, step: &Step) -> Result<(), String> {
        let expected = self.model.take(number, step);
        let answer = self.step(number, step).await;
        if answer != expected {
            return Err(format!("{answer:?} in place of {expected:?}"));
        }
        let in_database = self.bench.effects().await;
        for key in 0..3 {
            let effects = [&in_database, &*self.effects.borrow()]
                .map(|effects| effects.get(&key).copied().unwrap_or(0));
            let expected = self.model.effects(key);
            if effects[0] + effects[1] != expected {
                return Err(format!("{effects:?} effects of key {key} in place of {expected}"));
            }
            let (seen, expected) = (self.seen(key).await, self.model.seen(key));
            if seen != expected {
                return Err(format!("key {key} is {seen:?} in place of {expected:?}"));
            }
        }
        Ok(())
    }

    async fn step(&mut self, number: u64, step: &Step) -> Answer {
        let (asked, ran, at_once) =
            (Cell::new(false), Cell::new(false), |ended| Answer { ended, ran: false, asked: false });
        let ended = match step {
            Step::Transact(request) => {
                let told = told(number, request);
                let ended = ended(self.bench.transact(self.request(request), &told), &told).await;
                ran.set(*told.ran.borrow());
                ended
            }
            Step::Lease { asked: request, takeover, found } => {
                let told = told(number, request);
                let work = async |_: &Lease<'_, B::Store, idempotency::Json>| {
                    *told.ran.borrow_mut() = true;
                    if !matches!(told.work, Work::Refused | Work::RolledBack | Work::NotStarted) {
                        *self.effects.borrow_mut().entry(told.key).or_default() += 1;
                    }
                    told.end().await
                };
                let find_out = async |_| {
                    asked.set(true);
                    Ok(match found {
                        Found::Applied => Reconciled::Applied(number),
                        Found::Refused => Reconciled::Refused(Payload::json(&number).unwrap()),
                        Found::NotApplied => Reconciled::NotApplied,
                        Found::StillUnknown => Reconciled::StillUnknown,
                    })
                };
                let policy = if *takeover { Takeover::Rerun } else { Takeover::Quarantine };
                let lease =
                    self.request(request).lease(Duration::from_secs(Time::Lease.seconds())).takeover(policy);
                let ended = ended(lease.run_or_reconcile(work, find_out), &told).await;
                ran.set(*told.ran.borrow());
                ended
            }
            Step::Mark { key, mark } => return at_once(self.mark(number, *key, *mark).await),
            Step::Pass(time) => {
                self.bench.pass(Duration::from_secs(time.seconds() + 1)).await;
                // The clock of what is kept in memory cannot be moved: that process ends, and another begins.
                self.processes[1] = Idempotency::with_settings(self.bench.store(), settings().cache(1 << 20));
                return at_once(Ended::Passed);
            }
            Step::Sweep => {
                let sweep = Sweep::default().grace(Duration::ZERO);
                return at_once(Ended::Swept(self.processes[0].sweep_once(&sweep).await.unwrap()));
            }
        };
        Answer { ended, ran: ran.get(), asked: asked.get() }
    }

    fn request(&self, asked: &Asked) -> Request<'_, B::Store> {
        let request = self.processes[asked.process].request(OPERATION, name(asked.key)).unwrap();
        request
            .fingerprint(&asked.body)
            .ttl(Duration::from_secs(asked.time_to_live.seconds()))
            .wait(Duration::ZERO)
    }

    async fn mark(&self, number: u64, key: usize, mark: Mark) -> Ended {
        let admin = self.processes[0].admin();
        let stuck = admin.stuck(100).await.unwrap().into_iter().find(|stuck| stuck.key == name(key));
        let Some(stuck) = stuck else { return Ended::Marked(false) };
        let answer = Payload::json(&number).unwrap();
        let settled = match mark {
            Mark::Released => admin.release(&stuck).await,
            Mark::Completed => admin.complete(&stuck, answer).await,
            Mark::Refused => admin.refuse(&stuck, answer).await,
        };
        Ended::Marked(settled.unwrap() == idempotency::Settled::Written)
    }

    async fn seen(&self, key: usize) -> Option<Seen> {
        let record = self.processes[0].admin().find(OPERATION, "", name(key)).await.unwrap()?;
        let value = |payload: &Payload| payload.read_json().unwrap();
        Some(Seen {
            epoch: record.epoch,
            expired: record.is_expired(),
            state: match &record.state {
                Status::Processing { lease_left } => State::Working { over: lease_left.unwrap().is_zero() },
                Status::Completed(StoredResponse::Success(payload)) => State::Done(value(payload)),
                Status::Completed(StoredResponse::Refusal(payload)) => State::Refused(value(payload)),
                Status::Failed => State::Failed,
                Status::Unknown => State::Unknown,
            },
        })
    }
}

fn settings() -> Settings {
    Settings::default().ttl(Duration::from_secs(Time::Long.seconds()))
}

fn name(key: usize) -> String {
    format!("key-{key}")
}

fn told(number: u64, asked: &Asked) -> Told {
    let (work, key) = (asked.work, asked.key);
    Told { work, number, key, at_it: Notify::new(), ran: RefCell::new(false) }
}

/// What a request comes to: it may panic, and is dropped when its work says so.
async fn ended(request: impl Future<Output = Result<Outcome<u64>, WorkError>>, told: &Told) -> Ended {
    let result = tokio::select! {
        biased;
        result = AssertUnwindSafe(request).catch_unwind() => result,
        () = told.at_it.notified() => return Ended::Dropped,
    };
    match result {
        Err(_) => Ended::Panicked,
        Ok(Ok(outcome)) => Ended::Done { value: *outcome.response(), replayed: outcome.replayed() },
        Ok(Err(WorkError::Refused(value))) => Ended::Refused(value),
        Ok(Err(WorkError::Told(work))) => Ended::Failed(work),
        Ok(Err(WorkError::Idempotency(error))) => match error {
            IdempotencyError::InFlight { .. } => Ended::InFlight,
            IdempotencyError::Mismatch => Ended::Mismatch,
            IdempotencyError::Unknown => Ended::Unknown,
            error => Ended::Unexpected(format!("{error:?}")),
        },
    }
}
