use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use idempotency::{Idempotency, Settings};
use sqlx::Pool;
use tokio::task::JoinSet;

use super::victim::{Fate, Victims};
use super::{Bank, Counts, Ledger, RequestError, Work, Worker, mode_of, request};
use crate::{Process, Proxy, Scratch};

/// Between two faults.
const BEAT: Duration = Duration::from_millis(100);
/// Between two kills of a process.
const LIFE: u32 = 8;
/// How long an unfinished key may take to come to an end once all is quiet.
const PATIENCE: Duration = Duration::from_secs(120);

/// Processes under load, and what is done to them.
#[derive(Debug)]
pub struct Chaos {
    /// The program that becomes a [`Worker`].
    pub program: PathBuf,
    /// The database, as this process reaches it.
    pub url: String,
    /// The same through `proxy`.
    pub url_of_workers: String,
    /// Where replies are lost, and `host:port` of the server behind; none without a server.
    pub server: Option<(Proxy, String)>,
    /// How many processes.
    pub processes: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Struck {
    /// How often what has happened.
    pub counts: Counts,
    /// What must not be.
    pub violations: Vec<String>,
    /// What the requests for each key were answered.
    answered: HashMap<String, String>,
}

impl Chaos {
    /// Breaks things for `time`, lets everything come to an end, and counts.
    pub async fn reign<S: Bank>(self, time: Duration) -> Struck {
        let (store, pool) = <S as Bank>::open(&self.url, 2);
        let once = Idempotency::with_settings(store, Settings::default().wait(Duration::from_secs(20)));
        once.migrate().await.expect("may create tables");
        S::create(&pool).await;
        let mut struck =
            Struck { counts: Counts::default(), violations: Vec::new(), answered: HashMap::new() };
        for name in ["contended", "stuck"] {
            struck.counts.add(name, 0);
        }
        self.disturb(&once, &pool, time, &mut struck).await;
        if let Some((proxy, _)) = &self.server {
            proxy.cut();
        }
        finish(&once, &pool, &mut struck).await;
        let ledger = Ledger::read::<S>(&pool).await;
        struck.violations.extend(ledger.violations());
        struck.violations.extend(ledger.contradictions(&struck.answered));
        struck
    }

    async fn disturb<S: Bank>(
        &self,
        once: &Idempotency<S>,
        pool: &Pool<S::Database>,
        time: Duration,
        struck: &mut Struck,
    ) {
        let (scratch, packets) = (Scratch::new("stress"), S::packets(pool).await);
        let mut seed = 0;
        let mut start = || {
            seed += 1;
            let worker = Worker { url: self.url_of_workers.clone(), key: None, lease: None, seed };
            Process::spawn(&worker.command(&self.program), &scratch.path().join(format!("worker-{seed}")))
        };
        let mut workers: Vec<Process> = (0..self.processes).map(|_| start()).collect();
        let mut victims = self
            .server
            .as_ref()
            .map(|(_, address)| Victims::new(self.program.clone(), address.clone(), self.url.clone()));
        let mut repeats = JoinSet::new();
        let begun = Instant::now();
        let mut next_report = Duration::from_secs(5);
        for beat in 1_u32.. {
            tokio::time::sleep(BEAT).await;
            let over = begun.elapsed() >= time;
            // The last victim is not left half-way, and there is one at least.
            if over && victims.as_ref().is_none_or(Victims::is_idle) {
                break;
            }
            if let Some((proxy, _)) = &self.server {
                // What was armed at the last beat has struck by now, or is disarmed.
                let lost = proxy.struck() as u64
                    - struck.counts.of("lost_begins")
                    - struck.counts.of("lost_commits");
                struck.counts.add(if beat % 2 == 0 { "lost_begins" } else { "lost_commits" }, lost);
                let packet = if beat % 2 == 0 { packets.commit } else { packets.begin };
                proxy.drop_reply_to(packet, 1 + beat as usize % 7);
            }
            struck.counts.add("killed_connections", u64::from(S::kill_connection(pool).await));
            if let Some(victims) = &mut victims {
                match victims.take_turn(!over) {
                    Fate::Alive => {}
                    Fate::Spared { log } => struck.examine(&log),
                    Fate::Killed { key } => {
                        struck.counts.add("killed_at_a_statement", 1);
                        let (once, pool) = (once.clone(), pool.clone());
                        repeats.spawn(async move { until_answered(&once, &pool, &key).await });
                    }
                }
            }
            if beat % LIFE == 0 {
                let victim = &mut workers[(beat / LIFE) as usize % self.processes];
                struck.bury(victim);
                *victim = start();
            }
            for worker in &mut workers {
                if worker.exited().is_some() {
                    struck.violations.push(format!("a worker ended by itself: {}", worker.log()));
                    *worker = start();
                }
            }
            if begun.elapsed() >= next_report {
                next_report += Duration::from_secs(5);
                eprintln!("{} of {} s, {}", begun.elapsed().as_secs(), time.as_secs(), struck.counts);
            }
        }
        for mut worker in workers {
            struck.bury(&mut worker);
        }
        while let Some(repeat) = repeats.join_next().await {
            struck.violations.extend(repeat.expect("a repeat does not panic").err());
        }
    }
}

impl Struck {
    /// Kills a worker, and keeps what it had to say.
    fn bury(&mut self, worker: &mut Process) {
        worker.kill();
        let log = worker.log();
        self.counts.add("killed_processes", 1);
        self.counts.add_last_of(&log);
        self.examine(&log);
    }

    /// Keeps what a process has noted of what must not be, and what it was answered.
    fn examine(&mut self, log: &str) {
        let violations = log.lines().filter(|line| line.starts_with("violation"));
        self.violations.extend(violations.map(str::to_owned));
        let answers = log.lines().filter_map(|line| line.strip_prefix("answered ")?.split_once(' '));
        for (key, answer) in answers {
            match self.answered.insert(key.to_owned(), answer.to_owned()) {
                Some(before) if before != answer => {
                    self.violations.push(format!("{key} was answered {before}, and then {answer}"));
                }
                _ => {}
            }
        }
    }
}

/// Repeats a request until it is answered.
async fn until_answered<S: Bank>(
    once: &Idempotency<S>,
    pool: &Pool<S::Database>,
    key: &str,
) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match request(once, pool, key, mode_of(key), (Work::Done, Duration::ZERO)).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_contended() => return Err(format!("{key}: a caller has met {error:?}")),
            Err(RequestError::Idempotency(error)) if !error.is_transient() => {
                return Err(format!("{key} cannot be finished: {error:?}"));
            }
            Err(_) => {}
        }
    }
    Err(format!("{key} is not answered"))
}

/// Repeats each request that has not come to an end.
async fn finish<S: Bank>(once: &Idempotency<S>, pool: &Pool<S::Database>, struck: &mut Struck) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let open = Ledger::read::<S>(pool).await.unfinished();
        if open.is_empty() {
            return;
        }
        if Instant::now() > deadline {
            struck.counts.add("stuck", open.len() as u64);
            struck.violations.extend(open.iter().map(|key| format!("{key} is stuck")));
            return;
        }
        for key in open {
            match request(once, pool, &key, mode_of(&key), (Work::Done, Duration::ZERO)).await {
                Ok(_) => struck.counts.add("finished_afterwards", 1),
                Err(RequestError::Refused) => {}
                Err(RequestError::Idempotency(error)) if error.is_transient() => {}
                Err(error) => struck.violations.push(format!("{key} cannot be finished: {error:?}")),
            }
        }
    }
}
