//! Checks the model of the lock protocol in every state that a system of the given size can reach.

#![allow(clippy::print_stdout, reason = "a command prints what it found")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use interlock_tests::model::{FaultKind, Mutation, Outcome, Promise, Settings, check};

/// Checks the model of the lock protocol in every state that it can reach; exit code 1 when a promise is broken.
#[derive(Parser)]
struct Arguments {
    /// How many callers arrive at each node, at any time
    #[arg(long, value_delimiter = ',', default_value = "1,1")]
    callers: Vec<u8>,
    /// How many things go wrong, at any time
    #[arg(long, default_value_t = 1)]
    faults: u8,
    /// What may go wrong; everything unless named
    #[arg(long, value_delimiter = ',')]
    kinds: Vec<FaultKind>,
    /// How many turns a grant has tokens for
    #[arg(long, default_value_t = 2)]
    block: i16,
    /// How many turns a node hands over in memory while another node queues
    #[arg(long, default_value_t = 1)]
    overtake: u8,
    /// How many ticks a node keeps an idle key
    #[arg(long, default_value_t = 0)]
    retain: i8,
    /// How many guards are extended beyond their lease
    #[arg(long, default_value_t = 0)]
    extensions: u8,
    /// How many callers give up waiting
    #[arg(long, default_value_t = 0)]
    leavers: u8,
    /// The longest that a caller may wait, in ticks; a turn of every other caller and a lease a fault unless named
    #[arg(long)]
    patience: Option<i8>,
    /// What is checked; everything unless named
    #[arg(long, value_delimiter = ',')]
    promises: Vec<Promise>,
    /// Breaks a rule of the protocol, to see which promise goes with it
    #[arg(long)]
    mutation: Option<Mutation>,
    /// Prints the state in which a promise is broken
    #[arg(long)]
    state: bool,
    /// How many threads look; one finds shortest counterexamples
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let kinds = if arguments.kinds.is_empty() { FaultKind::ALL.to_vec() } else { arguments.kinds };
    let settings = Settings {
        callers: arguments.callers,
        block: arguments.block,
        overtake: arguments.overtake,
        retain: arguments.retain,
        extensions: arguments.extensions,
        leavers: arguments.leavers,
        faults: arguments.faults,
        kinds,
        mutation: arguments.mutation,
        patience: arguments.patience,
        promises: if arguments.promises.is_empty() { Promise::ALL.to_vec() } else { arguments.promises },
    };
    println!("{settings:?}");
    let checked = settings.promises.clone();
    let began = Instant::now();
    let outcome = check(settings, arguments.threads);
    report(&outcome, &checked, arguments.state);
    println!("in {:.1} s", began.elapsed().as_secs_f64());
    ExitCode::from(u8::from(!outcome.broken.is_empty()))
}

fn report(outcome: &Outcome, checked: &[Promise], with_state: bool) {
    println!(
        "{} states, {} steps between them, at most {} deep; the longest wait was {} ticks",
        outcome.states, outcome.steps, outcome.depth, outcome.longest_wait
    );
    for promise in checked.iter().copied() {
        let Some(found) = outcome.broken.iter().find(|found| found.promise == promise) else {
            // After the first broken promise the check ends, and says nothing of the others.
            let verdict = if outcome.broken.is_empty() { "holds" } else { "not decided" };
            println!("  {:<34} {verdict}", promise.name());
            continue;
        };
        println!("  {:<34} BROKEN, in {} steps:", promise.name(), found.steps.len());
        for (number, step) in found.steps.iter().enumerate() {
            println!("    {:>3}. {step}", number + 1);
        }
        if with_state {
            println!("{}", found.state);
        }
    }
}
