use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::Grant;
use crate::in_process::until;
use crate::key_table;
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// A ticket and what it asks for.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub(super) ticket: Ticket,
    pub(super) lease: Duration,
    pub(super) block: u32,
}

/// One key: who owns it, until when, and who queues.
#[derive(Default)]
pub(super) struct Entry {
    owner: Option<(Ticket, Instant)>,
    queue: VecDeque<Attempt>,
    last_token: u64,
    /// The last token of all blocks before the latest.
    shown_before: u64,
}

impl key_table::Entry for Entry {
    /// The largest token of all keys that were forgotten.
    type Summary = u64;

    fn is_idle(&self) -> bool {
        self.owner.is_none() && self.queue.is_empty()
    }

    fn forget(self, floor: &mut u64) {
        *floor = self.last_token.max(*floor);
    }
}

impl Entry {
    pub(super) fn last_token(&self) -> u64 {
        self.last_token
    }

    pub(super) fn owner(&self) -> Option<(Ticket, Instant)> {
        self.owner
    }

    pub(super) fn queued(&self) -> u64 {
        self.queue.len() as u64
    }

    pub(super) fn is_owned_by(&self, ticket: Ticket) -> bool {
        self.owner.is_some_and(|(owner, _)| owner == ticket)
    }

    pub(super) fn remaining(&self, now: Instant) -> Duration {
        self.owner.map_or(Duration::ZERO, |(_, until)| until.saturating_duration_since(now))
    }

    pub(super) fn expire(&mut self, now: Instant) {
        if self.owner.is_some_and(|(_, until)| until <= now) {
            self.owner = None;
        }
    }

    /// Joins the queue's end, once.
    pub(super) fn push(&mut self, attempt: Attempt) {
        if !self.queue.iter().any(|queued| queued.ticket == attempt.ticket) {
            self.queue.push_back(attempt);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Attempt> {
        self.queue.pop_front()
    }

    pub(super) fn remove(&mut self, ticket: Ticket) {
        if !self.queue.is_empty() {
            self.queue.retain(|queued| queued.ticket != ticket);
        }
    }

    /// Makes the ticket the owner, with tokens above all earlier ones and not below `floor`.
    pub(super) fn grant(&mut self, attempt: &Attempt, floor: u64, now: Instant) -> Grant {
        self.remove(attempt.ticket);
        let token = floor.max(self.last_token + 1);
        self.shown_before = token - 1;
        let block = attempt.block.max(1);
        self.last_token = token + u64::from(block) - 1;
        // A late copy of the owner's own request must not shorten what it relies on.
        let relied_on =
            self.owner.filter(|(owner, _)| *owner == attempt.ticket).map_or(now, |(_, until)| until);
        self.owner = Some((attempt.ticket, relied_on.max(until(now, attempt.lease))));
        Grant::new(FencingToken::new(token), block, attempt.lease, now).wanted(!self.queue.is_empty())
    }

    /// Ends the ownership. Tokens of its block above `used` were never shown to anybody.
    pub(super) fn give_up(&mut self, used: u64) {
        self.owner = None;
        self.last_token = self.last_token.min(used.max(self.shown_before));
    }

    pub(super) fn renew(&mut self, ticket: Ticket, until: Instant) -> bool {
        match &mut self.owner {
            Some((owner, end)) if *owner == ticket => {
                *end = until.max(*end);
                true
            }
            _ => false,
        }
    }
}
