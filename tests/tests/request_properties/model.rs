use std::collections::BTreeMap;

use crate::step::{Asked, Found, Mark, Step, Time, Work};

/// What a step comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) ended: Ended,
    /// Whether the work ran.
    pub(crate) ran: bool,
    /// Whether the hook was asked.
    pub(crate) asked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Done {
        value: u64,
        replayed: bool,
    },
    Refused(u64),
    /// With the error of the work.
    Failed(Work),
    Panicked,
    Dropped,
    InFlight,
    Mismatch,
    Unknown,
    /// Whether the key was stuck.
    Marked(bool),
    Swept(u64),
    Passed,
    /// What must not be.
    Unexpected(String),
}

/// A key's row as anybody may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) epoch: u32,
    pub(crate) state: State,
    pub(crate) expired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Working { over: bool },
    Done(u64),
    Refused(u64),
    Failed,
    Unknown,
}

/// What the keys are to be.
#[derive(Debug, Default)]
pub(crate) struct Model {
    now: u64,
    rows: BTreeMap<usize, Row>,
    effects: BTreeMap<usize, u64>,
}

#[derive(Debug, Clone)]
struct Row {
    body: u8,
    epoch: u32,
    status: Status,
    expires: u64,
}

#[derive(Debug, Clone)]
enum Status {
    Working { until: u64 },
    Done(u64),
    Refused(u64),
    Failed,
    Unknown,
}

impl Model {
    pub(crate) fn take(&mut self, number: u64, step: &Step) -> Answer {
        let mut answer = Answer { ended: Ended::Passed, ran: false, asked: false };
        answer.ended = match step {
            Step::Transact(asked) => {
                self.quarantine(asked, false);
                match self.claim(asked, false) {
                    Ok(epoch) => {
                        answer.ran = true;
                        self.transacted(number, asked, epoch)
                    }
                    Err(ended) => ended,
                }
            }
            Step::Lease { asked, takeover, found } => {
                self.quarantine(asked, *takeover);
                let mut claimed = self.claim(asked, *takeover);
                if claimed == Err(Ended::Unknown) {
                    answer.asked = true;
                    self.found(number, asked, *found);
                    claimed = self.claim(asked, *takeover);
                }
                match claimed {
                    Ok(epoch) => {
                        answer.ran = true;
                        self.leased(number, asked, epoch)
                    }
                    Err(ended) => ended,
                }
            }
            Step::Mark { key, mark } => {
                let stuck = self.rows.get(key).is_some_and(|row| row.is_stuck(self.now));
                if stuck {
                    let status = match mark {
                        Mark::Released => Status::Failed,
                        Mark::Completed => Status::Done(number),
                        Mark::Refused => Status::Refused(number),
                    };
                    self.settle(*key, status, Time::Long);
                }
                Ended::Marked(stuck)
            }
            Step::Pass(time) => {
                self.now += time.seconds() + 1;
                Ended::Passed
            }
            Step::Sweep => {
                let (before, now) = (self.rows.len(), self.now);
                self.rows.retain(|_, row| {
                    row.expires >= now || matches!(row.status, Status::Working { .. } | Status::Unknown)
                });
                Ended::Swept((before - self.rows.len()) as u64)
            }
        };
        answer
    }

    pub(crate) fn seen(&self, key: usize) -> Option<Seen> {
        self.rows.get(&key).map(|row| Seen {
            epoch: row.epoch,
            expired: row.expires <= self.now,
            state: match row.status {
                Status::Working { until } => State::Working { over: until <= self.now },
                Status::Done(value) => State::Done(value),
                Status::Refused(value) => State::Refused(value),
                Status::Failed => State::Failed,
                Status::Unknown => State::Unknown,
            },
        })
    }

    pub(crate) fn effects(&self, key: usize) -> u64 {
        self.effects.get(&key).copied().unwrap_or(0)
    }

