use std::fmt::Write;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::contender::{Contender, Name};
use crate::measure::paced_round_trip;
use crate::with_contender;
use crate::worker::{Turn, held, message, relay, start};

/// What a worker is told to do, on its command line.
#[derive(Debug, Clone, Args)]
pub struct Job {
    /// The server.
    #[arg(long)]
    pub url: String,
    /// The lock.
    #[arg(long, value_enum)]
    pub contender: Name,
    /// For how long, in milliseconds.
    #[arg(long)]
    pub millis: u64,
    /// The load.
    #[command(subcommand)]
    pub kind: JobKind,
}

/// The loads that run in processes of their own.
#[derive(Debug, Clone, Subcommand)]
pub enum JobKind {
    /// Tasks on one hot key; says when each turn began and ended.
    Relay {
        /// How many tasks.
        #[arg(long)]
        tasks: usize,
        /// How long a task sleeps while it holds the key, in milliseconds.
        #[arg(long)]
        section: u64,
    },
    /// Sends one `PING` after the other; says how long the median one took, in microseconds.
    Ping {
        /// How long to sleep before each of them, in milliseconds.
        #[arg(long)]
        pause: u64,
    },
    /// Waits for a message and answers it with one to another process, without any lock; says when each of its turns
    /// began and ended. Who waits on `a` has the first turn.
    Message {
        /// The channel to wait on.
        #[arg(long)]
        from: String,
        /// The channel of the other process.
        #[arg(long)]
        to: String,
        /// How long to sleep before each message, in milliseconds.
        #[arg(long)]
        pause: u64,
    },
    /// Holds many keys; says what that costs.
    Held {
        /// How many keys.
        #[arg(long)]
        keys: usize,
    },
}

impl Job {
    pub(crate) const fn time(&self) -> Duration {
        Duration::from_millis(self.millis)
    }
}

/// Does what a worker is told, and prints the result.
pub async fn run(job: Job) {
    let time = job.time();
    let url = job.url.as_str();
    match job.kind {
        JobKind::Relay { tasks, section } => with_contender!(job.contender, url, |lock| {
            start::line_up().await;
            let turns = relay::run(&lock, tasks, Duration::from_millis(section), time).await;
            lock.close().await;
            print_turns(&turns);
        }),
        JobKind::Ping { pause } => {
            start::line_up().await;
            let median = paced_round_trip(url, Duration::from_millis(pause), time).await;
            println!("{}", median.as_secs_f64() * 1e6);
        }
        JobKind::Message { from, to, pause } => {
            let post = message::Post::open(url, &from, &to).await;
            start::line_up().await;
            print_turns(&post.exchange(Duration::from_millis(pause), time).await);
        }
        JobKind::Held { keys } => println!("{}", held::run(url, keys, time).await),
    }
}

fn print_turns(turns: &[Turn]) {
    let mut output = String::new();
    for turn in turns {
        writeln!(output, "{turn}").expect("text");
    }
    print!("{output}");
}
