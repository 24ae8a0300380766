//! Starts workers, lets things go wrong, and collects what the workers wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::fault_run::checker::Disturbances;
use crate::fault_run::clock::now;
use crate::fault_run::fault::Fault;
use crate::fault_run::history;
use crate::fault_run::report::Report;
use crate::fault_run::settings::Settings;
use crate::fault_run::worker::Task;
use crate::process::Process;
use crate::proxy::Proxy;
use crate::redis_server::RedisServer;
use crate::scratch::Scratch;

const LEASE: Duration = Duration::from_millis(500);
/// How long workers may take to end once the time is over: the longest wait, and a busy machine.
const LAST: Duration = Duration::from_secs(30);

/// Lets workers use locks while things go wrong, and looks at what they did.
///
/// # Panics
///
/// When a server or a worker does not start.
pub async fn run(settings: &Settings) -> Report {
    let mut supervisor = Supervisor::start(settings).await;
    supervisor.disturb().await;
    supervisor.finish().await
}

struct Supervisor<'a> {
    settings: &'a Settings,
    redis: RedisServer,
    store: RedisServer,
    scratch: Scratch,
    random: fastrand::Rng,
    /// When the workers stop to ask, on the clock of all processes.
    until: u64,
    places: Vec<Place>,
    histories: Vec<PathBuf>,
    faults: BTreeMap<Fault, usize>,
    disturbances: Disturbances,
    violations: Vec<String>,
}

/// One worker at a time, and its way to the server.
struct Place {
    proxy: Proxy,
    worker: Process,
    number: usize,
}

impl<'a> Supervisor<'a> {
    async fn start(settings: &'a Settings) -> Supervisor<'a> {
        let mut supervisor = Supervisor {
            settings,
            redis: RedisServer::private().await,
            store: RedisServer::private().await,
            scratch: Scratch::new("faults"),
            random: fastrand::Rng::with_seed(settings.seed),
            until: now() + micros(settings.time),
            places: Vec::new(),
            histories: Vec::new(),
            faults: BTreeMap::new(),
            disturbances: Disturbances::default(),
            violations: Vec::new(),
        };
        for _ in 0..settings.workers {
            let proxy = Proxy::to(&supervisor.redis.address());
            let (worker, number) = supervisor.worker(&proxy);
            supervisor.places.push(Place { proxy, worker, number });
        }
        supervisor
    }

    fn worker(&mut self, proxy: &Proxy) -> (Process, usize) {
        let number = self.histories.len();
        let history = self.scratch.path().join(format!("history-{number}"));
        let redis = format!("redis://{}", proxy.address());
        let seed = self.random.u64(..);
        let arguments =
            Task::arguments(self.settings, &redis, self.store.url(), &history, self.until, LEASE, seed);
        let mut command = Command::new(&self.settings.program);
        command.args(arguments);
        self.histories.push(history);
        (Process::spawn(&command, &self.scratch.path().join(format!("log-{number}"))), number)
    }

    /// One fault after the other, each kind once before any comes again.
    async fn disturb(&mut self) {
        let mut progress = Instant::now() + self.settings.progress;
        let mut next = Vec::new();
        while now() < self.until {
            let pause = Duration::from_millis(self.random.u64(50..400));
            sleep(pause).await;
            if next.is_empty() {
                next = Fault::ALL.to_vec();
                self.random.shuffle(&mut next);
            }
            if let Some(fault) = next.pop() {
                self.suffer(fault).await;
                *self.faults.entry(fault).or_default() += 1;
            }
            self.look_after_workers();
            if Instant::now() >= progress {
                progress = Instant::now() + self.settings.progress;
                let left = Duration::from_micros(self.until.saturating_sub(now()));
                let faults: usize = self.faults.values().sum();
                println!(
                    "{faults} faults so far, {} workers started, {} s to go",
                    self.histories.len(),
                    left.as_secs()
                );
            }
        }
    }

    async fn suffer(&mut self, fault: Fault) {
        let place = self.random.usize(..self.places.len());
        let lease = LEASE.mul_f64(self.random.f64() + 0.2);
        match fault {
            Fault::Kill => {
                self.disturbances.killed.insert(self.places[place].number, now());
                self.places[place].worker.kill();
                self.replace(place);
            }
            Fault::Freeze => {
                let from = now();
                self.places[place].worker.pause();
                sleep(LEASE + lease).await;
                self.places[place].worker.resume();
                self.disturbances.frozen.push((self.places[place].number, from, now()));
            }
            Fault::Pause => {
                self.redis.pause();
                sleep(lease).await;
                self.redis.resume();
            }
            Fault::Restart => {
                let from = now();
                self.redis.restart_empty().await;
                self.data_was_lost(from);
            }
            Fault::Flush => {
                let from = now();
                let mut connection = self.redis.connection().await;
                let () = redis::cmd("FLUSHALL").query_async(&mut connection).await.expect("Redis answers");
                self.data_was_lost(from);
            }
            Fault::Cut => self.places[place].proxy.cut(),
            Fault::Strand => self.places[place].proxy.strand(),
            Fault::Delay => {
                self.places[place].proxy.delay(lease / 8);
                sleep(lease).await;
                self.places[place].proxy.delay(Duration::ZERO);
            }
        }
    }

    /// Until the leases of before are over, their owners may not know.
    fn data_was_lost(&mut self, from: u64) {
        self.disturbances.lost_data.push((from, now() + micros(LEASE)));
    }

    fn replace(&mut self, place: usize) {
        let mut old = self.places.swap_remove(place);
        (old.worker, old.number) = self.worker(&old.proxy);
        self.places.push(old);
    }

    /// A worker that ends before its time has failed.
    fn look_after_workers(&mut self) {
        for place in 0..self.places.len() {
            if let Some(status) = self.places[place].worker.exited()
                && !status.success()
            {
                self.violations.push(format!("a worker failed: {}", self.places[place].worker.log()));
                self.disturbances.killed.insert(self.places[place].number, now());
                self.replace(place);
            }
        }
    }

    async fn finish(mut self) -> Report {
        let deadline = Instant::now() + LAST;
        for place in &mut self.places {
            while place.worker.exited().is_none() && Instant::now() < deadline {
                sleep(Duration::from_millis(10)).await;
            }
            match place.worker.exited() {
                Some(status) if status.success() => {}
                _ => self.violations.push(format!("a worker does not end well: {}", place.worker.log())),
            }
        }
        let mut callers = Vec::new();
        for (number, history) in self.histories.iter().enumerate() {
            // A worker that was killed early has none.
            let text = fs::read_to_string(history).unwrap_or_default();
            match history::read(number, &text) {
                Ok(more) => callers.extend(more),
                Err(error) => self.violations.push(error),
            }
        }
        Report::new(&callers, &self.disturbances, self.faults, self.violations)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
