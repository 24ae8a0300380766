//! What is measured: one topic a file, one or more lines of the table a topic.

mod hand_over;
mod held_keys;
mod hot_key;
mod idempotency;
mod in_process;
mod macro_cost;
mod pairs;
mod processes;
mod sections;

use std::time::Duration;

use clap::ValueEnum;

use crate::report::Findings;

/// A topic by its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topic {
    /// One task, one key.
    OneTask,
    /// The same with idle keys kept.
    Retention,
    /// 64 tasks, a key each.
    ManyKeys,
    /// 16 tasks of one process on one key.
    HotKey,
    /// 4 processes with 16 tasks each on one key.
    Processes,
    /// From one process to another.
    HandOver,
    /// 100 tasks, one key, sections of 1 ms.
    ShortSections,
    /// 1,000 tasks, 100 keys, sections of 5 ms.
    ManySections,
    /// 100,000 held keys.
    HeldKeys,
    /// Without a server.
    InProcess,
    /// The attribute over `run`.
    MacroCost,
    /// What an idempotency key costs.
    Idempotency,
}

/// How thoroughly to measure: many short rounds rather than few long ones, since which cores the processes happen to
/// share decides about as much as what they do.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Interleaved rounds; one sample of each contender a round.
    pub rounds: usize,
    /// How long one sample takes.
    pub slice: Duration,
    /// How long many keys are held.
    pub held: Duration,
}

impl Effort {
    /// For a table to publish.
    pub const FULL: Self =
        Self { rounds: 31, slice: Duration::from_millis(200), held: Duration::from_secs(60) };
    /// For a first look.
    pub const SHORT: Self =
        Self { rounds: 9, slice: Duration::from_millis(100), held: Duration::from_secs(22) };
}

impl Topic {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().expect("no topic is skipped").get_name().to_owned()
    }

    /// Measures it, on servers of its own.
    pub async fn measure(self, effort: &Effort) -> Findings {
        match self {
            Self::OneTask => pairs::one_task(effort).await,
            Self::Retention => pairs::retention(effort).await,
            Self::ManyKeys => pairs::many_keys(effort).await,
            Self::HotKey => hot_key::measure(effort).await,
            Self::Processes => processes::measure(effort).await,
            Self::HandOver => hand_over::measure(effort).await,
            Self::ShortSections => sections::short(effort).await,
            Self::ManySections => sections::many(effort).await,
            Self::HeldKeys => held_keys::measure(effort).await,
            Self::InProcess => in_process::measure(effort).await,
            Self::MacroCost => macro_cost::measure(effort).await,
            Self::Idempotency => idempotency::measure(effort).await,
        }
    }
}
