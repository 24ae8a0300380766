//! Measures the table of `docs/performance.md`: `cargo run --release -p interlock-benches -- --help`.

// What was measured goes to standard output, how far it is to standard error.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use interlock_benches::report::{Findings, comparisons_table, draw_comparison, draw_reach, lines_table};
use interlock_benches::topic::{Effort, Topic};
use interlock_benches::worker::{self, Job};

/// Measures what the locks and the idempotency keys cost, as ratios to a floor and to peers in the same run.
///
/// Starts Redis and MariaDB servers of its own on free ports of 127.0.0.1. Prints two Markdown tables, and writes them
/// and charts to the output folder. All of it takes about a quarter of an hour, with --short about four minutes.
///
/// What a key costs on a disk whose flush takes 2 ms is measured with strace. Where that is not installed or may not trace,
/// one line says why those lines are left out.
#[derive(Debug, Parser)]
#[command(subcommand_negates_reqs = true)]
struct Arguments {
    /// Fewer and shorter rounds: for a first look, not to be published.
    #[arg(long)]
    short: bool,
    /// Measures these topics only.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Topic>,
    /// How many interleaved rounds.
    #[arg(long)]
    rounds: Option<usize>,
    /// Where tables and charts go.
    #[arg(long, default_value = "target/performance")]
    output: PathBuf,
    #[command(subcommand)]
    worker: Option<Worker>,
}

#[derive(Debug, Subcommand)]
enum Worker {
    /// What this program calls itself with.
    #[command(hide = true)]
    Worker(Job),
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Worker::Worker(job)) = arguments.worker {
        worker::run(job).await;
        return Ok(());
    }
    let mut effort = if arguments.short { Effort::SHORT } else { Effort::FULL };
    effort.rounds = arguments.rounds.unwrap_or(effort.rounds).max(1);
    let topics = match arguments.only.as_slice() {
        [] => Topic::value_variants(),
        only => only,
    };
    let mut all = Findings::default();
    let begun = Instant::now();
    for (number, topic) in topics.iter().enumerate() {
        let (number, count, elapsed) = (number + 1, topics.len(), begun.elapsed().as_secs());
        eprint!("[{number}/{count}] {} … ({elapsed} s) ", topic.name());
        let findings = topic.measure(&effort).await;
        eprint!("{}", lines_table(&findings.lines));
        all.add(findings);
    }
    let tables = format!("{}\n{}", lines_table(&all.lines), comparisons_table(&all.comparisons));
    println!("{tables}");
    write(&arguments.output, &tables, &all)
}

fn write(folder: &PathBuf, tables: &str, all: &Findings) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    fs::write(folder.join("tables.md"), tables).context("the tables cannot be written")?;
    draw_reach(&folder.join("reach.svg"), &all.lines)?;
    for (number, comparison) in all.comparisons.iter().enumerate() {
        draw_comparison(&folder.join(format!("comparison-{}.svg", number + 1)), comparison)?;
    }
    eprintln!("tables and charts: {}", folder.display());
    Ok(())
}
