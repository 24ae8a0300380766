//! Uses locks in several processes on a real Redis while things go wrong, and checks all that they did.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints what it found")]

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use interlock_tests::fault_run::{Broken, Settings, Task, run, work};

/// Uses locks in several processes on a real Redis while things go wrong; exit code 1 when a promise is broken.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    worker: Option<Worker>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Worker {
    /// Is one of the processes
    #[command(hide = true)]
    Worker(Task),
}

#[derive(Args)]
struct Run {
    /// How long things go wrong
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// The same faults in the same order for the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many processes there are
    #[arg(long, default_value_t = 3)]
    workers: usize,
    /// How many tasks of each use locks
    #[arg(long, default_value_t = 6)]
    tasks: usize,
    /// How many keys they use
    #[arg(long, default_value_t = 3)]
    keys: usize,
    /// Breaks a part on purpose, to see that the check notices
    #[arg(long = "break")]
    broken: Option<Broken>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Worker::Worker(task)) = arguments.worker {
        return match work(task).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("this program does not know itself: {error}");
            return ExitCode::FAILURE;
        }
    };
    let settings = Settings {
        time: Duration::from_secs(arguments.run.seconds),
        seed: arguments.run.seed,
        workers: arguments.run.workers.max(1),
        tasks: arguments.run.tasks,
        keys: arguments.run.keys.max(1),
        progress: Duration::from_secs(10),
        broken: arguments.run.broken,
        program,
    };
    let report = run(&settings).await;
    print!("{report}");
    ExitCode::from(u8::from(!report.violations.is_empty()))
}
