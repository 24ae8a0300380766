use std::collections::BTreeMap;

use crate::step::{Asked, How, Step};

/// A step's result: what the model and the store must agree on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Started {
        epoch: u32,
    },
    Replay(How),
    InFlight {
        lease_over: bool,
    },
    Mismatch,
    Unknown,
    Written,
    Fenced,
    Row(Option<Seen>),
    Stuck(BTreeMap<usize, (u32, bool)>),
    Swept(u64),
    /// There is nothing to do this to.
    Nothing,
}

/// A row as anybody may read it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The number of the claim that has it, if it was not taken from it.
    pub(crate) claim: Option<usize>,
    pub(crate) epoch: u32,
    pub(crate) state: State,
    pub(crate) expired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Processing { lease_over: bool },
    Ended(How),
}

/// What the rows are to be.
#[derive(Debug, Default)]
pub(crate) struct Model {
    rows: BTreeMap<usize, Row>,
    granted: Vec<Granted>,
}

/// A claim that was granted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Granted {
    pub(crate) key: usize,
    pub(crate) epoch: u32,
}

#[derive(Debug)]
struct Row {
    claim: Option<usize>,
    epoch: u32,
    asked: Asked,
    state: State,
    expired: bool,
}

impl Model {
    /// All claims that were granted, in their order.
    pub(crate) fn granted(&self) -> &[Granted] {
        &self.granted
    }

    pub(crate) fn take(&mut self, step: &Step) -> Answer {
        match step {
            Step::Claim { key, request, lease_over, ttl_over, takeover } => {
                let state = State::Processing { lease_over: *lease_over };
                let epoch = match self.rows.get(key) {
                    None => 1,
                    Some(row) if row.is_free(*request, *takeover) => row.epoch + 1,
                    Some(row) => return row.verdict(*request),
                };
                let claim = self.granted.len();
                self.granted.push(Granted { key: *key, epoch });
                let claim = Some(claim);
                self.rows.insert(*key, Row { claim, epoch, asked: *request, state, expired: *ttl_over });
                Answer::Started { epoch }
            }
            Step::Extend { claim, over } => self.as_owner(*claim, |row| {
                row.state = State::Processing { lease_over: *over };
            }),
            Step::Settle { claim, how, ttl_over } => self.as_owner(*claim, |row| row.end(how, *ttl_over)),
            Step::Forget { claim } => {
                let answer = self.as_owner(*claim, |_| ());
                if answer == Answer::Written
                    && let Some(number) = back(&self.granted, *claim)
                {
                    self.rows.remove(&self.granted[number].key);
                }
                answer
            }
            Step::Mark { claim, how, ttl_over } => {
                let Some(number) = back(&self.granted, *claim) else { return Answer::Nothing };
                let Granted { key, epoch } = self.granted[number];
                match self.rows.get_mut(&key).filter(|row| row.epoch == epoch && row.is_stuck()) {
                    Some(row) => {
                        row.claim = None;
                        row.end(how, *ttl_over);
                        Answer::Written
                    }
                    None => Answer::Fenced,
                }
            }
            Step::Find { key } => Answer::Row(self.rows.get(key).map(|row| Seen {
                claim: row.claim,
                epoch: row.epoch,
                state: row.state.clone(),
                expired: row.expired,
            })),
            Step::Stuck => {
                let stuck = self.rows.iter().filter(|(_, row)| row.is_stuck());
                Answer::Stuck(
                    stuck
                        .map(|(key, row)| (*key, (row.epoch, row.state == State::Ended(How::Unknown))))
                        .collect(),
                )
            }
            Step::Sweep => {
                let before = self.rows.len();
                self.rows.retain(|_, row| !row.expired || !row.is_settled());
                Answer::Swept((before - self.rows.len()) as u64)
            }
        }
    }

    /// What only the owner of a row under work may do.
    fn as_owner(&mut self, claim: usize, write: impl FnOnce(&mut Row)) -> Answer {
        let Some(number) = back(&self.granted, claim) else { return Answer::Nothing };
        let row = self.rows.get_mut(&self.granted[number].key);
        match row.filter(|row| row.claim == Some(number) && matches!(row.state, State::Processing { .. })) {
            Some(row) => {
                write(row);
                Answer::Written
            }
            None => Answer::Fenced,
        }
    }
}

/// The number of a claim that is told by its distance from the last.
pub(crate) fn back<T>(granted: &[T], claim: usize) -> Option<usize> {
    granted.len().checked_sub(claim + 1)
}

impl Row {
    fn contradicts(&self, asked: Asked) -> bool {
        self.asked.version == asked.version && self.asked.body != asked.body
    }

    fn is_free(&self, asked: Asked, takeover: bool) -> bool {
        match &self.state {
            State::Ended(How::Done(_) | How::Refused(_)) => self.expired,
            State::Ended(How::Failed) => self.expired || !self.contradicts(asked),
            State::Ended(How::Unknown) => false,
            State::Processing { lease_over } => takeover && *lease_over && !self.contradicts(asked),
        }
    }

    fn verdict(&self, asked: Asked) -> Answer {
        if self.contradicts(asked) {
            return Answer::Mismatch;
        }
        match &self.state {
            State::Processing { lease_over } => Answer::InFlight { lease_over: *lease_over },
            State::Ended(How::Unknown) => Answer::Unknown,
            State::Ended(how) => Answer::Replay(how.clone()),
        }
    }

    fn is_stuck(&self) -> bool {
        matches!(self.state, State::Ended(How::Unknown) | State::Processing { lease_over: true })
    }

    fn is_settled(&self) -> bool {
        matches!(self.state, State::Ended(How::Done(_) | How::Refused(_) | How::Failed))
    }

    fn end(&mut self, how: &How, ttl_over: bool) {
        self.state = State::Ended(how.clone());
        self.expired = ttl_over;
    }
}
