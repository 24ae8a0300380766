use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::contender::Contender;
use crate::load::monotonic_nanos;

/// One turn on a key, on the clock that all processes share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// When the guard was there, in nanoseconds.
    pub began: u64,
    /// Just before it was given back.
    pub ended: u64,
    /// Which task of the process it was.
    pub task: usize,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.began, self.ended, self.task)
    }
}

impl FromStr for Turn {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Vec<&str> = text.split(' ').collect();
        let [began, ended, task] = fields[..] else {
            anyhow::bail!("three numbers expected, not {text:?}");
        };
        Ok(Self { began: began.parse()?, ended: ended.parse()?, task: task.parse()? })
    }
}

/// Takes one hot key again and again, in `tasks` tasks, and sleeps for `section` while it is held.
pub(crate) async fn run<C: Contender>(
    contender: &C,
    tasks: usize,
    section: Duration,
    time: Duration,
) -> Vec<Turn> {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let contender = contender.clone();
            tokio::spawn(async move {
                let mut turns = Vec::new();
                while begun.elapsed() < time {
                    let guard = contender.acquire("balance:user:relay").await;
                    let began = monotonic_nanos();
                    if !section.is_zero() {
                        tokio::time::sleep(section).await;
                    }
                    let ended = monotonic_nanos();
                    C::release(guard).await;
                    turns.push(Turn { began, ended, task });
                }
                turns
            })
        })
        .collect();
    let mut turns = Vec::new();
    for task in tasks {
        turns.extend(task.await.expect("a task of the load"));
    }
    turns
}
