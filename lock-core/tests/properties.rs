//! Random callers on one to three nodes, checked against what a queue of callers is expected to do.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lock_core::{
    BackendFault, BackendVerb, FaultyBackend, InProcessBackend, LockError, LockGuard, LockManager,
    LockOptions,
};
use parking_lot::Mutex;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, advance, sleep, timeout};

const KEYS: [&str; 2] = ["a", "b"];
const LEASES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// Longer than any pause before a key is asked for again.
const SOON: Duration = Duration::from_secs(5);
/// Longer than any lease, wait or retention.
const LONG: Duration = Duration::from_secs(30);

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A caller asks for a key at a node.
    Ask { node: usize, key: usize, options: LockOptions },
    /// A caller that waits is dropped.
    Leave(usize),
    /// A guard is dropped, or released by name.
    End { guard: usize, confirmed: bool },
    /// A guard is extended.
    Extend(usize),
    /// Time goes on, and everybody does what it demands.
    Sleep(Duration),
    /// The process stands still for a while.
    Freeze(Duration),
    /// The next command of a kind suffers.
    Fault(BackendVerb, BackendFault),
    /// The event connections break, or stand again.
    Events { stand: bool },
}

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn options() -> impl Strategy<Value = LockOptions> {
    let wait =
        prop_oneof![Just(Duration::ZERO), Just(Duration::from_millis(300)), Just(Duration::from_secs(8))];
    let retain = prop_oneof![3 => Just(Duration::ZERO), 1 => Just(Duration::from_millis(700))];
    let renew = prop_oneof![4 => Just(true), 1 => Just(false)];
    (wait, 0..LEASES.len(), retain, renew).prop_map(|(wait, lease, retain, renew)| {
        LockOptions::new().wait(wait).lease(LEASES[lease]).retain(retain).renew(renew)
    })
}

/// A step that a healthy backend sees.
fn healthy() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3usize, 0..KEYS.len(), options()).prop_map(|(node, key, options)| Step::Ask { node, key, options }),
        2 => any::<usize>().prop_map(Step::Leave),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(guard, confirmed)| Step::End { guard, confirmed }),
        1 => any::<usize>().prop_map(Step::Extend),
        4 => millis(0..1500).prop_map(Step::Sleep),
        1 => millis(0..5000).prop_map(Step::Freeze),
    ]
}

fn fault() -> impl Strategy<Value = Step> {
    let verb = (0..BackendVerb::ALL.len()).prop_map(|verb| BackendVerb::ALL[verb]);
    let fault = prop_oneof![
        millis(0..1200).prop_map(BackendFault::SlowReply),
        millis(0..1200).prop_map(BackendFault::SlowCommand),
        Just(BackendFault::CutBefore),
        Just(BackendFault::CutAfter),
        millis(0..1200).prop_map(BackendFault::Repeat),
    ];
    prop_oneof![
        4 => (verb, fault).prop_map(|(verb, fault)| Step::Fault(verb, fault)),
        1 => any::<bool>().prop_map(|stand| Step::Events { stand }),
    ]
}

/// A caller that waits.
struct Waiting {
    node: usize,
    key: usize,
    until: Instant,
    task: JoinHandle<()>,
}

/// What is known of all callers. The callers' tasks write into it in the order in which they got their turns.
#[derive(Default)]
struct Record {
    /// By the number of the caller: callers are numbered as they ask.
    waiting: BTreeMap<usize, Waiting>,
    guards: BTreeMap<usize, (usize, LockGuard)>,
    last_token: [u64; KEYS.len()],
    violations: Vec<String>,
    granted: usize,
}

impl Record {
    fn answered(&mut self, caller: usize, answer: Result<LockGuard, LockError>) {
        let Some(waited) = self.waiting.remove(&caller) else {
            return;
        };
        let Ok(guard) = answer else { return };
        self.granted += 1;
        let first =
            self.waiting.iter().find(|(_, other)| (other.node, other.key) == (waited.node, waited.key));
        if let Some((first, _)) = first.filter(|(first, _)| **first < caller) {
            self.violations.push(format!("{caller} came before {first}"));
        }
        for (other, (key, held)) in &self.guards {
            if *key == waited.key && held.is_held() && guard.is_held() {
                self.violations.push(format!("{caller} and {other} hold {} at once", KEYS[*key]));
            }
        }
        let last = std::mem::replace(&mut self.last_token[waited.key], guard.token().get());
        if guard.token().get() <= last {
            self.violations.push(format!("{caller} has token {} after {last}", guard.token()));
        }
        self.guards.insert(caller, (waited.key, guard));
    }

    fn pick<T>(of: &BTreeMap<usize, T>, number: usize) -> Option<usize> {
        of.keys().copied().nth(number.checked_rem(of.len())?)
    }
}

struct World {
    backend: Arc<FaultyBackend>,
    nodes: Vec<LockManager>,
    record: Arc<Mutex<Record>>,
    callers: usize,
}

