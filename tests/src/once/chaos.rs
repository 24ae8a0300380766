use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use idempotency::{Idempotency, Settings};
use sqlx::Pool;

use super::{Bank, Counts, Ledger, RequestError, Work, mode_of, request};
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
    /// The program that makes the requests.
    pub worker: PathBuf,
    /// The database, as this process reaches it.
    pub url: String,
    /// The same through `proxy`.
    pub url_of_workers: String,
    /// Where replies are lost; none without a server.
    pub proxy: Option<Proxy>,
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
}

impl Chaos {
    /// Breaks things for `time`, lets everything come to an end, and counts.
    pub async fn reign<S: Bank>(self, time: Duration) -> Struck {
        let (store, pool) = <S as Bank>::open(&self.url, 2);
        let once = Idempotency::with_settings(store, Settings::default().wait(Duration::from_secs(20)));
        once.migrate().await.expect("may create tables");
        S::create(&pool).await;
        let mut struck = Struck { counts: Counts::default(), violations: Vec::new() };
        self.disturb::<S>(&pool, time, &mut struck).await;
        if let Some(proxy) = &self.proxy {
            struck.counts.add("lost_replies", proxy.struck() as u64);
            proxy.cut();
        }
        finish(&once, &pool, &mut struck).await;
        struck.violations.extend(Ledger::read::<S>(&pool).await.violations());
        struck
    }

    async fn disturb<S: Bank>(&self, pool: &Pool<S::Database>, time: Duration, struck: &mut Struck) {
        let scratch = Scratch::new("stress");
        let mut started = 0;
        let mut start = || {
            started += 1;
            let mut command = Command::new(&self.worker);
            command.args([&self.url_of_workers, &started.to_string(), "load"]);
            Process::spawn(&command, &scratch.path().join(format!("worker-{started}")))
        };
        let mut workers: Vec<Process> = (0..self.processes).map(|_| start()).collect();
        let begun = Instant::now();
        let mut next_report = Duration::from_secs(5);
        for beat in 1_u32.. {
            tokio::time::sleep(BEAT).await;
            if begun.elapsed() >= time {
                break;
            }
            if let Some(proxy) = &self.proxy {
                proxy.drop_reply_to("COMMIT", 1 + beat as usize % 7);
            }
            struck.counts.add("killed_connections", u64::from(S::kill_connection(pool).await));
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
    }
}

impl Struck {
    /// Kills a worker, and keeps what it had to say.
    fn bury(&mut self, worker: &mut Process) {
        worker.kill();
        let log = worker.log();
        self.counts.add("killed_processes", 1);
        self.counts.add_last_of(&log);
        self.violations.extend(log.lines().filter(|line| line.starts_with("violation")).map(str::to_owned));
    }
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
