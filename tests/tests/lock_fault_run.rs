//! The command that uses locks while things go wrong, for a short time: `docs/proofs.md` tells how to run it for longer.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::Duration;

use interlock_tests::{Process, Scratch, unique_name};

/// The time asked for, and what a busy machine takes.
const END: Duration = Duration::from_secs(120);

/// The exit code of a run, and what it printed.
async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let scratch = Scratch::new("fault_run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fault_run"));
    command.args(arguments);
    let mut run = Process::spawn(&command, &scratch.path().join(unique_name("run")));
    let status = run.exits(END).await;
    (status.code(), run.log())
}

/// The number that is printed after `what`.
fn count(log: &str, what: &str) -> usize {
    log.lines().find_map(|line| line.trim().strip_prefix(what)?.trim().parse().ok()).unwrap()
}

#[tokio::test]
async fn a_short_run_breaks_no_promise() {
    let (code, log) = run(&["--seconds", "8", "--seed", "1"]).await;
    assert_eq!((code, count(&log, "violations")), (Some(0), 0), "{log}");
    assert!(count(&log, "guards granted") > 0 && count(&log, "faults injected") > 0, "{log}");
}

#[tokio::test]
async fn a_run_with_a_broken_lock_is_found_out() {
    let (code, log) = run(&["--seconds", "3", "--seed", "1", "--break", "lock"]).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(count(&log, "violations") > 0 && log.contains("at once"), "{log}");
}
