//! A short run of `once_stress` on each database.

#![allow(clippy::expect_used)]

use std::process::{Command, Output};

fn run(database: &str) -> String {
    let stress = Command::new(env!("CARGO_BIN_EXE_once_stress"))
        .args(["--seconds", "3", "--processes", "2", "--database", database])
        .output();
    let Output { status, stdout, stderr } = stress.expect("it runs");
    let said = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{said}\n{}", String::from_utf8_lossy(&stderr));
    said
}

/// A fault that did not happen proves nothing.
fn check(said: &str, faults: &[&str]) {
    let counts = said.lines().next().unwrap_or_default();
    for fault in faults {
        let count = counts.split(' ').find_map(|part| part.strip_prefix(fault)?.strip_prefix('='));
        let count = count.and_then(|count| count.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count > 0), "no {fault}: {said}");
    }
}

const FAULTS: &[&str] = &["done", "replayed", "refused", "rolled_back", "killed_processes", "swept"];

#[test]
fn mariadb() {
    let said = run("mysql");
    check(&said, FAULTS);
    check(&said, &["killed_at_a_statement", "killed_connections", "lost_begins", "lost_commits"]);
}

#[test]
fn postgres() {
    let said = run("postgres");
    check(&said, FAULTS);
    check(&said, &["killed_at_a_statement", "killed_connections", "lost_begins", "lost_commits"]);
}

#[test]
fn sqlite() {
    check(&run("sqlite"), FAULTS);
}
