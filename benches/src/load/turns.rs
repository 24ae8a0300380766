use std::time::{Duration, Instant};

use crate::contender::Contender;

/// Tasks that each hold a key a few times for a while.
#[derive(Debug, Clone, Copy)]
pub struct Turns {
    /// How many tasks.
    pub tasks: usize,
    /// How many keys they share evenly.
    pub keys: usize,
    /// How often each task takes its key.
    pub times: usize,
    /// How long it sleeps while it holds it.
    pub section: Duration,
}

/// What [`Turns`] came to.
#[derive(Debug, Clone)]
pub struct TurnsResult {
    /// From the start to the end of the last turn.
    pub wall: Duration,
    /// How long the turns on the busiest key really lasted, together.
    pub sections: Duration,
    /// How many turns there were on each key.
    pub turns_per_key: usize,
    /// How long each caller waited for each turn, sorted.
    pub waits: Vec<Duration>,
}

impl TurnsResult {
    /// The wall time over the least possible: each turn as long as it really lasted, and one round trip between two.
    #[must_use]
    pub fn over_ideal(&self, round_trip: Duration) -> f64 {
        let turns = u32::try_from(self.turns_per_key).expect("few turns");
        let ideal = self.sections + round_trip * turns;
        self.wall.as_secs_f64() / ideal.as_secs_f64()
    }

    /// The wait that `share` of the callers did not exceed.
    #[must_use]
    pub fn wait(&self, share: f64) -> Duration {
        let rank = (self.waits.len() - 1) as f64 * share;
        self.waits[rank.round() as usize]
    }
}

impl Turns {
    /// How many turns there are in all.
    #[must_use]
    pub const fn count(self) -> usize {
        self.tasks * self.times
    }

    /// Runs the load.
    pub async fn run<C: Contender>(self, contender: &C) -> TurnsResult {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..self.tasks)
            .map(|task| {
                let contender = contender.clone();
                let number = task % self.keys;
                let key = format!("stock:product:{number}");
                tokio::spawn(async move {
                    let (mut held, mut waits) = (Duration::ZERO, Vec::with_capacity(self.times));
                    for _ in 0..self.times {
                        let asked = Instant::now();
                        let guard = contender.acquire(&key).await;
                        let granted = Instant::now();
                        tokio::time::sleep(self.section).await;
                        held += granted.elapsed();
                        waits.push(granted - asked);
                        C::release(guard).await;
                    }
                    (number, held, waits)
                })
            })
            .collect();
        let mut sections = vec![Duration::ZERO; self.keys];
        let mut waits = Vec::with_capacity(self.count());
        for task in tasks {
            let (number, held, waited) = task.await.expect("a task of the load");
            sections[number] += held;
            waits.extend(waited);
        }
        waits.sort_unstable();
        TurnsResult {
            wall: begun.elapsed(),
            sections: sections.into_iter().max().unwrap_or_default(),
            turns_per_key: self.count() / self.keys,
            waits,
        }
    }
}