    /// The epoch of the work that may run, or what the request is answered.
    fn claim(&self, asked: &Asked, takeover: bool) -> Result<u32, Ended> {
        let Some(row) = self.rows.get(&asked.key) else { return Ok(1) };
        let (expired, same) = (row.expires <= self.now, row.body == asked.body);
        let free = match row.status {
            Status::Done(_) | Status::Refused(_) => expired,
            Status::Failed => expired || same,
            Status::Working { until } => takeover && same && until <= self.now,
            Status::Unknown => false,
        };
        match row.status {
            _ if free => Ok(row.epoch + 1),
            _ if !same => Err(Ended::Mismatch),
            Status::Done(value) => Err(Ended::Done { value, replayed: true }),
            Status::Refused(value) => Err(Ended::Refused(value)),
            Status::Working { .. } => Err(Ended::InFlight),
            Status::Unknown => Err(Ended::Unknown),
            Status::Failed => unreachable!("it is free for the same request"),
        }
    }

    /// The effect, the key and the answer are one.
    fn transacted(&mut self, number: u64, asked: &Asked, epoch: u32) -> Ended {
        let status = match asked.work {
            Work::Done => Status::Done(number),
            Work::Refused => Status::Refused(number),
            Work::RolledBack | Work::Unstated => Status::Failed,
            Work::MaybeApplied => Status::Unknown,
            Work::NotStarted | Work::Panics | Work::Dropped => return ended(number, asked.work),
        };
        if asked.work == Work::Done {
            *self.effects.entry(asked.key).or_default() += 1;
        }
        self.begin(asked, epoch);
        self.settle(asked.key, status, asked.time_to_live);
        ended(number, asked.work)
    }

    /// Nothing undoes the effect, and who does not say how the work ended does not know.
    fn leased(&mut self, number: u64, asked: &Asked, epoch: u32) -> Ended {
        self.begin(asked, epoch);
        let status = match asked.work {
            Work::Done => Some(Status::Done(number)),
            Work::Refused => Some(Status::Refused(number)),
            Work::RolledBack => Some(Status::Failed),
            Work::MaybeApplied | Work::Unstated => Some(Status::Unknown),
            Work::Panics | Work::Dropped => None,
            // How often it was begun is not forgotten.
            Work::NotStarted if epoch > 1 => Some(Status::Failed),
            Work::NotStarted => {
                self.rows.remove(&asked.key);
                return ended(number, asked.work);
            }
        };
        if !matches!(asked.work, Work::Refused | Work::RolledBack | Work::NotStarted) {
            *self.effects.entry(asked.key).or_default() += 1;
        }
        if let Some(status) = status {
            self.settle(asked.key, status, asked.time_to_live);
        }
        ended(number, asked.work)
    }

    fn begin(&mut self, asked: &Asked, epoch: u32) {
        let status = Status::Working { until: self.now + Time::Lease.seconds() };
        let expires = self.now + asked.time_to_live.seconds();
        self.rows.insert(asked.key, Row { body: asked.body, epoch, status, expires });
    }

    fn settle(&mut self, key: usize, status: Status, time_to_live: Time) {
        if let Some(row) = self.rows.get_mut(&key) {
            row.status = status;
            row.expires = self.now + time_to_live.seconds();
        }
    }

    /// Work that was left behind is unknown for the next who asks, unless they take it over.
    fn quarantine(&mut self, asked: &Asked, takeover: bool) {
        let Some(row) = self.rows.get(&asked.key) else { return };
        let over = matches!(row.status, Status::Working { until } if until <= self.now);
        if over && row.body == asked.body && !takeover {
            self.settle(asked.key, Status::Unknown, asked.time_to_live);
        }
    }

    fn found(&mut self, number: u64, asked: &Asked, found: Found) {
        let status = match found {
            Found::Applied => Status::Done(number),
            Found::Refused => Status::Refused(number),
            Found::NotApplied => Status::Failed,
            Found::StillUnknown => return,
        };
        self.settle(asked.key, status, asked.time_to_live);
    }
}

/// What a request is answered whose work runs.
fn ended(number: u64, work: Work) -> Ended {
    match work {
        Work::Done => Ended::Done { value: number, replayed: false },
        Work::Refused => Ended::Refused(number),
        Work::Panics => Ended::Panicked,
        Work::Dropped => Ended::Dropped,
        work => Ended::Failed(work),
    }
}

impl Row {
    fn is_stuck(&self, now: u64) -> bool {
        match self.status {
            Status::Unknown => true,
            Status::Working { until } => until <= now,
            Status::Done(_) | Status::Refused(_) | Status::Failed => false,
        }
    }
}
