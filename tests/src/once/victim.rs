use std::path::PathBuf;

use super::{Mode, Worker, mode_of};
use crate::{Process, Proxy, Scratch};

/// One process after the other, each of which makes one request and is killed at one statement: the first at the first,
/// the next at the second, and when there are no more, again from the first in the other mode.
#[derive(Debug)]
pub(super) struct Victims {
    program: PathBuf,
    /// `host:port` of the server, and the URL that leads there.
    address: String,
    url: String,
    scratch: Scratch,
    number: u64,
    statement: usize,
    leased: bool,
    current: Option<Victim>,
}

#[derive(Debug)]
struct Victim {
    process: Process,
    proxy: Proxy,
    key: String,
}

/// What has become of a victim.
#[derive(Debug)]
pub(super) enum Fate {
    /// It has not come to its statement yet.
    Alive,
    /// It was killed in the middle of this request.
    Killed { key: String },
    /// It was through before.
    Spared { log: String },
}

impl Victims {
    pub(super) fn new(program: PathBuf, address: String, url: String) -> Self {
        let scratch = Scratch::new("victims");
        Self { program, address, url, scratch, number: 0, statement: 1, leased: false, current: None }
    }

    /// Kills the victim if it has come to its statement, and starts the next if there shall be one.
    pub(super) fn take_turn(&mut self, go_on: bool) -> Fate {
        let fate = self.judge();
        if self.current.is_none() && (go_on || self.number == 0) {
            self.current = Some(self.next());
        }
        fate
    }

    /// Whether there has been a victim, and there is none any more.
    pub(super) fn is_idle(&self) -> bool {
        self.number > 0 && self.current.is_none()
    }

    fn judge(&mut self) -> Fate {
        let Some(victim) = &mut self.current else { return Fate::Alive };
        let fate = if victim.proxy.struck() > 0 {
            victim.process.kill();
            self.statement += 1;
            Fate::Killed { key: victim.key.clone() }
        } else if victim.process.exited().is_some() {
            let log = victim.process.log();
            if log.contains("done") {
                (self.statement, self.leased) = (1, !self.leased);
            }
            Fate::Spared { log }
        } else {
            return Fate::Alive;
        };
        self.current = None;
        fate
    }

    fn next(&mut self) -> Victim {
        self.number += 1;
        let key = format!("victim-{}-{}", self.number, if self.leased { 3 } else { 0 });
        let proxy = Proxy::to(&self.address);
        proxy.freeze_after_requests(self.statement);
        let lease = match mode_of(&key) {
            Mode::Lease(lease) => u64::try_from(lease.as_millis()).ok(),
            Mode::Transaction => None,
        };
        let url = self.url.replacen(&self.address, &proxy.address(), 1);
        let command = Worker { url, key: Some(key.clone()), lease, seed: 0 }.command(&self.program);
        let process = Process::spawn(&command, &self.scratch.path().join(&key));
        Victim { process, proxy, key }
    }
}
