use std::time::Duration;

use interlock_tests::RedisServer;

use crate::contender::{Contender, Name};
use crate::load::{Turns, TurnsResult};
use crate::measure::{CommandCounter, Spread, round_trip};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;
use crate::with_contender;

const SHORT: Turns = Turns { tasks: 100, keys: 1, times: 5, section: Duration::from_millis(1) };
const MANY: Turns = Turns { tasks: 1_000, keys: 100, times: 5, section: Duration::from_millis(5) };

pub(crate) async fn short(effort: &Effort) -> Findings {
    let work = "100 tasks, one key, 5 times each, 1 ms sections";
    let (mut findings, waits) = measure(effort, work, SHORT).await;
    findings.lines.push(Line::new(work, Reach::at_most(1.5), waits, "p99 wait over p50"));
    findings
}

pub(crate) async fn many(effort: &Effort) -> Findings {
    let work = "1,000 tasks on 100 keys, 5 times each, 5 ms sections";
    measure(effort, work, MANY).await.0
}

/// A run takes long and its wall time is compared with its own sections, so rounds need not be many, and peers that take
/// many times longer run once.
async fn measure(effort: &Effort, work: &'static str, load: Turns) -> (Findings, Spread) {
    let server = RedisServer::private().await;
    let rounds = effort.rounds.div_ceil(3);
    let mut walls = Vec::new();
    let mut runs = Vec::new();
    for name in [Name::Interlock].into_iter().chain(Name::PEERS) {
        let rounds = if name == Name::Interlock { rounds } else { 1 };
        let mut over_ideal = Vec::new();
        for _ in 0..rounds {
            let run = run(&server, name, load, effort).await;
            over_ideal.push(run.over_ideal);
            runs.push((name, run));
        }
        walls.push((name.text(), Spread::of(over_ideal)));
    }
    let ours = || runs.iter().filter(|(name, _)| *name == Name::Interlock);
    let waits = Spread::of(
        ours().map(|(_, run)| run.result.wait(0.99).as_secs_f64() / run.result.wait(0.5).as_secs_f64()),
    );
    let wall = Spread::of(ours().map(|(_, run)| run.over_ideal));
    let mut commands: Vec<(&'static str, Spread)> = Vec::new();
    for (name, run) in &runs {
        if commands.last().is_none_or(|(last, _)| *last != name.text()) {
            commands.push((name.text(), Spread::of([run.commands])));
        }
    }
    let findings = Findings {
        lines: vec![Line::new(work, Reach::at_most(1.15), wall, "× the ideal wall")],
        comparisons: vec![
            Comparison::of(work, "× the ideal wall", walls),
            Comparison::of(work, "Redis commands a turn", commands),
        ],
    };
    (findings, waits)
}

struct Run {
    result: TurnsResult,
    over_ideal: f64,
    commands: f64,
}

async fn run(server: &RedisServer, name: Name, load: Turns, effort: &Effort) -> Run {
    let round_trip = round_trip(server.url(), effort.slice / 4).await;
    let (result, commands) = with_contender!(name, server.url(), |lock| counted(server, &lock, load).await);
    eprint!(".");
    Run { over_ideal: result.over_ideal(round_trip), commands: commands as f64 / load.count() as f64, result }
}

async fn counted<C: Contender>(server: &RedisServer, lock: &C, load: Turns) -> (TurnsResult, u64) {
    let counter = CommandCounter::new(server.connection().await, C::SENDS);
    let before = counter.count().await;
    let result = load.run(lock).await;
    (result, counter.count().await - before)
}
