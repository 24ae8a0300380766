//! What a proxy is told, and what it tells.

use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) delay: Duration,
    pub(super) frozen: bool,
    pub(super) refusing: bool,
    pub(super) closed: bool,
    /// How often all connections have been cut.
    pub(super) cuts: u64,
    /// How often the connections that stood have been left half-open.
    pub(super) strandings: u64,
    pub(super) armed: Option<Armed>,
    /// How many more requests may pass before everything stands still.
    pub(super) requests_left: Option<usize>,
    /// How many more bytes of replies may pass.
    pub(super) reply_budget: Option<usize>,

    pub(super) listening: bool,
    pub(super) connections: usize,
    pub(super) struck: usize,
}

/// A request whose reply is to be lost.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) needle: Vec<u8>,
    pub(super) countdown: usize,
}

impl Faults {
    /// Counts the requests in `seen` that hold the needle; answers whether the armed one is among them, and disarms.
    pub(super) fn strikes(&mut self, seen: &[u8]) -> bool {
        let Some(armed) = &mut self.armed else {
            return false;
        };
        let width = armed.needle.len();
        let hits = seen.windows(width).filter(|window| *window == armed.needle).count();
        armed.countdown = armed.countdown.saturating_sub(hits);
        let strikes = hits > 0 && armed.countdown == 0;
        if strikes {
            self.armed = None;
            self.struck += 1;
        }
        strikes
    }

    /// Counts a request; after the last one nothing passes any more.
    pub(super) fn count_request(&mut self) {
        let Some(left) = &mut self.requests_left else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.requests_left = None;
            self.frozen = true;
            self.struck += 1;
        }
    }

    /// Answers how many of the next `bytes` of replies may pass before the connection is cut, if it is.
    pub(super) fn cut_within(&mut self, bytes: usize) -> Option<usize> {
        let budget = self.reply_budget.as_mut()?;
        if bytes <= *budget {
            *budget -= bytes;
            return None;
        }
        self.struck += 1;
        self.reply_budget.take()
    }
}