impl World {
    fn new(nodes: usize) -> Self {
        // The pauses before a retry are random: the same ones each time.
        fastrand::seed(7);
        let backend = Arc::new(FaultyBackend::new(Arc::new(InProcessBackend::new())));
        let nodes = (0..nodes).map(|_| LockManager::builder().backend(backend.clone())).collect();
        Self { backend, nodes, record: Arc::default(), callers: 0 }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Ask { node, key, options } => self.ask(node % self.nodes.len(), key, options),
            Step::Leave(caller) => {
                let mut record = self.record.lock();
                if let Some(caller) = Record::pick(&record.waiting, caller) {
                    record.waiting.remove(&caller).unwrap().task.abort();
                }
            }
            Step::End { guard, confirmed } => {
                let ended = {
                    let mut record = self.record.lock();
                    Record::pick(&record.guards, guard).and_then(|guard| record.guards.remove(&guard))
                };
                match ended {
                    Some((_, guard)) if confirmed => drop(tokio::spawn(guard.release())),
                    ended => drop(ended),
                }
            }
            Step::Extend(guard) => {
                let held = {
                    let record = self.record.lock();
                    Record::pick(&record.guards, guard).map(|guard| record.guards[&guard].1.held())
                };
                if let Some(held) = held {
                    tokio::spawn(async move { held.extend(2 * LEASES[1]).await.is_ok() });
                }
            }
            Step::Sleep(time) => sleep(time).await,
            Step::Freeze(time) => advance(time).await,
            Step::Fault(verb, fault) => self.backend.next(verb, fault),
            Step::Events { stand: true } => self.backend.reconnect(),
            Step::Events { stand: false } => self.backend.disconnect(),
        }
        for _ in 0..50 {
            yield_now().await;
        }
    }

    fn ask(&mut self, node: usize, key: usize, options: LockOptions) {
        let caller = self.callers;
        self.callers += 1;
        let (locks, record) = (self.nodes[node].clone(), Arc::clone(&self.record));
        let mut records = self.record.lock();
        let task = tokio::spawn(async move {
            let answer = locks.lock(KEYS[key]).options(options).acquire().await;
            record.lock().answered(caller, answer);
        });
        // As long as the longest wait there is.
        let until = Instant::now() + Duration::from_secs(8);
        records.waiting.insert(caller, Waiting { node, key, until, task });
    }

    /// With a healthy backend, who waits waits for somebody, and not beyond the deadline.
    async fn check_healthy(&self) -> Result<(), TestCaseError> {
        // A node that waits asks again at the latest when the lease it was told of is over: then it has its turn.
        for _ in 0..50 {
            if self.waits_for_nobody().is_none() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        let forgotten = self.waits_for_nobody();
        prop_assert!(forgotten.is_none(), "{forgotten:?} waits for nobody");
        let record = self.record.lock();
        prop_assert!(record.violations.is_empty(), "{:?}", record.violations);
        for (caller, waiting) in &record.waiting {
            prop_assert!(Instant::now() <= waiting.until + SOON, "{caller} waits for ever");
        }
        Ok(())
    }

    /// A caller that waits for a key which nobody holds.
    fn waits_for_nobody(&self) -> Option<usize> {
        let record = self.record.lock();
        let is_held = |key| record.guards.values().any(|(held, guard)| *held == key && guard.is_held());
        record.waiting.iter().find(|(_, waiting)| !is_held(waiting.key)).map(|(caller, _)| *caller)
    }

    /// When all is over nobody waits, and every key is free.
    async fn end(self) -> Result<usize, TestCaseError> {
        self.backend.heal();
        self.backend.reconnect();
        // Guards are held no longer than callers wait.
        for _ in 0..self.callers {
            let guards = std::mem::take(&mut self.record.lock().guards);
            if guards.is_empty() && self.record.lock().waiting.is_empty() {
                break;
            }
            drop(guards);
            sleep(2 * LEASES[1] + LEASES[1]).await;
        }
        self.record.lock().guards.clear();
        sleep(LONG).await;
        let record = std::mem::take(&mut *self.record.lock());
        prop_assert!(record.violations.is_empty(), "{:?}", record.violations);
        prop_assert!(record.waiting.is_empty(), "{:?} wait for ever", record.waiting.keys());
        let fresh = LockManager::builder().backend(self.backend.clone());
        for key in KEYS {
            // A late copy of a command may queue for nobody: its node gives its turn back, which takes no time here. What
            // is owned by nobody, or waits for a timer, takes longer.
            let asked = Instant::now();
            let guard = timeout(LONG, fresh.lock(key).wait(LONG).acquire()).await.unwrap();
            prop_assert!(guard.is_ok(), "{key} is left behind: {guard:?}");
            prop_assert!(asked.elapsed().is_zero(), "{key} is left behind for {:?}", asked.elapsed());
        }
        Ok(record.granted)
    }
}

fn on_paused_time<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(case)
}

fn config(cases: u32) -> ProptestConfig {
    // The same cases in every run; PROPTEST_RNG_SEED and PROPTEST_CASES look at others.
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    let rng_seed = match std::env::var_os("PROPTEST_RNG_SEED") {
        Some(_) => default.rng_seed,
        None => RngSeed::Fixed(7),
    };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn callers_take_turns_in_order_and_nobody_is_forgotten(
        nodes in 1..=3usize,
        steps in prop::collection::vec(healthy(), 1..60),
    ) {
        on_paused_time(async {
            let mut world = World::new(nodes);
            for step in steps {
                world.take(step).await;
                world.check_healthy().await?;
            }
            world.end().await.map(drop)
        })?;
    }

    #[test]
    fn faults_delay_but_two_never_hold_at_once_and_tokens_grow(
        nodes in 1..=3usize,
        steps in prop::collection::vec(prop_oneof![3 => healthy(), 1 => fault()], 1..60),
    ) {
        on_paused_time(async {
            let mut world = World::new(nodes);
            for step in steps {
                world.take(step).await;
                let record = world.record.lock();
                prop_assert!(record.violations.is_empty(), "{:?}", record.violations);
            }
            world.end().await.map(drop)
        })?;
    }
}
